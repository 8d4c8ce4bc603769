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
use crate::smtp;

/// A simulation that listens on a port. Everything that the control API offers is also here: [`Running`] dereferences to
/// [`Simulation`]. Dropping it closes the port and all connections.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    mail: Option<SocketAddr>,
    simulation: Arc<Simulation>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// The mail server listens at the port of the others and so many more.
const MAIL_ABOVE: u16 = 25;

/// Starts all simulated vendors on one port, and the mail server 25 ports above. Port 0 takes any free ones.
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
    let mut tasks = Vec::new();
    let mut mail = None;
    if simulation.slugs().any(|slug| slug == smtp::SLUG) {
        let port = if addr.port() == 0 {
            0
        } else {
            addr.port().saturating_add(MAIL_ABOVE)
        };
        let listener = TcpListener::bind(SocketAddr::new(addr.ip(), port)).await?;
        mail = Some(listener.local_addr()?);
        tasks.push(tokio::spawn(smtp::accept(
            listener,
            Arc::clone(&simulation),
            stopped.clone(),
        )));
    }
    tasks.push(tokio::spawn(edge::accept(listener, Arc::clone(&simulation), stopped)));
    Ok(Running {
        address,
        mail,
        simulation,
        stop,
        tasks,
    })
}

/// Where one vendor of a simulation elsewhere is, which was started on a port of its own choice: `base` is `http://127.0.0.1:4000`.
#[must_use]
pub fn url_at(base: &str, vendor: &str) -> String {
    let mail = url::Url::parse(base).ok().filter(|_| vendor == smtp::SLUG);
    let place = mail
        .as_ref()
        .and_then(|base| Some((base.host_str()?, base.port_or_known_default()?)));
    match place {
        Some((host, port)) => format!("smtp+plain://{host}:{}", port.saturating_add(MAIL_ABOVE)),
        None => format!("{}/{vendor}", base.trim_end_matches('/')),
    }
}

impl Running {
    /// Where the simulation listens: `http://127.0.0.1:4000`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where one vendor listens: `http://127.0.0.1:4000/notion`, `smtp+plain://127.0.0.1:4025`, without a slash at the end.
    #[must_use]
    pub fn url(&self, vendor: &str) -> String {
        match self.mail.filter(|_| vendor == smtp::SLUG) {
            Some(mail) => format!("smtp+plain://{mail}"),
            None => format!("http://{}/{vendor}", self.address),
        }
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

    /// Closes the ports and all connections, and returns when that is done. The state can still be asked through a clone of
    /// [`Running::simulation`].
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        for task in &mut self.tasks {
            let _ = task.await;
        }
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
        // Ends the accepting tasks, and with them the connections that they own.
        for task in &self.tasks {
            task.abort();
        }
    }
}
