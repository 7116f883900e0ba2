//! A private PostgreSQL for tests: one server per test binary in a temporary folder, gone when the test process is, even
//! if it was killed. Binaries: `CATCHALL_PG_BIN`, `.cache/postgresql` below the crate, the system's.
//! It does not wait for the disk, unless `CATCHALL_PG_FSYNC` is `on`, as it is for benchmarks.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A running server.
pub struct Server {
    /// `postgres://postgres@127.0.0.1:PORT/postgres`, no password.
    pub url: String,
    _shell: Child,
}

/// The test binary's server. `None`, said aloud, when `SKIP` holds `postgres`.
///
/// # Panics
/// When there is no PostgreSQL: a test that was not run must not look like one that passed.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    if std::env::var("SKIP").is_ok_and(|skip| skip.contains("postgres")) {
        println!("SKIPPED since SKIP holds `postgres`: nothing of this test was run on PostgreSQL");
        eprintln!("SKIPPED since SKIP holds `postgres`: nothing of this test was run on PostgreSQL");
        return None;
    }
    match SERVER.get_or_init(start) {
        Ok(server) => Some(server),
        Err(error) => panic!("no PostgreSQL for tests: {error}"),
    }
}

/// Where `initdb` and `postgres` are.
fn binaries() -> Option<PathBuf> {
    let runs = |folder: &PathBuf| {
        unprivileged()
            .arg(folder.join("initdb"))
            .arg("--version")
            .output()
            .is_ok_and(|out| out.status.success())
    };
    let below = |folder: &str| {
        let mut versions: Vec<_> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path().join("bin")).collect();
        versions.sort();
        versions.reverse();
        versions
    };
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/postgresql/usr/lib/postgresql");
    let mut candidates: Vec<PathBuf> =
        std::env::var_os("CATCHALL_PG_BIN").map(PathBuf::from).into_iter().collect();
    candidates.extend(below(&cache.to_string_lossy()));
    candidates.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    candidates.extend(below("/usr/lib/postgresql"));
    candidates.into_iter().filter(|folder| folder.join("postgres").exists()).find(runs)
}

/// PostgreSQL refuses to run as root, so root's tests run it as somebody else.
pub fn unprivileged() -> Command {
    let id = |arguments: &[&str]| Command::new("id").args(arguments).output();
    let is_root = id(&["-u"]).is_ok_and(|out| out.stdout == b"0\n");
    if !is_root {
        return Command::new("env");
    }
    let user =
        ["postgres", "nobody"].into_iter().find(|user| id(&[user]).is_ok_and(|out| out.status.success()));
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user.unwrap_or("65534"), "--regid", "nogroup", "--clear-groups"]);
    command
}

/// The shell outlives its standard input only to clean up, and its standard input ends with this process.
const SCRIPT: &str = r#"
folder=$(mktemp -d "${TMPDIR:-/tmp}/catchall-pg.XXXXXX") && cd "$folder" || exit 1
"$BIN/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
umask 077; echo "$CERTIFICATE" >data/server.crt; echo "$KEY" >data/server.key
"$BIN/postgres" -D data -c ssl=on -k "$folder" -p "$PORT" -c listen_addresses=127.0.0.1 -c fsync=${CATCHALL_PG_FSYNC:-off} -c max_connections=200 >log 2>&1 </dev/null &
pid=$!
for _ in $(seq 300); do
  grep -q '^ready' data/postmaster.pid 2>/dev/null && break
  kill -0 $pid 2>/dev/null || { cat log >&2; exit 1; }
  sleep 0.1
done
echo "$pid"
read -r _
kill -INT $pid; wait $pid
rm -rf "$folder"
"#;

/// A server of the caller's own.
pub fn start() -> Result<Server, String> {
    let bin = binaries().ok_or(
        "neither CATCHALL_PG_BIN, .cache/postgresql, PATH nor /usr/lib/postgresql has one; \
         install PostgreSQL, or set SKIP=postgres to leave these tests out",
    )?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no free port: {error}"))?
        .port();
    let mut shell = unprivileged()
        .args(["sh", "-c", SCRIPT])
        .env("BIN", &bin)
        .env("PORT", port.to_string())
        .env("CERTIFICATE", include_str!("../data/tls/server.crt"))
        .env("KEY", include_str!("../data/tls/server.key"))
        .env("HOME", "/tmp")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| format!("{}: {error}", bin.display()))?;
    let mut line = String::new();
    let out = shell.stdout.take().ok_or("no standard output")?;
    BufReader::new(out).read_line(&mut line).map_err(|error| error.to_string())?;
    line.trim().parse::<u32>().map_err(|_| format!("it did not start; see above ({})", bin.display()))?;
    if let Some(stdin) = &mut shell.stdin {
        stdin.flush().map_err(|error| error.to_string())?;
    }
    Ok(Server { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), _shell: shell })
}
