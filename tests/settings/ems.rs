//! One EMS: type, endpoints, its own settings, event groups.

use super::Desk;
use catchall::provider::InitialHistory;
use std::time::Duration;

#[test]
fn type_is_the_ems_type_or_manageiqs_class_name() {
    for name in ["awesome_cloud", "':awesome_cloud'", "'ManageIQ::Providers::AwesomeCloud::CloudManager'"] {
        let settings = Desk::with(&format!("ext_management_systems: [{{name: a, type: {name}}}]")).settings();
        assert_eq!(settings.ext_management_systems[0].provider.ems_type(), "awesome_cloud", "{name}");
    }
}

#[test]
fn everything_that_can_be_said_of_an_ems_arrives() {
    let settings = Desk::with(
        "ext_management_systems:
  - name: aws
    type: amazon
    id: 2
    zone: east
    enabled: No
    provider_region: us-east-1
    endpoints:
      default: {hostname: h, port: 443, path: /api, security_protocol: ':ssl', verify_ssl: on, queue_name: q, queues: [a, 2]}
      other: {url: 'https://x', verify_ssl: off, certificate_authority: '-----BEGIN CERTIFICATE-----'}
    authentications: {default: {userid: u, password: p}, key: {auth_key: k}}
",
    )
    .settings();
    let ems = &settings.ext_management_systems[0];
    assert_eq!((ems.id, ems.zone.as_str(), ems.enabled), (Some(2), "east", false));
    assert_eq!(ems.provider_region.as_deref(), Some("us-east-1"));
    let endpoint = &ems.endpoints["default"];
    assert_eq!((endpoint.hostname.as_deref(), endpoint.port), (Some("h"), Some(443)));
    assert_eq!(
        (endpoint.path.as_deref(), endpoint.security_protocol.as_deref()),
        (Some("/api"), Some("ssl"))
    );
    assert!(endpoint.verify_ssl && !ems.endpoints["other"].verify_ssl);
    assert_eq!(endpoint.options["queue_name"], serde_json::json!("q"));
    assert_eq!(endpoint.options["queues"], serde_json::json!(["a", 2]));
    assert_eq!(ems.authentications["default"].userid.as_deref(), Some("u"));
    assert_eq!(ems.authentications["key"].auth_key.as_ref().map(|key| key.expose()), Some("k"));
}

#[test]
fn an_emss_own_settings_hold_for_it_alone() {
    let settings = Desk::with(
        "ems_refresh: {refresh_interval: 2.hours, full_refresh_threshold: 5}
ext_management_systems:
  - name: one
    type: awesome_cloud
    settings:
      :workers: {worker_base: {event_catcher: {event_catcher_awesome_cloud: {poll: 1.seconds}}}}
      ems_refresh: {awesome_cloud: {enabled: false}, full_refresh_threshold: 9}
      ems: {ems_awesome_cloud: {blacklisted_event_names: [own]}}
      http: {listen: off}
  - {name: two, type: awesome_cloud, settings: {}}
  - {name: three, type: amazon}
",
    )
    .settings();
    let [one, two, three] = settings.ext_management_systems.as_slice() else { panic!("three") };
    assert_eq!((one.catcher.poll, two.catcher.poll), (Duration::from_secs(1), Duration::from_secs(15)));
    assert_eq!((one.refresh.enabled, two.refresh.enabled), (false, true));
    assert_eq!((one.refresh.full_refresh_threshold, two.refresh.full_refresh_threshold), (9, 5));
    assert_eq!(two.refresh.refresh_interval, Duration::from_secs(86_400), "the provider's own interval");
    assert_eq!(three.refresh.refresh_interval, Duration::from_secs(7_200), "none of its own");
    assert!(one.blacklisted_event_names.matches("own") && !two.blacklisted_event_names.matches("own"));
    assert_eq!(settings.http.listen, "127.0.0.1:8484".parse().ok());
    assert_eq!(
        settings.notices,
        [
            "settings.yml:9: ext_management_systems[one].settings.http has no effect for one EMS alone; set it at the top"
        ]
    );
}

#[test]
fn initial_history_is_all_none_or_a_duration() {
    let history = |text: &str| {
        let settings = Desk::with(&format!(
            "ext_management_systems: [{{name: a, type: amazon}}]
workers: {{worker_base: {{event_catcher: {{defaults: {{initial_history: {text}}}}}}}}}"
        ))
        .settings();
        settings.ext_management_systems[0].catcher.initial_history
    };
    assert_eq!(history("all"), InitialHistory::All);
    assert_eq!(history("':none'"), InitialHistory::None);
    assert_eq!(history("24.hours"), InitialHistory::Last(Duration::from_secs(86_400)));
}

#[test]
fn event_groups_unite_the_core_the_providers_and_the_user() {
    let settings = Desk::with(
        "event_handling: {event_groups: {mine: {name: Mine, warning: [com.awesome-cloud.vm.rename, '/quota/']}, \
         status: {name: Alarms}}}",
    )
    .settings();
    let of = |event_type| {
        let found = settings.event_groups.group_and_level(event_type);
        (found.group, found.group_name, found.level)
    };
    assert_eq!(
        of("com.awesome-cloud.vm.start"),
        ("power", "Power", "critical"),
        "a provider names a group anew"
    );
    assert_eq!(of("AWS_EC2_Instance_running"), ("power", "Power", "critical"), "lists are united");
    assert_eq!(of("com.awesome-cloud.vm.stop"), ("power", "Power", "detail"), "by regular expression");
    assert_eq!(of("com.awesome-cloud.vm.rename"), ("mine", "Mine", "warning"), "exact before expressions");
    assert_eq!(of("over.quota"), ("mine", "Mine", "warning"));
    assert_eq!(of("anything"), ("other", "Other", "detail"));
    assert!(settings.event_groups.names.contains(&("status".to_owned(), "Alarms".to_owned())));
    assert!(settings.event_groups.names.contains(&("migration".to_owned(), "Migration/Vmotion".to_owned())));
}

#[test]
fn automate_domains_are_folders_below_the_working_directory() {
    let desk = Desk::with("automate: {domains: [a/low, a/high]}")
        .file("a/low/__domain__.yaml", "")
        .file("a/high/__domain__.yaml", "");
    assert_eq!(desk.settings().automate_domains, [desk.path().join("a/low"), desk.path().join("a/high")]);
}

#[test]
fn keeping_events_for_no_time_is_six_months_as_in_manageiq() {
    let settings = Desk::with("event_streams: {history: {keep_events: 0}}").settings();
    assert_eq!(settings.keep_events, Duration::from_secs(6 * 2_629_746));
}
