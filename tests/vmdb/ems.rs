//! The settings' EMSs as rows.

use crate::support::{Fresh, ems_settings, on_both};
use catchall::provider::Endpoint;
use catchall::settings::EmsSettings;
use catchall::vmdb::VmdbError;
use catchall::vmdb::ems::{self, EmsRow};

on_both! {
    entering_twice_keeps_ids_and_leaving_disables
    a_fixed_id_is_kept_and_the_next_one_is_another
    a_paused_ems_stays_paused_until_it_is_resumed
    endpoints_follow_the_settings_and_hold_no_credentials
    how_a_refresh_went_is_kept
}

async fn enter(fresh: &Fresh, settings: Vec<EmsSettings>) -> Vec<EmsRow> {
    fresh.write(move |c| ems::enter(c, &settings)).await
}

async fn entering_twice_keeps_ids_and_leaving_disables(fresh: Fresh) {
    let first = enter(&fresh, vec![ems_settings("b"), ems_settings("a")]).await;
    assert_eq!(first.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!(first[0].class_name, "ManageIQ::Providers::Nameless::CloudManager");
    assert_eq!((first[0].zone.as_deref(), first[0].enabled, first[0].paused), (Some("default"), true, false));
    let second = enter(&fresh, vec![ems_settings("a")]).await;
    assert_eq!(second[0].id, first[1].id);
    let all = fresh.vmdb.read(ems::list).await.unwrap();
    assert_eq!(all.iter().map(|row| row.enabled).collect::<Vec<_>>(), [true, false]);
    let third = enter(&fresh, vec![ems_settings("b")]).await;
    assert_eq!((third[0].id, third[0].enabled), (first[0].id, true));
}

async fn a_fixed_id_is_kept_and_the_next_one_is_another(fresh: Fresh) {
    let fixed = EmsSettings { id: Some(3), ..ems_settings("fixed") };
    let rows =
        enter(&fresh, vec![fixed.clone(), ems_settings("a"), ems_settings("b"), ems_settings("c")]).await;
    assert_eq!(rows[0].id.0, 3);
    assert!(rows[1..].iter().all(|row| row.id.0 > 3), "{rows:?}");
    let taken = EmsSettings { id: Some(3), ..ems_settings("late") };
    let refused = fresh.vmdb.write(move |c| ems::enter(c, &[taken])).await;
    assert!(matches!(refused, Err(VmdbError::Refused(_))), "{refused:?}");
    let moved = EmsSettings { id: Some(99), ..fixed };
    let refused = fresh.vmdb.write(move |c| ems::enter(c, &[moved])).await;
    assert!(matches!(refused, Err(VmdbError::Refused(_))), "{refused:?}");
}

async fn a_paused_ems_stays_paused_until_it_is_resumed(fresh: Fresh) {
    enter(&fresh, vec![ems_settings("a")]).await;
    assert!(fresh.write(|c| ems::set_paused(c, "a", true)).await);
    assert!(fresh.write(|c| ems::set_paused(c, "a", true)).await);
    assert!(!fresh.write(|c| ems::set_paused(c, "nosuch", true)).await);
    let paused = enter(&fresh, vec![ems_settings("a")]).await.remove(0);
    assert_eq!(
        (paused.enabled, paused.paused, paused.zone.as_deref()),
        (false, true, Some("__maintenance__"))
    );
    fresh.write(|c| ems::set_paused(c, "a", false)).await;
    let resumed = enter(&fresh, vec![ems_settings("a")]).await.remove(0);
    assert_eq!((resumed.enabled, resumed.paused, resumed.zone.as_deref()), (true, false, Some("default")));
}

async fn endpoints_follow_the_settings_and_hold_no_credentials(fresh: Fresh) {
    let endpoint =
        |url: &str| Endpoint { url: Some(url.to_owned()), port: Some(5671), ..Endpoint::default() };
    let mut settings = ems_settings("a");
    settings.endpoints = [
        ("default".to_owned(), endpoint("https://me:hush@cloud.example/v2?token=hush")),
        ("amqp".to_owned(), endpoint("amqps://me:hush@rabbit.example")),
    ]
    .into();
    enter(&fresh, vec![settings]).await;
    let urls = "SELECT url, port, verify_ssl FROM endpoints ORDER BY role";
    let rows = fresh.vmdb.read(move |c| c.rows(urls, &[])).await.unwrap();
    let stored: Vec<_> = rows.iter().map(|row| row.text(0).unwrap()).collect();
    assert_eq!(stored, ["amqps://rabbit.example", "https://cloud.example/v2"]);
    assert_eq!((rows[0].integer(1), rows[0].integer(2)), (Some(5671), Some(0)));
    enter(&fresh, vec![ems_settings("a")]).await;
    assert_eq!(fresh.count("SELECT count(*) FROM endpoints").await, 1);
}

async fn how_a_refresh_went_is_kept(fresh: Fresh) {
    let id = enter(&fresh, vec![ems_settings("a")]).await[0].id;
    fresh.write(move |c| ems::refreshed(c, id, Err("it is away"))).await;
    let row = fresh.vmdb.read(ems::list).await.unwrap().remove(0);
    assert_eq!(row.last_refresh_error.as_deref(), Some("it is away"));
    assert!(row.last_refresh_date.is_some() && row.last_refresh_success_date.is_none());
    fresh.write(move |c| ems::refreshed(c, id, Ok(()))).await;
    let row = fresh.vmdb.read(ems::list).await.unwrap().remove(0);
    assert!(row.last_refresh_error.is_none() && row.last_refresh_success_date.is_some());
}
