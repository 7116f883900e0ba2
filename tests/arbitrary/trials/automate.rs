//! The files of an automate domain → a switchboard, or the file and line that is wrong.
//!
//! What must hold: no panic, an answer in bounded time, the same one each time; and whatever was loaded, an event's calls
//! can be told, with how it came to them.

use catchall::switchboard::{Call, Switchboard};
use std::borrow::Cow;

/// Event types that are asked for beside those that the files name.
const ASKED: [&str; 4] = ["vm.start", "vm.stop", ".missing", "a/b?c=d&e"];
/// More calls than any class has fields; `inherits` and relations do not multiply them.
const MOST_CALLS: usize = 10_000;

/// Files, each behind a NUL: its path, a line feed, its text. Those that every domain needs are there if they are not given.
pub fn hold(data: &[u8]) {
    let files = files(data);
    let loaded = Switchboard::load(files.clone(), &[]);
    let again = Switchboard::load(files.clone(), &[]);
    match (loaded, again) {
        (Ok((switchboard, warnings)), Ok((_, same))) => {
            let told = |warnings: &[_]| warnings.iter().map(ToString::to_string).collect::<Vec<String>>();
            assert_eq!(told(&warnings), told(&same), "one domain, one answer");
            ask(&switchboard, &files);
        }
        (Err(error), Err(same)) => {
            assert_eq!(error.to_string(), same.to_string(), "one domain, one answer");
            assert!(!error.to_string().is_empty());
        }
        (one, other) => panic!("{:?} and then {:?}", one.err(), other.err()),
    }
}

fn files(data: &[u8]) -> Vec<(String, Cow<'static, [u8]>)> {
    let file = |part: &[u8]| {
        let (path, text) = part.split_at(part.iter().position(|byte| *byte == b'\n')?);
        let path = String::from_utf8_lossy(path).into_owned();
        Some((path, Cow::Owned(text.get(1..).unwrap_or_default().to_vec())))
    };
    let mut files: Vec<_> = data.split(|byte| *byte == 0).filter_map(file).collect();
    for (path, text) in [
        (
            "__domain__.yaml",
            "object_type: domain\nversion: 1.0\nobject:\n  attributes:\n    name: D\n    enabled: true\n",
        ),
        ("System/Event/EmsEvent/CLOUD.class/__class__.yaml", CLASS),
    ] {
        if files.iter().all(|(known, _)| known != path) {
            files.push((path.to_owned(), Cow::Borrowed(text.as_bytes())));
        }
    }
    files
}

const CLASS: &str = "object_type: class
version: 1.0
object:
  attributes: {name: CLOUD}
  schema:
  - field: {name: rel1, aetype: relationship, datatype: string, priority: 1}
  - field: {name: rel2, aetype: relationship, datatype: string, priority: 2}
";

fn ask(switchboard: &Switchboard, files: &[(String, Cow<'static, [u8]>)]) {
    let named = files.iter().filter_map(|(path, _)| path.rsplit('/').next()?.strip_suffix(".yaml"));
    for event_type in ASKED.into_iter().chain(named.take(20)) {
        for (namespace, source) in
            [("EmsEvent", "CLOUD"), ("MiqEvent", "POLICY"), ("EmsEvent", "AWESOME_CLOUD")]
        {
            let calls: Vec<Call> = switchboard.evaluate_in(namespace, source, event_type);
            assert!(calls.len() <= MOST_CALLS, "{} calls", calls.len());
            let explained = switchboard.explain_in(namespace, source, event_type);
            assert_eq!(explained.calls, calls, "what is told is what is done");
        }
    }
    assert!(switchboard.domains().len() <= 1);
}
