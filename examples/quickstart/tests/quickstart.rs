//! Runs the built program as a newcomer does, and compares its report with what is in the files,
//! counted here by other means.

mod folder;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use outbox_runtime::Postgres;
use outbox_runtime::testing::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;

use folder::Expected;

/// A database of a test's own, and the arguments that name it.
struct Target {
    arguments: [String; 2],
    directory: TempDir,
    // Dropped last, which removes the database.
    _postgres: Option<TestDatabase<Postgres>>,
}

impl Target {
    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // A folder that does not exist yet is made.
        let file = directory.path().join("new/quickstart.db");
        let arguments = ["--database".to_owned(), file.to_str().unwrap().to_owned()];
        Self { arguments, directory, _postgres: None }
    }

    async fn postgres() -> Self {
        let database = TestDatabase::<Postgres>::create().await;
        let database = database.expect("run `cargo xtask test`, or set DATABASE_URL");
        let arguments = ["--database-url".to_owned(), database.url().to_owned()];
        let directory = tempfile::tempdir().unwrap();
        Self { arguments, directory, _postgres: Some(database) }
    }

    fn command(&self, arguments: &[&OsStr]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
        command.args(&self.arguments).args(arguments).current_dir(self.directory.path());
        command
    }

    /// Runs to the end and returns the JSON report.
    fn run(&self, folder: &Path) -> Value {
        let arguments = ["--json".as_ref(), "--from".as_ref(), folder.as_os_str()];
        let output = self.command(&arguments).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts a run and waits until its consumers are at work.
    fn start(&self, folder: &Path) -> Child {
        let mut command = self.command(&["--from".as_ref(), folder.as_os_str()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let at_work = lines
            .by_ref()
            .map(Result::unwrap)
            .any(|line| line.contains(" delivered") && !line.contains(" 0 delivered"));
        assert!(at_work, "it ended before it delivered anything");
        // Read on, so that the program never waits for a reader.
        std::thread::spawn(move || lines.count());
        child
    }
}

fn text(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("webhooks")
}

fn real_webhooks() -> PathBuf {
    let folder = std::env::var_os("OUTBOX_TEST_WEBHOOKS");
    folder.map(PathBuf::from).expect(
        "run `cargo xtask test`, or set OUTBOX_TEST_WEBHOOKS to the folder that \
         `cargo xtask webhooks` prints",
    )
}

#[test]
fn a_second_run_on_the_samples_finds_nothing_new() {
    let target = Target::sqlite();
    let expected = Expected::of(&samples());
    expected.check_only_run(&target.run(&samples()));

    let second = target.run(&samples());
    expected.check_all_runs(&second);
    assert_eq!(second["ingested"]["stored"], 0);
    assert_eq!(second["ingested"]["known"], expected.webhooks);
    for consumer in second["consumers"].as_array().unwrap() {
        assert_eq!(consumer["this_run"]["delivered"], 0, "{consumer}");
    }
}

#[test]
fn without_arguments_the_report_is_for_people() {
    let target = Target::sqlite();
    for (run, expected) in [(1, "41 new, 0 stored before"), (2, "nothing new: 41 were stored")] {
        let output = target.command(&[]).output().unwrap();
        let text = text(&output);
        assert!(output.status.success(), "run {run}: {text}");
        let star = "search.index: star of tidepool/harbor, after 3 attempts";
        for part in [expected, star, "Every event has reached every consumer"] {
            assert!(text.contains(part), "run {run}: no {part:?} in {text}");
        }
    }
}

#[test]
fn broken_files_are_named_and_concern_no_other_on_sqlite() {
    broken_files(&Target::sqlite());
}

#[tokio::test]
async fn broken_files_are_named_and_concern_no_other_on_postgres() {
    broken_files(&Target::postgres().await);
}

fn broken_files(target: &Target) {
    let folder = tempfile::tempdir().unwrap();
    let reasons = folder::write_broken(folder.path());
    let report = target.run(folder.path());

    let skipped = report["ingested"]["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), reasons.len(), "{skipped:#?}");
    for (skipped, (file, reason)) in skipped.iter().zip(&reasons) {
        assert_eq!(skipped["file"], *file);
        assert!(skipped["reason"].as_str().unwrap().contains(reason), "{skipped}");
    }
    let counts = json!([
        {"repository": "(none)", "kind": "deep", "webhooks": 1},
        {"repository": "(none)", "kind": "unknown", "webhooks": 1},
        {"repository": "a/b", "kind": "ping", "webhooks": 1},
    ]);
    assert_eq!(folder::sorted_counts(&report), *counts.as_array().unwrap());
    assert_eq!(report["dead_letters"], json!([]));
}

#[test]
fn real_webhooks_reach_every_consumer_on_sqlite() {
    real(&Target::sqlite());
}

#[tokio::test]
async fn real_webhooks_reach_every_consumer_on_postgres() {
    real(&Target::postgres().await);
}

fn real(target: &Target) {
    let folder = real_webhooks();
    let expected = Expected::of(&folder);
    assert_eq!(expected.webhooks, 329);
    expected.check_only_run(&target.run(&folder));
}

#[test]
fn a_killed_run_is_continued_exactly_on_sqlite() {
    killed(&Target::sqlite());
}

#[tokio::test]
async fn a_killed_run_is_continued_exactly_on_postgres() {
    killed(&Target::postgres().await);
}

fn killed(target: &Target) {
    let folder = tempfile::tempdir().unwrap();
    folder::write_many(folder.path(), 2_000);
    let expected = Expected::of(folder.path());

    let mut child = target.start(folder.path());
    // On Unix this is SIGKILL: nothing in the process runs any more.
    child.kill().unwrap();
    child.wait().unwrap();

    let report = target.run(folder.path());
    let known = report["ingested"]["known"].as_u64().unwrap();
    assert!(0 < known && known < 2_000, "killed too early or too late: {known} were stored");
    expected.check_all_runs(&report);
}

#[test]
fn ctrl_c_stops_gracefully_and_the_next_run_continues() {
    let target = Target::sqlite();
    let folder = tempfile::tempdir().unwrap();
    folder::write_many(folder.path(), 1_000);
    let child = target.start(folder.path());
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());

    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    assert!(text(&output).contains("Interrupted. Nothing is lost"), "{}", text(&output));
    Expected::of(folder.path()).check_all_runs(&target.run(folder.path()));
}

#[test]
fn what_cannot_work_is_an_error_that_says_so() {
    let target = Target::sqlite();
    let empty = tempfile::tempdir().unwrap();
    let cases: [(&[&OsStr], &str); 3] = [
        (&["--from".as_ref(), "no-such-folder".as_ref()], "cannot read the folder no-such-folder"),
        (&["--from".as_ref(), empty.path().as_os_str()], "there are no files in"),
        (&["--database-url".as_ref(), "x".as_ref()], "cannot be used with"),
    ];
    for (arguments, expected) in cases {
        let output = target.command(arguments).output().unwrap();
        assert!(!output.status.success());
        assert!(text(&output).contains(expected), "{}", text(&output));
    }
}
