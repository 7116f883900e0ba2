//! Requests that are refused before anybody looks at them: too large, with a body, or from a page of somebody else's.
//!
//! A page in a browser may ask any address, this one too. What such a page must not get is kept from it twice: no answer
//! allows another origin to read it, and on loopback without a token, where only the machine itself is to be answered, names
//! that anybody can point at 127.0.0.1 (DNS rebinding) are not served.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use std::net::{IpAddr, SocketAddr};

/// The path with its query, in bytes.
const LONGEST_ADDRESS: usize = 8 * 1024;
/// All headers together, in bytes.
const LARGEST_HEADERS: usize = 16 * 1024;
/// What pages of other sites cannot ask for at all; links to the timeline go on working.
const OWN_SITE_ONLY: [&str; 4] = ["/api", "/export", "/live", "/pipeline.json"];

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// More than [`LONGEST_ADDRESS`].
    AddressTooLong,
    /// More than [`LARGEST_HEADERS`].
    HeadersTooLarge,
    /// Reading needs none.
    Body,
    /// `Host` is a name that is not ours.
    ForeignHost,
    /// A page of another site asks.
    CrossSite,
}

/// Names that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hosts {
    /// Whatever `Host` says: a token protects.
    Any,
    /// Those of loopback, and of this address.
    Loopback(IpAddr),
}

impl Hosts {
    /// Of a server that listens here and asks for no token.
    pub(super) fn without_token(listen: SocketAddr) -> Self {
        let address = listen.ip().to_canonical();
        if address.is_loopback() { Self::Loopback(address) } else { Self::Any }
    }

    fn serve(self, host: &str) -> bool {
        let Self::Loopback(listen) = self else { return true };
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let is_listen = || name.parse::<IpAddr>().is_ok_and(|ip| ip == listen || ip.is_loopback());
        name.eq_ignore_ascii_case("localhost") || is_listen()
    }
}

/// Whether and why a request is refused.
pub(super) fn refusal(request: &ServiceRequest, hosts: Hosts) -> Option<Refusal> {
    let (uri, headers) = (request.uri(), request.headers());
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let host = headers.get(HOST).map(|host| host.to_str().unwrap_or("?")).or_else(|| uri.host());
    if uri.path_and_query().is_some_and(|all| all.as_str().len() > LONGEST_ADDRESS) {
        Some(Refusal::AddressTooLong)
    } else if size > LARGEST_HEADERS {
        Some(Refusal::HeadersTooLarge)
    } else if host.is_some_and(|host| !hosts.serve(host)) {
        Some(Refusal::ForeignHost)
    } else if is_cross_site(request.path(), headers) {
        Some(Refusal::CrossSite)
    } else if reads && has_body(headers) {
        Some(Refusal::Body)
    } else {
        None
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    length || headers.contains_key(TRANSFER_ENCODING)
}

fn is_cross_site(path: &str, headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"cross-site")
        && OWN_SITE_ONLY.iter().any(|start| path.starts_with(start))
}

impl Refusal {
    /// Says it, and ends the connection where the rest of the request is not worth reading.
    pub(super) fn response(self) -> HttpResponse {
        let (status, text) = match self {
            Self::AddressTooLong => {
                (StatusCode::URI_TOO_LONG, "414: the address is longer than 8 KiB; ask for less at once.\n")
            }
            Self::HeadersTooLarge => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "431: the headers are larger than 16 KiB.\n")
            }
            Self::Body => (StatusCode::PAYLOAD_TOO_LARGE, "413: this can only be read; send no body.\n"),
            Self::ForeignHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "421: without http.token only localhost and the address of http.listen are served, so that no page of \
                 another site reaches this by a name of its own. Set http.token, or ask for http://localhost.\n",
            ),
            Self::CrossSite => {
                (StatusCode::FORBIDDEN, "403: pages of other sites are not served; ask without a browser.\n")
            }
        };
        let mut response = super::response::plain(status, text);
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn refused(listen: &str, uri: &str, headers: &[(&str, &str)]) -> Option<Refusal> {
        let mut request = TestRequest::with_uri(uri);
        for header in headers {
            request = request.insert_header(*header);
        }
        refusal(&request.to_srv_request(), Hosts::without_token(listen.parse().unwrap()))
    }

    #[test]
    fn on_loopback_without_a_token_only_its_own_names_are_served() {
        for host in ["localhost", "LOCALHOST:8484", "127.0.0.1:8484", "[::1]:8484", "127.0.0.2"] {
            assert_eq!(refused("127.0.0.1:8484", "/", &[("host", host)]), None, "{host}");
        }
        for host in
            ["evil.example", "127.0.0.1.evil.example:8484", "localhost.evil.example", "[::2]", "10.0.0.1", ""]
        {
            assert_eq!(
                refused("127.0.0.1:8484", "/", &[("host", host)]),
                Some(Refusal::ForeignHost),
                "{host}"
            );
        }
        assert!(Hosts::Any.serve("catchall.example"));
        assert_eq!(refused("0.0.0.0:8484", "/", &[("host", "catchall.example")]), None);
    }

    #[test]
    fn other_sites_may_link_to_pages_and_read_nothing() {
        let cross = ("sec-fetch-site", "cross-site");
        for path in ["/api", "/api/vms", "/export.csv"] {
            assert_eq!(refused("127.0.0.1:1", path, &[cross]), Some(Refusal::CrossSite), "{path}");
        }
        assert_eq!(refused("127.0.0.1:1", "/", &[cross]), None);
        assert_eq!(refused("127.0.0.1:1", "/api", &[("sec-fetch-site", "same-origin")]), None);
    }

    #[test]
    fn what_is_too_large_or_has_a_body_is_refused() {
        let long = format!("/?{}", "a".repeat(LONGEST_ADDRESS));
        assert_eq!(refused("127.0.0.1:1", &long, &[]), Some(Refusal::AddressTooLong));
        let large = "a".repeat(LARGEST_HEADERS);
        assert_eq!(refused("127.0.0.1:1", "/", &[("cookie", &large)]), Some(Refusal::HeadersTooLarge));
        for header in [("content-length", "5"), ("transfer-encoding", "chunked")] {
            assert_eq!(refused("127.0.0.1:1", "/", &[header]), Some(Refusal::Body));
        }
        assert_eq!(refused("127.0.0.1:1", "/", &[("content-length", "0")]), None);
    }
}
