//! Can the VMDB hold this event? Looked at before the commit, so that in the commit only the database can fail.

use crate::provider::{ParseError, ParsedEvent};
use chrono::Datelike;

/// Longest `event_type` and `event_uid`: both are keys of an index.
const LONGEST_KEY: usize = 255;
/// As deep as our own readers of `full_data` go.
const DEEPEST: usize = 127;

/// Says which column cannot be stored, and why.
pub(super) fn check(parsed: &ParsedEvent) -> Result<(), ParseError> {
    let event = &parsed.event;
    key("event_uid", &parsed.event_uid)?;
    key("event_type", &event.event_type)?;
    key("source", &event.source)?;
    for (column, text) in event.texts() {
        if let Some(text) = text {
            no_nul(column, text)?;
        }
    }
    if !(1..=9999).contains(&event.timestamp.year()) {
        return Err(ParseError::new(format!(
            "timestamp: the year {} is out of range; it must be from 1 to 9999",
            event.timestamp.year()
        )));
    }
    json(event.full_data.text()).map_err(|why| ParseError::new(format!("full_data: {why}")))
}

fn key(column: &str, text: &str) -> Result<(), ParseError> {
    if text.is_empty() {
        return Err(ParseError::new(format!("{column}: is empty; an event needs it")));
    }
    if text.len() > LONGEST_KEY {
        return Err(ParseError::new(format!(
            "{column}: is {} bytes long; at most {LONGEST_KEY} can be stored",
            text.len()
        )));
    }
    no_nul(column, text)
}

fn no_nul(column: &str, text: &str) -> Result<(), ParseError> {
    if text.as_bytes().contains(&0) {
        return Err(ParseError::new(format!("{column}: holds NUL (\\u0000), which no text column can")));
    }
    Ok(())
}

/// Looks through text that is known to be JSON for what JSON allows and a database or our readers do not: NUL, half a
/// surrogate pair, and nesting without end.
fn json(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    let (mut depth, mut position) = (0_usize, 0);
    while let Some(&byte) = bytes.get(position) {
        position += 1;
        match byte {
            b'"' => position += string(&bytes[position..])?,
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(format!("is nested more than {DEEPEST} deep"));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// How many bytes the string takes behind its opening quote. Most of a text is within strings, so this loop is a short one.
fn string(rest: &[u8]) -> Result<usize, String> {
    let mut position = 0;
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\');
    while let Some(at) = rest.get(position..).and_then(|rest| rest.iter().position(ends)) {
        position += at + 1;
        if rest[position - 1] == b'"' {
            break;
        }
        position += escape(&rest[position..])?;
    }
    Ok(position)
}

/// How many bytes the escape takes behind its backslash.
fn escape(rest: &[u8]) -> Result<usize, String> {
    match code_unit(rest) {
        None => Ok(1),
        Some(0) => Err("holds NUL (\\u0000), which no text column can".to_owned()),
        Some(0xD800..=0xDBFF) => {
            let low = rest.get(5).filter(|byte| **byte == b'\\').and_then(|_| code_unit(&rest[6..]));
            if matches!(low, Some(0xDC00..=0xDFFF)) {
                Ok(11)
            } else {
                Err("holds half a surrogate pair (\\ud800 to \\udfff), which is no character".to_owned())
            }
        }
        Some(0xDC00..=0xDFFF) => {
            Err("holds half a surrogate pair (\\ud800 to \\udfff), which is no character".to_owned())
        }
        Some(_) => Ok(5),
    }
}

fn code_unit(rest: &[u8]) -> Option<u16> {
    let hex = rest.strip_prefix(b"u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn ordinary_json_is_fine_escapes_and_all() {
        for text in [
            r#"{"a": ["\"", "\\u0000", "\\\\u0000", "\u00e4", "\ud83d\ude00", "[[[[{{{{"]}"#,
            "null",
            r#""\\""#,
        ] {
            assert_eq!(json(text), Ok(()), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
        assert_eq!(json(&deep), Ok(()));
        assert!(serde_json::from_str::<serde_json::Value>(&deep).is_ok(), "what passes can be read");
    }

    #[test]
    fn nul_half_a_pair_and_endless_nesting_are_told() {
        for (text, word) in [
            (r#"["\u0000"]"#, "NUL"),
            (r#"["\\\u0000"]"#, "NUL"),
            (r#"["\ud83d"]"#, "surrogate"),
            (r#"["\ud83dx"]"#, "surrogate"),
            (r#"["\ud83d\ud83d"]"#, "surrogate"),
            (r#"["\ude00"]"#, "surrogate"),
        ] {
            assert!(json(text).unwrap_err().contains(word), "{text}");
        }
        assert!(json(&"[".repeat(128)).unwrap_err().contains("nested"));
    }
}
