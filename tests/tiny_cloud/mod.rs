//! A tiny HTTP server that speaks the skeleton's API: events by time in pages of two, VMs by id. One thread, no framework.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the server has, and what it was asked. Tests change the first while it serves.
#[derive(Default)]
pub struct Cloud {
    /// Native events, in order of their time: (time, JSON).
    pub events: Vec<(String, String)>,
    /// VMs: (id, JSON).
    pub vms: Vec<(String, String)>,
    /// When set, every answer is this status line, with these headers.
    pub refusal: Option<&'static str>,
    /// The path and query of every request.
    pub asked: Vec<String>,
}

impl Cloud {
    /// Adds the events of `lines`, each with a `time`.
    pub fn add_events(&mut self, lines: &str) {
        for line in lines.lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            self.events.push((event["time"].as_str().unwrap().to_owned(), line.to_owned()));
        }
        self.events.sort();
    }

    fn answer(&mut self, target: &str) -> String {
        self.asked.push(target.to_owned());
        if let Some(refusal) = self.refusal {
            return format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let parameter = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let body = if path.ends_with("/events") {
            let since = parameter("since").unwrap_or_default();
            let offset: usize = parameter("page_token").map_or(0, |token| token.parse().unwrap());
            let found: Vec<_> = self.events.iter().filter(|(time, _)| *time >= since).collect();
            let page: Vec<_> = found.iter().skip(offset).take(2).map(|(_, event)| event.as_str()).collect();
            let next = offset + page.len();
            let token = if next < found.len() { format!("\"{next}\"") } else { "null".to_owned() };
            format!("{{\"events\":[{}],\"next_page_token\":{token}}}", page.join(","))
        } else {
            let ids = parameter("ids");
            let wanted = |id: &str| ids.as_ref().is_none_or(|ids| ids.split(',').any(|one| one == id));
            let vms: Vec<_> =
                self.vms.iter().filter(|(id, _)| wanted(id)).map(|(_, vm)| vm.as_str()).collect();
            format!("{{\"vms\":[{}],\"next_page_token\":null}}", vms.join(","))
        };
        format!(
            "HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 12:00:00 GMT\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

/// Serves `cloud` on a free port until the process ends; gives its address.
pub fn serve(cloud: Arc<Mutex<Cloud>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away in the middle is its own affair.
            let _ = serve_one(stream, &cloud);
        }
    });
    url
}

fn serve_one(mut stream: TcpStream, cloud: &Mutex<Cloud>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request_line = String::new();
    reader.read_line(&mut request_line)?;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header == "\r\n" {
            break;
        }
    }
    let target = request_line.split(' ').nth(1).unwrap_or_default();
    let answer = cloud.lock().unwrap().answer(target);
    stream.write_all(answer.as_bytes())
}
