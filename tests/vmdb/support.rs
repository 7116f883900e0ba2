//! A fresh VMDB of either kind.

use crate::postgres;
use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::vmdb::{Access, Connection, Vmdb, VmdbError};
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
