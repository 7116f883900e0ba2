//! A VMDB with some inventory, settings with rules, and events that meet them.

use crate::support::{Fresh, batch, event};
use catchall::automate::Automation;
use catchall::automate::rule_firing::{self, Doers, Fired, RuleWebhook};
use catchall::provider::{EmsEvent, FullData};
use catchall::settings::{LoadOptions, Settings, SettingsErrors, load};
use catchall::switchboard::{Call, Switchboard};
use catchall::vmdb::event_commit;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

/// The EMS of these tests, and what is in it.
const INVENTORY: &str = "
    INSERT INTO zones (id, name) VALUES (1, 'default');
    INSERT INTO ext_management_systems (id, name, type, zone_id, enabled) VALUES
        (1, 'demo cloud', 'ManageIQ::Providers::AwesomeCloud::CloudManager', 1, true);
    INSERT INTO vms (id, name, ems_id, ems_ref, host_id, power_state) VALUES
        (1, 'prod-1', 1, 'vm-1', 1, 'on'), (2, 'test-1', 1, 'vm-2', 1, 'on');
    INSERT INTO hosts (id, name, ems_id, ems_ref) VALUES (1, 'host one', 1, 'host-1'), (2, 'host two', 1, 'host-2');";

const EMS: &str = "\
ext_management_systems:
  - name: demo cloud
    type: awesome_cloud
    endpoints: {default: {url: http://127.0.0.1:1}}
";

/// These rules in the settings of one EMS.
pub fn try_settings(rules: &str) -> Result<Settings, SettingsErrors> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("settings.yml"), EMS).unwrap();
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    load(&LoadOptions {
        files: vec!["rules.yml".into()],
        working_directory: folder.path().to_owned(),
        ..LoadOptions::default()
    })
}

/// The same, which must be good.
pub fn automation(rules: &str) -> Automation {
    let settings = try_settings(rules).unwrap_or_else(|errors| panic!("{errors}"));
    Automation::new(&settings, Switchboard::default())
}

/// A VMDB with inventory, and rules.
pub struct House {
    /// The VMDB.
    pub fresh: Fresh,
    /// The rules.
    pub automation: Automation,
    events: std::sync::atomic::AtomicU32,
}

/// What an event's rules did.
#[derive(Debug, Default, PartialEq)]
pub struct Did {
    /// `rule state` of each row of kind `rule`.
    pub rules: Vec<String>,
    /// Reasons of those rows, empty where there is none.
    pub reasons: Vec<String>,
    /// Calls that were made: the handler and its parameters.
    pub calls: Vec<String>,
    /// Webhooks that were queued: `webhook NAME` or `cloudevents NAME`.
    pub webhooks: Vec<String>,
    /// What webhooks were given besides.
    pub params: Vec<Value>,
    /// Lines for the log.
    pub lines: Vec<String>,
}

impl House {
    /// With these settings.
    pub async fn new(fresh: Fresh, rules: &str) -> Self {
        fresh.write(|connection| connection.batch(INVENTORY)).await;
        Self { fresh, automation: automation(rules), events: std::sync::atomic::AtomicU32::new(0) }
    }

    /// An event of this type, stored just now, and all its rules.
    pub async fn event(&self, event_type: &str, say: impl FnOnce(&mut EmsEvent)) -> Did {
        let number = self.events.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut said = event(&format!("event-{number}"), event_type);
        said.event.timestamp = Utc::now();
        say(&mut said.event);
        let candidates = self.automation.rules.candidates("demo cloud", &said.event);
        let batches = vec![batch(vec![said])];
        let commit = move |connection: &mut catchall::vmdb::Connection| {
            event_commit::commit(connection, &batches)?;
            connection.rows("SELECT MAX(id) FROM event_streams", &[])?[0].id(0)
        };
        let id = self.fresh.vmdb.commit(0, commit).await.unwrap();
        self.fire(id, candidates).await
    }

    /// These rules for a stored event.
    pub async fn fire(&self, event_id: i64, rules: Vec<String>) -> Did {
        let automation = self.automation.clone();
        let fire = move |connection: &mut catchall::vmdb::Connection| {
            let judged = rule_firing::judge(connection, &automation, event_id)?.expect("the event is there");
            let (mut calls, mut webhooks) = (Vec::new(), Vec::new());
            let mut call = |_: &mut catchall::vmdb::Connection, _: &str, call: &Call| {
                calls.push(format!("{} {:?}", call.uri, call.params));
                Ok(())
            };
            let mut webhook = |_: &mut catchall::vmdb::Connection, new: RuleWebhook| {
                webhooks.push(new);
                Ok(())
            };
            let mut doers = Doers { call: &mut call, webhook: &mut webhook };
            let Fired { lines, firings, webhooks: any } =
                rule_firing::fire(connection, &automation, &judged, &rules, &mut doers)?;
            let sql = "SELECT rule, state, reason FROM event_actions WHERE event_id = ? AND kind = 'rule' ORDER BY id";
            let rows = connection.rows(sql, &[event_id.into()])?;
            assert!(rows.len() >= firings.len());
            assert_eq!(any, !webhooks.is_empty());
            let text = |row: &catchall::vmdb::Fields, at| row.string(at).unwrap_or_default();
            Ok(Did {
                rules: rows.iter().map(|row| format!("{} {}", text(row, 0), text(row, 1))).collect(),
                reasons: rows.iter().map(|row| text(row, 2)).collect(),
                calls,
                params: webhooks.iter().map(|new| new.params.clone()).collect(),
                webhooks: webhooks
                    .iter()
                    .map(|new| {
                        let kind = if new.cloud_event { "cloudevents" } else { "webhook" };
                        format!("{kind} {}", new.webhook)
                    })
                    .collect(),
                lines: lines.into_iter().map(|(level, line)| format!("{level} {line}")).collect(),
            })
        };
        self.fresh.write(fire).await
    }

    /// Makes every firing so much older.
    pub async fn age(&self, by: TimeDelta) {
        let work = move |connection: &mut catchall::vmdb::Connection| {
            let rows = connection.rows("SELECT id, requested_on FROM event_actions", &[])?;
            for row in rows {
                let requested_on: DateTime<Utc> = row.time(1).expect("a time") - by;
                let sql = "UPDATE event_actions SET requested_on = ? WHERE id = ?";
                connection.execute(sql, &[requested_on.into(), row.id(0)?.into()])?;
            }
            Ok(())
        };
        self.fresh.write(work).await;
    }
}

/// JSON as a native event.
pub fn full_data(json: &Value) -> FullData {
    FullData::from_value(json)
}

/// A text that may be there.
pub fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}
