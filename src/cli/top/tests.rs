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
        id,
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

fn without_process(all_ems: Vec<EmsState>) -> Look {
    let why = NotAsked::Nobody("127.0.0.1:8484".parse().unwrap());
    Look { process: Err(why), ..look(all_ems, 0) }
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

#[test]
fn three_emss_on_80_columns() {
    let mut state = State::default();
    state.see(look(three(), -1));
    let more = three().into_iter().map(|ems| EmsState { events_total: Some(1004), ..ems });
    state.see(look(more.collect(), 0));
    let lines = drawn(&mut state, (80, 14 + 2));
    for line in &lines {
        println!("{line}|");
    }
}

#[test]
fn one_ems_on_80_columns() {
    let mut state = State::default();
    state.see(look(three(), 0));
    press(&mut state, &[KeyCode::End, KeyCode::Enter]);
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
        work_id: None,
    };
    let events = vec![event(8, "vm.start", None), event(7, "vm.stop", Some("two\nlines"))];
    let latest = Latest { ems_id: 1, events, names: Default::default() };
    state.see(Look { latest: Some(latest), ..look(three(), 0) });
    let lines = drawn(&mut state, (80, 24));
    for line in &lines {
        println!("{line}|");
    }
}
