//! Each wrong file has its exact message beside it.

use super::{data, providers};
use catchall::settings::{LoadOptions, load_for};
use std::path::PathBuf;

#[test]
fn each_wrong_file_gets_exactly_its_message() {
    let folder = data("bad");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("test data")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| name.ends_with(".yml"))
        .collect();
    names.sort();
    assert!(names.len() > 30, "only {} wrong files were found", names.len());
    let mut differences = Vec::new();
    for name in names {
        let options = LoadOptions {
            files: vec![PathBuf::from(&name)],
            environment: vec![("EMPTY".to_owned(), String::new())],
            working_directory: folder.clone(),
            ..LoadOptions::default()
        };
        let found = match load_for(&options, providers::PROVIDERS) {
            Ok(_) => "no error".to_owned(),
            Err(errors) => errors.to_string(),
        };
        let expected = std::fs::read_to_string(folder.join(name.replace(".yml", ".txt"))).unwrap_or_default();
        if found != expected.trim_end() {
            differences.push(format!("{name}\nfound:\n{found}\nexpected:\n{expected}"));
        }
        assert!(!found.contains("s3cret"), "{name} shows its secret: {found}");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n----\n"));
}
