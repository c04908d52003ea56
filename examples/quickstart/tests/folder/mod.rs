//! Folders of webhooks, and what a report about them must say: counted from the files, without
//! the program's code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// What the files of a folder amount to.
pub(crate) struct Expected {
    pub(crate) webhooks: u64,
    counts: BTreeMap<(String, String), u64>,
    in_a_repository: u64,
    workflow_runs: u64,
    stars: u64,
    opened_issues: u64,
    published: u64,
    releases: BTreeSet<(String, String)>,
}

impl Expected {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut expected = Self {
            webhooks: 0,
            counts: BTreeMap::new(),
            in_a_repository: 0,
            workflow_runs: 0,
            stars: 0,
            opened_issues: 0,
            published: 0,
            releases: BTreeSet::new(),
        };
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let body: Value = serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
            expected.add(name.split_once('.').unwrap().0, &body);
        }
        expected
    }

    fn add(&mut self, kind: &str, body: &Value) {
        let repository = body["repository"]["full_name"].as_str();
        let action = body["action"].as_str();
        self.webhooks += 1;
        let count = (repository.unwrap_or("(none)").to_owned(), kind.to_owned());
        *self.counts.entry(count).or_default() += 1;
        self.in_a_repository += u64::from(repository.is_some());
        self.workflow_runs += u64::from(kind == "workflow_run");
        self.stars += u64::from(kind == "star");
        self.opened_issues += u64::from(kind == "issues" && action == Some("opened"));
        if kind == "release" && action == Some("published") {
            self.published += 1;
            let tag = body["release"]["tag_name"].as_str().unwrap();
            self.releases.insert((repository.unwrap().to_owned(), tag.to_owned()));
        }
    }

    /// Of a run on a new database: who got what is known exactly.
    pub(crate) fn check_only_run(&self, report: &Value) {
        self.check_all_runs(report);
        assert_eq!(report["ingested"]["stored"], self.webhooks);
        let releases = self.releases.len() as u64;
        for (name, wanted, delivered, retried, delayed) in [
            ("repository.count", self.webhooks, self.webhooks, 0, 0),
            ("feed.append", self.webhooks, self.in_a_repository, 0, 0),
            ("release.announce", self.webhooks, releases, 0, 0),
            ("chat.notify", self.webhooks, self.workflow_runs, 2 * self.workflow_runs, 0),
            (
                "search.index",
                self.webhooks - self.stars,
                self.webhooks - self.stars,
                2 * self.stars,
                0,
            ),
            ("triage.remind", self.webhooks, self.opened_issues, 0, self.opened_issues),
            ("release.post", releases, releases, 0, 0),
        ] {
            let dead = if name == "search.index" { self.stars } else { 0 };
            let expected = json!({
                "delivered": delivered,
                "skipped": wanted - delivered,
                "retried": retried,
                "delayed": delayed,
                "dead": dead,
            });
            let consumer = consumer(report, name);
            assert_eq!(consumer["this_run"], expected, "{name}");
            assert_eq!(consumer["retried"], retried, "{name}");
        }
    }

    /// After any number of runs, of which the last one came to its end.
    pub(crate) fn check_all_runs(&self, report: &Value) {
        assert_eq!(report["finished"], true);
        assert_eq!(report["ingested"]["found"], self.webhooks);
        assert_eq!(report["ingested"]["skipped"], json!([]));
        assert_eq!(report["stored"]["webhooks"], self.webhooks);
        assert_eq!(report["stored"]["feed"], self.in_a_repository);
        assert_eq!(report["stored"]["feed_out_of_order"], 0);
        assert_eq!(sorted_counts(report), self.counts());
        self.check_consumers(report);
        self.check_dead_letters(report);
        self.check_announcements(report);
    }

    fn check_consumers(&self, report: &Value) {
        assert_eq!(report["consumers"].as_array().unwrap().len(), 7);
        for consumer in report["consumers"].as_array().unwrap() {
            let (done, dead) = match consumer["name"].as_str().unwrap() {
                "search.index" => (self.webhooks - self.stars, self.stars),
                "release.post" => (self.releases.len() as u64, 0),
                _ => (self.webhooks, 0),
            };
            for (figure, expected) in [("done", done), ("dead", dead), ("lag", 0), ("pending", 0)] {
                assert_eq!(consumer[figure], expected, "{figure} of {consumer}");
            }
        }
    }

    fn check_dead_letters(&self, report: &Value) {
        let dead_letters = report["dead_letters"].as_array().unwrap();
        assert_eq!(dead_letters.len() as u64, self.stars);
        for dead in dead_letters {
            assert_eq!(
                (&dead["kind"], &dead["consumer"]),
                (&json!("star"), &json!("search.index"))
            );
            let errors = dead["errors"].as_array().unwrap();
            assert_eq!(errors.len() as u64, dead["attempts"].as_u64().unwrap());
            let message = errors[0].as_str().unwrap();
            assert!(
                message.ends_with("400 Bad Request: no mapping for the kind `star`"),
                "{message}"
            );
        }
    }

    fn check_announcements(&self, report: &Value) {
        let announcements = report["announcements"].as_array().unwrap();
        assert_eq!(announcements.len(), self.releases.len(), "{} published", self.published);
        for announcement in announcements {
            let text = |name: &str| announcement[name].as_str().unwrap().to_owned();
            assert!(self.releases.contains(&(text("repository"), text("tag"))), "{announcement}");
            assert_eq!(text("emitted_by"), "release.announce");
            assert!(text("delivery_id").starts_with("release."), "{announcement}");
        }
    }

    fn counts(&self) -> Vec<Value> {
        let count = |((repository, kind), webhooks): (&(String, String), &u64)| json!({"repository": repository, "kind": kind, "webhooks": webhooks});
        self.counts.iter().map(count).collect()
    }
}

/// The projection by repository and kind.
pub(crate) fn sorted_counts(report: &Value) -> Vec<Value> {
    let mut counts = report["counts"].as_array().unwrap().clone();
    counts.sort_by_key(|count| (count["repository"].to_string(), count["kind"].to_string()));
    counts
}

fn consumer<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut consumers = report["consumers"].as_array().unwrap().iter();
    consumers.find(|consumer| consumer["name"] == name).unwrap()
}

/// Webhooks of several kinds and repositories.
pub(crate) fn write_many(folder: &Path, count: usize) {
    for number in 0..count {
        let kinds = ["push", "issues", "pull_request", "release", "workflow_run"];
        // Few stars: each is a dead letter.
        let kind = if number % 100 == 7 { "star" } else { kinds[number % kinds.len()] };
        let action = match kind {
            "issues" if number % 4 == 0 => json!("opened"),
            "release" => json!("published"),
            "push" => Value::Null,
            _ => json!("created"),
        };
        let mut body = json!({
            "action": action,
            "release": {"tag_name": format!("v{}", number / 10)},
            "sender": {"login": "noor"},
        });
        if kind == "release" || number % 11 != 0 {
            body["repository"] = json!({"full_name": format!("tidepool/boat-{}", number % 7)});
        }
        fs::write(folder.join(format!("{kind}.{number:05}.json")), body.to_string()).unwrap();
    }
}

/// Three webhooks among files that are none; returns why each of those is not, in the order of
/// their names.
pub(crate) fn write_broken(folder: &Path) -> Vec<(&'static str, &'static str)> {
    let nested = |depth: usize| r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth);
    let padded = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes));
    let good: [(&str, &[u8]); 2] = [
        ("Not A Word.json", br#"{"exact": 9007199254740993}"#),
        ("ping.json", br#"{"repository": {"full_name": "a/b"}}"#),
    ];
    let long_name = format!(r#"{{"repository": {{"full_name": "{}"}}}}"#, "r".repeat(1025));
    let bad: [(&str, Vec<u8>, &str); 12] = [
        ("array.json", b"[1]".to_vec(), "an array"),
        ("big.json", padded(1024 * 1024).into(), "more than the limit of 1048576"),
        ("cut.json", br#"{"a": "#.to_vec(), "cannot be read as JSON"),
        ("deep.129.json", nested(129).into(), "recursion limit exceeded"),
        ("empty.json", Vec::new(), "empty"),
        ("huge.json", padded(8 * 1024 * 1024).into(), "more than the limit of 8388608"),
        ("latin1.json", b"{\"a\":\"\xe9\"}".to_vec(), "not UTF-8"),
        ("long_name.json", long_name.into(), "its key has 1025 bytes"),
        ("nul.json", br#"{"a":"\u0000"}"#.to_vec(), "NUL"),
        ("nul_name.json", br#"{"repository":{"full_name":"\u0000"}}"#.to_vec(), "NUL"),
        ("readme.txt", b"Webhooks.".to_vec(), "cannot be read as JSON"),
        ("text.json", b"\"text\"".to_vec(), "a string"),
    ];
    // As an event, this is nested 128 deep, which is allowed.
    fs::write(folder.join("deep.127.json"), nested(127)).unwrap();
    for (name, bytes) in good {
        fs::write(folder.join(name), bytes).unwrap();
    }
    for (name, bytes, _) in &bad {
        fs::write(folder.join(name), bytes).unwrap();
    }
    fs::create_dir(folder.join("subfolder.json")).unwrap();
    let mut reasons: Vec<_> = bad.iter().map(|(name, _, reason)| (*name, *reason)).collect();
    reasons.push(("subfolder.json", "a folder"));
    reasons.sort_unstable();
    reasons
}
