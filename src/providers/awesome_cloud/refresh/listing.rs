//! Listings of the inventory API: pages to their end, things by their ids. What a thing means stands in `rows`.

use super::super::Api;
use super::rows::Kind;
use crate::provider::http::Answer;
use crate::provider::{RefreshError, json_text};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Most ids in one request.
const MOST_IDS: usize = 100;
/// A listing whose page token is refused begins again so often.
const ATTEMPTS: u32 = 3;
/// A listing is read at most so often, until it names the same things twice.
const READINGS: u32 = 4;

/// A thing as the provider listed it.
pub(super) struct Listed {
    /// Its JSON.
    pub text: String,
}

/// A listing, page by page to its end. Listed twice, because pages shift, is one thing.
struct Listing {
    things: BTreeMap<String, Listed>,
    pages: usize,
}

/// All things of a kind by id.
///
/// A deletion between two pages hides a thing, of which no event may tell any more. But what was deleted had been listed, so
/// that two readings in a row that name the same things have hidden nothing. On a cloud that is too busy for that, what one of
/// the readings named and the last did not is asked for by id.
pub(super) async fn all(api: &Api, kind: &Kind) -> Result<BTreeMap<String, Listed>, RefreshError> {
    let Listing { mut things, pages: count } = pages(api, kind, "").await?;
    let mut unlisted = BTreeSet::new();
    let readings = if count > 1 { READINGS } else { 1 };
    for _ in 1..readings {
        let again = pages(api, kind, "").await?.things;
        let is_same = again.keys().eq(things.keys());
        unlisted.extend(things.into_keys());
        things = again;
        if is_same {
            break;
        }
    }
    unlisted.retain(|id| !things.contains_key(id));
    if kind.by_ids {
        let unlisted: Vec<&str> = unlisted.iter().map(String::as_str).collect();
        things.extend(by_ids(api, kind, &unlisted).await?);
    }
    Ok(things)
}

/// The things of a kind that exist among `ids`. Pages of such an answer shift too: what several pages left out is asked for
/// again, until one page says that it is gone.
pub(super) async fn by_ids(
    api: &Api,
    kind: &Kind,
    ids: &[&str],
) -> Result<BTreeMap<String, Listed>, RefreshError> {
    let mut listed = BTreeMap::new();
    // A comma within an id would make two of it.
    for chunk in ids.iter().filter(|id| !id.contains(',')).collect::<Vec<_>>().chunks(MOST_IDS) {
        let mut ids: Vec<&str> = chunk.iter().map(|id| **id).collect();
        while !ids.is_empty() {
            let Listing { things, pages } = pages(api, kind, &ids.join(",")).await?;
            let asked = ids.len();
            ids.retain(|id| !things.contains_key(*id));
            listed.extend(things);
            if pages == 1 || ids.len() == asked {
                break;
            }
        }
    }
    Ok(listed)
}

async fn pages(api: &Api, kind: &Kind, ids: &str) -> Result<Listing, RefreshError> {
    for _ in 0..ATTEMPTS {
        if let Some(listed) = pages_once(api, kind, ids).await? {
            return Ok(listed);
        }
    }
    let base = api.http.base();
    Err(RefreshError::Unreachable(format!(
        "{base}/v1/{} refused its own page tokens {ATTEMPTS} times",
        kind.path
    )))
}

/// `None` when a page token was refused or came twice.
async fn pages_once(api: &Api, kind: &Kind, ids: &str) -> Result<Option<Listing>, RefreshError> {
    let mut things = BTreeMap::new();
    let mut tokens = HashSet::new();
    let mut token = String::new();
    loop {
        // Pages of things that were asked for by id hold them all.
        let limit = if ids.is_empty() { "1000" } else { "" };
        let answer = api.get(&[kind.path], &[("ids", ids), ("limit", limit), ("page_token", &token)]).await?;
        if answer.status.as_u16() == 400 && !token.is_empty() {
            return Ok(None);
        }
        let answer = answer.success()?;
        match read_page(&answer, kind, &mut things)? {
            None => return Ok(Some(Listing { things, pages: tokens.len() + 1 })),
            Some(next) if !tokens.insert(next.clone()) => return Ok(None),
            Some(next) => token = next,
        }
    }
}

/// Adds what a page lists to `listed` and gives its successor.
fn read_page(
    answer: &Answer,
    kind: &Kind,
    listed: &mut BTreeMap<String, Listed>,
) -> Result<Option<String>, RefreshError> {
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }
    let asked = &answer.asked;
    let broken = || RefreshError::Unreachable(format!("{asked}: the body is no page of {}", kind.path));
    let members = json_text::members(&answer.body).ok_or_else(broken)?;
    let member = |name| members.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    for element in json_text::elements(member(kind.path).ok_or_else(broken)?).ok_or_else(broken)? {
        let text = String::from_utf8_lossy(element).into_owned();
        let Identified { id } = serde_json::from_str(&text).map_err(|error| {
            RefreshError::Malformed(format!("{asked}: an element without a readable id: {error}"))
        })?;
        listed.insert(id, Listed { text });
    }
    let next = member("next_page_token").map_or(Ok(None), serde_json::from_slice::<Option<String>>);
    Ok(next.map_err(|_| broken())?.filter(|next| !next.is_empty()))
}
