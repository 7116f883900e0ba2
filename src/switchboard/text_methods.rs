//! The methods that `${#name.method}` may call on a text. Others are Ruby's or of records, and are reported at load.

const METHODS: [&str; 10] =
    ["to_s", "upcase", "downcase", "capitalize", "swapcase", "strip", "chomp", "reverse", "length", "size"];

/// Whether [`text_method`] knows it.
pub(super) fn is_text_method(name: &str) -> bool {
    METHODS.contains(&name)
}

/// What the method makes of `text`; `None` for one that is not known.
pub(super) fn text_method(text: &str, name: &str) -> Option<String> {
    let changed = match name {
        "to_s" => text.to_owned(),
        "upcase" => text.to_uppercase(),
        "downcase" => text.to_lowercase(),
        "capitalize" => {
            let mut characters = text.chars();
            let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
            first + &characters.as_str().to_lowercase()
        }
        "swapcase" => text
            .chars()
            .flat_map(|character| -> Vec<char> {
                if character.is_uppercase() {
                    character.to_lowercase().collect()
                } else {
                    character.to_uppercase().collect()
                }
            })
            .collect(),
        "strip" => text.trim().to_owned(),
        "chomp" => text.trim_end_matches(['\r', '\n']).to_owned(),
        "reverse" => text.chars().rev().collect(),
        "length" | "size" => text.chars().count().to_string(),
        _ => return None,
    };
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_that_is_known_does_something_and_no_other() {
        let made: Vec<_> = METHODS.iter().filter_map(|name| text_method(" aBc", name)).collect();
        assert_eq!(made, [" aBc", " ABC", " abc", " abc", " AbC", "aBc", " aBc", "cBa ", "4", "4"]);
        assert_eq!((text_method("a", "system"), is_text_method("system")), (None, false));
    }
}
