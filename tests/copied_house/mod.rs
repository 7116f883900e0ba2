//! A copy of this project in a folder of its own, as a git repository, with what its dependencies compiled to: so a test
//! can change the sources and build them in seconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The copy. Its folders lie below `target/tmp` and are made anew each time.
pub struct CopiedHouse {
    /// Its sources.
    pub root: PathBuf,
    target: PathBuf,
}

impl CopiedHouse {
    /// Copies what git knows or would add, and commits it.
    pub fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        let house = Self { root: folder.join("house"), target: folder.join("target") };
        fs::create_dir_all(&house.root).unwrap();
        let origin = Path::new(env!("CARGO_MANIFEST_DIR"));
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        for path in output(Command::new("git").args(list).current_dir(origin)).split_terminator('\0') {
            // What was deleted and not yet committed is listed too.
            if origin.join(path).exists() {
                fs::create_dir_all(house.root.join(path).parent().unwrap()).unwrap();
                fs::copy(origin.join(path), house.root.join(path)).unwrap();
            }
        }
        house.git(&["init", "-q"]);
        house.git(&["add", "-A"]);
        house.git(&[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-q",
            "--no-gpg-sign",
            "-m",
            "copy",
        ]);
        house.link_dependencies();
        house
    }

    /// Runs git in the copy; gives what it printed.
    pub fn git(&self, arguments: &[&str]) -> String {
        output(Command::new("git").args(arguments).current_dir(&self.root))
    }

    /// Runs cargo in the copy.
    pub fn cargo(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO"));
        // What the outer cargo tells this test about its package would make build scripts of dependencies run again.
        for (name, _) in std::env::vars_os() {
            let told = [
                "CARGO_MANIFEST_",
                "CARGO_PKG_",
                "CARGO_BIN_",
                "CARGO_CRATE_",
                "CARGO_PRIMARY_",
                "CARGO_TARGET_TMP",
            ];
            if told.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            // The dependencies have no debug information anyhow; without ours the build is quicker.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .output()
            .unwrap()
    }

    /// The program, once it was built.
    pub fn catchall(&self) -> PathBuf {
        self.target.join("debug/catchall")
    }

    /// Hard links to everything that was compiled here and is not of this package: it need not be compiled again, and takes
    /// no room. What is this package's own is left out, so that the copy's build overwrites nothing of ours.
    fn link_dependencies(&self) {
        let ours = Path::new(env!("CARGO_BIN_EXE_catchall")).parent().unwrap();
        for part in [".fingerprint", "build", "deps"] {
            let is_foreign = |name: &str| {
                !name.starts_with("catchall-")
                    && !name.starts_with("libcatchall-")
                    && (part != "deps" || name.starts_with("lib"))
            };
            let entries = fs::read_dir(ours.join(part)).unwrap().map(Result::unwrap);
            for entry in entries.filter(|entry| is_foreign(&entry.file_name().to_string_lossy())) {
                link(&entry.path(), &self.target.join("debug").join(part).join(entry.file_name()));
            }
        }
    }
}

fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    if from.is_dir() {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            link(&entry.path(), &to.join(entry.file_name()));
        }
    } else if let Err(error) = fs::hard_link(from, to) {
        // Another test run may have replaced it meanwhile: then it is compiled again.
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}: {error}", from.display());
    }
}

/// What a command printed.
///
/// # Panics
/// When it fails, with what it said.
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
