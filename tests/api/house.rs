//! A server over a filled VMDB, and a client that reads JSON.

use crate::filled::{Event, Fresh, event, groups};
use catchall::http::{HttpContext, ServerHandle, SettingsPart, serve};
use catchall::observe::Observe;
use catchall::provider::Secret;
use catchall::vmdb::Vmdb;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

/// A running server.
pub struct House {
    pub server: ServerHandle,
    client: Client,
}

/// What a server shows.
pub fn context(vmdb: &Vmdb, token: Option<&str>) -> HttpContext {
    let context = HttpContext::new(Observe::default(), token.map(Secret::new));
    context.set_vmdb(vmdb.clone());
    context.set_settings(SettingsPart { event_groups: groups(), ..SettingsPart::default() });
    context
}

impl House {
    pub fn open(vmdb: &Vmdb) -> Self {
        Self::of(context(vmdb, None))
    }

    pub fn of(context: HttpContext) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = serve("127.0.0.1:0".parse().unwrap(), context).unwrap();
        Self { server, client: Client::builder().no_proxy().build().unwrap() }
    }

    pub async fn ask(&self, method: Method, path: &str) -> (StatusCode, reqwest::header::HeaderMap, String) {
        let answer =
            self.client.request(method, format!("{}{path}", self.server.url())).send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, headers, answer.text().await.unwrap())
    }

    /// What is read there, which has to be there.
    pub async fn get(&self, path: &str) -> Value {
        let (status, headers, body) = self.ask(Method::GET, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        assert_eq!(headers["content-type"], "application/json", "{path}");
        serde_json::from_str(&body).unwrap()
    }

    /// The ids of a page, in order.
    pub async fn ids(&self, path: &str) -> Vec<i64> {
        ids(&self.get(path).await)
    }

    /// Status and error of what is refused.
    pub async fn refused(&self, path: &str) -> (u16, Value) {
        let (status, _, body) = self.ask(Method::GET, path).await;
        (
            status.as_u16(),
            serde_json::from_str::<Value>(&body).unwrap_or_else(|e| panic!("{e}: {body}"))["error"].take(),
        )
    }

    pub async fn close(self) {
        self.server.stop().await;
    }
}

/// The ids that stand in the addresses of a page's resources.
pub fn ids(page: &Value) -> Vec<i64> {
    let href =
        |resource: &Value| resource["href"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
    page["resources"].as_array().unwrap().iter().map(href).collect()
}

/// Eight events of two EMSs with inventory, a dead letter, a gap, and work that waits. The ids of the events, oldest last.
pub async fn filled(fresh: Fresh) -> (Fresh, Vec<i64>) {
    let fresh = fresh.with_inventory().await;
    let mut ids = Vec::new();
    for event in [
        Event { vm: Some(11), message: Some("it stopped"), ..event("vm.stop", 5) },
        Event { host: Some(7), vm: Some(10), message: Some("100% of it"), ..event("vm.create.ok", 10) },
        Event { host: Some(8), ..event("unlisted", 20) },
        Event { ems_id: 2, message: Some("It Stopped"), ..event("vm.stop", 30) },
        Event { dest_vm: Some(10), vm: Some(11), ..event("vm.clone", 40) },
        Event { vm_name: Some("a_b"), ..event("vm.create", 50) },
        Event { vm_name: Some("aXb"), ..event("vm.create", 60) },
        Event { work_id: Some(9), ..event("vm.stop", 70) },
    ] {
        ids.push(fresh.event(event).await);
    }
    fresh
        .batch(
            "UPDATE event_streams SET full_data = '{\"a\": [1, 2]}' WHERE message = 'it stopped'; \
             INSERT INTO event_streams (type, event_uid, event_type, timestamp, generating_ems_id) \
             SELECT 'MiqEvent', 'policy:1:1', 'vm_poweroff', min(timestamp), 1 FROM event_streams; \
             INSERT INTO dead_letters (ems_id, event_uid, native, reason, created_on) \
             SELECT 1, 'x', '{\"broken\"', 'no JSON', min(timestamp) FROM event_streams; \
             INSERT INTO event_gaps (ems_id, started_on, ended_on, reason, created_on) \
             SELECT 1, min(timestamp), max(timestamp), 'history is gone', max(timestamp) FROM event_streams; \
             INSERT INTO miq_queue (queue_name, state, class_name, method_name, priority) \
             VALUES ('ems_1', 'ready', 'EmsRefresh', 'refresh', 100)",
        )
        .await;
    (fresh, ids)
}
