//! What standard output is, a terminal with a width and colours or a pipe, and writing to it, also when nobody reads any more.
//!
//! Colours are for terminals that take them: `NO_COLOR` and `TERM=dumb` are honoured, and no meaning is in a colour alone.

use super::{CliError, failed};
use ratatui::crossterm::terminal;
use ratatui::text::Span;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// What is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// How many characters are in a line; `None`: a pipe or a file, which have no end.
    pub columns: Option<usize>,
    /// Whether it is told in colours, too.
    pub colours: bool,
}

/// How a text is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Like any other.
    #[default]
    Plain,
    /// All is well.
    Good,
    /// Worth a look.
    Warning,
    /// Something is wrong.
    Bad,
    /// Of less interest than what stands beside it.
    Quiet,
}

/// Whether somebody still reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// It was taken.
    Listens,
    /// The pipe is closed, as `| head` does once it has enough: nothing is wrong, and nothing more is to be written.
    Gone,
}

impl Screen {
    /// Standard output.
    pub fn of_stdout() -> Self {
        if !io::stdout().is_terminal() {
            return Self::default();
        }
        let columns =
            terminal::size().ok().map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0);
        Self { columns, colours: takes_colours(|name| std::env::var(name).ok()) }
    }

    /// `text` in the colour of its tone, where there are colours.
    pub fn paint(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => None,
            Tone::Good => Some("32"),
            Tone::Warning => Some("33"),
            Tone::Bad => Some("31"),
            Tone::Quiet => Some("2"),
        };
        match code.filter(|_| self.colours && !text.is_empty()) {
            Some(code) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }
}

/// Whether colours are wanted, by the environment (<https://no-color.org>).
pub fn takes_colours(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable("NO_COLOR").is_none_or(|value| value.is_empty())
        && variable("TERM").is_none_or(|term| term != "dumb")
}

/// Writes `text` to standard output, at once.
///
/// # Errors
/// When it cannot be written for another reason than that nobody reads it.
pub fn print(text: &str) -> Result<Reader, CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(failed(format!("cannot write to standard output: {error}"))),
    }
}

/// How many columns `text` takes on a terminal.
pub fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// `text` in at most so many columns; what is left out is an ellipsis.
pub fn shortened(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (mut short, mut taken) = (String::new(), 0);
    for character in text.chars() {
        let wide = width(character.encode_utf8(&mut [0; 4]));
        if taken + wide + 1 > columns {
            break;
        }
        short.push(character);
        taken += wide;
    }
    if columns > 0 {
        short.push('…');
    }
    short
}

/// On one line, and without anything that a terminal obeys or that turns the direction of what follows.
pub fn one_line(text: &str) -> String {
    let tame = |character: char| match character {
        '\n' | '\t' | '\r' => ' ',
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
        control if control.is_control() => '\u{FFFD}',
        other => other,
    };
    text.chars().map(tame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_those_who_did_not_say_no() {
        let with = |pairs: &'static [(&str, &str)]| {
            takes_colours(move |name| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
            })
        };
        assert!(with(&[]) && with(&[("TERM", "xterm")]) && with(&[("NO_COLOR", "")]));
        assert!(!with(&[("NO_COLOR", "1")]) && !with(&[("TERM", "dumb")]));
        let colours = Screen { columns: None, colours: true };
        assert_eq!(colours.paint("away", Tone::Bad), "\u{1b}[31maway\u{1b}[0m");
        assert_eq!(Screen::default().paint("away", Tone::Bad), "away");
    }

    #[test]
    fn a_text_is_shortened_by_what_it_takes_on_a_terminal() {
        assert_eq!(shortened("event", 5), "event");
        assert_eq!(shortened("events", 5), "even…");
        assert_eq!(shortened("雲雲雲", 5), "雲雲…");
        assert_eq!(shortened("雲雲雲", 4), "雲…");
        assert_eq!(shortened("a", 0), "");
    }

    #[test]
    fn a_terminal_obeys_nothing_of_a_text() {
        assert_eq!(one_line("a\u{1b}[2J\nb\u{202E}c"), "a\u{FFFD}[2J b\u{FFFD}c");
    }
}
