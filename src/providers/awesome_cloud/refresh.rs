//! Targets or everything → inventory, in as few calls as the API allows.
//!
//! A deletion needs no call: the event is the news. VMs and hosts are asked for by id, a hundred at a time. A host that
//! only a VM's event names is not asked for: if the VM is on it, what the event told of it is enough to relate them.

mod listing;
mod rows;

use super::Api;
use super::targets::Told;
use crate::provider::{
    CollectionScope, Collector, Inventory, InventoryCollection, RefreshError, RefreshScope, Row,
    TargetCollection, TargetRequest,
};
use async_trait::async_trait;
use listing::Listed;
use rows::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// The collector of one EMS.
pub(super) struct AwesomeCollector {
    api: Api,
}

impl AwesomeCollector {
    pub(super) fn new(api: Api) -> Self {
        Self { api }
    }

    /// All things of a kind.
    async fn all(&self, kind: &'static Kind) -> Result<InventoryCollection, RefreshError> {
        let listed = listing::all(&self.api, kind).await?;
        Ok(collection(kind, listed, CollectionScope::All))
    }

    /// The things with these ids; those that no longer exist are in the scope and have no row.
    async fn some(&self, kind: &'static Kind, ids: &[&str]) -> Result<InventoryCollection, RefreshError> {
        let listed = listing::by_ids(&self.api, kind, ids).await?;
        Ok(collection(
            kind,
            listed,
            CollectionScope::EmsRefs(ids.iter().map(|id| (*id).to_owned()).collect()),
        ))
    }

    async fn targeted(&self, targets: &TargetCollection) -> Result<Inventory, RefreshError> {
        let mut collections = Vec::new();
        for kind in [&rows::FLAVORS, &rows::IMAGES] {
            if !targets.latest(kind.association).is_empty() {
                collections.push(self.all(kind).await?);
            }
        }
        let (mut deleted, mut alive): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for (ems_ref, request) in targets.latest("vms") {
            if told(request).event_name.ends_with("vm.delete") { &mut deleted } else { &mut alive }
                .push(ems_ref);
        }
        let mut vms = self.some(&rows::VMS, &alive).await?;
        let (asked, named): (BTreeMap<_, _>, BTreeMap<_, _>) =
            targets.latest("hosts").into_iter().partition(|(ems_ref, _)| concerns_host(targets, ems_ref));
        if !asked.is_empty() {
            collections.push(self.some(&rows::HOSTS, &asked.into_keys().collect::<Vec<_>>()).await?);
        }
        collections.extend(hosts_in_use(&named, &vms));
        if let CollectionScope::EmsRefs(scope) = &mut vms.scope {
            scope.extend(deleted.into_iter().map(str::to_owned));
            if !scope.is_empty() {
                collections.push(vms);
            }
        }
        Ok(Inventory { collections })
    }
}

#[async_trait]
impl Collector for AwesomeCollector {
    async fn collect(&mut self, scope: &RefreshScope) -> Result<Inventory, RefreshError> {
        match scope {
            RefreshScope::Targeted(targets) => self.targeted(targets).await,
            RefreshScope::Full => {
                let mut collections = Vec::new();
                for kind in [&rows::FLAVORS, &rows::HOSTS, &rows::IMAGES, &rows::VMS] {
                    collections.push(self.all(kind).await?);
                }
                Ok(Inventory { collections })
            }
        }
    }

    async fn confirm_gone(
        &mut self,
        association: &str,
        ems_refs: Vec<String>,
    ) -> Result<Vec<String>, RefreshError> {
        let Some(kind) = rows::kind(association) else { return Ok(Vec::new()) };
        let ids: Vec<&str> = ems_refs.iter().map(String::as_str).collect();
        // Flavors and images cannot be asked for by id: they are listed once more.
        let listed = match kind.by_ids {
            true => listing::by_ids(&self.api, kind, &ids).await?,
            false => listing::all(&self.api, kind).await?,
        };
        Ok(ems_refs.iter().filter(|id| !listed.contains_key(*id)).cloned().collect())
    }
}

/// Makes rows. A thing that makes none is left as it is in the VMDB: it exists, so it leaves the scope.
fn collection(
    kind: &'static Kind,
    listed: BTreeMap<String, Listed>,
    mut scope: CollectionScope,
) -> InventoryCollection {
    let mut rows = Vec::new();
    for (id, listed) in listed {
        match (kind.row)(&listed.text) {
            Ok(row) => rows.push(row),
            Err(reason) => {
                log::warn!("{}: {id} cannot be saved and stays as it is: {reason}", kind.path);
                if let CollectionScope::EmsRefs(ems_refs) = &mut scope {
                    ems_refs.retain(|ems_ref| *ems_ref != id);
                }
            }
        }
    }
    InventoryCollection { association: kind.association, rows, scope }
}

fn told(request: &TargetRequest) -> Told {
    let told: Told = serde_json::from_value(request.target.options.clone()).unwrap_or_default();
    if told.event_name.is_empty() { Told { event_name: request.event_type.clone(), ..told } } else { told }
}

/// Whether an event was about this host itself, rather than about a VM on it.
fn concerns_host(targets: &TargetCollection, ems_ref: &str) -> bool {
    targets
        .requests()
        .iter()
        .filter(|request| request.target.association == "hosts" && request.target.ems_ref() == Some(ems_ref))
        .any(|request| !told(request).event_name.starts_with("com.awesome-cloud.vm"))
}

/// What events told of the hosts that `vms` are on. A host that no VM is on may be gone, so it makes no row.
fn hosts_in_use(
    named: &BTreeMap<&str, &TargetRequest>,
    vms: &InventoryCollection,
) -> Option<InventoryCollection> {
    let in_use: BTreeSet<&str> = vms.rows.iter().filter_map(rows::host_of).collect();
    let row = |(ems_ref, request): (&&str, &&TargetRequest)| -> Option<Row> {
        in_use.contains(ems_ref).then(|| told(request).name.map(|name| rows::named_host(ems_ref, name)))?
    };
    let rows: Vec<Row> = named.iter().filter_map(row).collect();
    (!rows.is_empty()).then_some(InventoryCollection {
        association: rows::HOSTS.association,
        rows,
        scope: CollectionScope::Nothing,
    })
}
