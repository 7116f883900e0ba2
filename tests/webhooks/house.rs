//! A webhook sender at work on a fresh VMDB.

use crate::receiver::Receiver;
use crate::support::{Fresh, batch, ems_settings, event};
use actix_rt::Arbiter;
use catchall::actor::rounds::{RoundsActor, StopRounds};
use catchall::actor::{ChildId, Children};
use catchall::automate::{Automation, SharedAutomation};
use catchall::event_handler::{Bells, EmsNames, Handling};
use catchall::observe::{ActorKind, Observe};
use catchall::provider::{EmsId, ParsedEvent, Secret};
use catchall::settings::WebhookSettings;
use catchall::vmdb::webhook_work::{self, NewWebhook, WebhookFormat};
use catchall::vmdb::{ems, event_commit};
use catchall::webhooks::sender::WebhookSender;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub const SECRET: &str = "s3cret";
pub const FIRST_WAIT: Duration = Duration::from_millis(40);

pub struct House {
    pub fresh: Fresh,
    pub automation: SharedAutomation,
    handling: Handling,
}

/// A row of `event_actions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub state: String,
    pub reason: String,
    pub attempts: i64,
}

/// The settings of a webhook that goes there.
pub fn to(url: impl Into<String>) -> WebhookSettings {
    WebhookSettings {
        url: url.into(),
        secret: Some(Secret::new(SECRET)),
        allow_private_addresses: true,
        allow_link_local: false,
        timeout: Duration::from_secs(20),
        max_attempts: 10,
    }
}

impl House {
    /// With these webhooks; nobody sends yet.
    pub async fn new(fresh: Fresh, webhooks: Vec<(&str, WebhookSettings)>) -> Self {
        fresh.write(|c| ems::enter(c, &[ems_settings("cloud 1")])).await;
        let handling = Handling {
            vmdb: fresh.vmdb.clone(),
            bells: Bells::default(),
            names: EmsNames::default(),
            observe: Observe::default(),
        };
        let this = Self { fresh, automation: SharedAutomation::default(), handling };
        this.set(webhooks);
        this
    }

    /// With a sender and one webhook, `hook`, to this receiver.
    pub async fn sending_to(fresh: Fresh, receiver: &Receiver) -> Self {
        let this = Self::new(fresh, vec![("hook", to(receiver.url()))]).await;
        this.start(1);
        this
    }

    /// As SIGHUP does.
    pub fn set(&self, webhooks: Vec<(&str, WebhookSettings)>) {
        let webhooks: BTreeMap<_, _> =
            webhooks.into_iter().map(|(name, settings)| (name.to_owned(), settings)).collect();
        self.automation.set(Automation { webhooks: Arc::new(webhooks), ..Automation::default() });
    }

    /// Starts a sender on a thread of its own that claims as `owner`.
    pub fn start(&self, owner: i64) -> (Arbiter, actix::Addr<RoundsActor<WebhookSender>>) {
        let sender = WebhookSender::new(self.handling.clone(), self.automation.clone(), owner)
            .with_first_wait(FIRST_WAIT);
        let kind = ActorKind::WebhookSender;
        let (children, _) = Children::new();
        let figures = self.handling.observe.actor(kind, None);
        let arbiter = Arbiter::new();
        let notice = children.notice(ChildId::of(kind, "", 1));
        let address = RoundsActor::spawn(&arbiter.handle(), sender, figures, notice);
        self.handling.bells.set_worker(kind, address.clone().recipient());
        (arbiter, address)
    }

    /// Ends a sender in order, whatever it is doing.
    pub async fn stop(&self, sender: &actix::Addr<RoundsActor<WebhookSender>>) {
        sender.send(StopRounds).await.expect("it is there");
        while sender.connected() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Commits an event and returns its id.
    pub async fn commit(&self, event: ParsedEvent) -> i64 {
        let uid = event.event_uid.clone();
        self.fresh.write(move |c| event_commit::commit(c, &[batch(vec![event])])).await;
        let sql = "SELECT id FROM event_streams WHERE event_uid = ?";
        self.fresh.write(move |c| c.rows(sql, &[(&uid).into()])?[0].id(0)).await
    }

    /// Puts a webhook for an event as JSON; returns the row of `miq_queue`.
    pub async fn put(&self, webhook: &str, event_id: i64) -> i64 {
        self.put_as(webhook, event_id, WebhookFormat::Json).await
    }

    pub async fn put_as(&self, webhook: &str, event_id: i64, format: WebhookFormat) -> i64 {
        let new = NewWebhook {
            webhook: webhook.to_owned(),
            format,
            ems_id: EmsId(1),
            event_id,
            rule: "tell somebody".to_owned(),
            params: serde_json::Value::Null,
        };
        let id = self.fresh.write(|c| webhook_work::put(c, new)).await;
        self.ring();
        id
    }

    pub fn ring(&self) {
        self.handling.bells.ring_worker(ActorKind::WebhookSender);
    }

    /// Commits an event and puts a webhook `hook` for it.
    pub async fn put_one(&self) -> i64 {
        let event_id = self.commit(event("uid-1", "VmStop")).await;
        self.put("hook", event_id).await
    }

    pub async fn action(&self, queue_id: i64) -> Action {
        let sql = "SELECT state, reason, attempts FROM event_actions WHERE queue_id = ?";
        let rows = self.fresh.vmdb.read(move |c| c.rows(sql, &[queue_id.into()])).await.unwrap();
        let row = rows.first().expect("the action is there");
        let text = |index| row.string(index).unwrap_or_default();
        Action { state: text(0), reason: text(1), attempts: row.integer(2).unwrap_or_default() }
    }

    /// Waits until the action has this state.
    pub async fn until(&self, queue_id: i64, state: &str) -> Action {
        let mut action = self.action(queue_id).await;
        for _ in 0..2_000 {
            if action.state == state {
                return action;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            action = self.action(queue_id).await;
        }
        panic!("not {state} within 20 s: {action:?}");
    }

    /// The states of `miq_queue`'s rows.
    pub async fn queue(&self) -> Vec<String> {
        let sql = "SELECT state FROM miq_queue WHERE queue_name = 'webhooks' ORDER BY id";
        let rows = self.fresh.vmdb.read(move |c| c.rows(sql, &[])).await.unwrap();
        rows.iter().filter_map(|row| row.string(0)).collect()
    }
}
