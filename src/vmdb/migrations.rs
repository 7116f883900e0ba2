//! The tables: migrations of both databases lie in the binary.

use super::VmdbError;
use super::dialect::Raw;
use super::dialect::{Connection, on_vmdb};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Runs what was not run yet, each in a transaction of its own.
pub(super) fn run(connection: &mut Connection) -> Result<Vec<String>, VmdbError> {
    let failed =
        |error: Box<dyn std::error::Error + Send + Sync>| match error.downcast::<diesel::result::Error>() {
            Ok(error) => VmdbError::from(*error),
            Err(error) => VmdbError::Refused(format!("a migration failed: {error}")),
        };
    let migrations = if matches!(connection.raw, Raw::Sqlite(_)) { SQLITE } else { POSTGRES };
    on_vmdb!(connection, |raw| raw
        .run_pending_migrations(migrations)
        .map(|versions| versions.iter().map(ToString::to_string).collect())
        .map_err(failed))
}
