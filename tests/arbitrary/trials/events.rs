//! A native event of any provider of the registry, on its whole way to the commit: parse → targets → check → switchboard.
//!
//! What must hold: no panic, the same event and uid each time, and no more comes out than went in by a fixed factor.

use catchall::automate::Automation;
use catchall::event_catcher::prepare::{Preparation, check, dead_letter, parse_native, prepare, targets};
use catchall::provider::{NativeEvent, ParseError, Parsed, ParsedEvent, Provider, event_uid};
use catchall::providers::PROVIDERS;
use catchall::settings::RefreshSettings;
use catchall::switchboard::{Switchboard, builtin_domain};
use catchall::vmdb::{DeadLetter, ReadyEvent};
use std::sync::LazyLock;
use std::time::Duration;

/// Bytes of events and targets for each byte of the native event: every text may stand in `full_data`, in `message` and
/// in a column, and each of them is JSON in JSON.
const MOST_FOR_A_BYTE: usize = 64;
/// Bytes that an event takes which the provider did not send: names of columns, source, times.
const OF_OUR_OWN: usize = 4096;

static AUTOMATION: LazyLock<Automation> = LazyLock::new(|| {
    let (switchboard, _) = Switchboard::load(builtin_domain(PROVIDERS), &[]).expect("the built-in domain");
    Automation { switchboard, ..Automation::default() }
});

const REFRESH: RefreshSettings = RefreshSettings {
    enabled: true,
    allow_targeted_refresh: true,
    refresh_interval: Duration::ZERO,
    full_refresh_threshold: 100,
};

/// What became of a native event.
#[derive(Default)]
pub struct Caught {
    pub events: Vec<ReadyEvent>,
    pub dead_letters: Vec<DeadLetter>,
}

/// The first byte chooses the provider, the second how its event is wrapped, and the rest is the event.
pub fn hold(data: &[u8]) {
    let [provider, wrapping, text @ ..] = data else { return };
    catch(provider_of(*provider), &native(*wrapping, text));
}

/// Any byte is a provider.
pub fn provider_of(choice: u8) -> &'static dyn Provider {
    PROVIDERS[usize::from(choice) % PROVIDERS.len()]
}

/// The event as it is, or in what SQS, SNS and EventBridge wrap around an event. Others than Amazon refuse these.
pub fn native(wrapping: u8, text: &[u8]) -> NativeEvent {
    let text = String::from_utf8_lossy(text);
    let quoted = serde_json::Value::from(&*text);
    let wrapped = match wrapping % 5 {
        0 => text.into_owned(),
        1 => quoted.to_string(),
        2 => format!(
            r#"{{"Type":"Notification","MessageId":"m-1","Timestamp":"2026-11-24T10:00:00Z","Message":{quoted}}}"#
        ),
        3 => format!(r#"{{"MessageId":"q-1","ReceiptHandle":"r","Body":{quoted}}}"#),
        _ => format!("[{text},{text}]"),
    };
    let transport_id = (wrapping >= 128).then(|| "t-1".to_owned());
    NativeEvent { transport_id, ..NativeEvent::new(wrapped) }
}

/// Takes the event all the way, and says what became of it.
pub fn catch(provider: &'static dyn Provider, native: &NativeEvent) -> Caught {
    let uid = event_uid::of_content(native);
    assert_eq!(uid, event_uid::of_content(native), "one content, one uid");
    assert!(!uid.is_empty() && uid.len() <= event_uid::MAX_BYTES);
    let mut caught = Caught::default();
    let parsed = parse_native(provider, native);
    assert_eq!(
        format!("{parsed:?}"),
        format!("{:?}", parse_native(provider, native)),
        "one event, one reading"
    );
    match parsed {
        Ok(Parsed::Filtered(_)) => {}
        Err(error) => caught.dead_letters.push(buried(native, &error)),
        Ok(Parsed::Events(events)) => {
            let room = MOST_FOR_A_BYTE * native.text.len() + OF_OUR_OWN * events.len();
            let mut size = 0;
            assert!(events.len() <= native.text.len() + 1, "an event takes at least a byte");
            for event in events {
                size += bytes(&event);
                assert!(size <= room, "{size} bytes of events from {}", native.text.len());
                match ready(provider, event) {
                    Ok(ready) => caught.events.push(ready),
                    Err(error) => caught.dead_letters.push(buried(native, &error)),
                }
            }
        }
    }
    caught
}

fn bytes(event: &ParsedEvent) -> usize {
    serde_json::to_string(event).expect("an event is JSON").len()
}

fn ready(provider: &'static dyn Provider, event: ParsedEvent) -> Result<ReadyEvent, ParseError> {
    let room = MOST_FOR_A_BYTE * bytes(&event) + OF_OUR_OWN;
    let storable = check(&event);
    if let Ok(targets) = targets(provider, &event) {
        let size = serde_json::to_string(&targets).expect("targets are JSON").len();
        assert!(size <= room, "{size} bytes of targets");
    }
    let preparation = Preparation { provider, ems: "demo", automation: &AUTOMATION, refresh: &REFRESH };
    let prepared = prepare(event, &preparation).map(|(ready, _)| ready);
    if let Err(error) = &storable {
        assert_eq!(prepared.as_ref().err(), Some(error), "what cannot be stored is not prepared");
    }
    prepared
}

/// As the parser actor makes a dead letter; it can always be stored.
fn buried(native: &NativeEvent, error: &ParseError) -> DeadLetter {
    assert!(!error.0.contains("panicked"), "{error}");
    let letter = dead_letter(&native.text, &error.0);
    assert!(
        !letter.native.contains('\0') && !letter.reason.contains('\0'),
        "no database holds NUL in a text"
    );
    assert!(letter.reason.len() <= 8 * native.text.len() + OF_OUR_OWN, "a reason may quote, not repeat");
    letter
}
