//! What passes, what is folded, and into which row.

use super::*;

fn event(uid: &str, second: i64) -> ParsedEvent {
    let timestamp = DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap();
    let event = EmsEvent {
        event_type: "Alarm".to_owned(),
        vm_name: Some("web".to_owned()),
        timestamp,
        ..EmsEvent::default()
    };
    ParsedEvent { event_uid: uid.to_owned(), event }
}

fn judge(monitor: &mut FloodMonitor, uid: &str, second: i64) -> Option<String> {
    let event = event(uid, second);
    monitor.judge(&crate::provider::flood_key(&event.event), &event)
}

/// Judges one event at each of these seconds; the numbers of those that passed.
fn passed(monitor: &mut FloodMonitor, seconds: impl IntoIterator<Item = i64>) -> Vec<usize> {
    let judged = seconds.into_iter().enumerate();
    judged.filter(|(n, second)| judge(monitor, &n.to_string(), *second).is_none()).map(|(n, _)| n).collect()
}

#[test]
fn the_threshold_passes_and_the_rest_of_the_minute_is_folded_into_the_last_that_passed() {
    let mut monitor = FloodMonitor::new(30);
    for n in 0..30 {
        assert_eq!(judge(&mut monitor, &n.to_string(), n), None);
    }
    for n in 30..45 {
        assert_eq!(judge(&mut monitor, &n.to_string(), n).as_deref(), Some("29"));
    }
    assert_eq!(monitor.news(), [FloodNews::Begun { what: "Alarm of web".to_owned(), into: "29".to_owned() }]);
    assert_eq!(judge(&mut monitor, "late", 300), None);
    let [FloodNews::Ended { folded: 15, first, last, .. }] = &monitor.news()[..] else { panic!() };
    assert_eq!((*first, *last), (event("", 30).event.timestamp, event("", 44).event.timestamp));
    assert_eq!(judge(&mut monitor, "again", 301), None);
}

#[test]
fn a_quiet_day_that_is_read_in_a_second_is_no_flood() {
    let all = passed(&mut FloodMonitor::new(30), (0..1000).map(|n| n * 3));
    assert_eq!(all.len(), 1000, "20 a minute, whenever they are read");
}

#[test]
fn a_flood_that_lasts_has_a_row_for_each_hour() {
    let passed = passed(&mut FloodMonitor::new(30), 0..3 * 3600);
    assert_eq!(passed.len(), 30 + 2);
    let hour = 3600;
    assert_eq!(passed[30..], [29 + hour, 29 + 2 * hour]);
}

#[test]
fn one_event_dated_ahead_neither_hides_a_flood_nor_makes_one() {
    let mut monitor = FloodMonitor::new(5);
    assert_eq!(judge(&mut monitor, "ahead", 7200), None);
    let passed = passed(&mut monitor, 0..20);
    assert_eq!(passed, [0, 1, 2, 3, 4]);
}

#[test]
fn an_event_that_is_read_again_is_not_counted_again_and_judged_as_before() {
    let mut monitor = FloodMonitor::new(5);
    let first: Vec<_> = (0..8).map(|n| judge(&mut monitor, &n.to_string(), n)).collect();
    let second: Vec<_> = (0..8).map(|n| judge(&mut monitor, &n.to_string(), n)).collect();
    assert_eq!(first, second);
    assert_eq!(first.iter().filter(|into| into.is_none()).count(), 5);
    assert_eq!(first[7].as_deref(), Some("4"));
}

#[test]
fn a_flood_that_just_stops_is_told_of_after_a_quiet_round() {
    let mut monitor = FloodMonitor::new(1);
    passed(&mut monitor, [0, 1, 2]);
    assert_eq!(monitor.news().len(), 1);
    monitor.quiet();
    assert_eq!(monitor.news(), [], "it was met since");
    monitor.quiet();
    assert!(matches!(&monitor.news()[..], [FloodNews::Ended { folded: 2, .. }]));
    monitor.quiet();
    assert_eq!(monitor.news(), []);
}

#[test]
fn different_events_of_one_vm_never_fold_and_neither_do_many_kinds() {
    let mut monitor = FloodMonitor::new(1);
    for n in 0..5_000 {
        let mut event = event(&n.to_string(), 0);
        event.event.event_type = format!("kind {n}");
        assert_eq!(monitor.judge(&crate::provider::flood_key(&event.event), &event), None);
    }
    assert!(monitor.keys.values_mut().count() <= 2 * KEYS, "the memory is bounded");
}

#[test]
fn keys_that_run_together_are_not_alike() {
    assert_ne!(hash(&[Some("ab"), Some("c")]), hash(&[Some("a"), Some("bc")]));
    assert_ne!(hash(&[Some(""), None]), hash(&[None, Some("")]));
}
