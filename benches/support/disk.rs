//! What the disk itself does meanwhile: a small write and its fsync, again and again, beside whatever is measured.

use std::io::{Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two writes.
const EVERY: Duration = Duration::from_millis(20);
/// What is written: one page.
const PAGE: [u8; 4096] = [7; 4096];

/// A thread that writes to a file of its own until it is asked what it saw.
pub struct DiskProbe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<(Instant, Duration)>>,
}

impl DiskProbe {
    /// Begins, on the disk of `folder`.
    pub fn start(folder: &Path) -> Self {
        let mut file = std::fs::File::create(folder.join("disk-probe")).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while !stopped.load(Relaxed) {
                let begun = Instant::now();
                file.rewind().unwrap();
                file.write_all(&PAGE).unwrap();
                file.sync_data().unwrap();
                seen.push((begun, begun.elapsed()));
                std::thread::sleep(EVERY);
            }
            seen
        });
        Self { stop, thread }
    }

    /// When each write began, and how long it took until it was on the disk.
    pub fn finish(self) -> Vec<(Instant, Duration)> {
        self.stop.store(true, Relaxed);
        self.thread.join().unwrap()
    }
}
