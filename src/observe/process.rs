//! What the operating system knows of this process: memory, start, open files. Read from `/proc` when asked; where there
//! is none, the metrics are left out.

use std::fs;

/// Linux counts process times in this many ticks a second, whatever the kernel's own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory in bytes.
pub fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// When the process started, in seconds of Unix time.
pub fn start_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The command's name stands in parentheses and may hold anything; field 22 is the 20th after it.
    let ticks: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let system = fs::read_to_string("/proc/stat").ok()?;
    let boot: f64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / TICKS_PER_SECOND)
}

/// Seconds that the process has kept cores busy, in its own code and in the system's.
pub fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
    Some(fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND)
}

/// Open file descriptors.
pub fn open_fds() -> Option<u64> {
    fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count() as u64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn this_process_has_memory_files_and_started_within_the_last_day() {
        assert!(super::resident_memory().unwrap() > 1 << 20);
        assert!(super::open_fds().unwrap() >= 3);
        let age = crate::clock::now().timestamp() as f64 - super::start_time().unwrap();
        assert!((-5.0..86_400.0).contains(&age), "{age}");
    }
}
