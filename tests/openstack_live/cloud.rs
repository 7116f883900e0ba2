//! The cloud through its REST APIs, as an administrator's tool sees it. Nothing of the product is used.

use crate::process::within;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// An administrator's session. Flavors of servers are told by id up to this version of Nova's API.
const COMPUTE_VERSION: &str = "compute 2.46";
const PASSWORD: &str = "secret";
/// For what the cloud does by itself: seconds on a machine that is idle.
const PATIENCE: Duration = Duration::from_secs(180);

pub struct Cloud {
    folder: PathBuf,
    ports: BTreeMap<String, u16>,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    token: String,
    /// URL by type, and Keystone as `identity`.
    services: BTreeMap<String, String>,
}

impl Cloud {
    /// Logs in to the cloud that `make test-openstack` made.
    pub fn open() -> Self {
        let folder = std::env::var("CATCHALL_TEST_OPENSTACK")
            .expect("CATCHALL_TEST_OPENSTACK names no cloud; `make test-openstack` makes one and runs this");
        let folder = PathBuf::from(folder);
        let env =
            std::fs::read_to_string(folder.join("env")).expect("the cloud's folder holds its addresses");
        let port = |line: &str| {
            let (name, port) = line.split_once("_port=")?;
            Some((name.to_owned(), port.parse().ok()?))
        };
        let ports: BTreeMap<String, u16> = env.lines().filter_map(port).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        let keystone = format!("http://127.0.0.1:{}/v3", ports["keystone"]);
        let services = BTreeMap::from([("identity".to_owned(), keystone)]);
        let mut cloud = Self { folder, ports, runtime, http, token: String::new(), services };
        cloud.log_in();
        cloud
    }

    fn log_in(&mut self) {
        let user = json!({"name": "admin", "domain": {"id": "default"}, "password": PASSWORD});
        let scope = json!({"project": {"name": "admin", "domain": {"id": "default"}}});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        let url = format!("{}/auth/tokens", self.services["identity"]);
        let (token, answer) = self.runtime.block_on(async {
            let answer = self.http.post(url).json(&body).send().await.unwrap();
            let token = answer.headers()["X-Subject-Token"].to_str().unwrap().to_owned();
            (token, answer.json::<Value>().await.unwrap())
        });
        self.token = token;
        for service in answer["token"]["catalog"].as_array().unwrap() {
            let kind = service["type"].as_str().unwrap().to_owned();
            if let Some(url) = service["endpoints"][0]["url"].as_str() {
                self.services.entry(kind).or_insert_with(|| url.to_owned());
            }
        }
    }

    pub fn keystone(&self) -> &str {
        &self.services["identity"]
    }

    /// Where the log of a Catchall is kept.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("log/catchall-{name}.log"))
    }

    pub fn broker_port(&self) -> u16 {
        self.ports["rabbit"]
    }

    /// Status and body.
    pub fn answer(&self, method: Method, service: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.services[service]);
        let mut request = self.http.request(method, url).header("X-Auth-Token", &self.token);
        if service == "compute" {
            request = request.header("OpenStack-API-Version", COMPUTE_VERSION);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            match request.send().await {
                Ok(answer) => (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null)),
                Err(error) => (0, json!(error.to_string())),
            }
        })
    }

    fn done(&self, method: Method, service: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.answer(method.clone(), service, path, body);
        assert!((200..300).contains(&status), "{method} {service}{path}: {status} {answer}");
        answer
    }

    pub fn get(&self, service: &str, path: &str) -> Value {
        self.done(Method::GET, service, path, &Value::Null)
    }

    pub fn post(&self, service: &str, path: &str, body: &Value) -> Value {
        self.done(Method::POST, service, path, body)
    }

    pub fn put(&self, service: &str, path: &str, body: &Value) -> Value {
        self.done(Method::PUT, service, path, body)
    }

    pub fn patch(&self, service: &str, path: &str, body: &Value) -> Value {
        self.done(Method::PATCH, service, path, body)
    }

    pub fn delete(&self, service: &str, path: &str) {
        self.done(Method::DELETE, service, path, &Value::Null);
    }

    /// `PATCH` of an image, whose body is of a kind of its own.
    pub fn rename_image(&self, id: &str, name: &str) {
        let body = json!([{"op": "replace", "path": "/name", "value": name}]);
        let url = format!("{}/v2/images/{id}", self.services["image"]);
        let request = self
            .http
            .patch(url)
            .header("X-Auth-Token", &self.token)
            .header("Content-Type", "application/openstack-images-v2.1-json-patch")
            .body(body.to_string());
        let status = self.runtime.block_on(async { request.send().await.unwrap().status() });
        assert!(status.is_success(), "renaming an image: {status}");
    }

    /// Gives an image its data.
    pub fn upload(&self, id: &str) {
        let url = format!("{}/v2/images/{id}/file", self.services["image"]);
        let request = self
            .http
            .put(url)
            .header("X-Auth-Token", &self.token)
            .header("Content-Type", "application/octet-stream")
            .body(vec![0; 1024]);
        let status = self.runtime.block_on(async { request.send().await.unwrap().status() });
        assert!(status.is_success(), "uploading an image: {status}");
    }

    /// Tries to log in as somebody.
    pub fn try_password(&self, user_id: &str, password: &str) -> u16 {
        let user = json!({"id": user_id, "password": password});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        self.answer(Method::POST, "identity", "/auth/tokens", &json!({"auth": {"identity": identity}})).0
    }

    /// Waits until `path` answers with `field` (a JSON pointer) being `wanted`.
    pub fn waits(&self, service: &str, path: &str, field: &str, wanted: &str) {
        within(PATIENCE, &format!("{path}: {field} is {wanted}"), || {
            let (status, answer) = self.answer(Method::GET, service, path, &Value::Null);
            match answer.pointer(field).and_then(Value::as_str) {
                Some(found) if found == wanted => Ok(()),
                Some("ERROR" | "error" | "CREATE_FAILED") => panic!("{path} failed: {answer}"),
                found => Err(format!("{status} {found:?}")),
            }
        });
    }

    /// Waits until `path` is not found any more.
    pub fn waits_gone(&self, service: &str, path: &str) {
        within(PATIENCE, &format!("{path} is gone"), || {
            match self.answer(Method::GET, service, path, &Value::Null) {
                (404, _) => Ok(()),
                (status, answer) => Err(format!("{status} {answer}")),
            }
        });
    }

    /// Waits until a server is at rest in this status.
    pub fn server_is(&self, id: &str, wanted: &str) {
        within(PATIENCE, &format!("server {id} is {wanted}"), || {
            let (status, answer) =
                self.answer(Method::GET, "compute", &format!("/servers/{id}"), &Value::Null);
            let server = &answer["server"];
            if server["status"] == "ERROR" {
                panic!("server {id} failed: {}", server["fault"]);
            }
            match server["status"] == wanted && server["OS-EXT-STS:task_state"].is_null() {
                true => Ok(()),
                false => Err(format!("{status} {} {}", server["status"], server["OS-EXT-STS:task_state"])),
            }
        });
    }

    /// Each server as `id|name|status|flavor|host`, by Nova's own answer.
    pub fn servers(&self) -> Vec<String> {
        let answer = self.get("compute", "/servers/detail?all_tenants=1");
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let servers = answer["servers"].as_array().unwrap().iter();
        let line = |server: &Value| {
            let host = &server["OS-EXT-SRV-ATTR:host"];
            [&server["id"], &server["name"], &server["status"], &server["flavor"]["id"], host]
                .map(text)
                .join("|")
        };
        servers.map(line).collect()
    }

    /// The ids of what a service lists.
    pub fn ids(&self, service: &str, path: &str, list: &str) -> Vec<String> {
        let answer = self.get(service, path);
        answer[list]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| Some(one["id"].as_str()?.to_owned()))
            .collect()
    }

    /// Each image as `id|name`, by Glance's own answer.
    pub fn images(&self) -> Vec<String> {
        let answer = self.get("image", "/v2/images?limit=1000");
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        answer["images"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| format!("{}|{}", text(&i["id"]), text(&i["name"])))
            .collect()
    }

    /// `stop` or `start` of RabbitMQ.
    pub fn broker(&self, what: &str) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/openstack/cloud");
        let done = Command::new(script).arg("broker").arg(&self.folder).arg(what).status().unwrap();
        assert!(done.success(), "scripts/openstack/cloud broker {what}");
    }

    /// Waits until Nova's hosts have reported again, which they do through the broker.
    pub fn hosts_report(&self) {
        let reported = || -> Vec<String> {
            let answer = self.get("compute", "/os-services?binary=nova-compute");
            let services = answer["services"].as_array().unwrap().iter();
            services.map(|service| format!("{} {}", service["state"], service["updated_at"])).collect()
        };
        let before = reported();
        within(PATIENCE, "both hosts report again", || {
            let now = reported();
            let news = now.iter().all(|line| line.starts_with("\"up\"") && !before.contains(line));
            if news { Ok(()) } else { Err(format!("{now:?}")) }
        });
    }
}
