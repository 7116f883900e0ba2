//! Which exchanges are listened to, and with which routing keys.

use serde_json::Value;
use std::collections::BTreeMap;

/// What oslo.messaging publishes to when nothing else is configured. `ironic` and others can be added in the settings.
const DEFAULT: [(&str, &[&str]); 7] = [
    ("nova", &["notifications.*", "versioned_notifications.*"]),
    ("neutron", &["notifications.*"]),
    ("glance", &["notifications.*"]),
    ("keystone", &["notifications.*"]),
    ("cinder", &["notifications.*"]),
    // Services without a control_exchange of their own publish here, such as Cinder.
    ("openstack", &["notifications.*"]),
    ("heat", &["notifications.*"]),
];

/// Routing keys by exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topics(BTreeMap<String, Vec<String>>);

impl Topics {
    /// The names of all exchanges.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Each exchange with its routing keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(exchange, keys)| (exchange.as_str(), keys.as_slice()))
    }

    /// Whether versioned notifications may come from `exchange`: then each may have an unversioned twin.
    pub(super) fn has_versioned(&self, exchange: &str) -> bool {
        let all = |key: &String| key.starts_with("versioned") || key.starts_with('*') || key.starts_with('#');
        self.0.get(exchange).is_some_and(|keys| keys.iter().any(all))
    }
}

/// The option `topics`, in ManageIQ's form: exchange → routing key, or a list of them.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn topics(option: Option<&Value>) -> Result<Topics, String> {
    let wrong =
        || "endpoints.amqp.topics is no list of exchanges, such as {nova: notifications.*}".to_owned();
    let key = |value: &Value| {
        value.as_str().filter(|key| !key.is_empty() && key.len() < 256).map(str::to_owned).ok_or_else(wrong)
    };
    let named = match option {
        None | Some(Value::Null) => {
            let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
            return Ok(Topics(DEFAULT.map(|(exchange, keys)| (exchange.to_owned(), owned(keys))).into()));
        }
        Some(Value::Object(named)) if !named.is_empty() => named,
        Some(_) => return Err(wrong()),
    };
    let mut topics = BTreeMap::new();
    for (exchange, keys) in named {
        let keys = match keys {
            Value::Array(keys) => keys.iter().map(key).collect::<Result<Vec<_>, _>>()?,
            one => vec![key(one)?],
        };
        if exchange.is_empty() || exchange.len() > 200 || keys.is_empty() {
            return Err(wrong());
        }
        topics.insert(exchange.clone(), keys);
    }
    Ok(Topics(topics))
}
