//! A cloud of recorded answers behind one port: `/identity`, `/compute`, `/image`, `/network`, `/volume`.

use catchall::provider::{
    Authentication, ByteBudget, CatcherSettings, Collector, Ems, EmsId, Endpoint, Inventory,
    InventoryCollection, Provider, RefreshError, RefreshScope, Secret, Target, TargetCollection,
    TargetRequest,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

macro_rules! recorded {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../data/openstack/rest/", $name, ".json")))
            .unwrap()
    };
}

/// The project of the recorded login.
pub const PROJECT: &str = "852af63149df464ca83f6eb7621dd39d";
/// The recorded server.
pub const SERVER: &str = "b88ad341-d9e6-46a5-8b6a-3c1f3d0e9bde";
/// The flavor that it has.
pub const FLAVOR: &str = "fd54f565-8b02-424c-b0f6-e5561722a582";

/// A request that was made.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET /compute/v2.1/servers`, without the query.
    pub line: String,
    /// The query as it stood.
    pub query: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

/// What the cloud has, and how it behaves.
pub struct World {
    /// All requests, in order.
    pub asked: Vec<Asked>,
    /// List name → things, as in `servers`.
    pub things: BTreeMap<&'static str, Vec<Value>>,
    /// Beginnings of `line`, or of `line?query`, that are answered with 403.
    pub forbidden: Vec<&'static str>,
    /// Beginnings of `line` → status and body.
    pub broken: Vec<(&'static str, u16, &'static str)>,
    /// Seconds that tokens live.
    pub token_lifetime: i64,
    /// Whether logins are refused.
    pub refuses_logins: bool,
    /// After so many more requests all tokens are revoked, once.
    pub revoke_after: Option<usize>,
    /// Most things on a page.
    pub page: usize,
    /// Removed when the first page of servers was given.
    pub deleted_between_pages: Option<String>,
    /// Before each answer.
    pub pause: Duration,
    /// Service type → catalogue entry, besides the recorded ones.
    pub more_services: Vec<Value>,
    /// Types that are left out of the catalogue.
    pub without: Vec<&'static str>,
    /// Nova's highest microversion.
    pub nova_version: &'static str,
    /// Requests under way, and most at once.
    pub at_once: (usize, usize),
    tokens: BTreeSet<String>,
    logins: usize,
}

impl World {
    /// Requests that are no logins and no version documents.
    pub fn calls(&self) -> Vec<String> {
        let of_interest =
            |asked: &&Asked| !asked.line.starts_with("POST") && asked.line != "GET /compute/v2.1/";
        self.asked.iter().filter(of_interest).map(|asked| asked.line.clone()).collect()
    }

    /// How often somebody logged in.
    pub fn logins(&self) -> usize {
        self.logins
    }

    /// The requests whose line begins so.
    pub fn asked_for(&self, line: &str) -> Vec<&Asked> {
        self.asked.iter().filter(|asked| asked.line.starts_with(line)).collect()
    }
}

/// A running cloud.
#[derive(Clone)]
pub struct Cloud {
    world: Arc<Mutex<World>>,
    address: SocketAddr,
}

impl Cloud {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cloud = Self { world: Arc::new(Mutex::new(world())), address: listener.local_addr().unwrap() };
        let serving = cloud.clone();
        tokio::spawn(async move {
            while let Ok((peer, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(peer));
            }
        });
        cloud
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// An EMS of this cloud, as settings make it.
    pub fn ems(&self) -> Ems {
        self.ems_with(json!({"project": "admin", "project_domain": "Default", "user_domain": "Default"}))
    }

    pub fn ems_with(&self, options: Value) -> Ems {
        let endpoint = Endpoint {
            url: Some(format!("http://{}/identity", self.address)),
            options: serde_json::from_value(options).unwrap(),
            ..Endpoint::default()
        };
        let authentication = Authentication {
            userid: Some("admin".into()),
            password: Some(Secret::new("secret")),
            ..Authentication::default()
        };
        Ems {
            id: EmsId(1),
            name: "my cloud".into(),
            provider_region: None,
            endpoints: BTreeMap::from([("default".into(), endpoint)]),
            authentications: BTreeMap::from([("default".into(), authentication)]),
            catcher: CatcherSettings::default(),
            budget: ByteBudget::default(),
        }
    }

    async fn serve(self, mut peer: TcpStream) {
        let Some(asked) = read_request(&mut peer).await else { return };
        let pause = {
            let mut world = self.world();
            world.at_once.0 += 1;
            world.at_once.1 = world.at_once.1.max(world.at_once.0);
            world.pause
        };
        tokio::time::sleep(pause).await;
        let (status, headers, body) = {
            let mut world = self.world();
            world.at_once.0 -= 1;
            let answer = world.answer(&asked, self.address);
            world.asked.push(asked);
            answer
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = peer.write_all(format!("{head}{body}").as_bytes()).await;
    }
}

fn world() -> World {
    let body = |mut recorded: Value, list: &str| match recorded["body"][list].take() {
        Value::Array(things) => things,
        other => panic!("{other}"),
    };
    // The other recorded servers, as a Nova tells them that is asked with 2.46.
    let mut servers = vec![recorded!("server_2_46")["body"]["server"].clone()];
    for mut server in body(recorded!("servers_detail_all"), "servers").into_iter().skip(1) {
        server["flavor"] = json!({"id": FLAVOR, "links": []});
        servers.push(server);
    }
    let volume = json!({"id": "vol-1", "name": "data", "status": "available", "size": 1, "bootable": "false",
        "availability_zone": "nova", "os-vol-tenant-attr:tenant_id": PROJECT});
    let snapshot = json!({"id": "snap-1", "name": "s1", "status": "available", "size": 1, "volume_id": "vol-1",
        "os-extended-snapshot-attributes:project_id": PROJECT});
    World {
        asked: Vec::new(),
        things: BTreeMap::from([
            ("servers", servers),
            ("flavors", body(recorded!("flavors_detail"), "flavors")),
            ("hypervisors", body(recorded!("hypervisors_detail_2_87"), "hypervisors")),
            (
                "availabilityZoneInfo",
                vec![json!({"zoneName": "nova", "zoneState": {"available": true}, "hosts": null})],
            ),
            ("aggregates", vec![json!({"id": 1, "name": "fast", "availability_zone": null, "metadata": {}})]),
            (
                "keypairs",
                vec![json!({"keypair": {"name": "k", "fingerprint": "aa", "public_key": "ssh-rsa A"}})],
            ),
            ("images", body(recorded!("images"), "images")),
            ("networks", body(recorded!("networks"), "networks")),
            ("subnets", body(recorded!("subnets"), "subnets")),
            ("ports", body(recorded!("ports_of_server"), "ports")),
            ("security_groups", body(recorded!("secgroups"), "security_groups")),
            ("routers", vec![]),
            ("floatingips", vec![]),
            ("volumes", vec![volume]),
            ("snapshots", vec![snapshot]),
            ("projects", body(recorded!("projects"), "projects")),
            (
                "stacks",
                vec![json!({"id": "stack-1", "stack_name": "web", "stack_status": "CREATE_COMPLETE"})],
            ),
        ]),
        forbidden: vec![],
        broken: vec![],
        token_lifetime: 3600,
        refuses_logins: false,
        revoke_after: None,
        page: 1000,
        deleted_between_pages: None,
        pause: Duration::ZERO,
        more_services: vec![],
        without: vec![],
        nova_version: "2.93",
        at_once: (0, 0),
        tokens: BTreeSet::new(),
        logins: 0,
    }
}

type Reply = (u16, String, String);

fn reply(status: u16, body: &Value) -> Reply {
    (status, String::new(), body.to_string())
}

impl World {
    fn answer(&mut self, asked: &Asked, address: SocketAddr) -> Reply {
        if asked.line == "POST /identity/v3/auth/tokens" {
            return self.log_in(address);
        }
        if asked.line == "GET /compute/v2.1/" {
            let mut document = recorded!("compute_versions")["body"].take();
            document["version"]["version"] = self.nova_version.into();
            return reply(200, &document);
        }
        if let Some(left) = self.revoke_after {
            self.revoke_after = left.checked_sub(1);
            if left == 0 {
                self.tokens.clear();
            }
        }
        let token = asked.headers.get("x-auth-token");
        if !token.is_some_and(|token| self.tokens.contains(token)) {
            return reply(401, &recorded!("server_401")["body"]);
        }
        let whole = format!("{}?{}", asked.line, asked.query);
        if self.forbidden.iter().any(|start| whole.starts_with(start)) {
            let policy = "Policy doesn't allow os_compute_api:os-hypervisors:list-detail to be performed.";
            return reply(403, &json!({"forbidden": {"code": 403, "message": policy}}));
        }
        if let Some((_, status, body)) = self.broken.iter().find(|(start, ..)| asked.line.starts_with(start))
        {
            return (*status, String::new(), (*body).to_owned());
        }
        self.inventory(asked)
    }

    fn log_in(&mut self, address: SocketAddr) -> Reply {
        self.logins += 1;
        if self.refuses_logins {
            return reply(401, &recorded!("keystone_auth_bad")["body"]);
        }
        let token = format!("token-{}", self.logins);
        // Only the newest is good.
        self.tokens = BTreeSet::from([token.clone()]);
        let mut body = recorded!("keystone_auth")["body"].to_string();
        for (port, path) in [
            (27000, "identity"),
            (27292, "image"),
            (27774, "compute"),
            (27696, "network"),
            (27776, "volume"),
            (27778, "placement"),
        ] {
            body = body.replace(&format!("http://127.0.0.1:{port}"), &format!("http://{address}/{path}"));
        }
        let mut body: Value = serde_json::from_str(&body).unwrap();
        let issued: chrono::DateTime<chrono::Utc> =
            body["token"]["issued_at"].as_str().unwrap().parse().unwrap();
        let expires = issued + chrono::TimeDelta::seconds(self.token_lifetime);
        body["token"]["expires_at"] = expires.to_rfc3339().into();
        let catalogue = body["token"]["catalog"].as_array_mut().unwrap();
        catalogue.retain(|entry| !self.without.contains(&entry["type"].as_str().unwrap()));
        for entry in &self.more_services {
            let text = entry.to_string().replace("HERE", &address.to_string());
            catalogue.push(serde_json::from_str(&text).unwrap());
        }
        (201, format!("X-Subject-Token: {token}\r\n"), body.to_string())
    }

    fn inventory(&mut self, asked: &Asked) -> Reply {
        let path: Vec<&str> = asked.line["GET /".len()..].split('/').collect();
        let skipped = if ["volume", "orchestration"].contains(&path[0]) { 3 } else { 2 };
        let (list, id) = match path[skipped..] {
            ["servers", "detail"] | ["servers"] => ("servers", None),
            ["flavors", "detail"] => ("flavors", None),
            ["volumes", "detail"] => ("volumes", None),
            ["snapshots", "detail"] => ("snapshots", None),
            ["os-hypervisors", "detail"] => ("hypervisors", None),
            ["os-availability-zone"] => ("availabilityZoneInfo", None),
            ["os-aggregates"] => ("aggregates", None),
            ["os-keypairs"] => ("keypairs", None),
            ["security-groups"] => ("security_groups", None),
            ["auth", "projects"] => ("projects", None),
            [list] => (list, None),
            [list, id] => (list, Some(id)),
            _ => return reply(404, &json!({})),
        };
        let Some((list, things)) = self.things.get_key_value(list) else { return reply(404, &json!({})) };
        let list = *list;
        if let Some(id) = id {
            let found = things.iter().find(|thing| thing["id"] == id);
            return match found {
                None => reply(404, &recorded!("server_404")["body"]),
                Some(thing) if list == "images" => reply(200, thing),
                Some(thing) => {
                    let mut body = json!({});
                    body[list.trim_end_matches('s')] = thing.clone();
                    reply(200, &body)
                }
            };
        }
        let answer = page(list, things, asked, self.page);
        if list == "servers"
            && let Some(id) = self.deleted_between_pages.take()
        {
            self.things.get_mut("servers").unwrap().retain(|thing| thing["id"] != id.as_str());
        }
        answer
    }
}

/// A page, with links that a proxy made wrong.
fn page(list: &str, things: &[Value], asked: &Asked, most: usize) -> Reply {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(asked.query.as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let ids: Vec<&String> = pairs.iter().filter(|(name, _)| name == "id").map(|(_, id)| id).collect();
    let wanted = |thing: &&Value| ids.is_empty() || ids.iter().any(|id| thing["id"] == id.as_str());
    let things: Vec<&Value> = things.iter().filter(wanted).collect();
    let from = match value("marker") {
        None => 0,
        Some(marker) => match things.iter().position(|thing| thing["id"] == marker.as_str()) {
            Some(place) => place + 1,
            None => return reply(400, &json!({"badRequest": {"code": 400, "message": "marker not found"}})),
        },
    };
    let limit = value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(most).min(most);
    let page: Vec<&Value> = things[from..].iter().take(limit).copied().collect();
    let mut body = json!({});
    if page.len() == limit && from + limit < things.len() {
        let marker = page.last().unwrap()["id"].as_str().unwrap();
        let next = format!("http://wrong.invalid/elsewhere/{list}?limit={limit}&marker={marker}");
        match list {
            "images" => body["next"] = format!("/v2/images?marker={marker}").into(),
            "projects" => body["links"] = json!({"next": next, "previous": null}),
            "stacks" => body["links"] = json!([{"rel": "next", "href": next}]),
            _ => body[format!("{list}_links")] = json!([{"rel": "next", "href": next}]),
        }
    }
    body[list] = json!(page);
    reply(200, &body)
}

async fn read_request(peer: &mut TcpStream) -> Option<Asked> {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    let (head, mut body) = loop {
        let read = peer.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        text.extend_from_slice(&chunk[..read]);
        if let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&text[..end]).into_owned(), text[end + 4..].to_vec());
        }
    };
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        let read = peer.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&chunk[..read]);
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Asked {
        line: format!("{method} {path}"),
        query: query.to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// The provider's collector of an EMS.
pub fn collector(ems: &Ems) -> Box<dyn Collector> {
    provider().collector(ems).unwrap().unwrap()
}

pub fn provider() -> &'static dyn Provider {
    catchall::providers::find("openstack").unwrap()
}

/// A refresh of everything, by a collector of its own as each refresh has.
pub async fn full(ems: &Ems) -> Result<Inventory, RefreshError> {
    collector(ems).collect(&RefreshScope::Full).await
}

/// A refresh of targets.
pub async fn targeted(ems: &Ems, targets: Vec<Target>) -> Result<Inventory, RefreshError> {
    let requests = targets.into_iter().enumerate().map(|(second, target)| {
        let told = target.options.get("event_type").and_then(Value::as_str);
        let event_type = told.unwrap_or("compute.instance.update").to_owned();
        let timestamp = chrono::DateTime::from_timestamp(second as i64, 0).unwrap();
        TargetRequest { target, event_type, timestamp }
    });
    let targets = TargetCollection::new(requests.collect());
    collector(ems).collect(&RefreshScope::Targeted(targets)).await
}

/// The collection of an association.
pub fn named<'a>(inventory: &'a Inventory, association: &str) -> &'a InventoryCollection {
    let found = inventory.collections.iter().find(|collection| collection.association == association);
    found.unwrap_or_else(|| panic!("{association} is not there"))
}

/// Associations that were collected.
pub fn associations(inventory: &Inventory) -> BTreeSet<&'static str> {
    inventory.collections.iter().map(|collection| collection.association).collect()
}
