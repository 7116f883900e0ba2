//! A Chromium of this test process's own, and what a test does with one of its windows.
//!
//! chromedriver is `CATCHALL_CHROMEDRIVER`, else `.cache/chromium/bin/chromedriver` below the crate. Without it the tests fail
//! by name, unless `SKIP` holds `chromium`. It ends with the test process, however that ends.

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The shared driver; holds the pipe whose end is the driver's end.
struct Driver {
    _shell: Child,
    url: String,
}

static DRIVER: LazyLock<Option<Driver>> =
    LazyLock::new(|| if skips("chromium") { None } else { Some(start()) });

/// Whether `SKIP` holds this name, said aloud.
pub fn skips(service: &str) -> bool {
    let skips = std::env::var("SKIP").is_ok_and(|skip| skip.split(',').any(|name| name.trim() == service));
    if skips {
        eprintln!("SKIPPED: everything that needs {service}, since SKIP holds `{service}`");
    }
    skips
}

/// A folder or file that `scripts/services` brought.
pub fn cached(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache").join(path)
}

fn start() -> Driver {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let named = std::env::var_os("CATCHALL_CHROMEDRIVER").map(PathBuf::from);
    let program = named.unwrap_or_else(|| cached("chromium/bin/chromedriver"));
    assert!(
        program.exists(),
        "chromium: there is no {}; `make test` brings it, CATCHALL_CHROMEDRIVER names another, SKIP=chromium leaves it out",
        program.display()
    );
    // `read` returns when this process is gone, since nobody holds the other end of the pipe then; the driver and the browsers
    // that it started are one process group.
    let script =
        r#"set -m; "$0" "--port=$1" >/dev/null 2>&1 </dev/null & driver=$!; read -r _; kill -- "-$driver""#;
    let shell = Command::new("bash")
        .args(["-c", script])
        .arg(&program)
        .arg(port.to_string())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("chromium: bash does not start: {error}"));
    let end = Instant::now() + Duration::from_secs(60);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "chromium: {} does not serve", program.display());
        std::thread::sleep(Duration::from_millis(50));
    }
    Driver { _shell: shell, url: format!("http://127.0.0.1:{port}") }
}

/// How a window looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

/// A window as most people have it.
pub const WIDE: Look = Look { width: 1280, height: 900, dark: false };

/// A browser with one window and a profile of its own.
pub struct Browser {
    pub client: Client,
    profile: tempfile::TempDir,
}

impl Browser {
    /// `None` when Chromium is to be skipped.
    pub async fn open(look: Look) -> Option<Self> {
        let driver = DRIVER.as_ref()?;
        let profile = tempfile::tempdir().unwrap();
        let program = driver_beside();
        let mut args = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            // Every name but the loopback's is unknown: what would leave the host fails, and the log says so.
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
            format!("--window-size={},{}", look.width, look.height),
        ];
        if look.dark {
            args.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let mut capabilities = Capabilities::new();
        let options = json!({"args": args, "binary": program});
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({"browser": "ALL", "performance": "ALL"}));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url)
            .await
            .unwrap_or_else(|error| panic!("chromium: no session: {error}"));
        client.set_window_size(look.width, look.height).await.unwrap();
        Some(Self { client, profile })
    }

    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
        self.until("document.querySelector('.switches')?.hidden === false").await;
    }

    /// What an expression comes to in the page.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        self.client.execute(&script, vec![]).await.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    pub async fn text(&self, expression: &str) -> String {
        self.value(expression).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression holds.
    pub async fn until(&self, expression: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            // A page that is being left has no answer.
            let script = format!("return Boolean({expression});");
            if matches!(self.client.execute(&script, vec![]).await, Ok(Value::Bool(true))) {
                return;
            }
            if Instant::now() > end {
                let page = self.value("document.body.innerText").await;
                panic!("it never came to hold that {expression}; the page: {page}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn click(&self, selector: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Presses keys, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        self.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// What stands in the browser's log, of this kind.
    pub async fn log(&self, kind: &'static str) -> Vec<Value> {
        let entries = self.client.issue_cmd(Own("se/log", json!({"type": kind}))).await.unwrap();
        entries.as_array().cloned().unwrap_or_default()
    }

    /// A command of Chromium's own devtools.
    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        let body = json!({"cmd": command, "params": params});
        self.client
            .issue_cmd(Own("goog/cdp/execute", body))
            .await
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Nothing was complained of, and nothing was asked of another host.
    pub async fn check_log(&self) {
        let complaints: Vec<_> = self.log("browser").await;
        assert_eq!(complaints, Vec::<Value>::new(), "the console is not empty");
        for entry in self.log("performance").await {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let params = &message["message"]["params"];
            // The browser's own first page is not ours.
            let is_ours = params["documentURL"].as_str().is_some_and(|document| document.starts_with("http"));
            if message["message"]["method"] == "Network.requestWillBeSent" && is_ours {
                let url = params["request"]["url"].as_str().unwrap().to_owned();
                assert!(
                    url.starts_with("http://127.0.0.1:") || url.starts_with("data:"),
                    "asked of another host: {url}"
                );
            }
        }
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
        drop(self.profile);
    }
}

fn driver_beside() -> PathBuf {
    std::env::var_os("CATCHALL_CHROMIUM")
        .map(PathBuf::from)
        .unwrap_or_else(|| cached("chromium/bin/chromium"))
}

/// What chromedriver can do beyond WebDriver: where it is asked, and with what.
#[derive(Debug)]
struct Own(&'static str, Value);

impl fantoccini::wd::WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &url::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.1.to_string()))
    }
}
