//! JSON on several lines, its members in the order in which the provider sent them. Pure.

use serde::de::IgnoredAny;

/// The text with a line for each member, indented by two spaces; as it is when it is no JSON.
pub(in crate::http) fn indented(json: &str) -> String {
    if serde_json::from_str::<IgnoredAny>(json).is_err() {
        return json.to_owned();
    }
    let (mut text, mut depth) = (String::with_capacity(json.len() * 2), 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    // None of these three can stand within a string.
    let mut characters = json.chars().filter(|character| !matches!(character, '\n' | '\r' | '\t')).peekable();
    while let Some(character) = characters.next() {
        if in_string {
            text.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            ' ' => {}
            '{' | '[' => {
                while characters.next_if_eq(&' ').is_some() {}
                text.push(character);
                match characters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => text.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut text, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(',');
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            other => {
                in_string = other == '"';
                text.push(other);
            }
        }
    }
    text
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    // What is nested deeper than anybody reads is not indented without end.
    (0..depth.min(40)).for_each(|_| text.push_str("  "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_texts_stay_as_they_are() {
        let json = "{\"z\" : [1,2.50,{}, [ ]],\n \"a\":\"{,:\\\" \\\\\",\"b\":{\"c\":null}}";
        let text = "{\n  \"z\": [\n    1,\n    2.50,\n    {},\n    []\n  ],\n  \"a\": \"{,:\\\" \\\\\",\n  \"b\": {\n    \"c\": null\n  }\n}";
        assert_eq!(indented(json), text);
        assert_eq!(indented("no { json"), "no { json");
        assert_eq!(indented("\"\""), "\"\"");
    }

    #[test]
    fn it_is_the_same_json_whatever_it_is() {
        proptest::proptest!(|(keys in proptest::collection::vec(".*", 0..6), text in ".*", number in proptest::num::i64::ANY)| {
            let object: serde_json::Map<_, _> = keys.iter().map(|key| (key.clone(), serde_json::json!([text, number, {}]))).collect();
            let json = serde_json::Value::Object(object);
            for written in [json.to_string(), serde_json::to_string_pretty(&json).unwrap()] {
                let again: serde_json::Value = serde_json::from_str(&indented(&written)).unwrap();
                proptest::prop_assert_eq!(&again, &json);
            }
        });
    }
}
