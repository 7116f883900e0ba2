//! What `top` shows: the last look, and what the person in front of it chose. Keys and looks change it; drawing reads it.

use super::look::Look;
use super::order::{Order, shows};
use crate::cli::pipeline::EmsState;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::widgets::TableState;
use std::collections::VecDeque;

/// Seconds that the sparkline remembers.
const MOST_RATES: usize = 600;
/// Lines that a page is.
const PAGE: isize = 10;

/// The state.
#[derive(Debug, Default)]
pub struct State {
    /// The last look; `None` until the first one.
    pub look: Option<Look>,
    /// Events per second of all EMSs together at each look, the latest last.
    pub rates: VecDeque<u64>,
    /// What EMSs are sorted by.
    pub order: Order,
    /// The other way round.
    pub reversed: bool,
    /// What is looked for.
    pub filter: String,
    /// Whether keys go into the filter.
    pub editing: bool,
    /// Which EMS is chosen, by its name.
    pub chosen: Option<String>,
    /// Whether it was chosen by hand; else it is the first, whichever that is.
    pub by_hand: bool,
    /// Whether that one alone is shown.
    pub open: bool,
    /// How far the list of EMSs was scrolled.
    pub list: TableState,
    /// How many lines the events of the open one were scrolled.
    pub scrolled: usize,
}

/// What a key comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Something else may be shown now.
    Draw,
    /// The end.
    Quit,
}

impl State {
    /// Takes a look in.
    pub fn see(&mut self, look: Look) {
        if let Some(rate) = self.look.as_ref().and_then(|before| rate(before, &look)) {
            self.rates.push_back(rate);
            if self.rates.len() > MOST_RATES {
                self.rates.pop_front();
            }
        }
        self.look = Some(look);
        self.keep_chosen();
    }

    /// The EMSs that are shown, in order.
    pub fn shown(&self) -> Vec<&EmsState> {
        let all = self.look.iter().flat_map(|look| &look.all_ems);
        let mut shown: Vec<_> =
            all.filter(|ems| self.filter.is_empty() || shows(&self.filter, ems)).collect();
        self.order.sort(&mut shown, self.reversed);
        shown
    }

    /// The EMS that is chosen.
    pub fn chosen(&self) -> Option<&EmsState> {
        let name = self.chosen.as_ref()?;
        self.look.iter().flat_map(|look| &look.all_ems).find(|ems| ems.name == *name)
    }

    /// The id of the EMS that more is wanted of.
    pub fn wanted(&self) -> Option<i64> {
        self.chosen().filter(|_| self.open)?.id
    }

    /// A key was pressed.
    pub fn key(&mut self, key: KeyEvent) -> Answer {
        if key.kind == KeyEventKind::Release {
            return Answer::Draw;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Answer::Quit } else { Answer::Draw };
        }
        match (self.editing, self.open) {
            (true, _) => self.key_of_filter(key.code),
            (false, true) => self.key_of_one(key.code),
            (false, false) => self.key_of_list(key.code),
        }
    }

    fn key_of_filter(&mut self, key: KeyCode) -> Answer {
        match key {
            KeyCode::Enter => self.editing = false,
            KeyCode::Esc => {
                self.editing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(character) => self.filter.push(character),
            KeyCode::Up => self.step(-1),
            KeyCode::Down => self.step(1),
            _ => {}
        }
        self.keep_chosen();
        Answer::Draw
    }

    fn key_of_one(&mut self, key: KeyCode) -> Answer {
        let scroll = |by: isize| self.scrolled.saturating_add_signed(by);
        match key {
            KeyCode::Char('q') => return Answer::Quit,
            KeyCode::Esc | KeyCode::Enter | KeyCode::Backspace | KeyCode::Left => self.open = false,
            KeyCode::Up | KeyCode::Char('k') => self.scrolled = scroll(-1),
            KeyCode::Down | KeyCode::Char('j') => self.scrolled = scroll(1),
            KeyCode::PageUp => self.scrolled = scroll(-PAGE),
            KeyCode::PageDown => self.scrolled = scroll(PAGE),
            KeyCode::Home => self.scrolled = 0,
            _ => {}
        }
        Answer::Draw
    }

    fn key_of_list(&mut self, key: KeyCode) -> Answer {
        match key {
            KeyCode::Char('q') => return Answer::Quit,
            KeyCode::Esc if self.filter.is_empty() => return Answer::Quit,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('/') => self.editing = true,
            KeyCode::Char('s') => self.order = self.order.further(1),
            KeyCode::Char('S') => self.order = self.order.further(-1),
            KeyCode::Char('r') => self.reversed = !self.reversed,
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::PageUp => self.step(-PAGE),
            KeyCode::PageDown => self.step(PAGE),
            KeyCode::Home | KeyCode::Char('g') => self.step(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.step(isize::MAX),
            KeyCode::Enter | KeyCode::Right if self.chosen.is_some() => {
                self.open = true;
                self.by_hand = true;
                self.scrolled = 0;
            }
            _ => {}
        }
        self.keep_chosen();
        Answer::Draw
    }

    /// Chooses the one so many lines below.
    fn step(&mut self, by: isize) {
        self.by_hand = by != isize::MIN;
        let shown = self.shown();
        let at = shown.iter().position(|ems| Some(&ems.name) == self.chosen.as_ref()).unwrap_or_default();
        let last = shown.len().saturating_sub(1);
        self.chosen = shown.get(at.saturating_add_signed(by).min(last)).map(|ems| ems.name.clone());
    }

    /// One that is no longer shown gives way to the first that is, and so does one that nobody chose.
    fn keep_chosen(&mut self) {
        if self.open && self.chosen().is_some() {
            return;
        }
        self.open = false;
        let shown = self.shown();
        let by_hand = shown.iter().find(|ems| self.by_hand && Some(&ems.name) == self.chosen.as_ref());
        let chosen = by_hand.or_else(|| shown.first());
        self.chosen = chosen.map(|ems| ems.name.clone());
    }
}

/// Events per second between two looks at the same process.
fn rate(before: &Look, now: &Look) -> Option<u64> {
    let (was, is) = before.events_total().zip(now.events_total())?;
    if before.started_on() != now.started_on() {
        return None;
    }
    let seconds = (now.at - before.at).num_milliseconds().max(1) as f64 / 1e3;
    Some((is.saturating_sub(was) as f64 / seconds).round() as u64)
}
