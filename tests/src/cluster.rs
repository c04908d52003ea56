//! A Postgres server of a test's own, to be killed, filled up and restarted.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use crate::wait;

/// A throw-away cluster. Its server ends, and its files go, with this or with the process.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    folder: PathBuf,
    /// Whom to run the server as, where this process is root: Postgres refuses that.
    account: Option<(u32, u32)>,
    password: String,
    port: u16,
    postmaster: Option<Child>,
    /// Ends the server when this process ends, however it does.
    guard: Child,
}

/// One for all clusters of a process, so that connections can be led from one to another.
static PASSWORD: OnceLock<String> = OnceLock::new();

/// Where a cluster's transaction ids begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// As in every new cluster.
    Low,
    /// Higher than those of any cluster that was not told so.
    High,
}

/// Waits for the end of its input, then stops the server in the folder and removes it.
const GUARD: &str = r#"
trap '' HUP INT TERM
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
umount "$1/small" 2>/dev/null
rm -rf "$1"
"#;

impl Cluster {
    /// Makes a cluster and starts its server.
    ///
    /// # Panics
    ///
    /// When it cannot be done; the message says what is missing.
    pub async fn start() -> Self {
        Self::start_with(Ids::Low).await
    }

    /// Makes a cluster whose transaction ids begin somewhere, and starts its server.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn start_with(ids: Ids) -> Self {
        let bin = std::env::var_os("OUTBOX_TEST_PG_BIN").map(PathBuf::from).expect(
            "set OUTBOX_TEST_PG_BIN to the directory of Postgres' programs (`cargo xtask services` \
             does): this test needs a server of its own, which it breaks",
        );
        let account = account();
        // As another user only /tmp is sure to be reachable, and a socket's path must be short.
        let folder = PathBuf::from(format!("/tmp/outbox-{}", uuid::Uuid::now_v7().simple()));
        fs::create_dir(&folder).expect("a temporary folder");
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("a folder of one's own");
        own(&folder, account);
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the guard of the server");
        let password = PASSWORD.get_or_init(|| uuid::Uuid::now_v7().simple().to_string()).clone();
        let (port, postmaster) = (0, None);
        let mut cluster = Self { bin, folder, account, password, port, postmaster, guard };
        cluster.init();
        if ids == Ids::High {
            let data = cluster.folder.join("data");
            cluster.run("pg_resetwal", |command| command.arg("--epoch=3").arg(data));
        }
        cluster.serve().await;
        cluster
    }

    fn init(&mut self) {
        let password = self.folder.join("password");
        fs::write(&password, &self.password).expect("a file with the password");
        own(&password, self.account);
        let data = self.folder.join("data");
        let mut initdb = self.command("initdb");
        initdb.arg("--pgdata").arg(&data).arg("--pwfile").arg(&password);
        initdb.args(["--username=postgres", "--auth-host=scram-sha-256", "--auth-local=trust"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--no-sync"]);
        let output = initdb.output().expect("initdb starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::remove_file(&password).expect("the file with the password");
        self.port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let mut settings = fs::read_to_string(data.join("postgresql.conf")).expect("settings");
        // The processes die, not the machine: what was written to the files is not lost with
        // them, so it need not wait for the disk.
        let _ = write!(
            settings,
            "\nport = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\n\
             fsync = off\nmax_connections = 80\nshared_buffers = 16MB\n",
            self.port,
            self.folder.display()
        );
        fs::write(data.join("postgresql.conf"), settings).expect("settings");
    }

    /// Starts the server, and waits until it accepts connections.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn serve(&mut self) {
        let log = fs::OpenOptions::new().append(true).create(true).open(self.folder.join("log"));
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(self.folder.join("data"));
        postgres.stdout(Stdio::null()).stderr(log.expect("a file for the server's messages"));
        // Away from the terminal's Ctrl-C: the guard ends it.
        self.postmaster = Some(postgres.process_group(0).spawn().expect("the server starts"));
        let options = self.options();
        wait::until("the server to accept connections", || async {
            match PgConnection::connect_with(&options).await {
                Ok(connection) => connection.close().await.is_ok(),
                Err(_) => false,
            }
        })
        .await;
    }

    /// `kill -9` of the server and of all its processes.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut postmaster = self.postmaster.take().expect("a running server");
        let children = children(postmaster.id());
        postmaster.kill().expect("the server is killed");
        for child in children {
            // Some notice the end of the postmaster first.
            let _ = Command::new("kill")
                .args(["-9", &child.to_string()])
                .stderr(Stdio::null())
                .status();
        }
        postmaster.wait().expect("the server's end");
    }

    /// The superuser's address.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The superuser's address of one of the databases.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Copies a database of this cluster into a new one of another cluster, as people do.
    ///
    /// # Panics
    ///
    /// When `pg_dump` or `psql` fail.
    pub fn dump_into(&self, other: &Self, database: &str) {
        let file = self.folder.join("dump.sql");
        other.run("createdb", |command| command.args(["--maintenance-db", &other.url(), database]));
        self.run("pg_dump", |command| {
            command.arg("--dbname").arg(self.url_of(database)).arg("--file").arg(&file)
        });
        // The other one reads it as the same user.
        other.run("psql", |command| {
            command.args(["--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--dbname"]);
            command.arg(other.url_of(database)).arg("--file").arg(&file)
        });
    }

    fn run(&self, program: &str, with: impl FnOnce(&mut Command) -> &mut Command) {
        let mut command = self.command(program);
        let output = with(&mut command).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {}: {said}", output.status);
    }

    fn options(&self) -> PgConnectOptions {
        self.url().parse().expect("an address")
    }

    /// A pool that does not wait long for a server that is not there.
    #[must_use]
    pub fn pool(&self, url: &str) -> PgPool {
        let options: PgConnectOptions = url.parse().expect("an address");
        PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(2))
            .connect_lazy_with(options)
    }

    /// A file system of so many MiB in the cluster's folder, which the server may write to.
    ///
    /// # Panics
    ///
    /// When it cannot be mounted.
    #[must_use]
    pub fn small_disk(&self, size_mib: u32) -> PathBuf {
        let place = self.folder.join("small");
        fs::create_dir(&place).expect("a place to mount it");
        let mut options = format!("size={size_mib}m,mode=0700");
        if let Some((uid, gid)) = self.account {
            let _ = write!(options, ",uid={uid},gid={gid}");
        }
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&place)
            .status()
            .expect("mount starts");
        assert!(
            mounted.success(),
            "cannot mount a tmpfs: a test of full disks needs root, and in a container the right \
             to mount (CAP_SYS_ADMIN)"
        );
        let folder = place.join("tablespace");
        fs::create_dir(&folder).expect("a folder on it");
        own(&folder, self.account);
        folder
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").current_dir(&self.folder);
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        if let Some(mut postmaster) = self.postmaster.take() {
            // The guard tells it to stop; it has to be waited for here, or it would stay a zombie.
            let _ = postmaster.wait();
        }
        let _ = self.guard.wait();
    }
}

/// The ids of a process's children.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // After the name in parentheses: the state, and the parent.
        let parent_of = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1));
        parent_of.and_then(|id| id.parse().ok()) == Some(parent)
    })
    .collect()
}

/// Postgres refuses to run as root: the account to run it as.
fn account() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let find = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).map_while(|id| id.parse().ok());
        Some((ids.next()?, ids.next()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user `postgres` or `nobody`"))
}

fn own(path: &Path, account: Option<(u32, u32)>) {
    if let Some((uid, gid)) = account {
        chown(path, Some(uid), Some(gid)).expect("a path of the server's own");
    }
}
