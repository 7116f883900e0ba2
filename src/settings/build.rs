//! The checked tree → [`Settings`]: typed values, and what several keys mean together.
//!
//! Values that did not pass `validate` are left at their defaults here: then the settings are refused anyway.

use super::errors::SettingsError;
use super::event_groups::{EventGroups, LEVELS};
use super::sources::Sources;
use super::tree::{Node, Origin, merge};
use super::{
    EventNameFilter, HttpSettings, Settings, TlsFiles, TlsFilesError, VmdbSettings, WebhookSettings, ems,
    listen, rules, values, webhooks,
};
use crate::provider::{Provider, Secret};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// ManageIQ keeps events so long when it is told to keep them 0 seconds.
const KEEP_EVENTS: Duration = Duration::from_secs(6 * 2_629_746);

/// Older events are history that is read again, not news.
const MAX_ACTION_AGE: Duration = Duration::from_secs(3600);

/// What building needs besides the tree.
pub struct Builder<'a> {
    /// Providers of this build.
    pub providers: &'a [&'static dyn Provider],
    /// ManageIQ's sections for providers that are not in this build.
    pub others: &'a Node,
    /// To name places.
    pub sources: &'a Sources,
    /// What relative paths are relative to.
    pub working_directory: &'a Path,
    /// What is wrong.
    pub errors: Vec<(Origin, SettingsError)>,
}

impl Builder<'_> {
    /// The whole settings, without notices.
    pub fn settings(&mut self, root: &Node) -> Settings {
        let event_groups = self.event_groups(root);
        let keep_events = duration(root, &["event_streams", "history", "keep_events"]).unwrap_or(KEEP_EVENTS);
        Settings {
            vmdb: VmdbSettings {
                url: Secret::new(text(root, &["vmdb", "url"]).unwrap_or("sqlite://catchall.db")),
                schema: text(root, &["vmdb", "schema"]).unwrap_or("catchall").to_owned(),
            },
            http: self.http(root),
            ext_management_systems: ems::build_all(self, root),
            blacklists: self.blacklists(root),
            rules: rules::build(self, root, &event_groups),
            event_groups,
            keep_events: if keep_events.is_zero() { KEEP_EVENTS } else { keep_events },
            most_full_refreshes: number(root, &["ems_refresh", "max_concurrent"]).unwrap_or(8),
            purge_window_size: number(root, &["event_streams", "history", "purge_window_size"])
                .unwrap_or(1_000),
            task_final_events: task_final_events(root),
            automate_domains: self.automate_domains(root),
            abort_on_error: boolean(root, &["automate", "abort_on_error"]).unwrap_or(false),
            webhooks: self.webhooks(root),
            max_action_age: duration(root, &["max_action_age"]).unwrap_or(MAX_ACTION_AGE),
            notices: Vec::new(),
        }
    }

    /// Records what is wrong with `node`.
    pub fn error(&mut self, node: &Node, key: impl Into<String>, message: impl Into<String>) {
        let error = SettingsError::new(self.sources.place(&node.origin), key, message);
        self.errors.push((node.origin.clone(), error));
    }

    fn http(&mut self, root: &Node) -> HttpSettings {
        let listen = text(root, &["http", "listen"]).and_then(listen::parse).flatten();
        let token = text(root, &["http", "token"]).filter(|token| !token.is_empty()).map(Secret::new);
        let node = root.at(&["http", "listen"]);
        if let (Some(address), None, Some(node)) = (listen, &token, node)
            && !address.ip().is_loopback()
        {
            let message = format!(
                "{address} can be reached from other machines; set http.token too, such as \"${{CATCHALL_TOKEN}}\", or \
                 listen on 127.0.0.1:{}",
                address.port()
            );
            self.error(node, "http.listen", message);
        }
        HttpSettings { listen, token, tls: self.tls(root) }
    }

    fn tls(&mut self, root: &Node) -> Option<TlsFiles> {
        let node = root.at(&["http", "tls"]).filter(|node| !node.is_null())?;
        let (certificate, key) = (text(node, &["certificate"]), text(node, &["key"]));
        let (Some(certificate), Some(key)) = (certificate, key) else {
            let message =
                "both files are needed: `tls: {certificate: server.crt, key: server.key}`, or no tls at all";
            self.error(node, "http.tls", message);
            return None;
        };
        let files = TlsFiles::below(self.working_directory, certificate, key);
        if let Err(error) = files.read() {
            let (name, path, reason) = match error {
                TlsFilesError::Certificate { reason, .. } => ("certificate", certificate, reason),
                TlsFilesError::Key { reason, .. } => ("key", key, reason),
            };
            let message = format!("{path}: {reason}");
            self.error(node.get(name).unwrap_or(node), format!("http.tls.{name}"), message);
        }
        Some(files)
    }

    fn blacklists(&self, root: &Node) -> BTreeMap<String, EventNameFilter> {
        let types = self.providers.iter().map(|provider| provider.ems_type());
        types.map(|ems_type| (ems_type.to_owned(), ems::blacklist(root, ems_type))).collect()
    }

    fn webhooks(&mut self, root: &Node) -> BTreeMap<String, WebhookSettings> {
        let section = root.get("webhooks");
        for (name, node) in section.map(Node::entries).unwrap_or_default() {
            if text(node, &["url"]).is_none() {
                let message =
                    "every webhook needs an address, such as `url: https://hooks.example.com/catchall`";
                self.error(node, format!("webhooks.{name}.url"), message);
            }
        }
        webhooks::build(section)
    }

    fn automate_domains(&mut self, root: &Node) -> Vec<PathBuf> {
        let Some(node) = root.at(&["automate", "domains"]) else { return Vec::new() };
        let mut domains = Vec::new();
        for item in node.items() {
            let Some(text) = item.text() else { continue };
            let path = self.working_directory.join(text);
            if !path.is_dir() {
                let message = format!(
                    "the folder {text} does not exist; relative paths start at the working directory"
                );
                self.error(item, "automate.domains", message);
            } else if !path.join("__domain__.yaml").is_file() {
                let message = format!(
                    "the folder {text} holds no __domain__.yaml; wanted a domain in ManageIQ's layout"
                );
                self.error(item, "automate.domains", message);
            }
            domains.push(path);
        }
        domains
    }

    /// The core's section first, then each provider's, those of this build before others: lists are united, and the name of
    /// the uppermost layer holds.
    fn event_groups(&self, root: &Node) -> EventGroups {
        let mut ems = self.others.get("ems").cloned().unwrap_or_else(|| Node::empty(root.origin.clone()));
        if let Some(of_settings) = root.get("ems") {
            merge(&mut ems, of_settings.clone());
        }
        let is_here =
            |key: &str| self.providers.iter().any(|provider| key == format!("ems_{}", provider.ems_type()));
        let (here, others): (Vec<_>, Vec<_>) = ems.entries().iter().partition(|(key, _)| is_here(key));
        let core = root.at(&["event_handling", "event_groups"]);
        let providers = here
            .into_iter()
            .chain(others)
            .filter_map(|(_, section)| section.at(&["event_handling", "event_groups"]));
        let sections: Vec<&Node> = core.into_iter().chain(providers).collect();
        let mut groups = EventGroups::default();
        for (key, _) in sections.iter().flat_map(|section| section.entries()) {
            groups.add_group(key, group_name(&sections, key));
        }
        for (key, group) in sections.iter().flat_map(|section| section.entries()) {
            let index = groups.add_group(key, group_name(&sections, key));
            for level in LEVELS {
                for item in group.get(level).map(Node::items).unwrap_or_default() {
                    let Some(event_type) = item.text() else { continue };
                    // What is no expression was told by the validation.
                    let _ = groups.list(index, level, event_type);
                }
            }
        }
        groups
    }
}

fn task_final_events(root: &Node) -> BTreeMap<String, Vec<String>> {
    let chains = root.at(&["event_handling", "task_final_events"]).map(Node::entries).unwrap_or_default();
    let types = |list: &Node| list.items().iter().filter_map(Node::text).map(str::to_owned).collect();
    chains.iter().map(|(last, first)| (last.clone(), types(first))).collect()
}

fn group_name<'a>(sections: &[&'a Node], key: &'a str) -> &'a str {
    sections
        .iter()
        .filter_map(|section| section.get(key)?.get("name"))
        .filter(|name| name.text().is_some())
        .max_by_key(|name| name.origin.source)
        .and_then(Node::text)
        .unwrap_or(key)
}

/// The text at `path`.
pub fn text<'a>(root: &'a Node, path: &[&str]) -> Option<&'a str> {
    root.at(path).and_then(Node::text)
}

/// The duration at `path`.
pub fn duration(root: &Node, path: &[&str]) -> Option<Duration> {
    text(root, path).and_then(values::duration)
}

/// The boolean at `path`.
pub fn boolean(root: &Node, path: &[&str]) -> Option<bool> {
    text(root, path).and_then(values::boolean)
}

/// The whole number at `path`, when it fits.
pub fn number<T: TryFrom<u64>>(root: &Node, path: &[&str]) -> Option<T> {
    text(root, path).and_then(values::whole_number).and_then(|number| T::try_from(number).ok())
}
