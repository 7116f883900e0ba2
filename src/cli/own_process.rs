//! How a command reaches the Catchall that runs on this machine with the same settings.

use super::pipeline::{NotAsked, address};
use crate::provider::tls::{Trust, client_config};
use crate::settings::HttpSettings;
use std::net::SocketAddr;
use std::time::Duration;

/// It, and a client that speaks as it wants.
pub struct OwnProcess {
    /// Where it listens.
    pub address: SocketAddr,
    scheme: &'static str,
    client: reqwest::Client,
}

impl OwnProcess {
    /// An answer that takes longer than `at_most` is not waited for. With `http.tls` nobody is believed but who shows the
    /// certificate in its file.
    ///
    /// # Errors
    /// [`NotAsked::Off`] and [`NotAsked::AnyPort`]; [`NotAsked::Strange`] when the certificate cannot be read.
    pub fn of(settings: &HttpSettings, at_most: Duration) -> Result<Self, NotAsked> {
        let address = address(settings.listen)?;
        let strange = |error: &dyn std::fmt::Display| NotAsked::Strange(address, error.to_string());
        let mut client = reqwest::Client::builder().no_proxy().timeout(at_most);
        if let Some(files) = &settings.tls {
            let certified = files.read().map_err(|error| strange(&error))?;
            // The file is all that is known here, so no authority is asked, and no name, since the process is asked by its address.
            let own =
                certified.cert.into_iter().next().ok_or_else(|| strange(&"http.tls holds no certificate"))?;
            let config = client_config(Trust::Certificate(own)).map_err(|error| strange(&error))?;
            client = client.tls_backend_preconfigured(config);
        }
        let client = client.build().map_err(|error| strange(&error))?;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        Ok(Self { address, scheme, client })
    }

    /// The address of `path`, which begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// A request for `path`.
    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url(path))
    }
}
