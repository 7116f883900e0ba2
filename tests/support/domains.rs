//! Automate domains for tests, in folders of their own, written as people write them.

use super::automate_files::{EMS_EVENT, REFRESH, class, instance};
use catchall::switchboard::{AutomateError, AutomateWarning, Switchboard, builtin_domain};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Folders of domains, removed at the end.
pub struct Domains {
    root: TempDir,
    folders: Vec<PathBuf>,
}

impl Domains {
    pub fn new() -> Self {
        Self { root: TempDir::new().unwrap(), folders: Vec::new() }
    }

    /// A domain over those before it.
    pub fn with(mut self, name: &str) -> Self {
        self.folders.push(self.root.path().join(name));
        self.file(
            "__domain__.yaml",
            &format!("object_type: domain\nobject:\n  attributes:\n    name: {name}\n"),
        )
    }

    /// A file of the last domain.
    pub fn file(self, path: &str, text: &str) -> Self {
        write(&self.folders.last().unwrap().join(path), text.as_bytes());
        self
    }

    /// An instance of a class of provider events in the last domain.
    pub fn instance(self, class: &str, name: &str, fields: &[(&str, &str)]) -> Self {
        let path = format!(
            "{EMS_EVENT}/{class}.class/{}.yaml",
            name.replacen('.', "_", usize::from(name.starts_with('.')))
        );
        self.file(&path, &instance(name, fields))
    }

    /// The folder of the domain of that name.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn load(&self) -> (Switchboard, Vec<AutomateWarning>) {
        self.try_load().unwrap()
    }

    pub fn try_load(&self) -> Result<(Switchboard, Vec<AutomateWarning>), AutomateError> {
        Switchboard::load(shipped(), &self.folders)
    }

    /// The warnings, without this machine's folders.
    pub fn warnings(&self) -> Vec<String> {
        self.load().1.iter().map(|warning| self.tidy(&warning.to_string())).collect()
    }

    /// The error, without this machine's folders.
    pub fn error(&self) -> String {
        self.tidy(&self.try_load().unwrap_err().to_string())
    }

    fn tidy(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.root.path().display()), "").replace(EMS_EVENT, "…")
    }
}

pub fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// The built-in domain of OpenStack alone, with some of its classes (all of them take long to load again and again) and a few
/// event types of AWESOME_CLOUD.
pub fn shipped() -> Vec<(String, Cow<'static, [u8]>)> {
    let classes =
        ["EVM", "OpenStack", "PROXMOX", "VC"].map(|class| format!("{EMS_EVENT}/{class}.class.yaml"));
    let mut files = builtin_domain(&[&catchall::providers::openstack::Openstack]);
    files.retain(|(path, _)| !path.starts_with(EMS_EVENT) || classes.contains(path));
    let mut add =
        |path: &str, text: String| files.push((format!("{EMS_EVENT}/{path}"), text.into_bytes().into()));
    add("AWESOME_CLOUD.class/__class__.yaml", class("AWESOME_CLOUD"));
    for verb in ["create", "update", "start", "stop", "migrate", "delete"] {
        let name = format!("com.awesome-cloud.vm.{verb}");
        add(&format!("AWESOME_CLOUD.class/{name}.yaml"), instance(&name, &[("rel4", REFRESH)]));
    }
    files
}
