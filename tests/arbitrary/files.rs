//! Settings and automate files as people type them, and as nobody would.

use crate::cases;
use crate::trials::{automate, settings};
use catchall::providers::PROVIDERS;
use catchall::switchboard::builtin_domain;
use proptest::prelude::*;
use std::path::Path;

/// Every settings file of the tests and of the providers.
fn settings_files() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<String> =
        PROVIDERS.iter().map(|provider| provider.default_settings().to_owned()).collect();
    for folder in ["tests/data/settings/bad", "tests/data/settings/good"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yml") {
                texts.extend(std::fs::read_to_string(path));
            }
        }
    }
    texts
}

/// Lines of one of `texts`, some of them changed, moved, or of another.
fn lines_of(texts: Vec<String>) -> impl Strategy<Value = String> {
    let edit = (any::<usize>(), any::<usize>(), 0..6_u8, "[-:{}\\[\\]&*!|>'\"#%@` \\t~a<${}]{0,4}");
    (prop::sample::select(texts), prop::collection::vec(edit, 0..5)).prop_map(|(text, edits)| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (one, other, what, piece) in edits {
            if lines.is_empty() {
                break;
            }
            let (one, other) = (one % lines.len(), other % lines.len());
            match what {
                0 => drop(lines.remove(one)),
                1 => lines.swap(one, other),
                2 => lines[one] = format!("{}{piece}", lines[other]),
                3 => lines[one].insert_str(0, &piece),
                4 => lines[one].push_str(&piece),
                _ => lines.insert(one, lines[other].clone()),
            }
        }
        lines.join("\n")
    })
}

/// The files of the built-in domain, as the trial takes them.
fn automate_files() -> Vec<String> {
    builtin_domain(PROVIDERS)
        .into_iter()
        .map(|(path, text)| format!("{path}\n{}", String::from_utf8_lossy(&text)))
        .filter(|file| file.len() < 4_000)
        .collect()
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn mistyped_settings_are_answered(
        text in lines_of(settings_files()),
        variables in prop::collection::vec("CATCHALL__[A-Z_]{1,12}(__[A-Z_]{0,8}){0,3}=\\PC{0,10}", 0..3),
    ) {
        let parts: Vec<String> = std::iter::once(text.replace('\0', "")).chain(variables).collect();
        settings::hold(parts.join("\0").as_bytes());
    }

    #[test]
    fn mistyped_automate_files_are_answered(files in prop::collection::vec(lines_of(automate_files()), 1..4)) {
        automate::hold(files.join("\0").as_bytes());
    }
}

#[test]
fn the_built_in_domain_is_loaded_and_asked() {
    automate::hold(automate_files().join("\0").as_bytes());
}
