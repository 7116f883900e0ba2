//! A small HTTP proxy between Catchall and moto that misbehaves: everything that the road to AWS, and AWS itself, can do
//! to a request. Seeded; each kind can be alone; `heal` ends it.
//!
//! It speaks HTTP/1.1 with one request on a connection, and knows no more of SQS than its JSON protocol.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The answer comes late.
    Late,
    /// A receive is answered with what one before it was answered with.
    Twice,
    /// 500 before the request reached SQS, or 503 after it did.
    ServerError,
    /// `RequestThrottled`, in each of its forms.
    Throttled,
    /// 403 `ExpiredToken`.
    ExpiredToken,
    /// The connection breaks before the request reached SQS.
    ResetBefore,
    /// It breaks after: the answer is lost, whatever was asked is done.
    ResetAfter,
    /// The body ends early.
    Truncated,
    /// `Content-Length` is too small.
    WrongLength,
    /// A page of some proxy, with status 200.
    NotJson,
    /// An empty JSON object, with status 200.
    Empty,
    /// Byte by byte.
    Drip,
    /// Nothing ever comes.
    HalfOpen,
    /// Some entries of a batch fail.
    PartialFailure,
    /// `Date` is hours away.
    Clock,
}

impl Fault {
    pub const ALL: [Self; 15] = [
        Self::Late,
        Self::Twice,
        Self::ServerError,
        Self::Throttled,
        Self::ExpiredToken,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::Truncated,
        Self::WrongLength,
        Self::NotJson,
        Self::Empty,
        Self::Drip,
        Self::HalfOpen,
        Self::PartialFailure,
        Self::Clock,
    ];

    /// Whether it can meet this operation.
    fn meets(self, operation: &str) -> bool {
        match self {
            Self::Twice => operation == "ReceiveMessage",
            Self::PartialFailure => operation == "DeleteMessageBatch",
            _ => true,
        }
    }
}

struct Shared {
    upstream: SocketAddr,
    menu: Vec<Fault>,
    share: f64,
    healed: AtomicBool,
    random: Mutex<StdRng>,
    met: Mutex<BTreeMap<Fault, u32>>,
    /// The last answer to a receive that held messages.
    received: Mutex<Option<Vec<u8>>>,
}

/// The running proxy; it ends with the test process.
pub struct FaultyProxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl FaultyProxy {
    /// In front of `upstream` (`http://127.0.0.1:PORT`): `share` of the requests meet something of the menu.
    pub fn start(upstream: &str, menu: &[Fault], share: f64, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            upstream: upstream.trim_start_matches("http://").parse().unwrap(),
            menu: menu.to_vec(),
            share,
            healed: AtomicBool::new(false),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            met: Mutex::default(),
            received: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = accepting.clone();
                std::thread::spawn(move || shared.serve(client));
            }
        });
        Self { address, shared }
    }

    /// The queue's URL through this proxy.
    pub fn through(&self, queue_url: &str) -> String {
        let path = queue_url.splitn(4, '/').nth(3).unwrap();
        format!("http://{}/{path}", self.address)
    }

    /// Behaves from now on.
    pub fn heal(&self) {
        self.shared.healed.store(true, Relaxed);
    }

    /// How often each fault was met.
    pub fn met(&self) -> BTreeMap<Fault, u32> {
        self.shared.met.lock().unwrap().clone()
    }
}

impl Shared {
    /// A connection that breaks is what this is about.
    fn serve(&self, mut client: TcpStream) {
        let Some((request, operation)) = read_request(&mut client) else { return };
        let fault = self.draw(&operation);
        if let Some(fault) = fault {
            *self.met.lock().unwrap().entry(fault).or_default() += 1;
        }
        let _ = self.answer(&mut client, &request, &operation, fault);
    }

    fn draw(&self, operation: &str) -> Option<Fault> {
        let mut random = self.random.lock().unwrap();
        let meets = random.random_bool(self.share);
        let menu: Vec<_> = self.menu.iter().filter(|fault| fault.meets(operation)).collect();
        let drawn = if menu.is_empty() { None } else { Some(*menu[random.random_range(0..menu.len())]) };
        drawn.filter(|_| meets && !self.healed.load(Relaxed))
    }

    fn coin(&self) -> bool {
        self.random.lock().unwrap().random_bool(0.5)
    }

    fn answer(
        &self,
        client: &mut TcpStream,
        request: &[u8],
        operation: &str,
        fault: Option<Fault>,
    ) -> std::io::Result<()> {
        match fault {
            Some(Fault::ResetBefore) => return reset(client),
            Some(Fault::HalfOpen) => {
                let _ = client.read(&mut [0]); // until the client has had enough
                return Ok(());
            }
            Some(Fault::ServerError) if self.coin() => {
                return client.write_all(&refusal(500, "InternalFailure"));
            }
            Some(Fault::Throttled) => {
                let (status, code) =
                    if self.coin() { (400, "ThrottlingException") } else { (403, "RequestThrottled") };
                return client.write_all(&refusal(status, code));
            }
            Some(Fault::ExpiredToken) => return client.write_all(&refusal(403, "ExpiredToken")),
            Some(Fault::Twice) => {
                let before = self.received.lock().unwrap().clone();
                if let Some(before) = before {
                    return client.write_all(&before);
                }
            }
            _ => {}
        }
        let kept_back = (fault == Some(Fault::PartialFailure)).then(|| without_first(request)).flatten();
        let (request, failed) = match &kept_back {
            Some((request, id)) => (request.as_slice(), Some(id.as_str())),
            None => (request, None),
        };
        let Some(answer) = self.forward(client, request)? else { return Ok(()) };
        let (head, body) = split(&answer);
        if operation == "ReceiveMessage" && body.len() > 20 {
            *self.received.lock().unwrap() = Some(answer.clone());
        }
        if let Some(id) = failed {
            let mut told: Value = serde_json::from_slice(body).unwrap_or_default();
            told["Failed"] = json!([{"Id": id, "SenderFault": false, "Code": "InternalError"}]);
            return client.write_all(&message(200, "", told.to_string().as_bytes()));
        }
        misbehave(client, fault, &answer, (head, body))
    }

    /// Asks moto; `None` when the client went away meanwhile, as a process that was killed does.
    fn forward(&self, client: &TcpStream, request: &[u8]) -> std::io::Result<Option<Vec<u8>>> {
        let mut upstream = TcpStream::connect(self.upstream)?;
        upstream.write_all(request)?;
        upstream.set_read_timeout(Some(Duration::from_millis(100)))?;
        client.set_nonblocking(true)?;
        let mut answer = Vec::new();
        loop {
            let mut part = [0; 65536];
            match upstream.read(&mut part) {
                Ok(0) => break,
                Ok(read) => answer.extend_from_slice(&part[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if matches!(client.peek(&mut [0]), Ok(0)) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        client.set_nonblocking(false)?;
        Ok(Some(answer))
    }
}

/// What becomes of an answer of moto.
fn misbehave(
    client: &mut TcpStream,
    fault: Option<Fault>,
    answer: &[u8],
    (head, body): (&str, &[u8]),
) -> std::io::Result<()> {
    match fault {
        Some(Fault::ResetAfter) => reset(client),
        Some(Fault::ServerError) => client.write_all(&refusal(503, "ServiceUnavailable")),
        Some(Fault::NotJson) => client.write_all(&message(200, "", b"<html>Welcome to this hotel</html>")),
        Some(Fault::Empty) => client.write_all(&message(200, "", b"{}")),
        Some(Fault::Truncated) => {
            client.write_all(&answer[..answer.len() - body.len().div_ceil(2)])?;
            client.shutdown(std::net::Shutdown::Both)
        }
        Some(Fault::WrongLength) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len() / 2
            );
            client.write_all(head.as_bytes())?;
            client.write_all(body)
        }
        Some(Fault::Drip) => {
            client.write_all(head.as_bytes())?;
            let size = body.len().div_ceil(20).max(1);
            for part in body.chunks(size) {
                std::thread::sleep(Duration::from_millis(40));
                client.write_all(part)?;
            }
            Ok(())
        }
        Some(Fault::Late) => {
            std::thread::sleep(Duration::from_millis(700));
            client.write_all(answer)
        }
        Some(Fault::Clock) => {
            let hours_ago = catchall::clock::now() - chrono::TimeDelta::hours(7);
            let date = hours_ago.format("date: %a, %d %b %Y %H:%M:%S GMT\r\n").to_string();
            client.write_all(&message(200, &date, body))
        }
        _ => client.write_all(answer),
    }
}

/// The request as moto gets it, and the operation of SQS that it asks for.
fn read_request(client: &mut TcpStream) -> Option<(Vec<u8>, String)> {
    let mut request = Vec::new();
    let mut part = [0; 65536];
    loop {
        let read = client.read(&mut part).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&part[..read]);
        let (head, body) = split(&request);
        if head.is_empty() || body.len() < header(head, "content-length").parse().unwrap_or(0) {
            continue;
        }
        let operation = header(head, "x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
        return Some((with_body(head, body), operation));
    }
}

/// The head with its empty line, and what follows; no head while that is not whole.
fn split(text: &[u8]) -> (&str, &[u8]) {
    let end = text.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    let (head, body) = text.split_at(end.unwrap_or(0));
    (std::str::from_utf8(head).unwrap_or_default(), body)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let named = |line: &'a str| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name));
    head.lines().find_map(named).map_or("", |(_, value)| value.trim())
}

/// A request with this body, and one on its connection.
fn with_body(head: &str, body: &[u8]) -> Vec<u8> {
    let replaced = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        !line.is_empty() && name != "content-length" && name != "connection"
    };
    let kept: Vec<_> = head.split("\r\n").filter(replaced).collect();
    let head =
        format!("{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", kept.join("\r\n"), body.len());
    [head.as_bytes(), body].concat()
}

/// A batch of deletions without its first entry, and the id of that.
fn without_first(request: &[u8]) -> Option<(Vec<u8>, String)> {
    let (head, body) = split(request);
    let mut asked: Value = serde_json::from_slice(body).ok()?;
    let entries = asked.get_mut("Entries")?.as_array_mut()?;
    if entries.len() < 2 {
        return None; // SQS refuses a batch of nothing
    }
    let id = entries.remove(0)["Id"].as_str()?.to_owned();
    Some((with_body(head, asked.to_string().as_bytes()), id))
}

fn message(status: u16, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\nconnection: close\r\n{more}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn refusal(status: u16, code: &str) -> Vec<u8> {
    let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "the proxy says so"});
    message(status, &format!("x-amzn-query-error: {code};Sender\r\n"), body.to_string().as_bytes())
}

/// With what was asked left unread in neither direction, a close is a FIN; SQS's clients take it as a broken connection.
fn reset(client: &mut TcpStream) -> std::io::Result<()> {
    client.shutdown(std::net::Shutdown::Both)
}
