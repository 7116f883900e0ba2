//! `cursor`: where a page ended, as an opaque text. Only its maker reads it; what somebody else made up is refused.

use super::error::ApiError;
use crate::vmdb::api::event_search::{Place, Walk};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    /// Behind this event, on this walk.
    Event(Walk, Place),
    /// Behind so many records.
    Offset(i64),
}

impl Cursor {
    /// As a text.
    pub(super) fn write(self) -> String {
        let plain = match self {
            Self::Event(walk, place) => {
                let direction = if walk.descending { 'd' } else { 'a' };
                match place.timestamp {
                    Some(time) => format!("t{direction}{}.{}", time.timestamp_micros(), place.id),
                    None => format!("i{direction}{}", place.id),
                }
            }
            Self::Offset(offset) => format!("o{offset}"),
        };
        URL_SAFE_NO_PAD.encode(plain)
    }

    /// From a text.
    pub(super) fn read(text: &str) -> Result<Self, ApiError> {
        let plain = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        plain.as_deref().and_then(Self::parse).ok_or_else(|| {
            ApiError::BadRequest(
                "cursor is none of ours; take it from links.next_cursor as it stands".to_owned(),
            )
        })
    }

    fn parse(plain: &str) -> Option<Self> {
        let (kind, rest) = plain.split_at_checked(1)?;
        if kind == "o" {
            return rest.parse().ok().filter(|offset| *offset >= 0).map(Self::Offset);
        }
        let (direction, rest) = rest.split_at_checked(1)?;
        let descending = match direction {
            "d" => true,
            "a" => false,
            _ => return None,
        };
        match kind {
            "t" => {
                let (micros, id) = rest.split_once('.')?;
                let timestamp = Some(DateTime::from_timestamp_micros(micros.parse().ok()?)?);
                let walk = Walk { by_time: true, descending };
                Some(Self::Event(walk, Place { timestamp, id: id.parse().ok()? }))
            }
            "i" => {
                let walk = Walk { by_time: false, descending };
                Some(Self::Event(walk, Place { timestamp: None, id: rest.parse().ok()? }))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_own_text_and_nothing_else_is_one() {
        let timestamp = DateTime::from_timestamp_micros(1_795_500_000_123_456);
        for cursor in [
            Cursor::Event(Walk { by_time: true, descending: true }, Place { timestamp, id: 42 }),
            Cursor::Event(Walk { by_time: false, descending: false }, Place { timestamp: None, id: 7 }),
            Cursor::Offset(1_000),
        ] {
            assert_eq!(Cursor::read(&cursor.write()), Ok(cursor));
        }
        for other in ["", "o1", "!!", "bzE", "b3g", "dGQx", "ü"] {
            let read = Cursor::read(other);
            assert!(read.is_err() || other == "bzE", "{other}: {read:?}");
        }
    }
}
