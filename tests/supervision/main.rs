//! Children that panic are replaced by fresh ones, with jittered back-off and a higher generation, and the others never
//! notice. Time is paused on the threads of the actors, so that half a minute of back-off takes no time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may say so by panicking")]

#[path = "../support/process.rs"]
#[allow(dead_code, reason = "shared with the tests that start processes")]
mod process;

mod ahead;
mod fragile;
mod poison;

use actix::Actor;
use ahead::{BATCHES, HAPPENED, Happened, Pushing};
use catchall::actor::Arbiters;
use catchall::automate::SharedAutomation;
use catchall::event_handler::{Bells, EmsNames, Handling};
use catchall::http::HttpContext;
use catchall::observe::{ActorKind, ActorState, Observe};
use catchall::provider::{ByteBudget, CatcherSettings, Provider, Secret};
use catchall::refresh::limits::RefreshLimits;
use catchall::refresh::turns::Turns;
use catchall::rules::Rules;
use catchall::settings::{
    EmsSettings, EventGroups, EventNameFilter, HttpSettings, RefreshSettings, Settings, VmdbSettings,
};
use catchall::supervisor::street::{Role, Street};
use catchall::supervisor::{RestartCatchers, Shutdown, Supervisor};
use catchall::vmdb::{self, Access, Vmdb};
use fragile::Fragile;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

static PANICS_FIVE_TIMES: Fragile = Fragile::new(5);
static PANICS_TOO: Fragile = Fragile::new(5);
static NEVER_PANICS: Fragile = Fragile::new(0);
static RESTARTED: Fragile = Fragile::new(0);

fn ems(name: &str, provider: &'static dyn Provider) -> EmsSettings {
    EmsSettings {
        name: name.to_owned(),
        provider,
        id: None,
        zone: "default".to_owned(),
        enabled: true,
        provider_region: None,
        endpoints: BTreeMap::new(),
        authentications: BTreeMap::new(),
        catcher: CatcherSettings::default(),
        blacklisted_event_names: EventNameFilter::default(),
        refresh: RefreshSettings {
            enabled: true,
            allow_targeted_refresh: true,
            refresh_interval: Duration::ZERO,
            full_refresh_threshold: 100,
        },
    }
}

fn settings(folder: &std::path::Path, ems: Vec<EmsSettings>) -> Settings {
    let url = format!("sqlite://{}", folder.join("catchall.db").display());
    Settings {
        vmdb: VmdbSettings { url: Secret::new(url), schema: "catchall".to_owned() },
        http: HttpSettings { listen: None, token: None, tls: None },
        ext_management_systems: ems,
        blacklists: BTreeMap::new(),
        event_groups: EventGroups::default(),
        keep_events: Duration::from_secs(86_400 * 36_500),
        automate_domains: Vec::new(),
        most_full_refreshes: 8,
        purge_window_size: 1_000,
        task_final_events: BTreeMap::new(),
        abort_on_error: false,
        rules: Rules::default(),
        webhooks: BTreeMap::new(),
        max_action_age: Duration::from_secs(3_600),
        notices: Vec::new(),
    }
}

async fn start(settings: Settings) -> (actix::Addr<Supervisor>, Observe, Vmdb) {
    let vmdb = Vmdb::open(&settings.vmdb, Access::Run).await.unwrap();
    vmdb.migrate().await.unwrap();
    let entries = settings.ext_management_systems.clone();
    let rows = vmdb.write(move |connection| vmdb::ems::enter(connection, &entries)).await.unwrap();
    let arbiters = Arbiters::start();
    for arbiter in [&arbiters.streams, &arbiters.parsers, &arbiters.handler, &arbiters.refresh] {
        arbiter.spawn_fn(tokio::time::pause);
    }
    let observe = Observe::default();
    let street = Street {
        role: Role::Run,
        handling: Handling {
            vmdb: vmdb.clone(),
            bells: Bells::default(),
            names: EmsNames::default(),
            observe: observe.clone(),
        },
        automation: SharedAutomation::default(),
        arbiters: arbiters.handles(),
        budget: ByteBudget::default(),
        limits: RefreshLimits::new(8),
        turns: Turns::default(),
        context: HttpContext::new(observe.clone(), None),
        owner: 1,
        caught: catchall::outages::Caught::default(),
        began: catchall::clock::now(),
    };
    std::mem::forget(arbiters);
    (Supervisor::new(street, settings, &rows).start(), observe, vmdb)
}

async fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 30 s: {what}");
}

#[actix_rt::test]
async fn a_stream_that_panics_is_replaced_with_growing_jittered_waits() {
    let folder = tempfile::tempdir().unwrap();
    // Alone: another EMS's poll would be one more timer to which the paused clock could jump.
    let (supervisor, observe, _vmdb) =
        start(settings(folder.path(), vec![ems("fragile", &PANICS_FIVE_TIMES)])).await;
    until("the events are rows", || observe.ems("fragile").events.load(Relaxed) == 3).await;
    let stream = observe.actor(ActorKind::Stream, Some("fragile"));
    assert_eq!((stream.generation(), stream.restarts()), (6, 5));
    assert_eq!(stream.state(), ActorState::Running);
    let waits = PANICS_FIVE_TIMES.waits.lock().unwrap().clone();
    assert_eq!(waits.len(), 5);
    let mut step = Duration::from_millis(500);
    for (panicked, made) in waits {
        let waited = made - panicked;
        assert!(
            waited >= step / 2 && waited <= step + Duration::from_millis(100),
            "waited {waited:?}, step {step:?}"
        );
        step *= 2;
    }
    supervisor.send(Shutdown).await.unwrap();
    assert_eq!(stream.state(), ActorState::Stopped);
}

#[actix_rt::test]
async fn the_others_never_notice_a_stream_that_panics() {
    let folder = tempfile::tempdir().unwrap();
    let both = vec![ems("fragile", &PANICS_TOO), ems("sound", &NEVER_PANICS)];
    let (supervisor, observe, _vmdb) = start(settings(folder.path(), both)).await;
    let caught = |name: &str| observe.ems(name).events.load(Relaxed);
    until("both EMSs' events are rows", || caught("sound") == 3 && caught("fragile") == 3).await;
    assert_eq!(observe.actor(ActorKind::Stream, Some("fragile")).generation(), 6);
    assert_eq!(observe.actor(ActorKind::Stream, Some("sound")).generation(), 1);
    supervisor.send(Shutdown).await.unwrap();
}

#[actix_rt::test]
async fn a_parser_that_panics_on_one_event_makes_one_dead_letter_and_the_rest_are_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (supervisor, observe, vmdb) = start(settings(folder.path(), vec![ems("sound", &NEVER_PANICS)])).await;
    let figures = observe.ems("sound");
    until("events and dead letter are rows", || {
        figures.events.load(Relaxed) == 3 && figures.dead_letters.load(Relaxed) == 1
    })
    .await;
    assert_eq!(
        observe.actor(ActorKind::Parser, Some("sound")).restarts(),
        0,
        "only the event failed, not the parser"
    );
    let reasons =
        vmdb.read(|connection| connection.rows("SELECT reason FROM dead_letters", &[])).await.unwrap();
    assert!(reasons[0].text(0).unwrap().contains("this event panics on purpose"), "{reasons:?}");
    supervisor.send(Shutdown).await.unwrap();
}

#[actix_rt::test]
async fn sigusr1_replaces_every_event_catcher_and_goes_on_from_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let (supervisor, observe, _vmdb) =
        start(settings(folder.path(), vec![ems("restarted", &RESTARTED)])).await;
    until("events are rows", || observe.ems("restarted").events.load(Relaxed) == 3).await;
    supervisor.send(RestartCatchers).await.unwrap();
    let catcher = observe.actor(ActorKind::EventCatcher, Some("restarted"));
    until("a fresh catcher is running", || {
        catcher.generation() == 2 && catcher.state() == ActorState::Running
    })
    .await;
    assert_eq!(observe.ems("restarted").duplicates.load(Relaxed), 0, "it did not read from the start again");
    supervisor.send(Shutdown).await.unwrap();
}

#[actix_rt::test]
async fn what_is_read_ahead_is_committed_in_its_turn_and_once_also_when_the_stream_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let (supervisor, observe, vmdb) = start(settings(folder.path(), vec![ems("pushing", &Pushing)])).await;
    let figures = observe.ems("pushing");
    until("all events are rows", || figures.events.load(Relaxed) == 3 * BATCHES).await;
    let all_acknowledged = || HAPPENED.lock().unwrap().contains(&Happened::Acknowledged(BATCHES - 1));
    until("all are acknowledged", all_acknowledged).await;
    assert_eq!(figures.duplicates.load(Relaxed), 0, "what was read ahead of a break was read again");
    let happened = HAPPENED.lock().unwrap().clone();
    let is_broken = |happened: &&Happened| matches!(happened, Happened::Broke(_));
    assert_eq!(happened.iter().filter(is_broken).count() as u64, BATCHES / 7, "{happened:?}");
    let mut acknowledged = 0;
    for happened in &happened {
        match *happened {
            Happened::Polled(batch) => {
                assert_eq!(batch, acknowledged, "{happened:?}: nothing was on its way")
            }
            Happened::ReadAhead(batch) | Happened::Broke(batch) => {
                assert_eq!(batch, acknowledged + 1, "one ahead of what is committed")
            }
            Happened::Acknowledged(batch) => {
                assert_eq!(batch, acknowledged);
                acknowledged += 1;
            }
        }
    }
    let uids =
        vmdb.read(|connection| connection.rows("SELECT event_uid FROM event_streams ORDER BY id", &[]));
    let uids: Vec<String> = uids.await.unwrap().iter().map(|row| row.string(0).unwrap()).collect();
    assert!(uids.is_sorted(), "{uids:?}");
    supervisor.send(Shutdown).await.unwrap();
}
