//! Listings of the inventory API: pages to their end, things by their ids. What a thing means stands in `rows`.

use super::super::Api;
use super::rows::Kind;
use crate::provider::http::Answer;
use crate::provider::{RefreshError, json_text};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};

/// Most ids in one request.
const MOST_IDS: usize = 100;
/// A listing whose page token is refused begins again so often.
const ATTEMPTS: u32 = 3;

/// A thing as the provider listed it.
pub(super) struct Listed {
    /// Its JSON.
    pub text: String,
}

/// All things of a kind by id. Listed twice, because pages shift, is one thing.
pub(super) async fn all(api: &Api, kind: &Kind) -> Result<BTreeMap<String, Listed>, RefreshError> {
    pages(api, kind, "").await
}

/// The things of a kind that exist among `ids`.
pub(super) async fn by_ids(
    api: &Api,
    kind: &Kind,
    ids: &[&str],
) -> Result<BTreeMap<String, Listed>, RefreshError> {
    let mut listed = BTreeMap::new();
    // A comma within an id would make two of it.
    for chunk in ids.iter().filter(|id| !id.contains(',')).collect::<Vec<_>>().chunks(MOST_IDS) {
        let ids = chunk.iter().map(|id| **id).collect::<Vec<_>>().join(",");
        listed.extend(pages(api, kind, &ids).await?);
    }
    Ok(listed)
}

async fn pages(api: &Api, kind: &Kind, ids: &str) -> Result<BTreeMap<String, Listed>, RefreshError> {
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
async fn pages_once(
    api: &Api,
    kind: &Kind,
    ids: &str,
) -> Result<Option<BTreeMap<String, Listed>>, RefreshError> {
    let mut listed = BTreeMap::new();
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
        match read_page(&answer, kind, &mut listed)? {
            None => return Ok(Some(listed)),
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
