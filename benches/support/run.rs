//! The real `catchall run` as a process.

use crate::places::Place;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A `catchall run`; killed when it is dropped.
pub struct Run {
    process: Child,
    log: PathBuf,
}

impl Run {
    /// Starts it in the place's folder with these settings.
    pub fn start(place: &Place, settings: &str) -> Self {
        let folder = place.folder.path();
        std::fs::write(folder.join("settings.yml"), settings).unwrap();
        let log = folder.join("run.log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_catchall"));
        command.arg("run").current_dir(folder).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        Self { process: command.spawn().unwrap(), log }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// (peak, now) in KiB.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        (of("VmHWM:"), of("VmRSS:"))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
