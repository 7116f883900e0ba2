//! The layers in their order, merged: the core's and the providers' defaults, `settings.yml`, `--settings`, the
//! environment.
//!
//! The only place that reads settings files (besides `${file:…}`). Checks nothing but that they can be read.

use super::bounded_file;
use super::environment;
use super::errors::SettingsError;
use super::sources::Sources;
use super::tree::{Content, Node, Origin, merge_settings};
use super::yaml;
use crate::provider::Provider;
use std::path::{Path, PathBuf};

/// The file in the working directory.
pub const SETTINGS_FILE: &str = "settings.yml";

/// Where to look for settings. No `Debug`: the environment may hold secrets.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// From `--settings`: files, or folders with their `*.yml` in order.
    pub files: Vec<PathBuf>,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// What relative paths are relative to.
    pub working_directory: PathBuf,
    /// The rules of the last of `files` stand for all rules of the layers below it.
    pub last_rules_alone: bool,
}

impl LoadOptions {
    /// With the environment and working directory of this process.
    pub fn of_this_process(files: Vec<PathBuf>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let working_directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self { files, environment, working_directory, last_rules_alone: false }
    }
}

/// Everything merged, before it is checked.
pub struct Layers {
    /// Where values come from.
    pub sources: Sources,
    /// All layers in one.
    pub root: Node,
    /// Each provider's defaults alone.
    pub defaults: Vec<Node>,
    /// What ManageIQ has for providers that are not in this build: no part of the settings, but their event groups count.
    pub others: Node,
    /// What could not be read.
    pub errors: Vec<SettingsError>,
    /// What people should know.
    pub notices: Vec<String>,
}

impl Layers {
    /// Reads and merges all of them; goes on after an error, so that all errors are told at once.
    pub fn read(options: &LoadOptions, providers: &[&'static dyn Provider]) -> Self {
        let mut layers = Self {
            sources: Sources::default(),
            root: Node::empty(Origin { source: 0, path: Vec::new() }),
            defaults: Vec::new(),
            others: Node::empty(Origin { source: 0, path: Vec::new() }),
            errors: Vec::new(),
            notices: Vec::new(),
        };
        layers.add_built_in("core defaults", include_str!("core_settings.yml"));
        let facts = layers.sources.add_facts("ManageIQ's core");
        layers.add(facts, include_str!("manageiq_defaults.yml"));
        layers.add_manageiqs_providers(providers);
        for provider in providers {
            let name = format!("{} defaults", provider.ems_type());
            if let Some(node) = layers.add_built_in(&name, provider.default_settings()) {
                layers.defaults.push(node);
            }
        }
        layers.add_files(options);
        environment::apply(&mut layers, &options.environment);
        layers
    }

    fn add_built_in(&mut self, name: &str, text: &str) -> Option<Node> {
        let source = self.sources.add_built_in(name, text);
        self.add(source, text)
    }

    /// ManageIQ's defaults for its providers, below those of a provider's own folder.
    fn add_manageiqs_providers(&mut self, providers: &[&'static dyn Provider]) {
        let text = include_str!("manageiq_providers.yml");
        let source = self.sources.add_facts("ManageIQ's providers");
        match yaml::read(self.sources.name(source), source, text) {
            Ok(mut of_this_build) => {
                let types: Vec<_> = providers.iter().map(|provider| provider.ems_type()).collect();
                self.others = of_this_build.clone();
                keep_sections(&mut of_this_build, &|ems_type| types.contains(&ems_type));
                keep_sections(&mut self.others, &|ems_type| !types.contains(&ems_type));
                merge_settings(&mut self.root, of_this_build);
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn add(&mut self, source: usize, text: &str) -> Option<Node> {
        match yaml::read(self.sources.name(source), source, text) {
            Ok(node) => {
                merge_settings(&mut self.root, node.clone());
                Some(node)
            }
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn add_files(&mut self, options: &LoadOptions) {
        if options.working_directory.join(SETTINGS_FILE).is_file() {
            self.add_file(Path::new(SETTINGS_FILE), options);
        } else if options.files.is_empty() {
            self.notices.push(format!(
                "no {SETTINGS_FILE} in the working directory and no --settings: only defaults"
            ));
        }
        for (place, path) in options.files.iter().enumerate() {
            if options.last_rules_alone && place + 1 == options.files.len() {
                self.root.remove("rules");
            }
            if options.working_directory.join(path).is_dir() {
                self.add_folder(path, options);
            } else {
                self.add_file(path, options);
            }
        }
    }

    fn add_folder(&mut self, folder: &Path, options: &LoadOptions) {
        let entries = match std::fs::read_dir(options.working_directory.join(folder)) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(folder, &error),
        };
        let mut names: Vec<PathBuf> = entries
            .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
            .filter(|name| name.extension().is_some_and(|extension| extension == "yml"))
            .collect();
        names.sort();
        if names.is_empty() {
            self.notices.push(format!("{}: the folder holds no *.yml", folder.display()));
        }
        for name in names {
            self.add_file(&folder.join(name), options);
        }
    }

    fn add_file(&mut self, path: &Path, options: &LoadOptions) {
        match bounded_file::read(&options.working_directory.join(path)) {
            Ok(text) => {
                // A byte order mark is no part of the first key.
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                let source = self.sources.add_file(path.display().to_string(), text);
                self.add(source, text);
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &std::io::Error) {
        let message = format!("cannot be read: {error}; check the path given with --settings");
        self.errors.push(SettingsError::new(path.display().to_string(), "", message));
    }
}

/// Leaves the sections `ems_TYPE` and `event_catcher_TYPE` of some types.
fn keep_sections(root: &mut Node, keeps: &dyn Fn(&str) -> bool) {
    const PLACES: [(&[&str], &str); 2] =
        [(&["ems"], "ems_"), (&["workers", "worker_base", "event_catcher"], "event_catcher_")];
    for (path, start) in PLACES {
        if let Some(Content::Map(sections)) = root.at_mut(path).map(|node| &mut node.content) {
            sections.retain(|(key, _)| key.strip_prefix(start).is_some_and(keeps));
        }
    }
}
