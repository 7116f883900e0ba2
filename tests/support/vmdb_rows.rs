//! Looks into a VMDB from outside, with the databases' own clients' eyes: plain SQL, one text per row.

use catchall::provider::Secret;
use catchall::settings::VmdbSettings;
use catchall::vmdb::{Access, Connection, Vmdb, VmdbError};
use std::path::Path;

/// Where a test's VMDB lies.
#[derive(Clone, Debug)]
pub struct Place {
    /// `vmdb.url`
    pub url: String,
    /// `vmdb.schema`
    pub schema: String,
}

impl Place {
    /// A file in `folder`.
    pub fn sqlite(folder: &Path) -> Self {
        Self {
            url: format!("sqlite://{}", folder.join("catchall.db").display()),
            schema: "catchall".to_owned(),
        }
    }
}

/// Opens it for reading, beside a running Catchall.
pub fn open(place: &Place) -> Result<Reader, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let settings = VmdbSettings { url: Secret::new(&place.url), schema: place.schema.clone() };
    let vmdb = runtime.block_on(Vmdb::open(&settings, Access::Read)).map_err(|error| error.to_string())?;
    Ok(Reader { runtime, vmdb })
}

/// An open VMDB.
pub struct Reader {
    runtime: tokio::runtime::Runtime,
    vmdb: Vmdb,
}

impl Reader {
    /// The column `value` (text) of each row.
    pub fn texts(&self, sql: &str) -> Result<Vec<String>, String> {
        let sql = sql.to_owned();
        self.runtime
            .block_on(self.vmdb.read(move |connection| first_column(connection, &sql)))
            .map_err(|error| error.to_string())
    }

    /// The one number that `sql` selects as text `value`.
    pub fn number(&self, sql: &str) -> Result<i64, String> {
        let texts = self.texts(sql)?;
        texts.first().and_then(|text| text.parse().ok()).ok_or_else(|| format!("{sql}: {texts:?}"))
    }
}

/// The first column of each row.
fn first_column(connection: &mut Connection, sql: &str) -> Result<Vec<String>, VmdbError> {
    Ok(connection.rows(sql, &[])?.iter().filter_map(|row| row.string(0)).collect())
}
