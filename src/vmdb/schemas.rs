//! Removes a schema of PostgreSQL with all that is in it. Only a proof's own schemas, whose names begin with [`OF_A_PROOF`].

use super::postgres::quoted;
use super::{Connection, VmdbError};

/// How the names of schemas begin that are made for a proof and removed after it.
pub const OF_A_PROOF: &str = "catchall_prove_";

/// Removes `schema` from the database of this connection, if it is there.
///
/// # Errors
/// [`VmdbError::Refused`] for any name that is not a proof's; else see [`VmdbError`].
pub fn drop_schema(connection: &mut Connection, schema: &str) -> Result<(), VmdbError> {
    if !schema.starts_with(OF_A_PROOF) {
        return Err(VmdbError::Refused(format!(
            "the schema {schema} is not a proof's, and stays: their names begin with {OF_A_PROOF}"
        )));
    }
    connection.batch(&format!("DROP SCHEMA IF EXISTS {} CASCADE", quoted(schema)))
}
