//! Running other programs, with errors that name the command that failed.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Runs a command with its output on the terminal; fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    println!("    $ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}

/// Runs a command and returns what it wrote to its standard output; the error of a failed
/// command holds everything it wrote.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed: {}\n{}{}", output.status, stdout, stderr);
    }
    Ok(stdout.into_owned())
}

/// Where `PATH` finds a program.
pub(crate) fn find_in_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// The command as a person would type it: the program by its name, quotes only where needed.
fn command_line(command: &Command) -> String {
    let program = command.get_program();
    let program = Path::new(program).file_name().unwrap_or(program);
    let words = [program].into_iter().chain(command.get_args()).map(quoted);
    words.collect::<Vec<_>>().join(" ")
}

/// An address without its password: what is printed may be the log of a public CI run.
fn without_password(word: &str) -> String {
    let hidden = || {
        let (scheme, rest) = word.split_once("://")?;
        let (account, host) = rest.rsplit_once('@')?;
        let (user, _) = account.split_once(':')?;
        Some(format!("{scheme}://{user}:...@{host}"))
    };
    hidden().unwrap_or_else(|| word.to_owned())
}

fn quoted(word: &OsStr) -> String {
    let word = without_password(&word.to_string_lossy());
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_quoted_only_where_needed() {
        let mut command = Command::new("/toolchain/bin/cargo");
        command.args(["nextest", "run", "-E", "test(chaos)", "it's", ""]);
        assert_eq!(command_line(&command), r"cargo nextest run -E 'test(chaos)' 'it'\''s' ''");
    }

    #[test]
    fn a_command_line_shows_no_password() {
        let mut command = Command::new("quickstart");
        command.args(["--database-url", "postgres://me:s3cr@t@localhost:5432/db"]);
        let shown = "quickstart --database-url postgres://me:...@localhost:5432/db";
        assert_eq!(command_line(&command), shown);
        assert_eq!(without_password("postgres://me@localhost"), "postgres://me@localhost");
    }

    #[test]
    fn a_failed_command_names_itself_and_its_output() {
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"]))
            .expect_err("the command exits with 3")
            .to_string();
        assert!(error.contains("exit status: 3") && error.contains("why"), "{error}");
    }
}
