//! Where committed schemas are read from: a folder, or a commit of its repository.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::Error;

/// A folder of schemas as it is now, or as it was at a commit.
#[derive(Debug)]
pub(super) enum Source {
    Folder(PathBuf),
    Commit { shown: String, files: HashMap<PathBuf, String> },
}

impl Source {
    pub(super) fn folder(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }

    /// The folder as it was at a revision of its git repository.
    pub(super) fn commit(revision: &str, folder: &Path) -> Result<Self, Error> {
        let shown = format!("{} at {revision}", folder.display());
        let git = Git { folder: existing(folder) };
        let below = git.line(&["rev-parse", "--show-prefix"])?;
        let rest = folder.strip_prefix(git.folder).unwrap_or(Path::new(""));
        let prefix = Path::new(&below).join(rest);
        // (`--end-of-options`, so that a revision is never taken for an option.)
        let commit = format!("{revision}^{{commit}}");
        let commit = git.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]);
        let commit = commit.map_err(|_| {
            Error::new(format!(
                "`{revision}` is neither a folder nor a revision that this git repository has (a \
                 shallow clone has few: fetch it first)"
            ))
        })?;
        let files = git.files(&commit, &prefix)?;
        Ok(Self::Commit { shown, files })
    }

    /// A file below the folder; none if it does not exist.
    pub(super) fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        match self {
            Self::Commit { files, .. } => Ok(files.get(path).cloned()),
            Self::Folder(folder) => {
                let path = folder.join(path);
                match std::fs::read_to_string(&path) {
                    Ok(text) => Ok(Some(text)),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(Error::io(&path, &error)),
                }
            }
        }
    }

    /// A file's name for messages.
    pub(super) fn shown(&self, path: &Path) -> String {
        match self {
            Self::Folder(folder) => folder.join(path).display().to_string(),
            Self::Commit { shown, .. } => format!("{} ({shown})", path.display()),
        }
    }
}

/// The nearest folder that exists: the one of the schemas may be gone today.
fn existing(folder: &Path) -> &Path {
    let found = folder.ancestors().find(|ancestor| ancestor.is_dir());
    found.filter(|found| !found.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

struct Git<'a> {
    folder: &'a Path,
}

impl Git<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(self.folder).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<String, Error> {
        let output = self.command(arguments).output();
        let output = output.map_err(|error| Error::new(format!("git cannot be run: {error}")))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(Error::new(format!("git {}: {}", arguments.join(" "), why.trim())));
        }
        String::from_utf8(output.stdout).map_err(|_| Error::new("git printed what is no text"))
    }

    fn line(&self, arguments: &[&str]) -> Result<String, Error> {
        self.run(arguments).map(|text| text.trim_end().to_owned())
    }

    /// Every file below a folder of the repository, at a commit, by its path below that folder.
    fn files(&self, commit: &str, prefix: &Path) -> Result<HashMap<PathBuf, String>, Error> {
        let below = prefix.to_string_lossy();
        let below = match below.trim_end_matches('/') {
            "" => String::new(),
            below => format!("{below}/"),
        };
        let mut list = vec!["ls-tree", "-r", "-z", "--full-tree", commit];
        if !below.is_empty() {
            list.extend(["--", &below]);
        }
        let listed = self.run(&list)?;
        let mut blobs = Vec::new();
        for line in listed.split_terminator('\0') {
            // `100644 blob <id>\t<path>`
            let Some((meta, path)) = line.split_once('\t') else { continue };
            let mut words = meta.split(' ').skip(1);
            if let (Some("blob"), Some(id)) = (words.next(), words.next()) {
                let path = path.strip_prefix(&below).unwrap_or(path);
                blobs.push((id.to_owned(), PathBuf::from(path)));
            }
        }
        self.contents(blobs)
    }

    /// The contents of blobs, from one process.
    fn contents(&self, blobs: Vec<(String, PathBuf)>) -> Result<HashMap<PathBuf, String>, Error> {
        let failed = |what: &str| Error::new(format!("git cat-file: {what}"));
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&error.to_string()))?;
        let mut input = child.stdin.take().ok_or_else(|| failed("no input"))?;
        let ids: String = blobs.iter().map(|(id, _)| format!("{id}\n")).collect();
        let writer = std::thread::spawn(move || input.write_all(ids.as_bytes()));
        let mut output = Vec::new();
        let mut stdout = child.stdout.take().ok_or_else(|| failed("no output"))?;
        stdout.read_to_end(&mut output).map_err(|error| failed(&error.to_string()))?;
        let _ = writer.join();
        let _ = child.wait();
        let mut rest = output.as_slice();
        let mut files = HashMap::with_capacity(blobs.len());
        for (_, path) in blobs {
            // `<id> blob <bytes>\n<contents>\n`
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (head, after) = rest.split_at(end.ok_or_else(|| failed("it ended early"))?);
            let bytes = std::str::from_utf8(head).ok().and_then(|head| head.rsplit(' ').next());
            let bytes = bytes.and_then(|bytes| bytes.parse::<usize>().ok());
            let bytes = bytes.ok_or_else(|| failed("a line that is not understood"))?;
            let contents = after.get(1..=bytes).ok_or_else(|| failed("it ended early"))?;
            rest = after.get(bytes + 2..).unwrap_or_default();
            // What is no text is no schema.
            if let Ok(text) = String::from_utf8(contents.to_vec()) {
                files.insert(path, text);
            }
        }
        Ok(files)
    }
}
