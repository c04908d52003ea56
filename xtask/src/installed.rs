//! Other people's programs that tests run, installed in the build directory on first use.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::scratch::Scratch;

/// The file that tells what was installed.
const PINS: &str = "pins.txt";

/// Makes sure that the folder `name` of `parent` holds what `install` puts into a new folder, and says
/// where it is. When `pins` change, it is installed anew.
pub(crate) fn once(
    parent: &Path,
    name: &str,
    pins: &[&str],
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let pins = pins.join("\n");
    let dir = parent.join(name);
    if fs::read_to_string(dir.join(PINS)).is_ok_and(|installed| installed == pins) {
        return Ok(dir);
    }
    println!("    installing {}", pins.replace('\n', ", "));
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    // Made beside its place and then moved there: half of it is never taken for the whole.
    let staging = Scratch::in_dir(parent, "staging")?;
    let made = staging.path().join(name);
    fs::create_dir(&made).with_context(|| format!("cannot create {}", made.display()))?;
    install(&made)?;
    fs::write(made.join(PINS), pins)?;
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    fs::rename(&made, &dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn install(text: &'static str) -> impl Fn(&Path) -> Result<()> {
        move |dir| Ok(fs::write(dir.join("program"), text)?)
    }

    #[test]
    fn it_is_installed_once_for_the_same_pins() {
        let scratch = Scratch::new("outbox-installed").expect("a temporary directory");
        let read = |dir: &Path| fs::read_to_string(dir.join("program")).expect("the program");
        let dir = once(scratch.path(), "tool", &["tool@1"], install("1")).expect("installed");
        assert_eq!(read(&dir), "1");
        once(scratch.path(), "tool", &["tool@1"], install("again")).expect("found");
        assert_eq!(read(&dir), "1");
        once(scratch.path(), "tool", &["tool@2"], install("2")).expect("installed anew");
        assert_eq!(read(&dir), "2");
    }

    #[test]
    fn what_failed_is_tried_again() {
        let scratch = Scratch::new("outbox-installed").expect("a temporary directory");
        let failing = |_: &Path| bail!("no network");
        assert!(once(scratch.path(), "tool", &["tool@1"], failing).is_err());
        let dir = once(scratch.path(), "tool", &["tool@1"], install("1")).expect("installed");
        assert!(dir.join("program").is_file());
    }
}
