//! A targeted refresh: only the targets, and what their rows refer to where a cloud may not tell of it by events.
//!
//! A target's `ems_ref` is null where the event does not say which of a kind it was about: then all of that kind.

use super::kinds::{self, ById, KINDS, Kind};
use super::listing::{self, Listed};
use super::{OpenstackCollector, collection};
use crate::provider::{
    CollectionScope, Inventory, InventoryCollection, RefreshError, TargetCollection, TargetRequest,
};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds whose things are asked for when a row refers to one that was not asked for lately. Of flavors, hosts and zones
/// Nova tells in versioned notifications only; projects come with nearly every event, and hardly ever change.
const REFERRED: [&str; 4] = ["flavors", "hosts", "availability_zones", "cloud_tenants"];

impl OpenstackCollector {
    pub(super) async fn targeted(&self, targets: &TargetCollection) -> Result<Inventory, RefreshError> {
        let mut collections = Vec::new();
        for kind in &KINDS {
            collections.extend(self.of_kind(kind, targets).await?);
        }
        for (association, ems_refs) in self.referred(&collections) {
            collections.extend(self.besides(association, &ems_refs).await?);
        }
        Ok(Inventory { collections })
    }

    async fn of_kind(
        &self,
        kind: &'static Kind,
        targets: &TargetCollection,
    ) -> Result<Option<InventoryCollection>, RefreshError> {
        if names_all(targets, kind.association) {
            let answer = listing::all(&self.api, kind).await;
            let listed = self.usable(kind, answer)?;
            return Ok(listed.map(|listed| collection(kind, listed, CollectionScope::All)));
        }
        let (deleted, mut alive): (Vec<_>, Vec<_>) =
            targets.latest(kind.association).into_iter().partition(|(_, request)| is_deleted(request));
        if kind.association == "cloud_tenants" {
            alive.retain(|(ems_ref, _)| self.is_worth_asking(targets, ems_ref));
        }
        let ids: Vec<&str> = alive.into_iter().map(|(ems_ref, _)| ems_ref).collect();
        let mut scope: Vec<String> = deleted.into_iter().map(|(ems_ref, _)| ems_ref.to_owned()).collect();
        let mut found = Listed::default();
        if !ids.is_empty() {
            let answer = listing::by_ids(&self.api, kind, &ids).await;
            if let Some(listed) = self.usable(kind, answer)? {
                self.remember(kind, &listed);
                let all_there = ids.iter().all(|id| listed.has(id));
                let counts = all_there || self.absence_counts().await?;
                // What makes no row is there and stays as it is.
                let asked =
                    ids.iter().filter(|id| listed.rows.contains_key(**id) || !listed.has(id) && counts);
                scope.extend(asked.map(|id| (*id).to_owned()));
                found = listed;
            }
        }
        Ok((!scope.is_empty()).then(|| collection(kind, found, CollectionScope::EmsRefs(scope))))
    }

    /// Nearly every event names its project. It is asked for when the event is about the project, or it is new to us.
    fn is_worth_asking(&self, targets: &TargetCollection, ems_ref: &str) -> bool {
        let about = |request: &TargetRequest| {
            request.target.association == "cloud_tenants"
                && request.target.ems_ref() == Some(ems_ref)
                && request.event_type.starts_with("identity.project.")
        };
        targets.requests().iter().any(about) || !self.was_asked("cloud_tenants", ems_ref)
    }

    fn was_asked(&self, association: &'static str, ems_ref: &str) -> bool {
        self.api.keystone().notes.was_asked(association, ems_ref)
    }

    /// What the rows refer to and nobody asked for lately.
    fn referred(&self, collections: &[InventoryCollection]) -> BTreeMap<&'static str, BTreeSet<String>> {
        let there: BTreeSet<(&str, &str)> = collections
            .iter()
            .flat_map(|collection| {
                collection.rows.iter().map(|row| (collection.association, row.ems_ref.as_str()))
            })
            .collect();
        let mut referred: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        let rows = collections.iter().flat_map(|collection| &collection.rows);
        for (association, ems_ref) in rows.flat_map(crate::provider::Row::references) {
            let wanted = REFERRED.contains(&association) && !there.contains(&(association, ems_ref));
            if wanted && !self.was_asked(association, ems_ref) {
                referred.entry(association).or_default().insert(ems_ref.to_owned());
            }
        }
        referred
    }

    /// These are added or changed, and nothing is removed for them.
    async fn besides(
        &self,
        association: &'static str,
        ems_refs: &BTreeSet<String>,
    ) -> Result<Option<InventoryCollection>, RefreshError> {
        let Some(kind) = kinds::kind(association) else { return Ok(None) };
        let ids: Vec<&str> = ems_refs.iter().map(String::as_str).collect();
        // A short list costs the same whether we keep all of it or not.
        let answer = match kind.by_id {
            ById::List => listing::all(&self.api, kind).await,
            ById::Path(..) | ById::Filter => listing::by_ids(&self.api, kind, &ids).await,
        };
        // Also of what is not there, or not ours to see: it is not asked for with every event.
        self.api.keystone().notes.asked(association, ids.iter().copied());
        let Some(listed) = self.usable(kind, answer)? else { return Ok(None) };
        self.remember(kind, &listed);
        Ok((!listed.rows.is_empty()).then(|| collection(kind, listed, CollectionScope::Nothing)))
    }
}

/// Whether a target names all of the association.
fn names_all(targets: &TargetCollection, association: &str) -> bool {
    let of_it = |request: &&TargetRequest| request.target.association == association;
    targets.requests().iter().filter(of_it).any(|request| request.target.ems_ref().is_none())
}

/// Whether the event told that the thing is gone for certain.
fn is_deleted(request: &TargetRequest) -> bool {
    request.target.options.get("deleted").and_then(serde_json::Value::as_bool) == Some(true)
}
