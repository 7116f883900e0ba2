//! Tells systemd how the process is: ready, reloading, stopping, alive. Where systemd did not start it, nothing happens.
//!
//! Alive is who answers: the Supervisor, and through it the EventHandler. Both answer while the VMDB is away, since they wait
//! for it without holding their threads; what keeps them from answering is a hang, and then the watchdog is not fed. What
//! systemd does about it is the unit's matter (`deploy/systemd`).

use super::Supervisor;
use crate::event_handler::AreYouAlive;
use crate::observe::{ActorKind, ActorState};
use actix::{Addr, Handler, MailboxError, Message, ResponseFuture};
use sd_notify::NotifyState;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// The status is told at most so often; without a watchdog, this is also how often everybody is asked.
const STATUS_EVERY: Duration = Duration::from_secs(5);

/// Work that takes long asks for so much more time, again and again.
const MORE_TIME: Duration = Duration::from_secs(60);

/// How often it asks: before systemd's own patience (90 s by default) and what was asked for last have passed.
const ASK_EVERY: Duration = Duration::from_secs(15);

/// How the event catchers of this process are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// So many should run.
    enabled: usize,
    /// So many do.
    running: usize,
    /// Whether the EventHandler waits for the VMDB.
    vmdb_is_away: bool,
}

impl std::fmt::Display for Census {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.enabled {
            0 => f.write_str("no event catchers here")?,
            enabled => write!(f, "{} of {enabled} event catchers running", self.running)?,
        }
        f.write_str(if self.vmdb_is_away { "; waiting for the VMDB" } else { "" })
    }
}

/// Asks the Supervisor whether it and the EventHandler are alive; an answer is a yes.
#[derive(Message)]
#[rtype(result = "Census")]
struct TakeCensus;

impl Handler<TakeCensus> for Supervisor {
    type Result = ResponseFuture<Census>;

    fn handle(&mut self, _: TakeCensus, _: &mut Self::Context) -> Self::Result {
        let (census, handlers) = (self.census(), self.handlers.clone());
        Box::pin(async move {
            if let Some(handlers) = handlers {
                // One that panicked is being replaced and no hang: only silence is.
                let (Ok(()) | Err(MailboxError::Closed | MailboxError::Timeout)) =
                    handlers.alive.send(AreYouAlive).await;
            }
            census
        })
    }
}

impl Supervisor {
    fn census(&self) -> Census {
        let observe = &self.street.handling.observe;
        let caught = self
            .children
            .iter()
            .filter(|(name, ems)| ems.settings.enabled && self.street.catches(ems.id, name));
        let names: Vec<&str> = caught.map(|(name, _)| name.as_str()).collect();
        let catcher = |name: &str| observe.actor(ActorKind::EventCatcher, Some(name)).state();
        Census {
            enabled: names.len(),
            running: names.iter().filter(|name| catcher(name) == ActorState::Running).count(),
            vmdb_is_away: observe.actor(ActorKind::EventHandler, None).state() == ActorState::WaitingForVmdb,
        }
    }
}

/// From now on systemd is told that the process is ready, once everybody answers; then that it is alive, and how it is.
/// Needs a running `actix_rt::System`, with which it ends.
pub fn watch(supervisor: Addr<Supervisor>) {
    if std::env::var_os("NOTIFY_SOCKET").is_some() {
        actix_rt::spawn(tell_while_alive(supervisor));
    }
}

async fn tell_while_alive(supervisor: Addr<Supervisor>) {
    let watchdog = sd_notify::watchdog_enabled();
    // Asking takes one pulse at most and then one passes, so two of the three that the watchdog waits.
    let pulse = watchdog.map_or(STATUS_EVERY, |watchdog| (watchdog / 3).min(STATUS_EVERY));
    let (mut ready, mut told) = (false, None);
    loop {
        match timeout(pulse, supervisor.send(TakeCensus)).await {
            Ok(Ok(census)) => {
                let mut states = Vec::new();
                if !ready {
                    states.push(NotifyState::Ready);
                    ready = true;
                }
                if watchdog.is_some() {
                    states.push(NotifyState::Watchdog);
                }
                let words = is_news(&told, census).then(|| census.to_string());
                if let Some(words) = &words {
                    states.push(NotifyState::Status(words));
                    told = Some((census, Instant::now()));
                }
                tell(&states);
            }
            Ok(Err(MailboxError::Closed | MailboxError::Timeout)) => {
                log::error!("the supervisor is gone; the watchdog is not fed");
            }
            Err(_) => log::error!(
                "the supervisor or the event handler did not answer within {pulse:?}; the watchdog is not fed"
            ),
        }
        sleep(pulse).await;
    }
}

/// Whether the status differs from the one told last, and that one has stood long enough.
fn is_news(told: &Option<(Census, Instant)>, now: Census) -> bool {
    told.as_ref().is_none_or(|(census, at)| *census != now && at.elapsed() >= STATUS_EVERY)
}

/// The settings are being read again; [`ready`] ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => log::warn!("systemd is not told of the reload, for want of a monotonic clock: {error}"),
    }
}

/// The settings were read again, with this result.
pub fn ready(words: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&one_line(words))]);
}

/// The process has begun to stop.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping in order")]);
}

/// What a process does that is not ready yet.
pub fn status(words: &str) {
    tell(&[NotifyState::Status(&one_line(words))]);
}

/// Has systemd wait for as long as `work` takes. `words` is the status meanwhile.
pub async fn while_it_takes<T>(words: &str, work: impl Future<Output = T>) -> T {
    let more = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
    let ask = || tell(&[NotifyState::ExtendTimeoutUsec(more), NotifyState::Status(words)]);
    asking(ask, work).await
}

async fn asking<T>(mut ask: impl FnMut(), work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        match timeout(ASK_EVERY, &mut work).await {
            Ok(done) => return done,
            Err(_) => ask(),
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if !states.is_empty()
        && let Err(error) = sd_notify::notify(states)
    {
        log::warn!("systemd could not be told: {error}");
    }
}

/// A line break would begin another statement to systemd.
fn one_line(words: &str) -> String {
    words.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_WELL: Census = Census { enabled: 12, running: 12, vmdb_is_away: false };

    #[test]
    fn the_status_says_how_many_run_and_whether_the_vmdb_is_away() {
        let away = Census { running: 3, vmdb_is_away: true, ..ALL_WELL };
        assert_eq!(ALL_WELL.to_string(), "12 of 12 event catchers running");
        assert_eq!(away.to_string(), "3 of 12 event catchers running; waiting for the VMDB");
        assert_eq!(Census { enabled: 0, running: 0, ..ALL_WELL }.to_string(), "no event catchers here");
    }

    #[test]
    fn a_status_is_news_when_it_differs_and_the_last_one_has_stood_for_five_seconds() {
        let changed = Census { running: 11, ..ALL_WELL };
        let now = Instant::now();
        let long_ago = now - STATUS_EVERY;
        assert!(is_news(&None, ALL_WELL));
        assert!(!is_news(&Some((ALL_WELL, now)), changed));
        assert!(!is_news(&Some((ALL_WELL, long_ago)), ALL_WELL));
        assert!(is_news(&Some((ALL_WELL, long_ago)), changed));
    }

    #[test]
    fn words_cannot_become_statements() {
        assert_eq!(one_line("no such host\nREADY=1"), "no such host READY=1");
    }

    #[tokio::test(start_paused = true)]
    async fn long_work_asks_for_more_time_until_it_is_done_and_short_work_never() {
        let mut asked = 0;
        assert_eq!(asking(|| asked += 1, async { 1 }).await, 1);
        assert_eq!(asked, 0);
        asking(|| asked += 1, sleep(4 * ASK_EVERY + Duration::from_secs(1))).await;
        assert_eq!(asked, 4);
    }
}
