//! Mangled events of every provider, on their way into the VMDB.

use crate::mangled;
use crate::trials::{events, json_text, store};
use crate::{cases, trials};
use proptest::prelude::*;
use std::cell::LazyCell;

#[test]
fn every_recorded_event_is_caught_in_every_wrapping_of_its_own_provider() {
    let store = store::Store::new();
    for (provider, line) in mangled::recorded() {
        let caught = events::catch(events::provider_of(provider), &events::native(0, line.as_bytes()));
        assert!(!caught.events.is_empty() && caught.dead_letters.is_empty(), "{line}");
        store.keep(caught);
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_mangled_event_is_stored_or_refused_before_the_commit(
        natives in prop::collection::vec((mangled::event(), any::<u8>()), 1..6),
    ) {
        thread_local! { static STORE: LazyCell<store::Store> = LazyCell::new(store::Store::new); }
        for ((provider, text), wrapping) in natives {
            let native = events::native(wrapping, text.as_bytes());
            STORE.with(|store| store.keep(events::catch(events::provider_of(provider), &native)));
        }
    }

    #[test]
    fn any_bytes_are_an_event_filtered_or_a_dead_letter(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        events::hold(&bytes);
        json_text::hold(&bytes);
    }

    #[test]
    fn a_page_is_cut_as_a_parser_would(
        natives in prop::collection::vec(mangled::event(), 0..4),
        spaces in "[ \n\t]{0,3}",
    ) {
        let list: Vec<String> = natives.into_iter().map(|(_, text)| format!("{spaces}{text}{spaces}")).collect();
        json_text::hold(format!("{spaces}[{}]", list.join(",")).as_bytes());
        let page = format!("{{\"events\":[{}],{spaces}\"next_page_token\":\"a\\u0062\"}}", list.join(","));
        json_text::hold(page.as_bytes());
    }

    #[test]
    fn what_waits_between_two_processes_becomes_one_row(((provider, text), args) in (mangled::event(), "\\PC{0,40}")) {
        thread_local! { static STORE: LazyCell<store::Store> = LazyCell::new(store::Store::new); }
        let caught = events::catch(events::provider_of(provider), &events::native(0, text.as_bytes()));
        STORE.with(|store| {
            for ready in &caught.events {
                let args = serde_json::to_string(&[&ready.event]).unwrap();
                assert!(store.deliver(&args), "what was put can be taken: {args}");
            }
            store.deliver(&text);
            store.deliver(&args);
        });
    }
}

/// Reached by its first byte, as the fuzz target reaches it.
#[test]
fn the_trial_of_the_store_takes_both_ways() {
    let (provider, line) = mangled::recorded().remove(0);
    trials::store::hold(&[&[0, provider, 2], line.as_bytes()].concat());
    trials::store::hold(b"\x01[]");
    trials::store::hold(b"");
}

/// No tree would show it, but the VMDB gets the text as it is.
#[test]
fn nul_in_an_entry_whose_name_comes_again_is_refused() {
    let text = r#"{"a":"\u0000","a":"b"}"#;
    assert!(catchall::provider::json_text::check(text).is_err());
    json_text::hold(text.as_bytes());
}
