//! Requests to the house, and answers of a cloud, over sockets.

use crate::trials::{cloud, http, simulator};
use crate::{cases, mangled};
use proptest::prelude::*;

fn query() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "ems",
        "level",
        "group",
        "type",
        "before",
        "follow",
        "vmdb",
        "ids",
        "limit",
        "since",
        "page_token",
        "x",
    ]);
    let value = prop_oneof![
        Just("demo+%3Cscript%3E".to_owned()),
        Just("critical".to_owned()),
        Just("vm.stop".to_owned()),
        "-?[0-9]{1,20}-[0-9]{1,20}",
        "(%[0-9a-fA-F]{0,2}|[!-~]){0,12}",
        "\\PC{0,8}",
    ];
    prop::collection::vec((key, value), 0..5).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.join("&")
    })
}

fn path(known: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => "[!-~]{0,20}"]
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn every_request_is_answered_and_none_with_500(
        bare in "!?",
        path in path(&["", "vms/10", "vms/99999999999999999999", "vms/-1", "hosts/7", "providers/1", "readyz", "healthz", "metrics", "%00", "../", "vms/%31%30", "pipeline", "pipeline.json", "live", "export.csv", "export.ndjson", "api", "api/event_streams", "api/vms/10"]),
        query in query(),
        header in "((Accept|Authorization|Range|X-A): [ -~]{0,20}|\\PC{0,10})",
    ) {
        http::hold(format!("{bare}{path}?{query}\n{header}").as_bytes());
    }

    #[test]
    fn the_simulated_cloud_answers_every_query(
        path in path(&["v1/events", "v1/vms", "v1/hosts", "v1/flavors", "v1/images", "v1/vms/vm-1", "v1/vms/%ff"]),
        query in query(),
    ) {
        simulator::hold(format!("{path}?{query}").as_bytes());
    }

    #[test]
    fn whatever_a_cloud_answers_every_call_ends(
        what in any::<u8>(),
        answers in prop::collection::vec((0..16_u8, prop::collection::vec(mangled::event(), 0..3), "\\PC{0,6}"), 0..4),
    ) {
        let kinds = ["events", "vms", "hosts", "flavors", "images"];
        let mut script = vec![what];
        for (at, (status, natives, token)) in answers.into_iter().enumerate() {
            let natives: Vec<String> = natives.into_iter().map(|(_, text)| text).collect();
            let kind = kinds[(usize::from(what) + at) % kinds.len()];
            let page = format!("{{\"{kind}\":[{}],\"next_page_token\":{:?},\"error\":\"history_lost\",\"oldest\":\"2026-11-24T09:00:00Z\"}}", natives.join(","), token);
            script.extend_from_slice(&[&[status], page.as_bytes(), b"\n---\n"].concat());
        }
        cloud::hold(&script);
    }
}

/// Events as they come are an answer without an end, whose connection is not asked again.
#[test]
fn what_follows_an_endless_answer_is_answered() {
    http::hold(b"live");
    http::hold(b"vms/10");
}
