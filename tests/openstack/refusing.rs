//! What a broker refuses is told with what to do, and decides what the catcher does.

use super::rabbitmq::Broker;
use super::support::*;
use catchall::provider::{Ems, Provider, Secret, StreamError};
use catchall::providers::openstack::Openstack;

fn unauthorized(error: &StreamError, says: &[&str]) {
    assert!(matches!(error, StreamError::Unauthorized(_)), "{error:?}");
    told(error, says);
}

fn is_refused(error: &StreamError, says: &[&str]) {
    assert!(matches!(error, StreamError::Refused(_)), "{error:?}");
    told(error, says);
}

fn told(error: &StreamError, says: &[&str]) {
    let text = format!("{error} {error:?}");
    for says in says {
        assert!(text.contains(says), "{says:?} is not in: {text}");
    }
    assert!(!text.contains(super::rabbitmq::PASSWORD), "{text}");
}

fn as_user(name: &str, broker: &Broker, login: &str) -> Ems {
    let mut ems = ems(name, broker);
    ems.authentications.insert("amqp".to_owned(), user(login));
    ems
}

#[tokio::test]
async fn a_wrong_password_is_told_by_its_key() {
    let Some(broker) = Broker::shared() else { return };
    let mut ems = ems("wrong-password", broker);
    ems.authentications.get_mut("amqp").unwrap().password = Some(Secret::new("wrong"));
    unauthorized(&refused(&ems).await, &["authentications.amqp", "ACCESS_REFUSED", "catchall"]);
}

#[tokio::test]
async fn a_vhost_that_is_not_there_and_one_that_is_closed_to_us() {
    let Some(broker) = Broker::shared() else { return };
    let mut missing = ems("no-such-vhost", broker);
    endpoint(&mut missing).options.insert("vhost".to_owned(), "nowhere".into());
    is_refused(&refused(&missing).await, &["endpoints.amqp.vhost", "rabbitmqctl add_vhost nowhere"]);
    let closed = as_user("closed-vhost", broker, "no-vhost");
    unauthorized(&refused(&closed).await, &["rabbitmqctl set_permissions -p / no-vhost"]);
}

#[tokio::test]
async fn another_vhost_is_another_world() {
    let Some(broker) = Broker::shared() else { return };
    let mut ems = ems("vhosts", broker);
    endpoint(&mut ems).options.insert("vhost".to_owned(), "other".into());
    let (here, there) = (Cloud::at(broker, "/").await, Cloud::at(broker, "other").await);
    for cloud in [&here, &there] {
        cloud.exchange("t-vhosts", false).await;
    }
    let mut stream = started(&ems, None).await;
    begun(&mut *stream).await;
    here.notify("t-vhosts", 1).await;
    there.notify("t-vhosts", 2).await;
    assert_eq!(read(&mut *stream, 1).await.texts, [body(2)]);
}

#[tokio::test]
async fn missing_rights_are_told_with_the_command_that_gives_them_which_suffices() {
    let Some(broker) = Broker::start() else { return };
    let cloud = Cloud::at(&broker, "/").await;
    for (login, what) in [("no-configure", "declare"), ("no-read", "bind")] {
        let ems = as_user(login, &broker, login);
        cloud.exchange(&exchange(login), false).await;
        let error = refused(&ems).await;
        unauthorized(&error, &[what, "ACCESS_REFUSED"]);
        let text = error.to_string();
        let command = &text[text.find("rabbitmqctl set_permissions").unwrap()..];
        broker.ctl(command.strip_prefix("rabbitmqctl ").unwrap());
        let mut stream = started(&ems, None).await;
        begun(&mut *stream).await;
        cloud.notify(&exchange(login), 1).await;
        assert_eq!(read(&mut *stream, 1).await.texts, [body(1)], "the command of {login} gave enough");
    }
}

#[tokio::test]
async fn a_queue_of_other_settings_or_of_somebody_else_is_refused_and_left_alone() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, mut ems) = (Cloud::at(broker, "/").await, ems("other-length", broker));
    cloud.foreign_queue("catchall.other-length").await;
    is_refused(
        &refused(&ems).await,
        &["queue_length", "rabbitmqctl delete_queue -p / catchall.other-length"],
    );
    assert_eq!(cloud.waiting("catchall.other-length").await, Some(0));
    endpoint(&mut ems).options.insert("queue".to_owned(), "catchall.of-my-own".into());
    started(&ems, None).await.stop().await;
}

#[tokio::test]
async fn a_second_reader_of_one_queue_is_refused_and_takes_nothing_from_the_first() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, ems) = (Cloud::at(broker, "/").await, ems("two-readers", broker));
    cloud.exchange("t-two-readers", false).await;
    let mut first = started(&ems, None).await;
    begun(&mut *first).await;
    let mut other = started(&ems, None).await;
    is_refused(&failure(&mut *other).await, &["another Catchall", "endpoints.amqp.queue"]);
    drop(other);
    for number in 1..=20 {
        cloud.notify("t-two-readers", number).await;
    }
    assert_eq!(read(&mut *first, 20).await.texts.len(), 20);
}

/// The certificate is for `localhost`.
fn over_tls(name: &str, broker: &Broker) -> Ems {
    let mut ems = ems(name, broker);
    let amqp = endpoint(&mut ems);
    (amqp.hostname, amqp.port) = (Some("localhost".to_owned()), Some(broker.tls_port));
    amqp.security_protocol = Some("ssl".to_owned());
    amqp.certificate_authority = Some(include_str!("../data/tls/ca.crt").to_owned());
    ems
}

#[tokio::test]
async fn over_tls_with_an_own_authority_after_a_broker_that_is_dead() {
    let Some(broker) = Broker::shared() else { return };
    let (cloud, mut ems) = (Cloud::at(broker, "/").await, over_tls("tls", broker));
    cloud.exchange("t-tls", false).await;
    let second = endpoint(&mut ems).clone();
    endpoint(&mut ems).port = Some(dead_port());
    ems.endpoints.insert("amqp_fallback1".to_owned(), second);
    let mut stream = started(&ems, None).await;
    begun(&mut *stream).await;
    cloud.notify("t-tls", 1).await;
    assert_eq!(read(&mut *stream, 1).await.texts, [body(1)]);
}

#[tokio::test]
async fn a_certificate_is_checked_unless_the_settings_say_not_to() {
    let Some(broker) = Broker::shared() else { return };
    let mut ems = over_tls("checked", broker);
    endpoint(&mut ems).certificate_authority = Some(include_str!("../data/tls/other-ca.crt").to_owned());
    let error = refused(&ems).await;
    assert!(matches!(error, StreamError::Unreachable(_)), "{error:?}");
    told(&error, &["certificate", "endpoints.amqp.certificate_authority"]);
    endpoint(&mut ems).hostname = Some("127.0.0.1".to_owned());
    endpoint(&mut ems).certificate_authority = Some(include_str!("../data/tls/ca.crt").to_owned());
    told(&refused(&ems).await, &["certificate"]); // of another host
    endpoint(&mut ems).verify_ssl = false;
    started(&ems, None).await.stop().await;
    endpoint(&mut ems).verify_ssl = true;
    endpoint(&mut ems).security_protocol = Some("ssl-without-validation".to_owned());
    started(&ems, None).await.stop().await;
    let mut none = over_tls("none", broker);
    endpoint(&mut none).certificate_authority = Some("ca.pem".to_owned());
    is_refused(&refused(&none).await, &["paste its PEM text"]);
}

#[tokio::test]
async fn the_port_of_the_other_protocol_is_told() {
    let Some(broker) = Broker::shared() else { return };
    let mut tls_to_plain = over_tls("tls-to-plain", broker);
    endpoint(&mut tls_to_plain).port = Some(broker.port);
    told(&refused(&tls_to_plain).await, &["speaks no TLS"]);
    let mut plain_to_tls = ems("plain-to-tls", broker);
    endpoint(&mut plain_to_tls).port = Some(broker.tls_port);
    told(&refused(&plain_to_tls).await, &["security_protocol: ssl"]);
}

#[tokio::test]
async fn all_addresses_are_named_when_none_answers_and_a_refusal_decides() {
    let Some(broker) = Broker::shared() else { return };
    let mut ems = ems("nobody", broker);
    let good = endpoint(&mut ems).clone();
    endpoint(&mut ems).port = Some(dead_port());
    let dead = endpoint(&mut ems).clone();
    ems.endpoints.insert(
        "amqp_fallback1".to_owned(),
        catchall::provider::Endpoint { port: Some(dead_port()), ..dead },
    );
    let error = refused(&ems).await;
    assert!(matches!(error, StreamError::Unreachable(_)), "{error:?}");
    let ports = ["amqp", "amqp_fallback1"].map(|role| format!(":{}", ems.endpoints[role].port.unwrap()));
    told(&error, &[&ports[0], &ports[1]]);
    ems.endpoints.insert("amqp_fallback1".to_owned(), good);
    ems.authentications.get_mut("amqp").unwrap().password = Some(Secret::new("wrong"));
    unauthorized(&refused(&ems).await, &["authentications.amqp", &ports[0]]);
}

#[test]
fn settings_that_cannot_work_are_told_before_anybody_is_asked() {
    let Some(broker) = Broker::shared() else { return };
    let mut ems = ems("settings", broker);
    ems.authentications.clear();
    assert!(Openstack.stream(&ems).err().unwrap().message.contains("authentications.amqp"));
    ems.endpoints.clear();
    assert!(Openstack.stream(&ems).err().unwrap().message.contains("endpoints.amqp"));
}

fn dead_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
