//! A folder of schemas, and the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use outbox_codegen::schemas::{self, Difference, Error, Snapshot};
use outbox_runtime::{Event, EventInfo, RegistryInfo};

/// A folder of schemas in a temporary folder of its own.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// The folder of the schemas.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("schemas")
    }

    /// The folder around it.
    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn generate(&self, events: &[EventInfo]) {
        schemas::generate(&snapshot(events), &self.path()).expect("written");
        assert_eq!(self.check(events), Ok(Vec::new()));
    }

    pub(crate) fn check(&self, events: &[EventInfo]) -> Result<Vec<Difference>, Error> {
        schemas::check(&snapshot(events), &self.path())
    }

    /// What was released by this.
    pub(crate) fn release(&self) -> Vec<String> {
        schemas::release(&self.path(), &[]).expect("released")
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).expect("a file")
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path().join(file), text).expect("written");
    }

    /// Every file, by its path below the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.path()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push(path),
                }
            }
        }
        let below = |path: PathBuf| {
            let below = path.strip_prefix(self.path()).expect("below");
            below.to_str().expect("text").to_owned()
        };
        let mut files: Vec<String> = files.into_iter().map(below).collect();
        files.sort();
        files
    }

    /// Runs `outbox schemas COMMAND...` in the folder around: the exit code, and what it printed.
    pub(crate) fn outbox(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outbox"));
        command.current_dir(self.root()).arg("schemas").args(arguments);
        let Output { status, stdout, stderr } = command.output().expect("the command runs");
        let text = [stdout, stderr].concat();
        (status.code(), String::from_utf8(text).expect("text"))
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.current_dir(self.root());
        // Whoever runs the tests may have no name, or sign their commits.
        for setting in ["user.name=Tests", "user.email=tests@example.com", "commit.gpgsign=false"] {
            command.args(["-c", setting]);
        }
        let output = command.args(arguments).output().expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

pub(crate) fn snapshot(events: &[EventInfo]) -> Snapshot {
    Snapshot::of(&RegistryInfo::new("Shop", events.to_vec(), Vec::new()))
}

pub(crate) fn event<E: Event>() -> Vec<EventInfo> {
    vec![EventInfo::of::<E>()]
}

/// Types of one event as it changes.
pub(crate) mod order {
    use outbox_runtime::Event;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    macro_rules! stages {
        ($($stage:ident { $($field:tt)* })*) => {$(
            pub(crate) mod $stage {
                use super::*;
                #[derive(Event, Serialize, Deserialize, JsonSchema)]
                #[event(name = "order.placed")]
                pub(crate) struct OrderPlaced { $($field)* }
            }
        )*};
    }

    stages! {
        first { total: i64 }
        documented {
            /// In cents.
            total: i64
        }
        with_note { total: i64, note: Option<String> }
        with_coupon { total: i64, coupon: Option<u32> }
        with_currency { total: i64, currency: String }
    }

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "stock/item:counted")]
    pub(crate) struct Counted {
        count: u32,
    }
}
