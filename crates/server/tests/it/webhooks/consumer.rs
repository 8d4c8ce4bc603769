//! Consumers of `tests/standardwebhooks`: processes of Node.js and Python that check messages with the official libraries.
//!
//! They need `npm ci` in that folder, and an environment `.venv` with its `requirements.txt`. Without them the tests say that they were
//! skipped; in continuous integration (`CI` is set) they fail.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::Client;
use serde_json::Value;

/// Which library checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// That of npm.
    Npm,
    /// That of PyPI.
    Pypi,
}

/// Where the consumers are.
pub fn folder() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/standardwebhooks")).to_owned()
}

/// Says by name that something is not tested because a part is missing; in continuous integration that is a failure.
pub fn skip(missing: &str, test: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "{missing}, and this is continuous integration"
    );
    eprintln!("skipped: {missing}: {test}");
}

/// A running consumer.
pub struct Consumer {
    process: Child,
    address: String,
    http: Client,
}

impl Consumer {
    /// `None`: the test is skipped.
    pub fn start(library: Library, test: &str) -> Option<Self> {
        let (installed, program, script) = match library {
            Library::Npm => (
                folder().join("node_modules/standardwebhooks"),
                PathBuf::from("node"),
                "consumer.mjs",
            ),
            Library::Pypi => {
                let python = folder().join(".venv/bin/python");
                (python.clone(), python, "consumer.py")
            }
        };
        let spawned = installed.exists().then(|| {
            let mut command = Command::new(program);
            command.current_dir(folder()).arg(script);
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            command.spawn()
        });
        let Some(Ok(mut process)) = spawned else {
            skip(
                &format!("the consumer {script} of tests/standardwebhooks is not installed"),
                test,
            );
            return None;
        };
        let mut address = String::new();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        lines.read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "the consumer did not start");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().unwrap();
        Some(Self { process, address, http })
    }

    /// Where it takes messages.
    pub fn url(&self) -> String {
        format!("{}/hook", self.address)
    }

    /// It checks with this secret from now on.
    pub async fn knows(&self, secret: &str) {
        let request = self.http.post(format!("{}/control/secret", self.address));
        assert_eq!(request.body(secret.to_owned()).send().await.unwrap().status(), 200);
    }

    /// What came, each with `headers`, `body` and why it was refused.
    pub async fn messages(&self) -> Vec<Value> {
        let request = self.http.get(format!("{}/control/messages", self.address));
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Somebody sends a message that came once more, with other headers or another body; answers the status.
    pub async fn send(&self, message: &Value, headers: &[(&str, &str)], body: &str) -> u16 {
        let mut request = self.http.post(self.url());
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let changed = headers.iter().find(|(changed, _)| *changed == name);
            let value = changed.map_or_else(|| message["headers"][name].as_str().unwrap(), |(_, value)| value);
            request = request.header(name, value);
        }
        request.body(body.to_owned()).send().await.unwrap().status().as_u16()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
