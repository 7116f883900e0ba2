//! Text in columns. What providers sent cannot move the cursor: control characters are replaced.
//!
//! On a terminal that is too narrow, the columns that matter least are left out, and then the first one is shortened.

use super::terminal::{self, Screen, Tone};

pub use super::terminal::one_line;

/// Which way a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub heading: &'static str,
    /// Which way its cells stand.
    pub align: Align,
    /// Where there is no room for all, the column with the greatest number is left out first; 0 is never left out.
    pub spare: u8,
}

impl Column {
    /// A column.
    pub const fn new(heading: &'static str, align: Align, spare: u8) -> Self {
        Self { heading, align, spare }
    }
}

/// What stands in a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// In words.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

impl Cell {
    /// A cell.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

const BETWEEN: &str = "  ";
/// The first column is not shortened further than this.
const SHORTEST: usize = 8;

/// Rows below their headings, aligned, in full.
pub fn table<const N: usize>(headings: [(&'static str, Align); N], rows: &[[String; N]]) -> String {
    let columns = headings.map(|(heading, align)| Column::new(heading, align, 0));
    let rows = rows.iter().map(|row| row.iter().map(|text| Cell::from(text.as_str())).collect()).collect();
    fitted(&columns, rows, &Screen::default())
}

/// Rows below their headings, aligned, in the width and the colours of `screen`.
pub fn fitted(columns: &[Column], mut rows: Vec<Vec<Cell>>, screen: &Screen) -> String {
    let shown = layout(columns, &mut rows, screen.columns);
    let heading = columns.iter().map(|column| Cell::new(column.heading, Tone::Quiet)).collect();
    let mut text = String::new();
    for row in [heading].iter().chain(&rows) {
        let cells = shown.iter().map(|(at, width)| aligned(&row[*at], columns[*at].align, *width, screen));
        text.push_str(cells.collect::<Vec<_>>().join(BETWEEN).trim_end());
        text.push('\n');
    }
    text
}

/// The columns that there is room for, by their index, with their widths. Makes the cells fit for a terminal.
pub fn layout(columns: &[Column], rows: &mut [Vec<Cell>], room: Option<usize>) -> Vec<(usize, usize)> {
    for cell in rows.iter_mut().flatten() {
        cell.text = one_line(&cell.text);
    }
    let width_of = |at: usize| {
        let cells = rows.iter().map(|row| terminal::width(&row[at].text));
        cells.chain([terminal::width(columns[at].heading)]).max().unwrap_or_default()
    };
    let mut shown: Vec<(usize, usize)> = (0..columns.len()).map(|at| (at, width_of(at))).collect();
    let Some(room) = room else { return shown };
    // A long name alone does not cost a column: it can be told by its beginning.
    let dispensable = shown.first().map_or(0, |(_, width)| width.saturating_sub(2 * SHORTEST));
    while taken(&shown) - dispensable > room {
        let spare = |(at, _): &&(usize, usize)| columns[*at].spare;
        let Some(least) = shown.iter().filter(|column| spare(column) > 0).max_by_key(spare).copied() else {
            break;
        };
        shown.retain(|column| *column != least);
    }
    let beyond = taken(&shown).saturating_sub(room);
    if let Some((_, first)) = shown.first_mut() {
        *first = first.saturating_sub(beyond).max(SHORTEST.min(*first));
    }
    shown
}

/// The width of all these columns together.
pub fn taken(shown: &[(usize, usize)]) -> usize {
    shown.iter().map(|(_, width)| width + BETWEEN.len()).sum::<usize>().saturating_sub(BETWEEN.len())
}

fn aligned(cell: &Cell, align: Align, width: usize, screen: &Screen) -> String {
    let short = terminal::shortened(&cell.text, width);
    let padding = " ".repeat(width - terminal::width(&short));
    let text = screen.paint(&short, cell.tone);
    match align {
        Align::Left => text + &padding,
        Align::Right => padding + &text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_a_terminal_obeys_nothing_in_them() {
        let rows = [
            ["dämon".to_owned(), "7".to_owned(), "well".to_owned()],
            ["a\u{1b}[2J\nb".to_owned(), "1234".to_owned(), String::new()],
            ["雲".to_owned(), "1".to_owned(), "wide".to_owned()],
        ];
        assert_eq!(
            table([("EMS", Align::Left), ("EVENTS", Align::Right), ("SAYS", Align::Left)], &rows),
            "EMS      EVENTS  SAYS\ndämon         7  well\na\u{FFFD}[2J b    1234\n雲            1  wide\n"
        );
    }

    #[test]
    fn a_narrow_terminal_loses_what_matters_least_and_then_the_ends_of_names() {
        let columns = [("EMS", 0), ("STATE", 0), ("RESTARTS", 1), ("TYPE", 2)]
            .map(|(heading, spare)| Column::new(heading, Align::Left, spare));
        let rows = vec![vec![
            "a long name of a cloud".into(),
            Cell::new("running", Tone::Good),
            "7".into(),
            "t".into(),
        ]];
        let on = |room, colours| fitted(&columns, rows.clone(), &Screen { columns: Some(room), colours });
        assert_eq!(
            on(80, false),
            "EMS                     STATE    RESTARTS  TYPE\na long name of a cloud  running  7         t\n"
        );
        assert_eq!(
            on(40, false),
            "EMS                    STATE    RESTARTS\na long name of a clo…  running  7\n"
        );
        assert_eq!(on(26, false), "EMS                STATE\na long name of a…  running\n");
        assert_eq!(on(5, false), "EMS       STATE\na long …  running\n");
        assert!(on(80, true).contains("\u{1b}[32mrunning\u{1b}[0m"));
    }
}
