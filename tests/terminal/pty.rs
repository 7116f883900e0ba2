//! A pseudo-terminal, by `script` of util-linux, which every Linux has; and the little of a terminal that is needed to
//! read what was drawn on it.

use crate::process::eventually;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A terminal with a shell command in it.
pub struct Pty {
    child: Child,
    seen: Arc<Mutex<Vec<u8>>>,
    size: (usize, usize),
}

impl Pty {
    /// Runs `shell` on a terminal of so many columns and lines.
    pub fn start(folder: &Path, (columns, lines): (usize, usize), shell: &str) -> Self {
        let shell = format!("stty cols {columns} rows {lines}; {shell}");
        let mut command = Command::new("script");
        command.args(["-qefc", &shell, "/dev/null"]).current_dir(folder);
        command.env("SHELL", "/bin/sh").env("TERM", "xterm-256color").env_remove("NO_COLOR");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script, of util-linux, is on every Linux");
        let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (mut out, bytes) = (child.stdout.take().unwrap(), seen.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut buffer) {
                bytes.lock().unwrap().extend(&buffer[..count]);
            }
        });
        Self { child, seen, size: (columns, lines) }
    }

    /// Types.
    pub fn type_keys(&mut self, keys: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).and_then(|()| stdin.flush()).unwrap();
    }

    /// It has another size from now on.
    pub fn is_now(&mut self, columns: usize, lines: usize) {
        self.size = (columns, lines);
    }

    /// Everything that was written.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// What stands on it now.
    pub fn screen(&self) -> String {
        screen(&self.raw(), self.size)
    }

    /// Waits until it shows `words`.
    pub fn shows(&self, words: &str) -> String {
        eventually(&format!("the terminal shows {words:?}"), || {
            let screen = self.screen();
            if screen.contains(words) { Ok(screen) } else { Err(screen) }
        })
    }

    /// Waits for the end of the command in it.
    pub fn ended(mut self) -> (bool, String) {
        let status =
            eventually("the command ends", || self.child.try_wait().unwrap().ok_or_else(|| self.screen()));
        (status.success(), self.raw())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Cursor moves, erasing, and characters; colours and modes are passed over.
pub fn screen(raw: &str, (columns, lines): (usize, usize)) -> String {
    let mut cells = vec![vec![' '; columns]; lines];
    let (mut column, mut line) = (0, 0);
    let mut characters = raw.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.peek() == Some(&'[') => {
                characters.next();
                let mut argument = String::new();
                let command = characters.by_ref().find(|c| {
                    let ends = c.is_ascii_alphabetic();
                    if !ends {
                        argument.push(*c);
                    }
                    ends
                });
                let numbers: Vec<usize> = argument.split(';').map(|n| n.parse().unwrap_or(1)).collect();
                match command {
                    Some('H') => {
                        line = numbers[0].saturating_sub(1);
                        column = numbers.get(1).map_or(0, |n| n.saturating_sub(1));
                    }
                    Some('J') => cells.iter_mut().flatten().for_each(|cell| *cell = ' '),
                    _ => {}
                }
            }
            '\r' => column = 0,
            '\n' => line += 1,
            '\u{1b}' => drop(characters.next()),
            character => {
                if let Some(cell) = cells.get_mut(line).and_then(|cells| cells.get_mut(column)) {
                    *cell = character;
                }
                column += 1;
            }
        }
    }
    let lines = cells.iter().map(|cells| cells.iter().collect::<String>().trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_screen_is_what_was_written_where_the_cursor_was() {
    let raw = "\u{1b}[?1049h\u{1b}[2J\u{1b}[2;3H\u{1b}[31mred\u{1b}[0m\u{1b}[1;1Htop\r\nx";
    assert_eq!(screen(raw, (8, 2)), "top\nx red");
}
