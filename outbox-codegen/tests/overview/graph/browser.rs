//! Chromium, as a judge of pages.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What an environment variable names.
pub(crate) fn named(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.unwrap_or_else(|| {
        panic!("{variable} is not set: run `cargo xtask services cargo test ...`")
    })
}

/// The text that a page's script puts into its element `answer`.
pub(crate) fn answer(page: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("page.html");
    std::fs::write(&file, page).expect("a file");
    let dom = dom(&file, folder.path());
    let answer =
        dom.split_once("<pre id=\"answer\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (answer, _) = answer.unwrap_or_else(|| panic!("the page has no answer: {dom}"));
    answer.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The page as it is when its scripts have run.
fn dom(file: &Path, profile: &Path) -> String {
    let output = Command::new(named("OUTBOX_TEST_CHROMIUM"))
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"])
        .arg(format!("--user-data-dir={}", profile.join("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("Chromium runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
