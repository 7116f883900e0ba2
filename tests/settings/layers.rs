//! Which layer wins, and what is filled in.

use super::Desk;
use catchall::cli::check;
use catchall::settings::Settings;
use std::time::Duration;

fn poll(settings: &Settings, name: &str) -> Duration {
    ems(settings, name).catcher.poll
}

fn ems<'a>(settings: &'a Settings, name: &str) -> &'a catchall::settings::EmsSettings {
    settings.ext_management_systems.iter().find(|ems| ems.name == name).expect("this EMS")
}

const DEMO: &str = "ext_management_systems: [{name: demo, type: awesome_cloud}]\n";

#[test]
fn without_any_file_the_defaults_hold_and_say_so() {
    let settings = Desk::new().settings();
    assert_eq!(settings.vmdb.url.expose(), "sqlite://catchall.db");
    assert_eq!(settings.vmdb.schema, "catchall");
    assert_eq!(settings.http.listen, "127.0.0.1:8484".parse().ok());
    assert_eq!(settings.keep_events, Duration::from_secs(6 * 2_629_746));
    assert!(settings.ext_management_systems.is_empty());
    assert_eq!(
        settings.notices,
        ["no settings.yml in the working directory and no --settings: only defaults"]
    );
}

#[test]
fn a_provider_beats_the_core_and_a_file_beats_the_provider() {
    assert_eq!(poll(&Desk::with(DEMO).settings(), "demo"), Duration::from_secs(15));
    let own = format!(
        "{DEMO}workers: {{worker_base: {{event_catcher: {{event_catcher_awesome_cloud: {{poll: 2}}}}}}}}\n"
    );
    assert_eq!(poll(&Desk::with(&own).settings(), "demo"), Duration::from_secs(2));
}

#[test]
fn event_catcher_type_beats_defaults_key_by_key() {
    let desk = Desk::with(DEMO).file(
        "more.yml",
        "workers: {worker_base: {event_catcher: {defaults: {poll: 3.seconds, ems_event_page_size: 7}}}}",
    );
    let settings = desk.settings_option("more.yml").settings();
    assert_eq!(poll(&settings, "demo"), Duration::from_secs(15));
    assert_eq!(ems(&settings, "demo").catcher.ems_event_page_size, 7);
}

#[test]
fn each_settings_option_beats_the_one_before_and_a_folder_is_read_in_order() {
    let desk = Desk::with("vmdb: {schema: first}\n")
        .file("a.yml", "vmdb: {schema: second}\nhttp: {listen: 127.0.0.1:1}")
        .file("conf/20-last.yml", "vmdb: {schema: last}")
        .file("conf/10-before.yml", "vmdb: {schema: before}")
        .file("conf/ignored.txt", "vmdb: {schema: ignored}")
        .settings_option("a.yml");
    assert_eq!(desk.settings().vmdb.schema, "second");
    let settings = desk.settings_option("conf").settings();
    assert_eq!(settings.vmdb.schema, "last");
    assert_eq!(settings.http.listen, "127.0.0.1:1".parse().ok());
}

#[test]
fn an_empty_folder_is_told_and_a_missing_file_is_an_error() {
    let desk = Desk::with("").file("conf/readme.txt", "").settings_option("conf");
    assert_eq!(desk.settings().notices, ["conf: the folder holds no *.yml"]);
    let errors = Desk::new().settings_option("nowhere.yml").errors();
    assert_eq!(
        errors,
        "nowhere.yml: cannot be read: No such file or directory (os error 2); check the path given with --settings"
    );
}

#[test]
fn emss_merge_by_name_and_other_lists_are_replaced() {
    let desk = Desk::with(
        "ems: {ems_awesome_cloud: {blacklisted_event_names: [a, b]}}
ext_management_systems:
  - {name: one, type: awesome_cloud, zone: east, endpoints: {default: {url: 'http://one', verify_ssl: no}}}
  - {name: two, type: awesome_cloud}
",
    )
    .file(
        "more.yml",
        "ems: {ems_awesome_cloud: {blacklisted_event_names: [c]}}
ext_management_systems:
  - {name: three, type: awesome_cloud}
  - {name: one, zone: west, endpoints: {default: {url: 'https://uno'}}}
",
    )
    .settings_option("more.yml");
    let settings = desk.settings();
    let names: Vec<&str> = settings.ext_management_systems.iter().map(|ems| ems.name.as_str()).collect();
    assert_eq!(names, ["one", "two", "three"]);
    let one = ems(&settings, "one");
    assert_eq!(one.zone, "west");
    assert_eq!(one.endpoints["default"].url.as_deref(), Some("https://uno"));
    assert!(!one.endpoints["default"].verify_ssl, "the lower layer's key stays");
    assert!(one.blacklisted_event_names.matches("c"));
    assert!(!one.blacklisted_event_names.matches("a"), "lists replace");
    assert!(!one.blacklisted_event_names.matches("vm.ignored"), "lists replace the provider's too");
}

#[test]
fn a_key_with_nothing_behind_it_overrides_nothing() {
    let settings = Desk::with(&format!("{DEMO}vmdb:\nhttp:\n  listen:\nems_refresh:\n")).settings();
    assert_eq!(settings.http.listen, "127.0.0.1:8484".parse().ok());
}

#[test]
fn the_environment_beats_everything() {
    let desk = Desk::with(
        "ext_management_systems: [{name: demo cloud, type: awesome_cloud, authentications: {default: {password: x}}}]",
    )
    .variable("CATCHALL__VMDB__SCHEMA", "from_environment")
    .variable("CATCHALL__HTTP__LISTEN", "off")
    .variable("CATCHALL__WORKERS__WORKER_BASE__EVENT_CATCHER__EVENT_CATCHER_AWESOME_CLOUD__POLL", "0.5.seconds")
    .variable("CATCHALL__EMS__EMS_AWESOME_CLOUD__BLACKLISTED_EVENT_NAMES", "[x, /^y/]")
    .variable("CATCHALL__EXT_MANAGEMENT_SYSTEMS__DEMO_CLOUD__ENABLED", "no")
    .variable("CATCHALL__EXT_MANAGEMENT_SYSTEMS__DEMO_CLOUD__AUTHENTICATIONS__DEFAULT__PASSWORD", "[0: {#")
    .variable("CATCHALL_TOKEN", "not a setting");
    let settings = desk.settings();
    assert_eq!(settings.vmdb.schema, "from_environment");
    assert_eq!(settings.http.listen, None);
    let demo = ems(&settings, "demo cloud");
    assert_eq!(demo.catcher.poll, Duration::from_millis(500));
    assert!(demo.blacklisted_event_names.matches("yes") && demo.blacklisted_event_names.matches("x"));
    assert!(!demo.enabled);
    let password = demo.authentications["default"].password.as_ref().map(|password| password.expose());
    assert_eq!(password, Some("[0: {#"), "a secret is taken as it is");
}

#[test]
fn what_is_wrong_in_the_environment_names_the_variable() {
    let desk = Desk::with(DEMO)
        .variable("CATCHALL__HTTP__LISEN", "off")
        .variable("CATCHALL__EXT_MANAGEMENT_SYSTEMS__OTHER__ZONE", "x")
        .variable("CATCHALL__HTTP__", "x")
        .variable("CATCHALL__EMS_REFRESH__REFRESH_INTERVAL", "soon");
    assert_eq!(
        desk.errors(),
        "environment variable CATCHALL__EXT_MANAGEMENT_SYSTEMS__OTHER__ZONE: ext_management_systems: there is no EMS \
         OTHER; known: DEMO
environment variable CATCHALL__HTTP__: names no key; wanted CATCHALL__SECTION__KEY, such as CATCHALL__HTTP__LISTEN
environment variable CATCHALL__EMS_REFRESH__REFRESH_INTERVAL: ems_refresh.refresh_interval: \"soon\" was found; wanted \
         a duration, such as 15.seconds, 10.minutes, 24.hours, 6.months or a plain number of seconds
environment variable CATCHALL__HTTP__LISEN: http.lisen: there is no such key; did you mean listen?"
    );
}

#[test]
fn references_are_filled_in_after_parsing() {
    let desk = Desk::with(
        "vmdb: {schema: '${SCHEMA:-fallback}'}
http: {listen: '${HOST}:${PORT:-99}', token: '${file:secrets/token}'}
ext_management_systems:
  - name: $${not} replaced
    type: awesome_cloud
    zone: '${TRICK}'
    endpoints: {default: {hostname: x, port: '${PORT:-99}', verify_ssl: '${VERIFY:-no}'}}
",
    )
    .file("secrets/token", "line one\n")
    .variable("SCHEMA", "")
    .variable("HOST", "127.0.0.1")
    .variable("TRICK", "}\nvmdb: {schema: injected}");
    let settings = desk.settings();
    assert_eq!(settings.vmdb.schema, "fallback");
    assert_eq!(settings.http.listen, "127.0.0.1:99".parse().ok());
    assert_eq!(settings.http.token.as_ref().map(|token| token.expose()), Some("line one"));
    let ems = &settings.ext_management_systems[0];
    assert_eq!(ems.name, "${not} replaced");
    assert_eq!(ems.zone, "}\nvmdb: {schema: injected}");
    assert_eq!(ems.endpoints["default"].port, Some(99));
    assert!(!ems.endpoints["default"].verify_ssl);
}

#[test]
fn merge_keys_and_anchors_work() {
    let settings = Desk::with(
        "ext_management_systems:
  - &one {name: one, type: awesome_cloud, zone: east}
  - {<<: *one, name: two}
  - {<<: [{zone: north}, *one], name: three}
",
    )
    .settings();
    let zones: Vec<&str> = settings.ext_management_systems.iter().map(|ems| ems.zone.as_str()).collect();
    assert_eq!(zones, ["east", "east", "north"]);
}

#[test]
fn the_merged_settings_are_printed_with_the_origin_of_each_value() {
    let desk = Desk::with("vmdb:\n  schema: mine\n")
        .file(
            "more.yml",
            "ext_management_systems:\n  - name: demo\n    type: :awesome_cloud\n    enabled: yes\n",
        )
        .settings_option("more.yml")
        .variable("CATCHALL__HTTP__LISTEN", "off");
    let loaded = desk.load().expect("good settings");
    let text = check::print(&loaded.merged);
    let line = |key: &str| text.lines().find(|line| line.trim_start().starts_with(key)).unwrap_or_default();
    assert_eq!(
        line("schema:"),
        "  schema: mine                                              # settings.yml:2"
    );
    assert_eq!(
        line("listen:"),
        "  listen: \"off\"                                             # environment variable CATCHALL__HTTP__LISTEN"
    );
    assert_eq!(line("- name:"), "  - name: demo                                              # more.yml:2");
    assert!(
        text.contains("    enabled: \"yes\"                                          # more.yml:4\n"),
        "{text}"
    );
    assert!(line("event_catcher_awesome_cloud:").ends_with("event_catcher_awesome_cloud:"));
    assert!(text.contains("# awesome_cloud defaults:17"), "{text}");
    serde_yaml::from_str::<serde_yaml::Value>(&text).expect("what is printed is YAML");
}

#[test]
fn a_thousand_emss_load_at_once() {
    let emss: String = (0..1_000)
        .map(|n| format!("  - {{name: ems {n}, type: awesome_cloud, settings: {{ems_refresh: {{refresh_interval: {n}}}}}}}\n"))
        .collect();
    let desk = Desk::with(&format!("ext_management_systems:\n{emss}"));
    let started = std::time::Instant::now();
    let settings = desk.settings();
    assert_eq!(settings.ext_management_systems.len(), 1_000);
    assert!(started.elapsed() < Duration::from_secs(20), "took {:?}", started.elapsed());
}
