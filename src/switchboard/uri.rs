//! The address in a relationship: `/Namespace/…/Class/Instance?key=value#message`.
//!
//! Follows ManageIQ where its text says something: runs of `/` are one, keys and messages are lower-cased, `+` and `%20`
//! are blanks, what follows a second `=` is lost. The schemes `miqaedb` and `method` are known.

use std::collections::BTreeMap;

/// A parsed address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Uri {
    /// `Namespace/…/Class`, as written.
    pub class: String,
    /// The last segment; `None` after a trailing `/`, which asks for the class's defaults alone.
    pub instance: Option<String>,
    /// The decoded query.
    pub params: BTreeMap<String, String>,
    /// The fragment.
    pub message: Option<String>,
    /// Whether it ends in `*` and so names many instances at once.
    pub wildcard: bool,
    /// Whether it calls a method of the class by name (`method:/…`) instead of an instance.
    pub is_method: bool,
    /// Keys that ask for a record (`VmOrTemplate::vm=5`), which is not loaded; only its id is known, as `vm_id`.
    pub records: Vec<String>,
}

impl Uri {
    /// Reads `text`.
    ///
    /// # Errors
    /// Says what is no address in it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = collapse_slashes(text.trim());
        check_characters(&text)?;
        let (rest, is_method) = without_scheme(&text)?;
        let (rest, fragment) = split(rest, '#');
        let (path, query) = split(rest, '?');
        let mut segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| decode(segment, false))
            .collect();
        let instance = if path.ends_with('/') { None } else { segments.pop() };
        let mut uri = Self {
            class: segments.join("/"),
            instance,
            message: fragment.filter(|text| !text.is_empty()).map(str::to_ascii_lowercase),
            wildcard: path.ends_with('*'),
            is_method,
            ..Self::default()
        };
        uri.read_query(query.unwrap_or_default());
        Ok(uri)
    }

    fn read_query(&mut self, query: &str) {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let mut parts = pair.split('=');
            let key = decode(parts.next().unwrap_or_default(), true).to_ascii_lowercase();
            let value = decode(parts.next().unwrap_or_default(), true);
            match key.split_once("::") {
                None => self.params.insert(key, value),
                Some(("array", name)) => self.params.insert(name.to_owned(), value.replace('\u{1f}', ",")),
                Some((_, name)) => {
                    let id = format!("{name}_id");
                    self.records.push(key);
                    self.params.insert(id, value)
                }
            };
        }
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn collapse_slashes(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '/' || !collapsed.ends_with('/') {
            collapsed.push(character);
        }
    }
    collapsed
}

/// The address without its scheme, and whether that is `method`.
fn without_scheme(text: &str) -> Result<(&str, bool), String> {
    match text.split_once(':') {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(char::is_alphanumeric) => {
            match scheme.to_ascii_lowercase().as_str() {
                "miqaedb" => Ok((rest, false)),
                "method" | "miqaemethod" => Ok((rest, true)),
                _ => Err(format!(
                    "the scheme `{scheme}:` is not known here; only addresses like /System/event_handlers/refresh are"
                )),
            }
        }
        _ => Ok((text, false)),
    }
}

/// What RFC 3986 does not allow as it stands, ManageIQ refuses too.
fn check_characters(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    for (position, character) in text.char_indices() {
        let stray_percent = || {
            !bytes.get(position + 1..position + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
        };
        let allowed = match character {
            '%' => !stray_percent(),
            _ => character.is_ascii_alphanumeric() || "-._~:/?#@!$&'()*+,;=".contains(character),
        };
        if !allowed {
            return Err(format!(
                "`{character}` cannot stand in an address; write it as %{:02X}",
                u32::from(character)
            ));
        }
    }
    if text.matches('#').count() > 1 {
        return Err("an address has one `#` at most; write the other as %23".to_owned());
    }
    Ok(())
}

fn decode(text: &str, plus_is_blank: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(if first == b'+' && plus_is_blank { b' ' } else { first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes `text` so that it is one piece of an address: everything but letters, digits and `-._~/:` is encoded.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_query_is_decoded_and_keys_and_message_are_lower_case() {
        let uri = Uri::parse("/A/B/C?a=x+y%20z&b=1=2&K=v#MSG").unwrap();
        assert_eq!(uri.class, "A/B");
        assert_eq!(uri.instance.as_deref(), Some("C"));
        assert_eq!(uri.params, params(&[("a", "x y z"), ("b", "1"), ("k", "v")]));
        assert_eq!(uri.message.as_deref(), Some("msg"));
    }

    #[test]
    fn runs_of_slashes_are_one_in_the_query_too() {
        let uri = Uri::parse("  //A///B//C?u=http://x  ").unwrap();
        assert_eq!((uri.class.as_str(), uri.instance.as_deref()), ("A/B", Some("C")));
        assert_eq!(uri.params, params(&[("u", "http:/x")]));
    }

    #[test]
    fn an_empty_parameter_is_there_and_empty() {
        let uri = Uri::parse("/A/B/C?target=src_vm&param=&flag").unwrap();
        assert_eq!(uri.params, params(&[("target", "src_vm"), ("param", ""), ("flag", "")]));
    }

    #[test]
    fn a_method_an_array_and_a_record_are_known_by_their_form() {
        let uri =
            Uri::parse("method:/System/event_handlers/refresh?Array::a=x%1Fy&VmOrTemplate::VM=5").unwrap();
        assert_eq!(
            (uri.is_method, uri.class.as_str(), uri.instance.as_deref()),
            (true, "System/event_handlers", Some("refresh"))
        );
        assert_eq!(uri.params, params(&[("a", "x,y"), ("vm_id", "5")]));
        assert_eq!(uri.records, ["vmortemplate::vm"]);
    }

    #[test]
    fn a_trailing_slash_asks_for_no_instance() {
        let uri = Uri::parse("miqaedb:/A/B/").unwrap();
        assert_eq!((uri.class.as_str(), uri.instance), ("A/B", None));
    }

    #[test]
    fn what_rfc_3986_does_not_allow_is_refused_by_name() {
        for (text, named) in
            [("/A/B/c d", "%20"), ("/A/B/c|d", "%7C"), ("/A/B/100%", "%25"), ("/A/B/c#d#e", "%23")]
        {
            let error = Uri::parse(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
        assert!(Uri::parse("miqaews:/A/B/C").unwrap_err().contains("miqaews"));
    }

    #[test]
    fn what_was_encoded_comes_back() {
        let uri = Uri::parse(&format!("/A/B/{}", encode("a ä?#*"))).unwrap();
        assert_eq!(uri.instance.as_deref(), Some("a ä?#*"));
        assert!(uri.params.is_empty());
    }
}
