use super::*;
use crate::automate::Automation;
use crate::provider::{EmsId, Secret};
use crate::settings::VmdbSettings;
use crate::vmdb::{Access, Vmdb};

#[tokio::test]
async fn a_call_that_panics_fails_alone_and_leaves_nothing_in_the_scene() {
    let folder = tempfile::tempdir().unwrap();
    let url = Secret::new(format!("sqlite://{}/catchall.db", folder.path().display()));
    let settings = VmdbSettings { url, schema: "catchall".to_owned() };
    let vmdb = Vmdb::open(&settings, Access::Run).await.unwrap();
    vmdb.migrate().await.unwrap();
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    let delivery = Delivery {
        automation: Automation::default(),
        ems_id: EmsId(1),
        ems_name: "tiny".to_owned(),
        requested_on: now,
        now,
    };
    let kept = vmdb.write(move |connection| {
        let mut scene = Scene::open(connection, &delivery, &[], false)?;
        scene.refresh.add(None, 1, "x", now);
        let ended = scene.caught(|scene| {
            scene.refresh.add(None, 2, "x", now);
            scene.followed = true;
            panic!("as it should");
        })?;
        assert_eq!((ended.state, ended.panicked), (ActionState::Failed, true));
        assert_eq!((scene.refresh.len(), scene.followed), (1, false));
        let done = scene.caught(|scene| {
            scene.refresh.add(None, 3, "x", now);
            Ok(Ended::done())
        })?;
        assert_eq!(done.state, ActionState::Done);
        Ok(scene.refresh.len())
    });
    assert_eq!(kept.await.unwrap(), 2);
}
