//! The timeline as somebody meets it who looks: a real Chromium, driven through WebDriver, before a real server with a day's
//! events. `scripts/services` brings Chromium and axe-core; `SKIP=chromium` and `SKIP=axe` leave out what needs them, aloud.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "browser/barriers.rs"]
mod barriers;
#[path = "browser/chromium.rs"]
mod chromium;
#[path = "browser/day.rs"]
mod day;
#[path = "browser/keyboard.rs"]
mod keyboard;
#[path = "browser/looking.rs"]
mod looking;
#[path = "browser/pictures.rs"]
mod pictures;
#[path = "browser/site.rs"]
mod site;
