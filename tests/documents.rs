//! What the documents name exists: files, tests, dependencies. A page that speaks of what is gone fails here.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files(folder: &Path, extension: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, extension, into);
        } else if path.extension().is_some_and(|found| found == extension) {
            into.push(path);
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let mut found =
        vec![root().join("README.md"), root().join("ARCHITECTURE.md"), root().join("CHANGELOG.md")];
    files(&root().join("docs"), "md", &mut found);
    found
}

fn sources() -> String {
    let mut found = Vec::new();
    for folder in ["src", "tests", "templates", "benches"] {
        files(&root().join(folder), "rs", &mut found);
    }
    found.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// What stands between single backticks; fenced blocks are left out.
fn quoted(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|part| part.lines().flat_map(|line| line.split('`').skip(1).step_by(2))).collect()
}

/// The targets of `[text](target)`.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

fn is_path(word: &str) -> bool {
    let below = ["src/", "tests/", "docs/", "templates/", "scripts/", "migrations/", "benches/"];
    below.iter().any(|folder| word.starts_with(folder))
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
}

#[test]
fn every_file_that_a_document_names_is_there() {
    let mut missing = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let folder = document.parent().unwrap();
        let linked =
            links(&text).into_iter().filter(|target| !target.contains("://") && !target.starts_with('#'));
        let linked = linked.map(|target| folder.join(target.split('#').next().unwrap_or_default()));
        let named = quoted(&text).into_iter().filter(|word| is_path(word)).map(|word| root().join(word));
        for path in linked.chain(named).filter(|path| !path.exists()) {
            // Folders that the guide has its reader make.
            if !path.to_string_lossy().contains("quiet_cloud") && !path.ends_with("src/providers/x") {
                missing.push(format!("{} names {}", document.display(), path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

/// Names of tests, which are sentences.
fn is_sentence(word: &&str) -> bool {
    word.matches('_').count() >= 4
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn every_test_that_the_architecture_names_is_there() {
    let (text, sources) = (read("ARCHITECTURE.md"), sources());
    let named: Vec<_> = quoted(&text).into_iter().filter(is_sentence).collect();
    assert!(named.len() >= 12, "{named:?}");
    let missing: Vec<_> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_known_way_to_lose_or_double_an_event_has_its_tests_and_they_are_there() {
    let (text, sources) = (read("docs/delivery.md"), sources());
    let known = [("L", 25), ("D", 7), ("P", 13)];
    for way in known.iter().flat_map(|(kind, most)| (1..=*most).map(move |number| format!("{kind}{number}")))
    {
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with(&format!("| {way} |"))).collect();
        let [row] = *rows else { panic!("{way} has {} rows in docs/delivery.md", rows.len()) };
        let shown_by = row.rsplit(" | ").next().unwrap_or_default();
        assert!(quoted(shown_by).iter().any(is_sentence), "{way} is shown by no test");
    }
    let named = quoted(&text).into_iter().filter(is_sentence);
    let missing: Vec<_> = named.filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_dependency_is_used_and_explained() {
    let (manifest, page, sources) = (read("Cargo.toml"), read("docs/dependencies.md"), sources());
    let explained = quoted(&page);
    let mut section = "";
    let mut found = 0;
    for line in manifest.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((name, _)) = line.split_once(" = ").filter(|_| section.ends_with("dependencies")) {
            found += 1;
            assert!(explained.contains(&name), "docs/dependencies.md does not explain {name}");
            let path = format!("{}::", name.replace('-', "_"));
            assert!(sources.contains(&path) || is_for_its_features(name), "{name} is used nowhere");
        }
    }
    assert!(found > 20, "only {found} dependencies were found");
}

/// Named for the features that it switches on in another dependency.
fn is_for_its_features(name: &str) -> bool {
    ["libsqlite3-sys"].contains(&name)
}

#[test]
fn the_architecture_is_short_enough_to_be_read() {
    assert!(read("ARCHITECTURE.md").lines().count() <= 250);
}
