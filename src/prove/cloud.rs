//! The simulated cloud of a run: a process of its own, and what is asked of it beside the API that Catchall knows.

use super::error::ProveError;
use super::facts::{Gone, Things};
use super::process::Process;
use super::schedule::Schedule;
use crate::simulator::{FaultKind, Faults};
use crate::vmdb::evidence::TIMES;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A running cloud; gone when it is dropped.
pub struct Cloud {
    url: String,
    client: reqwest::Client,
    _process: Process,
}

/// How often a question is asked before the cloud counts as broken.
const TRIES: usize = 5;

/// All events that ever became visible.
#[derive(Debug, Default, Deserialize)]
pub struct Ledger {
    /// Ids of the well-formed ones.
    pub events: Vec<String>,
    /// Ids of the malformed ones.
    pub malformed: Vec<String>,
    /// How many are still to become visible.
    pub hidden: usize,
    /// Those that the cloud no longer keeps.
    #[serde(default)]
    pub gone: Vec<Gone>,
}

impl Cloud {
    /// Starts the cloud of `schedule` with its faults on; it logs beside `folder`'s other files.
    ///
    /// # Errors
    /// [`ProveError::Unable`] when it does not come up.
    pub async fn start(program: &Path, folder: &Path, schedule: &Schedule) -> Result<Self, ProveError> {
        let log = folder.join("simulate.log");
        let mut command = Command::new(program);
        command.current_dir(folder).env_remove("RUST_LOG").env_remove("CATCHALL_KILL_AT");
        command.args(["--log-level", "info", "simulate", "awesome-cloud", "--listen", "127.0.0.1:0"]);
        command.args(["--rate", &schedule.rate.to_string(), "--vms", &schedule.vms.to_string()]);
        command.args(["--seed", &schedule.cloud_seed.to_string()]);
        let mut process = Process::start(&mut command, &log)?;
        let deadline = Instant::now() + Duration::from_secs(30);
        let url = loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let line = text.lines().find_map(|line| line.split_once("listens on http://"));
            match line {
                Some((_, address)) => break format!("http://{}", address.trim()),
                None if process.ended().is_some() || Instant::now() > deadline => {
                    return Err(ProveError::unable("the simulated cloud does not start", text));
                }
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        // A cloud that resets connections resets idle ones as well: each question has its own.
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(20)).pool_max_idle_per_host(0).build();
        let client = client.map_err(|error| ProveError::unable("no HTTP client", error))?;
        let this = Self { url, client, _process: process };
        // History is lost when the proof says so.
        let kinds = schedule.faults.iter().copied().filter(|kind| *kind != FaultKind::HistoryLost);
        this.post("faults", &Faults::of(&kinds.collect::<Vec<_>>(), u64::from(schedule.cloud_seed))).await?;
        Ok(this)
    }

    /// All faults of `schedule` are on, and history is lost the `nth` time at the next event.
    ///
    /// # Errors
    /// See [`ProveError`].
    pub async fn lose_history(&self, schedule: &Schedule, nth: u64) -> Result<(), ProveError> {
        let faults = Faults::of(&schedule.faults, u64::from(schedule.cloud_seed));
        self.post("faults", &Faults { history_lost_share: 1.0, history_losses: nth, ..faults }).await
    }

    /// The endpoint's `url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Nothing more goes wrong, and nothing more happens.
    ///
    /// # Errors
    /// See [`ProveError`].
    pub async fn heal(&self) -> Result<(), ProveError> {
        self.post("rate", &json!({"rate": 0.0})).await?;
        self.post("faults", &json!({})).await
    }

    /// All events that ever became visible.
    ///
    /// # Errors
    /// See [`ProveError`].
    pub async fn ledger(&self) -> Result<Ledger, ProveError> {
        self.get("ledger").await
    }

    /// How often each fault was met.
    ///
    /// # Errors
    /// See [`ProveError`].
    pub async fn faults_met(&self) -> Result<BTreeMap<String, u64>, ProveError> {
        let stats: Value = self.get("stats").await?;
        Ok(serde_json::from_value(stats["faults_met"].clone()).unwrap_or_default())
    }

    /// The inventory as it truly is, in the columns of the VMDB.
    ///
    /// # Errors
    /// See [`ProveError`].
    pub async fn truth(&self) -> Result<Things, ProveError> {
        self.get("inventory").await.map(|inventory| truth(&inventory))
    }

    async fn get<T: DeserializeOwned>(&self, what: &str) -> Result<T, ProveError> {
        let url = format!("{}/v1/_simulator/{what}", self.url);
        let mut tries = 1;
        loop {
            let got = async { self.client.get(&url).send().await?.error_for_status()?.json().await };
            let got: Result<T, reqwest::Error> = got.await;
            match got {
                Ok(got) => return Ok(got),
                Err(error) if tries == TRIES => return Err(ProveError::unable("the simulated cloud", error)),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn post<T: serde::Serialize>(&self, what: &str, body: &T) -> Result<(), ProveError> {
        let url = format!("{}/v1/_simulator/{what}", self.url);
        let answer =
            self.client.post(&url).json(body).send().await.and_then(reqwest::Response::error_for_status);
        answer.map(drop).map_err(|error| ProveError::unable("the simulated cloud", error))
    }
}

/// What the page of the API says that a refresh makes of each thing. Written here again and apart from the provider, so that
/// a mistake there is seen.
fn truth(inventory: &Value) -> Things {
    let kinds: [(&str, &str, ColumnsOf); 4] = [
        ("vms", "vm", vm),
        ("images", "template", image),
        ("hosts", "host", host),
        ("flavors", "flavor", flavor),
    ];
    let mut things = Things::new();
    for (list, kind, columns) in kinds {
        for thing in inventory[list].as_array().into_iter().flatten() {
            things.insert(format!("{kind} {}", text(thing, "id")), columns(thing).into_iter().collect());
        }
    }
    things
}

type Columns = Vec<(&'static str, String)>;
type ColumnsOf = fn(&Value) -> Columns;

fn vm(vm: &Value) -> Columns {
    let power_state = match text(vm, "state").as_str() {
        "running" => "on",
        "stopped" => "off",
        _ => "suspended",
    };
    let created: Option<DateTime<Utc>> = text(vm, "created_at").parse().ok();
    let mut columns = vec![
        ("uid_ems", text(vm, "id")),
        ("name", text(vm, "name")),
        ("type", class("Vm")),
        ("vendor", "awesome_cloud".to_owned()),
        ("raw_power_state", text(vm, "state")),
        ("power_state", power_state.to_owned()),
        ("host", text(vm, "host_id")),
        ("flavor", text(vm, "flavor_id")),
    ];
    columns.extend(created.map(|time| ("ems_created_on", time.format(TIMES).to_string())));
    columns
}

fn image(image: &Value) -> Columns {
    vec![
        ("uid_ems", text(image, "id")),
        ("name", text(image, "name")),
        ("type", class("Template")),
        ("vendor", "awesome_cloud".to_owned()),
    ]
}

fn host(host: &Value) -> Columns {
    let state = text(host, "state");
    vec![
        ("uid_ems", text(host, "id")),
        ("name", text(host, "name")),
        ("type", class("Host")),
        ("power_state", if state == "down" { "off" } else { "on" }.to_owned()),
        ("maintenance", (state == "maintenance").to_string()),
        ("raw_power_state", state),
    ]
}

fn flavor(flavor: &Value) -> Columns {
    let number = |field: &str, unit: i64| (flavor[field].as_i64().unwrap_or_default() * unit).to_string();
    vec![
        ("name", text(flavor, "name")),
        ("type", class("Flavor")),
        ("cpu_total_cores", number("cpus", 1)),
        ("memory", number("memory_mb", 1 << 20)),
        ("root_disk_size", number("disk_gb", 1 << 30)),
    ]
}

fn class(name: &str) -> String {
    format!("ManageIQ::Providers::AwesomeCloud::CloudManager::{name}")
}

fn text(thing: &Value, field: &str) -> String {
    thing[field].as_str().unwrap_or_default().to_owned()
}
