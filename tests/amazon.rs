//! The stream of the provider Amazon against a real broker: moto's SQS, SNS and EventBridge.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/moto.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod moto;

use catchall::provider::{
    Authentication, ByteBudget, CatcherSettings, Ems, EmsId, Endpoint, EventBatch, NativeEvent, Parsed,
    Provider, Secret, Stream, StreamError,
};
use catchall::providers::amazon::Amazon;
use moto::{ACCOUNT, Moto};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn ems(endpoints: &[(&str, Endpoint)]) -> Ems {
    let authentication = Authentication {
        userid: Some("testing".to_owned()),
        password: Some(Secret::new("hidden-secret")),
        ..Authentication::default()
    };
    Ems {
        id: EmsId(1),
        name: "aws".to_owned(),
        provider_region: None,
        endpoints: endpoints.iter().map(|(role, endpoint)| ((*role).to_owned(), endpoint.clone())).collect(),
        authentications: BTreeMap::from([("default".to_owned(), authentication)]),
        catcher: CatcherSettings::default(),
        budget: ByteBudget::default(),
    }
}

fn at(url: &str) -> Endpoint {
    Endpoint { url: Some(url.to_owned()), ..Endpoint::default() }
}

/// An endpoint option, as the settings give it.
fn options(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

async fn started(queue_url: &str) -> Box<dyn Stream> {
    let mut stream = Amazon.stream(&ems(&[("sqs", at(queue_url))])).unwrap();
    stream.start(None).await.unwrap();
    stream
}

/// Beyond its first poll, which gives a queue its cursor and waits for no message.
async fn waiting(queue_url: &str) -> Box<dyn Stream> {
    let mut stream = started(queue_url).await;
    let first = stream.poll().await.unwrap();
    assert!(first.events.is_empty() && first.cursor.is_some() && first.more);
    stream
}

async fn refused(ems: &Ems) -> StreamError {
    Amazon.stream(ems).unwrap().start(None).await.unwrap_err()
}

fn texts(batch: &EventBatch) -> Vec<&str> {
    batch.events.iter().map(|native| native.text.as_str()).collect()
}

fn event_types(events: &[NativeEvent]) -> Vec<String> {
    let parse = |native| match Amazon.event_parser().parse(native).unwrap() {
        Parsed::Events(events) => events.into_iter().map(|parsed| parsed.event.event_type).collect(),
        Parsed::Filtered(reason) => vec![reason.0.to_owned()],
    };
    events.iter().flat_map(parse).collect()
}

#[tokio::test]
async fn a_message_is_deleted_only_when_its_batch_is_acknowledged() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("deleted-after-ack", 30).await;
    moto.send(&queue, "one").await;
    let mut stream = started(&queue).await;
    let mut batch = stream.poll().await.unwrap();
    assert_eq!(texts(&batch), ["one"]);
    assert!(batch.events[0].transport_id.is_some(), "the SQS MessageId");
    assert!(batch.cursor.is_some() && batch.gap.is_none() && batch.permit.is_some());
    assert_eq!(moto.counts(&queue).await, (0, 1), "received, and still there");
    stream.ack(batch.ack.take().unwrap()).await.unwrap();
    assert_eq!(moto.counts(&queue).await, (0, 0));
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_back_as_the_same_message() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("redelivered", 1).await;
    moto.send(&queue, "one").await;
    let first = started(&queue).await.poll().await.unwrap();
    let mut next = started(&queue).await;
    let mut again = next.poll().await.unwrap();
    if again.events.is_empty() {
        again = next.poll().await.unwrap(); // the first poll waits for nothing, this one until the message is visible
    }
    assert_eq!(again.events, first.events);
}

#[tokio::test]
async fn a_waiting_batch_stays_hidden_as_long_as_it_is_held() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("held", 3).await;
    moto.send(&queue, "one").await;
    let mut stream = started(&queue).await;
    assert_eq!(stream.hold_every(), Some(Duration::from_secs(1)));
    let batch = stream.poll().await.unwrap();
    let ack = batch.ack.unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(stream.hold_every().unwrap()).await;
        stream.hold(&ack).await.unwrap();
        assert_eq!(moto.counts(&queue).await, (0, 1), "after {:?}", began.elapsed());
    }
    stream.ack(ack).await.unwrap();
    assert_eq!(moto.counts(&queue).await, (0, 0));
}

#[tokio::test]
async fn a_long_poll_wakes_for_a_message_and_can_be_dropped_at_once_without_loss() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("long-poll", 1).await;
    let mut stream = waiting(&queue).await;
    let began = Instant::now();
    let stopped = tokio::time::timeout(Duration::from_millis(200), stream.poll()).await;
    assert!(stopped.is_err() && began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    stream.stop().await;
    let mut stream = waiting(&queue).await;
    let (batch, ()) = tokio::join!(stream.poll(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        moto.send(&queue, "one").await;
    });
    // The dropped request may still have taken it at the server; then it comes back after the visibility timeout.
    let batch = batch.unwrap();
    assert_eq!(texts(&batch), ["one"]);
    assert!(began.elapsed() < Duration::from_secs(15), "woken, not waited out: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_full_queue_is_read_in_large_batches() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("large", 30).await;
    for n in 0..25 {
        moto.send(&queue, &format!("message {n}")).await;
    }
    let mut stream = started(&queue).await;
    let batch = stream.poll().await.unwrap();
    assert_eq!(batch.events.len(), 25);
    assert!(batch.more);
    stream.ack(batch.ack.unwrap()).await.unwrap();
    assert_eq!(moto.counts(&queue).await, (0, 0), "all three requests of ten were sent");
}

#[tokio::test]
async fn the_page_size_bounds_a_batch_and_a_tight_budget_still_admits_it() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("bounded", 30).await;
    for n in 0..15 {
        moto.send(&queue, &format!("{n}{}", "x".repeat(3000))).await;
    }
    let mut ems = ems(&[("sqs", at(&queue))]);
    ems.catcher.ems_event_page_size = 10;
    ems.budget = ByteBudget::new(1024);
    let mut stream = Amazon.stream(&ems).unwrap();
    stream.start(None).await.unwrap();
    let first = stream.poll().await.unwrap();
    assert_eq!(first.events.len(), 10);
    assert!(tokio::time::timeout(Duration::from_millis(500), stream.poll()).await.is_err(), "no room yet");
    assert_eq!(ems.budget.used(), ems.budget.total());
    drop(first);
    assert_eq!(ems.budget.used(), 0, "the dropped poll holds no room");
}

#[tokio::test]
async fn events_arrive_through_a_topic_and_from_the_bus() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("both-ways", 30).await;
    let topic = moto.topic("both-ways", "both-ways").await;
    moto.rule("catchall.test", "both-ways").await;
    let state = json!({"instance-id": "i-1", "state": "stopped"});
    let native = json!({"id": "a", "detail-type": "EC2 Instance State-change Notification",
        "time": "2026-11-24T10:00:01Z", "detail": state});
    moto.publish(&topic, &native).await;
    moto.publish(&topic, &json!({"AlarmName": "hosts", "StateChangeTime": "2026-11-24T10:00:07.916+0000"}))
        .await;
    let call = json!({"eventType": "AwsApiCall", "eventName": "StopInstances", "requestParameters": {}});
    moto.put_event("catchall.test", "AWS API Call via CloudTrail", &call).await;
    moto.put_event("catchall.test", "something else", &json!({})).await;
    let mut stream = started(&queue).await;
    let mut events = Vec::new();
    while events.len() < 4 {
        let batch = tokio::time::timeout(Duration::from_secs(20), stream.poll()).await.unwrap().unwrap();
        events.extend(batch.events);
    }
    let mut found = event_types(&events);
    found.sort();
    assert_eq!(
        found,
        [
            "AWS_ALARM_hosts",
            "AWS_API_CALL_StopInstances",
            "EC2_Instance_State_change_Notification_stopped",
            "unrecognized"
        ]
    );
}

#[tokio::test]
async fn a_queue_is_found_by_its_name() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("by-name", 30).await;
    moto.send(&queue, "one").await;
    let named = Endpoint { options: options(&[("queue_name", json!("by-name"))]), ..Endpoint::default() };
    let mut stream = Amazon.stream(&ems(&[("default", at(&moto.url)), ("sqs", named)])).unwrap();
    stream.start(None).await.unwrap();
    assert_eq!(texts(&stream.poll().await.unwrap()), ["one"]);
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_refused_and_not_created() {
    let Some(moto) = Moto::get() else { return };
    let error = refused(&ems(&[("sqs", at(&format!("{}/{ACCOUNT}/missing", moto.url)))])).await;
    assert!(matches!(error, StreamError::Refused(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("/missing (region us-east-1)") && text.contains("create it"), "{text}");
    assert!(!moto.has_queue("missing").await);
}

#[tokio::test]
async fn a_queue_of_manageiq_is_refused_before_anybody_is_asked_and_read_when_taken_over() {
    let Some(moto) = Moto::get() else { return };
    let name = "manageiq-awsconfig-queue-5a2a5c5e-6e2a-4b8c-9d0b-0d8f7f5f9a11";
    let queue = moto.queue(name, 30).await;
    moto.send(&queue, "one").await;
    assert!(matches!(refused(&ems(&[("sqs", at(&queue))])).await, StreamError::Refused(_)));
    assert_eq!(moto.counts(&queue).await, (1, 0), "untouched");
    let taken = Endpoint { options: options(&[("takeover", json!(true))]), ..at(&queue) };
    let mut stream = Amazon.stream(&ems(&[("sqs", taken)])).unwrap();
    stream.start(None).await.unwrap();
    assert_eq!(texts(&stream.poll().await.unwrap()), ["one"]);
}

#[tokio::test]
async fn an_acknowledgement_that_the_queue_or_the_connection_does_not_know_is_no_error() {
    let Some(moto) = Moto::get() else { return };
    let queue = moto.queue("unknown-receipts", 30).await;
    moto.send(&queue, "one").await;
    let mut stream = started(&queue).await;
    let ack = stream.poll().await.unwrap().ack.unwrap();
    moto.purge(&queue).await;
    moto.send(&queue, "two").await;
    stream.hold(&ack).await.unwrap();
    stream.ack(ack).await.unwrap();
    stream.ack(Box::new("of another connection")).await.unwrap();
    assert_eq!(moto.counts(&queue).await, (1, 0));
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/{ACCOUNT}/q");
    let error = refused(&ems(&[("sqs", at(&url))])).await;
    assert!(matches!(&error, StreamError::Unreachable(text) if text.contains(&url)), "{error:?}");
}

/// A server that answers each request with one error of AWS.
async fn refusing(status: u16, header: &'static str, body: Value) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/{ACCOUNT}/q", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let body = body.to_string();
            tokio::spawn(async move {
                let mut request = [0; 16384];
                let _ = socket.read(&mut request).await;
                let head =
                    format!("HTTP/1.1 {status} X\r\n{header}content-type: application/x-amz-json-1.0\r\n");
                let rest = format!("connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = socket.write_all((head + &rest).as_bytes()).await;
            });
        }
    });
    url
}

fn aws_error(code: &str, message: &str) -> Value {
    json!({"__type": format!("com.amazon.coral.service#{code}"), "message": message})
}

#[tokio::test]
async fn what_aws_refuses_decides_what_the_catcher_does_and_no_secret_is_repeated() {
    let answers = [
        (
            403,
            "",
            aws_error("AccessDenied", "User u is not authorized"),
            "Unauthorized",
            "sqs:ReceiveMessage",
        ),
        (403, "", aws_error("InvalidClientTokenId", "The token is invalid"), "Unauthorized", "access key"),
        (
            403,
            "",
            aws_error("SignatureDoesNotMatch", "x-amz-security-token:hidden-secret"),
            "Unauthorized",
            "clock",
        ),
        (400, "retry-after: 7\r\n", aws_error("ThrottlingException", "Rate exceeded"), "Throttled", "7s"),
        (500, "", aws_error("InternalFailure", "oops"), "Unreachable", "InternalFailure"),
        (502, "", json!("no JSON of AWS"), "Unreachable", "502"),
    ];
    for (status, header, body, variant, says) in answers {
        let url = refusing(status, header, body.clone()).await;
        let error = refused(&ems(&[("sqs", at(&url))])).await;
        let (debug, text) = (format!("{error:?}"), error.to_string());
        assert!(debug.starts_with(variant), "{body}: {debug}");
        assert!(text.contains(says) && text.contains(&url), "{body}: {text}");
        assert!(!debug.contains("hidden-secret"), "{debug}");
    }
}

#[tokio::test]
async fn a_certificate_authority_that_is_none_is_refused() {
    for pem in ["ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let queue = at("https://sqs.eu-west-1.amazonaws.com/1/q");
        let error =
            refused(&ems(&[("sqs", Endpoint { certificate_authority: Some(pem.to_owned()), ..queue })]))
                .await;
        let text = error.to_string();
        assert!(matches!(error, StreamError::Refused(_)) && text.contains("paste its PEM text"), "{text}");
    }
}
