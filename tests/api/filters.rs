//! `filter[]`, `sort_by` and their like, each against the rows that it means.

use crate::filled::{Fresh, on_both};
use crate::house::{House, filled};
use url::form_urlencoded::byte_serialize;

on_both! {
    filters_find_the_events_that_they_mean
    vms_are_filtered_and_sorted_by_any_column
    a_rare_event_is_found_behind_thousands
}

async fn filters_find_the_events_that_they_mean(fresh: Fresh) {
    let (fresh, events) = filled(fresh).await;
    let house = House::open(&fresh.vmdb);
    let of = |places: &[usize]| places.iter().map(|place| events[*place]).collect::<Vec<_>>();
    for (filters, places) in [
        (vec!["event_type=vm.stop"], vec![0, 3, 7]),
        (vec!["event_type='vm.stop'", "ems_id=1"], vec![0, 7]),
        (vec!["event_type!=vm.stop", "type=EmsEvent"], vec![1, 2, 4, 5, 6]),
        (vec!["event_type='vm.create*'"], vec![1, 5, 6]),
        (vec!["event_type=\"VM.CREATE%\""], vec![1, 5, 6]),
        (vec!["event_type!='vm*'", "type=EmsEvent"], vec![2]),
        (vec!["event_type=[vm.clone,unlisted]"], vec![2, 4]),
        (vec!["event_type!=[vm.clone,unlisted,'vm_poweroff']", "vm_or_template_id=nil"], vec![3, 5, 6, 7]),
        (vec!["message='*stopped'"], vec![0, 3]),
        (vec!["message='100% of it'"], vec![1]),
        (vec!["message='%[%'"], vec![]),
        (vec!["vm_name='a_b*'"], vec![5]),
        (vec!["host_id!=nil"], vec![1, 2]),
        (vec!["host_id=NULL", "message!=NULL"], vec![0, 3]),
        (vec!["host_id>=8", "or dest_vm_or_template_id=10"], vec![2, 4]),
        (vec!["vm.name=gone"], vec![0, 4]),
        (vec!["ext_management_system.name=quiet"], vec![3]),
        (vec!["host.name='host*'", "vm.power_state=on"], vec![1]),
        (vec!["group=other", "type=EmsEvent"], vec![2, 4]),
        (vec!["group!=power", "group_level=detail", "type='EmsEvent'"], vec![1, 2, 4, 5, 6]),
        (vec!["group_name='Power Activity'", "or id=1"], vec![0, 3, 7]),
        (vec!["type=nothing"], vec![]),
        (vec!["id=[]"], vec![]),
    ] {
        let query: String = filters
            .iter()
            .map(|f| format!("&filter[]={}", byte_serialize(f.as_bytes()).collect::<String>()))
            .collect();
        let mut expected = of(&places);
        let page = house.get(&format!("/api/event_streams?limit=100{query}")).await;
        let mut found = crate::house::ids(&page);
        found.sort_by_key(|id| events.iter().position(|event| event == id));
        expected.sort_by_key(|id| events.iter().position(|event| event == id));
        assert_eq!(found, expected, "{filters:?}");
        assert!(page["broken_off"].is_null());
    }
    let times = house.ids("/api/event_streams?filter[]=timestamp<2020-01-01").await;
    assert!(times.is_empty());
    for (query, places) in [
        ("sort_by=timestamp&limit=2&filter[]=type=EmsEvent", [7, 6]),
        ("sort_by=id&sort_order=desc&limit=2&filter[]=type=EmsEvent", [7, 6]),
        ("sort_by=event_type,timestamp&sort_order=desc,asc&limit=2&filter[]=type=EmsEvent", [7, 3]),
    ] {
        assert_eq!(house.ids(&format!("/api/event_streams?{query}")).await, of(&places), "{query}");
    }
    house.close().await;
}

async fn vms_are_filtered_and_sorted_by_any_column(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh
        .batch(
            "INSERT INTO vms (id, name, ems_id, ems_ref, template, power_state) VALUES (20, 'b', 1, 'b', true, 'off'), \
             (21, 'B', 2, 'B', false, 'on'), (22, 'a', 2, 'a', false, NULL), (23, 'C', 2, 'C', false, 'on')",
        )
        .await;
    let house = House::open(&fresh.vmdb);
    for (query, expected) in [
        ("filter[]=id>=20&sort_by=name", vec![21, 23, 22, 20]),
        ("filter[]=id>=20&sort_by=name&sort_options=ignore_case", vec![22, 20, 21, 23]),
        ("filter[]=id>=20&sort_by=power_state,id&sort_order=asc,desc", vec![20, 23, 21, 22]),
        ("filter[]=id>=20&sort_by=power_state,id&sort_order=desc", vec![22, 23, 21, 20]),
        ("filter[]=template=true", vec![20]),
        ("filter[]=template!=true&filter[]=ems_id=2", vec![21, 22, 23]),
        ("filter[]=ext_management_system.enabled=true", vec![10, 20]),
        ("filter[]=power_state=[on,off]&filter[]=ems_id=2", vec![21, 23]),
    ] {
        assert_eq!(house.ids(&format!("/api/vms?{query}")).await, expected, "{query}");
    }
    house.close().await;
}

/// More than the first window of the search.
async fn a_rare_event_is_found_behind_thousands(fresh: Fresh) {
    let (fresh, _) = filled(fresh).await;
    fresh
        .batch(
            "INSERT INTO event_streams (type, ems_id, event_uid, event_type, timestamp) \
             WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 25000) \
             SELECT 'EmsEvent', 1, 'many-' || n, 'noise', e.timestamp FROM numbers, \
             (SELECT max(timestamp) AS timestamp FROM event_streams) AS e",
        )
        .await;
    let house = House::open(&fresh.vmdb);
    let page = house.get("/api/event_streams?filter[]=event_type=vm.clone&expand=resources&limit=3").await;
    assert_eq!(page["subcount"], 1, "{page}");
    assert_eq!(page["subquery_count"], serde_json::Value::Null, "not counted, since no index counts it");
    assert!(page["links"].get("next").is_none(), "the search reached the end");
    let counted = house.get("/api/event_streams?filter[]=ems_id=2").await;
    assert_eq!(counted["subquery_count"], 1);
    house.close().await;
}
