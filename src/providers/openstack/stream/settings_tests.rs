use super::*;
use crate::provider::{Authentication, ByteBudget, CatcherSettings, EmsId};
use serde_json::json;
use std::collections::BTreeMap;

fn endpoint(hostname: &str, options: Value) -> Endpoint {
    let options = options.as_object().unwrap().clone().into_iter().collect();
    Endpoint { hostname: Some(hostname.to_owned()), verify_ssl: true, options, ..Endpoint::default() }
}

fn ems(endpoints: &[(&str, Endpoint)]) -> Ems {
    let authentication = Authentication {
        userid: Some("catchall".to_owned()),
        password: Some(Secret::new("hidden")),
        ..Authentication::default()
    };
    Ems {
        id: EmsId(1),
        name: "My Cloud".to_owned(),
        provider_region: None,
        endpoints: endpoints.iter().map(|(role, endpoint)| ((*role).to_owned(), endpoint.clone())).collect(),
        authentications: BTreeMap::from([("amqp".to_owned(), authentication)]),
        catcher: CatcherSettings::default(),
        budget: ByteBudget::default(),
    }
}

fn settings(options: Value) -> Result<AmqpSettings, String> {
    AmqpSettings::new(&ems(&[("amqp", endpoint("rabbit", options))])).map_err(|error| error.message)
}

#[test]
fn a_host_and_credentials_suffice() {
    let settings = settings(json!({})).unwrap();
    assert_eq!(settings.brokers, [Broker { host: "rabbit".to_owned(), port: 5672, tls: None }]);
    assert_eq!((settings.vhost.as_str(), settings.queue_length), ("/", 100_000));
    assert_eq!(settings.queue_expiry, Duration::from_secs(3 * 86_400));
    // printf 'My Cloud' | sha256sum; the name never changes, since another one would be another queue.
    assert_eq!(settings.queue, "catchall.my-cloud.9614e904");
    let exchanges: Vec<_> = settings.topics.exchanges().collect();
    assert_eq!(exchanges, ["cinder", "glance", "heat", "keystone", "neutron", "nova", "openstack"]);
    assert!(settings.topics.has_versioned("nova") && !settings.topics.has_versioned("neutron"));
}

#[test]
fn names_that_look_alike_have_queues_of_their_own() {
    assert_ne!(default_queue("my cloud"), default_queue("my-cloud"));
    assert_ne!(default_queue("My cloud"), default_queue("my cloud"));
}

#[test]
fn fallbacks_come_in_turn_and_take_from_amqp_what_they_do_not_say() {
    let tls = Endpoint {
        security_protocol: Some("ssl".to_owned()),
        port: Some(5671),
        certificate_authority: Some("PEM".to_owned()),
        ..endpoint("one", json!({}))
    };
    let second = Endpoint { port: Some(1234), ..endpoint("two", json!({})) };
    let third = Endpoint { security_protocol: Some("non-ssl".to_owned()), ..endpoint("three", json!({})) };
    let settings =
        AmqpSettings::new(&ems(&[("amqp_fallback2", third), ("amqp", tls), ("amqp_fallback1", second)]))
            .unwrap();
    let shown: Vec<_> = settings.brokers.iter().map(Broker::shown).collect();
    assert_eq!(shown, ["amqps://one:5671", "amqps://two:1234", "amqp://three:5671"]);
    let own = TlsSettings { verify: true, authority: Some("PEM".to_owned()) };
    assert_eq!(settings.brokers[1].tls, Some(own));
}

#[test]
fn the_rights_are_told_as_a_command_that_can_be_pasted() {
    let default =
        settings(json!({"topics": {"nova": "notifications.*", "my.exchange": ["a", "b"]}})).unwrap();
    assert_eq!(
        default.set_permissions(),
        r"rabbitmqctl set_permissions -p / catchall '^catchall\..*$' '^catchall\..*$' '^(catchall\..*|my\.exchange|nova)$'"
    );
    let named = settings(json!({"queue": "events.of.mine", "vhost": "v", "topics": {"nova": "n"}})).unwrap();
    let own = r"events\.of\.mine(\..*)?";
    let expected = format!("rabbitmqctl set_permissions -p v catchall '^{own}$' '^{own}$' '^({own}|nova)$'");
    assert_eq!(named.set_permissions(), expected);
}

#[test]
fn what_is_wrong_is_told_by_its_key() {
    for (options, key) in [
        (json!({"queue_length": 5}), "queue_length"),
        (json!({"queue_length": "many"}), "queue_length"),
        (json!({"queue_expiry": "3.fortnights"}), "queue_expiry"),
        (json!({"queue_expiry": "8.weeks"}), "queue_expiry"),
        (json!({"queue": "amq.mine"}), "queue"),
        (json!({"queue": 7}), "queue"),
        (json!({"vhost": 7}), "vhost"),
        (json!({"topics": "nova"}), "topics"),
        (json!({"topics": {"nova": []}}), "topics"),
    ] {
        let message = settings(options.clone()).unwrap_err();
        assert!(message.contains(&format!("endpoints.amqp.{key}")), "{options}: {message}");
    }
    let no_host = Endpoint { hostname: None, ..endpoint("x", json!({})) };
    for (role, endpoint) in [("amqp", no_host.clone()), ("amqp_fallback1", no_host)] {
        let main = super::tests::endpoint("main", json!({}));
        let message = AmqpSettings::new(&ems(&[("amqp", main), (role, endpoint)])).unwrap_err().message;
        assert!(message.contains(&format!("endpoints.{role}.hostname")), "{message}");
    }
}

#[test]
fn durations_are_written_as_in_the_other_settings() {
    for (text, seconds) in
        [("90", 90.0), ("90.seconds", 90.0), ("2.hours", 7200.0), ("1.day", 86_400.0), ("1.5.hours", 5400.0)]
    {
        assert_eq!(duration(text), Some(seconds), "{text}");
    }
    assert_eq!(duration("soon"), None);
}
