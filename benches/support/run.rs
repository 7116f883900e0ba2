//! The real `catchall run` as a process.

use crate::places::Place;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What Linux counts processor time in, on every architecture that is in use.
const TICKS_PER_SECOND: f64 = 100.0;

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

    /// Seconds of processor time that it took so far, its kernel time included.
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub fn processor_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        // The name, which may hold anything, ends with the last parenthesis; utime and stime are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = fields.iter().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        ticks / TICKS_PER_SECOND
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
