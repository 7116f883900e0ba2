//! Requests to the house's own pages and probes, over a socket, with a VMDB that holds something.
//!
//! What must hold: every request is answered, none with 500, no page without its token, and nothing that was asked comes
//! back as markup.

use super::wire::{Wire, visible};
use catchall::http::{HttpContext, SettingsPart, serve};
use catchall::observe::Observe;
use catchall::provider::Secret;
use catchall::settings::{EventGroups, VmdbSettings};
use catchall::vmdb::{Access, Vmdb};
use std::cell::RefCell;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const TOKEN: &str = "s3cret";

/// A server with a VMDB of its own.
pub struct Pages {
    wire: Wire,
    _runtime: Runtime,
    _folder: TempDir,
}

thread_local! {
    static PAGES: RefCell<Option<Pages>> = const { RefCell::new(None) };
}

/// The first line is the target, the others are headers. The server's token is sent, unless the target begins with `!`.
pub fn hold(data: &[u8]) {
    PAGES.with_borrow_mut(|pages| pages.get_or_insert_with(Pages::open).ask(data));
}

impl Pages {
    /// Starts it.
    pub fn open() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = Secret::new(format!("sqlite://{}/catchall.db", folder.path().display()));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let settings = VmdbSettings { url, schema: "catchall".to_owned() };
        let vmdb = runtime.block_on(async {
            let vmdb = Vmdb::open(&settings, Access::Run).await.expect("the VMDB opens");
            vmdb.migrate().await.expect("the migrations run");
            vmdb.write(|connection| connection.batch(FILLED)).await.expect("a day's events");
            vmdb
        });
        let context = HttpContext::new(Observe::default(), Some(Secret::new(TOKEN)));
        context.set_vmdb(vmdb);
        let mut event_groups = EventGroups::default();
        let power = event_groups.add_group("power", "Power <Activity>");
        event_groups.list(power, "critical", "vm.stop").expect("an event type");
        context.set_settings(SettingsPart { event_groups, event_catchers: vec![] });
        let server = serve("127.0.0.1:0".parse().expect("an address"), context).expect("a free port");
        Self { wire: Wire::to(server.addr), _runtime: runtime, _folder: folder }
    }

    /// Asks once.
    pub fn ask(&mut self, data: &[u8]) {
        let mut lines = data.split(|byte| *byte == b'\n');
        let target = lines.next().unwrap_or_default();
        let (bare, target) = target.strip_prefix(b"!").map_or((false, target), |target| (true, target));
        let mut headers: Vec<&[u8]> = lines.take(30).collect();
        if !bare {
            headers.insert(0, b"Authorization: Bearer s3cret");
        }
        let method = if target.len() % 7 == 6 { "HEAD" } else { "GET" };
        let answer = self.wire.ask(method, target, &headers);
        let body = String::from_utf8_lossy(&answer.body);
        let is_probe = target.starts_with(b"readyz");
        // Whom we left in the midst of an endless answer is noticed a little later, and they have a limit (docs/live.md).
        let is_full = match method {
            "HEAD" => visible(target).starts_with(b"live"),
            _ => body.contains("clients follow already"),
        };
        assert!(answer.status < 500 || ((is_probe || is_full) && answer.status == 503), "{}", answer.head);
        let own = [
            "<script src=\"/assets/",
            "<script type=\"module\" src=\"/assets/",
            "<script type=\"module\" src=\"/pipeline-",
        ];
        let foreign = own.iter().fold(body.to_string(), |body, own| body.replace(own, ""));
        // A label of a metric may be called anything: only what says that it is HTML is read as such.
        let is_html = answer.head.to_ascii_lowercase().contains("content-type: text/html");
        assert!(!is_html || !foreign.contains("<script"), "markup came back: {body}");
        let bears = headers.iter().any(|header| header.to_ascii_lowercase().starts_with(b"authorization"));
        if !bears && answer.status == 200 && method == "GET" {
            let answers = ["ok\n", "{"].iter().any(|start| body.starts_with(start));
            assert!(answers, "a page without a token: {}", answer.head);
        }
    }
}

const FILLED: &str = "
    INSERT INTO ext_management_systems (id, name, type, enabled) VALUES
        (1, 'demo <script>', 'ManageIQ::Providers::AwesomeCloud::CloudManager', true);
    INSERT INTO hosts (id, name, ems_id, ems_ref) VALUES (7, 'host-7', 1, 'h-7');
    INSERT INTO vms (id, name, ems_id, ems_ref, host_id, template) VALUES (10, '<script>alert(1)</script>', 1, 'vm-10', 7, false);
    INSERT INTO event_streams (type, ems_id, event_uid, event_type, timestamp, created_on, message, vm_or_template_id, host_id)
        VALUES ('EmsEvent', 1, 'a', 'vm.stop', '2026-11-24 10:00:00.000000', '2026-11-24 10:00:01.000000', '<script>', 10, 7),
        ('EmsEvent', 1, 'b', 'vm.start', '2026-11-24 10:00:00.000000', '2026-11-24 10:00:01.000000', NULL, 10, NULL),
        ('EmsEvent', 1, 'c', '<script>', '2026-11-24 11:00:00.000000', '2026-11-24 11:00:01.000000', 'x', NULL, 7);
";
