//! Reads a page of a collection, or one record, within one visit to the VMDB.

use super::answer::{Collection, Links, pages};
use super::attributes::{Attributes, order};
use super::condition::{Groups, asks_for_groups, condition};
use super::cursor::Cursor;
use super::error::ApiError;
use super::record::Record;
use super::related::relate;
use super::request::Request;
use crate::settings::EventGroups;
use crate::vmdb::api::event_search::{self, Place, Search, Walk};
use crate::vmdb::api::{self, Condition, Order, Page};
use crate::vmdb::{Connection, Fields, VmdbError, timeline};

/// A request that was understood.
pub(super) struct Listing<R: Record> {
    request: Request,
    attributes: Attributes<R>,
    order: Vec<Order>,
    cursor: Option<Cursor>,
}

/// Rows, and where the next begin.
struct Rows {
    rows: Vec<Fields>,
    next: Option<Cursor>,
    broken_off: bool,
}

/// What the VMDB answered, or why it was not asked.
pub(super) type Answered<T> = Result<Result<T, ApiError>, VmdbError>;

impl<R: Record> Listing<R> {
    /// Checks all that can be checked without the VMDB.
    pub(super) fn new(request: Request) -> Result<Self, ApiError> {
        let attributes = match (request.expand, &request.attributes) {
            (true, names) => Attributes::new(names.as_deref())?,
            (false, names) => Attributes::<R>::new(names.as_deref()).map(|_| Attributes::none())?,
        };
        let order = order::<R>(&request.sort, request.ignore_case)?;
        let nobody = Groups { by: &EventGroups::default(), event_types: &[] };
        condition::<R>(&request.filters, nobody)?;
        let cursor = request.cursor.as_deref().map(Cursor::read).transpose()?;
        let listing = Self { request, attributes, order, cursor };
        let fits = match (listing.walk(), cursor) {
            (_, None) | (None, Some(Cursor::Offset(_))) => true,
            (Some(walk), Some(Cursor::Event(of, _))) => walk == of,
            _ => false,
        };
        if fits { Ok(listing) } else { Err(misplaced_cursor()) }
    }

    /// Reads the page.
    pub(super) fn read(&self, connection: &mut Connection, groups: &EventGroups) -> Answered<Collection<R>> {
        let condition = match self.condition(connection, groups)? {
            Ok(condition) => condition,
            Err(error) => return Ok(Err(error)),
        };
        let page = match self.walk() {
            Some(walk) => self.walked(connection, walk, &condition)?,
            None if R::TABLE == "event_streams" && !event_search::is_small(connection, &condition)? => {
                return Ok(Err(too_many_to_sort()));
            }
            None => self.sorted(connection, &condition)?,
        };
        let mut resources: Vec<R> = page.rows.iter().map(|row| self.attributes.record(row)).collect();
        self.complete(connection, groups, &page.rows, &mut resources)?;
        let count = api::count(connection, R::TABLE, &Condition::always())?;
        let is_filtered = !self.request.filters.is_empty();
        let is_counted = R::TABLE != "event_streams" || event_search::is_counted(&condition);
        let subquery_count = match (is_filtered, is_counted) {
            (false, _) => None,
            (true, true) => Some(api::count(connection, R::TABLE, &condition)?),
            (true, false) => Some(None),
        };
        let found = subquery_count.unwrap_or(count);
        let path = format!("/api/{}", R::COLLECTION);
        Ok(Ok(Collection {
            name: R::COLLECTION,
            count,
            subcount: resources.len(),
            subquery_count,
            pages: pages(found, self.request.limit),
            broken_off: page.broken_off,
            resources,
            actions: [],
            links: Links::new(&path, &self.request, page.next.map(Cursor::write), found),
        }))
    }

    /// Reads the record of this id; `None`: there is none.
    pub(super) fn read_one(
        &self,
        connection: &mut Connection,
        groups: &EventGroups,
        id: i64,
    ) -> Result<Option<R>, VmdbError> {
        let rows = api::by_ids(connection, R::TABLE, &self.attributes.read, vec![id])?;
        let mut records: Vec<R> = rows.iter().map(|row| self.attributes.record(row)).collect();
        self.complete(connection, groups, &rows, &mut records)?;
        Ok(records.pop())
    }

    fn condition(&self, connection: &mut Connection, groups: &EventGroups) -> Answered<Condition> {
        let needed = asks_for_groups::<R>(&self.request.filters);
        let event_types = if needed { timeline::event_types(connection)? } else { Vec::new() };
        Ok(condition::<R>(&self.request.filters, Groups { by: groups, event_types: &event_types }))
    }

    /// Events are walked through in the order of time or of ids; `None`: everything else, which is sorted.
    fn walk(&self) -> Option<Walk> {
        if R::TABLE != "event_streams" {
            return None;
        }
        match self.order.as_slice() {
            [] => Some(Walk { by_time: true, descending: true }),
            [one] if matches!(one.column, "timestamp" | "id") => {
                Some(Walk { by_time: one.column == "timestamp", descending: one.descending })
            }
            [time, id]
                if (time.column, id.column) == ("timestamp", "id") && time.descending == id.descending =>
            {
                Some(Walk { by_time: true, descending: time.descending })
            }
            _ => None,
        }
    }

    fn walked(
        &self,
        connection: &mut Connection,
        walk: Walk,
        condition: &Condition,
    ) -> Result<Rows, VmdbError> {
        let after = match self.cursor {
            Some(Cursor::Event(_, place)) => Some(place),
            _ => None,
        };
        let Request { offset, limit, .. } = self.request;
        let search = Search { condition, walk, after, offset, limit };
        let found = event_search::search(connection, &search)?;
        let mut rows = api::by_ids(connection, R::TABLE, &self.attributes.read, found.ids.clone())?;
        let places: std::collections::HashMap<i64, usize> =
            found.ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        rows.sort_by_key(|row| row.integer(0).and_then(|id| places.get(&id).copied()));
        let next = found.next.map(|place: Place| Cursor::Event(walk, place));
        Ok(Rows { rows, next, broken_off: found.broken_off })
    }

    fn sorted(&self, connection: &mut Connection, condition: &Condition) -> Result<Rows, VmdbError> {
        let limit = self.request.limit;
        let offset = match self.cursor {
            Some(Cursor::Offset(offset)) => offset,
            _ => self.request.offset,
        };
        let page = Page {
            table: R::TABLE,
            columns: &self.attributes.read,
            condition,
            order: &self.order,
            offset,
            limit: limit + 1,
        };
        let mut rows = api::page(connection, &page)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = (rows.len() > limit).then_some(Cursor::Offset(offset + self.request.limit));
        rows.truncate(limit);
        Ok(Rows { rows, next, broken_off: false })
    }

    /// Adds what is no column.
    fn complete(
        &self,
        connection: &mut Connection,
        groups: &EventGroups,
        rows: &[Fields],
        records: &mut [R],
    ) -> Result<(), VmdbError> {
        relate(connection, &self.attributes, rows, records)?;
        let Some(index) = self.attributes.index("event_type") else { return Ok(()) };
        for (record, row) in records.iter_mut().zip(rows) {
            let found = groups.group_and_level(row.text(index).unwrap_or_default());
            for computed in &self.attributes.computed {
                let value = match computed.name {
                    "group" => found.group,
                    "group_level" => found.level,
                    _ => found.group_name,
                };
                (computed.set)(record, value);
            }
        }
        Ok(())
    }
}

fn misplaced_cursor() -> ApiError {
    ApiError::BadRequest(
        "cursor belongs to another order of this or another collection; follow links.next_cursor as it stands"
            .to_owned(),
    )
}

fn too_many_to_sort() -> ApiError {
    ApiError::BadRequest(format!(
        "event_streams are sorted by timestamp or id; by anything else only when at most {} are meant: narrow them by \
         filter[]=timestamp>… and <…, ems_id, vm_or_template_id or host_id",
        api::MOST_COUNTED
    ))
}
