//! The hub as a process of its own: this same program, started, killed, and asked over its API.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;
use switchboard_model::problem::{Code, Problem};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a process is asked whether it has ended.
pub const ASK: Duration = Duration::from_millis(2);
/// How long a hub of a run waits, after another was killed in the middle of a call, before it looks what became of it, in seconds: long enough for
/// every answer of the simulators, in place of the 75 s that vendors get.
pub const CALL_SECONDS: &str = "2";
/// The retry settings of the hubs, how long a call may take, and where they may call.
const FLAGS: [&str; 11] = [
    "--listen",
    "127.0.0.1:0",
    "--allow-private-addresses",
    "--retry-base-ms",
    "20",
    "--retry-cap-ms",
    "300",
    "--retry-attempts",
    "200",
    "--limits-call-seconds",
    CALL_SECONDS,
];

/// How hubs are started for one run.
#[derive(Debug, Clone)]
pub struct Site {
    /// This program.
    pub program: PathBuf,
    /// Holds the data folder, the log and what is kept of a failed run.
    pub folder: PathBuf,
    /// The folder of [`super::manifests`].
    pub connectors: PathBuf,
    /// The database of the run, when it is not a file in the data folder.
    pub database: Option<String>,
}

impl Site {
    /// A command of this program with the settings of the run, and without those of the environment.
    fn command(&self, command: &[&str]) -> Result<Command, Problem> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .map_err(|error| broken(&format!("its log cannot be opened: {error}")))?;
        let mut made = Command::new(&self.program);
        made.env_clear()
            .current_dir(&self.folder)
            .args(command)
            .args(FLAGS)
            .args(["--data", "data", "--connectors"])
            .arg(&self.connectors);
        if let Some(database) = &self.database {
            made.args(["--database", database]);
        }
        made.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        Ok(made)
    }

    /// Runs a command to its end and answers what it printed.
    ///
    /// # Errors
    /// When it ends badly.
    pub async fn run(&self, command: &[&str]) -> Result<String, Problem> {
        let mut made = self.command(command)?;
        let output = tokio::task::spawn_blocking(move || made.output()).await;
        let output = output
            .map_err(|error| broken(&error.to_string()))?
            .map_err(|error| broken(&error.to_string()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(broken(&format!(
            "`{}` ended with {}; its log is {}",
            command.join(" "),
            output.status,
            self.folder.join("log").display()
        )))
    }

    /// Starts a hub and waits until it is ready. With a fail point it may be dead before.
    ///
    /// # Errors
    /// When it does not start although nothing is to kill it.
    pub async fn start(&self, fail_point: Option<&str>) -> Result<Node, Problem> {
        let mut arguments = vec!["serve"];
        if let Some(place) = fail_point {
            arguments.extend(["--fail-point", place]);
        }
        let mut command = self.command(&arguments)?;
        let started = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn()?;
            let mut output = BufReader::new(child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?);
            let address = read_banner(&mut output);
            Ok::<_, std::io::Error>(Node {
                child,
                address,
                _output: output,
            })
        });
        let mut node = started
            .await
            .map_err(|error| broken(&error.to_string()))?
            .map_err(|error| broken(&error.to_string()))?;
        if node.address.is_none() && fail_point.is_none() {
            let status = node.kill()?;
            let log = self.folder.join("log");
            return Err(broken(&format!(
                "it did not start ({status}); its log is {}",
                log.display()
            )));
        }
        Ok(node)
    }
}

/// Where the hub listens, once it is ready.
fn read_banner(output: &mut BufReader<ChildStdout>) -> Option<String> {
    let mut address = None;
    for line in output.lines() {
        let line = line.ok()?;
        if let Some(rest) = line.trim().strip_prefix("API:") {
            address = Some(rest.trim().to_owned());
        }
        if line == "Ready." {
            return address;
        }
    }
    None
}

/// A hub that was started.
#[derive(Debug)]
pub struct Node {
    child: Child,
    /// `http://127.0.0.1:4000`; `None` when it was dead before it was ready.
    pub address: Option<String>,
    /// Kept open: a hub that writes into a closed pipe would end for another reason than ours.
    _output: BufReader<ChildStdout>,
}

impl Node {
    /// Waits until it has ended by itself; `false` when it still runs after `most`.
    ///
    /// # Errors
    /// When the system does not tell.
    pub async fn ends_within(&mut self, most: Duration) -> Result<bool, Problem> {
        let ended = until(ASK, most, async || match self.child.try_wait() {
            Ok(None) => None,
            ended => Some(ended),
        });
        match ended.await {
            None => Ok(false),
            Some(Ok(_)) => Ok(true),
            Some(Err(error)) => Err(broken(&error.to_string())),
        }
    }

    /// SIGKILL, and the end that follows.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<ExitStatus, Problem> {
        // Fails when it is dead already.
        let _ = self.child.kill();
        self.child.wait().map_err(|error| broken(&error.to_string()))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks the API of hubs.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The HTTP client.
    pub http: reqwest::Client,
    /// The API key.
    pub key: String,
}

impl Caller {
    /// What the API says at this address, when it answers with 200.
    ///
    /// # Errors
    /// When there is no such answer.
    pub async fn get(&self, address: &str, path: &str) -> Result<Value, Problem> {
        let fail = |error: reqwest::Error| broken(&format!("{path}: {error}"));
        let request = self.http.get(format!("{address}{path}")).bearer_auth(&self.key);
        let response = request.send().await.map_err(fail)?;
        let status = response.status();
        let text = response.text().await.map_err(fail)?;
        if status != 200 {
            return Err(broken(&format!("{path} was answered with {status}: {text}")));
        }
        serde_json::from_str(&text).map_err(|error| broken(&format!("{path}: {error}")))
    }
}

/// Asks every so often until there is an answer; `None` when there is none within `most`.
pub async fn until<T>(every: Duration, most: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + most;
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
    }
}

/// The problem that a hub of the test does not do what it should.
pub fn broken(why: &str) -> Problem {
    Problem::new(
        Code::Internal,
        format!("The hub under test failed: {why}."),
        "Look at its log; report this when the hub is at fault.",
    )
}
