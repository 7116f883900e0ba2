//! Runs the real binary in a folder of its own, signals it, kills it, and asks what became of it.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A `catchall` process; killed when it is dropped.
pub struct Catchall {
    child: Child,
    log: PathBuf,
}

/// A command of the binary under test, in `folder`, without this machine's settings.
pub fn catchall(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catchall"));
    command.current_dir(folder).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

impl Catchall {
    /// Starts it; its log is appended to a file in `folder` named after the first argument.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(folder, arguments, &[])
    }

    /// The same with more in its environment.
    pub fn start_with(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = catchall(folder);
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(folder, arguments[0], command)
    }

    /// Starts this command, which becomes the binary; its log is appended to `NAME.log` in `folder`.
    pub fn spawn(folder: &Path, name: &str, mut command: Command) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = OpenOptions::new().create(true).append(true).open(&log).expect("the log file opens");
        command.stderr(file).stdout(Stdio::null());
        Self { child: command.spawn().expect("the binary starts"), log }
    }

    /// Sends a signal, such as `HUP`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &pid]).status().expect("kill runs");
        assert!(sent.success(), "kill -{signal} {pid}");
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process can be waited for");
    }

    /// SIGTERM, and waits for its end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait(Duration::from_secs(20))
    }

    /// Waits for its end.
    pub fn wait(&mut self, at_most: Duration) -> ExitStatus {
        let deadline = Instant::now() + at_most;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the process did not end within {at_most:?}; its log:\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process can be waited for")
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        let mut text = String::new();
        File::open(&self.log)
            .and_then(|mut file| file.read_to_string(&mut text))
            .expect("the log can be read");
        text
    }

    /// Waits until it logged `words`.
    pub fn logs(&self, words: &str) {
        eventually(&format!("the log says {words:?}"), || {
            self.log().contains(words).then_some(()).ok_or_else(|| self.log())
        });
    }

    /// The address of its HTTP server, once it said so.
    pub fn address(&self) -> SocketAddr {
        eventually("the HTTP server listens", || {
            let log = self.log();
            let line =
                log.lines().rev().find(|line| line.contains("listening on http://")).ok_or(log.clone())?;
            let address = line.rsplit("http://").next().unwrap_or_default();
            address.trim().parse().map_err(|error| format!("{address}: {error}"))
        })
    }
}

impl Drop for Catchall {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tries again until it is so; after 60 s it is a failure that says what was seen last.
pub fn eventually<T>(what: &str, attempt: impl FnMut() -> Result<T, String>) -> T {
    within(Duration::from_secs(60), what, attempt)
}

/// As [`eventually`], with a limit.
pub fn within<T>(limit: Duration, what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(seen) if Instant::now() >= deadline => {
                panic!("not within {limit:?}: {what}; seen last: {seen}")
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
