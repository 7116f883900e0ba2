//! `catchall tail`: the latest events, and then each as it is committed, one line each, until it is interrupted or nobody
//! reads any more. A VMDB that is away is waited for.

use super::ems_names::{self, Names};
use super::event_filter::{EventFilter, FilterError};
use super::events::latest;
use super::tail_lines::Lines;
use super::terminal::{self, Reader, Screen};
use super::{CliError, event_filter::EventFilterArguments, failed};
use crate::clock;
use crate::settings::{EventGroups, Settings};
use crate::vmdb::timeline::tail::Tail;
use crate::vmdb::timeline::{TimelineEvent, TimelineQuery};
use crate::vmdb::{Access, Connection, Vmdb, VmdbError};
use clap::Args;
use std::collections::BTreeSet;
use std::time::Duration;

/// How often is looked for what is new.
const LOOK: Duration = Duration::from_millis(500);
/// With --since and without -n: more than this is not told at the start.
const MOST_AT_START: usize = 10_000;

/// `tail`
#[derive(Args, Debug)]
pub struct TailArguments {
    /// Which events
    #[command(flatten)]
    pub filter: EventFilterArguments,
    /// So many of the latest events first [default: 10; with --since, all since then]
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub lines: Option<usize>,
}

/// What is told of one look.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Oldest first.
    pub events: Vec<TimelineEvent>,
    /// More came than could be told.
    pub passed_over: u64,
    /// Of the EMSs.
    pub names: Names,
}

/// `tail`
///
/// # Errors
/// Wrong use, or a VMDB that lets nobody in.
pub fn run(settings: &Settings, arguments: &TailArguments, as_json: bool) -> Result<(), CliError> {
    let filter = EventFilter::new(&arguments.filter, &settings.event_groups, clock::now())?;
    let first = match (arguments.lines, filter.since()) {
        (Some(lines), _) => lines,
        (None, Some(_)) => MOST_AT_START,
        (None, None) => 10,
    };
    let lines = match as_json {
        true => Lines::for_machines(settings.event_groups.clone()),
        false => Lines::for_people(settings.event_groups.clone(), Screen::of_stdout()),
    };
    actix_rt::System::new().block_on(async {
        tokio::select! {
            // Ctrl-C is how it ends.
            _ = tokio::signal::ctrl_c() => Ok(()),
            ended = follow(settings, filter, first, lines) => ended,
        }
    })
}

async fn follow(
    settings: &Settings,
    filter: EventFilter,
    first: usize,
    mut lines: Lines,
) -> Result<(), CliError> {
    let vmdb = Vmdb::open(&settings.vmdb, Access::Read).await.map_err(failed)?;
    let groups = settings.event_groups.clone();
    let begin = move |connection: &mut Connection| Ok(Follower::begin(connection, filter, groups, first));
    let (mut follower, seen) = vmdb.read(begin).await.map_err(failed)??;
    if print(&mut lines, &seen)? == Reader::Gone {
        return Ok(());
    }
    let mut away = false;
    loop {
        tokio::time::sleep(LOOK).await;
        // A look that failed is made again from where this one began.
        let mut next = follower.clone();
        let look = move |connection: &mut Connection| next.look(connection).map(|seen| (next, seen));
        match vmdb.read(look).await {
            Ok((next, seen)) => {
                if std::mem::take(&mut away) {
                    eprintln!("the VMDB is back");
                }
                follower = next;
                if print(&mut lines, &seen)? == Reader::Gone {
                    return Ok(());
                }
            }
            Err(error) if error.is_retryable() => {
                if !std::mem::replace(&mut away, true) {
                    eprintln!("{error}; waiting until it is back");
                }
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

fn print(lines: &mut Lines, seen: &Seen) -> Result<Reader, CliError> {
    let text = lines.of(seen);
    if text.is_empty() { Ok(Reader::Listens) } else { terminal::print(&text) }
}

/// Reads what is new and meets the filter.
#[derive(Clone, Debug)]
pub struct Follower {
    tail: Tail,
    filter: EventFilter,
    groups: EventGroups,
    /// Told at the start; one of them may be met again as new.
    told: BTreeSet<i64>,
}

impl Follower {
    /// Begins, with the latest `first` events.
    ///
    /// # Errors
    /// See [`FilterError`].
    pub fn begin(
        connection: &mut Connection,
        filter: EventFilter,
        groups: EventGroups,
        first: usize,
    ) -> Result<(Self, Seen), FilterError> {
        let query = filter.query(connection, &groups, first)?;
        // Types that nobody has seen yet may come: a pattern, a level or a group is looked at as events do.
        let event_types = query.event_types.clone().filter(|_| filter.types().one().is_some());
        let tail = Tail::from_now(connection, TimelineQuery { event_types, ..query.clone() })?;
        let mut events = latest(connection, query)?;
        events.reverse();
        let told = events.iter().map(|event| event.position.id).collect();
        let seen = Seen { events, passed_over: 0, names: ems_names::all(connection)? };
        Ok((Self { tail, filter, groups, told }, seen))
    }

    /// What came since the last look.
    ///
    /// # Errors
    /// See [`VmdbError`].
    pub fn look(&mut self, connection: &mut Connection) -> Result<Seen, VmdbError> {
        let (mut events, passed_over) = self.tail.next(connection)?;
        events.retain(|event| {
            let asked_for = self.filter.holds(event.position.timestamp)
                && self.filter.types().hold(&self.groups, &event.event_type);
            asked_for && !self.told.contains(&event.position.id)
        });
        let names = if events.is_empty() { Names::new() } else { ems_names::all(connection)? };
        Ok(Seen { events, passed_over, names })
    }
}
