//! Targets or everything → inventory.
//!
//! A kind that the cloud does not have, or that the rights do not suffice for, is left as it is in the VMDB and said once;
//! the others are refreshed. A deletion needs no call: the event is the news.

mod api;
mod kinds;
mod listing;
mod page;
mod rows;
mod targeted;

use crate::provider::{
    CollectionScope, Collector, Ems, Inventory, InventoryCollection, ProviderError, RefreshError,
    RefreshScope,
};
use api::{Api, Trouble};
use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use kinds::{KINDS, Kind};
use listing::Listed;

/// Kinds that are listed at the same time.
const AT_ONCE: usize = 3;

/// The collector of one EMS; without `endpoints.default` there is none. Opens no connection yet.
pub(super) fn collector(ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
    if !ems.endpoints.contains_key("default") {
        return Ok(None);
    }
    Ok(Some(Box::new(OpenstackCollector { api: Api::new(ems)?, ems_name: ems.name.clone() })))
}

struct OpenstackCollector {
    api: Api,
    ems_name: String,
}

impl OpenstackCollector {
    async fn full(&self) -> Result<Inventory, RefreshError> {
        // Made here and begun by turns.
        let asked: Vec<_> = KINDS.iter().map(|kind| listing::all(&self.api, kind)).collect();
        let mut answers = std::pin::pin!(stream::iter(asked).buffered(AT_ONCE));
        let (mut collections, mut forbidden) = (Vec::new(), None);
        for kind in &KINDS {
            // What fails ends it: the others are not asked any more.
            let Some(answer) = answers.next().await else { break };
            let servers = kind.association == "vms" && self.api.all_projects;
            if servers && matches!(answer, Ok(_) | Err(Trouble::Forbidden(_))) {
                self.note_sees_all(answer.is_ok()).await?;
            }
            if let Err(Trouble::Forbidden(message)) = &answer {
                forbidden.get_or_insert_with(|| message.clone());
            }
            collections.extend(self.usable(kind, answer)?.map(|listed| {
                self.remember(kind, &listed);
                collection(kind, listed, CollectionScope::All)
            }));
        }
        match forbidden {
            Some(message) if collections.is_empty() => Err(RefreshError::Unauthorized(message)),
            _ => Ok(Inventory { collections }),
        }
    }

    /// What was listed; `None` when the kind is left out, which is said once.
    fn usable(
        &self,
        kind: &'static Kind,
        answer: Result<Listed, Trouble>,
    ) -> Result<Option<Listed>, RefreshError> {
        let notes = &self.api.keystone().notes;
        let association = kind.association;
        match answer {
            Ok(listed) => {
                notes.is_well(association);
                Ok(Some(listed))
            }
            Err(Trouble::NoService(why)) => {
                if notes.is_news(association, &why) {
                    log::info!("{}: {association} are not refreshed: {why}", self.ems_name);
                }
                Ok(None)
            }
            Err(Trouble::Forbidden(why)) => {
                if notes.is_news(association, &why) {
                    log::warn!(
                        "{}: the rights do not suffice for {association}, which stay as they are: {why}; see \"Rights\" in \
                         docs/providers/openstack.md",
                        self.ems_name
                    );
                }
                Ok(None)
            }
            Err(Trouble::Failed(error)) => Err(error),
        }
    }

    /// What others may refer to need not be asked for again so soon.
    fn remember(&self, kind: &Kind, listed: &Listed) {
        self.api.keystone().notes.asked(kind.association, listed.rows.keys().map(String::as_str));
    }

    async fn note_sees_all(&self, sees_all: bool) -> Result<(), RefreshError> {
        self.api.note_sees_all(sees_all).await.map_err(whatever)
    }

    /// Whether what is not shown is not there.
    async fn absence_counts(&self) -> Result<bool, RefreshError> {
        let sees_all = self.api.sees_all().await.map_err(whatever)?;
        let notes = &self.api.keystone().notes;
        let message = "nothing is taken for deleted because it is not shown";
        if sees_all {
            notes.is_well("absence");
        } else if notes.is_news("absence", message) {
            log::warn!(
                "{}: the login does not show all projects (any more): {message}; give it its role back, or set \
                 endpoints.default.all_projects to false",
                self.ems_name
            );
        }
        Ok(sees_all)
    }
}

#[async_trait]
impl Collector for OpenstackCollector {
    async fn collect(&mut self, scope: &RefreshScope) -> Result<Inventory, RefreshError> {
        match scope {
            RefreshScope::Full => self.full().await,
            RefreshScope::Targeted(targets) => self.targeted(targets).await,
        }
    }

    async fn confirm_gone(
        &mut self,
        association: &str,
        ems_refs: Vec<String>,
    ) -> Result<Vec<String>, RefreshError> {
        let Some(kind) = kinds::kind(association) else { return Ok(Vec::new()) };
        if !self.absence_counts().await? {
            return Ok(Vec::new());
        }
        let ids: Vec<&str> = ems_refs.iter().map(String::as_str).collect();
        let answer = listing::by_ids(&self.api, kind, &ids).await;
        let Some(listed) = self.usable(kind, answer)? else { return Ok(Vec::new()) };
        Ok(ems_refs.into_iter().filter(|ems_ref| !listed.has(ems_ref)).collect())
    }
}

fn collection(kind: &Kind, listed: Listed, scope: CollectionScope) -> InventoryCollection {
    InventoryCollection { association: kind.association, rows: listed.rows.into_values().collect(), scope }
}

/// For a question to Nova that no kind can be left out for.
fn whatever(trouble: Trouble) -> RefreshError {
    match trouble {
        Trouble::Failed(error) => error,
        Trouble::NoService(why) => RefreshError::Unreachable(why),
        Trouble::Forbidden(why) => RefreshError::Unauthorized(why),
    }
}
