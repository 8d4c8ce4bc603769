//! A simulation that listens.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::edge;
use crate::options::Options;
use crate::simulation::Simulation;

/// A simulation that listens on a port. Everything that the control API offers is also here: [`Running`] dereferences to
/// [`Simulation`]. Dropping it closes the port and all connections.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    simulation: Arc<Simulation>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Starts all simulated vendors on one port. Port 0 takes any free one.
///
/// Each vendor is mounted below its slug: `/salesforce`, `/hubspot` …; the control API is below `/_control`.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn start(addr: SocketAddr, options: Options) -> std::io::Result<Running> {
    let listener = TcpListener::bind(addr).await?;
    let address = listener.local_addr()?;
    let simulation = Arc::new(Simulation::new(options));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(edge::accept(listener, Arc::clone(&simulation), stopped));
    Ok(Running {
        address,
        simulation,
        stop,
        task,
    })
}

impl Running {
    /// Where the simulation listens: `http://127.0.0.1:4000`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where one vendor listens: `http://127.0.0.1:4000/notion`, without a slash at the end.
    #[must_use]
    pub fn url(&self, vendor: &str) -> String {
        format!("http://{}/{vendor}", self.address)
    }

    /// The address listened on, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The state, which outlives the listening.
    #[must_use]
    pub fn simulation(&self) -> &Arc<Simulation> {
        &self.simulation
    }

    /// Closes the port and all connections, and returns when that is done. The state can still be asked through a clone of
    /// [`Running::simulation`].
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
    }
}

impl Deref for Running {
    type Target = Simulation;

    fn deref(&self) -> &Simulation {
        &self.simulation
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ends the accepting task, and with it the connections that it owns.
        self.task.abort();
    }
}
