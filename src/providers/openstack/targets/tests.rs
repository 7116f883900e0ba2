use super::*;
use crate::provider::FullData;
use serde_json::json;

fn targets(event_type: &str, full_data: &Value) -> Result<Vec<Target>, ParseError> {
    let event = EmsEvent {
        event_type: event_type.into(),
        full_data: FullData::from_value(full_data),
        ..EmsEvent::default()
    };
    OpenstackEventTargetParser.parse(&event)
}

#[test]
fn a_thing_that_is_named_twice_is_one_target_with_the_most_that_is_told() {
    let payload = json!({"resource_info": "p", "initiator": {"project_id": "p"}});
    let targets = targets("identity.project.deleted", &json!({"content": {"payload": payload}})).unwrap();
    let [target] = &targets[..] else { panic!("{targets:?}") };
    let told: Told = serde_json::from_value(target.options.clone()).unwrap();
    assert!(told.deleted);
    assert_eq!(told.event_type, "identity.project.deleted");
}

#[test]
fn what_is_told_reads_back_and_leaves_out_what_is_not() {
    let payload = json!({"instance_id": "i", "state": "active", "display_name": "web-1", "tenant_id": "t"});
    let targets = targets("compute.instance.update", &json!({"content": {"payload": payload}})).unwrap();
    let told: Vec<Told> =
        targets.iter().map(|target| serde_json::from_value(target.options.clone()).unwrap()).collect();
    let named = Told { event_type: "compute.instance.update".into(), ..Told::default() };
    let own = Told {
        name: Some("web-1".into()),
        tenant_id: Some("t".into()),
        state: Some("active".into()),
        ..named.clone()
    };
    assert_eq!(told, [named, own]);
    assert_eq!(targets[0].options, json!({"event_type": "compute.instance.update"}));
}

#[test]
fn ten_thousand_ports_of_one_request_are_found_soon() {
    let ports: Vec<Value> = (0..10_000).map(|n| json!({"id": format!("p-{n}")})).collect();
    let started = std::time::Instant::now();
    let targets = targets("port.create.end", &json!({"content": {"payload": {"ports": ports}}})).unwrap();
    assert_eq!(targets.len(), 10_000);
    assert!(started.elapsed() < std::time::Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn a_payload_of_another_shape_targets_nothing() {
    for full_data in
        [json!(null), json!([]), json!({}), json!({"content": []}), json!({"content": {"payload": "x"}})]
    {
        assert_eq!(targets("compute.instance.update", &full_data).unwrap(), []);
    }
    let odd = json!({"content": {"payload": {"instance_id": 1, "tenant_id": " "}}});
    assert_eq!(targets("compute.instance.update", &odd).unwrap(), []);
}

#[test]
fn the_subnets_of_a_deleted_network_go_with_it_and_nobody_tells() {
    let payload =
        json!({"network_id": "n", "network": {"id": "n", "tenant_id": "t", "subnets": ["s1", "s2"]}});
    let of = |event_type: &str| {
        let targets = targets(event_type, &json!({"content": {"payload": payload}})).unwrap();
        let refs = targets.iter().filter(|target| target.association == "cloud_subnets");
        refs.filter_map(|target| target.ems_ref().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(of("network.delete.end"), ["s1", "s2"]);
    assert_eq!(of("network.update.end"), Vec::<String>::new());
}
