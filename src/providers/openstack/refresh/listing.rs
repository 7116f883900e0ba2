//! Lists of things: pages to their end, things by their keys. What a thing means stands in `rows`.

use super::api::{Api, Ask, Trouble};
use super::kinds::{ById, Kind};
use super::page::{self, Page};
use crate::provider::http::Answer;
use crate::provider::{RefreshError, Row};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// Keys in one filter: an address of 50 ids has some 2 KiB.
const MOST_IDS: usize = 50;
/// Requests for single things that are under way at once.
const AT_ONCE: usize = 4;
/// A list whose marker is gone begins again so often.
const ATTEMPTS: u32 = 3;

/// What a cloud has.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// By key. Listed twice, because pages shift, is one thing.
    pub rows: BTreeMap<String, Row>,
    /// Keys of things that are there and make no row.
    pub unreadable: BTreeSet<String>,
}

impl Listed {
    /// Whether the thing is there.
    pub(super) fn has(&self, ems_ref: &str) -> bool {
        self.rows.contains_key(ems_ref) || self.unreadable.contains(ems_ref)
    }

    fn add(&mut self, kind: &Kind, asked: &str, text: &str) -> Result<(), RefreshError> {
        match (kind.row)(text) {
            Ok(row) => {
                self.rows.insert(row.ems_ref.clone(), row);
            }
            Err(reason) => {
                let key = page::key(text, kind.key).ok_or_else(|| {
                    RefreshError::Malformed(format!("{asked}: an element without a readable key: {reason}"))
                })?;
                log::warn!("{asked}: {key} cannot be saved and stays as it is: {reason}");
                self.unreadable.insert(key);
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.unreadable.extend(other.unreadable);
    }
}

/// All things of a kind.
pub(super) async fn all(api: &Api, kind: &Kind) -> Result<Listed, Trouble> {
    let mut listed = pages(api, kind, &[]).await?;
    listed.rows.extend(kind.besides.map(|row| row()).map(|row| (row.ems_ref.clone(), row)));
    Ok(listed)
}

/// The things of a kind that exist among `ids`.
pub(super) async fn by_ids(api: &Api, kind: &Kind, ids: &[&str]) -> Result<Listed, Trouble> {
    // Neither can be a key, and each would make another address.
    let ids: Vec<&str> = ids.iter().copied().filter(|id| !["", ".", ".."].contains(id)).collect();
    let mut found = Listed::default();
    match kind.by_id {
        ById::Path(path, member) => {
            // Made here and begun by turns.
            let asked: Vec<_> = ids.iter().map(|id| one(api, kind, (path, member), id)).collect();
            let answers = stream::iter(asked).buffer_unordered(AT_ONCE);
            let answers: Vec<Listed> = answers.try_collect().await?;
            answers.into_iter().for_each(|one| found.merge(one));
        }
        ById::Filter => {
            for chunk in ids.chunks(MOST_IDS) {
                found.merge(pages(api, kind, chunk).await?);
            }
        }
        ById::List if ids.is_empty() => {}
        ById::List => found = all(api, kind).await?,
    }
    let wanted: BTreeSet<&str> = ids.into_iter().collect();
    found.rows.retain(|ems_ref, _| wanted.contains(ems_ref.as_str()));
    found.unreadable.retain(|ems_ref| wanted.contains(ems_ref.as_str()));
    Ok(found)
}

async fn one(
    api: &Api,
    kind: &Kind,
    (path, member): (&[&str], Option<&str>),
    id: &str,
) -> Result<Listed, Trouble> {
    let path = [path, &[id]].concat();
    let answer = api.get(Ask { service: kind.service, path: &path, query: &[], most: kind.most }).await?;
    let mut found = Listed::default();
    if answer.status.as_u16() == 404 {
        return Ok(found);
    }
    let answer = answer.success()?;
    let text = page::member(&answer.body, member).ok_or_else(|| broken(&answer, kind))?;
    found.add(kind, &answer.asked, &text)?;
    Ok(found)
}

async fn pages(api: &Api, kind: &Kind, ids: &[&str]) -> Result<Listed, Trouble> {
    for _ in 0..ATTEMPTS {
        if let Some(listed) = pages_once(api, kind, ids).await? {
            return Ok(listed);
        }
    }
    Err(Trouble::Failed(RefreshError::Unreachable(format!(
        "the list of {} of {} was torn {ATTEMPTS} times: its pages begin behind a thing that is deleted meanwhile",
        kind.list,
        kind.service.name()
    ))))
}

/// `None` when a page cannot be gone on from: the thing that it begins behind was deleted.
async fn pages_once(api: &Api, kind: &Kind, ids: &[&str]) -> Result<Option<Listed>, Trouble> {
    let first = first_query(kind, api.all_projects, ids);
    let path = kind.own_path.filter(|_| !api.all_projects).unwrap_or(kind.path);
    let (mut listed, mut query) = (Listed::default(), first.clone());
    loop {
        let answer = api.get(Ask { service: kind.service, path, query: &query, most: kind.most }).await?;
        if [400, 404].contains(&answer.status.as_u16()) && query != first {
            return Ok(None);
        }
        let answer = answer.success()?;
        let Page { elements, next } =
            page::read(&answer.body, kind.list).ok_or_else(|| broken(&answer, kind))?;
        let before = listed.rows.len() + listed.unreadable.len();
        for text in &elements {
            listed.add(kind, &answer.asked, text)?;
        }
        // A page that brings nothing new is none: some services do not know `marker`.
        match next {
            Some(next) if listed.rows.len() + listed.unreadable.len() > before => {
                query = page::following(&first, next);
            }
            _ => return Ok(Some(listed)),
        }
    }
}

fn first_query(kind: &Kind, all_projects: bool, ids: &[&str]) -> Vec<(String, String)> {
    let across = kind.across.filter(|_| all_projects);
    let ids = ids.iter().map(|id| ("id", *id));
    let all = kind.query.iter().copied().chain(across).chain(ids);
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn broken(answer: &Answer, kind: &Kind) -> RefreshError {
    RefreshError::Malformed(format!("{}: the body is no answer with {}", answer.asked, kind.list))
}
