//! The Debian package: made by `scripts/dist` from the program under test, installed below another root by the real dpkg with
//! its maintainer scripts, started as the user that it makes, removed, purged.

use super::files::{mode_and_owners, numbers_of_catchall};
use super::process::{Catchall, eventually};
use super::{get, project, skipped};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [&*output.stdout, &*output.stderr].concat();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&said));
    output
}

/// Packs the program under test into this folder; the package, beside which the tarball and the sums lie.
fn pack(into: &Path) -> PathBuf {
    run(Command::new(project("scripts/dist")).arg("--built-for-tests").arg(into));
    run(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(into));
    let mut found = fs::read_dir(into).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.extension().is_some_and(|name| name == "deb")).expect("a package")
}

/// A root for dpkg, with nothing in it.
struct Root(PathBuf);

impl Root {
    fn new(folder: &Path) -> Self {
        // The service's user must be able to get there.
        fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
        let root = folder.join("root");
        for needed in ["etc", "var/lib/dpkg/info", "var/lib/dpkg/updates"] {
            fs::create_dir_all(root.join(needed)).unwrap();
        }
        fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
        Self(root)
    }

    /// Scripts run here with DPKG_ROOT, as a root without a shell of its own needs it.
    fn dpkg(&self, arguments: &[&str]) {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg(format!("--root={}", self.0.display())).env("DEBIAN_FRONTEND", "noninteractive");
        dpkg.args(["--force-script-chrootless", "--force-depends", "--log=/dev/null"]);
        run(dpkg.args(arguments));
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }
}

/// The installed program with the installed settings, as the user of the service; only the places differ.
fn start(root: &Root, (user, group): &(String, String)) -> Catchall {
    let state = root.path("var/lib/catchall");
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
    command.arg(root.path("usr/bin/catchall")).arg("run");
    command.arg("--settings").arg(root.path("etc/catchall/settings.yml")).current_dir(&state);
    command.env("CATCHALL__VMDB__URL", format!("sqlite://{}/catchall.db", state.display()));
    command.env("CATCHALL__HTTP__LISTEN", "127.0.0.1:0").env_remove("RUST_LOG");
    Catchall::spawn(root.0.parent().unwrap(), "installed", command)
}

#[test]
fn the_package_is_installed_starts_and_leaves_the_vmdb_until_it_is_purged() {
    if skipped("cargo-deb") || skipped("systemd") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let package = pack(&folder.path().join("dist"));
    the_tarball_is_whole(package.parent().unwrap());
    assert!(package.file_name().unwrap().to_str().unwrap().starts_with(&format!("catchall_{VERSION}_")));
    let root = Root::new(folder.path());
    let me = run(Command::new("id").arg("-u")).stdout;
    assert_eq!(me, b"0\n", "package: dpkg installs as root only; SKIP=cargo-deb leaves this test out");

    root.dpkg(&["--install", package.to_str().unwrap()]);
    let numbers = numbers_of_catchall(&root.0);
    let (user, group) = &numbers;
    let expected = [
        ("usr/bin/catchall", "755 0:0".to_owned()),
        ("usr/lib/systemd/system/catchall.service", "644 0:0".to_owned()),
        ("usr/share/bash-completion/completions/catchall", "644 0:0".to_owned()),
        ("usr/share/zsh/vendor-completions/_catchall", "644 0:0".to_owned()),
        ("usr/share/fish/vendor_completions.d/catchall.fish", "644 0:0".to_owned()),
        ("etc/catchall", format!("750 0:{group}")),
        ("etc/catchall/settings.yml", format!("640 0:{group}")),
        ("etc/catchall/credentials", "700 0:0".to_owned()),
        ("var/lib/catchall", format!("750 {user}:{group}")),
    ];
    for (path, expected) in &expected {
        assert_eq!(mode_and_owners(&root.path(path)), *expected, "{path}");
    }
    let completions = root.path("usr/share/bash-completion/completions/catchall");
    assert!(fs::read_to_string(completions).unwrap().contains("simulate-queue-worker"));
    let enabled = root.path("etc/systemd/system/multi-user.target.wants/catchall.service");
    assert!(enabled.is_symlink(), "the service is not enabled");

    let mut catchall = start(&root, &numbers);
    let address = catchall.address();
    eventually("/readyz?vmdb answers", || get(address, "/readyz?vmdb"));
    assert_eq!(catchall.terminate().code(), Some(0), "{}", catchall.log());

    // An administrator's change outlives an upgrade, here to the same version, and a removal.
    fs::write(root.path("etc/catchall/settings.yml"), "# mine\n").unwrap();
    root.dpkg(&["--install", package.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(root.path("etc/catchall/settings.yml")).unwrap(), "# mine\n");
    root.dpkg(&["--remove", "catchall"]);
    assert!(!root.path("usr/bin/catchall").exists());
    assert!(root.path("var/lib/catchall/catchall.db").exists(), "a removal took the VMDB");
    assert!(root.path("etc/catchall/settings.yml").exists(), "a removal took the settings");
    root.dpkg(&["--purge", "catchall"]);
    assert!(!root.path("var/lib/catchall").exists() && !root.path("etc/catchall").exists());
}

/// What the package holds, and the licence.
fn the_tarball_is_whole(folder: &Path) {
    let name = format!("catchall-{VERSION}-{}-linux", std::env::consts::ARCH);
    run(Command::new("tar").arg("xzf").arg(format!("{name}.tar.gz")).current_dir(folder));
    let unpacked = folder.join(name);
    for file in ["LICENSE", "NOTICE", "usr/lib/systemd/system/catchall.service", "etc/catchall/settings.yml"]
    {
        assert!(unpacked.join(file).exists(), "{file}");
    }
    let says = run(Command::new(unpacked.join("usr/bin/catchall")).arg("--version")).stdout;
    assert_eq!(String::from_utf8(says).unwrap().trim(), format!("catchall {VERSION}"));
}

#[test]
fn the_packages_changelog_speaks_of_this_version() {
    let changelog = fs::read_to_string(project("deploy/debian/changelog")).unwrap();
    assert!(changelog.starts_with(&format!("catchall ({VERSION}-1) ")), "{changelog}");
}
