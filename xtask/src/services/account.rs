//! The user that runs the server: Postgres refuses to run as root.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// A user of this machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whether this process may do everything.
pub(super) fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}

/// The user to become before starting a server, or none if this process is not root and the
/// server can run as it is.
pub(super) fn for_server() -> Result<Option<Account>> {
    if !is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let account = ["postgres", "nobody"].iter().find_map(|name| find(&passwd, name));
    let account = account.context(
        "Postgres refuses to run as root, and this machine has neither a user `postgres` nor a \
         user `nobody` to run it as: create one (useradd --system postgres), or set DATABASE_URL",
    )?;
    Ok(Some(account))
}

/// Looks a name up in the text of `/etc/passwd`. Root under another name is no answer.
fn find(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let mut ids = fields.skip(1).map(|id| id.parse().ok());
        let account = Account { name: name.to_owned(), uid: ids.next()??, gid: ids.next()?? };
        (account.uid != 0).then_some(account)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        # a comment\n\
        postgresql:x:7:8::/:/bin/sh\n\
        broken:x:one:two::/:/bin/sh\n\
        short:x\n\
        toor:x:0:0::/root:/bin/sh\n\
        postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n";

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let expected = Account { name: "postgres".to_owned(), uid: 101, gid: 104 };
        assert_eq!(find(PASSWD, "postgres"), Some(expected));
        assert_eq!(find(PASSWD, "nobody"), None);
    }

    #[test]
    fn a_line_without_numbers_is_no_account() {
        assert_eq!(find(PASSWD, "broken"), None);
        assert_eq!(find(PASSWD, "short"), None);
    }

    #[test]
    fn root_is_never_the_server_s_account() {
        assert_eq!(find(PASSWD, "root"), None);
        assert_eq!(find(PASSWD, "toor"), None);
    }
}
