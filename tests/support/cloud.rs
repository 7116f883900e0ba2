//! A simulated Awesome Cloud inside the test process: it outlives every Catchall that a test kills.

use catchall::simulator::{self, Faults, Simulator, SimulatorOptions};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

/// A running cloud; stops when it is dropped.
pub struct Cloud {
    simulator: Arc<Simulator>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Cloud {
    /// With so many VMs; nothing happens until [`Cloud::happen`].
    pub fn start(seed: u64, vms: usize, faults: Faults) -> Self {
        let (started, start) = channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let options = SimulatorOptions { seed, vms, faults, ..SimulatorOptions::default() };
                let simulator = Arc::new(simulator::start(options).await.expect("the simulator starts"));
                started.send(simulator).expect("the test waits for the simulator");
                let _ = stopped.await;
            });
        });
        let simulator = start.recv().expect("the simulator starts");
        Self { simulator, stop: Some(stop), thread: Some(thread) }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        self.simulator.url()
    }

    /// Lets so many things happen now.
    pub fn happen(&self, count: usize) {
        self.simulator.happen(count);
    }

    /// Every event that ever became visible.
    pub fn events(&self) -> Vec<String> {
        self.simulator.ledger().events
    }

    /// Every malformed event that ever became visible.
    pub fn malformed(&self) -> Vec<String> {
        self.simulator.ledger().malformed
    }

    /// How many events are still to become visible.
    pub fn hidden(&self) -> usize {
        self.simulator.ledger().hidden
    }

    /// The simulator itself.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
