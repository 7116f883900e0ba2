//! The address of an endpoint: `url`, or ManageIQ's hostname, port, path and security_protocol.

use crate::provider::{Ems, Endpoint, ProviderError};
use reqwest::Url;

/// The address of endpoint `role` of `ems`, without credentials.
///
/// # Errors
/// Names the key that is missing or wrong. The value is not repeated, since it may hold a password.
pub fn endpoint_url(ems: &Ems, role: &str) -> Result<Url, ProviderError> {
    let endpoint = ems.endpoint(role)?;
    let wrong = |key: &str, why: &str| ProviderError::new(&ems.name, format!("endpoints.{role}.{key} {why}"));
    let (key, text) = match (&endpoint.url, &endpoint.hostname) {
        (Some(url), _) => ("url", url.clone()),
        (None, Some(hostname)) => ("hostname", joined(endpoint, hostname)),
        (None, None) => return Err(ProviderError::missing(&ems.name, &format!("endpoints.{role}.url"))),
    };
    let mut url = Url::parse(text.trim()).map_err(|error| wrong(key, &format!("is no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong(key, "is no http:// or https:// address with a host"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(key, "has a query or fragment; paths are appended to it, so leave that out"));
    }
    // Both fail only for addresses that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(url)
}

fn joined(endpoint: &Endpoint, hostname: &str) -> String {
    let scheme = match endpoint.security_protocol.as_deref() {
        Some("non-ssl" | "non_ssl" | "http") => "http",
        _ => "https",
    };
    let host = if hostname.contains(':') && !hostname.starts_with('[') {
        format!("[{hostname}]")
    } else {
        hostname.to_owned()
    };
    let port = endpoint.port.map(|port| format!(":{port}")).unwrap_or_default();
    let path = endpoint.path.as_deref().unwrap_or_default().trim_start_matches('/');
    format!("{scheme}://{host}{port}/{path}")
}
