//! The lines of `catchall tail`: aligned as far as one can without knowing what comes, or JSON Lines.

use super::ems_names::name_of;
use super::event_line;
use super::tail::Seen;
use super::terminal::{Screen, Tone, one_line, width};
use crate::settings::EventGroups;
use crate::vmdb::timeline::TimelineEvent;

/// A longer cell pushes its own line out, and no other.
const WIDEST: usize = 40;

/// Writes them.
pub struct Lines {
    groups: EventGroups,
    /// `None`: for machines.
    people: Option<Columns>,
}

/// As wide as what was told so far.
struct Columns {
    screen: Screen,
    id: usize,
    ems: usize,
    event_type: usize,
}

impl Lines {
    /// Aligned, in the colours of `screen`.
    pub fn for_people(groups: EventGroups, screen: Screen) -> Self {
        Self { groups, people: Some(Columns { screen, id: 0, ems: 0, event_type: 0 }) }
    }

    /// One JSON object each.
    pub fn for_machines(groups: EventGroups) -> Self {
        Self { groups, people: None }
    }

    /// The lines of what was seen.
    pub fn of(&mut self, seen: &Seen) -> String {
        let Some(columns) = &mut self.people else {
            let lines = seen
                .events
                .iter()
                .map(|event| format!("{}\n", event_line::json(event, &seen.names, &self.groups)));
            let mut lines: String = lines.collect();
            if seen.passed_over > 0 {
                lines.push_str(&format!("{{\"passed_over\":{}}}\n", seen.passed_over));
            }
            return lines;
        };
        let mut lines = String::new();
        if seen.passed_over > 0 {
            let said = format!("{} more came at once; `catchall events` shows them", seen.passed_over);
            lines.push_str(&format!("{}\n", columns.screen.paint(&said, Tone::Quiet)));
        }
        // All of a look are aligned to each other.
        for event in &seen.events {
            columns.widen(event, &name_of(&seen.names, event.ems_id));
        }
        for event in &seen.events {
            let level = self.groups.group_and_level(&event.event_type).level;
            lines.push_str(&columns.line(event, &name_of(&seen.names, event.ems_id), level));
        }
        lines
    }
}

impl Columns {
    fn widen(&mut self, event: &TimelineEvent, ems: &str) {
        let fit = |known: usize, text: &str| known.max(width(&one_line(text)).min(WIDEST));
        self.id = fit(self.id, &event.position.id.to_string());
        self.ems = fit(self.ems, ems);
        self.event_type = fit(self.event_type, &event_line::times(event));
    }

    fn line(&self, event: &TimelineEvent, ems: &str, level: &str) -> String {
        let time = self.screen.paint(&event_line::time(event.position.timestamp), Tone::Quiet);
        let level = self.screen.paint(&padded(level, "critical".len()), event_line::tone(level));
        let about = [event_line::about(event), event.message.clone().unwrap_or_default()];
        let about = about.iter().filter(|text| !text.is_empty()).map(|text| one_line(text));
        let line = format!(
            "{time}  {:>id$}  {level}  {}  {}  {}",
            event.position.id,
            padded(&one_line(ems), self.ems),
            padded(&one_line(&event_line::times(event)), self.event_type),
            about.collect::<Vec<_>>().join(": "),
            id = self.id,
        );
        format!("{}\n", line.trim_end())
    }
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vmdb::timeline::Position;
    use chrono::DateTime;

    fn event(id: i64, event_type: &str, message: Option<&str>) -> TimelineEvent {
        let timestamp = DateTime::from_timestamp(1_795_500_000 + id, 0).unwrap();
        TimelineEvent {
            position: Position { timestamp, id },
            created_on: None,
            ems_id: Some(1),
            event_type: event_type.to_owned(),
            message: message.map(str::to_owned),
            resources: Vec::new(),
            refresh: None,
            folded: 0,
            chain_id: None,
            work_id: None,
        }
    }

    #[test]
    fn lines_are_aligned_to_what_was_told_before() {
        let mut groups = EventGroups::default();
        let power = groups.add_group("power", "Power Activity");
        groups.list(power, "critical", "vm.stop").unwrap();
        let mut lines = Lines::for_people(groups.clone(), Screen::default());
        let names = crate::cli::ems_names::Names::from([(1, "cloud\u{1b}[2J".to_owned())]);
        let seen = |events| Seen { events, passed_over: 0, names: names.clone() };
        let first = lines
            .of(&seen(vec![event(7, "vm.stop", Some("two\nlines")), event(8, "vm.started.again", None)]));
        assert_eq!(
            first,
            "2026-11-24 06:00:07Z  7  critical  cloud\u{FFFD}[2J  vm.stop           two lines\n\
             2026-11-24 06:00:08Z  8  detail    cloud\u{FFFD}[2J  vm.started.again\n"
        );
        let more = lines.of(&Seen { passed_over: 3, ..seen(vec![event(10, "vm.stop", Some("x"))]) });
        assert_eq!(
            more,
            "3 more came at once; `catchall events` shows them\n\
             2026-11-24 06:00:10Z  10  critical  cloud\u{FFFD}[2J  vm.stop           x\n"
        );
        let mut json = Lines::for_machines(groups);
        let told = json.of(&Seen { passed_over: 3, ..seen(vec![event(10, "vm.stop", None)]) });
        let told: Vec<serde_json::Value> =
            told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&told[0]["level"], &told[1]["passed_over"]), (&"critical".into(), &3.into()));
    }
}
