//! A stream's owner as small as it can be: polls, "commits", starts anew after errors, and keeps what came.

use catchall::provider::{
    Authentication, ByteBudget, CatcherSettings, Cursor, Ems, EmsId, Endpoint, EventBatch, Gap, NativeEvent,
    Parsed, ParsedEvent, Provider, Secret, Stream, StreamError,
};
use catchall::providers::awesome_cloud::AwesomeCloud;
use catchall::simulator::{Faults, Simulator, SimulatorOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// A quiet cloud with these faults.
pub async fn cloud(faults: Faults) -> Simulator {
    let options = SimulatorOptions { faults, token: Some("demo".into()), ..SimulatorOptions::default() };
    catchall::simulator::start(options).await.unwrap()
}

/// An EMS at `url` that reads pages of 10.
pub fn ems(url: &str) -> Ems {
    let password = Some(Secret::new("demo"));
    Ems {
        id: EmsId(1),
        name: "demo cloud".into(),
        provider_region: None,
        endpoints: BTreeMap::from([(
            "default".into(),
            Endpoint { url: Some(url.into()), verify_ssl: true, ..Endpoint::default() },
        )]),
        authentications: BTreeMap::from([(
            "default".into(),
            Authentication { password, ..Authentication::default() },
        )]),
        catcher: CatcherSettings { ems_event_page_size: 10, ..CatcherSettings::default() },
        budget: ByteBudget::new(1 << 20),
    }
}

/// What one EMS's stream brought.
#[derive(Default)]
pub struct Caught {
    /// By uid; the number says how often it was delivered.
    pub events: BTreeMap<String, (ParsedEvent, u32)>,
    pub dead_letters: BTreeSet<String>,
    pub cursor: Option<Cursor>,
    pub cursors: Vec<Cursor>,
    pub gaps: Vec<Gap>,
    pub errors: Vec<String>,
}

impl Caught {
    /// Takes a batch as a commit does.
    pub fn commit(&mut self, batch: EventBatch) {
        for native in batch.events {
            match parse(&native) {
                Ok(events) => events.into_iter().for_each(|event| {
                    self.events.entry(event.event_uid.clone()).or_insert((event, 0)).1 += 1;
                }),
                Err(_) => drop(self.dead_letters.insert(native.text)),
            }
        }
        self.gaps.extend(batch.gap);
        if let Some(cursor) = batch.cursor {
            self.cursors.push(cursor.clone());
            self.cursor = Some(cursor);
        }
    }

    /// The ids of all events.
    pub fn ids(&self) -> Vec<String> {
        self.events.keys().cloned().collect()
    }

    /// The `time` of the cursor.
    pub fn cursor_time(&self) -> String {
        self.cursor.as_ref().unwrap().position["time"].as_str().unwrap().to_owned()
    }
}

fn parse(native: &NativeEvent) -> Result<Vec<ParsedEvent>, String> {
    match AwesomeCloud.event_parser().parse(native) {
        Ok(Parsed::Events(events)) => Ok(events),
        Ok(Parsed::Filtered(reason)) => panic!("filtered: {reason:?}"),
        Err(error) => Err(error.to_string()),
    }
}

/// A started stream.
pub async fn started(ems: &Ems, cursor: Option<Cursor>) -> Result<Box<dyn Stream>, StreamError> {
    let mut stream = AwesomeCloud.stream(ems).unwrap();
    stream.start(cursor).await?;
    Ok(stream)
}

/// Polls until nothing more is ready.
pub async fn drain(stream: &mut Box<dyn Stream>, caught: &mut Caught) {
    loop {
        let batch = stream.poll().await.unwrap();
        let more = batch.more;
        caught.commit(batch);
        if !more {
            return;
        }
    }
}

/// Catches until `enough`, starting anew from the committed cursor after errors as the StreamActor does.
pub async fn catch_until(ems: &Ems, caught: &mut Caught, enough: impl Fn(&Caught) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut stream = None;
    while !enough(caught) {
        let events = caught.events.len();
        assert!(Instant::now() < deadline, "only {events} events, errors {:?}", caught.errors);
        let step = async {
            if stream.is_none() {
                stream = Some(started(ems, caught.cursor.clone()).await?);
            }
            stream.as_mut().unwrap().poll().await
        };
        match timeout(Duration::from_secs(3), step).await {
            Ok(Ok(batch)) => {
                let more = batch.more;
                caught.commit(batch);
                if !more {
                    sleep(Duration::from_millis(10)).await;
                }
            }
            failed => {
                let error = failed.map_or("hangs".to_owned(), |step| step.err().unwrap().to_string());
                caught.errors.push(error);
                stream = None;
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Catches everything that the cloud's ledger tells.
pub async fn catch_all(cloud: &Simulator, ems: &Ems) -> Caught {
    let mut caught = Caught::default();
    catch_until(ems, &mut caught, |caught| {
        let ledger = cloud.ledger();
        ledger.hidden == 0
            && ledger.events.len() == caught.events.len()
            && ledger.malformed.len() == caught.dead_letters.len()
    })
    .await;
    let mut ledger = cloud.ledger().events;
    ledger.sort();
    assert_eq!(caught.ids(), ledger);
    caught
}
