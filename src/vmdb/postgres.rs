//! Opening the VMDB in PostgreSQL: its own schema, time limits, TLS. No libpq.
//!
//! The connections' sockets are driven by one small runtime of their own; the threads that own connections wait for it.

use super::dialect::{Connection, Raw};
use super::{Access, VmdbError, postgres_tls};
use diesel::connection::SimpleConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;

/// Upstream is acknowledged after a commit: one that a crash of the server could take back would lose events, whatever the
/// server's own default is. Stricter settings than `on` stay.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) \
                       WHERE current_setting('synchronous_commit') = 'off'";
/// Native events are compressed, which takes pglz a fifth of a commit; any PostgreSQL that knows lz4 reads what it wrote.
const QUICKLY_COMPRESSED: &str = "SELECT set_config('default_toast_compression', 'lz4', false) FROM pg_settings \
                                  WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";

/// Synchronous diesel over an asynchronous connection.
pub(super) type Postgres = AsyncConnectionWrapper<AsyncPgConnection>;

/// How to reach the database. Not printable: it holds the password.
pub(super) struct PostgresAddress {
    config: Config,
    tls: postgres_tls::Tls,
    schema: String,
    runtime: Runtime,
}

impl PostgresAddress {
    /// Reads the URL.
    ///
    /// # Errors
    /// [`VmdbError::Refused`], without the URL.
    pub(super) fn new(url: &str, schema: &str) -> Result<Self, VmdbError> {
        let (url, tls) = postgres_tls::take(url)?;
        let mut config: Config = url
            .parse()
            .map_err(|error: tokio_postgres::Error| VmdbError::Refused(format!("vmdb.url: {error}")))?;
        config.ssl_mode(match tls.mode() {
            "disable" => SslMode::Disable,
            "prefer" => SslMode::Prefer,
            _ => SslMode::Require,
        });
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("catchall");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vmdb-sockets")
            .enable_all()
            .build()
            .map_err(|error| VmdbError::Away(format!("no thread for the VMDB's sockets: {error}")))?;
        Ok(Self { config, tls, schema: schema.to_owned(), runtime })
    }

    /// Connects, and says how the session is to behave.
    pub(super) fn open(&self, access: Access) -> Result<Connection, VmdbError> {
        let connect = async {
            let (client, connection) =
                self.config.connect(self.tls.connector()).await.map_err(|e| connecting(&e))?;
            AsyncPgConnection::try_from_client_and_connection(client, connection)
                .await
                .map_err(|error| VmdbError::Away(error.to_string()))
        };
        let connection = self.runtime.block_on(connect)?;
        // The wrapper finds the runtime that drives its socket by the thread's context.
        let _context = self.runtime.enter();
        let mut connection = Postgres::from(connection);
        // Only some users may set this, and it only makes messages clearer.
        let _ = connection.batch_execute("SET lc_messages TO 'C'");
        let read_only = if access == Access::Read { "SET default_transaction_read_only TO on;" } else { "" };
        connection.batch_execute(&format!(
            "SET search_path TO {}; SET timezone TO 'UTC'; SET statement_timeout TO '60s'; SET lock_timeout TO '10s'; \
             SET idle_in_transaction_session_timeout TO '10s'; SET client_min_messages TO warning; {DURABLE}; {QUICKLY_COMPRESSED}; {read_only}",
            quoted(&self.schema)
        ))?;
        Ok(Connection::new(Raw::Postgres(Box::new(connection)), access))
    }

    /// Refuses a ManageIQ's own schema before anything is written, and makes ours.
    pub(super) fn prepare(&self, connection: &mut Connection, access: Access) -> Result<(), VmdbError> {
        let found = connection.rows(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = 'schema_migrations'",
            &[(&self.schema).into()],
        )?;
        if !found.is_empty() {
            return Err(VmdbError::Refused(format!(
                "the schema {} holds ManageIQ's own schema_migrations; set vmdb.schema to one of Catchall's own",
                self.schema
            )));
        }
        let exists = !connection
            .rows("SELECT 1 FROM pg_namespace WHERE nspname = ?", &[(&self.schema).into()])?
            .is_empty();
        match (exists, access) {
            (true, _) => Ok(()),
            (false, Access::Read) => Err(VmdbError::Refused(format!(
                "there is no schema {} in this database; start `catchall run` or `catchall migrate`",
                self.schema
            ))),
            (false, _) => {
                match connection.batch(&format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(&self.schema))) {
                    // Another process made it in the same instant.
                    Err(VmdbError::Data(_)) => Ok(()),
                    made => made,
                }
            }
        }
    }
}

/// An identifier as it may stand in SQL.
pub(super) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// What a failed connect means. Wrong names and passwords stay wrong; everything else may pass.
fn connecting(error: &tokio_postgres::Error) -> VmdbError {
    let message = match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(database), _) => database.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    };
    match error.code() {
        Some(code)
            if [
                SqlState::INVALID_PASSWORD,
                SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                SqlState::INVALID_CATALOG_NAME,
            ]
            .contains(code) =>
        {
            VmdbError::Refused(format!("{message}; check vmdb.url"))
        }
        _ => VmdbError::Away(message),
    }
}
