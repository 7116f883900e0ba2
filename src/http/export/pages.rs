//! Reads an export page by page, each time the client has taken the one before.

use super::format::Format;
use super::row::Row;
use crate::clock;
use crate::http::context::{HttpContext, SettingsPart};
use crate::http::reading::read;
use crate::http::timeline::filter::Filter;
use crate::vmdb::timeline::{self, TimelineQuery};
use crate::vmdb::{Connection, VmdbError, ems};
use actix_web::web::Bytes;
use futures_util::Stream;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// So many rows are in memory at a time.
const PAGE: usize = 500;
/// A page that cannot be read is tried again so often, since the beginning is sent already.
const ATTEMPTS: u32 = 5;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);

/// An export under way.
pub(super) struct Export {
    context: HttpContext,
    settings: Arc<SettingsPart>,
    format: Format,
    /// What the next page is asked; `None`: there is none.
    query: Option<TimelineQuery>,
    /// What is read and not sent.
    ready: Option<Vec<u8>>,
    rows: usize,
    _turn: OwnedSemaphorePermit,
}

/// A page, written, and what the next is asked.
struct Page {
    text: Vec<u8>,
    rows: usize,
    next: Option<TimelineQuery>,
}

impl Export {
    /// Reads the first page.
    pub(super) async fn begin(
        context: HttpContext,
        filter: Filter,
        format: Format,
        turn: OwnedSemaphorePermit,
    ) -> Result<Self, String> {
        let (settings, now) = (context.settings(), clock::now());
        let of = settings.clone();
        let page =
            read(&context, move |connection| match filter.query(connection, &of.event_groups, now)? {
                Some(query) => page(connection, query, &of, (format, 0)),
                None => Ok(Page { text: Vec::new(), rows: 0, next: None }),
            })
            .await?;
        let mut ready = format.head()?;
        ready.extend(page.text);
        Ok(Self {
            context,
            settings,
            format,
            query: page.next,
            ready: Some(ready),
            rows: page.rows,
            _turn: turn,
        })
    }

    /// The whole of it. An error ends the connection before the end of the answer, so that nobody takes a part for it.
    pub(super) fn stream(self) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
        futures_util::stream::unfold(Some(self), |export| async move {
            let mut export = export?;
            match export.take().await {
                Ok(Some(text)) => Some((Ok(text.into()), Some(export))),
                Ok(None) => Some((Ok(Bytes::from_static(export.format.foot())), None)),
                Err(error) => {
                    log::warn!("an export was broken off after {} events: {error}", export.rows);
                    Some((Err(std::io::Error::other(error)), None))
                }
            }
        })
    }

    /// The next piece; `None` at the end.
    async fn take(&mut self) -> Result<Option<Vec<u8>>, String> {
        if let Some(ready) = self.ready.take() {
            return Ok(Some(ready));
        }
        // A search that finds little gives pages without a row, and an empty piece would end the answer.
        while let Some(query) = self.query.take() {
            let page = self.read(query).await?;
            self.rows += page.rows;
            self.query = page.next;
            if !page.text.is_empty() {
                return Ok(Some(page.text));
            }
        }
        Ok(None)
    }

    async fn read(&self, query: TimelineQuery) -> Result<Page, String> {
        let mut failed = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(BETWEEN_ATTEMPTS).await;
            }
            let (query, settings) = (query.clone(), self.settings.clone());
            let as_written = (self.format, self.rows);
            let page = read(&self.context, move |connection| page(connection, query, &settings, as_written));
            match page.await {
                Ok(page) => return Ok(page),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }
}

fn page(
    connection: &mut Connection,
    query: TimelineQuery,
    settings: &SettingsPart,
    (format, first): (Format, usize),
) -> Result<Page, VmdbError> {
    let query = TimelineQuery { limit: PAGE, ..query };
    let found = timeline::page(connection, &query)?;
    let emss: BTreeMap<i64, String> =
        ems::list(connection)?.into_iter().map(|ems| (ems.id.0, ems.name)).collect();
    let rows: Vec<_> =
        found.events.iter().map(|event| Row::new(event, &settings.event_groups, &emss)).collect();
    let text = format.rows(&rows, first).map_err(VmdbError::Bug)?;
    let next = found.next.map(|before| TimelineQuery { before: Some(before), ..query.clone() });
    Ok(Page { text, rows: rows.len(), next })
}
