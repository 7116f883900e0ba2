use super::draw::{Paint, draw};
use super::look::{Latest, Look};
use super::state::{Answer, State};
use crate::cli::pipeline::{ActorRow, EmsState, NotAsked, Pipeline, Process, VmdbState};
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::timeline::{EventResource, Position, TimelineEvent};
use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_500_000, 0).unwrap()
}

fn ems(id: i64, name: &str, state: &str) -> EmsState {
    EmsState {
        id: Some(id),
        name: name.to_owned(),
        class_name: "ManageIQ::Providers::AwesomeCloud::CloudManager".to_owned(),
        state: state.to_owned(),
        last_event_on: Some(now() - TimeDelta::seconds(3)),
        lag_seconds: Some(0.24),
        events_total: Some(1000),
        events_per_second: Some(2.0),
        restarts: Some(0),
        waiting_work: Some(0),
        dead_letters: Some(0),
        gaps: Some(0),
        ..EmsState::default()
    }
}

fn three() -> Vec<EmsState> {
    let away = EmsState {
        error: Some("connection refused".to_owned()),
        events_per_second: Some(0.0),
        last_event_on: Some(now() - TimeDelta::minutes(12)),
        ..ems(2, "berlin\u{1b}[2J", "backing_off")
    };
    let lossy = EmsState { gaps: Some(2), dead_letters: Some(1), ..ems(3, "amsterdam", "running") };
    vec![ems(1, "zurich", "running"), away, lossy]
}

fn look(all_ems: Vec<EmsState>, after: i64) -> Look {
    let pipeline = Pipeline {
        version: Some("0.1.0".to_owned()),
        process: Process {
            started_on: Some(now() - TimeDelta::hours(3)),
            resident_memory_bytes: Some(64 << 20),
            cores_used: None,
        },
        vmdb: VmdbState { answers: true, error: None },
        ems: all_ems.clone(),
        actors: vec![ActorRow {
            actor: "stream".to_owned(),
            ems: Some("zurich".to_owned()),
            state: "running".to_owned(),
            handled: Some(7),
            ..ActorRow::default()
        }],
        ..Pipeline::default()
    };
    let at = now() + TimeDelta::seconds(after);
    Look { at, process: Ok(pipeline), all_ems, vmdb_error: None, latest: None }
}

fn drawn(state: &mut State, (columns, lines): (u16, u16)) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
    terminal.draw(|frame| draw(frame, state, Paint { colours: false }, now())).unwrap();
    let buffer = terminal.backend().buffer();
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    let line = |at: u16| (0..columns).map(|column| buffer[(column, at)].symbol()).collect::<String>();
    (0..lines).map(|at| line(at).trim_end().to_owned()).collect()
}

fn press(state: &mut State, keys: &[KeyCode]) -> Answer {
    let answers = keys.iter().map(|key| state.key(KeyEvent::new(*key, KeyModifiers::NONE)));
    answers.last().unwrap()
}

fn typed(text: &str) -> Vec<KeyCode> {
    text.chars().map(KeyCode::Char).collect()
}

fn names(state: &State) -> Vec<String> {
    state.shown().iter().map(|ems| ems.name.chars().take(6).collect()).collect()
}

fn shown(state: &mut State, size: (u16, u16), picture: &str) {
    let lines = drawn(state, size);
    let expected: Vec<&str> = picture.lines().skip(1).collect();
    assert_eq!(lines, expected, "\n{}\n", lines.join("\n"));
}

#[test]
fn three_emss_on_80_columns_the_worst_first_and_what_is_wrong_with_it() {
    let mut state = State::default();
    state.see(look(three(), -1));
    let more = three().into_iter().map(|ems| EmsState { events_total: Some(1004), ..ems });
    state.see(look(more.collect(), 0));
    let picture = "
Catchall 0.1.0 · up 3 h · 64 MB · VMDB answers                         06:00:00Z
3 EMSs: 1 backing off, 2 running · 4.0 ev/s · waiting 0 · dead 1 · gaps 2
events/s, at most 12  █

  EMS         STATE        EV/S     LAG  LAST EVENT  WAITING  DEAD  GAPS
› berlin\u{FFFD}[2J  backing off     0  240 ms  12 min ago        0     0     0
  amsterdam   running       2.0  240 ms   3.0 s ago        0     1     2
  zurich      running       2.0  240 ms   3.0 s ago        0     0     0




berlin\u{FFFD}[2J: backing off: connection refused; it is tried again by itself;
`catchall check --connect` says what fails

q quit  ↑↓ choose  Enter look at one  s worst first  r reverse  / filter";
    shown(&mut state, (80, 16), picture);
}

#[test]
fn a_wide_terminal_has_more_columns_and_the_errors() {
    let mut state = State::default();
    state.see(look(three(), 0));
    let lines = drawn(&mut state, (140, 20));
    assert!(lines[4].ends_with("RESTARTS  USUAL EV/S  ERROR"), "{lines:#?}");
    assert!(lines[5].ends_with("-  connection refused"), "{lines:#?}");
}

#[test]
fn one_ems_with_its_actors_and_its_latest_events() {
    let mut state = State::default();
    state.see(look(three(), 0));
    press(&mut state, &[KeyCode::End, KeyCode::Enter]);
    assert_eq!(state.wanted(), Some(1));
    let event = |id: i64, event_type: &str, message: Option<&str>| TimelineEvent {
        position: Position { timestamp: now() - TimeDelta::seconds(60 - id), id },
        created_on: None,
        ems_id: Some(1),
        event_type: event_type.to_owned(),
        message: message.map(str::to_owned),
        resources: vec![EventResource {
            kind: ResourceKind::Vm,
            id: Some(4),
            name: Some("web-1".to_owned()),
            destination: false,
        }],
        refresh: None,
        folded: 0,
        chain_id: None,
        work_id: None,
    };
    let events = vec![event(8, "vm.start", None), event(7, "vm.stop", Some("two\nlines"))];
    let busy = EmsState { events_of_minutes: vec![0, 1, 4, 8], ..ems(1, "zurich", "running") };
    state.see(Look { latest: Some(Latest { ems_id: 1, events }), ..look(vec![busy], 0) });
    let picture = "
Catchall 0.1.0 · up 3 h · 64 MB · VMDB answers                         06:00:00Z
1 EMS: 1 running · 2.0 ev/s · waiting 0 · dead 0 · gaps 0
zurich  running  ManageIQ::Providers::AwesomeCloud::CloudManager
last event 3.0 s ago · lag 240 ms · 2.0 ev/s
refreshed never · work waiting 0 · dead letters 0 · gaps 0
events 1000 · restarts 0
events/min, at most 8   ▁▄█

ACTOR             STATE           IN FLIGHT   HANDLED FAILED  WAITED
  stream          running                 -         7      -       -
LATEST EVENTS
  2026-11-24 05:59:08Z  vm.start  VM web-1
  2026-11-24 05:59:07Z  vm.stop   VM web-1: two lines

Esc back  ↑↓ scroll events  q quit";
    shown(&mut state, (80, 15), picture);
    press(&mut state, &[KeyCode::PageDown]);
    let lines = drawn(&mut state, (80, 13));
    assert!(lines[11].contains("vm.stop"), "what does not fit is scrolled to: {lines:#?}");
    assert_eq!(press(&mut state, &[KeyCode::Esc]), Answer::Draw);
    assert_eq!(state.wanted(), None);
}

#[test]
fn without_a_process_a_banner_says_so_and_what_nobody_knows_is_a_dash() {
    let mut state = State::default();
    let stored = three().into_iter().map(|ems| EmsState {
        state: "enabled".to_owned(),
        events_per_second: None,
        lag_seconds: None,
        error: None,
        dead_letters: Some(0),
        gaps: Some(0),
        ..ems
    });
    let why = NotAsked::Nobody("127.0.0.1:8484".parse().unwrap());
    state.see(Look { process: Err(why), ..look(stored.collect(), 0) });
    let lines = drawn(&mut state, (80, 24));
    assert!(
        lines[0].starts_with("Told by the VMDB alone: no Catchall answers at 127.0.0.1:8484  "),
        "{lines:#?}"
    );
    assert!(lines[1].starts_with("3 EMSs: 3 enabled · waiting 0"), "{lines:#?}");
    assert!(lines[5].starts_with("› amsterdam   enabled     -    -   3.0 s ago"), "{lines:#?}");
}

#[test]
fn keys_sort_filter_choose_and_end() {
    let mut state = State::default();
    state.see(look(three(), 0));
    assert_eq!(names(&state), ["berlin", "amster", "zurich"]);
    press(&mut state, &[KeyCode::Down, KeyCode::Down, KeyCode::Up, KeyCode::Up]);
    press(&mut state, &typed("s"));
    assert_eq!(names(&state), ["amster", "berlin", "zurich"]);
    press(&mut state, &typed("r"));
    assert_eq!(names(&state), ["zurich", "berlin", "amster"]);
    assert_eq!(state.chosen().unwrap().id, Some(2), "who was chosen stays so");
    press(&mut state, &[KeyCode::Down]);
    assert_eq!(state.chosen().unwrap().id, Some(3));
    press(&mut state, &[KeyCode::Home]);
    press(&mut state, &typed("r"));
    assert_eq!(state.chosen().unwrap().id, Some(3), "the first is chosen, whichever that is");

    press(&mut state, &typed("/qus"));
    assert!(names(&state).is_empty(), "q goes into the filter");
    press(&mut state, &[KeyCode::Backspace, KeyCode::Backspace, KeyCode::Backspace]);
    press(&mut state, &typed("Backing"));
    press(&mut state, &[KeyCode::Enter]);
    assert_eq!(names(&state), ["berlin"], "by state, capitals or not");
    assert_eq!(state.chosen().unwrap().id, Some(2));
    assert_eq!(press(&mut state, &[KeyCode::Esc]), Answer::Draw, "the filter goes first");
    assert_eq!(press(&mut state, &[KeyCode::Esc]), Answer::Quit);
    assert_eq!(press(&mut state, &typed("q")), Answer::Quit);
    let control = |key| KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL);
    press(&mut state, &typed("/"));
    assert_eq!(state.key(control('d')), Answer::Draw);
    assert_eq!(state.key(control('c')), Answer::Quit, "also while a filter is typed");
}

#[test]
fn of_300_emss_the_chosen_one_is_in_sight_at_every_size() {
    let mut state = State::default();
    state.see(look((0..300).map(|id| ems(id, &format!("cloud {id:03}"), "running")).collect(), 0));
    press(&mut state, &[KeyCode::End]);
    for size in [(80, 24), (160, 50), (40, 8), (20, 3), (1, 1)] {
        let lines = drawn(&mut state, size);
        assert!(
            size.1 < 8 || lines.iter().any(|line| line.starts_with("› cloud 299")),
            "{size:?}: {lines:#?}"
        );
    }
    press(&mut state, &[KeyCode::Home, KeyCode::PageDown]);
    assert!(drawn(&mut state, (80, 24)).iter().any(|line| line.starts_with("› cloud 010")));
}

#[test]
fn rates_are_those_of_one_process() {
    let mut state = State::default();
    let total =
        |events, after| look(vec![EmsState { events_total: Some(events), ..ems(1, "a", "running") }], after);
    state.see(total(100, 0));
    state.see(total(160, 2));
    let mut another = total(7, 3);
    if let Ok(pipeline) = &mut another.process {
        pipeline.process.started_on = Some(now());
    }
    state.see(another);
    assert_eq!(state.rates, [30], "another process counts from 0");
}
