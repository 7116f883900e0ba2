//! What is sent is read, in batches, and leaves the queue when it is acknowledged.

use super::rabbitmq::Broker;
use super::support::*;
use catchall::provider::{ByteBudget, Provider};
use catchall::providers::openstack::Openstack;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

#[tokio::test]
async fn messages_leave_the_queue_only_when_acknowledged() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, ems) = (Cloud::at(broker, "/").await, ems("acknowledged", broker));
    cloud.exchange("t-acknowledged", false).await;
    let mut stream = started(&ems, None).await;
    let first = begun(&mut *stream).await;
    assert!(first.gaps.is_empty(), "{:?}", first.gaps);
    for number in 1..=3 {
        cloud.notify("t-acknowledged", number).await;
    }
    let mut seen = Seen::default();
    while seen.texts.len() < 3 {
        let mut batch = stream.poll().await.unwrap();
        assert!(batch.permit.is_some() && batch.cursor.is_some() && batch.more);
        seen.take(&mut batch); // and forgets its acknowledgement
    }
    assert_eq!(seen.texts, [body(1), body(2), body(3)]);
    drop(stream);
    let mut stream = started(&ems, seen.cursor).await;
    let again = read(&mut *stream, 3).await;
    assert_eq!(again.texts, seen.texts, "the same again");
    assert!(again.gaps.is_empty());
    drop(stream);
    let mut stream = started(&ems, again.cursor).await;
    cloud.notify("t-acknowledged", 4).await;
    assert_eq!(read(&mut *stream, 1).await.texts, [body(4)], "what was acknowledged is gone");
}

#[tokio::test]
async fn a_dropped_poll_loses_nothing() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, mut ems) = (Cloud::at(broker, "/").await, ems("dropped", broker));
    ems.budget = ByteBudget::new(1024);
    cloud.exchange("t-dropped", false).await;
    let mut stream = started(&ems, None).await;
    begun(&mut *stream).await;
    let mut seen = Seen::default();
    for number in 1..=200 {
        cloud.notify("t-dropped", number).await;
        // Now and then there is no room in the process, and polls end in the middle of what they do.
        let held = if number % 2 == 0 { Some(ems.budget.admit(1024).await) } else { None };
        if let Ok(batch) =
            tokio::time::timeout(Duration::from_micros(u64::from(number) * 20), stream.poll()).await
        {
            seen.take(&mut batch.unwrap());
        }
        drop(held);
    }
    while seen.texts.len() < 200 {
        seen.take(&mut stream.poll().await.unwrap());
    }
    assert_eq!(seen.texts, (1..=200).map(body).collect::<Vec<_>>(), "all of them, once, in their order");
}

#[tokio::test]
async fn a_full_queue_is_read_in_batches_that_page_size_and_bytes_bound() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, mut ems) = (Cloud::at(broker, "/").await, ems("batches", broker));
    ems.catcher.ems_event_page_size = 20;
    cloud.exchange("t-batches", false).await;
    let mut stream = started(&ems, None).await;
    let cursor = begun(&mut *stream).await.cursor;
    drop(stream);
    for number in 1..=45 {
        cloud.notify("t-batches", number).await;
    }
    let large = "x".repeat(3 << 20);
    for _ in 0..2 {
        cloud.publish("t-batches", "notifications.info", &large).await;
    }
    cloud.has_sent().await;
    let mut stream = started(&ems, cursor).await;
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < 47 {
        let batch = stream.poll().await.unwrap();
        sizes.push(batch.events.len());
        stream.ack(batch.ack.unwrap()).await.unwrap();
    }
    assert!(sizes.iter().all(|size| *size <= 20) && sizes.len() < 12, "{sizes:?}");
    assert_eq!(sizes.last(), Some(&1), "a second one of 3 MiB finds no room in the batch: {sizes:?}");
}

#[tokio::test]
async fn what_is_no_utf_8_is_told_and_acknowledged_like_everything() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, ems) = (Cloud::at(broker, "/").await, ems("no-utf8", broker));
    cloud.exchange("t-no-utf8", false).await;
    let mut stream = started(&ems, None).await;
    begun(&mut *stream).await;
    cloud.publish("t-no-utf8", "notifications.error", b"{\"a\": \"\xff\"}").await;
    let batch = loop {
        let batch = stream.poll().await.unwrap();
        if !batch.events.is_empty() {
            break batch;
        }
    };
    assert_eq!(batch.events[0].text, "{\"a\": \"\u{fffd}\"}");
    assert!(batch.events[0].defect.is_some());
    stream.ack(batch.ack.unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_acknowledgement_of_a_connection_that_is_gone_or_of_nobody_is_no_error() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, ems) = (Cloud::at(broker, "/").await, ems("old-tags", broker));
    cloud.exchange("t-old-tags", false).await;
    let mut stream = started(&ems, None).await;
    let cursor = begun(&mut *stream).await.cursor;
    cloud.notify("t-old-tags", 1).await;
    let old = loop {
        if let Some(ack) = stream.poll().await.unwrap().ack {
            break ack;
        }
    };
    drop(stream);
    let mut stream = started(&ems, cursor).await;
    cloud.notify("t-old-tags", 2).await;
    stream.ack(old).await.unwrap();
    stream.ack(Box::new("of nobody")).await.unwrap();
    assert_eq!(read(&mut *stream, 2).await.texts, [body(1), body(2)]);
}

/// The recording of a cloud that sends both forms; its lines are in the order of coming.
fn of_nova() -> Vec<Value> {
    let recording = include_str!("../data/openstack/notifications.jsonl").lines();
    let lines = recording.map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["exchange"] == "nova").collect()
}

#[tokio::test]
async fn each_twin_finds_the_other_even_when_the_stream_is_made_anew_between_them() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, mut ems) = (Cloud::at(broker, "/").await, ems("twins", broker));
    ems.catcher.ems_event_page_size = 10;
    cloud.exchange("t-twins", false).await;
    let mut stream = started(&ems, None).await;
    let mut cursor = begun(&mut *stream).await.cursor;
    let lines = of_nova();
    let (mut texts, mut uids) = (Vec::new(), Vec::new());
    for (index, line) in lines.iter().enumerate() {
        let key = line["routing_key"].as_str().unwrap();
        cloud.publish("t-twins", key, enveloped(&line["message"])).await;
        let seen = until(&mut *stream, |seen| seen.texts.len() + seen.known.len() == 1).await;
        let own = line["message"]["message_id"].as_str().unwrap();
        uids.push(seen.known.first().map_or(own, String::as_str).to_owned());
        texts.extend(seen.texts);
        cursor = seen.cursor.or(cursor);
        if index % 10 == 0 {
            stream = {
                drop(stream);
                started(&ems, cursor.clone()).await
            };
        }
    }
    assert_eq!(texts.len(), uids.iter().collect::<BTreeSet<_>>().len(), "the later twin is no event");
    let versioned = |line: &&Value| line["routing_key"].as_str().unwrap().starts_with("versioned");
    let mut events: Vec<(String, String)> = Vec::new();
    for (line, uid) in lines.iter().zip(&uids) {
        let event_type = line["message"]["event_type"].as_str().unwrap().to_owned();
        events.push((uid.clone(), event_type));
    }
    // Nobody is a twin of more than one, and each twin is of the other form.
    let mut by_uid = std::collections::BTreeMap::<&str, Vec<bool>>::new();
    for (line, uid) in lines.iter().zip(&uids) {
        by_uid.entry(uid).or_default().push(versioned(&line));
    }
    for (uid, forms) in &by_uid {
        assert!(forms.len() == 1 || (forms.len() == 2 && forms[0] != forms[1]), "{uid}: {forms:?}");
    }
    // The recording has these without the other form.
    let alone: Vec<_> =
        events.iter().filter(|(uid, _)| by_uid[uid.as_str()].len() == 1).map(|(_, kind)| kind).collect();
    let known = [
        "service.create",
        "flavor.create",
        "instance.lock",
        "instance.unlock",
        "instance.volume_attach.start",
        "instance.volume_detach.start",
        "instance.interface_attach.start",
        "instance.interface_attach.end",
        "instance.interface_detach.start",
        "instance.interface_detach.end",
        "service.update",
    ];
    assert!(alone.iter().all(|kind| known.contains(&kind.as_str())), "{alone:?}");
    assert!(
        by_uid.len() * 2 > lines.len() && by_uid.len() < lines.len() * 2 / 3,
        "{} of {}",
        by_uid.len(),
        lines.len()
    );
}

#[tokio::test]
async fn a_new_ems_without_any_exchange_starts_and_hears_the_first_that_appears() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, ems) = (Cloud::at(broker, "/").await, ems("late", broker));
    let mut stream = started(&ems, None).await;
    assert!(begun(&mut *stream).await.gaps.is_empty());
    cloud.exchange("t-late", false).await;
    let seen = until(&mut *stream, |seen| !seen.gaps.is_empty()).await;
    assert_eq!(seen.reasons(), ["history_lost"], "somebody made it to send to it");
    cloud.notify("t-late", 1).await;
    assert_eq!(read(&mut *stream, 1).await.texts, [body(1)]);
}

#[tokio::test]
async fn a_look_leaves_no_queue_behind_and_disturbs_nobody() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, ems) = (Cloud::at(broker, "/").await, ems("looked-at", broker));
    cloud.exchange("t-looked-at", false).await;
    let mut look = started(&ems, None).await;
    assert_eq!(cloud.waiting("catchall.looked-at").await, Some(0));
    look.stop().await;
    assert_eq!(cloud.waiting("catchall.looked-at").await, None, "it was not there before");
    let mut reading = started(&ems, None).await;
    begun(&mut *reading).await;
    started(&ems, None).await.stop().await;
    cloud.notify("t-looked-at", 1).await;
    assert_eq!(read(&mut *reading, 1).await.texts, [body(1)]);
    reading.stop().await;
    assert_eq!(cloud.waiting("catchall.looked-at").await, Some(0), "a queue that was read stays");
}

#[tokio::test]
async fn a_first_poll_that_is_dropped_keeps_no_message_from_anybody() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, ems) = (Cloud::at(broker, "/").await, ems("interrupted", broker));
    cloud.exchange("t-interrupted", false).await;
    let mut stream = Openstack.stream(&ems).unwrap();
    assert!(stream.poll().await.is_err(), "not started yet");
    stream.start(None).await.unwrap();
    for milliseconds in [0, 1, 3, 10] {
        let dropped = tokio::time::timeout(Duration::from_millis(milliseconds), stream.poll()).await;
        if dropped.is_ok_and(|polled| polled.is_err()) {
            stream = started(&ems, None).await; // as the catcher does after an error
        }
    }
    cloud.notify("t-interrupted", 1).await;
    let mut texts = Vec::new();
    while texts.is_empty() {
        match tokio::time::timeout(Duration::from_secs(20), stream.poll()).await.unwrap() {
            Ok(batch) => texts.extend(batch.events.into_iter().map(|event| event.text)),
            Err(_) => stream = started(&ems, None).await,
        }
    }
    assert_eq!(texts, [body(1)]);
}
