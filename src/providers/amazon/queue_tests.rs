use super::*;
use crate::provider::{Authentication, ByteBudget, CatcherSettings, EmsId};
use serde_json::json;
use std::collections::BTreeMap;

fn ems(endpoints: &[(&str, Endpoint)]) -> Ems {
    Ems {
        id: EmsId(1),
        name: "aws".to_owned(),
        provider_region: None,
        endpoints: endpoints.iter().map(|(role, endpoint)| ((*role).to_owned(), endpoint.clone())).collect(),
        authentications: BTreeMap::new(),
        catcher: CatcherSettings::default(),
        budget: ByteBudget::default(),
    }
}

fn at(url: &str) -> Endpoint {
    Endpoint { url: Some(url.to_owned()), ..Endpoint::default() }
}

fn named(name: &str) -> Endpoint {
    Endpoint { options: BTreeMap::from([("queue_name".to_owned(), json!(name))]), ..Endpoint::default() }
}

fn error(ems: &Ems) -> String {
    QueueSettings::new(ems).unwrap_err().to_string()
}

#[test]
fn the_region_is_read_from_the_address_of_the_queue() {
    for (url, region, endpoint) in [
        ("https://sqs.eu-west-1.amazonaws.com/1/q", "eu-west-1", Some("https://sqs.eu-west-1.amazonaws.com")),
        (
            "https://sqs.cn-north-1.amazonaws.com.cn/1/q",
            "cn-north-1",
            Some("https://sqs.cn-north-1.amazonaws.com.cn"),
        ),
        (
            "https://vpce-1.sqs.us-west-2.vpce.amazonaws.com/1/q",
            "us-west-2",
            Some("https://vpce-1.sqs.us-west-2.vpce.amazonaws.com"),
        ),
        ("https://eu-west-1.queue.amazonaws.com/1/q", "eu-west-1", None),
        ("https://queue.amazonaws.com/1/q", "us-east-1", None),
        ("http://127.0.0.1:5000/1/q", "us-east-1", Some("http://127.0.0.1:5000")),
    ] {
        let settings = QueueSettings::new(&ems(&[("sqs", at(url))])).unwrap();
        assert_eq!((settings.region.as_str(), settings.endpoint_url.as_deref()), (region, endpoint), "{url}");
    }
}

#[test]
fn the_default_endpoint_overrides_aws_and_the_region_of_the_settings_the_address() {
    let mut ems = ems(&[
        ("default", at("http://moto:5000/ignored")),
        ("sqs", at("https://sqs.eu-west-1.amazonaws.com/1/q")),
    ]);
    ems.provider_region = Some("eu-north-1".to_owned());
    let settings = QueueSettings::new(&ems).unwrap();
    assert_eq!(settings.endpoint_url.as_deref(), Some("http://moto:5000"));
    assert_eq!(settings.region, "eu-north-1");
}

#[test]
fn hostname_and_port_make_an_address_too() {
    let default = Endpoint {
        hostname: Some("moto".to_owned()),
        port: Some(5000),
        security_protocol: Some("non-ssl".to_owned()),
        ..Endpoint::default()
    };
    let settings = QueueSettings::new(&ems(&[("default", default), ("sqs", named("q"))])).unwrap();
    assert_eq!(settings.endpoint_url.as_deref(), Some("http://moto:5000"));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    assert_eq!(error(&ems(&[])), "aws: endpoints.sqs is not set; add it to this EMS in the settings");
    let nothing = error(&ems(&[("sqs", Endpoint::default())]));
    assert_eq!(nothing, "aws: endpoints.sqs names no queue; add its url, or its queue_name");
    let region = error(&ems(&[("sqs", named("q"))]));
    assert_eq!(region, "aws: provider_region is not set; add it to this EMS in the settings");
    let mut half = ems(&[("sqs", at("http://h/1/q"))]);
    let only_userid = Authentication { userid: Some("id".to_owned()), ..Authentication::default() };
    half.authentications.insert("default".to_owned(), only_userid);
    assert_eq!(
        error(&half),
        "aws: authentications.default.password is not set; add it to this EMS in the settings"
    );
    let mut text = named("q");
    text.options.insert("takeover".to_owned(), json!("yes"));
    assert_eq!(
        error(&ems(&[("default", at("http://h")), ("sqs", text)])),
        "aws: endpoints.sqs.takeover is neither true nor false"
    );
}

#[test]
fn credentials_in_an_address_are_refused_and_not_repeated() {
    let message = error(&ems(&[("sqs", at("https://key:hidden@sqs.eu-west-1.amazonaws.com/1/q"))]));
    assert_eq!(message, "aws: endpoints.sqs.url holds credentials; move them to authentications.default");
}

#[test]
fn a_queue_with_the_name_of_one_of_manageiq_is_refused_unless_taken_over() {
    let url = "https://sqs.eu-west-1.amazonaws.com/1/manageiq-awsconfig-queue-3d8a720f";
    let mut endpoint = at(url);
    let refused = QueueSettings::new(&ems(&[("sqs", endpoint.clone())])).unwrap().check_owner().unwrap_err();
    assert!(matches!(&refused, StreamError::Refused(text) if text.contains("takeover: true")), "{refused}");
    endpoint.options.insert("takeover".to_owned(), json!(true));
    QueueSettings::new(&ems(&[("sqs", endpoint)])).unwrap().check_owner().unwrap();
    let other = at("https://sqs.eu-west-1.amazonaws.com/1/catchall-manageiq-awsconfig-queue-1");
    QueueSettings::new(&ems(&[("sqs", other)])).unwrap().check_owner().unwrap();
}
