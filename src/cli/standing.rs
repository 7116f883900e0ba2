//! How every EMS stands, the worst first: by the running process where it answers, and by the VMDB alone where it does not.
//!
//! The VMDB knows what is stored and what waits; only the process knows whether it is connected.

use super::pipeline::{EmsState, NotAsked, Pipeline};
use super::terminal::Tone;
use crate::vmdb::VmdbError;
use crate::vmdb::overview::{EmsOverview, Overview};
use serde_json::json;

/// What the process and the VMDB say; at least one of them says something.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The running process.
    pub process: Result<Pipeline, NotAsked>,
    /// The VMDB.
    pub overview: Result<Overview, VmdbError>,
}

/// An EMS.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// How it stands.
    pub ems: EmsState,
    /// What only the VMDB knows of it.
    pub overview: Option<&'a EmsOverview>,
}

impl Standing {
    /// Puts both together. A process that knows none of the VMDB's EMSs is another one, and is not listened to.
    ///
    /// # Errors
    /// The VMDB's, when the process says nothing either.
    pub fn new(
        process: Result<Pipeline, NotAsked>,
        overview: Result<Overview, VmdbError>,
    ) -> Result<Self, VmdbError> {
        let process = match (process, &overview) {
            (Ok(pipeline), Ok(overview)) if is_another(&pipeline, overview) => Err(NotAsked::OtherVmdb),
            (Err(_), Err(error)) => return Err(error.clone()),
            (process, _) => process,
        };
        Ok(Self { process, overview })
    }

    /// Each EMS, the worst first.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let by_process = self.process.as_ref().map(|pipeline| pipeline.ems.as_slice()).unwrap_or_default();
        let mut rows: Vec<Row<'_>> = match &self.overview {
            Ok(overview) => {
                let row = |row| Row {
                    ems: by_process
                        .iter()
                        .find(|ems| is_same(ems, row))
                        .cloned()
                        .unwrap_or_else(|| by_vmdb(row)),
                    overview: Some(row),
                };
                overview.all_ems.iter().map(row).collect()
            }
            Err(_) => by_process.iter().map(|ems| Row { ems: ems.clone(), overview: None }).collect(),
        };
        rows.sort_by_key(|row| badness(&row.ems));
        rows
    }
}

fn is_another(pipeline: &Pipeline, overview: &Overview) -> bool {
    let known = |ems: &EmsState| overview.all_ems.iter().any(|row| is_same(ems, row));
    !pipeline.ems.is_empty() && !overview.all_ems.is_empty() && !pipeline.ems.iter().any(known)
}

fn is_same(ems: &EmsState, row: &EmsOverview) -> bool {
    ems.id.is_none_or(|id| id == row.ems.id.0) && ems.name == row.ems.name
}

/// What the VMDB knows of it.
pub fn by_vmdb(row: &EmsOverview) -> EmsState {
    EmsState {
        id: Some(row.ems.id.0),
        name: row.ems.name.clone(),
        class_name: row.ems.class_name.clone(),
        state: by_settings(row).to_owned(),
        last_event_on: row.last_event,
        waiting_work: Some(row.waiting_work),
        last_refresh_on: row.ems.last_refresh_date,
        last_refresh_error: row.ems.last_refresh_error.clone(),
        dead_letters: Some(row.dead_letters),
        gaps: Some(row.gaps),
        last_gap: row.last_gap.as_ref().map(|last| {
            json!({"from": last.gap.from, "to": last.gap.to, "reason": last.gap.reason, "noticed_on": last.created_on})
        }),
        ..EmsState::default()
    }
}

/// Whether it is caught from, as settings and commands say.
pub fn by_settings(row: &EmsOverview) -> &'static str {
    match (row.ems.paused, row.ems.enabled) {
        (true, _) => "paused",
        (false, true) => "enabled",
        (false, false) => "not_enabled",
    }
}

/// A state as people read it.
pub fn in_words(state: &str) -> String {
    match state {
        "waiting_for_vmdb" => "waits for VMDB".to_owned(),
        other => other.replace('_', " "),
    }
}

/// How a state is meant.
pub fn tone(state: &str) -> Tone {
    match state {
        "running" => Tone::Good,
        "enabled" => Tone::Plain,
        "paused" | "not_enabled" | "elsewhere" => Tone::Quiet,
        "starting" | "throttled" => Tone::Warning,
        _ => Tone::Bad,
    }
}

/// What sorts states, the worst first.
pub fn rank(state: &str) -> u8 {
    match tone(state) {
        Tone::Bad => 0,
        Tone::Warning => 1,
        Tone::Plain | Tone::Good => 2,
        Tone::Quiet => 3,
    }
}

/// What sorts the worst first: whether it catches, whether it refreshes, whether anything was lost, and then by name.
pub fn badness(ems: &EmsState) -> (u8, String) {
    let rank = match tone(&ems.state) {
        Tone::Bad => 0,
        Tone::Warning => 1,
        _ if ems.last_refresh_error.is_some() => 2,
        _ if ems.dead_letters.unwrap_or_default() > 0 => 3,
        Tone::Quiet => 6,
        _ if ems.gaps.unwrap_or_default() > 0 => 4,
        _ => 5,
    };
    (rank, ems.name.clone())
}

/// Whether it runs, and has been silent for much longer than is usual for it: so many events would have come meanwhile.
pub fn is_silent(ems: &EmsState) -> bool {
    const MANY: f64 = 30.0;
    tone(&ems.state) == Tone::Good && ems.silence_ratio.is_some_and(|events| events > MANY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_the_first() {
        let ems = |name: &str, state: &str| EmsState {
            name: name.to_owned(),
            state: state.to_owned(),
            ..EmsState::default()
        };
        let mut all = [
            ems("a paused", "paused"),
            ems("b well", "running"),
            EmsState { gaps: Some(1), ..ems("c lost", "running") },
            EmsState { dead_letters: Some(1), ..ems("d unread", "running") },
            EmsState { last_refresh_error: Some("500".to_owned()), ..ems("e stale", "running") },
            ems("f slow", "throttled"),
            ems("h away", "backing_off"),
            ems("g away", "refused"),
        ];
        all.sort_by_key(badness);
        let names = all.each_ref().map(|ems| ems.name.split(' ').next_back().unwrap());
        assert_eq!(names, ["away", "away", "slow", "stale", "unread", "lost", "well", "paused"]);
        assert_eq!(all[0].name, "g away", "of equals, by name");
    }
}
