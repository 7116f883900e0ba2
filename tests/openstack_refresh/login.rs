//! Logging in, and what becomes of tokens.

use crate::cloud::*;
use catchall::provider::RefreshError;
use catchall::settings::LoadOptions;
use serde_json::{Value, json};

#[tokio::test]
async fn refreshes_of_one_ems_share_one_token() {
    let cloud = Cloud::start().await;
    let ems = cloud.ems();
    full(&ems).await.unwrap();
    full(&ems).await.unwrap();
    let world = cloud.world();
    assert_eq!(world.logins(), 1);
    assert_eq!(world.asked_for("GET /compute/v2.1/").iter().filter(|a| a.line.ends_with("v2.1/")).count(), 1);
    let body: Value = serde_json::from_str(&world.asked[0].body).unwrap();
    assert_eq!(body["auth"]["scope"]["project"]["name"], "admin");
    assert_eq!(body["auth"]["identity"]["password"]["user"]["password"], "secret");
}

#[tokio::test]
async fn other_settings_are_another_session() {
    let cloud = Cloud::start().await;
    full(&cloud.ems()).await.unwrap();
    let other = json!({"application_credential": true});
    full(&cloud.ems_with(other)).await.unwrap();
    let world = cloud.world();
    assert_eq!(world.logins(), 2);
    let body: Value = serde_json::from_str(&world.asked_for("POST")[1].body).unwrap();
    assert_eq!(
        body["auth"]["identity"]["application_credential"],
        json!({"id": "admin", "secret": "secret"})
    );
    assert!(body["auth"].get("scope").is_none());
}

#[tokio::test]
async fn a_token_that_is_revoked_in_the_middle_is_replaced_once() {
    let cloud = Cloud::start().await;
    cloud.world().revoke_after = Some(7);
    let inventory = full(&cloud.ems()).await.unwrap();
    assert_eq!(named(&inventory, "vms").rows.len(), cloud.world().things["servers"].len());
    assert_eq!(cloud.world().logins(), 2, "whoever was refused at the same time took the same new token");
}

#[tokio::test]
async fn a_token_is_not_used_up_to_its_end() {
    let cloud = Cloud::start().await;
    // It is worth nothing when it comes, so none is used twice. None was refused either.
    cloud.world().token_lifetime = 0;
    targeted(&cloud.ems(), vec![catchall::provider::Target::by_ems_ref("cloud_volumes", "vol-1")])
        .await
        .unwrap();
    let world = cloud.world();
    assert!(world.logins() >= world.calls().len() && world.logins() > 1);
}

#[tokio::test]
async fn a_service_that_takes_no_token_is_told_apart_from_a_wrong_password() {
    let cloud = Cloud::start().await;
    cloud.world().broken = vec![("GET /network", 401, r#"{"message": "no"}"#)];
    let Err(RefreshError::Unauthorized(message)) = full(&cloud.ems()).await else { panic!() };
    assert!(message.contains("Neutron does not trust this Keystone"), "{message}");

    let cloud = Cloud::start().await;
    cloud.world().refuses_logins = true;
    let Err(RefreshError::Unauthorized(message)) = full(&cloud.ems()).await else { panic!() };
    assert!(
        message.contains("requires authentication") && message.contains("authentications.default"),
        "{message}"
    );
    assert!(!message.contains("secret"));
    assert_eq!(
        cloud.world().asked.len(),
        1,
        "a refused login is not tried again at once: accounts get locked"
    );
}

#[tokio::test]
async fn a_region_that_is_not_there_is_told_with_those_that_are() {
    let cloud = Cloud::start().await;
    let mut ems = cloud.ems();
    ems.provider_region = Some("Mars".into());
    let error = full(&ems).await.unwrap_err().to_string();
    assert!(error.contains("\"Mars\"") && error.contains("RegionOne"), "{error}");
    ems.provider_region = Some("RegionOne".into());
    assert!(full(&ems).await.is_ok());
}

#[test]
fn an_ems_without_keystone_has_events_only_and_its_refresh_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "ext_management_systems:
  - {name: events, type: openstack, endpoints: {amqp: {hostname: rabbit}}}
  - {name: both, type: openstack, endpoints: {amqp: {hostname: rabbit}, default: {url: 'http://k:5000', project: p}}}
";
    std::fs::write(folder.path().join("settings.yml"), settings).unwrap();
    let options = LoadOptions { working_directory: folder.path().to_owned(), ..LoadOptions::default() };
    let loaded = catchall::settings::load(&options).unwrap();
    let enabled: Vec<_> =
        loaded.ext_management_systems.iter().map(|ems| (ems.name.as_str(), ems.refresh.enabled)).collect();
    assert_eq!(enabled, [("events", false), ("both", true)]);
}

#[test]
fn settings_that_make_no_session_are_told_with_their_key() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cloud = runtime.block_on(Cloud::start());
    for (options, key) in [
        (json!({}), "endpoints.default.project is not set"),
        (json!({"project": "admin", "interface": "private"}), "endpoints.default.interface"),
        (json!({"project": ["admin"]}), "endpoints.default.project is no text"),
        (json!({"project": "admin", "all_projects": "no"}), "endpoints.default.all_projects"),
    ] {
        let error = provider().collector(&cloud.ems_with(options)).err().unwrap().to_string();
        assert!(error.contains("my cloud") && error.contains(key), "{error}");
    }
    let mut events_only = cloud.ems();
    events_only.endpoints.clear();
    assert!(provider().collector(&events_only).unwrap().is_none());
}
