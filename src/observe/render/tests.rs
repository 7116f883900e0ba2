//! Figures in, text out; and the page that documents them.

use super::*;
use crate::observe::{ActorState, RefreshResult, UsualRate};
use crate::provider::ByteBudget;
use chrono::TimeZone;
use std::collections::BTreeSet;
use std::time::Duration;

fn busy() -> Observe {
    let observe = Observe::default();
    let now = Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap();
    let ems = observe.ems("demo \"cloud\"");
    ems.events.fetch_add(7, Relaxed);
    ems.filtered("blacklisted", 2);
    ems.saw_event(now - Duration::from_secs(90), now - Duration::from_secs(88));
    ems.committed(
        &[now - Duration::from_secs(91), now - Duration::from_millis(88_030)],
        now - Duration::from_secs(88),
    );
    ems.refreshed(now - Duration::from_secs(3), 2, now);
    ems.refresh_ended("targeted", RefreshResult::Done);
    ems.drifted("vms", 4);
    ems.acted("handler", "done", 1);
    observe.rule_fired("tell \\ \"us\"", "suppressed");
    observe.webhook_sent("chat\nops", "failed");
    observe.purged("event_streams", 500);
    ems.polled(now - Duration::from_millis(1500));
    let stream = observe.actor(ActorKind::Stream, Some("demo \"cloud\""));
    for _ in 0..3 {
        stream.started();
    }
    stream.set_failed_state(ActorState::Refused, "credentials refused");
    stream.mailbox_wait.record(Duration::from_millis(250));
    observe.actor(ActorKind::Supervisor, None).set_state(ActorState::Running);
    observe.commit().record(Duration::from_millis(20), 7);
    ems.learned(UsualRate::learn(&[(now - Duration::from_secs(3600), 3600.0)], now), None);
    observe.actor(ActorKind::EventCatcher, Some("demo \"cloud\"")).set_state(ActorState::Running);
    observe.web().answered("/vms/{id}", Duration::from_millis(3));
    observe.web().set_subscribers(2);
    observe.set_byte_budget(ByteBudget::new(1 << 20));
    observe
}

fn written(format: Format) -> String {
    busy().write(format, Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap())
}

#[test]
fn every_figure_is_a_series_with_its_labels() {
    let text = written(Format::Prometheus);
    for line in [
        r#"catchall_events_total{ems="demo \"cloud\""} 7"#,
        r#"catchall_filtered_total{ems="demo \"cloud\"",reason="blacklisted"} 2"#,
        r#"catchall_refreshes_total{ems="demo \"cloud\"",kind="targeted",result="done"} 1"#,
        r#"catchall_inventory_drift_rows_total{ems="demo \"cloud\"",association="vms"} 4"#,
        r#"catchall_actions_total{ems="demo \"cloud\"",kind="handler",state="done"} 1"#,
        r#"catchall_rule_firings_total{rule="tell \\ \"us\"",state="suppressed"} 1"#,
        r#"catchall_webhooks_total{webhook="chat\nops",result="failed"} 1"#,
        r#"catchall_purged_rows_total{table="event_streams"} 500"#,
        r#"catchall_event_committed_seconds_bucket{ems="demo \"cloud\"",le="0.05"} 1"#,
        r#"catchall_event_committed_seconds_bucket{ems="demo \"cloud\"",le="2.5"} 1"#,
        r#"catchall_event_committed_seconds_bucket{ems="demo \"cloud\"",le="+Inf"} 2"#,
        r#"catchall_event_committed_seconds_sum{ems="demo \"cloud\""} 3.03"#,
        r#"catchall_event_committed_seconds_count{ems="demo \"cloud\""} 2"#,
        r#"catchall_event_refreshed_seconds_bucket{ems="demo \"cloud\"",le="2.5"} 0"#,
        r#"catchall_event_refreshed_seconds_bucket{ems="demo \"cloud\"",le="5.0"} 2"#,
        r#"catchall_lag_seconds{ems="demo \"cloud\""} 0.03"#,
        r#"catchall_last_event_age_seconds{ems="demo \"cloud\""} 88.03"#,
        r#"catchall_last_poll_age_seconds{ems="demo \"cloud\""} 1.5"#,
        r#"catchall_actor_state{actor="stream",ems="demo \"cloud\""} 5"#,
        r#"catchall_actor_state{actor="supervisor"} 2"#,
        r#"catchall_actor_restarts_total{actor="stream",ems="demo \"cloud\""} 2"#,
        r#"catchall_actor_generation{actor="stream",ems="demo \"cloud\""} 3"#,
        r#"catchall_actor_mailbox_wait_seconds_sum{actor="stream",ems="demo \"cloud\""} 0.25"#,
        r#"catchall_actor_mailbox_wait_seconds_count{actor="stream",ems="demo \"cloud\""} 1"#,
        r#"catchall_refresh_targets_total{ems="demo \"cloud\""} 2"#,
        r#"catchall_refresh_targets_in_time_total{ems="demo \"cloud\""} 2"#,
        r#"catchall_usual_events_per_second{ems="demo \"cloud\""} 1"#,
        r#"catchall_event_catcher_down_seconds{ems="demo \"cloud\""} 0"#,
        r#"catchall_http_request_seconds_bucket{route="/vms/{id}",le="0.01"} 1"#,
        "catchall_live_subscribers 2",
        r#"catchall_commit_seconds_bucket{le="0.01"} 0"#,
        r#"catchall_commit_seconds_bucket{le="0.025"} 1"#,
        "catchall_commit_seconds_sum 0.02",
        "catchall_commit_seconds_count 1",
        "catchall_commit_rows_total 7",
        "catchall_byte_budget_used_bytes 0",
        "catchall_byte_budget_total_bytes 1048576",
    ] {
        assert!(text.lines().any(|written| written == line), "{line} is missing in\n{text}");
    }
}

#[test]
fn what_never_happened_has_no_age() {
    let observe = Observe::default();
    observe.ems("new");
    let text = observe.prometheus();
    assert!(text.contains("catchall_events_total{ems=\"new\"} 0\n"));
    assert!(!text.contains("age_seconds") && !text.contains("lag_seconds"));
}

#[test]
fn every_line_is_well_formed_in_both_formats_and_each_family_is_declared_once() {
    for (format, end) in [(Format::Prometheus, None), (Format::OpenMetrics, Some("# EOF"))] {
        let text = written(format);
        assert!(text.ends_with('\n'));
        assert_eq!(text.lines().find(|line| *line == "# EOF"), end);
        let mut declared = BTreeSet::new();
        let mut family = String::new();
        for line in text.lines().filter(|line| *line != "# EOF") {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().unwrap().to_owned();
                assert!(declared.insert(family.clone()), "{family} is declared twice");
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                assert!(series.starts_with(&family), "{line} stands under {family}");
                value.parse::<f64>().unwrap();
                assert_eq!(series.contains('{'), series.ends_with('}'), "{line}");
            }
        }
    }
}

#[test]
fn every_metric_is_written_and_documented_and_none_besides() {
    let text = written(Format::Prometheus);
    let page = include_str!("../../../docs/metrics.md");
    let rows: BTreeSet<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    for metric in metrics::ALL {
        assert!(text.contains(&format!("# TYPE {} ", metric.name)), "{} is never written", metric.name);
        let labels = metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let unit = if metric.unit.is_empty() { "" } else { metric.unit };
        let row = format!(
            "| `{}` | {} | {unit} | {labels} | {} |",
            metric.name,
            metric.metric_type.label(),
            metric.help
        );
        assert!(rows.contains(&*row), "docs/metrics.md lacks this row:\n{row}");
    }
    assert_eq!(rows.len(), metrics::ALL.len(), "docs/metrics.md has a row without a metric");
    let written = text.lines().filter(|line| line.starts_with("# TYPE ")).count();
    assert_eq!(written, metrics::ALL.len(), "a metric is written that metrics::ALL does not list");
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    for metric in metrics::ALL {
        let counter = metric.metric_type == metrics::MetricType::Counter;
        assert_eq!(metric.name.ends_with("_total"), counter, "{}", metric.name);
        if !metric.unit.is_empty() {
            assert!(metric.name.ends_with(metric.unit), "{} does not end in its unit", metric.name);
        }
    }
}
