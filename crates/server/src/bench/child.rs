//! A process that is measured: a hub or the relay. It is killed when it goes out of scope.

use std::{
    fs::File,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child as Process, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use switchboard_model::problem::Problem;

use super::{
    failure,
    pace::pause,
    process::{Usage, Watch, usage},
};

/// A process that does not answer for so long has failed to start.
const PATIENCE: Duration = Duration::from_secs(120);
const ASK: Duration = Duration::from_micros(500);
/// Lines of its log that are shown when it fails.
const LINES: usize = 20;

/// A running process that answers requests.
#[derive(Debug)]
pub struct Child {
    process: Process,
    /// When it was started.
    pub begun: Instant,
    /// How long it took until its port was open.
    pub open: Duration,
    /// How long it took until it answered a request.
    pub answers: Duration,
}

/// This program with these arguments, without settings from the environment: what is measured is the usual configuration.
///
/// # Errors
/// When the system does not say where this program is.
pub fn command(arguments: &[&str]) -> Result<Command, Problem> {
    let program = std::env::current_exe().map_err(|error| failure("This program cannot be found", error))?;
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SWITCHBOARD_") {
            command.env_remove(name);
        }
    }
    command.env_remove("DATABASE_URL");
    command.args(arguments);
    Ok(command)
}

/// An address of this machine with a port that nobody uses. It stays free until it is used: the system gives ports above these to whoever
/// asks for any, and each call and each process look elsewhere.
///
/// # Errors
/// When there is none.
pub fn free_address() -> Result<SocketAddr, Problem> {
    static CALLS: AtomicU16 = AtomicU16::new(0);
    const PORTS: u16 = 10_000;
    let own = (std::process::id() % u32::from(PORTS)) as u16;
    let mut ports = (0..PORTS).map(|_| 10_000 + own.wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed)) % PORTS);
    let free = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .ok_or_else(|| failure("There is no free port", "10000 to 19999 are all in use"))
}

impl Child {
    /// Starts it on this address and waits until it answers. What it writes goes to the file `log`.
    ///
    /// # Errors
    /// When it does not start; the end of its log is told.
    pub async fn start(mut command: Command, address: SocketAddr, log: &Path) -> Result<Self, Problem> {
        let out = File::options().create(true).append(true).open(log);
        let out = out.map_err(|error| failure("The log of the process cannot be written", error))?;
        let err = out
            .try_clone()
            .map_err(|error| failure("The log of the process cannot be written", error))?;
        command.args(["--listen", &address.to_string()]);
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let begun = Instant::now();
        let process = command
            .spawn()
            .map_err(|error| failure("The process cannot be started", error))?;
        let mut child = Self {
            process,
            begun,
            open: Duration::ZERO,
            answers: Duration::ZERO,
        };
        loop {
            if let Ok(stream) = TcpStream::connect(address) {
                child.open = begun.elapsed();
                if is_alive(stream) {
                    child.answers = begun.elapsed();
                    return Ok(child);
                }
            }
            let ended = child.process.try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > PATIENCE {
                return Err(failure("The process did not start", end_of(log)));
            }
            pause(ASK).await;
        }
    }

    /// Begins to watch what it uses. `None` where the system does not tell.
    pub fn watch(&self) -> Option<Watch> {
        Watch::start(self.process.id())
    }

    /// What it has used; zeros where the system does not tell.
    pub fn usage(&self) -> Usage {
        usage(self.process.id()).unwrap_or_default()
    }

    /// SIGKILL: nothing can be tidied up.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to end and waits for that.
    pub async fn stop(mut self) {
        #[cfg(unix)]
        if let Some(pid) = rustix::process::Pid::from_raw(self.process.id().cast_signed())
            && rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok()
        {
            let asked = Instant::now();
            while self.process.try_wait().is_ok_and(|ended| ended.is_none()) && asked.elapsed() < PATIENCE {
                pause(Duration::from_millis(2)).await;
            }
        }
        self.end();
    }

    fn end(&mut self) {
        // Fails when it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether the other end answers a request. It waits as long as the connection lives: a port is open before the hub serves.
fn is_alive(mut stream: TcpStream) -> bool {
    let request = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut start = [0; 12];
    stream.set_read_timeout(Some(PATIENCE)).is_ok()
        && stream.write_all(request).is_ok()
        && stream.read_exact(&mut start).is_ok()
        && start.starts_with(b"HTTP/1.1 2")
}

fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
