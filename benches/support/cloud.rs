//! An Awesome Cloud that costs next to nothing: its pages of events are made before, and served by plain threads.
//!
//! The same events for every EMS that asks; the inventory is what the events name. It never changes and never errs.

use crate::natives;
use chrono::{DateTime, TimeDelta, Utc};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Events in a page.
pub const PAGE: usize = 1_000;

/// A server; lives until the process ends.
pub struct Cloud {
    pub address: SocketAddr,
    pages: Arc<Pages>,
}

struct Pages {
    times: Vec<DateTime<Utc>>,
    events: Vec<String>,
    /// Bodies of the pages that begin at a multiple of [`PAGE`].
    whole: Vec<String>,
    vms: String,
    first_asked: Mutex<Option<Instant>>,
}

impl Cloud {
    /// Serves `count` events of the last hours.
    pub fn start(count: usize) -> Self {
        let begin = catchall::clock::now() - TimeDelta::hours(6);
        let times: Vec<_> = (0..count).map(|n| begin + TimeDelta::microseconds(n as i64 * 36_007)).collect();
        let events = (0..).zip(&times).map(|(number, time)| natives::native(number, *time)).collect();
        let mut pages = Pages { times, events, whole: Vec::new(), vms: vms(), first_asked: Mutex::default() };
        pages.whole = (0..count).step_by(PAGE).map(|first| pages.body(first, first + PAGE)).collect();
        let pages = Arc::new(pages);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cloud = Self { address: listener.local_addr().unwrap(), pages: pages.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = pages.clone();
                // The other side goes when it likes.
                std::thread::spawn(move || drop(pages.serve(stream)));
            }
        });
        cloud
    }

    /// When the first page of events was asked for, since this was asked last.
    pub fn take_first_asked(&self) -> Option<Instant> {
        self.pages.first_asked.lock().unwrap().take()
    }
}

impl Pages {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let (mut request, mut line) = (String::new(), String::new());
            reader.read_line(&mut request)?;
            while reader.read_line(&mut line)? > 2 {
                line.clear();
            }
            let Some(target) = request.split(' ').nth(1) else { return Ok(()) };
            let body = self.answer(target);
            let date = catchall::clock::now().format("%a, %d %b %Y %H:%M:%S GMT");
            let head = format!(
                "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(body.as_bytes())?;
        }
    }

    fn answer(&self, target: &str) -> std::borrow::Cow<'_, str> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parameter = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        match path {
            "/v1/events" => {
                self.first_asked.lock().unwrap().get_or_insert_with(Instant::now);
                let limit = parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE).min(PAGE);
                let first = match (parameter("page_token"), parameter("since")) {
                    (Some(token), _) => token.parse().unwrap(),
                    (None, Some(since)) => {
                        let since = DateTime::parse_from_rfc3339(&since).unwrap().to_utc();
                        self.times.partition_point(|time| *time < since)
                    }
                    (None, None) => 0,
                };
                match self.whole.get(first / PAGE) {
                    Some(page) if first % PAGE == 0 && limit == PAGE => page.into(),
                    _ => self.body(first, first + limit).into(),
                }
            }
            "/v1/vms" => self.vms.as_str().into(),
            path => {
                let collection = path.rsplit('/').next().unwrap_or_default();
                format!(r#"{{"{collection}":[],"next_page_token":null}}"#).into()
            }
        }
    }

    fn body(&self, first: usize, end: usize) -> String {
        let end = end.min(self.events.len());
        let token = if end < self.events.len() { format!("\"{end}\"") } else { "null".to_owned() };
        let events = self.events[first.min(end)..end].join(",");
        format!(r#"{{"events":[{events}],"next_page_token":{token}}}"#)
    }
}

/// All VMs in one page; whoever asks for some by id gets more than asked for, which costs both sides the same.
fn vms() -> String {
    let vm = |number| {
        let id = natives::vm_ref(number);
        format!(
            r#"{{"id":"{id}","name":"web server {id}","state":"running","host_id":null,"flavor_id":null,"image_id":null,"addresses":["10.0.0.5"],"cpus":2,"memory_mb":4096,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let vms: Vec<String> = (0..natives::VMS).map(vm).collect();
    format!(r#"{{"vms":[{}],"next_page_token":null}}"#, vms.join(","))
}
