//! Text in columns for a terminal. What providers sent cannot move the cursor: control characters are replaced.

/// Which way a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows below their headings, aligned; the last column is not padded.
pub fn table<const N: usize>(headings: [(&str, Align); N], rows: &[[String; N]]) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| one_line(cell))).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].0.chars().count()]).max().unwrap_or(0)
    });
    let mut text = String::new();
    let headings_row = headings.map(|(heading, _)| heading.to_owned());
    for row in [headings_row].iter().chain(&rows) {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column] - cell.chars().count());
            match headings[column].1 {
                Align::Left => line.extend([cell, &*padding]),
                Align::Right => line.extend([&*padding, cell]),
            }
            line.push_str("  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// On one line, and without anything that a terminal obeys.
pub fn one_line(text: &str) -> String {
    let tame = |character: char| match character {
        '\n' | '\t' | '\r' => ' ',
        control if control.is_control() => '\u{FFFD}',
        other => other,
    };
    text.chars().map(tame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_a_terminal_obeys_nothing_in_them() {
        let rows = [
            ["dämon".to_owned(), "7".to_owned(), "well".to_owned()],
            ["a\u{1b}[2J\nb".to_owned(), "1234".to_owned(), String::new()],
        ];
        assert_eq!(
            table([("EMS", Align::Left), ("EVENTS", Align::Right), ("SAYS", Align::Left)], &rows),
            "EMS      EVENTS  SAYS\ndämon         7  well\na\u{FFFD}[2J b    1234\n"
        );
    }
}
