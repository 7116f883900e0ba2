//! `catchall healthcheck`: asks the Catchall that runs with the same settings for `/readyz?vmdb`. It is for containers, whose
//! image holds no other program that could ask.

use super::pipeline::address;
use super::{CliError, failed};
use crate::settings::Settings;
use std::time::Duration;

/// A probe is answered within 2 s, whatever the VMDB does.
const AT_MOST: Duration = Duration::from_secs(4);

/// Status 0 when it is ready.
///
/// # Errors
/// When it is not, does not answer, or the settings do not tell where it could be asked.
pub fn run(settings: &Settings) -> Result<(), CliError> {
    let url = format!("http://{}/readyz?vmdb", address(settings.http.listen).map_err(failed)?);
    actix_rt::System::new().block_on(ask(&url))
}

async fn ask(url: &str) -> Result<(), CliError> {
    let told = |error: reqwest::Error| failed(format!("{url}: {}", error.without_url()));
    let client = reqwest::Client::builder().no_proxy().timeout(AT_MOST).build().map_err(told)?;
    let answer = client.get(url).send().await.map_err(told)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(failed(format!("{url}: {status}: {}", answer.text().await.map_err(told)?)))
}
