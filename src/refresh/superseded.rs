//! Of the targets that wait, those that are still worth asking for. Pure.
//!
//! A target is known by its association and `manager_ref`. Of several requests for one thing with one type of event, the
//! latest by the event's time tells its state, so that a delete beats the update before it; requests with other types of
//! event stay beside it, since a collector may draw other conclusions from them (a host that only a VM's event names).
//! What covers what else is a provider's knowledge; a refresh of the whole EMS covers everything.

use crate::provider::{TargetCollection, TargetRequest};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The latest request of each thing and type of event; of those with the same time, the one that came last.
pub fn distinct(requests: impl IntoIterator<Item = TargetRequest>) -> TargetCollection {
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let mut latest: Vec<Option<TargetRequest>> = Vec::new();
    for request in requests {
        match places.entry((thing(&request), request.event_type.clone())) {
            Entry::Vacant(place) => {
                place.insert(latest.len());
            }
            Entry::Occupied(mut place) => {
                let known = &mut latest[*place.get()];
                if known.as_ref().is_some_and(|known| known.timestamp > request.timestamp) {
                    continue;
                }
                // It takes its place at the end, so that among equal times what came last is the latest.
                *known = None;
                place.insert(latest.len());
            }
        }
        latest.push(Some(request));
    }
    TargetCollection::new(latest.into_iter().flatten().collect())
}

/// The requests of each thing, things in the order of their first requests.
pub fn by_thing(targets: &TargetCollection) -> Vec<Vec<TargetRequest>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut things: Vec<Vec<TargetRequest>> = Vec::new();
    for request in targets.requests() {
        let place = *places.entry(thing(request)).or_insert(things.len());
        if place == things.len() {
            things.push(Vec::new());
        }
        things[place].push(request.clone());
    }
    things
}

/// Association and `manager_ref` as one text.
fn thing(request: &TargetRequest) -> String {
    let target = &request.target;
    let start = target.association.clone();
    target.manager_ref.iter().fold(start, |key, (name, value)| format!("{key}\0{name}\0{value}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Target;
    use chrono::DateTime;

    fn request(association: &str, ems_ref: &str, event_type: &str, second: i64) -> TargetRequest {
        TargetRequest {
            target: Target::by_ems_ref(association, ems_ref),
            event_type: event_type.to_owned(),
            timestamp: DateTime::from_timestamp(second, 0).unwrap(),
        }
    }

    fn told(targets: &TargetCollection) -> Vec<(String, i64)> {
        let line = |request: &TargetRequest| (request.event_type.clone(), request.timestamp.timestamp());
        targets.requests().iter().map(line).collect()
    }

    #[test]
    fn of_a_thing_and_a_type_of_event_the_latest_request_is_left() {
        let all = distinct([
            request("vms", "a", "update", 5),
            request("vms", "a", "update", 3),
            request("vms", "b", "update", 1),
            request("hosts", "a", "update", 2),
        ]);
        let expected = [("update", 1), ("update", 2), ("update", 5)].map(|(name, at)| (name.to_owned(), at));
        assert_eq!(told(&all), expected);
        assert_eq!(all.distinct(), 3);
    }

    #[test]
    fn a_delete_beats_the_updates_before_it_and_a_later_life_beats_the_delete() {
        let gone = distinct([
            request("vms", "a", "update", 1),
            request("vms", "a", "delete", 2),
            request("vms", "a", "update", 2),
        ]);
        // In the same second, what came last tells: the provider is asked, which is never wrong.
        assert_eq!(gone.latest("vms")["a"].event_type, "update");
        let gone = distinct([request("vms", "a", "delete", 2), request("vms", "a", "update", 1)]);
        assert_eq!(gone.latest("vms")["a"].event_type, "delete");
        let back = distinct([request("vms", "a", "create", 3), request("vms", "a", "delete", 2)]);
        assert_eq!(back.latest("vms")["a"].event_type, "create");
    }

    #[test]
    fn a_request_with_another_type_of_event_stays() {
        let host =
            distinct([request("hosts", "h", "host.maintenance", 1), request("hosts", "h", "vm.start", 2)]);
        assert_eq!(
            host.requests().len(),
            2,
            "the host itself changed, whatever a VM's event says of it later"
        );
        assert_eq!(host.distinct(), 1);
    }

    #[test]
    fn requests_are_grouped_by_thing() {
        let all = distinct([
            request("vms", "a", "update", 1),
            request("vms", "b", "update", 2),
            request("vms", "a", "stop", 3),
        ]);
        let sizes: Vec<_> = by_thing(&all).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1]);
    }
}
