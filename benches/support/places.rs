//! Fresh VMDBs on either database, each with the real tables and indexes.

#[path = "../../tests/support/postgres.rs"]
mod postgres;

use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::vmdb::{Access, Vmdb};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use tempfile::TempDir;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// Those that can be had; a PostgreSQL that was left out is said aloud.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Sqlite];
        all.extend(postgres::server().map(|_| Self::Postgres));
        all
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// An empty VMDB with its tables.
    pub async fn fresh(self) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let url = match self {
            Self::Sqlite => format!("sqlite://{}/catchall.db", folder.path().display()),
            // The limits are measured without TLS, too.
            Self::Postgres => format!("{}?sslmode=disable", postgres::server().unwrap().url),
        };
        let schema = format!("bench_{}", NEXT.fetch_add(1, Relaxed));
        let place =
            Place { settings: VmdbSettings { url: Secret::new(url), schema }, database: self, folder };
        let vmdb = place.open().await;
        vmdb.migrate().await.unwrap();
        vmdb.close().await;
        place
    }
}

/// One VMDB.
pub struct Place {
    pub settings: VmdbSettings,
    pub database: Database,
    /// For whatever belongs to it; SQLite's file is in it.
    pub folder: TempDir,
}

impl Place {
    pub async fn open(&self) -> Vmdb {
        Vmdb::open(&self.settings, Access::Run).await.unwrap()
    }

    /// Gives its room back.
    pub async fn remove(self) {
        if self.database == Database::Postgres {
            let vmdb = self.open().await;
            let sql = format!("DROP SCHEMA {} CASCADE", self.settings.schema);
            vmdb.write(move |connection| connection.batch(&sql)).await.unwrap();
            vmdb.close().await;
        }
    }
}
