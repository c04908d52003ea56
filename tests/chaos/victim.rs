//! Starting, stopping, freezing and killing victims.

use std::process::Stdio;

use outbox_tests::victim::Orders;
use outbox_tests::wait;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A process that runs the consumers.
pub(crate) struct Victim {
    pub(crate) pid: u32,
    child: Child,
    /// Held apart from the child, because waiting for a child closes its input.
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Victim {
    pub(crate) fn spawn(orders: &Orders, environment: &[(&str, &str)]) -> Self {
        let orders = serde_json::to_string(orders).expect("orders as JSON");
        let mut child = Command::new(env!("CARGO_BIN_EXE_victim"))
            .arg(orders)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the victim starts");
        let pid = child.id().expect("the id of a process that has just started");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        let input = child.stdin.take();
        Self { pid, child, input, output }
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Stops the process where it stands, as a machine that is out of breath does. (The signal only
    /// begins that: until one of the threads has taken it, the others go on.)
    pub(crate) async fn freeze(&self) {
        self.signal(Signal::STOP);
        wait::until("every thread of the victim to stand still", || async { self.stands_still() })
            .await;
    }

    fn stands_still(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid)).expect("its threads");
        threads.flatten().all(|thread| {
            // `pid (name) state ...`, and the name may hold anything.
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
        })
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).expect("an id of a process");
        kill_process(pid, signal).expect("a signal to a child of ours");
    }

    /// Gives the cue for what its orders say.
    pub(crate) async fn cue(&mut self) {
        let input = self.input.as_mut().expect("an input that was not closed");
        input.write_all(b"now\n").await.expect("a victim that listens");
    }

    /// What it says next.
    pub(crate) async fn says(&mut self) -> String {
        let line = wait::for_signal("the victim to say something", self.output.next_line()).await;
        line.expect("its output").expect("a line of it")
    }

    /// Waits until it dies by itself.
    pub(crate) async fn died(&mut self) -> bool {
        let status = wait::for_signal("the victim to die", self.child.wait()).await;
        !status.expect("a status").success()
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.input.take());
        let status = wait::for_signal("the victim to stop", self.child.wait()).await;
        assert!(status.expect("a status").success(), "the victim stops gracefully");
    }
}

/// Stops all of them at once.
pub(crate) async fn stop_all(victims: Vec<Victim>) {
    futures_util::future::join_all(victims.into_iter().map(Victim::stop)).await;
}
