//! Rows as CSV, as a JSON array, or as one JSON object a line. Pure.

use super::row::{COLUMNS, Row};

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// RFC 4180, for spreadsheets too: see [`guarded`].
    Csv,
    /// One array.
    Json,
    /// An object a line.
    NdJson,
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
        }
    }

    pub(super) fn disposition(self) -> &'static str {
        match self {
            Self::Csv => "attachment; filename=\"events.csv\"",
            Self::Json => "attachment; filename=\"events.json\"",
            Self::NdJson => "attachment; filename=\"events.ndjson\"",
        }
    }

    /// What comes before the first row.
    pub(super) fn head(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Csv => csv(std::iter::once(COLUMNS.map(str::to_owned))),
            Self::Json => Ok(b"[".to_vec()),
            Self::NdJson => Ok(Vec::new()),
        }
    }

    /// These rows, of which the first is the `first`-th of all.
    pub(super) fn rows(self, rows: &[Row<'_>], first: usize) -> Result<Vec<u8>, String> {
        if self == Self::Csv {
            return csv(rows.iter().map(|row| row.cells().map(guarded)));
        }
        let mut text = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let before: &[u8] = match self {
                Self::Json if first + index > 0 => b",\n",
                Self::Json => b"\n",
                _ => b"",
            };
            text.extend(before);
            serde_json::to_writer(&mut text, row).map_err(|error| error.to_string())?;
            if self == Self::NdJson {
                text.push(b'\n');
            }
        }
        Ok(text)
    }

    /// What comes after the last.
    pub(super) fn foot(self) -> &'static [u8] {
        if self == Self::Json { b"\n]\n" } else { b"" }
    }
}

/// A spreadsheet takes a cell that begins like this for a formula, and a provider may send anything: an apostrophe makes it
/// a text.
fn guarded(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

fn csv(rows: impl Iterator<Item = [String; 14]>) -> Result<Vec<u8>, String> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, message: &str) -> Row<'_> {
        Row {
            id,
            timestamp: "2026-11-24T15:04:05.000000Z".to_owned(),
            created_on: None,
            ems_id: Some(1),
            ems: Some("demo, cloud"),
            event_type: "vm.stop",
            group: "power",
            level: "critical",
            message: Some(message),
            vms: vec!["a".to_owned(), "b".to_owned()],
            hosts: vec![],
            clusters: vec![],
            folded: 0,
            refresh: None,
        }
    }

    #[test]
    fn nothing_that_a_provider_sent_is_a_formula_and_quotes_survive() {
        for hostile in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let text = String::from_utf8(Format::Csv.rows(&[row(1, hostile)], 0).unwrap()).unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let read = reader.records().next().unwrap().unwrap();
            assert_eq!(&read[8], format!("'{hostile}"));
        }
        let text = String::from_utf8(Format::Csv.rows(&[row(1, "a \"b\",\nc")], 0).unwrap()).unwrap();
        assert!(text.contains("\"a \"\"b\"\",\nc\"") && text.contains("\"demo, cloud\""), "{text}");
        assert!(text.ends_with("\r\n"));
    }

    #[test]
    fn an_array_is_whole_whatever_its_pages_were() {
        let mut text = Format::Json.head().unwrap();
        text.extend(Format::Json.rows(&[row(1, "a"), row(2, "b")], 0).unwrap());
        text.extend(Format::Json.rows(&[row(3, "c")], 2).unwrap());
        text.extend(Format::Json.foot());
        let read: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
        assert_eq!(read.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
        let mut empty = Format::Json.head().unwrap();
        empty.extend(Format::Json.foot());
        assert_eq!(serde_json::from_slice::<Vec<serde_json::Value>>(&empty).unwrap().len(), 0);
        let lines = Format::NdJson.rows(&[row(1, "a"), row(2, "b")], 0).unwrap();
        assert_eq!(lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 2);
    }
}
