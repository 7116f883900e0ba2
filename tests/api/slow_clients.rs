//! A slow client is his own trouble: others are answered, and the VMDB is not held.

use crate::filled::{Fresh, event, on_both};
use crate::house::House;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

on_both! {
    whoever_reads_a_byte_a_second_holds_nobody_up
    whoever_never_ends_his_question_is_not_waited_for
}

async fn whoever_reads_a_byte_a_second_holds_nobody_up(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(event("a", 1)).await;
    fresh
        .batch(
            "INSERT INTO event_streams (type, ems_id, event_uid, event_type, timestamp, message) \
             WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000) \
             SELECT 'EmsEvent', 1, 'many-' || n, 'noise', e.timestamp, \
             'a message of some length, so that no buffer of the system takes all of them: ' || n \
             FROM numbers, event_streams AS e",
        )
        .await;
    let house = House::open(&fresh.vmdb);
    let addr = house.server.addr;
    // More of them than the VMDB has readers.
    let slow: Vec<_> = (0..6)
        .map(|_| {
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(addr).unwrap();
                stream.write_all(b"GET /export.json HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
                let mut byte = [0];
                for _ in 0..4 {
                    stream.read_exact(&mut byte).unwrap();
                    std::thread::sleep(Duration::from_secs(1));
                }
                stream
            })
        })
        .collect();
    let (began, mut answers) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(4) {
        let asked = Instant::now();
        house.get("/api/vms?expand=resources").await;
        assert!(asked.elapsed() < Duration::from_secs(3), "an answer took {:?}", asked.elapsed());
        answers += 1;
    }
    assert!(answers >= 3, "only {answers} answers in {:?}", began.elapsed());
    for thread in slow {
        tokio::task::spawn_blocking(move || drop(thread.join().unwrap())).await.unwrap();
    }
    house.close().await;
}

async fn whoever_never_ends_his_question_is_not_waited_for(fresh: Fresh) {
    let house = House::open(&fresh.vmdb);
    let addr = house.server.addr;
    let slow = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let (began, mut answer) = (Instant::now(), Vec::new());
        stream.write_all(b"GET /api HTTP/1.1\r\n").unwrap();
        while began.elapsed() < Duration::from_secs(30) {
            let mut some = [0; 512];
            match stream.read(&mut some) {
                Ok(0) => return (began.elapsed(), answer),
                Ok(count) => answer.extend(&some[..count]),
                // Nothing yet: one more byte of a header that never ends.
                Err(_) if stream.write_all(b"A").is_err() => return (began.elapsed(), answer),
                Err(_) => {}
            }
        }
        panic!("still served after {:?}", began.elapsed());
    });
    house.get("/api").await;
    let (took, answer) = slow.await.unwrap();
    assert!(took < Duration::from_secs(20), "{took:?}");
    let text = String::from_utf8_lossy(&answer);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    house.close().await;
}
