//! Child processes of a proof: started with a log of their own, signalled, killed; none outlives its owner.
//!
//! Of which program, and why it is to end, is for others to say.

use super::error::ProveError;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often it is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(2);

/// A child; killed when it is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts `command`, whose output is appended to `log`.
    ///
    /// # Errors
    /// [`ProveError::Unable`] when it does not start.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self, ProveError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let unable = |error: std::io::Error| ProveError::unable(&format!("{program} does not start"), error);
        let file = OpenOptions::new().create(true).append(true).open(log).map_err(unable)?;
        let copy = file.try_clone().map_err(unable)?;
        let child = command.stdin(Stdio::null()).stdout(copy).stderr(file).spawn().map_err(unable)?;
        Ok(Self { child })
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        // Asking fails only for what is no child of ours.
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end, at most so long.
    pub async fn wait(&mut self, at_most: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + at_most;
        loop {
            match self.ended() {
                Some(status) => return Some(status),
                None if Instant::now() >= deadline => return None,
                None => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Sends a signal; one that has ended does not mind.
    pub fn signal(&mut self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let (None, Some(pid)) = (self.ended(), pid) {
            let _ = kill_process(pid, signal);
        }
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        // It fails for what has ended, and what was killed is gone at once.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
