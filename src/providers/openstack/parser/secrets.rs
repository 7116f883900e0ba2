//! Secrets that services leave in their notifications: Nova's scheduler sends the token of the user who asked, Heat a
//! password. They never enter the VMDB.

use super::super::envelope::Body;
use serde_json::Value;

/// What stands in place of a secret; ManageIQ's own recordings say it so.
const BLANKED: &str = "REDACTED";

/// Blanks every text whose key says that it is a secret, at any depth. What is null or empty stays: it tells nothing.
pub(super) fn blank(body: &mut Body) {
    for (key, value) in body.iter_mut() {
        match value {
            Value::String(text) if !text.is_empty() && is_secret(key) => BLANKED.clone_into(text),
            value => blank_within(value),
        }
    }
}

fn blank_within(value: &mut Value) {
    match value {
        Value::Object(body) => blank(body),
        Value::Array(items) => items.iter_mut().for_each(blank_within),
        _ => {}
    }
}

/// Whether `key` names a token, password or secret itself, not something about one (such as `token_id_hash_method`).
fn is_secret(key: &str) -> bool {
    const WORDS: [&str; 7] =
        ["token", "password", "passwd", "secret", "admin_pass", "adminpass", "private_key"];
    let ends_with_word = |word: &&str| {
        let Some(at) = key.len().checked_sub(word.len()) else { return false };
        // The word stands alone or behind `_` or `-`, as in `_context_auth_token`.
        let before = at.checked_sub(1).and_then(|before| key.as_bytes().get(before));
        let alone = at == 0 || matches!(before, Some(b'_' | b'-'));
        alone && key.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(word))
    };
    WORDS.iter().any(ends_with_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_blanked_wherever_they_stand_and_nothing_else_is() {
        let mut body = json!({
            "_context_auth_token": "gAAAA", "_context_service_token": null, "_context_password": "p",
            "_context_auth_token_info": {"token": {"project": {"name": "admin"}}},
            "payload": {"request_spec": [{"_context": {"auth_token": "gAAAA", "user_name": "ada"}}],
                        "adminPass": "x", "admin_password": "y", "token": "", "secretary": "z", "tokens": "t"}
        });
        blank(body.as_object_mut().unwrap());
        assert_eq!(
            body,
            json!({
                "_context_auth_token": "REDACTED", "_context_service_token": null, "_context_password": "REDACTED",
                "_context_auth_token_info": {"token": {"project": {"name": "admin"}}},
                "payload": {"request_spec": [{"_context": {"auth_token": "REDACTED", "user_name": "ada"}}],
                            "adminPass": "REDACTED", "admin_password": "REDACTED", "token": "",
                            "secretary": "z", "tokens": "t"}
            })
        );
    }

    #[test]
    fn keys_of_any_alphabet_are_looked_at() {
        assert!(!is_secret("пароль") && !is_secret("") && !is_secret("ключtoken") && is_secret("ключ_token"));
    }
}
