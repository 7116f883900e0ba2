//! An Awesome Cloud in which events happen at a steady rate while it is asked, served by plain threads at next to no cost.
//!
//! Every EMS that asks (it is known by its password) has the same events. What is measured is measured from out here: how long
//! after an answer with news the event catcher comes back, which it does once they are committed.

use crate::natives;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A server; lives until the process ends.
pub struct LiveCloud {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    begin: DateTime<Utc>,
    rate: f64,
    /// Between two polls that brought nothing more.
    poll: Duration,
    /// Turns; some VMs differ from one to the next, so that every full refresh has something to save.
    inventories: [String; 2],
    listings: AtomicU64,
    readers: Mutex<HashMap<String, Reader>>,
    committed: Mutex<Vec<Committed>>,
}

/// News that were told to an EMS, and are committed.
#[derive(Clone, Copy)]
pub struct Committed {
    /// When they were told.
    pub told: Instant,
    /// From their answer to the event catcher's next request, the wait for that poll apart.
    pub took: Duration,
    /// How many.
    pub events: u64,
}

/// What one EMS was told.
#[derive(Default)]
struct Reader {
    next: u64,
    /// News that were told and not yet answered by another request: (when, how many, whether a wait follows).
    told: Option<(Instant, u64, bool)>,
}

impl LiveCloud {
    /// With `rate` events each second from now on.
    pub fn start(rate: f64, poll: Duration) -> Self {
        let shared = Arc::new(Shared {
            begin: catchall::clock::now(),
            rate,
            poll,
            inventories: [0, 1].map(vms),
            listings: AtomicU64::new(0),
            readers: Mutex::default(),
            committed: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cloud = Self { address: listener.local_addr().unwrap(), shared: shared.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                // The other side goes when it likes.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        cloud
    }

    /// News told since then and committed, of all EMSs.
    pub fn committed_since(&self, since: Instant) -> Vec<Committed> {
        let all = self.shared.committed.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|committed| committed.told >= since).copied().collect()
    }

    /// Events that there are by now.
    pub fn events(&self) -> u64 {
        self.shared.visible(catchall::clock::now())
    }

    /// How many of them the EMS with this password was told.
    pub fn told(&self, password: &str) -> u64 {
        let readers = self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.get(password).map_or(0, |reader| reader.next)
    }

    /// How often all VMs were listed.
    pub fn listings(&self) -> u64 {
        self.shared.listings.load(Relaxed)
    }
}

impl Shared {
    fn visible(&self, now: DateTime<Utc>) -> u64 {
        let seconds = (now - self.begin).as_seconds_f64();
        if seconds < 0.0 { 0 } else { (seconds * self.rate) as u64 + 1 }
    }

    fn time(&self, number: u64) -> DateTime<Utc> {
        self.begin + TimeDelta::nanoseconds((number as f64 * 1e9 / self.rate) as i64)
    }

    /// The first event at `since` or later.
    fn first_at(&self, since: DateTime<Utc>) -> u64 {
        let mut number = self.visible(since).saturating_sub(2);
        while self.time(number) < since {
            number += 1;
        }
        number
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let (mut request, mut line, mut password) = (String::new(), String::new(), String::new());
            reader.read_line(&mut request)?;
            let came = Instant::now();
            while reader.read_line(&mut line)? > 2 {
                if let Some((name, value)) = line.split_once(": Bearer ")
                    && name.eq_ignore_ascii_case("authorization")
                {
                    password = value.trim().to_owned();
                }
                line.clear();
            }
            let Some(target) = request.split(' ').nth(1) else { return Ok(()) };
            // The clock is read before the page, so a page is never older than the clock it is judged by.
            let date = catchall::clock::now();
            let body = self.answer(target, &password, (came, date));
            let head = format!(
                "HTTP/1.1 200 OK\r\nDate: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                date.format("%a, %d %b %Y %H:%M:%S GMT"),
                body.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(body.as_bytes())?;
        }
    }

    fn answer(&self, target: &str, password: &str, (came, now): (Instant, DateTime<Utc>)) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parameter = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        match path {
            "/v1/events" => {
                let limit = parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100).min(1_000);
                let first = match (parameter("page_token"), parameter("since")) {
                    (Some(token), _) => token.parse().unwrap(),
                    (None, Some(since)) => {
                        self.first_at(DateTime::parse_from_rfc3339(&since).unwrap().to_utc())
                    }
                    (None, None) => 0,
                };
                self.page(first, limit, password, (came, now))
            }
            "/v1/vms" => {
                let turn = self.listings.fetch_add(1, Relaxed) % 2;
                self.inventories[usize::try_from(turn).unwrap()].clone()
            }
            path => {
                let collection = path.rsplit('/').next().unwrap_or_default();
                format!(r#"{{"{collection}":[],"next_page_token":null}}"#)
            }
        }
    }

    fn page(&self, first: u64, limit: u64, password: &str, (came, now): (Instant, DateTime<Utc>)) -> String {
        let visible = self.visible(now);
        let end = (first + limit).min(visible);
        let more = end < visible;
        let events: Vec<String> =
            (first..end).map(|number| natives::native(number, self.time(number))).collect();
        let token = if more { format!("\"{end}\"") } else { "null".to_owned() };
        let body = format!(r#"{{"events":[{}],"next_page_token":{token}}}"#, events.join(","));
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = readers.entry(password.to_owned()).or_default();
        if let Some((told, events, waits)) = reader.told.take() {
            let took = came.saturating_duration_since(told);
            let took = took.saturating_sub(if waits { self.poll } else { Duration::ZERO });
            let mut all = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(Committed { told, took, events });
        }
        if end > reader.next {
            reader.told = Some((Instant::now(), end - reader.next, !more));
            reader.next = end;
        }
        body
    }
}

/// All VMs in one page; whoever asks for some by id gets more than asked for, which costs both sides the same.
fn vms(turn: u64) -> String {
    let vm = |number: u64| {
        let id = natives::vm_ref(number);
        let state = if number % 10 == turn { "stopped" } else { "running" };
        format!(
            r#"{{"id":"{id}","name":"web server {id}","state":"{state}","host_id":null,"flavor_id":null,"image_id":null,"addresses":["10.0.0.5"],"cpus":2,"memory_mb":4096,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let vms: Vec<String> = (0..natives::VMS).map(vm).collect();
    format!(r#"{{"vms":[{}],"next_page_token":null}}"#, vms.join(","))
}
