//! The tables: migrations of both databases lie in the binary.

use super::VmdbError;
use super::dialect::{Connection, Raw};
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Runs what was not run yet, in one transaction; two processes that start at once do it one after the other.
pub(super) fn run(connection: &mut Connection) -> Result<Vec<String>, VmdbError> {
    match &mut connection.raw {
        Raw::Sqlite(raw) => raw.immediate_transaction(|raw| pending(raw, SQLITE)),
        Raw::Postgres(raw) => diesel::Connection::transaction(&mut **raw, |raw| {
            // Any number will do, as long as every Catchall takes the same.
            raw.batch_execute("SELECT pg_advisory_xact_lock(20261124, hashtext(current_schema()))")?;
            pending(raw, POSTGRES)
        }),
    }
}

fn pending<DB: diesel::backend::Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: impl MigrationSource<DB>,
) -> Result<Vec<String>, VmdbError> {
    match harness.run_pending_migrations(migrations) {
        Ok(versions) => Ok(versions.iter().map(ToString::to_string).collect()),
        Err(error) => Err(match error.downcast::<diesel::result::Error>() {
            Ok(error) => VmdbError::from(*error),
            Err(error) => VmdbError::Refused(format!("a migration failed: {error}")),
        }),
    }
}
