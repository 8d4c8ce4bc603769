//! The hub as a process, and a caller of its API.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wait::until;

/// A temporary data folder with the settings that tests share.
pub struct Folder {
    root: TempDir,
}

impl Folder {
    pub fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// A file beside the data folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The command, with this data folder and without the environment's settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchboard"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SWITCHBOARD_") {
                command.env_remove(name);
            }
        }
        command.env_remove("DATABASE_URL");
        command.current_dir(self.root.path()).args(arguments);
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        Ended::from(output)
    }

    /// `switchboard apply` of one configuration that the test writes.
    pub fn apply(&self, configuration: &Value) -> Ended {
        let file = self.file("applied.json", &configuration.to_string());
        self.run(&["apply", file.to_str().unwrap()])
    }

    /// From now on the database takes no record whose data is like this.
    pub fn refuse_records(&self, like: &str) {
        let db = rusqlite::Connection::open(self.data().join("switchboard.db")).unwrap();
        let trigger = format!(
            "CREATE TRIGGER refused BEFORE INSERT ON record WHEN NEW.data LIKE '{like}'
             BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"
        );
        db.execute_batch(&trigger).unwrap();
    }

    /// Starts a hub that answers at once and tries again soon.
    pub fn start(&self) -> Hub {
        self.start_with(&[
            "--retry-base-ms",
            "20",
            "--retry-cap-ms",
            "200",
            "--retry-attempts",
            "300",
            "--limits-requests-per-minute",
            "0",
        ])
    }

    /// Starts a hub with these flags.
    pub fn start_with(&self, flags: &[&str]) -> Hub {
        self.launch(&[&["--allow-private-addresses"], flags].concat())
    }

    /// Starts a hub that calls public addresses only.
    pub fn start_public(&self) -> Hub {
        self.launch(&[])
    }

    fn launch(&self, flags: &[&str]) -> Hub {
        let mut command = self.command(&["--listen", "127.0.0.1:0"]);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.root.path().join("log"))
            .unwrap();
        command.args(flags).stdout(Stdio::piped()).stderr(log);
        Hub::start(command, self.root.path())
    }
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// The command ended well.
    #[track_caller]
    pub fn fine(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// A running hub. It is killed when it goes out of scope.
pub struct Hub {
    child: Child,
    /// What it printed at its start.
    pub banner: Vec<String>,
    /// Its address.
    pub address: String,
    key: String,
    http: reqwest::Client,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The answer is the problem with this code: status, media type, and the members that help a person.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(
            (self.status, problem["code"].as_str()),
            (status, Some(code)),
            "{problem}"
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["type"], format!("/errors/{code}"));
        assert_eq!(problem["status"], status);
        for member in ["title", "detail", "fault", "next"] {
            assert!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member} of {problem}"
            );
        }
        problem
    }

    /// The answer is as good as expected.
    #[track_caller]
    pub fn fine(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
}

impl Hub {
    fn start(mut command: Command, root: &Path) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = Vec::new();
        let mut address = None;
        let mut key = None;
        // The data folder is named behind the address, the key behind that: nothing more comes without a request.
        while let Some(Ok(line)) = lines.next() {
            let field = |name: &str| line.trim().strip_prefix(name).map(|rest| rest.trim().to_owned());
            address = address.or_else(|| field("API:"));
            key = key.or_else(|| field("API key:"));
            banner.push(line.clone());
            if line == "Ready." {
                break;
            }
        }
        let log = || std::fs::read_to_string(root.join("log")).unwrap_or_default();
        let address = address.unwrap_or_else(|| panic!("the hub did not start: {banner:?}\n{}", log()));
        let key_file = root.join("key");
        if let Some(key) = &key {
            std::fs::write(&key_file, key).unwrap();
        }
        let key = key.or_else(|| std::fs::read_to_string(&key_file).ok()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            child,
            banner,
            address,
            key,
            http,
        }
    }

    /// The API key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A caller's request, with the key.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.http
            .request(method, format!("{}{path}", self.address))
            .bearer_auth(&self.key)
    }

    /// A caller's request without a key.
    pub fn anonymous(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, format!("{}{path}", self.address))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_raw(path, "application/json", body.to_string().into_bytes())
            .await
    }

    pub async fn post_raw(&self, path: &str, media: &str, body: Vec<u8>) -> Reply {
        self.send(self.request("POST", path).header("content-type", media).body(body))
            .await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        let request = self.request("PUT", path).header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }

    /// Posts an event that is to be accepted; answers its id.
    pub async fn event(&self, kind: &str, data: Value) -> String {
        let receipt = self
            .post("/v1/events", &json!({"type": kind, "data": data}))
            .await
            .fine(202);
        receipt["id"].as_str().unwrap().to_owned()
    }

    /// Waits until every run of an event is over; answers them, the automations' keys in alphabetical order.
    pub async fn runs_of(&self, event: &str) -> Vec<Value> {
        until(&format!("the runs of {event} are over"), async || {
            let page = self.get(&format!("/v1/runs?event={event}")).await.fine(200);
            let runs = page["items"].as_array().unwrap().clone();
            let over = |run: &Value| ["done", "stopped", "failed"].contains(&run["state"].as_str().unwrap());
            if runs.is_empty() || !runs.iter().all(over) {
                return None;
            }
            let mut stories = Vec::new();
            for run in &runs {
                stories.push(
                    self.get(&format!("/v1/runs/{}", run["id"].as_str().unwrap()))
                        .await
                        .fine(200),
                );
            }
            stories.sort_by_key(|run| run["automation"].as_str().unwrap().to_owned());
            Some(stories)
        })
        .await
    }

    /// Posts a message that is to be accepted; answers its id.
    pub async fn message(&self, data: Value) -> String {
        let event = json!({"type": "message.received", "data": data});
        let receipt = self.post("/v1/events", &event).await.fine(202);
        assert_eq!(receipt["status"], "accepted", "{receipt}");
        receipt["id"].as_str().unwrap().to_owned()
    }

    /// The whole story of an event.
    pub async fn story(&self, event: &str) -> Value {
        self.get(&format!("/v1/events/{event}")).await.fine(200)
    }

    /// Waits until every delivery of an event is settled; answers its story.
    pub async fn settled(&self, event: &str) -> Value {
        let settled = ["delivered", "dead", "cancelled"];
        until(&format!("the deliveries of {event} are settled"), async || {
            let story = self.story(event).await;
            let deliveries = story["deliveries"].as_array().unwrap();
            let all = deliveries
                .iter()
                .all(|d| settled.contains(&d["state"].as_str().unwrap()));
            (all && !deliveries.is_empty()).then_some(story)
        })
        .await
    }

    /// Waits until nothing waits any more for any connection.
    pub async fn idle(&self) {
        until("nothing waits", async || {
            let connections = self.get("/v1/connections").await.fine(200);
            for connection in connections["items"].as_array().unwrap() {
                let path = format!("/api/crm/sync-status/{}", connection["key"].as_str().unwrap());
                if self.get(&path).await.fine(200)["pending"] != 0 {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    /// SIGKILL: nothing can be tidied up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the hub has ended by itself.
    pub fn ended(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// SIGTERM, and the end that follows.
    pub fn terminate(mut self) -> ExitStatus {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The states of the deliveries of a story, in order.
pub fn states(story: &Value) -> Vec<&str> {
    story["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|delivery| delivery["state"].as_str().unwrap())
        .collect()
}
