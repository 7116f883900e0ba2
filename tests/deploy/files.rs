//! Files as an installation leaves them: who owns them, and who may do what.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file's permissions and owners: `640 0:997`.
pub fn mode_and_owners(path: &Path) -> String {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    format!("{:o} {}:{}", metadata.mode() & 0o7777, metadata.uid(), metadata.gid())
}

/// The user's and the group's number in the `/etc` of this root.
pub fn numbers_of_catchall(root: &Path) -> (String, String) {
    let number = |file: &str| {
        let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let line = text.lines().find(|line| line.starts_with("catchall:"));
        line.unwrap_or_else(|| panic!("no catchall in {text}")).split(':').nth(2).unwrap().to_owned()
    };
    (number("etc/passwd"), number("etc/group"))
}
