//! A PostgreSQL of the proof's own, which it may crash: found, made, started, stopped, started again.
//!
//! It waits for the disk (`fsync` is on, as is its default). As root it runs as somebody else, since PostgreSQL refuses root.

use super::error::ProveError;
use super::process::Process;
use super::schedule::Manner;
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server.
pub struct Postgres {
    programs: PathBuf,
    user: Option<User>,
    folder: PathBuf,
    port: u16,
    server: Option<Process>,
}

/// Whom it runs as in place of root.
#[derive(Clone)]
struct User {
    id: u32,
    group: u32,
}

impl Postgres {
    /// Makes a server in `folder`, which must not be there yet, and starts it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`ProveError::Unable`] when there is no PostgreSQL, or it does not work here.
    pub async fn start(folder: &Path) -> Result<Self, ProveError> {
        let unable = |error: std::io::Error| ProveError::unable(&folder.display().to_string(), error);
        std::fs::create_dir(folder).map_err(unable)?;
        let user = instead_of_root()?;
        if let Some(user) = &user {
            std::os::unix::fs::chown(folder, Some(user.id), Some(user.group)).map_err(unable)?;
        }
        let programs = programs(user.as_ref(), folder).ok_or_else(|| {
            ProveError::Unable(
                "neither CATCHALL_PG_BIN, PATH nor /usr/lib/postgresql has a PostgreSQL that starts; install one, \
                 or prove with `--vmdb sqlite`"
                    .to_owned(),
            )
        })?;
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.map_err(|error| ProveError::unable("no free port for PostgreSQL", error))?.port();
        let mut this = Self { programs, user, folder: folder.to_owned(), port, server: None };
        this.make().await?;
        this.begin().await?;
        Ok(this)
    }

    /// `vmdb.url`; it asks for no password, and only this machine can reach it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Takes it away. It does not come back before [`Self::begin`].
    ///
    /// # Errors
    /// [`ProveError::Unable`] when it does not end.
    pub async fn end(&mut self, manner: Manner) -> Result<(), ProveError> {
        let Some(server) = &mut self.server else { return Ok(()) };
        server.signal(if manner == Manner::Crash { Signal::QUIT } else { Signal::INT });
        let ended = server.wait(PATIENCE).await;
        self.server = None;
        ended.map(drop).ok_or_else(|| self.failed("did not stop"))
    }

    /// Starts it, and waits until it takes connections.
    ///
    /// # Errors
    /// [`ProveError::Unable`] when it does not.
    pub async fn begin(&mut self) -> Result<(), ProveError> {
        let mut command = self.command("postgres");
        command.args(["-D", "data", "-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories=", "-c", "max_connections=100"]);
        let mut server = Process::start(&mut command, &self.log())?;
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            if server.ended().is_some() || Instant::now() > deadline {
                return Err(self.failed("did not start"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.server = Some(server);
        Ok(())
    }

    async fn make(&self) -> Result<(), ProveError> {
        let mut command = self.command("initdb");
        command.args([
            "-D",
            "data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        let made = Process::start(&mut command, &self.log())?.wait(PATIENCE).await;
        match made.is_some_and(|status| status.success()) {
            true => Ok(()),
            false => Err(self.failed("initdb failed")),
        }
    }

    /// Its pid file says so, in its last line.
    fn is_ready(&self) -> bool {
        let lock = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        lock.lines().any(|line| line.starts_with("ready"))
    }

    fn log(&self) -> PathBuf {
        self.folder.with_extension("log")
    }

    fn failed(&self, what: &str) -> ProveError {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let end: Vec<&str> = log.lines().rev().take(5).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        ProveError::unable(&format!("the proof's own PostgreSQL {what}"), end.join("; "))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = as_user(self.user.as_ref(), &self.programs.join(program));
        command.current_dir(&self.folder).env("HOME", &self.folder);
        command
    }
}

impl Drop for Postgres {
    /// A stop in order leaves no shared memory behind; the process is killed if it takes long.
    fn drop(&mut self) {
        let Some(server) = &mut self.server else { return };
        server.signal(Signal::INT);
        for _ in 0..500 {
            if server.ended().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn as_user(user: Option<&User>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &user.id.to_string(), "--regid", &user.group.to_string(), "--clear-groups"]);
    command.arg("--").arg(program);
    command
}

/// `None` for whoever is not root.
fn instead_of_root() -> Result<Option<User>, ProveError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let number = |flag: &str, name: &str| -> Option<u32> {
        let output = Command::new("id").args([flag, name]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let user = ["postgres", "nobody"]
        .iter()
        .find_map(|name| Some(User { id: number("-u", name)?, group: number("-g", name)? }));
    user.map(Some).ok_or_else(|| {
        ProveError::Unable(
            "PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as; run the \
             proof as another user"
                .to_owned(),
        )
    })
}

/// The folder of the first PostgreSQL whose programs start.
fn programs(user: Option<&User>, folder: &Path) -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> =
        std::env::var_os("CATCHALL_PG_BIN").map(PathBuf::from).into_iter().collect();
    candidates.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<PathBuf> = installed.map(|version| version.path().join("bin")).collect();
    installed.sort();
    candidates.extend(installed.into_iter().rev());
    candidates.into_iter().filter(|bin| bin.join("postgres").exists()).find(|bin| {
        let mut trial = as_user(user, &bin.join("initdb"));
        trial.arg("--version").current_dir(folder).output().is_ok_and(|out| out.status.success())
    })
}
