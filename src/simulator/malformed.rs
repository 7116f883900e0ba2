//! The kinds of malformed events that the API's page lists, made from a good one.

/// Each turns a rendered event into bytes that can be no event, while the page's outline stays whole.
pub const KINDS: &[fn(&str) -> Vec<u8>] = &[
    |event| event.replacen("\"id\":", "\"not_id\":", 1).into_bytes(),
    |event| event.replacen("\"time\":", "\"time\":null,\"not_time\":", 1).into_bytes(),
    |event| event.replacen("\"chain_id\":", "\"chain_id\":\"x\",\"not_chain_id\":", 1).into_bytes(),
    |event| event.replacen("\"message\":\"", "\"message\":\"\\u0000", 1).into_bytes(),
    |event| event.replacen("\"message\":\"", "\"message\":\"\\ud800", 1).into_bytes(),
    |event| event.replacen("\"message\":\"", "\"message\":\"\u{1}", 1).into_bytes(),
    |event| event.replacen("\"time\":\"", "\"time\":\"1", 1).into_bytes(),
    |event| {
        let nested = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        event.replacen("\"message\":", &format!("\"deep\":{nested},\"message\":"), 1).into_bytes()
    },
    invalid_utf8,
    |event| format!("[{event}]").into_bytes(),
    |event| serde_json::Value::from(event).to_string().into_bytes(),
];

/// Bytes in a text that are no UTF-8.
pub fn invalid_utf8(event: &str) -> Vec<u8> {
    let (head, tail) = event.split_once("\"message\":\"").unwrap_or((event, ""));
    [head.as_bytes(), b"\"message\":\"\xff\xfe", tail.as_bytes()].concat()
}
