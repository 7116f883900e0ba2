//! Facts as CEL values, made once for an event and asked by every rule, and how large they are.

use super::facts::{Facts, Section};
use cel::objects::{Key, Map};
use cel::{Context, Env, Value};
use chrono::DateTime;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// CEL's standard library.
pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Larger native events are not read for conditions.
const MOST_BYTES: usize = 256 * 1024;
/// Deeper ones neither.
const MOST_DEPTH: usize = 32;
/// Nor those with more values.
const MOST_VALUES: usize = 20_000;

/// What a condition is asked about.
pub struct Scene {
    pub(super) context: Context<'static, 'static>,
    /// The longest list or section in it.
    pub(super) longest: usize,
    /// The longest text in the native event, in bytes.
    pub(super) longest_text: usize,
    /// Why `event.full_data` is not in it.
    pub(super) without_full_data: Option<String>,
}

impl Scene {
    /// Of these facts.
    pub fn new(facts: &Facts) -> Self {
        let mut measure = Measure::unlimited();
        let full_data = full_data(&facts.full_data, &mut measure);
        let mut event = columns(&facts.event);
        let without_full_data = match full_data {
            Ok(value) => {
                event.insert(key("full_data"), value);
                None
            }
            Err(reason) => Some(reason),
        };
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.add_variable_from_value("event", map(event));
        let sections = [
            ("ems", &facts.ems),
            ("vm", &facts.vm),
            ("host", &facts.host),
            ("dest_vm", &facts.dest_vm),
            ("dest_host", &facts.dest_host),
        ];
        for (name, section) in sections {
            context.add_variable_from_value(name, map(columns(section)));
        }
        Self { context, longest: measure.longest, longest_text: measure.longest_text, without_full_data }
    }
}

fn key(text: &str) -> Key {
    Key::from(text.to_owned())
}

fn map(entries: HashMap<Key, Value>) -> Value {
    Value::Map(Map { map: Arc::new(entries) })
}

/// Columns are small and flat; times are timestamps.
fn columns(section: &Section) -> HashMap<Key, Value> {
    let value = |name: &str, value: &Json| match value {
        Json::String(text) if is_time(name) => {
            DateTime::parse_from_rfc3339(text).map_or_else(|_| Value::from(text.as_str()), Value::Timestamp)
        }
        other => cel_value(other, 0, &mut Measure::unlimited()).unwrap_or(Value::Null),
    };
    section.iter().map(|(name, column)| (key(name), value(name, column))).collect()
}

fn is_time(name: &str) -> bool {
    name == "timestamp" || name.ends_with("_on") || name == "boot_time"
}

fn full_data(text: &str, measure: &mut Measure) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    if text.len() > MOST_BYTES {
        return Err(format!(
            "full_data has {} bytes, of which conditions read at most {MOST_BYTES}",
            text.len()
        ));
    }
    let json: Json =
        serde_json::from_str(text).map_err(|error| format!("full_data cannot be read: {error}"))?;
    cel_value(&json, 0, measure)
}

struct Measure {
    values: usize,
    longest: usize,
    longest_text: usize,
}

impl Measure {
    fn unlimited() -> Self {
        Self { values: 0, longest: 0, longest_text: 0 }
    }

    fn count(&mut self, length: usize, depth: usize) -> Result<(), String> {
        self.values += length;
        self.longest = self.longest.max(length);
        if self.values > MOST_VALUES {
            return Err(format!(
                "full_data has more than {MOST_VALUES} values, which conditions do not read"
            ));
        }
        if depth > MOST_DEPTH {
            return Err(format!(
                "full_data is nested more than {MOST_DEPTH} deep, which conditions do not read"
            ));
        }
        Ok(())
    }
}

fn cel_value(json: &Json, depth: usize, measure: &mut Measure) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Bool(*boolean),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::UInt(number),
            (None, None) => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => {
            measure.longest_text = measure.longest_text.max(text.len());
            Value::from(text.as_str())
        }
        Json::Array(items) => {
            measure.count(items.len(), depth)?;
            let items: Result<Vec<Value>, String> =
                items.iter().map(|item| cel_value(item, depth + 1, measure)).collect();
            Value::List(Arc::new(items?))
        }
        Json::Object(entries) => {
            measure.count(entries.len(), depth)?;
            let mut values = HashMap::with_capacity(entries.len());
            for (name, entry) in entries {
                values.insert(key(name), cel_value(entry, depth + 1, measure)?);
            }
            map(values)
        }
    })
}
