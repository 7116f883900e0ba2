//! What arrives, how often, and with which id.

use crate::house::{FIRST_WAIT, House, SECRET, to};
use crate::on_both;
use crate::receiver::{Answer, Received, Receiver};
use crate::support::{Fresh, event};
use catchall::vmdb::miq_queue;
use catchall::vmdb::webhook_claim::{self, ClaimLimits};
use catchall::vmdb::webhook_work::{self, Attempt, WebhookFormat};
use catchall::webhooks::signature::sign;
use serde_json::json;
use std::time::Duration;

on_both! {
    a_post_is_signed_and_tells_the_event_and_what_is_known_about_it
    without_a_secret_nothing_is_signed
    a_policy_event_tells_its_ems_and_what_it_is_about
    what_a_stopped_sender_still_writes_changes_nothing
    a_cloud_event_has_the_envelope_of_the_specification
    what_fails_is_tried_again_with_growing_waits_and_the_same_id
    a_receiver_that_asks_to_wait_is_given_the_time
    a_slow_receiver_holds_up_neither_a_fast_one_nor_the_end
    what_was_under_way_when_the_sender_stopped_is_posted_again_with_the_same_id
    what_was_under_way_at_a_kill_is_posted_again_with_the_same_id
    two_senders_share_the_rows
    a_long_backlog_of_one_webhook_costs_the_others_nothing
}

async fn a_post_is_signed_and_tells_the_event_and_what_is_known_about_it(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let house = House::sending_to(fresh, &receiver).await;
    let sql =
        "INSERT INTO vms (id, ems_id, ems_ref, name) VALUES (7, 1, 'vm-7', 'web'), (8, 1, 'vm-8', 'copy')";
    house.fresh.write(|c| c.execute(sql, &[])).await;
    let mut stopped = event("uid-1", "VmStop");
    stopped.event.vm_ems_ref = Some("vm-7".to_owned());
    stopped.event.dest_vm_ems_ref = Some("vm-8".to_owned());
    stopped.event.host_name = Some("elsewhere".to_owned());
    stopped.event.is_task = Some(true);
    let event_id = house.commit(stopped).await;
    let id = house.put("hook", event_id).await;
    let post = receiver.until(1).await.remove(0);
    let body = post.json();
    assert_eq!(body["event"]["event_type"], "VmStop");
    assert_eq!(body["event"]["timestamp"], "2026-09-21T14:13:20.123456Z");
    assert_eq!(body["event"]["is_task"], true);
    assert_eq!(body["event"]["full_data"], json!({"id": "uid-1"}));
    assert_eq!(body["event"]["id"], event_id);
    assert_eq!(body["event"].get("message"), None, "columns without a value are left out");
    let class = "ManageIQ::Providers::Nameless::CloudManager";
    assert_eq!(body["ems"], json!({"id": 1, "name": "cloud 1", "type": class}));
    assert_eq!(body["vm"], json!({"id": 7, "name": "web", "ems_ref": "vm-7"}));
    assert_eq!(body["dest_vm"], json!({"id": 8, "name": "copy", "ems_ref": "vm-8"}));
    assert_eq!(body["host"], json!({"name": "elsewhere"}));
    assert_eq!(body["rule"], "tell somebody");
    assert_eq!(body["occurred_on"], body["event"]["timestamp"]);
    assert_eq!(body["committed_on"], body["event"]["created_on"]);
    assert_eq!(post.headers["content-type"], "application/json");
    assert_eq!(post.headers["user-agent"], concat!("catchall/", env!("CARGO_PKG_VERSION")));
    assert_eq!(post.headers["webhook-signature"], signature(&post));
    let done = house.until(id, "done").await;
    assert_eq!((done.attempts, done.reason.as_str()), (1, ""));
    assert_eq!(house.queue().await, Vec::<String>::new());
}

fn signature(post: &Received) -> String {
    let timestamp = post.headers["webhook-timestamp"].parse().expect("seconds");
    sign(SECRET, post.id(), timestamp, &post.body).unwrap()
}

async fn without_a_secret_nothing_is_signed(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let house = House::sending_to(fresh, &receiver).await;
    let unsigned = catchall::settings::WebhookSettings { secret: None, ..to(receiver.url()) };
    house.set(vec![("hook", unsigned)]);
    house.put_one().await;
    let post = receiver.until(1).await.remove(0);
    assert!(!post.headers.contains_key("webhook-signature"));
    assert!(post.id().starts_with("msg_"), "{}", post.id());
}

async fn a_cloud_event_has_the_envelope_of_the_specification(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let house = House::sending_to(fresh, &receiver).await;
    let mut stopped = event("uid-1", "VmStop");
    stopped.event.vm_ems_ref = Some("vm-7".to_owned());
    let event_id = house.commit(stopped).await;
    house.put_as("hook", event_id, WebhookFormat::CloudEvents).await;
    let post = receiver.until(1).await.remove(0);
    let body = post.json();
    assert_eq!(post.headers["content-type"], "application/cloudevents+json");
    assert_eq!(body["specversion"], "1.0");
    assert_eq!(body["id"], post.id());
    assert_eq!(body["source"], "catchall/cloud%201");
    assert_eq!(body["type"], "VmStop");
    assert_eq!(body["time"], "2026-09-21T14:13:20.123456Z");
    assert_eq!(body["subject"], "vm-7");
    assert_eq!(body["datacontenttype"], "application/json");
    assert_eq!(body["data"]["event"]["event_uid"], "uid-1");
    assert_eq!(body["data"]["event"]["full_data"], json!({"id": "uid-1"}));
    assert_eq!(post.headers["webhook-signature"], signature(&post));
}

async fn what_fails_is_tried_again_with_growing_waits_and_the_same_id(fresh: Fresh) {
    let receiver = Receiver::start([500, 502, 500].map(Answer::Status));
    let house = House::sending_to(fresh, &receiver).await;
    let id = house.put_one().await;
    let posts = receiver.until(4).await;
    for (number, pair) in posts.windows(2).enumerate() {
        let least = FIRST_WAIT * 2_u32.pow(number as u32) / 2;
        let waited = pair[1].at - pair[0].at;
        assert!(waited >= least, "{number}: waited {waited:?} of {least:?}");
        assert_eq!(pair[0].id(), pair[1].id());
    }
    assert_eq!(posts[3].headers["webhook-signature"], signature(&posts[3]));
    assert_eq!(house.until(id, "done").await.attempts, 4);
    assert_eq!(receiver.got().len(), 4);
}

async fn a_receiver_that_asks_to_wait_is_given_the_time(fresh: Fresh) {
    let asks = |status| Answer::With(status, "Retry-After", "1".to_owned());
    let receiver = Receiver::start([asks(429), asks(503)]);
    let house = House::sending_to(fresh, &receiver).await;
    let id = house.put_one().await;
    receiver.until(1).await;
    // Neither may another of its posts disturb it meanwhile.
    house.until(id, "waiting").await;
    let other = house.commit(event("uid-2", "VmStart")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let other = house.put("hook", other).await;
    house.until(id, "done").await;
    house.until(other, "done").await;
    let posts = receiver.got();
    assert!(posts[1].at - posts[0].at >= Duration::from_millis(990), "{:?}", posts[1].at - posts[0].at);
    assert_eq!(posts.len(), 4);
}

async fn a_slow_receiver_holds_up_neither_a_fast_one_nor_the_end(fresh: Fresh) {
    let slow = Receiver::start(vec![Answer::After(Duration::from_secs(600)); 40]);
    let fast = Receiver::start([]);
    let webhooks = vec![("slow", to(slow.url())), ("fast", to(fast.url()))];
    let house = House::new(fresh, webhooks).await;
    let event_id = house.commit(event("uid-1", "VmStop")).await;
    for _ in 0..20 {
        house.put("slow", event_id).await;
    }
    let (_arbiter, sender) = house.start(1);
    slow.until(4).await;
    for _ in 0..20 {
        house.put("fast", event_id).await;
    }
    fast.until(20).await;
    assert_eq!(slow.got().len(), 4, "a webhook has a few posts under way, not all");
    let began = std::time::Instant::now();
    house.stop(&sender).await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

async fn what_was_under_way_when_the_sender_stopped_is_posted_again_with_the_same_id(fresh: Fresh) {
    let receiver = Receiver::start([Answer::After(Duration::from_secs(600))]);
    let house = House::new(fresh, vec![("hook", to(receiver.url()))]).await;
    let (_first, sender) = house.start(1);
    let id = house.put_one().await;
    receiver.until(1).await;
    house.stop(&sender).await;
    assert_eq!(house.queue().await, ["dequeue"]);
    let _second = house.start(1);
    let posts = receiver.until(2).await;
    assert_eq!(posts[0].id(), posts[1].id());
    house.until(id, "done").await;
}

async fn what_was_under_way_at_a_kill_is_posted_again_with_the_same_id(fresh: Fresh) {
    let receiver = Receiver::start([Answer::After(Duration::from_secs(600))]);
    let house = House::new(fresh, vec![("hook", to(receiver.url()))]).await;
    let (arbiter, _sender) = house.start(1);
    let id = house.put_one().await;
    receiver.until(1).await;
    arbiter.stop();
    arbiter.join().expect("the thread ends");
    house.fresh.write(miq_queue::release_dead).await;
    let _second = house.start(2);
    let posts = receiver.until(2).await;
    assert_eq!(posts[0].id(), posts[1].id());
    assert_eq!(house.until(id, "done").await.attempts, 1);
}

async fn two_senders_share_the_rows(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let house = House::new(fresh, vec![("hook", to(receiver.url()))]).await;
    let event_id = house.commit(event("uid-1", "VmStop")).await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(house.put("hook", event_id).await);
    }
    let _senders = [house.start(1), house.start(2)];
    for id in ids {
        house.until(id, "done").await;
    }
    let mut posts: Vec<_> = receiver.got().iter().map(|post| post.id().to_owned()).collect();
    posts.sort();
    posts.dedup();
    assert_eq!((posts.len(), receiver.got().len()), (30, 30));
}

/// Fifty thousand rows that wait for their time, and as many that are due.
const BACKLOG: &str = "
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 50000)
    INSERT INTO miq_queue (queue_name, class_name, state, tracking_label, created_on, deliver_on, args)
    SELECT 'webhooks', 'Webhook', 'ready', 'away', '2026-01-01 00:00:00', CASE w WHEN 1 THEN '9999-01-01 00:00:00' END, '{}'
    FROM numbers, (SELECT 1 AS w UNION ALL SELECT 2) AS ways";

async fn a_long_backlog_of_one_webhook_costs_the_others_nothing(fresh: Fresh) {
    let house = House::new(fresh, vec![]).await;
    let backlog = if house.fresh.vmdb.lanes() > 1 {
        BACKLOG
            .replace(" END,", " END::timestamp,")
            .replace("'2026-01-01 00:00:00'", "timestamp '2026-01-01 00:00:00'")
    } else {
        BACKLOG.to_owned()
    };
    house.fresh.write(move |c| c.execute(&backlog, &[])).await;
    let event_id = house.commit(event("uid-1", "VmStop")).await;
    let id = house.put("hook", event_id).await;
    let limits = ClaimLimits {
        handler_id: 1,
        per_webhook: 4,
        rows: 256,
        exceptions: [("away".to_owned(), 0)].into(),
        ..ClaimLimits::default()
    };
    let began = std::time::Instant::now();
    let claim = house.fresh.write(move |c| webhook_claim::claim(c, &limits)).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(claim.claimed.iter().map(|claimed| claimed.id).collect::<Vec<_>>(), [id]);
    assert!(claim.next_due.is_some());
}

async fn a_policy_event_tells_its_ems_and_what_it_is_about(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let house = House::sending_to(fresh, &receiver).await;
    let rows = "INSERT INTO vms (id, ems_id, ems_ref, name) VALUES (7, 1, 'vm-7', 'web');
        INSERT INTO event_streams (id, type, event_type, source, timestamp, created_on, event_uid, generating_ems_id,
            target_type, target_id) VALUES (90, 'MiqEvent', 'vm_poweroff', 'POLICY', '2026-11-24 00:00:00',
            '2026-11-24 00:00:00', 'policy:1', 1, 'VmOrTemplate', 7);";
    house.fresh.write(|c| c.batch(rows)).await;
    house.put("hook", 90).await;
    let body = receiver.until(1).await.remove(0).json();
    assert_eq!((&body["ems"]["id"], &body["ems"]["name"]), (&json!(1), &json!("cloud 1")));
    assert_eq!(body["vm"], json!({"id": 7, "name": "web", "ems_ref": "vm-7"}));
}

async fn what_a_stopped_sender_still_writes_changes_nothing(fresh: Fresh) {
    let receiver = Receiver::start([]);
    let house = House::new(fresh, vec![("hook", to(receiver.url()))]).await;
    let id = house.put_one().await;
    let limits = ClaimLimits { handler_id: 1, per_webhook: 4, rows: 9, ..ClaimLimits::default() };
    let claimed = house.fresh.write(move |c| webhook_claim::claim(c, &limits)).await.claimed.remove(0);
    let _successor = house.start(1);
    house.until(id, "done").await;
    let started_on = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let late = Attempt { id, queued: claimed.queued, started_on };
    house.fresh.write(move |c| webhook_work::retry_later(c, &late, "too late", started_on)).await;
    assert_eq!(house.action(id).await.state, "done");
    assert_eq!(house.queue().await, Vec::<String>::new());
}
