//! Reads a file that the settings name, as long as it is no longer than settings are: a device or a pipe may have no end.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

/// Larger than any settings file, certificate or token.
const LARGEST: u64 = 4 << 20;

/// The text of the file at `path`.
///
/// # Errors
/// As any reading; and [`ErrorKind::FileTooLarge`].
pub(super) fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        let message = format!("it is larger than {} MiB, or has no end", LARGEST >> 20);
        return Err(Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}
