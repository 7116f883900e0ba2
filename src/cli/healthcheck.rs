//! `catchall healthcheck`: asks the Catchall that runs with the same settings for `/readyz?vmdb`. It is for containers, whose
//! image holds no other program that could ask.

use super::own_process::OwnProcess;
use super::{CliError, failed};
use crate::settings::Settings;
use std::time::Duration;

/// A probe is answered within 2 s, whatever the VMDB does.
const AT_MOST: Duration = Duration::from_secs(4);
const PROBE: &str = "/readyz?vmdb";

/// Status 0 when it is ready.
///
/// # Errors
/// When it is not, does not answer, or the settings do not tell where it could be asked.
pub fn run(settings: &Settings) -> Result<(), CliError> {
    let process = OwnProcess::of(&settings.http, AT_MOST).map_err(failed)?;
    actix_rt::System::new().block_on(ask(&process))
}

async fn ask(process: &OwnProcess) -> Result<(), CliError> {
    let url = process.url(PROBE);
    let told = |error: reqwest::Error| failed(format!("{url}: {}", error.without_url()));
    let answer = process.get(PROBE).send().await.map_err(told)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(failed(format!("{url}: {status}: {}", answer.text().await.map_err(told)?)))
}
