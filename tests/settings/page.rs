//! docs/settings.md and the list of keys name the same keys.

use catchall::settings::schema::KEYS;
use std::collections::BTreeSet;

#[test]
fn the_page_explains_every_key_and_no_other() {
    let page = include_str!("../../docs/settings.md");
    let explained: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let known: BTreeSet<&str> = KEYS.iter().map(|(path, _)| *path).collect();
    let missing: Vec<_> = known.difference(&explained).collect();
    let surplus: Vec<_> = explained.difference(&known).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "not on the page: {missing:?}; no keys: {surplus:?}");
}
