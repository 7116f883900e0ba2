//! The settings.yml at the top of the repository, and the defaults of the providers in this build.

use super::Desk;
use catchall::settings::{LoadOptions, load};
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

#[test]
fn the_defaults_of_every_provider_in_this_build_load() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = LoadOptions { working_directory: folder.path().to_owned(), ..LoadOptions::default() };
    let settings = load(&options).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(settings.notices.len(), 1, "only that there is no file: {:?}", settings.notices);
}
