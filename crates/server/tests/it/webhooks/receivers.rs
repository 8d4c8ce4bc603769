//! The receivers of docs/guide/webhooks.md: each program of the page is run.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};

use serde_json::json;

use super::{
    consumer::{folder, skip},
    id,
};
use crate::{hub::Folder, wait::until};

const PAGE: &str = include_str!("../../../../../docs/guide/webhooks.md");

/// The programs of the page in this language.
fn programs(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let parts = PAGE.split(fence.as_str()).skip(1);
    parts.map(|part| part.split("\n```").next().unwrap()).collect()
}

/// A port that nobody uses. It stays free until the program has it: the system gives ports above these to whoever asks for any.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = (std::process::id() % 4_000) as u16;
    std::iter::repeat_with(|| 4_000 + (own + NEXT.fetch_add(1, Ordering::Relaxed)) % 4_000)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn takes_what_is_genuine(program: PathBuf, arguments: &[&str], text: &str) {
    let home = folder();
    let folder = Folder::new();
    let hub = folder.start();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/hooks/crm");
    let made = hub
        .post("/v1/webhooks", &json!({"url": url, "events": ["message.received"]}))
        .await
        .fine(201);
    let mut command = Command::new(program);
    command.args(arguments).arg(text).current_dir(home);
    command
        .env("SECRET", made["secret"].as_str().unwrap())
        .env("PORT", port.to_string());
    let _receiver = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until("the receiver listens", async || {
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
    })
    .await;
    let test = format!("/v1/webhooks/{}/test", id(&made));
    let tried = hub.post(&test, &json!({})).await.fine(200);
    assert_eq!(tried["ok"], true, "{tried}\n{text}");
    let rotate = format!("/v1/webhooks/{}/rotate", id(&made));
    hub.post(&rotate, &json!({"overlap_seconds": 0})).await.fine(200);
    let tried = hub.post(&test, &json!({})).await.fine(200);
    assert_eq!(
        (&tried["ok"], &tried["calls"][0]["status"]),
        (&json!(false), &json!(401)),
        "{tried}\n{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_of_the_guide_in_javascript_works() {
    let programs = programs("js");
    assert_eq!(programs.len(), 1);
    if !folder().join("node_modules/standardwebhooks").is_dir() {
        return skip(
            "`npm ci` was not run in tests/standardwebhooks",
            "the receiver in JavaScript",
        );
    }
    for text in programs {
        takes_what_is_genuine("node".into(), &["--input-type=module", "--eval"], text).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receivers_of_the_guide_in_python_work() {
    let programs = programs("python");
    assert_eq!(programs.len(), 2);
    let python = folder().join(".venv/bin/python");
    if !python.is_file() {
        return skip("there is no tests/standardwebhooks/.venv", "the receivers in Python");
    }
    for text in programs {
        takes_what_is_genuine(python.clone(), &["-c"], text).await;
    }
}
