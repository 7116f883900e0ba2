//! Holds the rows of the VMDB against the ledger, and against Nova and Glance.

use crate::cloud::Cloud;
use crate::ledger::{Carried, EXCHANGES};
use crate::vmdb_rows::{self, Place, Reader};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// After a restart of the broker the product may need so long to listen again to an exchange that is there.
const LISTENS_AGAIN: Duration = Duration::from_secs(75);

/// What was found to be as it must.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub carried: usize,
    pub rows: usize,
    pub filtered: usize,
    pub twins: usize,
    /// Lost while the broker restarted, and excused by a gap.
    pub lost: usize,
}

/// Each notification that was carried is one row, or is on the blacklist, or is the twin of one that is a row; and there is no
/// other row. What came right after one of the `restarts`, before the product listened again, may be missing.
pub fn events(place: &Place, carried: &[Carried], restarts: &[Instant]) -> Result<Counts, String> {
    let reader = vmdb_rows::open(place)?;
    let uids = reader.texts("SELECT event_uid AS value FROM event_streams WHERE source = 'OPENSTACK'")?;
    let rows: BTreeSet<&str> = uids.iter().map(String::as_str).collect();
    if rows.len() != uids.len() {
        return Err(format!("{} rows are of {} notifications: one is stored twice", uids.len(), rows.len()));
    }
    let blacklist = blacklist();
    let mut counts = Counts { carried: carried.len(), rows: rows.len(), ..Counts::default() };
    let heard = heard_again(carried, restarts, &rows, &blacklist)?;
    let mut happenings: BTreeMap<(String, &str), Vec<&Carried>> = BTreeMap::new();
    for one in carried {
        happenings.entry((happening(one), one.cause.as_str())).or_default().push(one);
    }
    for ((what, cause), told) in &happenings {
        let stored = told.iter().filter(|one| rows.contains(one.id.as_str())).count();
        let versioned = told.iter().filter(|one| one.versioned).count();
        let happened = versioned.max(told.len() - versioned);
        if told.iter().any(|one| blacklist.contains(&one.event_type)) {
            if stored > 0 {
                return Err(format!("{what} is on the blacklist, and {stored} are rows"));
            }
            counts.filtered += told.len();
            continue;
        }
        let excused = told.iter().filter(|one| heard.excuses(one)).count();
        if stored < happened && happened - stored <= excused {
            counts.lost += happened - stored;
        } else if stored != happened {
            let told: Vec<_> =
                told.iter().map(|one| (&one.event_type, &one.id, rows.contains(one.id.as_str()))).collect();
            return Err(format!(
                "{what} ({cause}) happened {happened} times, and {stored} are rows: {told:?}"
            ));
        }
        counts.twins += told.len() - happened;
    }
    let known: BTreeSet<&str> = carried.iter().map(|one| one.id.as_str()).collect();
    match rows.iter().find(|row| !known.contains(*row)) {
        Some(row) => Err(format!("{row} is a row, and the broker never carried it")),
        None => Ok(counts),
    }
}

/// What a notification tells, in words that are the same for its versioned and its unversioned form.
fn happening(one: &Carried) -> String {
    let odd = [
        ("compute.instance.finish_resize.", "instance.resize_finish."),
        ("servergroup.", "server_group."),
        ("compute_task.build_instances", "compute_task.build_instances.error"),
    ];
    let name = &one.event_type;
    if !one.versioned {
        if name == "compute.instance.volume.attach" || name == "compute.instance.volume.detach" {
            return format!("{}.end", name.replacen("compute.", "", 1));
        }
        for (unversioned, versioned) in odd {
            if let Some(rest) = name.strip_prefix(unversioned) {
                return format!("{versioned}{rest}").replace('_', ".");
            }
        }
    }
    let name = name.strip_prefix("compute.").unwrap_or(name);
    name.replace("._", ".").replace('_', ".")
}

/// Since when the product listens again to each exchange, after each restart.
struct HeardAgain(Vec<(String, Instant, Option<Instant>)>);

impl HeardAgain {
    fn excuses(&self, one: &Carried) -> bool {
        let between =
            |from: &Instant, to: &Option<Instant>| one.at >= *from && to.is_none_or(|to| one.at < to);
        self.0.iter().any(|(exchange, from, to)| *exchange == one.exchange && between(from, to))
    }
}

/// The first row after a restart shows that the exchange is listened to; from then on nothing is excused.
fn heard_again(
    carried: &[Carried],
    restarts: &[Instant],
    rows: &BTreeSet<&str>,
    blacklist: &BTreeSet<String>,
) -> Result<HeardAgain, String> {
    let mut heard = Vec::new();
    for (number, restart) in restarts.iter().enumerate() {
        let end = restarts.get(number + 1);
        for exchange in EXCHANGES {
            let after = carried
                .iter()
                .filter(|one| one.exchange == exchange && !blacklist.contains(&one.event_type))
                .filter(|one| one.at >= *restart && end.is_none_or(|end| one.at < *end));
            let first = after.clone().next().map(|one| one.at);
            let again = after.clone().find(|one| rows.contains(one.id.as_str())).map(|one| one.at);
            let last = after.clone().next_back().map(|one| one.at);
            let late = again.or(last).zip(first).is_some_and(|(again, first)| again - first > LISTENS_AGAIN);
            if late {
                return Err(format!(
                    "{LISTENS_AGAIN:?} after a restart of the broker {exchange} was not listened to"
                ));
            }
            heard.push((exchange.to_owned(), *restart, again));
        }
    }
    Ok(HeardAgain(heard))
}

/// As the provider's defaults have it.
fn blacklist() -> BTreeSet<String> {
    let text = include_str!("../../src/providers/openstack/settings.yml");
    let settings: serde_json::Value = serde_yaml::from_str(text).unwrap();
    let names = settings["ems"]["ems_openstack"]["blacklisted_event_names"].as_array().unwrap();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Tables besides `vms`, and where the cloud lists the same: table, service, path, key of the list.
const BESIDES: [(&str, &str, &str, &str); 7] = [
    ("flavors", "compute", "/flavors/detail?is_public=None", "flavors"),
    ("cloud_tenants", "identity", "/projects", "projects"),
    ("cloud_networks", "network", "/v2.0/networks", "networks"),
    ("cloud_subnets", "network", "/v2.0/subnets", "subnets"),
    ("network_ports", "network", "/v2.0/ports", "ports"),
    ("cloud_volumes", "volumev3", "/volumes/detail?all_tenants=1", "volumes"),
    ("orchestration_stacks", "orchestration", "/stacks", "stacks"),
];

/// `vms` equals Nova's answer, the templates are Glance's images, the other tables what their services list; and no work waits.
pub fn inventory(place: &Place, cloud: &Cloud) -> Result<usize, String> {
    let reader = vmdb_rows::open(place)?;
    let waiting = reader.texts(
        "SELECT class_name || ' ' || state || ' ' || coalesce(args, '-') AS value FROM miq_queue ORDER BY id",
    )?;
    let vms = texts(
        &reader,
        "SELECT vms.ems_ref || '|' || vms.name || '|' || vms.raw_power_state || '|' || coalesce(flavors.ems_ref, '-') \
         || '|' || coalesce(hosts.ems_ref, '-') AS value FROM vms LEFT JOIN flavors ON flavors.id = vms.flavor_id \
         LEFT JOIN hosts ON hosts.id = vms.host_id WHERE vms.ems_id IS NOT NULL AND NOT vms.template",
    )?;
    let templates = texts(
        &reader,
        "SELECT ems_ref || '|' || name AS value FROM vms WHERE ems_id IS NOT NULL AND template",
    )?;
    same("vms and Nova", &vms, cloud.servers())?;
    same("templates and Glance", &templates, cloud.images())?;
    for (table, service, path, list) in BESIDES {
        let kept = texts(&reader, &format!("SELECT ems_ref AS value FROM {table} WHERE ems_id IS NOT NULL"))?;
        same(table, &kept, cloud.ids(service, path, list))?;
    }
    let states = texts(
        &reader,
        "SELECT DISTINCT raw_power_state || ' ' || power_state AS value FROM vms WHERE ems_id IS NOT NULL AND NOT template",
    )?;
    for (raw, meaning) in
        [("ACTIVE", "on"), ("SHUTOFF", "off"), ("PAUSED", "paused"), ("SUSPENDED", "suspended")]
    {
        if let Some(wrong) = states.iter().find(|state| {
            state.split_once(' ').is_some_and(|(found, means)| found == raw && means != meaning)
        }) {
            return Err(format!("{wrong}, which means {meaning}"));
        }
    }
    match waiting.first() {
        Some(first) => Err(format!("{} rows of work wait, such as {first}", waiting.len())),
        None => Ok(vms.len()),
    }
}

fn texts(reader: &Reader, sql: &str) -> Result<BTreeSet<String>, String> {
    Ok(reader.texts(sql)?.into_iter().collect())
}

fn same(what: &str, kept: &BTreeSet<String>, truth: Vec<String>) -> Result<(), String> {
    let truth: BTreeSet<String> = truth.into_iter().collect();
    let surplus: Vec<_> = kept.difference(&truth).take(3).collect();
    let lacking: Vec<_> = truth.difference(kept).take(3).collect();
    match surplus.is_empty() && lacking.is_empty() {
        true => Ok(()),
        false => Err(format!("{what} differ: only kept {surplus:?}; only true {lacking:?}")),
    }
}
