//! `http.listen`: where to listen, or `off`.

use super::values;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// `None`: neither an address nor `off`; `Some(None)`: off. `localhost:PORT` is 127.0.0.1.
pub fn parse(text: &str) -> Option<Option<SocketAddr>> {
    let text = text.trim();
    if values::word(text).eq_ignore_ascii_case("off") || values::word(text).eq_ignore_ascii_case("false") {
        return Some(None);
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return Some(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port.parse().ok()?)));
    }
    text.parse().ok().map(Some)
}
