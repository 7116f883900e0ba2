//! Named places on the street where a test build can be made to kill itself, as `kill -9` does, or to hang, on its nth passing.
//!
//! `CATCHALL_KILL_AT=commit.events:3` dies when that place is passed for the third time; without a number, the first time.
//! `CATCHALL_HANG_AT` is written in the same way: the thread that passes there stays, as in a deadlock.
//! The places are the library `fail`'s, and nothing at all where its feature `failpoints` is off, as it is in every
//! build but those of tests (see `[dev-dependencies]`). They never change what the code around them does.

use rustix::process::{Signal, getpid, kill_process};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

/// The environment variable that names a place.
pub const KILL_AT: &str = "CATCHALL_KILL_AT";

/// The environment variable that names a place to hang at.
pub const HANG_AT: &str = "CATCHALL_HANG_AT";

/// Every place, in the order in which an event passes.
pub const NAMES: &[&str] = &[
    "stream.read",
    "parser.begin",
    "parser.end",
    "commit.begin",
    "commit.events",
    "commit.work",
    "commit.end",
    "handler.committed",
    "stream.before-ack",
    "stream.acked",
    "queue.put",
    "queue.claimed",
    "automate.claimed",
    "automate.end",
    "automate.done",
    "webhook.posted",
    "refresh.claimed",
    "refresh.collected",
    "refresh.slice",
    "refresh.saved",
    "refresh.end",
    "refresh.done",
];

/// Where to die or to hang, and the how-manieth passing it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillAt {
    /// One of [`NAMES`].
    pub name: String,
    /// From 1.
    pub passing: u32,
}

impl FromStr for KillAt {
    type Err = String;

    /// `NAME` or `NAME:N`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, passing) = text.split_once(':').unwrap_or((text, "1"));
        let passing = passing.parse().ok().filter(|passing| *passing > 0);
        let passing = passing.ok_or_else(|| format!("{text}: after the colon stands a number from 1 on"))?;
        if !NAMES.contains(&name) {
            return Err(format!("there is no fail point {name}; there are {}", NAMES.join(", ")));
        }
        Ok(Self { name: name.to_owned(), passing })
    }
}

impl std::fmt::Display for KillAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, self.passing)
    }
}

/// Whether this build has the places.
pub const fn compiled_in() -> bool {
    fail::has_failpoints()
}

/// Heeds [`KILL_AT`] and [`HANG_AT`].
///
/// # Errors
/// When one names no place, or this build has none.
pub fn arm_from_environment() -> Result<(), String> {
    arm(KILL_AT, die)?;
    arm(HANG_AT, hang)
}

fn arm(variable: &str, there: fn()) -> Result<(), String> {
    let Ok(text) = std::env::var(variable) else { return Ok(()) };
    let at: KillAt = text.parse().map_err(|error| format!("{variable}: {error}"))?;
    if !compiled_in() {
        return Err(format!("{variable}: this build has no fail points; unset it, or use a test build"));
    }
    let left = AtomicU32::new(at.passing);
    fail::cfg_callback(at.name.as_str(), move || {
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            there();
        }
    })
}

fn die() {
    // The kernel lets no process refuse this, so there is nothing to do about an error.
    let _ = kill_process(getpid(), Signal::KILL);
}

fn hang() {
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn sources(folder: &Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_place_of_the_list_is_in_the_code_and_the_other_way_round() {
        let mut code = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
        let mut placed: Vec<&str> =
            code.split("fail::fail_point!(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        placed.retain(|name| *name != ")"); // this very line
        placed.sort_unstable();
        placed.dedup();
        let mut listed = NAMES.to_vec();
        listed.sort_unstable();
        assert_eq!(placed, listed);
    }

    #[test]
    fn a_place_is_named_with_or_without_a_passing() {
        let at = |text: &str| text.parse::<KillAt>();
        assert_eq!(at("commit.end"), Ok(KillAt { name: "commit.end".into(), passing: 1 }));
        assert_eq!(at("commit.end:7").unwrap().to_string(), "commit.end:7");
        for wrong in ["", "commit", "commit.end:0", "commit.end:x"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn test_builds_have_the_places() {
        assert!(compiled_in());
    }
}
