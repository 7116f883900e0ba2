//! `endpoints`: where an EMS is reached, without user names or passwords. What only the provider knows stays in the settings.

use super::VmdbError;
use super::dialect::Connection;
use super::statement::Value;
use crate::clock;
use crate::provider::{EmsId, Endpoint};
use std::collections::BTreeMap;

/// Brings the rows of an EMS in line with its settings; a row keeps its id as long as its role is there.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn enter(
    connection: &mut Connection,
    ems_id: EmsId,
    endpoints: &BTreeMap<String, Endpoint>,
) -> Result<(), VmdbError> {
    let sql =
        "SELECT id, role FROM endpoints WHERE resource_type = 'ExtManagementSystem' AND resource_id = ?";
    let mut stored = BTreeMap::new();
    for row in connection.rows(sql, &[ems_id.0.into()])? {
        stored.insert(row.string(1).unwrap_or_default(), row.id(0)?);
    }
    for (role, endpoint) in endpoints {
        let id = match stored.remove(role) {
            Some(id) => id,
            None => insert(connection, ems_id, role)?,
        };
        update(connection, id, endpoint)?;
    }
    let gone: Vec<_> = stored.into_values().collect();
    connection.execute("DELETE FROM endpoints WHERE id ?", &[Value::Integers(gone)]).map(drop)
}

fn insert(connection: &mut Connection, ems_id: EmsId, role: &str) -> Result<i64, VmdbError> {
    let now = clock::now();
    let sql = "INSERT INTO endpoints (role, resource_type, resource_id, created_at, updated_at) \
               VALUES (?, 'ExtManagementSystem', ?, ?, ?) RETURNING id";
    let rows = connection.rows(sql, &[role.into(), ems_id.0.into(), now.into(), now.into()])?;
    rows.first().ok_or_else(|| VmdbError::Bug("an insert returned no id".to_owned()))?.id(0)
}

fn update(connection: &mut Connection, id: i64, endpoint: &Endpoint) -> Result<(), VmdbError> {
    let url = endpoint.url.as_deref().map(without_credentials);
    let sql = "UPDATE endpoints SET url = ?, hostname = ?, port = ?, path = ?, security_protocol = ?, verify_ssl = ?, \
               certificate_authority = ?, updated_at = ? WHERE id = ?";
    let values = [
        (&url).into(),
        (&endpoint.hostname).into(),
        endpoint.port.map(i64::from).into(),
        (&endpoint.path).into(),
        (&endpoint.security_protocol).into(),
        i64::from(endpoint.verify_ssl).into(),
        (&endpoint.certificate_authority).into(),
        clock::now().into(),
        id.into(),
    ];
    connection.execute(sql, &values).map(drop)
}

/// Drops `user:password@` and the query, which may hold a token.
fn without_credentials(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut url) => {
            // Fails only for URLs that cannot have them.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.into()
        }
        Err(_) => url.rsplit('@').next().unwrap_or_default().to_owned(),
    }
}
