//! A provider small enough to be read at a glance: `{"id", "type", "vm", "note", "time"}` is an event, `{"events": […]}`
//! several, `{"ping": …}` none of ours. `"panic": true` and `"targets": "panic"` do what they say.

use catchall::provider::{
    Collector, Ems, EmsEvent, EventParser, EventTargetParser, Filtered, FullData, NativeEvent, ParseError,
    Parsed, ParsedEvent, Provider, ProviderError, Stream, Target,
};
use serde_json::Value;
use std::borrow::Cow;

/// `has_collector` is what differs.
pub struct Tiny {
    pub has_collector: bool,
}

pub const TINY: Tiny = Tiny { has_collector: true };

impl Provider for Tiny {
    fn ems_type(&self) -> &'static str {
        "tiny"
    }
    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::Tiny::CloudManager"
    }
    fn event_source(&self) -> &'static str {
        "TINY"
    }
    fn default_settings(&self) -> &'static str {
        ""
    }
    fn automate(&self) -> Vec<(String, Cow<'static, [u8]>)> {
        let class = super::automate_files::class("TINY");
        let folder = format!("{}/TINY.class", super::automate_files::EMS_EVENT);
        let mut files = vec![(format!("{folder}/__class__.yaml"), Cow::Owned(class.into_bytes()))];
        for (name, uri) in [
            ("vm.changed", "/System/event_handlers/refresh"),
            ("vm.moved", "/System/event_handlers/event_action_refresh?target=vm"),
            ("cloud.changed", "/System/event_handlers/event_action_refresh?target=ems"),
            ("vm.scan", "/System/event_handlers/event_action_scan?target=vm&param="),
            ("odd", "/System/event_handlers/event_action_refresh?target=nosuch"),
        ] {
            let text = super::automate_files::instance(
                name,
                &[("rel4", uri), ("rel5", super::automate_files::REFRESH)],
            );
            let text = if name == "vm.changed" {
                text
            } else {
                super::automate_files::instance(name, &[("rel4", uri)])
            };
            files.push((format!("{folder}/{name}.yaml"), Cow::Owned(text.into_bytes())));
        }
        files
    }
    fn event_parser(&self) -> &dyn EventParser {
        self
    }
    fn event_target_parser(&self) -> &dyn EventTargetParser {
        self
    }
    fn stream(&self, ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        Err(ProviderError::new(&ems.name, "tiny has no stream"))
    }
    fn collector(&self, _: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Ok(None)
    }
    fn has_collector(&self) -> bool {
        self.has_collector
    }
}

impl EventParser for Tiny {
    fn parse(&self, native: &NativeEvent) -> Result<Parsed, ParseError> {
        let value: Value = serde_json::from_str(&native.text)?;
        assert!(value["panic"] != true, "asked to panic");
        if value.get("ping").is_some() {
            return Ok(Parsed::Filtered(Filtered("ping")));
        }
        match value["events"].as_array() {
            Some(events) => Ok(Parsed::Events(events.iter().map(event).collect::<Result<_, _>>()?)),
            None => Ok(Parsed::Events(vec![event(&value)?])),
        }
    }
}

fn event(value: &Value) -> Result<ParsedEvent, ParseError> {
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let event = EmsEvent {
        event_type: text("type").ok_or_else(|| ParseError::new("`type` is missing"))?,
        source: "TINY".to_owned(),
        timestamp: text("time")
            .as_deref()
            .unwrap_or("2026-11-22T10:26:01Z")
            .parse()
            .map_err(ParseError::new)?,
        message: text("note"),
        vm_ems_ref: text("vm"),
        full_data: FullData::from_value(value),
        ..EmsEvent::default()
    };
    Ok(ParsedEvent { event_uid: text("id").unwrap_or_default(), event })
}

impl EventTargetParser for Tiny {
    fn parse(&self, event: &EmsEvent) -> Result<Vec<Target>, ParseError> {
        let value: Value = event.full_data.read()?;
        assert!(value["targets"] != "panic", "asked to panic over targets");
        Ok(event.vm_ems_ref.iter().map(|vm| Target::by_ems_ref("vms", vm)).collect())
    }
}
