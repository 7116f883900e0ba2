//! Large batches in portions, so that no commit has to be long. Pure.

use crate::vmdb::ReadyBatch;

/// Rows of a portion. A storm's batch has some more, a quiet EMS's far less.
pub const ROWS: usize = 250;

/// The same rows, at most `rows` in each: the first ones, and the last. That one has the cursor, the gap and the rows of the queue, which cover them all:
/// should a crash come in between, what is committed is read again and known.
pub fn portions(mut batch: ReadyBatch, rows: usize) -> (Vec<ReadyBatch>, ReadyBatch) {
    let portion = || ReadyBatch { is_refreshed: batch.is_refreshed, ..ReadyBatch::of(batch.ems_id) };
    let mut portions = Vec::new();
    let mut events = std::mem::take(&mut batch.events).into_iter().peekable();
    while events.peek().is_some() {
        portions.push(ReadyBatch { events: events.by_ref().take(rows).collect(), ..portion() });
    }
    let mut letters = std::mem::take(&mut batch.dead_letters).into_iter().peekable();
    while letters.peek().is_some() {
        portions.push(ReadyBatch { dead_letters: letters.by_ref().take(rows).collect(), ..portion() });
    }
    let last = portions.pop().unwrap_or_else(portion);
    (portions, ReadyBatch { events: last.events, dead_letters: last.dead_letters, ..batch })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Cursor, EmsEvent, EmsId, FullData, ParsedEvent};
    use crate::vmdb::{DeadLetter, ReadyEvent, Work};
    use serde_json::json;

    fn batch(events: usize, letters: usize) -> ReadyBatch {
        let event = |n: usize| {
            let event = EmsEvent { full_data: FullData::from_value(&json!({})), ..EmsEvent::default() };
            ReadyEvent::new(ParsedEvent { event_uid: format!("e{n}"), event }, Work::None)
        };
        let letter = |n: usize| DeadLetter {
            event_uid: format!("d{n}"),
            transport_id: None,
            native: String::new(),
            reason: String::new(),
        };
        ReadyBatch {
            events: (0..events).map(event).collect(),
            dead_letters: (0..letters).map(letter).collect(),
            cursor: Some(Cursor { source: "s".into(), position: json!(1) }),
            delivered: vec![7],
            is_refreshed: false,
            ..ReadyBatch::of(EmsId(1))
        }
    }

    #[test]
    fn every_row_is_in_one_portion_in_its_order_and_the_last_covers_them() {
        for (events, letters, expected) in
            [(0, 0, vec![0]), (1, 0, vec![1]), (3, 0, vec![3]), (7, 4, vec![3, 3, 1, 3, 1]), (0, 3, vec![3])]
        {
            let (mut portions, last) = portions(batch(events, letters), 3);
            portions.push(last);
            assert_eq!(portions.iter().map(ReadyBatch::rows).collect::<Vec<_>>(), expected);
            let uids: Vec<_> = portions
                .iter()
                .flat_map(|p| p.events.iter().map(|e| e.event.event_uid.clone()))
                .chain(portions.iter().flat_map(|p| p.dead_letters.iter().map(|d| d.event_uid.clone())))
                .collect();
            let all = batch(events, letters);
            let wanted = all.events.iter().map(|e| e.event.event_uid.clone());
            let wanted = wanted.chain(all.dead_letters.iter().map(|d| d.event_uid.clone()));
            assert_eq!(uids, wanted.collect::<Vec<_>>());
            for (index, portion) in portions.iter().enumerate() {
                let is_last = index + 1 == portions.len();
                assert_eq!(portion.cursor.is_some(), is_last);
                assert_eq!(portion.delivered.is_empty(), !is_last);
                assert!(!portion.is_refreshed);
            }
        }
    }
}
