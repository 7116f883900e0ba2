//! What an operator watches with: the metrics as promtool reads them, the alerts with their own tests, the dashboard. promtool
//! comes from Debian's package `prometheus`; without it the tests fail by name, unless `SKIP` holds `promtool`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use catchall::clock;
use catchall::http::{HttpContext, serve};
use catchall::observe::metrics::{self, Metric, MetricType};
use catchall::observe::{ActorKind, ActorState, Observe, RefreshResult, UsualRate};
use catchall::provider::ByteBudget;
use chrono::TimeDelta;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const ALERTS: &str = "deploy/prometheus/alerts.yml";
const ALERTS_TEST: &str = "deploy/prometheus/alerts_test.yml";
const DASHBOARD: &str = "deploy/grafana/catchall.json";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `None` when it is to be skipped.
fn promtool() -> Option<PathBuf> {
    if std::env::var("SKIP").is_ok_and(|skip| skip.split(',').any(|name| name.trim() == "promtool")) {
        eprintln!("SKIPPED: everything that needs promtool, since SKIP holds `promtool`");
        return None;
    }
    if let Some(path) = std::env::var_os("CATCHALL_PROMTOOL") {
        return Some(PathBuf::from(path));
    }
    let cached = root().join(".cache/promtool/promtool");
    Some(if cached.exists() { cached } else { PathBuf::from("promtool") })
}

/// What promtool says of it; it has to be content.
fn content(promtool: &Path, arguments: &[&str], input: &str) -> String {
    let (succeeded, said) = ask(promtool, arguments, input);
    assert!(succeeded, "promtool {}:\n{said}", arguments.join(" "));
    said
}

fn ask(promtool: &Path, arguments: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(promtool)
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("promtool: {error}; `make test` brings it, CATCHALL_PROMTOOL names another, SKIP=promtool leaves it out")
        });
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (output.status.success(), said)
}

/// Something of everything that can be shown.
fn busy() -> Observe {
    let (observe, now) = (Observe::default(), clock::now());
    for name in ["demo", "a \"quoted\" \\ one"] {
        let ems = observe.ems(name);
        ems.events.fetch_add(2, Relaxed);
        ems.committed(&[now - TimeDelta::seconds(2), now - TimeDelta::seconds(400)], now);
        ems.learned(UsualRate::learn(&[(now - TimeDelta::hours(2), 60.0)], now), None);
        ems.polled(now);
        ems.filtered("ping", 1);
        ems.refreshed(now - TimeDelta::seconds(31), 1, now);
        ems.refresh_ended("targeted", RefreshResult::Done);
        ems.drifted("vms", 1);
        ems.acted("handler", "done", 1);
        for kind in [ActorKind::EventCatcher, ActorKind::Stream, ActorKind::Parser, ActorKind::RefreshWorker]
        {
            let actor = observe.actor(kind, Some(name));
            actor.started();
            actor.set_failed_state(ActorState::BackingOff, "no route");
            actor.mailbox_wait.record(Duration::from_millis(1));
        }
    }
    observe.actor(ActorKind::EventHandler, None).set_state(ActorState::Running);
    observe.commit().record(Duration::from_millis(20), 7);
    observe.rule_fired("tell us", "done");
    observe.webhook_sent("chat", "received");
    observe.purged("event_streams", 1);
    observe.set_byte_budget(ByteBudget::new(1 << 20));
    observe.web().answered("/", Duration::from_millis(3));
    observe
}

/// Everything that is shown, over HTTP.
async fn scraped() -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = serve("127.0.0.1:0".parse().unwrap(), HttpContext::new(busy(), None)).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("http://{}/metrics", server.addr)).send().await.unwrap();
    let text = answer.text().await.unwrap();
    server.stop().await;
    text
}

#[tokio::test]
async fn promtool_has_nothing_to_say_against_what_is_scraped() {
    let Some(promtool) = promtool() else { return };
    let text = scraped().await;
    for metric in metrics::ALL {
        assert!(text.contains(&format!("# TYPE {} ", metric.name)), "{} is not scraped", metric.name);
    }
    assert_eq!(content(&promtool, &["check", "metrics"], &text), "");
    let broken = text.replacen("# TYPE catchall_gaps_total counter", "# TYPE catchall_gaps_total gauge", 1);
    assert!(!ask(&promtool, &["check", "metrics"], &broken).0, "promtool would say if it had");
}

#[test]
fn each_alert_is_well_formed_and_its_own_test_sees_it_fire() {
    let Some(promtool) = promtool() else { return };
    content(&promtool, &["check", "rules", "--lint=all", "--lint-fatal", ALERTS], "");
    content(&promtool, &["test", "rules", ALERTS_TEST], "");
    let tests = read(ALERTS_TEST);
    for (name, rule) in alerts() {
        assert!(
            tests.contains(&format!("alertname=\"{name}\",alertstate=\"firing\"")),
            "{name} fires in no test"
        );
        for annotation in ["summary", "description"] {
            assert!(
                rule["annotations"][annotation].as_str().is_some_and(|text| text.len() > 20),
                "{name}: {annotation}"
            );
        }
        assert!(["critical", "warning"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
    }
}

#[test]
fn an_alert_that_would_never_fire_fails_its_test() {
    let Some(promtool) = promtool() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("alerts_test.yml"), read(ALERTS_TEST)).unwrap();
    let test = folder.path().join("alerts_test.yml");
    for (threshold, never) in [
        ("catchall_event_catcher_down_seconds > 120", "catchall_event_catcher_down_seconds > 1e12"),
        ("catchall_silence_ratio > 20", "catchall_silence_ratio > 1e12"),
        ("increase(catchall_gaps_total[15m]) > 0", "increase(catchall_gaps_total[15m]) > 1e12"),
    ] {
        let alerts = read(ALERTS);
        assert!(alerts.contains(threshold), "{threshold}");
        std::fs::write(folder.path().join("alerts.yml"), alerts.replace(threshold, never)).unwrap();
        assert!(!ask(&promtool, &["test", "rules", test.to_str().unwrap()], "").0, "{never}");
    }
}

/// Every alert by its name, with its rule.
fn alerts() -> Vec<(String, Value)> {
    let rules: Value = serde_yaml::from_str(&read(ALERTS)).unwrap();
    let rules = rules["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap().clone());
    let alerts: Vec<_> = rules.filter_map(|rule| Some((rule["alert"].as_str()?.to_owned(), rule))).collect();
    assert!(alerts.len() > 10, "{}", alerts.len());
    alerts
}

/// Every expression below `value` that stands under `key`.
fn expressions(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| match value {
            Value::String(text) if key == "expr" => into.push(text.clone()),
            other => expressions(other, into),
        }),
        Value::Array(all) => all.iter().for_each(|value| expressions(value, into)),
        _ => {}
    }
}

/// As a series of it is called.
fn series_of(metric: &Metric) -> Vec<String> {
    let suffixes: &[&str] = match metric.metric_type {
        MetricType::Counter | MetricType::Gauge => &[""],
        MetricType::Summary => &["_sum", "_count"],
        MetricType::Histogram => &["_bucket", "_sum", "_count"],
    };
    suffixes.iter().map(|suffix| format!("{}{suffix}", metric.name)).collect()
}

/// Names in `expression` that look like ours and are no series.
fn unknown_series(expression: &str, known: &BTreeSet<String>) -> Vec<String> {
    let outside_quotes = expression.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    let words = outside_quotes.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let ours = words.filter(|word| word.contains("catchall_") || word.starts_with("process_"));
    ours.filter(|word| !known.contains(*word)).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_the_alerts_and_the_page_name_only_metrics_that_there_are() {
    let mut known: BTreeSet<String> = metrics::ALL.iter().flat_map(series_of).collect();
    let rules: Value = serde_yaml::from_str(&read(ALERTS)).unwrap();
    let recorded =
        rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    known.extend(recorded.filter_map(|rule| rule["record"].as_str()).map(str::to_owned));
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let mut all = Vec::new();
    expressions(&rules, &mut all);
    expressions(&dashboard, &mut all);
    let page = read("docs/metrics.md");
    let watched = page.split("## What to watch").nth(1).unwrap().split("\n## ").next().unwrap();
    all.extend(
        watched
            .lines()
            .filter(|line| line.starts_with("| "))
            .filter_map(|line| Some(line.split('`').nth(1)?.to_owned())),
    );
    assert!(all.len() > 80, "only {} expressions were found", all.len());
    let unknown: Vec<_> = all.iter().flat_map(|expression| unknown_series(expression, &known)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(unknown_series("rate(catchall_event_total[5m])", &known), ["catchall_event_total"]);
}

#[test]
fn each_expression_of_the_dashboard_and_of_the_page_is_understood_by_promtool() {
    let Some(promtool) = promtool() else { return };
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let mut all = Vec::new();
    expressions(&dashboard, &mut all);
    let page = read("docs/metrics.md");
    let watched = page.split("## What to watch").nth(1).unwrap().split("\n## ").next().unwrap();
    all.extend(
        watched
            .lines()
            .filter(|line| line.starts_with("| "))
            .filter_map(|line| Some(line.split('`').nth(1)?.to_owned())),
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("expressions.yml");
    let rules: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(number, expression)| {
            let expression = expression.replace("$__rate_interval", "5m").replace("$ems", ".*");
            assert!(!expression.contains('$'), "an unknown variable: {expression}");
            serde_json::json!({"record": format!("expression:{number}"), "expr": expression})
        })
        .collect();
    let check = |rules: &[Value]| {
        let text = serde_json::json!({"groups": [{"name": "expressions", "rules": rules}]}).to_string();
        std::fs::write(&file, text).unwrap();
        ask(&promtool, &["check", "rules", file.to_str().unwrap()], "")
    };
    let (succeeded, said) = check(&rules);
    assert!(succeeded && said.contains(&format!("{} rules found", all.len())), "{said}");
    assert!(
        !check(&[serde_json::json!({"record": "expression:0", "expr": "rate(catchall_events_total)"})]).0
    );
}

#[test]
fn the_dashboard_asks_for_a_data_source_and_each_panel_says_what_it_shows() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 38);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!(
        variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["datasource", "ems"]
    );
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty());
        if panel["type"] != "row" {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{}", panel["title"]);
        }
    }
    assert!(ids.len() > 30);
}
