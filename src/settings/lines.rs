//! On which line of a YAML text a key stands.
//!
//! The YAML reader tells positions only with errors. So the text is read again down to the key, and there the walk
//! fails on purpose: the error's position is the answer, in block and flow style alike. Slow (one reading per
//! question), and asked only for errors and for `check --print`.

use super::tree::Step;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use std::fmt;

/// The line (from 1) of the key or list item at the end of `path`. What cannot be found (a merge key's values) falls
/// back to the section around it.
pub fn line_of(text: &str, path: &[Step]) -> Option<usize> {
    (1..=path.len()).rev().find_map(|length| {
        let error = Walk(&path[..length]).deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
        error.location().map(|location| location.line())
    })
}

/// Walks down the steps; none left: here.
struct Walk<'a>(&'a [Step]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else { return here() };
        while let Some(found) = map.next_key_seed(Key { step, is_last: rest.is_empty() })? {
            match found {
                true => return map.next_value_seed(Walk(rest)),
                false => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else { return here() };
        let Step::Index(index) = step else { return skip(list) };
        for _ in 0..*index {
            if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        match list.next_element_seed(Walk(rest))? {
            Some(()) => skip(list),
            None => Ok(()),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (_tag, value) = tagged.variant::<String>()?;
        value.newtype_variant_seed(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.leaf()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.leaf()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.leaf()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.leaf()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.leaf()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.leaf()
    }
}

impl Walk<'_> {
    fn leaf<E: Error>(self) -> Result<(), E> {
        if self.0.is_empty() { here() } else { Ok(()) }
    }
}

/// A key of the section in which the step is to be found.
struct Key<'a> {
    step: &'a Step,
    is_last: bool,
}

impl Key<'_> {
    fn compare<E: Error>(&self, key: &str) -> Result<bool, E> {
        let found = matches!(self.step, Step::Key(wanted) if wanted == super::yaml::plain_key(key));
        if found && self.is_last { Err(E::custom("here")) } else { Ok(found) }
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        self.compare(key)
    }

    fn visit_bool<E: Error>(self, key: bool) -> Result<bool, E> {
        self.compare(&key.to_string())
    }

    fn visit_i64<E: Error>(self, key: i64) -> Result<bool, E> {
        self.compare(&key.to_string())
    }

    fn visit_u64<E: Error>(self, key: u64) -> Result<bool, E> {
        self.compare(&key.to_string())
    }

    fn visit_f64<E: Error>(self, key: f64) -> Result<bool, E> {
        self.compare(&key.to_string())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<bool, A::Error> {
        let (_tag, value) = tagged.variant::<String>()?;
        value.newtype_variant_seed(self)
    }
}

fn here<E: Error>() -> Result<(), E> {
    Err(E::custom("here"))
}

fn skip<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, path: &[&str]) -> Option<usize> {
        let steps: Vec<Step> = path
            .iter()
            .map(|step| step.parse().map_or_else(|_| Step::Key((*step).to_owned()), Step::Index))
            .collect();
        line_of(text, &steps)
    }

    #[test]
    fn keys_and_items_are_found_in_block_and_flow_style() {
        let text = "a:\n  :b:\n    - 1\n    - c: 2\n      d: {e: 3,\n        f: [4,\n  5]}\n";
        assert_eq!(line(text, &["a"]), Some(1));
        assert_eq!(line(text, &["a", "b"]), Some(2));
        assert_eq!(line(text, &["a", "b", "0"]), Some(3));
        assert_eq!(line(text, &["a", "b", "1"]), Some(4));
        assert_eq!(line(text, &["a", "b", "1", "d", "f"]), Some(6));
        assert_eq!(line(text, &["a", "b", "1", "d", "f", "1"]), Some(7));
    }

    #[test]
    fn what_comes_from_a_merge_key_is_told_by_its_section() {
        let text = "a: &a\n  b: 1\nc:\n  <<: *a\n";
        assert_eq!(line(text, &["c", "b"]), Some(3));
        assert_eq!(line(text, &["nowhere"]), None);
    }
}
