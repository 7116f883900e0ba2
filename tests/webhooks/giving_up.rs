//! What is not delivered: dead letters, addresses that are refused, and what nobody may read there.

use crate::house::{House, SECRET, to};
use crate::on_both;
use crate::receiver::{Answer, Receiver};
use crate::support::{Fresh, event};
use catchall::settings::WebhookSettings;
use catchall::vmdb::{queue, webhook_work};
use std::time::Duration;

on_both! {
    after_its_last_attempt_it_is_kept_and_can_be_retried
    queue_retry_gives_it_all_its_attempts_again
    what_the_receiver_will_never_have_is_dead_at_once
    redirects_are_not_followed
    a_receiver_that_does_not_answer_in_time_is_tried_again
    private_addresses_are_refused_by_number_and_by_name
    metadata_addresses_are_refused_even_where_private_ones_are_allowed
    a_webhook_or_event_that_is_gone_is_dead_and_says_so
    args_that_cannot_be_read_are_dead_and_in_nobodys_way
    the_secret_and_the_path_are_in_no_row_and_no_log
}

async fn after_its_last_attempt_it_is_kept_and_can_be_retried(fresh: Fresh) {
    let receiver = Receiver::start([500, 500].map(Answer::Status));
    let house =
        House::new(fresh, vec![("hook", WebhookSettings { max_attempts: 2, ..to(receiver.url()) })]).await;
    let _sender = house.start(1);
    let id = house.put_one().await;
    let dead = house.until(id, "dead").await;
    assert_eq!(dead.attempts, 2);
    let reason = "answered 500 Internal Server Error: no news; that was attempt 2 of 2";
    assert_eq!(dead.reason, reason);
    assert_eq!(house.queue().await, ["error"]);
    assert!(house.fresh.write(move |c| webhook_work::retry(c, id)).await);
    house.ring();
    house.until(id, "done").await;
    let posts = receiver.got();
    assert_eq!(posts.len(), 3);
    assert_eq!(posts[0].id(), posts[2].id());
    assert!(!house.fresh.write(move |c| webhook_work::retry(c, id)).await, "there is nothing to retry");
}

async fn queue_retry_gives_it_all_its_attempts_again(fresh: Fresh) {
    let receiver = Receiver::start([500, 500, 500].map(Answer::Status));
    let house =
        House::new(fresh, vec![("hook", WebhookSettings { max_attempts: 2, ..to(receiver.url()) })]).await;
    let _sender = house.start(1);
    let id = house.put_one().await;
    house.until(id, "dead").await;
    let steered = house.fresh.write(move |c| queue::retry(c, id)).await;
    assert!(matches!(steered, queue::Steered::Done(_)), "{steered:?}");
    house.ring();
    let done = house.until(id, "done").await;
    assert_eq!((done.attempts, receiver.got().len()), (2, 4));
}

async fn what_the_receiver_will_never_have_is_dead_at_once(fresh: Fresh) {
    let receiver = Receiver::start([410, 400].map(Answer::Status));
    let house = House::sending_to(fresh, &receiver).await;
    let event_id = house.commit(event("uid-1", "VmStop")).await;
    for said in ["answered 410 Gone", "answered 400 Bad Request"] {
        let id = house.put("hook", event_id).await;
        let dead = house.until(id, "dead").await;
        assert_eq!(dead.attempts, 1);
        assert!(dead.reason.starts_with(said), "{dead:?}");
    }
    assert_eq!(receiver.got().len(), 2);
}

async fn redirects_are_not_followed(fresh: Fresh) {
    let elsewhere = Receiver::start([]);
    let redirects = [308, 307].map(|status| Answer::With(status, "Location", elsewhere.url()));
    let receiver = Receiver::start(redirects);
    let house = House::sending_to(fresh, &receiver).await;
    let event_id = house.commit(event("uid-1", "VmStop")).await;
    let moved = house.put("hook", event_id).await;
    let dead = house.until(moved, "dead").await;
    assert!(dead.reason.contains("redirects are not followed"), "{dead:?}");
    let for_now = house.put("hook", event_id).await;
    assert_eq!(house.until(for_now, "done").await.attempts, 2);
    assert_eq!((receiver.got().len(), elsewhere.got().len()), (3, 0));
}

async fn a_receiver_that_does_not_answer_in_time_is_tried_again(fresh: Fresh) {
    let receiver = Receiver::start([Answer::After(Duration::from_secs(600))]);
    let hasty = WebhookSettings { timeout: Duration::from_millis(300), ..to(receiver.url()) };
    let house = House::new(fresh, vec![("hook", hasty)]).await;
    let _sender = house.start(1);
    let id = house.put_one().await;
    let mut action = house.action(id).await;
    while action.attempts == 0 {
        action = house.action(id).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(action.state == "done" || action.reason == "no answer within 300ms", "{action:?}");
    assert_eq!(house.until(id, "done").await.attempts, 2);
}

async fn private_addresses_are_refused_by_number_and_by_name(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let outside = |host: &str| WebhookSettings {
        allow_private_addresses: false,
        ..to(format!("http://{host}:{}/", receiver.port))
    };
    let webhooks = vec![("by_number", outside("127.0.0.1")), ("by_name", outside("localhost"))];
    let house = House::new(fresh, webhooks).await;
    let _sender = house.start(1);
    let event_id = house.commit(event("uid-1", "VmStop")).await;
    for webhook in ["by_number", "by_name"] {
        let id = house.put(webhook, event_id).await;
        let dead = house.until(id, "dead").await;
        assert_eq!(dead.attempts, 1);
        let told = dead.reason.contains("127.0.0.1") || dead.reason.contains("::1");
        assert!(told && dead.reason.contains("allow_private_addresses"), "{dead:?}");
    }
    assert_eq!(receiver.got().len(), 0);
    house.set(vec![("by_name", WebhookSettings { allow_private_addresses: true, ..outside("localhost") })]);
    let id = house.put("by_name", event_id).await;
    house.until(id, "done").await;
}

async fn metadata_addresses_are_refused_even_where_private_ones_are_allowed(fresh: Fresh) {
    let house = House::new(fresh, vec![("hook", to("http://169.254.169.254/latest/meta-data/"))]).await;
    let _sender = house.start(1);
    let id = house.put_one().await;
    let dead = house.until(id, "dead").await;
    assert!(dead.reason.contains("169.254.169.254") && dead.reason.contains("allow_link_local"), "{dead:?}");
}

async fn a_webhook_or_event_that_is_gone_is_dead_and_says_so(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let house = House::new(fresh, vec![]).await;
    let _sender = house.start(1);
    let id = house.put_one().await;
    let dead = house.until(id, "dead").await;
    assert_eq!(dead.reason, "the settings have no webhook hook; add it, and retry");
    house.set(vec![("hook", to(receiver.url()))]);
    house.fresh.write(move |c| webhook_work::retry(c, id)).await;
    house.ring();
    house.until(id, "done").await;
    let id = house.put("hook", 4_711).await;
    let dead = house.until(id, "dead").await;
    assert_eq!(dead.reason, "its event is no longer in event_streams");
    assert_eq!(receiver.got().len(), 1);
}

async fn args_that_cannot_be_read_are_dead_and_in_nobodys_way(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let house = House::new(fresh, vec![("hook", to(receiver.url()))]).await;
    let event_id = house.commit(event("uid-1", "VmStop")).await;
    let broken = house.put("hook", event_id).await;
    let spoil = "UPDATE miq_queue SET args = '[1' WHERE id = ?";
    house.fresh.write(move |c| c.execute(spoil, &[broken.into()])).await;
    let sound = house.put("hook", event_id).await;
    let _sender = house.start(1);
    house.until(sound, "done").await;
    let dead = house.until(broken, "dead").await;
    assert!(dead.reason.starts_with("its args cannot be read"), "{dead:?}");
    assert_eq!(house.queue().await, ["error"]);
    assert!(!house.fresh.write(move |c| webhook_work::retry(c, broken)).await, "it would only die again");
}

async fn the_secret_and_the_path_are_in_no_row_and_no_log(fresh: Fresh) {
    let receiver = Receiver::start([Answer::Status(500), Answer::Status(404)]);
    let house = House::sending_to(fresh, &receiver).await;
    let id = house.put_one().await;
    let refused = house.until(id, "dead").await;
    let closed = WebhookSettings { max_attempts: 1, ..to("http://user:p4ss@127.0.0.1:1/p4th?key=k3y") };
    let debug = format!("{:?}", closed.secret);
    house.set(vec![("hook", closed)]);
    house.fresh.write(move |c| webhook_work::retry(c, id)).await;
    house.ring();
    let mut unreachable = house.until(id, "dead").await;
    while unreachable == refused {
        tokio::time::sleep(Duration::from_millis(5)).await;
        unreachable = house.until(id, "dead").await;
    }
    let read = "SELECT args FROM miq_queue UNION ALL SELECT COALESCE(reason, '') || COALESCE(params, '') FROM event_actions";
    let rows = house.fresh.vmdb.read(move |c| c.rows(read, &[])).await.unwrap();
    let written = format!("{rows:?} {refused:?} {unreachable:?} {debug}");
    for hidden in [SECRET, "p4th", "p4ss", "k3y"] {
        assert!(!written.contains(hidden), "{hidden}: {written}");
    }
}
