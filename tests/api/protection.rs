//! Who is not answered.

use crate::filled::Fresh;
use crate::house::{House, context};
use reqwest::Client;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What is answered to a request as it stands.
fn raw(house: &House, request: &str) -> String {
    let mut stream = TcpStream::connect(house.server.addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_pages_of_others_are_not_served_on_loopback_without_a_token() {
    let fresh = Fresh::sqlite().await.unwrap();
    let house = House::open(&fresh.vmdb);
    let get = |path: &str, headers: &str| {
        status(&raw(&house, &format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n")))
    };
    assert_eq!(get("/", "Host: localhost:1\r\n"), 200);
    assert_eq!(get("/", "Host: rebound.example\r\n"), 421);
    assert_eq!(get("/healthz", "Host: rebound.example\r\n"), 421);
    assert_eq!(get("/api", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"), 403);
    assert_eq!(get("/export.json", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"), 403);
    assert_eq!(get("/", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"), 200);
    assert_eq!(get("/api", "Host: localhost\r\nContent-Length: 3\r\n"), 413);
    assert_eq!(get(&format!("/?{}", "a".repeat(9_000)), "Host: localhost\r\n"), 414);
    assert_eq!(get("/api", &format!("Host: localhost\r\nCookie: {}\r\n", "a".repeat(20_000))), 431);
    let endless = get("/api", &format!("Host: localhost\r\n{}", "A: b\r\n".repeat(50_000)));
    assert!((400..500).contains(&endless), "{endless}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_token_any_name_is_served_to_whoever_bears_it() {
    let fresh = Fresh::sqlite().await.unwrap();
    let house = House::of(context(&fresh.vmdb, Some("s3cret")));
    let client = Client::builder().no_proxy().build().unwrap();
    for (token, expected) in [(None, 401), (Some("s3cre"), 401), (Some("s3cret"), 200)] {
        for path in ["/api", "/api/vms", "/api/openapi.json", "/export.csv", "/"] {
            let request =
                client.get(format!("{}{path}", house.server.url())).header("host", "catchall.example");
            let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{path} with {token:?}");
            assert!(answer.headers().get("access-control-allow-origin").is_none());
        }
    }
    house.close().await;
}
