//! From a status to what is said of it.

use super::*;
use crate::http::pipeline::status::GapStatus;
use chrono::TimeZone;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

fn well() -> EmsStatus {
    EmsStatus {
        id: Some(1),
        name: "it's one".to_owned(),
        class_name: String::new(),
        state: "running".into(),
        error: None,
        last_event_on: Some(now() - TimeDelta::seconds(3)),
        last_poll_on: Some(now() - TimeDelta::seconds(1)),
        lag_seconds: Some(1.0),
        events_total: 7,
        events_per_second: 0.1,
        events_of_minutes: Vec::new(),
        usual_events_per_second: Some(0.1),
        silence_ratio: Some(0.3),
        restarts: 0,
        in_flight: 0,
        waiting_work: 0,
        refresh_state: Some("running".into()),
        last_refresh_on: None,
        last_refresh_error: None,
        dead_letters: 0,
        gaps: 0,
        last_gap: None,
    }
}

/// Severity, and all that is said.
fn said(ems: &EmsStatus) -> (Severity, String) {
    let troubles = troubles(ems, now());
    let words: Vec<_> =
        troubles.iter().map(|trouble| format!("{} {}", trouble.what, trouble.advice)).collect();
    (severity(ems, &troubles), words.join("\n"))
}

#[test]
fn who_is_well_has_nothing_said_of_it_and_who_is_off_is_no_trouble() {
    assert_eq!(said(&well()), (Severity::Well, String::new()));
    for state in ["paused", "not_enabled", "elsewhere"] {
        let off = EmsStatus { state: state.into(), last_poll_on: None, silence_ratio: Some(9e9), ..well() };
        assert_eq!(said(&off), (Severity::Off, String::new()));
    }
}

#[test]
fn a_state_is_told_with_its_error_and_with_what_to_do() {
    for (state, severity, advice) in [
        ("backing_off", Severity::Down, "check --connect"),
        ("refused", Severity::Down, "SIGHUP"),
        ("waiting_for_vmdb", Severity::Down, "nothing is lost"),
        ("throttled", Severity::Late, "`poll`"),
    ] {
        let (found, words) =
            said(&EmsStatus { state: state.into(), error: Some("401 <no>".into()), ..well() });
        assert!(
            found == severity && words.starts_with("401 <no> ") && words.contains(advice),
            "{state}: {words}"
        );
    }
    let (severity, words) = said(&EmsStatus { state: "stopped".into(), ..well() });
    assert!(severity == Severity::Down && words.contains(r"`catchall ems restart 'it'\''s one'`"), "{words}");
}

#[test]
fn a_silence_is_told_when_it_is_unusual_for_this_ems_and_not_else() {
    let silent = |ratio| EmsStatus {
        last_event_on: Some(now() - TimeDelta::minutes(42)),
        silence_ratio: Some(ratio),
        ..well()
    };
    assert_eq!(said(&silent(9.0)).0, Severity::Well);
    let (severity, words) = said(&silent(37.2));
    assert_eq!(severity, Severity::Late);
    assert!(
        words.starts_with("No event for 42 min; at these hours it usually sends 37 in that time."),
        "{words}"
    );
    let busy_a_moment_ago = EmsStatus { silence_ratio: Some(50.0), ..well() };
    assert_eq!(said(&busy_a_moment_ago).0, Severity::Well, "a pause of seconds is none");
}

#[test]
fn what_is_past_stands_behind_what_is_now() {
    let last_gap = GapStatus { from: None, to: None, reason: "history_lost".into(), noticed_on: now() };
    let past = EmsStatus { dead_letters: 2, gaps: 1, last_gap: Some(last_gap), restarts: 1, ..well() };
    assert_eq!(said(&past).0, Severity::Past);
    let now_and_past = EmsStatus { lag_seconds: Some(3600.0), ..past };
    let (severity, words) = said(&now_and_past);
    assert_eq!((severity, words.lines().count()), (Severity::Late, 4));
    assert!(words.starts_with("The latest event was 60 min old when it was stored."), "{words}");
}

#[test]
fn a_provider_that_stopped_answering_is_down_whatever_its_state_says() {
    let (severity, words) = said(&EmsStatus { last_poll_on: Some(now() - TimeDelta::minutes(6)), ..well() });
    assert!(severity == Severity::Down && words.contains("has not answered for 6 min"), "{words}");
}
