//! Settings files and environment → settings, or messages that name a place.
//!
//! What must hold: no panic, an answer in bounded time and room; and what is printed is YAML.

use catchall::cli::check;
use catchall::providers::PROVIDERS;
use catchall::settings::{LoadOptions, load_for};
use std::cell::LazyCell;
use std::path::PathBuf;
use tempfile::TempDir;

/// What a message may take for each byte of the settings: a key stands in its message, with its path.
const MOST_FOR_A_BYTE: usize = 512;
const OF_OUR_OWN: usize = 64 << 10;

thread_local! {
    static FOLDER: LazyCell<TempDir> = LazyCell::new(|| tempfile::tempdir().expect("a temporary folder"));
}

/// `settings.yml`, and behind each NUL an environment variable `NAME=value`.
pub fn hold(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == 0);
    let file = parts.next().unwrap_or_default();
    let environment: Vec<(String, String)> = parts
        .filter_map(|part| String::from_utf8_lossy(part).split_once('=').map(|(n, v)| (n.into(), v.into())))
        .collect();
    FOLDER.with(|folder| {
        std::fs::write(folder.path().join("settings.yml"), file).expect("a file");
        std::fs::write(folder.path().join("secret"), "s3cret\n").expect("a file");
        let options = LoadOptions {
            working_directory: folder.path().to_owned(),
            environment,
            ..LoadOptions::default()
        };
        let answer = answer(&options);
        assert!(
            answer.len() <= MOST_FOR_A_BYTE * data.len() + OF_OUR_OWN,
            "{} bytes of answer",
            answer.len()
        );
    });
}

fn answer(options: &LoadOptions) -> String {
    match load_for(options, PROVIDERS) {
        Ok(loaded) => {
            let printed = check::print(&loaded.merged);
            let read = serde_yaml::from_str::<serde_yaml::Value>(&printed);
            assert!(read.is_ok(), "what is printed is YAML: {printed}");
            printed
        }
        Err(errors) => {
            let text = errors.to_string();
            assert!(!errors.0.is_empty() && !text.is_empty());
            text
        }
    }
}

/// Where there is something to read without end.
pub fn endless() -> Option<PathBuf> {
    Some(PathBuf::from("/dev/zero")).filter(|path| path.exists())
}
