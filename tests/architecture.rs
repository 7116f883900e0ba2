//! The shape of the house, read from its sources: which module may know which, how long a file may be, and where actix,
//! diesel and the clock may be named. `ARCHITECTURE.md` says why; the table below is the whole of it.
//!
//! The checker itself is tested on sources that break each rule.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;

/// `(module, what of `crate::` it may name)`. A name stands for a module, or for one path within it. What is not listed
/// is forbidden, and so is a module without a line.
const ARROWS: &[(&str, &[&str])] = &[
    ("provider", &[]),
    ("providers", &["provider"]),
    ("clock", &[]),
    ("backoff", &[]),
    ("fail_points", &[]),
    (
        "settings",
        &[
            "provider",
            "providers",
            "rules",
            // Rules name handlers, and a slip of the pen is told where it stands.
            "switchboard::Call",
            "switchboard::HANDLERS",
            "switchboard::is_target_name",
        ],
    ),
    // Pure, and so is what rules are made of.
    ("switchboard", &["provider"]),
    (
        "rules",
        &[
            "provider",
            "settings::EventGroups",
            // Durations and nearest words are written and told in rules as everywhere in the settings.
            "settings::values",
            "settings::nearest",
            "switchboard::Call",
        ],
    ),
    ("vmdb", &["provider", "settings", "switchboard::Call", "clock"]),
    ("observe", &["provider", "clock"]),
    ("actor", &["observe::ActorKind", "observe::ActorFigures", "observe::ActorState", "backoff"]),
    // Its pure half turns calls into work; its actor answers what waits in the VMDB.
    (
        "automate",
        &[
            "provider",
            "settings",
            "switchboard",
            "rules",
            "vmdb",
            "event_catcher::prepare",
            "event_handler::Handling",
            "observe",
            "actor",
            "clock",
        ],
    ),
    (
        "webhooks",
        &[
            "provider",
            "settings::WebhookSettings",
            "automate::SharedAutomation",
            "event_handler::Handling",
            "vmdb",
            "observe",
            "actor",
            "backoff",
            "clock",
        ],
    ),
    // It hands batches on by a message of its own, and knows neither who takes them nor what becomes of them.
    (
        "event_catcher",
        &[
            "provider",
            "settings",
            "automate",
            "vmdb::AutomateRequest",
            "vmdb::BatchOutcome",
            "vmdb::DeadLetter",
            "vmdb::ReadyBatch",
            "vmdb::ReadyEvent",
            "vmdb::Work",
            "observe",
            "actor",
            "backoff",
            "clock",
        ],
    ),
    (
        "event_handler",
        &[
            "provider",
            "settings::RefreshSettings",
            "event_catcher::messages",
            "event_catcher::flood_control",
            "automate::SharedAutomation",
            "event_catcher::parser::count",
            "event_catcher::prepare",
            "refresh::WorkReady",
            "vmdb",
            "observe",
            "actor",
            "backoff",
            "clock",
        ],
    ),
    ("refresh", &["provider", "settings::RefreshSettings", "vmdb", "observe", "actor", "backoff", "clock"]),
    (
        "purger",
        &[
            "automate::History",
            "automate::SharedAutomation",
            "event_handler::Handling",
            "vmdb",
            "observe",
            "actor",
            "clock",
        ],
    ),
    ("outages", &["provider", "event_handler::Handling", "vmdb", "observe", "actor", "clock"]),
    (
        "supervisor",
        &[
            "provider",
            "settings",
            "switchboard",
            "vmdb",
            "event_catcher",
            "event_handler",
            "refresh",
            "automate",
            "webhooks",
            "purger",
            "outages",
            "http",
            "observe",
            "actor",
            "backoff",
            "clock",
        ],
    ),
    // The API shows the rules that are in force, as they were read.
    ("http", &["provider", "settings", "rules::Rules", "rules::RuleDefinition", "vmdb", "observe", "clock"]),
    ("simulator", &["clock"]),
    // It starts the others as processes, and looks at what they leave.
    (
        "prove",
        &[
            "provider::Secret",
            "settings::VmdbSettings",
            "vmdb",
            "simulator::FaultKind",
            "simulator::Faults",
            "fail_points",
        ],
    ),
    (
        "cli",
        &[
            "provider",
            "providers",
            "settings",
            "switchboard",
            "vmdb",
            "automate",
            "rules",
            "event_catcher::prepare",
            "supervisor",
            "observe",
            "http",
            "simulator",
            "prove",
            "clock",
            "fail_points",
        ],
    ),
];

/// `(words, modules that may name them)`.
const RESERVED: &[(&[&str], &[&str])] = &[
    (&["diesel", "diesel_async", "diesel_migrations", "libsqlite3_sys", "tokio_postgres"], &["vmdb"]),
    (
        &["actix", "actix_rt"],
        &[
            "actor",
            "automate",
            "webhooks",
            "event_catcher",
            "event_handler",
            "refresh",
            "supervisor",
            "http",
            "cli",
        ],
    ),
    (&["actix_web"], &["http", "simulator", "cli"]),
    (&["Utc::now", "SystemTime::now"], &["clock"]),
];

const LONGEST_FILE: usize = 400;

/// A source file below `src/`: its path there, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The module that the arrows speak of: the first part of the path.
    fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Tests may look at anything, and their names say what they are for.
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs" || name.ends_with("_tests.rs") || self.path.contains("/tests/")
    }

    /// The two roots bring everything together.
    fn is_bound_by_arrows(&self) -> bool {
        !(self.path == "lib.rs" || self.path == "main.rs" || self.is_test())
    }

    /// The code without comments and without the test module at its end.
    fn production(&self) -> String {
        let text = self.text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }
}

/// Every path below `crate::`, groups taken apart: `use crate::{a::{B, C}, d}` gives `a::B`, `a::C` and `d`.
fn crate_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        expand("", &code[at + "crate::".len()..], &mut paths);
    }
    paths
}

/// Takes the path at the start of `text` apart, below `prefix`.
fn expand(prefix: &str, text: &str, into: &mut Vec<String>) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    match text[end..].strip_prefix('{') {
        Some(group) if path.is_empty() || path.ends_with("::") => {
            members(group).iter().for_each(|member| expand(&path, member.trim(), into));
        }
        _ => into.push(path.trim_end_matches("::self").trim_end_matches(':').to_owned()),
    }
}

/// The members of a `use` group, cut at its outermost commas.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(&group[from..at]);
                from = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|member| !member.trim().is_empty());
    found
}

fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(part)
            && !code[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// One line for each rule that a source breaks.
fn violations(source: &Source) -> Vec<String> {
    let Source { path, text } = source;
    let mut found = Vec::new();
    if !text.starts_with("//!") && !source.is_test() {
        found.push(format!("{path}: does not open with `//!`"));
    }
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        found.push(format!("{path}: {lines} lines, the most is {LONGEST_FILE}"));
    }
    if !source.is_bound_by_arrows() {
        return found;
    }
    let module = source.module();
    let code = source.production();
    match ARROWS.iter().find(|(name, _)| *name == module) {
        None => found.push(format!("{path}: module `{module}` has no line in the table of arrows")),
        Some((_, allowed)) => {
            let is_allowed = |used: &str| {
                let within = |outer: &str| {
                    used == outer || used.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"))
                };
                within(module) || allowed.iter().any(|outer| within(outer))
            };
            for used in crate_paths(&code).iter().filter(|used| !is_allowed(used)) {
                found.push(format!("{path}: `{module}` may not use `crate::{used}`"));
            }
        }
    }
    if let Some(provider) = path.strip_prefix("providers/").and_then(|rest| rest.split_once('/')) {
        for used in crate_paths(&code).iter().filter_map(|used| used.strip_prefix("providers::")) {
            if used.split("::").next() != Some(provider.0) {
                found.push(format!("{path}: a provider may not use another, `crate::providers::{used}`"));
            }
        }
    }
    for (words, modules) in RESERVED {
        for word in words.iter().filter(|word| names(&code, word) && !modules.contains(&module)) {
            found.push(format!("{path}: only {modules:?} may name `{word}`"));
        }
    }
    found
}

/// The registry's lines, `folder::Type`, as they stand.
fn registry(text: &str) -> Vec<&str> {
    let list = text.split_once("\nproviders! {").and_then(|(_, rest)| rest.split_once("\n}"));
    let lines = list.map_or("", |(list, _)| list).lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect()
}

fn registry_violations(lines: &[&str], folders: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    if !lines.is_sorted() {
        found.push(format!("the registry is not sorted: {lines:?}"));
    }
    let mut named: Vec<_> =
        lines.iter().map(|line| line.split("::").next().unwrap_or_default().to_owned()).collect();
    named.sort();
    if named != folders {
        found.push(format!("the registry names {named:?}, the folders are {folders:?}"));
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, into: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let below = path.strip_prefix(root().join("src")).unwrap();
            into.push(Source {
                path: below.to_str().unwrap().replace('\\', "/"),
                text: fs::read_to_string(&path).unwrap(),
            });
        }
    }
}

fn provider_folders() -> Vec<String> {
    let entries = fs::read_dir(root().join("src/providers")).unwrap().map(Result::unwrap);
    let mut folders: Vec<_> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    folders.sort();
    folders
}

#[test]
fn every_source_file_keeps_the_rules_of_the_house() {
    let mut all = Vec::new();
    sources(&root().join("src"), &mut all);
    assert!(all.len() > 20, "only {} sources were found", all.len());
    let found: Vec<_> = all.iter().flat_map(violations).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_registry_is_sorted_and_names_every_folder_once() {
    let text = fs::read_to_string(root().join("src/providers/mod.rs")).unwrap();
    let found = registry_violations(&registry(&text), &provider_folders());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn a_provider_is_the_five_files_of_the_guide_and_its_data() {
    for folder in provider_folders() {
        for file in ["mod.rs", "stream.rs", "parser.rs", "targets.rs", "settings.yml", "automate", "fixtures"]
        {
            let path = root().join("src/providers").join(&folder).join(file);
            assert!(path.exists(), "src/providers/{folder} has no {file}");
        }
    }
}

#[test]
fn the_checker_sees_each_rule_broken() {
    let broken = |path: &str, code: &str| {
        violations(&Source { path: path.into(), text: format!("//! A module.\n{code}\n") }).join("\n")
    };
    let cases = [
        ("provider/stream.rs", "use crate::vmdb::Vmdb;", "may not use `crate::vmdb::Vmdb`"),
        (
            "vmdb/mod.rs",
            "use crate::{provider::Ems, refresh::{self, Plan}};",
            "may not use `crate::refresh::Plan`",
        ),
        ("event_catcher/mod.rs", "use crate::vmdb::{Work, Vmdb};", "may not use `crate::vmdb::Vmdb`"),
        (
            "event_catcher/parser.rs",
            "fn f() { crate::refresh::ring(); }",
            "may not use `crate::refresh::ring`",
        ),
        ("providers/a/mod.rs", "use crate::providers::b::B;", "a provider may not use another"),
        ("refresh/mod.rs", "use diesel::prelude::*;", "may name `diesel`"),
        ("provider/mod.rs", "impl actix::Actor for A {}", "may name `actix`"),
        ("refresh/batch.rs", "let now = chrono::Utc::now();", "may name `Utc::now`"),
        ("warehouse/mod.rs", "", "has no line in the table of arrows"),
        ("backoff.rs", &"\n".repeat(LONGEST_FILE), "the most is 400"),
    ];
    for (path, code, complaint) in cases {
        let found = broken(path, code);
        assert!(found.contains(complaint), "{path}: {code}: {found:?}");
    }
    let bare = violations(&Source { path: "backoff.rs".into(), text: "use std::fmt;\n".into() });
    assert_eq!(bare, ["backoff.rs: does not open with `//!`"]);
}

#[test]
fn the_checker_passes_over_comments_tests_and_look_alikes() {
    let fine = [
        ("provider/mod.rs", "//! See [`crate::vmdb`].\nuse crate::provider::Ems; // not crate::vmdb\n"),
        ("backoff.rs", "//! Waits.\n\n#[cfg(test)]\nmod tests {\n    use crate::vmdb::Vmdb;\n}\n"),
        ("provider/tests.rs", "//! Tests.\nuse crate::vmdb::Vmdb;\n"),
        ("providers/a/mod.rs", "//! A.\nuse crate::providers::a::parser;\nlet my_diesel = actixes;\n"),
    ];
    for (path, text) in fine {
        let source = Source { path: path.into(), text: text.into() };
        assert_eq!(violations(&source), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn the_checker_sees_a_registry_out_of_order_or_without_a_folder() {
    let text = "macro…\nproviders! {\n    // sorted\n    beta::Beta,\n    alpha::Alpha,\n}\n";
    assert_eq!(registry(text), ["beta::Beta,", "alpha::Alpha,"]);
    let folders = ["alpha".to_owned(), "beta".to_owned()];
    assert_eq!(registry_violations(&["alpha::Alpha,", "beta::Beta,"], &folders), Vec::<String>::new());
    assert_eq!(registry_violations(&registry(text), &folders).len(), 1);
    assert_eq!(registry_violations(&["alpha::Alpha,"], &folders).len(), 1);
}
