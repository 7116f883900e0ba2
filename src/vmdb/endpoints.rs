//! `endpoints`: where an EMS is reached, without user names or passwords. What only the provider knows stays in the settings.

use super::VmdbError;
use super::bulk::{self, BulkColumn};
use super::dialect::Connection;
use super::statement::Value;
use crate::clock;
use crate::provider::{EmsId, Endpoint};
use std::collections::BTreeMap;

/// What is stored of an endpoint, without its id.
#[derive(Debug, PartialEq)]
struct Stored {
    url: Option<String>,
    hostname: Option<String>,
    port: Option<i64>,
    path: Option<String>,
    security_protocol: Option<String>,
    verify_ssl: i64,
    certificate_authority: Option<String>,
}

/// Brings the rows of these EMSs in line with their settings; a row keeps its id as long as its role is there, and is written
/// only if something of it changed.
///
/// # Errors
/// See [`VmdbError`].
pub(super) fn enter<'a>(
    connection: &mut Connection,
    all: impl Iterator<Item = (EmsId, &'a BTreeMap<String, Endpoint>)> + Clone,
) -> Result<(), VmdbError> {
    let mut stored = stored(connection, all.clone().map(|(id, _)| id.0).collect())?;
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (ems_id, endpoints) in all {
        for (role, endpoint) in endpoints {
            let wanted = Stored::of(endpoint);
            match stored.remove(&(ems_id.0, role.clone())) {
                Some((_, known)) if known == wanted => {}
                Some((id, _)) => changed.push((id, wanted)),
                None => new.push((ems_id.0, role, wanted)),
            }
        }
    }
    let now = clock::now();
    let mut columns = columns(new.iter().map(|(_, _, wanted)| wanted));
    columns.extend([
        ("role", new.iter().map(|(_, role, _)| (*role).into()).collect()),
        ("resource_type", new.iter().map(|_| "ExtManagementSystem".into()).collect()),
        ("resource_id", new.iter().map(|(ems_id, _, _)| (*ems_id).into()).collect()),
        ("created_at", new.iter().map(|_| now.into()).collect()),
        ("updated_at", new.iter().map(|_| now.into()).collect()),
    ]);
    bulk::insert(connection, "endpoints", &columns, "")?;
    let mut columns = vec![("id", changed.iter().map(|(id, _)| (*id).into()).collect())];
    columns.extend(self::columns(changed.iter().map(|(_, wanted)| wanted)));
    columns.push(("updated_at", changed.iter().map(|_| now.into()).collect()));
    let set = "url = fresh.url, hostname = fresh.hostname, port = fresh.port, path = fresh.path, \
               security_protocol = fresh.security_protocol, verify_ssl = fresh.verify_ssl, \
               certificate_authority = fresh.certificate_authority, updated_at = fresh.updated_at";
    bulk::update(connection, "endpoints", &columns, set)?;
    let gone: Vec<_> = stored.into_values().map(|(id, _)| id).collect();
    connection.execute("DELETE FROM endpoints WHERE id ?", &[Value::Integers(gone)]).map(drop)
}

/// Rows by EMS and role, with their ids.
type ByEmsAndRole = BTreeMap<(i64, String), (i64, Stored)>;

fn stored(connection: &mut Connection, ems_ids: Vec<i64>) -> Result<ByEmsAndRole, VmdbError> {
    let sql = "SELECT id, resource_id, role, url, hostname, port, path, security_protocol, verify_ssl, \
               certificate_authority FROM endpoints \
               WHERE resource_type = 'ExtManagementSystem' AND resource_id ? ORDER BY id";
    let mut stored = BTreeMap::new();
    for row in connection.rows(sql, &[Value::Integers(ems_ids)])? {
        let endpoint = Stored {
            url: row.string(3),
            hostname: row.string(4),
            port: row.integer(5),
            path: row.string(6),
            security_protocol: row.string(7),
            verify_ssl: row.integer(8).unwrap_or_default(),
            certificate_authority: row.string(9),
        };
        stored.insert((row.id(1)?, row.string(2).unwrap_or_default()), (row.id(0)?, endpoint));
    }
    Ok(stored)
}

impl Stored {
    fn of(endpoint: &Endpoint) -> Self {
        Self {
            url: endpoint.url.as_deref().map(without_credentials),
            hostname: endpoint.hostname.clone(),
            port: endpoint.port.map(i64::from),
            path: endpoint.path.clone(),
            security_protocol: endpoint.security_protocol.clone(),
            verify_ssl: i64::from(endpoint.verify_ssl),
            certificate_authority: endpoint.certificate_authority.clone(),
        }
    }
}

fn columns<'a>(all: impl Iterator<Item = &'a Stored> + Clone) -> Vec<BulkColumn<'a>> {
    let of = |value: fn(&'a Stored) -> Value<'a>| all.clone().map(value).collect();
    vec![
        ("url", of(|endpoint| (&endpoint.url).into())),
        ("hostname", of(|endpoint| (&endpoint.hostname).into())),
        ("port", of(|endpoint| endpoint.port.into())),
        ("path", of(|endpoint| (&endpoint.path).into())),
        ("security_protocol", of(|endpoint| (&endpoint.security_protocol).into())),
        ("verify_ssl", of(|endpoint| endpoint.verify_ssl.into())),
        ("certificate_authority", of(|endpoint| (&endpoint.certificate_authority).into())),
    ]
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
