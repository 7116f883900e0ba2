//! One entry of `ext_management_systems` with what the other sections say for its type, and its own settings over it.

use super::build::{Builder, boolean, duration, number, text};
use super::tree::{Content, EMS_LIST, Node, Scalar, ems_name, merge_settings};
use super::{EmsSettings, EventNameFilter, RefreshSettings, nearest, values};
use crate::provider::{Authentication, CatcherSettings, Endpoint, InitialHistory, Provider, Secret};
use std::collections::{BTreeMap, HashMap};

/// Every EMS whose name and type are right; the others are told.
pub fn build_all(builder: &mut Builder<'_>, root: &Node) -> Vec<EmsSettings> {
    let items = root.get(EMS_LIST).map(Node::items).unwrap_or_default();
    let shared = sections_of_an_ems(root);
    let mut names: HashMap<String, &Node> = HashMap::new();
    let mut ids: HashMap<i64, &Node> = HashMap::new();
    let mut all = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if !matches!(item.content, Content::Map(_)) {
            continue; // told by the validation
        }
        let Some(name) = ems_name(item) else {
            let message = "every EMS needs a name, such as `name: demo cloud`";
            builder.error(item, format!("{EMS_LIST}[{}].name", index + 1), message);
            continue;
        };
        let key = format!("{EMS_LIST}[{name}]");
        if let Some(first) = names.insert(name.clone(), item) {
            let first = builder.sources.place(&first.origin);
            builder.error(
                item,
                format!("{key}.name"),
                format!("{first} has this name already; names are unique"),
            );
        }
        let Some(provider) = provider_of(builder, item, &key) else { continue };
        let ems = build(&shared, item, name, provider);
        if let Some(first) = ems.id.and_then(|id| ids.insert(id, item)) {
            let first = builder.sources.place(&first.origin);
            builder.error(item, format!("{key}.id"), format!("{first} has this id already; ids are unique"));
        }
        all.push(ems);
    }
    all
}

/// What an EMS's own settings can go over; small, since it is copied for each EMS that has some.
fn sections_of_an_ems(root: &Node) -> Node {
    let sections =
        root.entries().iter().filter(|(key, _)| matches!(key.as_str(), "ems" | "ems_refresh" | "workers"));
    Node { content: Content::Map(sections.cloned().collect()), origin: root.origin.clone() }
}

/// By type or ManageIQ's class name, plain or as a Ruby symbol.
pub fn find_provider(providers: &[&'static dyn Provider], name: &str) -> Option<&'static dyn Provider> {
    let plain = values::word(name);
    // A class name has a leading `::` in some of ManageIQ's texts; both forms are the same class.
    let class = name.trim().trim_start_matches("::");
    providers.iter().copied().find(|provider| provider.ems_type() == plain || provider.class_name() == class)
}

fn provider_of(builder: &mut Builder<'_>, item: &Node, key: &str) -> Option<&'static dyn Provider> {
    let types: Vec<&str> = builder.providers.iter().map(|provider| provider.ems_type()).collect();
    let key = format!("{key}.type");
    let Some((node, name)) = item.get("type").and_then(|node| Some((node, node.text()?))) else {
        builder.error(item, key, format!("every EMS needs a type; known: {}", types.join(", ")));
        return None;
    };
    let found = find_provider(builder.providers, name);
    if found.is_none() {
        let classes = builder.providers.iter().map(|provider| provider.class_name());
        let known = types.iter().copied().chain(classes);
        let hint = match nearest::within_two_edits(values::word(name), known) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known: {}", types.join(", ")),
        };
        builder.error(node, key, format!("{name:?} is no type of this build; {hint}"));
    }
    found
}

fn build(shared: &Node, item: &Node, name: String, provider: &'static dyn Provider) -> EmsSettings {
    let own = item.get("settings").filter(|own| !own.entries().is_empty());
    let merged = own.map(|own| {
        let mut merged = shared.clone();
        merge_settings(&mut merged, own.clone());
        merged
    });
    let whole = merged.as_ref().unwrap_or(shared);
    let ems_type = provider.ems_type();
    let endpoints = by_role(item.get("endpoints"), |node| endpoint(node, provider));
    let mut refresh = refresh(whole, ems_type);
    refresh.enabled &= provider.inventory_endpoint().is_none_or(|role| endpoints.contains_key(role));
    EmsSettings {
        name,
        provider,
        id: number(item, &["id"]),
        zone: text(item, &["zone"]).unwrap_or("default").to_owned(),
        enabled: boolean(item, &["enabled"]).unwrap_or(true),
        provider_region: text(item, &["provider_region"]).map(str::to_owned),
        endpoints,
        authentications: by_role(item.get("authentications"), authentication),
        catcher: catcher(whole, ems_type),
        blacklisted_event_names: blacklist(whole, ems_type),
        refresh,
    }
}

fn by_role<T>(section: Option<&Node>, build: impl Fn(&Node) -> T) -> BTreeMap<String, T> {
    let entries = section.map(Node::entries).unwrap_or_default();
    entries
        .iter()
        .filter(|(_, node)| !node.is_null())
        .map(|(role, node)| (role.clone(), build(node)))
        .collect()
}

fn endpoint(node: &Node, provider: &dyn Provider) -> Endpoint {
    let text = |key| text(node, &[key]).map(str::to_owned);
    let options = provider.endpoint_options().iter().filter_map(|option| {
        let value = node.get(option).filter(|value| !value.is_null())?;
        Some(((*option).to_owned(), json(value)))
    });
    Endpoint {
        url: text("url"),
        hostname: text("hostname"),
        port: number(node, &["port"]),
        path: text("path"),
        security_protocol: text("security_protocol").map(|protocol| values::word(&protocol).to_owned()),
        verify_ssl: boolean(node, &["verify_ssl"]).unwrap_or(true),
        certificate_authority: text("certificate_authority"),
        options: options.collect(),
    }
}

fn authentication(node: &Node) -> Authentication {
    Authentication {
        userid: text(node, &["userid"]).map(str::to_owned),
        password: text(node, &["password"]).map(Secret::new),
        auth_key: text(node, &["auth_key"]).map(Secret::new),
    }
}

fn catcher(root: &Node, ems_type: &str) -> CatcherSettings {
    let own = format!("event_catcher_{ems_type}");
    let sections = [own.as_str(), "defaults"];
    let default = CatcherSettings::default();
    let find = |key: &str| {
        sections
            .iter()
            .find_map(|section| text(root, &["workers", "worker_base", "event_catcher", section, key]))
    };
    let whole = |key| find(key).and_then(values::whole_number).and_then(|number| u32::try_from(number).ok());
    let wait = |key| find(key).and_then(values::duration);
    CatcherSettings {
        poll: wait("poll").unwrap_or(default.poll),
        ems_event_page_size: whole("ems_event_page_size").unwrap_or(default.ems_event_page_size),
        flooding_monitor_enabled: find("flooding_monitor_enabled")
            .and_then(values::boolean)
            .unwrap_or(default.flooding_monitor_enabled),
        flooding_events_per_minute: whole("flooding_events_per_minute")
            .unwrap_or(default.flooding_events_per_minute),
        ems_event_thread_shutdown_timeout: wait("ems_event_thread_shutdown_timeout")
            .unwrap_or(default.ems_event_thread_shutdown_timeout),
        initial_history: find("initial_history").and_then(history).unwrap_or(default.initial_history),
    }
}

fn history(text: &str) -> Option<InitialHistory> {
    match values::word(text) {
        "all" => Some(InitialHistory::All),
        "none" => Some(InitialHistory::None),
        _ => values::duration(text).map(InitialHistory::Last),
    }
}

/// What the section of a provider filters.
pub fn blacklist(root: &Node, ems_type: &str) -> EventNameFilter {
    let section = format!("ems_{ems_type}");
    let items = root.at(&["ems", &section, "blacklisted_event_names"]).map(Node::items).unwrap_or_default();
    let entries = items.iter().filter_map(Node::text).map(str::to_owned).collect();
    EventNameFilter::new(entries).unwrap_or_default()
}

fn refresh(root: &Node, ems_type: &str) -> RefreshSettings {
    let day = std::time::Duration::from_secs(86_400);
    let interval = duration(root, &["ems_refresh", ems_type, "refresh_interval"])
        .or_else(|| duration(root, &["ems_refresh", "refresh_interval"]));
    let threshold = number(root, &["ems_refresh", ems_type, "full_refresh_threshold"])
        .or_else(|| number(root, &["ems_refresh", "full_refresh_threshold"]));
    RefreshSettings {
        enabled: boolean(root, &["ems_refresh", ems_type, "enabled"]).unwrap_or(true),
        allow_targeted_refresh: boolean(root, &["ems_refresh", ems_type, "allow_targeted_refresh"])
            .unwrap_or(true),
        refresh_interval: interval.unwrap_or(day),
        full_refresh_threshold: threshold.unwrap_or(100),
    }
}

/// An endpoint's option in the shape in which it was written.
fn json(node: &Node) -> serde_json::Value {
    match &node.content {
        Content::Null => serde_json::Value::Null,
        Content::Scalar(Scalar { text, is_text: false, .. }) => {
            serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.clone()))
        }
        Content::Scalar(scalar) => serde_json::Value::String(scalar.text.clone()),
        Content::List(items) => serde_json::Value::Array(items.iter().map(json).collect()),
        Content::Map(entries) => {
            serde_json::Value::Object(entries.iter().map(|(key, value)| (key.clone(), json(value))).collect())
        }
    }
}
