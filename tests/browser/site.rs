//! A server on a free port before a VMDB with a day's events.

use crate::day;
use catchall::http::{HttpContext, ServerHandle, SettingsPart, serve};
use catchall::observe::{ActorKind, ActorState, Observe};
use catchall::provider::Secret;
use catchall::settings::{LoadOptions, VmdbSettings, load};
use catchall::vmdb::{Access, Vmdb};
use tempfile::TempDir;

/// A running server.
pub struct Site {
    pub url: String,
    pub vmdb: Vmdb,
    server: ServerHandle,
    _folder: TempDir,
}

impl Site {
    /// With the shipped event groups, on SQLite: what differs between databases, the pages' own tests look at.
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("sqlite://{}/catchall.db", folder.path().display()));
        let settings = VmdbSettings { url, schema: "catchall".to_owned() };
        let vmdb = Vmdb::open(&settings, Access::Run).await.unwrap();
        vmdb.migrate().await.unwrap();
        vmdb.write(day::fill).await.unwrap();
        let options = LoadOptions { working_directory: folder.path().to_owned(), ..LoadOptions::default() };
        let event_groups = load(&options).unwrap().event_groups;
        let observe = Observe::default();
        for name in ["vcenter east", "aws eu-central-1"] {
            observe.actor(ActorKind::EventCatcher, Some(name)).set_state(ActorState::Running);
        }
        observe
            .actor(ActorKind::EventCatcher, Some("demo cloud"))
            .set_failed_state(ActorState::BackingOff, "http://10.0.0.7:8585: connection refused");
        let context = HttpContext::new(observe, None);
        context.set_vmdb(vmdb.clone());
        context.set_settings(SettingsPart { event_groups, event_catchers: vec![] });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = serve("127.0.0.1:0".parse().unwrap(), context).unwrap();
        Self { url: format!("http://127.0.0.1:{}", server.addr.port()), vmdb, server, _folder: folder }
    }

    pub async fn close(self) {
        self.server.stop().await;
    }
}
