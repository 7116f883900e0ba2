//! `catchall top` on a pseudo-terminal beside a running Catchall.

use crate::house::House;
use crate::process::eventually;
use crate::pty::Pty;
use std::fs;
use std::process::Command;

const LEAVES_THE_OTHER_SCREEN: &str = "\u{1b}[?1049l";

/// `top` between two looks at the terminal's modes.
fn top() -> String {
    let program = env!("CARGO_BIN_EXE_catchall");
    format!(
        "stty -g >before; sh -c 'echo $$ >pid; exec {program} top'; status=$?; stty -g >after; exit $status"
    )
}

fn is_left_as_it_was(house: &House, raw: &str) {
    let modes = |name: &str| fs::read_to_string(house.path().join(name)).unwrap();
    assert_eq!(modes("before"), modes("after"), "the terminal's modes");
    assert!(raw.contains(LEAVES_THE_OTHER_SCREEN), "{raw:?}");
    assert!(raw.contains("\u{1b}[?25h"), "the cursor is shown: {raw:?}");
}

#[test]
fn top_shows_every_ems_live_and_answers_keys() {
    let house = House::on_sqlite();
    let mut running = house.run_until_stored(5);
    let resize = "(while [ ! -e resize ]; do sleep 0.05; done; stty cols 120 rows 30 </dev/tty) &";
    let mut top = Pty::start(house.path(), (80, 24), &format!("{resize} {}", top()));
    let screen = top.shows("demo cloud");
    assert!(screen.starts_with(concat!("Catchall ", env!("CARGO_PKG_VERSION"), " · up ")), "{screen}");
    top.shows("1 EMS: 1 running");
    assert!(screen.lines().last().unwrap().starts_with("q quit"), "{screen}");

    top.type_keys("/nothing");
    top.shows("No EMS meets the filter");
    top.type_keys("\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}demo\r");
    top.shows("› demo cloud");
    top.type_keys("\r");
    let one = top.shows("LATEST EVENTS");
    assert!(one.contains("ACTOR") && one.contains("stream"), "{one}");
    top.shows("com.awesome-cloud.");
    house.cloud.happen(30);
    top.shows("events 35");

    fs::write(house.path().join("resize"), "").unwrap();
    eventually("it is drawn in the new size", || {
        top.is_now(120, 30);
        let screen = top.screen();
        let foot = screen.lines().last().unwrap_or_default();
        if foot.starts_with("Esc back") { Ok(()) } else { Err(screen) }
    });
    top.type_keys("\u{7f}");
    top.shows("USUAL EV/S");
    assert!(running.terminate().success());
    top.shows("Told by the VMDB alone: no Catchall answers at 127.0.0.1:");
    top.shows("1 EMS: 1 enabled");
    top.type_keys("q");
    let (success, raw) = top.ended();
    assert!(success);
    is_left_as_it_was(&house, &raw);
}

#[test]
fn top_leaves_the_terminal_as_it_was_however_it_ends() {
    let house = House::on_sqlite();
    assert!(house.output(&["migrate"]).status.success());
    for keys in ["q", "\u{3}", "\u{1b}"] {
        let mut top = Pty::start(house.path(), (80, 24), &top());
        top.shows("No EMS is known yet.");
        top.type_keys(keys);
        let (success, raw) = top.ended();
        assert!(success, "{keys:?}");
        is_left_as_it_was(&house, &raw);
    }
    let top = Pty::start(house.path(), (80, 24), &top());
    top.shows("No EMS is known yet.");
    let pid = fs::read_to_string(house.path().join("pid")).unwrap();
    assert!(Command::new("kill").args(["-TERM", pid.trim()]).status().unwrap().success());
    let (success, raw) = top.ended();
    assert!(success, "{raw:?}");
    is_left_as_it_was(&house, &raw);
}

#[test]
fn top_without_colours_writes_none() {
    let house = House::on_sqlite();
    assert!(house.output(&["migrate"]).status.success());
    let mut top = Pty::start(house.path(), (80, 24), &format!("export NO_COLOR=1; {}", top()));
    let screen = top.shows("No EMS is known yet.");
    assert!(screen.starts_with("Told by the VMDB alone: no Catchall answers"), "{screen}");
    top.type_keys("q");
    let (_, raw) = top.ended();
    let colours = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[38;"];
    assert!(colours.iter().all(|colour| !raw.contains(colour)), "{raw:?}");
}

#[test]
fn top_without_a_terminal_says_what_tells_the_same() {
    let house = House::on_sqlite();
    let output = house.output(&["top"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("top needs a terminal") && said.contains("`catchall status --json`"), "{said}");
}
