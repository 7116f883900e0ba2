//! What is lost at the broker is a gap; what is not, is none. Each broker here is one that its test may break.

use super::rabbitmq::Broker;
use super::support::*;
use catchall::provider::{Gap, StreamError};

/// A stream that has read notification 1, on a broker of the caller's own.
async fn reading(
    name: &str,
    broker: &Broker,
    durable: bool,
) -> (catchall::provider::Ems, Cloud, Box<dyn catchall::provider::Stream>, Seen) {
    let (cloud, ems) = (Cloud::at(broker, "/").await, ems(name, broker));
    cloud.exchange(&exchange(name), durable).await;
    let mut stream = started(&ems, None).await;
    let first = begun(&mut *stream).await;
    assert!(first.gaps.is_empty(), "{:?}", first.gaps);
    cloud.notify(&exchange(name), 1).await;
    let seen = read(&mut *stream, 1).await;
    (ems, cloud, stream, seen)
}

/// Everything that a restart of the broker does, in one test, as each restart takes its time.
#[tokio::test]
async fn a_restart_of_the_broker_loses_bindings_but_no_message_and_is_a_gap() {
    let Some(broker) = Broker::start() else { return };
    let (ems_one, cloud, mut stream, seen) = reading("restarted", &broker, false).await;
    let (ems_two, _, mut durable, seen_durable) = reading("durable", &broker, true).await;
    // One that is read and not acknowledged, one that waits.
    cloud.notify("t-restarted", 2).await;
    while stream.poll().await.unwrap().events.is_empty() {}
    cloud.notify("t-restarted", 3).await;
    cloud.has_sent().await;
    broker.stop();
    let broken = failure(&mut *stream).await;
    assert!(matches!(broken, StreamError::Unreachable(_)), "{broken:?}");
    assert!(matches!(failure(&mut *durable).await, StreamError::Unreachable(_)));
    assert!(matches!(refused(&ems_one).await, StreamError::Unreachable(_)), "nobody is there");
    broker.start_again();
    let cloud = Cloud::at(&broker, "/").await;
    // A durable exchange is there with its bindings, so that nothing is lost, which AMQP does not tell.
    cloud.notify("t-durable", 2).await;
    let mut durable = started(&ems_two, seen_durable.cursor).await;
    let after = read(&mut *durable, 1).await;
    assert_eq!((after.texts.as_slice(), after.reasons().as_slice()), (&[body(2)][..], &["history_lost"][..]));
    // One that is not durable comes back with the first that sends to it, which nobody hears.
    let mut stream = started(&ems_one, seen.cursor).await;
    let after = read(&mut *stream, 2).await;
    assert_eq!(after.texts, [body(2), body(3)], "the queue and its messages live on");
    let to = after.gaps[0].to;
    assert_eq!(after.gaps, [Gap { from: Some(second(1)), to, reason: "history_lost".to_owned() }]);
    assert!(to.is_none() || to == Some(second(2)), "{to:?}");
    cloud.exchange("t-restarted", false).await;
    cloud.notify("t-restarted", 4).await;
    let healed = until(&mut *stream, |seen| !seen.gaps.is_empty()).await;
    let expected = Gap { from: Some(second(3)), to: None, reason: "history_lost".to_owned() };
    assert_eq!((healed.texts.len(), healed.gaps.as_slice()), (0, &[expected][..]));
    cloud.notify("t-restarted", 5).await;
    let last = read(&mut *stream, 1).await;
    assert_eq!((last.texts.as_slice(), last.gaps.len()), (&[body(5)][..], 0));
    // And a start that finds everything as it was is no gap.
    drop(stream);
    let mut stream = started(&ems_one, last.cursor).await;
    cloud.notify("t-restarted", 6).await;
    let seen = read(&mut *stream, 1).await;
    assert_eq!((seen.texts.as_slice(), seen.gaps.len()), (&[body(6)][..], 0));
}

#[tokio::test]
async fn a_gap_that_was_not_committed_is_told_again() {
    let Some(broker) = Broker::shared() else { return };
    let (ems, cloud, stream, seen) = reading("told-again", broker, false).await;
    drop(stream);
    cloud.delete_queue("catchall.told-again").await;
    for _ in 0..2 {
        let mut stream = started(&ems, seen.cursor.clone()).await;
        let first = stream.poll().await.unwrap();
        assert_eq!(first.gap.unwrap().reason, "source_changed");
        // Killed before the commit: the queue is there now.
    }
}

#[tokio::test]
async fn a_queue_that_is_deleted_while_it_is_read_is_made_anew_and_is_a_gap() {
    let Some(broker) = Broker::shared() else { return };
    let (ems, cloud, mut stream, seen) = reading("deleted", broker, false).await;
    cloud.delete_queue("catchall.deleted").await;
    let error = failure(&mut *stream).await;
    assert!(matches!(&error, StreamError::Unreachable(text) if text.contains("deleted")), "{error:?}");
    drop(stream);
    let mut stream = started(&ems, seen.cursor).await;
    cloud.notify("t-deleted", 2).await;
    let after = until(&mut *stream, |seen| !seen.texts.is_empty() && !seen.gaps.is_empty()).await;
    assert_eq!(
        (after.texts.as_slice(), after.reasons().as_slice()),
        (&[body(2)][..], &["source_changed"][..])
    );
    assert_eq!(after.gaps[0].from, Some(second(1)));
}

#[tokio::test]
async fn a_connection_that_is_cut_loses_nothing_and_is_no_gap() {
    let Some(broker) = Broker::start() else { return };
    let (ems, cloud, mut stream, seen) = reading("cut", &broker, false).await;
    cloud.notify("t-cut", 2).await;
    while stream.poll().await.unwrap().events.is_empty() {}
    broker.ctl("close_all_connections 'by a test'");
    assert!(matches!(failure(&mut *stream).await, StreamError::Unreachable(_)));
    let cloud = Cloud::at(&broker, "/").await;
    cloud.notify("t-cut", 3).await;
    let mut stream = started(&ems, seen.cursor).await;
    let after = read(&mut *stream, 2).await;
    assert_eq!((after.texts.as_slice(), after.gaps.len()), (&[body(2), body(3)][..], 0));
}

#[tokio::test]
async fn a_broker_that_is_silent_is_given_up() {
    let Some(broker) = Broker::start() else { return };
    let (_, _, mut stream, _) = reading("silent", &broker, false).await;
    broker.freeze();
    let error = tokio::time::timeout(std::time::Duration::from_secs(45), failure(&mut *stream)).await;
    broker.thaw();
    assert!(matches!(error, Ok(StreamError::Unreachable(_))), "{error:?}");
}

#[tokio::test]
async fn while_nobody_reads_the_queue_keeps_the_newest_and_what_it_dropped_is_a_gap() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, mut ems) = (Cloud::at(broker, "/").await, ems("overflow", broker));
    endpoint(&mut ems).options.insert("queue_length".to_owned(), 100.into());
    cloud.exchange("t-overflow", false).await;
    let mut stream = started(&ems, None).await;
    let cursor = begun(&mut *stream).await.cursor;
    drop(stream);
    for number in 1..=150 {
        cloud.notify("t-overflow", number).await;
    }
    cloud.has_sent().await;
    assert_eq!(cloud.waiting("catchall.overflow").await, Some(100));
    let mut stream = started(&ems, cursor).await;
    let seen = read(&mut *stream, 100).await;
    assert_eq!(seen.texts, (51..=150).map(body).collect::<Vec<_>>());
    assert_eq!(seen.reasons(), ["history_lost"]);
    drop(stream);
    let mut stream = started(&ems, seen.cursor).await;
    cloud.notify("t-overflow", 151).await;
    assert!(read(&mut *stream, 1).await.gaps.is_empty(), "told once");
}

#[tokio::test]
async fn another_broker_takes_over_and_what_the_first_one_had_is_a_gap() {
    let (Some(first), Some(second_broker)) = (Broker::start(), Broker::shared()) else { return };
    let name = "taken-over";
    let (mut ems, _, mut stream, seen) = reading(name, &first, false).await;
    let other = endpoint(&mut ems).clone();
    let other =
        catchall::provider::Endpoint { port: Some(second_broker.port), options: Default::default(), ..other };
    ems.endpoints.insert("amqp_fallback1".to_owned(), other);
    let cloud = Cloud::at(second_broker, "/").await;
    cloud.exchange("t-taken-over", false).await;
    first.stop();
    failure(&mut *stream).await;
    let mut stream = started(&ems, seen.cursor).await;
    cloud.notify("t-taken-over", 2).await;
    let after = until(&mut *stream, |seen| !seen.texts.is_empty() && !seen.gaps.is_empty()).await;
    assert_eq!(
        (after.texts.as_slice(), after.reasons().as_slice()),
        (&[body(2)][..], &["source_changed"][..])
    );
}
