//! A contestant's process, and what it says.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use outbox_contest::{Said, unsupported};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Done;

/// Whatever a contestant is asked to do takes less time than this; what takes longer hangs.
const LONGEST: Duration = Duration::from_mins(15);

/// A running contestant; it is killed on drop.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(super) fn start(program: &Path, arguments: &[String]) -> Result<Self> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let output = child.stdout.take().context("its output")?;
        let input = child.stdin.take();
        Ok(Self { child, input, output: BufReader::new(output).lines() })
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&mut self) -> Result<()> {
        match self.hear().await? {
            Said::Ready => Ok(()),
            other => bail!("it was to get ready, and said {other:?}"),
        }
    }

    /// Tells it to begin.
    pub(crate) async fn go(&mut self) -> Result<()> {
        let input = self.input.as_mut().context("it has been told to end")?;
        Ok(input.write_all(b"go\n").await?)
    }

    /// Closes its input: the end of a task that has none of its own, and for a worker the news that the
    /// emitter has ended.
    pub(crate) fn stop(&mut self) {
        self.input = None;
    }

    /// Waits for the end of a task.
    pub(crate) async fn done(&mut self) -> Result<Done> {
        loop {
            match self.hear().await? {
                Said::Done { count, first, peak_kib } => {
                    return Ok(Done { count, first, peak_kib });
                }
                Said::Handled(_) | Said::Ready | Said::Reads { .. } | Said::Unsupported(_) => {}
            }
        }
    }

    /// After a task that was to time its reads: their median and their 99th percentile.
    pub(crate) async fn reads(&mut self) -> Result<(Duration, Duration)> {
        match self.hear().await? {
            Said::Reads { p50, p99 } => Ok((Duration::from_nanos(p50), Duration::from_nanos(p99))),
            other => bail!("it was to say how long reads took, and said {other:?}"),
        }
    }

    /// Waits for the end of a task, and of the process.
    pub(crate) async fn finish(mut self) -> Result<Done> {
        let done = self.done().await?;
        self.gone().await?;
        Ok(done)
    }

    /// Waits for the end of the process, and so of its connections.
    pub(crate) async fn gone(mut self) -> Result<()> {
        self.stop();
        let status = tokio::time::timeout(LONGEST, self.child.wait()).await.context("hangs")??;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    /// Ends it wherever it is.
    pub(crate) async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The next thing that it says. That it cannot do what it was asked is an error, of the type
    /// [`Unsupported`](outbox_contest::Unsupported).
    pub(crate) async fn hear(&mut self) -> Result<Said> {
        let line = tokio::time::timeout(LONGEST, self.output.next_line()).await;
        let line = line.context("it has said nothing for too long")??;
        let line = line.context("it ended without a word; its error is above")?;
        match serde_json::from_str(&line) {
            Ok(Said::Unsupported(why)) => Err(unsupported(why)),
            Ok(said) => Ok(said),
            Err(error) => Err(error).with_context(|| format!("not a word of the contest: {line}")),
        }
    }

    /// How much time it has spent on processors, in seconds.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let id = self.child.id().context("it has ended")?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name in parentheses may have spaces; `utime` and `stime` are the 14th and 15th field of
        // the whole, in hundredths of a second (proc_pid_stat(5); USER_HZ is 100 on Linux).
        let (_, rest) = stat.rsplit_once(") ").context("a line of /proc/PID/stat")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks = |field: usize| -> Result<f64> {
            Ok(fields.get(field - 3).context("a field of /proc/PID/stat")?.parse()?)
        };
        Ok((ticks(14)? + ticks(15)?) / 100.0)
    }
}
