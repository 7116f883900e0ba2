//! The settings as operators meet them: layers, messages, secrets, ManageIQ's own files.
#![allow(clippy::expect_used, reason = "helpers of tests")]

#[path = "settings/arbitrary.rs"]
mod arbitrary;
#[path = "settings/bad_files.rs"]
mod bad_files;
#[path = "settings/ems.rs"]
mod ems;
#[path = "settings/layers.rs"]
mod layers;
#[path = "settings/manageiq.rs"]
mod manageiq;
#[path = "settings/page.rs"]
mod page;
#[path = "settings/plan.rs"]
mod plan;
#[path = "settings/providers.rs"]
mod providers;
#[path = "settings/secrets.rs"]
mod secrets;
#[path = "settings/shipped.rs"]
mod shipped;

use catchall::settings::{LoadOptions, Loaded, Settings, SettingsErrors, load_for};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A working directory with files in it, and an environment.
struct Desk {
    folder: TempDir,
    options: LoadOptions,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = LoadOptions { working_directory: folder.path().to_owned(), ..LoadOptions::default() };
        Self { folder, options }
    }

    /// With this `settings.yml`.
    fn with(settings: &str) -> Self {
        Self::new().file("settings.yml", settings)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
        std::fs::write(path, text).expect("a file");
        self
    }

    fn settings_option(mut self, path: &str) -> Self {
        self.options.files.push(PathBuf::from(path));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.options.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn load(&self) -> Result<Loaded, SettingsErrors> {
        load_for(&self.options, providers::PROVIDERS)
    }

    fn settings(&self) -> Settings {
        match self.load() {
            Ok(loaded) => loaded.settings,
            Err(errors) => panic!("{errors}"),
        }
    }

    fn errors(&self) -> String {
        match self.load() {
            Ok(_) => panic!("these settings are wrong"),
            Err(errors) => errors.to_string(),
        }
    }
}

/// A folder of this crate's test data.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/settings").join(name)
}
