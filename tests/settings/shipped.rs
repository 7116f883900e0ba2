//! The settings.yml at the top of the repository.

use super::Desk;
use std::time::Duration;

#[test]
fn the_shipped_settings_watch_the_demo_cloud() {
    let desk = Desk::with(include_str!("../../settings.yml"));
    let settings = desk.settings();
    assert_eq!(settings.notices, Vec::<String>::new());
    let [demo] = settings.ext_management_systems.as_slice() else { panic!("one EMS") };
    assert_eq!((demo.name.as_str(), demo.provider.ems_type()), ("demo cloud", "awesome_cloud"));
    assert_eq!(demo.endpoints["default"].url.as_deref(), Some("http://127.0.0.1:8585"));
    let password = |settings: &catchall::settings::Settings| {
        let default = &settings.ext_management_systems[0].authentications["default"];
        default.password.as_ref().map(|password| password.expose().to_owned())
    };
    assert_eq!(password(&settings).as_deref(), Some("demo"));
    assert!(demo.catcher.poll <= Duration::from_secs(2));
    let other = desk.variable("AWESOME_CLOUD_TOKEN", "other").settings();
    assert_eq!(password(&other).as_deref(), Some("other"));
}
