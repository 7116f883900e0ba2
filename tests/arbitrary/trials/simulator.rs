//! Queries to the simulated Awesome Cloud, over a socket: it is shipped, and people script against it.
//!
//! What must hold: every query is answered, and none with 500.

use super::wire::Wire;
use catchall::simulator::{SimulatorOptions, start};
use std::cell::RefCell;
use std::net::SocketAddr;

thread_local! {
    static WIRE: RefCell<Option<Wire>> = const { RefCell::new(None) };
}

/// The first line is the target, the others are headers.
pub fn hold(data: &[u8]) {
    WIRE.with_borrow_mut(|wire| {
        let wire = wire.get_or_insert_with(|| Wire::to(serve()));
        let mut lines = data.split(|byte| *byte == b'\n');
        let target = lines.next().unwrap_or_default();
        let mut headers: Vec<&[u8]> = lines.take(30).collect();
        headers.insert(0, b"Authorization: Bearer demo");
        let answer = wire.ask("GET", target, &headers);
        assert!(answer.status < 500, "{}", answer.head);
        if answer.status == 200 && target.starts_with(b"v1/events") {
            serde_json::from_slice::<serde_json::Value>(&answer.body).expect("a page is JSON");
        }
    });
}

/// A quiet cloud with some history, on a thread of its own, until the process ends.
fn serve() -> SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            let options = SimulatorOptions { token: Some("demo".to_owned()), ..SimulatorOptions::default() };
            let mut simulator = start(options).await.expect("a free port");
            simulator.happen(50);
            send.send(simulator.addr).expect("somebody waits");
            simulator.wait().await.expect("it goes on");
        });
    });
    receive.recv().expect("an address")
}
