//! `catchall healthcheck`: asks the Catchall that runs with the same settings for `/readyz?vmdb`. It is for containers, whose
//! image holds no other program that could ask.

use super::{CliError, failed};
use crate::settings::Settings;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// A probe is answered within 2 s, whatever the VMDB does.
const LIMIT: Duration = Duration::from_secs(4);

/// Status 0 when it is ready.
///
/// # Errors
/// When it is not, does not answer, or the settings have it listen nowhere that could be known.
pub fn run(settings: &Settings) -> Result<(), CliError> {
    let Some(listen) = settings.http.listen else {
        return Err(failed("http.listen is off, so nothing can be asked; leave the health check out"));
    };
    if listen.port() == 0 {
        return Err(failed("http.listen has port 0, so the port is not known; name one"));
    }
    let url = format!("http://{}/readyz?vmdb", reachable(listen));
    actix_rt::System::new().block_on(ask(&url))
}

/// An address at which a server that listens everywhere is reached from beside it.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn ask(url: &str) -> Result<(), CliError> {
    let told = |error: reqwest::Error| failed(format!("{url}: {error}"));
    let client = reqwest::Client::builder().no_proxy().timeout(LIMIT).build().map_err(told)?;
    let answer = client.get(url).send().await.map_err(told)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(failed(format!("{url}: {status}: {}", answer.text().await.map_err(told)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_over_the_loopback() {
        let cases =
            [("0.0.0.0:8484", "127.0.0.1:8484"), ("[::]:8484", "[::1]:8484"), ("192.0.2.7:1", "192.0.2.7:1")];
        for (listen, asked) in cases {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
