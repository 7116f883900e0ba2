//! A fresh VMDB of either kind.

use crate::postgres;
use catchall::provider::{
    CatcherSettings, Collector, Cursor, Ems, EmsEvent, EmsId, Endpoint, EventParser, EventTargetParser,
    FullData, ParsedEvent, Provider, ProviderError, Secret, Stream,
};
use catchall::settings::{EmsSettings, EventNameFilter, RefreshSettings, VmdbSettings};
use catchall::vmdb::{Access, Connection, ReadyBatch, ReadyEvent, Vmdb, VmdbError, Work};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A VMDB of its own for one test.
pub struct Fresh {
    /// How to open it.
    pub settings: VmdbSettings,
    /// Open, and migrated.
    pub vmdb: Vmdb,
    _folder: Option<tempfile::TempDir>,
}

impl Fresh {
    /// In a file of its own.
    pub async fn sqlite() -> Option<Self> {
        let (settings, folder) = sqlite_settings();
        Some(Self { vmdb: open(&settings).await, settings, _folder: Some(folder) })
    }

    /// In a schema of its own.
    pub async fn postgres() -> Option<Self> {
        let settings = postgres_settings()?;
        Some(Self { vmdb: open(&settings).await, settings, _folder: None })
    }

    /// Runs `work` as any other write.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
    ) -> T {
        self.vmdb.write(work).await.expect("the write succeeds")
    }

    /// The first column of the first row.
    pub async fn count(&self, sql: &'static str) -> i64 {
        self.vmdb.read(move |c| c.rows(sql, &[])?[0].id(0)).await.expect("the count is read")
    }
}

/// Settings of a file that does not exist yet.
pub fn sqlite_settings() -> (VmdbSettings, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}/catchall.db", folder.path().display());
    (VmdbSettings { url: Secret::new(url), schema: "catchall".to_owned() }, folder)
}

/// Settings of a schema that does not exist yet.
pub fn postgres_settings() -> Option<VmdbSettings> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = postgres::server()?;
    let schema = format!("test_{}", NEXT.fetch_add(1, Relaxed));
    Some(VmdbSettings { url: Secret::new(&server.url), schema })
}

async fn open(settings: &VmdbSettings) -> Vmdb {
    let vmdb = Vmdb::open(settings, Access::Run).await.expect("the VMDB opens");
    vmdb.migrate().await.expect("the migrations run");
    vmdb
}

/// Makes one test for each database of `async fn NAME(vmdb: Fresh)`.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() {
                if let Some(fresh) = crate::support::Fresh::sqlite().await { super::$name(fresh).await }
            })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                if let Some(fresh) = crate::support::Fresh::postgres().await { super::$name(fresh).await }
            })*
        }
    };
}
pub(crate) use on_both;

/// An event with the least that one has.
pub fn event(uid: &str, event_type: &str) -> ParsedEvent {
    let full_data = FullData::from_text(format!("{{\"id\": \"{uid}\"}}")).expect("JSON");
    let timestamp = chrono::DateTime::from_timestamp_micros(1_790_000_000_123_456).expect("a time");
    let event = EmsEvent {
        event_type: event_type.to_owned(),
        source: "TEST".to_owned(),
        timestamp,
        full_data,
        ..EmsEvent::default()
    };
    ParsedEvent { event_uid: uid.to_owned(), event }
}

/// A batch of EMS 1 with events that ask for nothing.
pub fn batch(events: Vec<ParsedEvent>) -> ReadyBatch {
    let events = events.into_iter().map(|event| ReadyEvent::new(event, Work::None)).collect();
    ReadyBatch { events, ..ReadyBatch::of(EmsId(1)) }
}

/// A cursor.
pub fn cursor(position: i64) -> Cursor {
    Cursor { source: "http://somewhere".to_owned(), position: position.into() }
}

/// A provider that has a name and nothing else.
pub struct Nameless;

impl Provider for Nameless {
    fn ems_type(&self) -> &'static str {
        "nameless"
    }
    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::Nameless::CloudManager"
    }
    fn event_source(&self) -> &'static str {
        "NAMELESS"
    }
    fn default_settings(&self) -> &'static str {
        ""
    }
    fn automate(&self) -> Vec<(String, Cow<'static, [u8]>)> {
        Vec::new()
    }
    fn event_parser(&self) -> &dyn EventParser {
        unreachable!("the VMDB does not parse")
    }
    fn event_target_parser(&self) -> &dyn EventTargetParser {
        unreachable!("the VMDB does not parse")
    }
    fn stream(&self, ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        Err(ProviderError::missing(&ems.name, "all"))
    }
    fn collector(&self, _: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Ok(None)
    }
    fn has_collector(&self) -> bool {
        false
    }
}

/// Settings of an EMS.
pub fn ems_settings(name: &str) -> EmsSettings {
    EmsSettings {
        name: name.to_owned(),
        provider: &Nameless,
        id: None,
        zone: "default".to_owned(),
        enabled: true,
        provider_region: None,
        endpoints: [("default".to_owned(), Endpoint::default())].into(),
        authentications: [].into(),
        catcher: CatcherSettings::default(),
        blacklisted_event_names: EventNameFilter::default(),
        refresh: RefreshSettings {
            enabled: true,
            allow_targeted_refresh: true,
            refresh_interval: std::time::Duration::ZERO,
            full_refresh_threshold: 100,
        },
    }
}
