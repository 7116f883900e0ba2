//! The webhook sender: claims what is due, posts it, and writes down what became of it.
//!
//! A round never waits for a post. Posts run beside each other, a few of each webhook, so that one that is slow or away is in
//! nobody's way; each ends with a write of its own and a ring for the next round. What is under way when the sender stops is
//! posted again by its successor, with the same id.

use super::answer::{FIRST_WAIT, Verdict, next_wait};
use super::client::{self, Clients};
use super::request;
use crate::actor::rounds::{Round, Rounds};
use crate::automate::SharedAutomation;
use crate::backoff::Backoff;
use crate::clock;
use crate::event_handler::Handling;
use crate::observe::ActorKind;
use crate::settings::WebhookSettings;
use crate::vmdb::webhook_claim::{self, ClaimLimits, ClaimedWebhook, WebhookClaim};
use crate::vmdb::webhook_work::{self, Attempt};
use crate::vmdb::{Connection, VmdbError};
use chrono::TimeDelta;
use futures_util::FutureExt;
use reqwest::Client;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::{Id, JoinSet};

/// The net under a bell that was lost.
const SWEEP: Duration = Duration::from_secs(15);
/// Posts of one webhook at once.
const PER_WEBHOOK: i64 = 4;
/// Posts at once: reached only when many webhooks are slow.
const MOST_POSTS: usize = 256;

/// The actor's work; see the module.
pub struct WebhookSender {
    handling: Handling,
    automation: SharedAutomation,
    owner: i64,
    first_wait: Duration,
    clients: Clients,
    posts: JoinSet<()>,
    /// `miq_queue.id` and webhook of each post.
    under_way: HashMap<Id, (i64, String)>,
    pauses: Pauses,
}

/// Webhooks that cannot be reached at the moment, with when to try again.
#[derive(Clone, Default)]
struct Pauses(Arc<Mutex<HashMap<String, (Backoff, Instant)>>>);

/// One post with all that it needs.
struct Post {
    handling: Handling,
    pauses: Pauses,
    first_wait: Duration,
    claimed: ClaimedWebhook,
    /// `None`: the settings do not have it.
    settings: Option<WebhookSettings>,
    client: Client,
}

impl WebhookSender {
    /// A sender that claims as `owner`.
    pub fn new(handling: Handling, automation: SharedAutomation, owner: i64) -> Self {
        Self {
            handling,
            automation,
            owner,
            first_wait: FIRST_WAIT,
            clients: Clients::default(),
            posts: JoinSet::new(),
            under_way: HashMap::new(),
            pauses: Pauses::default(),
        }
    }

    /// With another wait before the second attempt, from which the others grow.
    #[must_use]
    pub fn with_first_wait(self, first_wait: Duration) -> Self {
        Self { first_wait, ..self }
    }

    /// What may be claimed beside what is under way.
    fn limits(&mut self) -> ClaimLimits {
        while let Some(ended) = self.posts.try_join_next_with_id() {
            let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
            self.under_way.remove(&id);
        }
        let mut exceptions = HashMap::new();
        for (_, webhook) in self.under_way.values() {
            *exceptions.entry(webhook.clone()).or_insert(PER_WEBHOOK) -= 1;
        }
        for webhook in self.pauses.of_now() {
            exceptions.insert(webhook, 0);
        }
        let rows = MOST_POSTS.saturating_sub(self.under_way.len());
        ClaimLimits {
            handler_id: self.owner,
            held: self.under_way.values().map(|(row, _)| *row).collect(),
            per_webhook: PER_WEBHOOK,
            exceptions,
            rows: i64::try_from(rows).unwrap_or(i64::MAX),
        }
    }

    fn start(&mut self, claimed: ClaimedWebhook) -> Result<(), String> {
        let webhook = claimed.queued.webhook.clone();
        let settings = self.automation.get().webhooks.get(&webhook).cloned();
        let guard = settings.as_ref().map(client::guard_of).unwrap_or_default();
        let row = claimed.id;
        let post = Post {
            handling: self.handling.clone(),
            pauses: self.pauses.clone(),
            first_wait: self.first_wait,
            claimed,
            settings,
            client: self.clients.of(guard)?,
        };
        let started = self.posts.spawn(post.run());
        self.under_way.insert(started.id(), (row, webhook));
        Ok(())
    }
}

impl Rounds for WebhookSender {
    async fn round(&mut self) -> Result<Round, String> {
        let limits = self.limits();
        let claim = move |connection: &mut Connection| webhook_claim::claim(connection, &limits);
        let WebhookClaim { claimed, next_due } =
            self.handling.vmdb.write(claim).await.map_err(|error| error.to_string())?;
        let done = claimed.len();
        for claimed in claimed {
            self.start(claimed)?;
        }
        let due = next_due.map(|due| (due - clock::now()).to_std().unwrap_or_default());
        let waits = due.into_iter().chain(self.pauses.shortest());
        Ok(Round { done, look_again: waits.fold(SWEEP, Duration::min) })
    }
}

impl Post {
    async fn run(self) {
        let attempt =
            Attempt { id: self.claimed.id, queued: self.claimed.queued.clone(), started_on: clock::now() };
        let verdict =
            AssertUnwindSafe(self.verdict()).catch_unwind().await.unwrap_or_else(|_| Verdict::Later {
                reason: "the post panicked, please report it".to_owned(),
                retry_after: None,
                pause: false,
            });
        fail::fail_point!("webhook.posted");
        self.pauses.heed(&attempt.queued.webhook, &verdict, self.first_wait);
        self.write_down(attempt, verdict).await;
        self.handling.bells.ring_worker(ActorKind::WebhookSender);
    }

    async fn verdict(&self) -> Verdict {
        let queued = &self.claimed.queued;
        let Some(settings) = &self.settings else {
            return Verdict::Never(format!(
                "the settings have no webhook {}; add it, and retry",
                queued.webhook
            ));
        };
        let Some(event) = &self.claimed.event else {
            return Verdict::Never("its event is no longer in event_streams".to_owned());
        };
        match request::write(queued, event, settings.secret.as_ref(), clock::now()) {
            Ok(request) => client::post(&self.client, settings, request).await,
            Err(error) => Verdict::Never(error.to_string()),
        }
    }

    /// Until it is written down: a post that was received and forgotten would be posted again.
    async fn write_down(&self, attempt: Attempt, verdict: Verdict) {
        let most = self.settings.as_ref().map_or(1, |settings| settings.max_attempts);
        let number = attempt.number();
        let verdict = match verdict {
            Verdict::Later { reason, .. } if number >= most => {
                Verdict::Never(format!("{reason}; that was attempt {number} of {most}"))
            }
            verdict => verdict,
        };
        self.handling.observe.webhook_sent(&attempt.queued.webhook, result(&verdict));
        if let Verdict::Never(reason) = &verdict {
            log::warn!("webhook {}: miq_queue {} is dead: {reason}", attempt.queued.webhook, attempt.id);
        }
        let wait = match &verdict {
            Verdict::Later { retry_after, .. } => next_wait(number, self.first_wait, *retry_after),
            _ => Duration::ZERO,
        };
        let mut backoff = Backoff::of_children();
        loop {
            let (attempt, verdict) = (attempt.clone(), verdict.clone());
            let id = attempt.id;
            let write = move |connection: &mut Connection| record(connection, &attempt, &verdict, wait);
            match self.handling.vmdb.write(write).await {
                Ok(()) => return,
                Err(error) => {
                    log::warn!("what became of webhook {id} cannot be written: {error}; trying again")
                }
            }
            tokio::time::sleep(backoff.next_wait()).await;
        }
    }
}

/// The `result` label of the attempt.
const fn result(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Received => "received",
        Verdict::Later { .. } => "retried",
        Verdict::Never(_) => "dead",
    }
}

fn record(
    connection: &mut Connection,
    attempt: &Attempt,
    verdict: &Verdict,
    wait: Duration,
) -> Result<(), VmdbError> {
    match verdict {
        Verdict::Received => webhook_work::done(connection, attempt),
        Verdict::Later { reason, .. } => {
            let deliver_on = clock::now() + TimeDelta::from_std(wait).unwrap_or_default();
            webhook_work::retry_later(connection, attempt, reason, deliver_on)
        }
        Verdict::Never(reason) => webhook_work::dead(connection, attempt, reason),
    }
}

impl Pauses {
    /// After a failure that its other posts would share, a webhook is left alone: longer each time, or as long as it asked.
    fn heed(&self, webhook: &str, verdict: &Verdict, first: Duration) {
        let mut pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match verdict {
            Verdict::Later { retry_after, pause: true, .. } => {
                let fresh = || (Backoff::new(first, Backoff::GOOD_WHILE), Instant::now());
                let (backoff, until) = pauses.entry(webhook.to_owned()).or_insert_with(fresh);
                let wait = backoff.next_wait().max(retry_after.unwrap_or_default());
                *until = (*until).max(Instant::now() + wait);
            }
            _ => drop(pauses.remove(webhook)),
        }
    }

    fn of_now(&self) -> Vec<String> {
        let now = Instant::now();
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pauses.iter().filter(|(_, (_, until))| *until > now).map(|(webhook, _)| webhook.clone()).collect()
    }

    fn shortest(&self) -> Option<Duration> {
        let pauses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = pauses.values().map(|(_, until)| until.saturating_duration_since(Instant::now()));
        left.filter(|left| !left.is_zero()).min()
    }
}
