//! What a ParserActor is given when nothing is set: the built-in switchboard, no blacklist.

use catchall::automate::{Automation, SharedAutomation};
use catchall::event_catcher::parser::ParserSettings;
use catchall::providers::PROVIDERS;
use catchall::settings::{EventNameFilter, RefreshSettings};
use catchall::switchboard::{Switchboard, builtin_domain};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

pub fn shipped() -> ParserSettings {
    let (switchboard, _) = Switchboard::load(builtin_domain(PROVIDERS), &[]).unwrap();
    ParserSettings {
        filter: EventNameFilter::default(),
        refresh: RefreshSettings {
            enabled: true,
            allow_targeted_refresh: true,
            refresh_interval: DAY,
            full_refresh_threshold: 100,
        },
        // Recorded events are old; to be measured they must not be too old.
        keep_events: 36_500 * DAY,
        ems_name: "bench".to_owned(),
        automation: SharedAutomation::new(Automation { switchboard, ..Automation::default() }),
    }
}
