//! Finds the targets that make a refresh fail, so that they do not hold up the others: refreshes the halves apart, and the
//! halves of those that fail, down to the one thing.
//!
//! A thing is blamed only when others succeed meanwhile: when nothing does, it is the provider that is unwell, and nobody is
//! given up.

use super::failure::{Blame, Failure};
use crate::provider::TargetRequest;

/// When so many things failed alone and nothing succeeded, it is not they.
const ENOUGH: usize = 3;

/// The requests for one thing.
pub(super) type Thing = Vec<TargetRequest>;

/// Refreshes `things`, which together failed, apart by `refresh`; returns those that fail alone, each with its failure, while others succeed.
///
/// # Errors
/// The last failure when it is about everything, or when nothing succeeds. What was refreshed meanwhile stays so.
pub(super) async fn refresh_apart(
    things: Vec<Thing>,
    mut refresh: impl AsyncFnMut(Vec<Thing>) -> Result<(), Failure>,
) -> Result<Vec<(Thing, Failure)>, Failure> {
    let mut waiting = halves(things);
    let (mut bad, mut succeeded) = (Vec::new(), false);
    while let Some(mut part) = waiting.pop() {
        let Err(failure) = refresh(part.clone()).await else {
            succeeded = true;
            continue;
        };
        if failure.blame == Blame::Everything {
            return Err(failure);
        }
        if part.len() > 1 {
            waiting.extend(halves(part));
            continue;
        }
        bad.extend(part.pop().map(|thing| (thing, failure.clone())));
        if !succeeded && (bad.len() >= ENOUGH || waiting.is_empty()) {
            return Err(failure);
        }
    }
    Ok(bad)
}

/// The first half last, since it is taken first.
fn halves(mut things: Vec<Thing>) -> Vec<Vec<Thing>> {
    let second = things.split_off(things.len().div_ceil(2));
    [second, things].into_iter().filter(|half| !half.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Target;
    use chrono::DateTime;
    use futures_util::FutureExt;

    fn things(count: usize) -> Vec<Thing> {
        let thing = |number| {
            vec![TargetRequest {
                target: Target::by_ems_ref("vms", format!("vm-{number}")),
                event_type: "X".to_owned(),
                timestamp: DateTime::UNIX_EPOCH,
            }]
        };
        (0..count).map(thing).collect()
    }

    fn name(thing: &Thing) -> String {
        thing[0].target.ems_ref().unwrap_or_default().to_owned()
    }

    /// Which are given up, or `None` when it is not they, and how often was asked.
    fn apart(count: usize, poison: &[&str], failure: &Failure) -> (Option<Vec<String>>, usize) {
        let mut calls = 0;
        let found = refresh_apart(things(count), async |part: Vec<Thing>| {
            calls += 1;
            let fails = part.iter().any(|thing| poison.contains(&name(thing).as_str()) || poison == ["*"]);
            if fails { Err(failure.clone()) } else { Ok(()) }
        });
        let found = found.now_or_never().unwrap();
        (found.ok().map(|bad| bad.iter().map(|(thing, _)| name(thing)).collect()), calls)
    }

    #[test]
    fn the_things_that_fail_alone_are_found_in_few_calls() {
        let failure = Failure::new("no", None);
        let (bad, calls) = apart(100, &["vm-37"], &failure);
        assert_eq!(bad.unwrap(), ["vm-37"]);
        assert!(calls <= 14, "{calls} calls");
        let (bad, _) = apart(10, &["vm-0", "vm-9"], &failure);
        assert_eq!(bad.unwrap(), ["vm-0", "vm-9"]);
        assert_eq!(apart(2, &["vm-0"], &failure).0.unwrap(), ["vm-0"], "the other one succeeds after it");
        assert_eq!(
            apart(5, &[], &failure).0.unwrap(),
            Vec::<String>::new(),
            "what failed before is well now"
        );
    }

    #[test]
    fn nobody_is_blamed_while_the_provider_is_unwell() {
        let failure = Failure::new("no", None);
        for count in [1, 2, 100] {
            let (bad, calls) = apart(count, &["*"], &failure);
            assert_eq!(bad, None, "{count}");
            assert!(calls < 14, "{calls} calls for {count}");
        }
        let throttled = Failure::new("slowly", Some(std::time::Duration::from_secs(1)));
        assert_eq!(apart(100, &["vm-99"], &throttled), (None, 2));
    }
}
