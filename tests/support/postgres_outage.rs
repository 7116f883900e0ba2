//! Takes a test's own PostgreSQL away and brings it back, as a crash and a restart do.

use super::postgres::{Server, unprivileged};
use super::process::eventually;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The server of a URL, found by the data folder that it names.
pub struct Outage {
    folder: PathBuf,
    arguments: Vec<String>,
    pid: String,
    again: Option<Child>,
}

impl Outage {
    /// Of a running server that no other test uses.
    pub fn of(server: &Server) -> Self {
        let asked = Command::new("psql").args([server.url.as_str(), "-AtXc", "SHOW data_directory"]).output();
        let data = String::from_utf8(asked.expect("psql runs").stdout).unwrap();
        let data = PathBuf::from(data.trim());
        let lock = std::fs::read_to_string(data.join("postmaster.pid")).expect("the server's pid file");
        let pid = lock.lines().next().unwrap_or_default().to_owned();
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).expect("the server's arguments");
        let arguments = line.split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Self { folder: data.parent().unwrap().to_owned(), arguments, pid, again: None }
    }

    /// An immediate stop: all connections break, nothing is tidied up.
    pub fn begin(&self) {
        let sent = Command::new("kill").args(["-QUIT", &self.pid]).status().expect("kill runs");
        assert!(sent.success(), "kill -QUIT {}", self.pid);
        let lock = self.folder.join("data/postmaster.pid");
        eventually(
            "PostgreSQL is gone",
            || if lock.exists() { Err("still there".to_owned()) } else { Ok(()) },
        );
    }

    /// Starts it again on the same port and data.
    pub fn end(&mut self) {
        let mut command = unprivileged();
        command.args(&self.arguments).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.again = Some(command.spawn().expect("PostgreSQL starts again"));
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        if let Some(again) = &mut self.again {
            let _ = Command::new("kill").args(["-QUIT", &again.id().to_string()]).status();
            let _ = again.wait();
        }
    }
}
