//! `catchall parse`: native events on stdin, what Catchall makes of them on stdout, one JSON line each. No VMDB, no network.
//!
//! It says what an event would do, whatever `ems_refresh` says: targets and calls, filtered events' too.

use crate::event_catcher::prepare::{check, parse_native, targets};
use crate::provider::{EmsEvent, NativeEvent, ParseError, Parsed, ParsedEvent, Provider, Target};
use crate::settings::EventNameFilter;
use crate::switchboard::{Call, Switchboard};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

/// One line of the answer; its keys are public (see the interface).
#[derive(Serialize, Default)]
struct Line<'a> {
    event: Option<&'a EmsEvent>,
    event_uid: Option<&'a str>,
    filtered: bool,
    targets: Vec<TargetLine>,
    actions: Vec<Call>,
    error: Option<String>,
}

#[derive(Serialize)]
struct TargetLine {
    association: String,
    manager_ref: BTreeMap<String, serde_json::Value>,
}

#[derive(Serialize)]
struct Lines<'a> {
    events: Vec<Line<'a>>,
}

impl From<Target> for TargetLine {
    fn from(target: Target) -> Self {
        Self { association: target.association, manager_ref: target.manager_ref }
    }
}

/// Answers each line of `input` with one line of `output`. `Ok(false)`: at least one could not be parsed.
///
/// # Errors
/// When `input` cannot be read or `output` not be written.
pub fn run(
    provider: &dyn Provider,
    blacklist: &EventNameFilter,
    switchboard: &Switchboard,
    mut input: impl BufRead,
    mut output: impl Write,
) -> io::Result<bool> {
    let teller = Teller { provider, blacklist, switchboard };
    let mut all_parsed = true;
    let mut bytes = Vec::new();
    while input.read_until(b'\n', &mut bytes)? > 0 {
        all_parsed &= teller.answer(&native(&bytes), &mut output)?;
        bytes.clear();
    }
    output.flush()?;
    Ok(all_parsed)
}

/// The native event of one input line.
fn native(line: &[u8]) -> NativeEvent {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(text) => NativeEvent::new(text),
        Err(error) => NativeEvent {
            text: String::from_utf8_lossy(line).into_owned(),
            defect: Some(format!("is no UTF-8 from byte {} on", error.valid_up_to() + 1)),
            ..NativeEvent::default()
        },
    }
}

struct Teller<'a> {
    provider: &'a dyn Provider,
    blacklist: &'a EventNameFilter,
    switchboard: &'a Switchboard,
}

impl Teller<'_> {
    fn answer(&self, native: &NativeEvent, output: &mut impl Write) -> io::Result<bool> {
        match parse_native(self.provider, native) {
            Ok(Parsed::Events(events)) if events.len() > 1 => {
                let lines = Lines { events: events.iter().map(|event| self.line(event)).collect() };
                write_line(output, &lines)?;
                Ok(lines.events.iter().all(|line| line.error.is_none()))
            }
            Ok(Parsed::Events(events)) if !events.is_empty() => {
                let line = self.line(&events[0]);
                write_line(output, &line)?;
                Ok(line.error.is_none())
            }
            Ok(Parsed::Events(_) | Parsed::Filtered(_)) => {
                write_line(output, &Line { filtered: true, ..Line::default() })?;
                Ok(true)
            }
            Err(ParseError(reason)) => {
                let filtered = native.defect.is_none() && holds_no_json(&native.text);
                write_line(output, &Line { filtered, error: Some(reason), ..Line::default() })?;
                Ok(false)
            }
        }
    }

    fn line<'e>(&self, parsed: &'e ParsedEvent) -> Line<'e> {
        let event = &parsed.event;
        let targets = check(parsed).and_then(|()| targets(self.provider, parsed));
        let (targets, error) = match targets {
            Ok(targets) => (targets, None),
            Err(ParseError(reason)) => (Vec::new(), Some(reason)),
        };
        Line {
            event: Some(event),
            event_uid: Some(&parsed.event_uid),
            filtered: self.blacklist.matches(&event.event_type),
            targets: targets.into_iter().map(TargetLine::from).collect(),
            actions: self.switchboard.evaluate(&event.source, &event.event_type),
            error,
        }
    }
}

fn write_line(output: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}

/// Whether the message itself is no JSON: it is filtered (no event of anybody's) and a dead letter besides. A message in an
/// envelope (SQS's `Body`, SNS's `Message`) or in quotes is looked at, not what is around it.
fn holds_no_json(text: &str) -> bool {
    // A raw value takes all that is JSON by its grammar, also what no reader takes, such as half a surrogate pair.
    if serde_json::from_str::<&serde_json::value::RawValue>(text).is_err() {
        return true;
    }
    match serde_json::from_str(text) {
        Ok(serde_json::Value::String(inner)) => holds_no_json(&inner),
        Ok(serde_json::Value::Object(envelope)) => {
            let inner =
                envelope.get("Body").or_else(|| envelope.get("Message")).and_then(|inner| inner.as_str());
            inner.is_some_and(holds_no_json)
        }
        _ => false,
    }
}
