//! A client that takes whatever comes, and remembers the signs of what went wrong.

use catchall::simulator::FaultKind;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// What came for one request.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: Option<u16>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub error: Option<String>,
    pub took: Duration,
}

impl Answer {
    pub fn is_json(&self) -> bool {
        serde_json::from_slice::<Value>(&self.body).is_ok()
    }
}

thread_local! {
    /// One for each test, since to make one takes long.
    static CLIENT: reqwest::Client = reqwest::Client::new();
}

/// Asks once.
pub async fn ask(url: &str) -> Answer {
    let begun = Instant::now();
    let mut answer = Answer::default();
    let client = CLIENT.with(Clone::clone);
    match client.get(url).bearer_auth("demo").send().await {
        Err(error) => answer.error = Some(format!("{error:?}")),
        Ok(mut response) => {
            answer.status = Some(response.status().as_u16());
            let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                (name.to_string(), value.to_str().unwrap_or_default().to_owned())
            };
            answer.headers = response.headers().iter().map(header).collect();
            loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => answer.body.extend_from_slice(&chunk),
                    Ok(None) => break,
                    Err(error) => {
                        answer.error = Some(format!("{error:?}"));
                        break;
                    }
                }
            }
        }
    }
    answer.took = begun.elapsed();
    answer
}

/// The signs that were seen.
#[derive(Debug, Default)]
pub struct Wire {
    signs: BTreeSet<&'static str>,
    times: BTreeMap<String, String>,
    newest: String,
}

impl Wire {
    pub fn shows(&self, kind: FaultKind) -> bool {
        self.signs.contains(kind.name())
    }

    fn sign(&mut self, kind: FaultKind) {
        self.signs.insert(kind.name());
    }

    /// A query for all events, to its end.
    pub async fn read_events(&mut self, url: &str) {
        let (mut token, mut before) = (String::new(), BTreeSet::new());
        let known: BTreeSet<String> = self.times.keys().cloned().collect();
        let served = self.newest.clone();
        for _ in 0..100 {
            let answer = ask(&format!("{url}/v1/events?limit=100{token}")).await;
            self.look(&answer);
            if answer.status == Some(400) && !token.is_empty() {
                self.sign(FaultKind::TokenExpiry);
            }
            let Ok(page) = serde_json::from_str::<Value>(&String::from_utf8_lossy(&answer.body)) else {
                return;
            };
            let Some(events) = page["events"].as_array() else { return };
            for event in events {
                let (Some(id), Some(time)) = (event["id"].as_str(), event["time"].as_str()) else { continue };
                if !before.insert(id.to_owned()) {
                    self.sign(FaultKind::RepeatedPages);
                }
                if !known.contains(id) && *time < *served {
                    self.sign(FaultKind::Late);
                }
                if self.times.iter().any(|(other, known)| other != id && known == time) {
                    self.sign(FaultKind::EqualTimes);
                }
                self.times.insert(id.to_owned(), time.to_owned());
                self.newest = self.newest.clone().max(time.to_owned());
                if event["padding"].as_str().is_some_and(|text| text.len() == 1 << 20) {
                    self.sign(FaultKind::Megabyte);
                }
            }
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("&page_token={next}"),
                None => break,
            }
        }
        if known.iter().any(|id| !before.contains(id)) {
            self.sign(FaultKind::HistoryLost);
        }
        if before.len() > known.len() + 100 {
            self.sign(FaultKind::Storms);
        }
    }

    /// A listing of all VMs, to its end, beside what there was when it began.
    pub async fn read_vms(&mut self, url: &str) {
        let truth = ask(&format!("{url}/v1/_simulator/inventory")).await;
        let (mut token, mut listed) = (String::new(), BTreeSet::new());
        for _ in 0..40 {
            let answer = ask(&format!("{url}/v1/vms?limit=7&{token}")).await;
            self.look(&answer);
            if answer.status == Some(400) {
                self.sign(FaultKind::TokenExpiry);
            }
            let Ok(page) = serde_json::from_slice::<Value>(&answer.body) else { return };
            let Some(vms) = page["vms"].as_array() else { return };
            listed.extend(vms.iter().map(|vm| vm["id"].as_str().unwrap().to_owned()));
            match page["next_page_token"].as_str() {
                Some(next) => token = format!("page_token={next}"),
                None => break,
            }
        }
        let truth: Value = serde_json::from_slice(&truth.body).unwrap();
        let there = truth["vms"].as_array().unwrap();
        if there.iter().any(|vm| !listed.contains(vm["id"].as_str().unwrap())) {
            self.sign(FaultKind::ShiftingInventory);
        }
    }

    fn look(&mut self, answer: &Answer) {
        let text = String::from_utf8_lossy(&answer.body);
        match (answer.status, &answer.error) {
            (Some(401), _) => self.sign(FaultKind::Unauthorized),
            (Some(429), _) if answer.headers.get("retry-after").is_some_and(|wait| wait == "1") => {
                self.sign(FaultKind::Throttled);
            }
            (Some(500..), _) => self.sign(FaultKind::ServerErrors),
            (None, Some(_)) if answer.took > Duration::from_millis(350) => self.sign(FaultKind::HalfOpen),
            (None, Some(_)) => self.sign(FaultKind::Resets),
            (Some(200), Some(_)) if answer.headers.contains_key("content-length") => {
                self.sign(FaultKind::WrongLengths);
            }
            (Some(200), Some(_)) => self.sign(FaultKind::TruncatedPages),
            (Some(200), None) if text.starts_with('<') => self.sign(FaultKind::NotJson),
            (Some(200), None) if answer.took > Duration::from_millis(350) => self.sign(FaultKind::Drip),
            (Some(200), None) if std::str::from_utf8(&answer.body).is_err() => {
                self.sign(FaultKind::InvalidUtf8);
            }
            (Some(200), None) if text.contains("\"not_id\"") || text.contains("\"not_time\"") => {
                self.sign(FaultKind::Malformed);
            }
            _ => {}
        }
        if let Some(date) =
            answer.headers.get("date").and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok())
        {
            let away = date.to_utc() - catchall::clock::now();
            if away.num_seconds().abs() > 60 {
                self.sign(FaultKind::Clock);
            }
        }
    }
}
