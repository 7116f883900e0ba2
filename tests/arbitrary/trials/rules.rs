//! Conditions (CEL), limits and messages of rules, asked about any native event.
//!
//! What must hold: no panic, not even one that is caught; the same verdict each time; and an answer within a time that
//! does not hold up the events behind it.

use catchall::rules::{AtMost, Condition, Facts, Key, Scene, Verdict, check_event_type};
use serde_json::json;
use std::time::{Duration, Instant};

/// How long one condition may take, in a build with debug assertions on a busy machine.
pub const LONGEST: Duration = Duration::from_secs(5);

/// A condition, a NUL, and the native event that it is asked about. The condition's text is tried as everything else
/// that a rule is made of, too.
pub fn hold(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (condition, full_data) = text.split_once('\0').unwrap_or((&text, "{}"));
    let facts = facts(full_data);
    verdict(condition, &facts);
    let _ = check_event_type(condition);
    if let Ok((_, Some(key))) = AtMost::read(condition) {
        assert_eq!(key.of(&facts), key.of(&facts));
    }
    let _ = Key::read_behind_duration(condition);
    if let Ok(key) = Key::read(condition) {
        assert!(key.of(&facts).len() <= 1 << 20);
    }
    let _ = facts.fill_in(condition);
}

/// What the condition says, if it is one.
pub fn verdict(condition: &str, facts: &Facts) -> Option<Verdict> {
    let condition = match Condition::new(condition) {
        Ok(condition) => condition,
        Err(reason) => {
            assert!(!reason.contains("panicked"), "{reason}");
            return None;
        }
    };
    let scene = Scene::new(facts);
    let begun = Instant::now();
    let verdict = condition.ask(&scene);
    let took = begun.elapsed();
    assert!(took < LONGEST, "took {took:?}");
    if let Verdict::Cannot(reason) = &verdict {
        assert!(!reason.contains("panicked"), "{reason}");
    }
    Some(verdict)
}

/// Of an event with a VM.
pub fn facts(full_data: &str) -> Facts {
    let section = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
    Facts {
        event: section(json!({
            "event_type": "vm.stop", "timestamp": "2026-11-24T03:00:00Z", "is_task": true, "chain_id": 7,
            "message": "stopped \u{1F600}", "group": "power", "level": "critical", "created_on": "no time",
        })),
        full_data: full_data.to_owned(),
        ems: section(json!({"id": 1, "name": "demo"})),
        vm: section(json!({"id": 2, "name": "prod-1", "template": false})),
        ..Facts::default()
    }
}
