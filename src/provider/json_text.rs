//! Provider JSON as text: what may enter the VMDB, and where a page's parts lie.
//!
//! [`check`] refuses what no database or reader holds: NUL, lone surrogates, absurd nesting. [`elements`] and
//! [`members`] cut a page along its brackets alone, so that one element's poison stays that element's own affair:
//! they look at no string, number or word. Neither builds a tree, so numbers of any size stay as they are.

use super::ParseError;

/// Deepest nesting of arrays and objects that is read.
pub const DEEPEST: usize = 128;

/// Whether `text` is one JSON value that the VMDB can hold and every reader can read.
///
/// # Errors
/// Names the first thing that is wrong.
pub fn check(text: &str) -> Result<(), ParseError> {
    serde_json::from_str::<serde::de::IgnoredAny>(text)?;
    scan(text)
}

/// As [`check`], for a text that is read as JSON besides: it looks at escapes and nesting alone.
///
/// # Errors
/// As [`check`], save that what is no JSON may pass.
pub fn scan(text: &str) -> Result<(), ParseError> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut in_string) = (0, 0_usize, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => at = check_escape(bytes, at)?,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(ParseError::new(format!("nested deeper than {DEEPEST} levels at byte {at}")));
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Checks the escape that starts at `at` and gives the place of its last byte.
fn check_escape(bytes: &[u8], at: usize) -> Result<usize, ParseError> {
    match unicode_escape(bytes, at) {
        None => Ok(at + 1),
        Some(0) => Err(ParseError::new(format!("NUL in a text at byte {at}"))),
        Some(0xD800..=0xDBFF) => match unicode_escape(bytes, at + 6) {
            Some(0xDC00..=0xDFFF) => Ok(at + 11),
            _ => Err(ParseError::new(format!("lone surrogate in a text at byte {at}"))),
        },
        Some(0xDC00..=0xDFFF) => Err(ParseError::new(format!("lone surrogate in a text at byte {at}"))),
        Some(_) => Ok(at + 5),
    }
}

fn unicode_escape(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The elements of the array that `text` is, each as it stands.
///
/// `None` when it is no array, or its outline is broken: a bracket missing, or something behind the end.
pub fn elements(text: &[u8]) -> Option<Vec<&[u8]>> {
    cut(text.trim_ascii(), b'[', b']')
}

/// The members of the object that `text` is: (name, value as it stands).
///
/// `None` as in [`elements`], and when a name is no text.
pub fn members(text: &[u8]) -> Option<Vec<(String, &[u8])>> {
    cut(text.trim_ascii(), b'{', b'}')?.into_iter().map(member).collect()
}

fn member(text: &[u8]) -> Option<(String, &[u8])> {
    let mut names = serde_json::Deserializer::from_slice(text).into_iter::<String>();
    let name = names.next()?.ok()?;
    let value = text.get(names.byte_offset()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii();
    (!value.is_empty()).then_some((name, value))
}

/// Cuts what stands between `open` and `close` at its outermost commas.
fn cut(text: &[u8], open: u8, close: u8) -> Option<Vec<&[u8]>> {
    let inner = text.strip_prefix(&[open])?.strip_suffix(&[close])?;
    let mut outline = Outline::default();
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, &byte) in inner.iter().enumerate() {
        if outline.step(byte)? && byte == b',' {
            parts.push(inner[from..at].trim_ascii());
            from = at + 1;
        }
    }
    if !outline.is_outermost() {
        return None;
    }
    let last = inner[from..].trim_ascii();
    if !(parts.is_empty() && last.is_empty()) {
        parts.push(last);
    }
    parts.iter().all(|part| !part.is_empty()).then_some(parts)
}

/// Follows strings and brackets through a text, and nothing else.
#[derive(Default)]
struct Outline {
    open: Vec<u8>,
    in_string: bool,
    escaped: bool,
}

impl Outline {
    /// Takes the next byte; tells whether it stands outside of everything, `None` when its bracket closes nothing.
    fn step(&mut self, byte: u8) -> Option<bool> {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return Some(false);
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' => self.open.push(b'}'),
            b'[' => self.open.push(b']'),
            b'}' | b']' if self.open.pop() != Some(byte) => return None,
            _ => {}
        }
        Some(self.is_outermost())
    }

    fn is_outermost(&self) -> bool {
        self.open.is_empty() && !self.in_string
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_no_vmdb_holds_is_refused() {
        for bad in [
            r#"{"a":"\u0000"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\udc00\ud800"}"#,
            r#"{"a":"\ud800\n"}"#,
            r#"{"a":}"#,
            "{\"a\":\"\u{0}\"}",
            "",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&format!("{}{}", "[".repeat(129), "]".repeat(129))).is_err());
    }

    #[test]
    fn what_only_looks_bad_is_taken() {
        for good in [
            r#"{"a":"\ud83d\ude00 \\ud800 \\u0000 \" [[["}"#,
            r#"{"n":1e999999,"m":123456789012345678901234567890}"#,
            "null",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check(&format!("{}{}", "[".repeat(128), "]".repeat(128))), Ok(()));
    }

    #[test]
    fn a_poisoned_element_leaves_its_neighbours_whole() {
        let page =
            b" {\"events\": [ {\"a\": [1,2]}, \"\xff,]\", {\"b\": nope \"\x00\"} , 7 ], \"next\":null} ";
        let members = members(page).unwrap();
        assert_eq!(members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["events", "next"]);
        let parts = elements(members[0].1).unwrap();
        assert_eq!(parts, [&b"{\"a\": [1,2]}"[..], b"\"\xff,]\"", b"{\"b\": nope \"\x00\"}", b"7"]);
    }

    #[test]
    fn a_broken_outline_is_none() {
        for bad in ["", "[", "[1", "[1,]", "[,]", "[{]", "[1]]", "[\"a]", "{}", "[1] x"] {
            assert_eq!(elements(bad.as_bytes()), None, "{bad}");
        }
        for bad in ["[]", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{a:1}"] {
            assert_eq!(members(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(elements(b"[]"), Some(vec![]));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\\\u0dD8\\[\\]{}\":,a]{0,60}") {
            let _ = (elements(&bytes), members(&bytes), members(text.as_bytes()), elements(text.as_bytes()), check(&text));
        }
    }
}
