//! `simulate awesome-cloud`: a working provider to try things on, until it is interrupted.

use super::arguments::SimulateArguments;
use super::{CliError, failed, signals};
use crate::simulator::{self, Faults, SimulatorOptions};
use tokio::signal::unix::SignalKind;

/// Serves until SIGINT or SIGTERM.
pub fn awesome_cloud(arguments: &SimulateArguments) -> Result<(), CliError> {
    let options = SimulatorOptions {
        listen: arguments.listen,
        rate: arguments.rate,
        vms: arguments.vms,
        seed: arguments.seed,
        epoch: arguments.epoch.clone(),
        faults: Faults::of(&arguments.faults.0, arguments.fault_seed),
        ..SimulatorOptions::default()
    };
    actix_rt::System::new().block_on(async {
        let mut simulator = simulator::start(options).await.map_err(|error| {
            failed(format!("cannot listen on {}: {error}; choose another --listen", arguments.listen))
        })?;
        log::info!("a simulated Awesome Cloud listens on {}", simulator.url());
        if !arguments.faults.0.is_empty() {
            let names: Vec<_> = arguments.faults.0.iter().map(ToString::to_string).collect();
            log::info!("what goes wrong, by --fault-seed {}: {}", arguments.fault_seed, names.join(", "));
        }
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        tokio::select! {
            ended = simulator.wait() => ended.map_err(failed),
            asked = signals::first_of(&kinds) => asked.map_err(failed),
        }
    })
}
