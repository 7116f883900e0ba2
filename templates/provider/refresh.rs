//! Targets (or everything) → inventory. Ruby: `Inventory::Collector` and `Inventory::Parser`.
//!
//! A targeted refresh asks in one call for all the VMs it is about, and asks nothing for those that an event already told
//! to be gone.

use super::api::Api;
use crate::provider::{
    Attribute, CollectionScope, Collector, Ems, Inventory, InventoryCollection, ProviderError, RefreshError,
    RefreshScope, Row,
};
use async_trait::async_trait;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The collector of one EMS.
pub struct VmCollector {
    api: Api,
}

#[derive(Deserialize)]
struct Page {
    vms: Vec<Vm>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Vm {
    id: String,
    name: String,
    state: String,
}

impl VmCollector {
    /// Reads the settings; connects to nothing yet.
    pub fn new(ems: &Ems) -> Result<Self, ProviderError> {
        Ok(Self { api: Api::new(ems)? })
    }

    /// Every VM, or just those of `ids`; page by page.
    async fn vms(&self, ids: Option<&[String]>) -> Result<Vec<Vm>, RefreshError> {
        let mut vms = Vec::new();
        let mut page_token = None;
        loop {
            let mut parameters = Vec::new();
            parameters.extend(ids.map(|ids| ("ids", ids.join(","))));
            parameters.extend(page_token.map(|token| ("page_token", token)));
            let answer = self.api.get("vms", &parameters).await?.success()?;
            let page: Page = serde_json::from_slice(&answer.body)
                .map_err(|error| RefreshError::Malformed(format!("{}: {error}", answer.asked)))?;
            vms.extend(page.vms);
            page_token = page.next_page_token;
            if page_token.is_none() {
                return Ok(vms);
            }
        }
    }
}

#[async_trait]
impl Collector for VmCollector {
    async fn collect(&mut self, scope: &RefreshScope) -> Result<Inventory, RefreshError> {
        let (vms, scope) = match scope {
            RefreshScope::Full => (self.vms(None).await?, CollectionScope::All),
            RefreshScope::Targeted(targets) => {
                let latest = targets.latest("vms");
                let ids: Vec<String> = latest
                    .iter()
                    .filter(|(_, request)| request.target.options["deleted"] != true)
                    .map(|(id, _)| (*id).to_owned())
                    .collect();
                let vms = if ids.is_empty() { Vec::new() } else { self.vms(Some(&ids)).await? };
                (vms, CollectionScope::EmsRefs(latest.into_keys().map(str::to_owned).collect()))
            }
        };
        let rows = vms.into_iter().map(row).collect();
        Ok(Inventory { collections: vec![InventoryCollection { association: "vms", rows, scope }] })
    }

    async fn confirm_gone(
        &mut self,
        _association: &str,
        ems_refs: Vec<String>,
    ) -> Result<Vec<String>, RefreshError> {
        let there: BTreeSet<String> = self.vms(Some(&ems_refs)).await?.into_iter().map(|vm| vm.id).collect();
        Ok(ems_refs.into_iter().filter(|id| !there.contains(id)).collect())
    }
}

/// The keys must equal what `parser.rs` writes as references: `vm_ems_ref`, `vm_uid_ems`.
fn row(vm: Vm) -> Row {
    let power_state = match vm.state.as_str() {
        "running" => "on",
        "stopped" => "off",
        _ => "unknown",
    };
    Row {
        attributes: vec![
            ("type", Attribute::Text("ManageIQ::Providers::BrightCloud::CloudManager::Vm".to_owned())),
            ("uid_ems", Attribute::Text(vm.id.clone())),
            ("name", Attribute::Text(vm.name)),
            ("vendor", Attribute::Text("bright_cloud".to_owned())),
            ("power_state", Attribute::Text(power_state.to_owned())),
            ("raw_power_state", Attribute::Text(vm.state)),
            ("template", Attribute::Boolean(false)),
        ],
        ems_ref: vm.id,
    }
}
