//! An entry of `on.event_types`: an exact type, a glob (`vm.*`), or a `/regular expression/`. Compared case-sensitively.

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// This type.
    Exact(String),
    /// Every type that this regular expression finds something in.
    Expression(String),
}

/// Reads an entry. `*` stands for any run of characters, `?` for any one.
pub(super) fn read(entry: &str) -> Pattern {
    if let Some(body) = entry.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        return Pattern::Expression(body.to_owned());
    }
    if !entry.contains(['*', '?']) {
        return Pattern::Exact(entry.to_owned());
    }
    let mut expression = String::from("^(?s:");
    for character in entry.chars() {
        match character {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            other => expression.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push_str(")$");
    Pattern::Expression(expression)
}

/// Whether an entry can be used.
///
/// # Errors
/// Says what is wrong with it.
pub fn check(entry: &str) -> Result<(), String> {
    if entry.trim().is_empty() {
        return Err("an empty event type was found; wanted one such as vm.stop, vm.* or /^vm\\./".to_owned());
    }
    if entry.starts_with('/') && !(entry.ends_with('/') && entry.len() > 2) {
        return Err(format!("{entry:?} begins as a regular expression but does not end with /"));
    }
    let Pattern::Expression(expression) = read(entry) else { return Ok(()) };
    regex::Regex::new(&expression).map(drop).map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or(&text).trim().trim_start_matches("error: ").to_owned();
        format!("{entry:?} is no regular expression: {last}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(entry: &str, event_type: &str) -> bool {
        match read(entry) {
            Pattern::Exact(exact) => exact == event_type,
            Pattern::Expression(expression) => {
                regex::Regex::new(&expression).is_ok_and(|regex| regex.is_match(event_type))
            }
        }
    }

    #[test]
    fn a_glob_covers_the_whole_type_and_an_expression_any_part() {
        assert!(matches("com.cloud.vm.*", "com.cloud.vm.stop"));
        assert!(!matches("com.cloud.vm.*", "com_cloud_vm.stop"), "a dot is a dot");
        assert!(!matches("vm.*", "my.vm.stop"));
        assert!(matches("*.vm.st?p", "my.vm.stop"));
        assert!(matches("/vm\\.st/", "my.vm.stop"));
        assert!(!matches("vm.stop", "VM.stop"));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert!(check("/vm.(/").unwrap_err().contains("unclosed group"));
        assert!(check("/vm").unwrap_err().contains("does not end with /"));
        assert!(check(" ").is_err());
        assert_eq!(check("vm.[*"), Ok(()));
    }
}
