//! The programs that read the documents. `cargo xtask services` installs them and says where they are.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What a program printed, and whether it succeeded.
pub(crate) struct Output {
    pub(crate) success: bool,
    pub(crate) text: String,
}

/// A folder with the files that a program reads.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a script of this folder's neighbour `scripts` with Node.js, in this folder.
    pub(crate) fn node(&self, script: &str) -> Output {
        self.run(Command::new("node").arg(scripts().join(script)).env("NODE_PATH", packages()))
    }

    /// Runs a script with Python, in this folder.
    pub(crate) fn python(&self, script: &str) -> Output {
        self.run(Command::new(given("OUTBOX_TEST_PYTHON")).arg(scripts().join(script)))
    }

    /// Runs the TypeScript compiler on files of this folder.
    pub(crate) fn tsc(&self, files: &[&str]) -> Output {
        let tsc = Path::new(&packages()).join("typescript/bin/tsc");
        let options = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--pretty", "false"];
        self.run(Command::new("node").arg(tsc).args(options).args(files))
    }

    fn run(&self, command: &mut Command) -> Output {
        let output = command.current_dir(self.path()).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        Output { success: output.status.success(), text }
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents/scripts")
}

fn packages() -> OsString {
    given("OUTBOX_TEST_NODE_MODULES")
}

fn given(variable: &str) -> OsString {
    env::var_os(variable).unwrap_or_else(|| {
        panic!(
            "{variable} is not set, and this test needs what it names. Run the test with the \
             services around it: cargo xtask services cargo test -p outbox-codegen"
        )
    })
}
