//! The authorisation server of `tests/oauth`: a process of Node.js, and a person with a browser who signs in there.
//!
//! Needs Node.js and `npm ci` in `tests/oauth`. Without them the tests say that they were skipped; in continuous integration (`CI` is set)
//! they fail.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::{Client, Response, header, redirect::Policy};
use serde_json::{Value, json};

/// What the hub calls its public address, and the server sends people back to.
pub const PUBLIC: &str = "https://hub.example.org";

/// The running server.
pub struct Authority {
    process: Child,
    pub address: String,
    http: Client,
}

impl Authority {
    /// `None`: the test is skipped.
    pub fn start(test: &str) -> Option<Self> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oauth"));
        let installed = folder.join("node_modules/oidc-provider").is_dir();
        let spawned = installed.then(|| {
            let mut command = Command::new("node");
            command
                .current_dir(folder)
                .args(["server.mjs", &format!("{PUBLIC}/oauth/callback")]);
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            command.spawn()
        });
        let Some(Ok(mut process)) = spawned else {
            let missing = "Node.js is missing, or `npm ci` was not run in tests/oauth";
            assert!(
                std::env::var_os("CI").is_none(),
                "{missing}, and this is continuous integration"
            );
            eprintln!("skipped: {missing}, signing in is not tested: {test}");
            return None;
        };
        let mut address = String::new();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        lines.read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "the server did not start");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Some(Self { process, address, http })
    }

    async fn post(&self, path: &str, body: Value) {
        let request = self.http.post(format!("{}{path}", self.address));
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.address)).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Every access token that was given so far is refused from now on.
    pub async fn expire_tokens(&self) {
        self.post("/control/expire", json!({})).await;
    }

    /// The account withdraws what it has granted.
    pub async fn revoke(&self, account: &str) {
        self.post("/control/revoke", json!({"account": account})).await;
    }

    /// How many tokens were given for codes and for refresh tokens, and how often one was used twice.
    pub async fn counts(&self) -> [u64; 3] {
        let counts = self.read("/control/counts").await;
        ["authorization_code", "refresh_token", "reused"].map(|name| counts[name].as_u64().unwrap())
    }

    /// The records, each as account and text.
    pub async fn records(&self) -> Vec<(String, String)> {
        let records = self.read("/records").await;
        let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
        let records = records.as_array().unwrap().iter();
        records
            .map(|record| (text(record, "account"), text(record, "text")))
            .collect()
    }

    /// A person signs in on the page and agrees; answers where they are sent back to.
    pub async fn sign_in(&self, page: &str, account: &str) -> String {
        Person::new(self).walk(page, account, false).await
    }

    /// A person signs in on the page and does not agree.
    pub async fn decline(&self, page: &str, account: &str) -> String {
        Person::new(self).walk(page, account, true).await
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A browser with a person.
struct Person<'a> {
    authority: &'a Authority,
    cookies: BTreeMap<String, String>,
}

impl<'a> Person<'a> {
    fn new(authority: &'a Authority) -> Self {
        Self {
            authority,
            cookies: BTreeMap::new(),
        }
    }

    async fn walk(mut self, page: &str, account: &str, declines: bool) -> String {
        let mut address = page.to_owned();
        // Page, login, back, consent, back: less than a dozen steps.
        for _ in 0..12 {
            if address.starts_with(PUBLIC) {
                return address;
            }
            let answer = self.send(self.authority.http.get(&address)).await;
            if let Some(next) = next(&address, &answer) {
                address = next;
                continue;
            }
            let form = answer.text().await.unwrap();
            if declines && form.contains("value=\"consent\"") {
                address = format!("{address}/abort");
                continue;
            }
            let prompt = if form.contains("value=\"consent\"") {
                "consent"
            } else {
                "login"
            };
            let body = format!("prompt={prompt}&login={account}&password=made-up");
            let filled_in = self.authority.http.post(&address).body(body);
            let filled_in = filled_in.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = self.send(filled_in).await;
            address = next(&address, &answer).unwrap_or_else(|| panic!("{}: {form}", answer.status()));
        }
        panic!("the pages go round in circles: {address}");
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Response {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let answer = request.header(header::COOKIE, cookies).send().await.unwrap();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.into(), value.into());
        }
        answer
    }
}

/// Where a redirect leads.
fn next(from: &str, answer: &Response) -> Option<String> {
    let location = answer.headers().get(header::LOCATION)?.to_str().unwrap();
    Some(url::Url::parse(from).unwrap().join(location).unwrap().into())
}
