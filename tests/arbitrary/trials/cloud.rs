//! A cloud that answers anything: what Awesome Cloud's stream and collector make of it, over a socket.
//!
//! What must hold: every call ends, in events, inventory or an error; no panic; and a stream that is given rubbish asks no
//! more often than it may.

use catchall::provider::http::install_crypto_provider;
use catchall::provider::{
    Authentication, ByteBudget, CatcherSettings, Collector, Cursor, Ems, EmsId, Endpoint, Provider,
    RefreshScope, Secret, Target, TargetCollection, TargetRequest,
};
use catchall::providers::awesome_cloud::AwesomeCloud;
use std::cell::LazyCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A call that takes longer waits for something that never comes.
const PATIENCE: Duration = Duration::from_secs(8);
/// Polls of one trial.
const POLLS: usize = 20;

/// Parts the answers in a trial's input.
const BETWEEN: &[u8] = b"\n---\n";

type Script = Arc<Mutex<VecDeque<Vec<u8>>>>;

struct Cloud {
    addr: SocketAddr,
    script: Script,
    runtime: Runtime,
}

thread_local! {
    static CLOUD: LazyCell<Cloud> = LazyCell::new(Cloud::open);
}

/// The first byte says what is asked, the rest are the answers, parted by `---` on a line of its own. The first byte of
/// each is its status. When they are used up the cloud answers 500.
pub fn hold(data: &[u8]) {
    let [what, answers @ ..] = data else { return };
    CLOUD.with(|cloud| cloud.answer(*what, answers));
}

impl Cloud {
    fn open() -> Self {
        install_crypto_provider();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let script = Script::default();
        let told = script.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let told = told.clone();
                std::thread::spawn(move || converse(&connection, &told));
            }
        });
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { addr, script, runtime }
    }

    fn answer(&self, what: u8, answers: &[u8]) {
        let answers: VecDeque<_> = split(answers).into_iter().map(answer).collect();
        *self.script.lock().expect("the script") = answers;
        let ems = ems(&format!("http://{}", self.addr));
        self.runtime.block_on(async {
            let call = async {
                if what.is_multiple_of(2) { catch(&ems, what).await } else { collect(&ems, what).await }
            };
            tokio::time::timeout(PATIENCE, call).await.expect("every call ends");
        });
    }
}

async fn catch(ems: &Ems, what: u8) {
    let mut stream = AwesomeCloud.stream(ems).expect("good settings");
    let time = ["2026-11-24T10:00:00Z", "no time", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"];
    let position = serde_json::json!({"time": time[usize::from(what / 8) % 4]});
    let cursor = Cursor { source: ems.endpoints["default"].url.clone().unwrap_or_default(), position };
    if stream.start((what & 4 != 0).then_some(cursor)).await.is_err() {
        return;
    }
    for _ in 0..POLLS {
        let Ok(batch) = stream.poll().await else { return };
        if let Some(cursor) = batch.cursor {
            serde_json::to_string(&cursor).expect("a cursor is JSON");
        }
    }
}

async fn collect(ems: &Ems, what: u8) {
    let mut collector = AwesomeCloud.collector(ems).expect("good settings").expect("it has one");
    let scope = if what & 2 == 0 { RefreshScope::Full } else { RefreshScope::Targeted(targets()) };
    if let Ok(inventory) = collector.collect(&scope).await {
        assert!(inventory.collections.len() <= 5);
    }
    let _ = gone(collector.as_mut()).await;
}

async fn gone(collector: &mut dyn Collector) -> Option<()> {
    let asked = vec!["vm-1".to_owned(), "a,b".to_owned()];
    let gone = collector.confirm_gone("vms", asked.clone()).await.ok()?;
    assert!(gone.iter().all(|id| asked.contains(id)), "only what was asked for");
    Some(())
}

fn targets() -> TargetCollection {
    let request = |association: &str, id: &str| TargetRequest {
        target: Target::by_ems_ref(association, id),
        event_type: "com.awesome-cloud.vm.create".to_owned(),
        timestamp: chrono::DateTime::UNIX_EPOCH,
    };
    TargetCollection::new(vec![request("vms", "vm-1"), request("hosts", "host-1"), request("flavors", "f")])
}

/// Answers each request on `connection` with what comes next.
fn converse(connection: &TcpStream, script: &Script) -> Option<()> {
    let mut requests = BufReader::new(connection);
    let mut line = String::new();
    loop {
        line.clear();
        if requests.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim_end().is_empty() {
            let next = script.lock().ok()?.pop_front();
            let next = next.unwrap_or_else(|| answer(b"\x07"));
            { connection }.write_all(&next).ok()?;
        }
    }
}

/// The first byte is the status, and whether there is a clock; the rest is the body.
fn answer(bytes: &[u8]) -> Vec<u8> {
    let (choice, body) = bytes.split_first().map_or((0, bytes), |(choice, body)| (*choice, body));
    let status =
        ["200 OK", "200 OK", "410 Gone", "400 Bad Request", "429 Slow", "401 Who", "302 There", "500 No"];
    let date = ["Date: Tue, 24 Nov 2026 10:00:00 GMT\r\n", "Date: yesterday\r\n"][usize::from(choice >= 224)];
    let head = format!(
        "HTTP/1.1 {}\r\n{date}Content-Length: {}\r\n\r\n",
        status[usize::from(choice) % status.len()],
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn split(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some(end) = bytes.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        parts.push(&bytes[..end]);
        bytes = &bytes[end + BETWEEN.len()..];
    }
    parts.push(bytes);
    parts
}

fn ems(url: &str) -> Ems {
    let authentication = Authentication { password: Some(Secret::new("demo")), ..Authentication::default() };
    let endpoint = Endpoint { url: Some(url.to_owned()), verify_ssl: true, ..Endpoint::default() };
    Ems {
        id: EmsId(1),
        name: "demo".to_owned(),
        provider_region: None,
        endpoints: BTreeMap::from([("default".to_owned(), endpoint)]),
        authentications: BTreeMap::from([("default".to_owned(), authentication)]),
        catcher: CatcherSettings::default(),
        budget: ByteBudget::new(64 << 20),
    }
}
