//! Secrets are in no text that people or logs get.

use super::Desk;
use catchall::cli::check;

const SETTINGS: &str = "
vmdb: {url: 'postgres://catchall:s3cret@db/catchall?sslmode=verify-full&sslpassword=s3cret'}
http: {listen: 0.0.0.0:1, token: s3cret}
smtp: {password: s3cret, user_name: me}
authentication: [{bind_pwd: s3cret}]
ext_management_systems:
  - name: demo
    type: awesome_cloud
    authentications: {default: {userid: me, password: s3cret, auth_key: '${KEY}'}}
    settings: {http_proxy: {default: {password: s3cret}}}
";

fn desk() -> Desk {
    Desk::with(SETTINGS)
        .variable("KEY", "s3cret")
        .variable("CATCHALL__EXT_MANAGEMENT_SYSTEMS__DEMO__AUTHENTICATIONS__OTHER__PASSWORD", "s3cret")
}

#[test]
fn neither_the_printed_settings_nor_debug_nor_notices_hold_a_secret() {
    let loaded = desk().load().unwrap_or_else(|errors| panic!("{errors}"));
    let printed = check::print(&loaded.merged);
    let debug = format!("{:?}", loaded.settings);
    assert!(!printed.contains("s3cret"), "{printed}");
    assert!(printed.contains("postgres://catchall:********@db/catchall"), "{printed}");
    assert!(printed.contains("userid: me") && printed.contains("password: \"********\""), "{printed}");
    assert!(!debug.contains("s3cret"), "{debug}");
    assert!(!loaded.settings.notices.is_empty());
    assert!(!loaded.settings.notices.join("").contains("s3cret"));
}

#[test]
fn the_secrets_themselves_arrive() {
    let settings = desk().settings();
    let authentications = &settings.ext_management_systems[0].authentications;
    for secret in [
        &authentications["default"].password,
        &authentications["default"].auth_key,
        &authentications["other"].password,
    ] {
        assert_eq!(secret.as_ref().map(|secret| secret.expose()), Some("s3cret"));
    }
    assert!(settings.vmdb.url.expose().starts_with("postgres://catchall:s3cret@"));
}

#[test]
fn errors_beside_a_secret_do_not_show_it() {
    let wrong = format!("{SETTINGS}event_streams: 3\n")
        .replace("token: s3cret", "token: [s3cret]")
        .replace("postgres:", "postgrs:")
        .replace("userid: me", "userid: {a: s3cret}");
    let errors = Desk::with(&wrong).variable("KEY", "s3cret").load().err().expect("wrong settings");
    assert_eq!(errors.0.len(), 5, "{errors}");
    assert!(!check::report(&errors).contains("s3cret"), "{errors}");
    assert!(!format!("{errors:?}").contains("s3cret"));
    assert!(
        check::report(&errors).starts_with("the settings are wrong (5 errors):\nsettings.yml:2: vmdb.url: ")
    );
}

#[test]
fn what_a_reference_stands_for_is_not_repeated_in_an_error() {
    let errors =
        Desk::with("event_streams: {history: {keep_events: '${KEY}'}}").variable("KEY", "s3cret").errors();
    assert!(errors.contains("\"${KEY}\" was found") && !errors.contains("s3cret"), "{errors}");
}
