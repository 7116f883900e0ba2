//! `catchall top`: every EMS live on a terminal, by the running process, or by the VMDB where none answers.
//!
//! `feed` looks, `state` keeps what a person chose, `draw` shows it. Three threads, so that no key waits for a look: one
//! looks, one reads keys, and this one draws. The terminal is left as it was found, whatever ends it.

mod draw;
mod feed;
mod list;
mod look;
mod one;
mod order;
mod state;
#[cfg(test)]
mod tests;

use super::terminal::takes_colours;
use super::{CliError, failed, signals};
use crate::clock;
use crate::settings::Settings;
use draw::Paint;
use look::Look;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEvent};
use state::{Answer, State};
use std::io::{self, IsTerminal};
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::signal::unix::SignalKind;
use tokio::sync::watch;

/// What the drawing thread is told.
enum Message {
    /// How Catchall is now.
    Look(Box<Look>),
    /// A key.
    Key(KeyEvent),
    /// The terminal has another size.
    Resized,
    /// A thread ended, or the process was asked to.
    Ended(Option<String>),
}

/// `top`
///
/// # Errors
/// Where there is no terminal, or it cannot be used.
pub fn run(settings: &Settings) -> Result<(), CliError> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(CliError::Usage(
            "top needs a terminal to draw on; `catchall status --json` tells the same once".to_owned(),
        ));
    }
    let (tell, told) = channel();
    let (open, opened) = watch::channel(None);
    spawn("top-looks", &tell, {
        let (settings, tell) = (settings.clone(), tell.clone());
        move || {
            feed::run(&settings, opened, &tell);
            None
        }
    })?;
    spawn("top-signals", &tell, || signalled().err().map(|error| error.to_string()))?;
    // What is logged would be written over what is drawn.
    log::set_max_level(log::LevelFilter::Off);
    let mut terminal =
        ratatui::try_init().map_err(|error| failed(format!("the terminal cannot be used: {error}")))?;
    let ended = spawn("top-keys", &tell, {
        let tell = tell.clone();
        move || read_keys(&tell).err().map(|error| error.to_string())
    })
    .and_then(|()| show(&mut terminal, &told, &open));
    ratatui::restore();
    ended
}

/// Draws after every message, all that wait at once.
fn show(
    terminal: &mut DefaultTerminal,
    told: &Receiver<Message>,
    open: &watch::Sender<Option<i64>>,
) -> Result<(), CliError> {
    let paint = Paint { colours: takes_colours(|name| std::env::var(name).ok()) };
    let mut state = State::default();
    loop {
        terminal
            .draw(|frame| draw::draw(frame, &mut state, paint, clock::now()))
            .map_err(|error| failed(format!("cannot draw: {error}")))?;
        let Ok(first) = told.recv() else { return Ok(()) };
        for message in std::iter::once(first).chain(told.try_iter()) {
            match message {
                Message::Look(look) => state.see(*look),
                Message::Resized => {}
                Message::Key(key) if state.key(key) == Answer::Quit => return Ok(()),
                Message::Key(_) => {
                    open.send_if_modified(|open| std::mem::replace(open, state.wanted()) != state.wanted());
                }
                Message::Ended(why) => return why.map_or(Ok(()), |why| Err(failed(why))),
            }
        }
    }
}

/// Reads until the terminal is gone.
fn read_keys(tell: &Sender<Message>) -> io::Result<()> {
    loop {
        let message = match event::read()? {
            Event::Key(key) => Message::Key(key),
            Event::Resize(..) => Message::Resized,
            _ => continue,
        };
        if tell.send(message).is_err() {
            return Ok(());
        }
    }
}

/// Waits until the process is asked to end.
fn signalled() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(signals::first_of(&[SignalKind::terminate(), SignalKind::hangup()]))
}

/// A thread whose end, also by a panic, ends all.
fn spawn(
    name: &str,
    tell: &Sender<Message>,
    work: impl FnOnce() -> Option<String> + Send + 'static,
) -> Result<(), CliError> {
    struct Ends(Sender<Message>, Option<String>);
    impl Drop for Ends {
        fn drop(&mut self) {
            let panicked =
                std::thread::panicking().then(|| "a mistake in catchall top, please report it".to_owned());
            let _ = self.0.send(Message::Ended(panicked.or(self.1.take())));
        }
    }
    let ends = Ends(tell.clone(), None);
    let work = move || {
        let mut ends = ends;
        ends.1 = work();
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop).map_err(failed)
}
