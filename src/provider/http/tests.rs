use super::*;
use crate::provider::{CatcherSettings, EmsId, Endpoint, StreamError};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(super) fn ems(endpoint: Endpoint) -> Ems {
    Ems {
        id: EmsId(1),
        name: "demo".into(),
        provider_region: None,
        endpoints: BTreeMap::from([("default".into(), endpoint)]),
        authentications: BTreeMap::new(),
        catcher: CatcherSettings::default(),
        budget: ByteBudget::default(),
    }
}

pub(super) fn at(url: &str) -> Endpoint {
    Endpoint { url: Some(url.into()), verify_ssl: true, ..Endpoint::default() }
}

/// What a client with short deadlines makes of a server that sends `pieces`, `pause` apart, then hangs up.
async fn answer_to(pieces: Vec<Vec<u8>>, pause: Duration) -> Result<Answer, HttpError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://user:pass@{}/base/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let length = peer.read(&mut request).await.unwrap();
        for piece in pieces {
            if peer.write_all(&piece).await.is_err() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let deadlines = Deadlines {
        silence: Duration::from_millis(300),
        page: Duration::from_millis(900),
        ..Deadlines::default()
    };
    let client = HttpClient::with_deadlines(&ems(at(&url)), "default", deadlines).unwrap();
    let request =
        client.request(Method::GET, &["v1", "a/b"]).query(&[("since", "2026-11-22T10:26:01+00:00")]);
    let answer = client.send(request).await;
    if answer.is_ok() {
        let request = server.await.unwrap();
        assert!(
            request.starts_with("GET /base/v1/a%2Fb?since=2026-11-22T10%3A26%3A01%2B00%3A00 "),
            "{request}"
        );
        assert!(!request.to_lowercase().contains("authorization"));
    }
    answer
}

async fn answer(text: &str) -> Result<Answer, HttpError> {
    answer_to(vec![text.as_bytes().to_vec()], Duration::ZERO).await
}

fn says(answer: Result<Answer, HttpError>, wanted: &str) {
    match answer {
        Err(HttpError::Unreachable(message) | HttpError::TooLarge(message)) => {
            assert!(message.contains(wanted), "{message}");
            assert!(message.starts_with("GET http://127.0.0.1:"), "{message}");
            assert!(!message.contains("pass") && !message.contains("since"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_whole_answer_has_the_servers_clock_and_holds_its_room() {
    let answer =
        answer("HTTP/1.1 410 Gone\r\nDate: Sun, 22 Nov 2026 10:26:01 GMT\r\nContent-Length: 5\r\n\r\nhello")
            .await
            .unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_slice()), (410, b"hello".as_slice()));
    assert_eq!(answer.date.unwrap().to_rfc3339(), "2026-11-22T10:26:01+00:00");
    assert!(matches!(answer.success(), Err(HttpError::Unreachable(message)) if message.contains("410 Gone")));
}

#[tokio::test]
async fn statuses_are_decisions() {
    let refused = answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.unwrap_err();
    assert!(matches!(StreamError::from(refused), StreamError::Unauthorized(_)));
    for (header, seconds) in [
        ("Retry-After: 7\r\n", 7),
        ("Date: Sun, 22 Nov 2026 10:26:01 GMT\r\nRetry-After: Sun, 22 Nov 2026 10:27:01 GMT\r\n", 60),
        ("Retry-After: 18446744073709551615\r\n", 86_400),
        ("Retry-After: soon\r\n", 5),
        ("", 5),
    ] {
        let text = format!("HTTP/1.1 429 Too Many Requests\r\n{header}Content-Length: 0\r\n\r\n");
        match answer(&text).await {
            Err(HttpError::Throttled { retry_after, .. }) => {
                assert_eq!(retry_after, Duration::from_secs(seconds));
            }
            other => panic!("{other:?}"),
        }
    }
    says(answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await, "503");
    says(
        answer("HTTP/1.1 302 Found\r\nLocation: http://b/\r\nContent-Length: 0\r\n\r\n").await,
        "not followed",
    );
}

#[tokio::test]
async fn what_breaks_stalls_or_drips_is_unreachable() {
    says(answer("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort").await, "error decoding response body");
    says(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n").await, "error");
    says(answer("not HTTP").await, "error");
    says(answer("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").await, "larger than 64 MiB");
    says(answer_to(vec![vec![]], Duration::from_secs(5)).await, "timed out");
    let mut drip = vec![b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n".to_vec()];
    drip.extend(std::iter::repeat_n(b" ".to_vec(), 50));
    says(answer_to(drip, Duration::from_millis(100)).await, "not whole within 900ms");
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_to_its_end() {
    let piece =
        |size: usize| [format!("{size:x}\r\n").into_bytes(), vec![b'x'; size], b"\r\n".to_vec()].concat();
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let answer =
        answer_to(vec![head, piece(50_000), piece(200_000), b"0\r\n\r\n".to_vec()], Duration::ZERO).await;
    assert_eq!(answer.unwrap().body.len(), 250_000);
}

#[test]
fn an_endpoint_is_a_url_or_its_parts() {
    let url = |endpoint: Endpoint| endpoint_url(&ems(endpoint), "default").map(|url| url.to_string());
    let parts = Endpoint {
        hostname: Some("::1".into()),
        port: Some(8585),
        path: Some("/api".into()),
        ..Endpoint::default()
    };
    assert_eq!(url(parts.clone()).unwrap(), "https://[::1]:8585/api");
    let plain = Endpoint { security_protocol: Some("non-ssl".into()), ..parts };
    assert_eq!(url(plain).unwrap(), "http://[::1]:8585/api");
    assert_eq!(url(at("https://a:b@cloud/x/")).unwrap(), "https://cloud/x/");
    for (bad, why) in [("cloud:80", "no http://"), ("/x", "no address"), ("http://c/?q=1", "query")] {
        let error = url(at(bad)).unwrap_err().to_string();
        assert!(error.starts_with("demo: endpoints.default.url") && error.contains(why), "{error}");
    }
    assert!(url(Endpoint::default()).unwrap_err().message.contains("endpoints.default.url is not set"));
}

#[test]
fn clients_are_shared_by_tls_settings_and_a_bad_authority_is_named() {
    let deadlines = Deadlines::default();
    assert!(clients::shared(&at("http://a"), deadlines).is_ok());
    let bad = Endpoint { certificate_authority: Some("nonsense".into()), ..at("http://a") };
    let error = HttpClient::new(&ems(bad), "default").unwrap_err().to_string();
    assert!(error.contains("demo: endpoints.default: certificate_authority"), "{error}");
}
