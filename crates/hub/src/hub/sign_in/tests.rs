//! Signing in and renewing with a vendor that takes each refresh token once, on one node and on several.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use switchboard_connect::{guide, registry::Registry};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    attempt::token,
    clock::ManualClock,
    hub::{HubOptions, Tuning},
    store::{Database, contract::bench::PostgresBench},
    token::{Asker, TakenToken},
    vault::MasterKeySource,
};

const NOW: i64 = 1_795_512_600_000;

/// The vendor's token end point: how often tokens were given, and how often a refresh token came that had been used.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Given {
    tokens: u32,
    thefts: u32,
}

struct Vendor {
    address: String,
    given: Arc<Mutex<Given>>,
}

impl Vendor {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let given = Arc::new(Mutex::new(Given::default()));
        let kept = Arc::clone(&given);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { address, given }
    }

    fn given(&self) -> Given {
        *self.given.lock()
    }
}

/// Whether all of a request has come.
fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.to_lowercase().lines().find_map(|line| {
        let length = line.strip_prefix("content-length:")?;
        length.trim().parse::<usize>().ok()
    });
    body.len() >= length.unwrap_or(0)
}

async fn serve(mut stream: TcpStream, given: Arc<Mutex<Given>>) {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !is_whole(&text) {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            _ => return,
        }
    }
    let (status, body) = {
        let mut given = given.lock();
        let good = text.contains(&format!("refresh_token=r{}", given.tokens)) || text.contains("code=good");
        match good {
            _ if !text.contains("grant_type=") => ("404 Not Found", json!({})),
            true => {
                given.tokens += 1;
                let n = given.tokens;
                let body =
                    json!({"access_token": format!("a{n}"), "refresh_token": format!("r{n}"), "expires_in": 1800});
                ("200 OK", body)
            }
            false => {
                given.thefts += 1;
                ("400 Bad Request", json!({"error": "invalid_grant"}))
            }
        }
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes()).await;
}

struct Node {
    hub: Hub,
    workspace: WorkspaceId,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Node {
    async fn open(database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let options = HubOptions {
            data: folder.path().to_owned(),
            database,
            clock: Arc::clone(&clock) as _,
            registry: Arc::new(Registry::embedded().unwrap()),
            allow_private_addresses: true,
            master_key: MasterKeySource::Text("11".repeat(32)),
            tuning: Tuning::default(),
        };
        let hub = Hub::open(options).await.unwrap();
        let workspace = hub.default_workspace().await.unwrap();
        Self {
            hub,
            workspace,
            clock,
            _folder: folder,
        }
    }

    async fn configure(&self, vendor: &Vendor, secrets: Value) {
        let configuration = json!({"connections": [{
            "key": "crm", "connector": "hubspot", "auth": "oauth",
            "settings": {"baseUrl": vendor.address}, "secrets": secrets,
        }]});
        let document = switchboard_connect::document::Document::parse(&configuration.to_string(), "test").unwrap();
        let items = guide::read(&document, &self.hub.registry()).unwrap();
        self.hub.configure(self.workspace, items).await.unwrap();
    }

    fn connection(&self) -> Arc<Connection> {
        let configuration = self.hub.configuration();
        let workspace = configuration.workspace(self.workspace).unwrap();
        Arc::clone(workspace.connection("crm").unwrap())
    }

    async fn token(&self, refused: Option<u64>) -> TakenToken {
        let mut calls = Vec::new();
        let taken = token(
            &self.hub.inner.desk,
            &self.connection(),
            refused,
            Asker::Upkeep,
            &mut calls,
        )
        .await;
        taken.unwrap()
    }
}

fn secrets(refresh_token: Option<&str>) -> Value {
    json!({"clientId": "app", "clientSecret": "made-up", "refreshToken": refresh_token.unwrap_or_default()})
}

fn access(taken: &TakenToken) -> &str {
    &taken.token.as_ref().unwrap().access
}

/// All at once, on every node in turn, with the token refused that they have.
async fn renewed_once(nodes: &[Node], vendor: &Vendor) {
    let mut have = Vec::new();
    for node in nodes {
        have.push(node.token(None).await);
    }
    assert!(have.iter().all(|taken| access(taken) == "a1"));
    for round in 2..=3 {
        let callers = (0..50).map(|n| {
            let at = n % nodes.len();
            nodes[at].token(Some(have[at].generation))
        });
        let renewed = futures::future::join_all(callers).await;
        let expected = format!("a{round}");
        assert!(renewed.iter().all(|taken| access(taken) == expected));
        assert_eq!(
            vendor.given(),
            Given {
                tokens: round,
                thefts: 0
            }
        );
        have = renewed.into_iter().take(nodes.len()).collect();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_callers_with_a_refused_token_make_one_refresh() {
    let vendor = Vendor::start().await;
    let node = Node::open(Database::Folder).await;
    node.configure(&vendor, secrets(Some("r0"))).await;
    renewed_once(&[node], &vendor).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_callers_on_two_nodes_make_one_refresh() {
    let Some(bench) = PostgresBench::new("fifty callers on two nodes").await else {
        return;
    };
    let vendor = Vendor::start().await;
    let first = Node::open(Database::Postgres(bench.url.clone())).await;
    let second = Node::open(Database::Postgres(bench.url.clone())).await;
    first.configure(&vendor, secrets(Some("r0"))).await;
    second.hub.refresh().await.unwrap();
    let nodes = [first, second];
    renewed_once(&nodes, &vendor).await;
    // Each in turn: a refresh token that the other one got is used.
    for (at, expected) in [(0, "a4"), (1, "a5"), (0, "a6")] {
        let have = nodes[at].token(None).await;
        // What is held may be older than what the other one has got: then that is taken first.
        let mut now = nodes[at].token(Some(have.generation)).await;
        if !now.fresh {
            now = nodes[at].token(Some(now.generation)).await;
        }
        assert_eq!((access(&now), now.fresh), (expected, true));
    }
    assert_eq!(vendor.given(), Given { tokens: 6, thefts: 0 });
    for node in &nodes {
        node.hub.close().await;
    }
    drop(nodes);
    bench.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_are_entered_while_a_node_has_former_ones_are_not_overwritten() {
    let vendor = Vendor::start().await;
    let node = Node::open(Database::Folder).await;
    node.configure(&vendor, secrets(Some("r0"))).await;
    let former = node.connection();
    node.configure(
        &vendor,
        json!({"clientId": "other", "clientSecret": "made-up", "refreshToken": "r0"}),
    )
    .await;
    let taken = token(&node.hub.inner.desk, &former, None, Asker::Upkeep, &mut Vec::new()).await;
    assert!(matches!(taken, Err(TokenError::Later(_))), "{taken:?}");
    assert_eq!(vendor.given(), Given::default());
    assert_eq!(access(&node.token(None).await), "a1");
}

fn parameters(of: &[(&str, &str)]) -> HashMap<String, String> {
    of.iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

/// Starts a sign-in; answers the `state` that goes out.
async fn begin(node: &Node) -> String {
    let to = "https://hub.example.org/oauth/callback";
    let started = node.hub.start_sign_in(node.workspace, "crm", to).await.unwrap();
    let address = url::Url::parse(&started.address).unwrap();
    let state = address.query_pairs().find(|(name, _)| name == "state");
    state.unwrap().1.into_owned()
}

#[tokio::test]
async fn a_person_who_comes_back_after_ten_minutes_starts_again() {
    let vendor = Vendor::start().await;
    let node = Node::open(Database::Folder).await;
    node.configure(&vendor, secrets(None)).await;
    let state = begin(&node).await;
    node.clock.advance(EXPECTED_MS + 1);
    let back = parameters(&[("state", &state), ("code", "good")]);
    let late = node.hub.finish_sign_in(&back).await.unwrap_err();
    assert_eq!(late.code, Code::SignInExpired);
    let again = node.hub.finish_sign_in(&back).await.unwrap_err();
    assert_eq!(again.code, Code::SignInUnknown);
    assert_eq!(vendor.given(), Given::default());

    let state = begin(&node).await;
    node.clock.advance(EXPECTED_MS);
    let back = parameters(&[("state", &state), ("code", "good")]);
    // The vendor here has nothing to test the connection with; the tokens are kept all the same.
    let untested = node.hub.finish_sign_in(&back).await.unwrap_err();
    assert_ne!(untested.code, Code::SignInExpired);
    assert_eq!(vendor.given().tokens, 1);
    assert_eq!(node.connection().secrets()["refreshToken"], "r1");
    assert_eq!(node.connection().state, ConnectionState::Error);
}

#[tokio::test]
async fn what_is_remembered_of_a_person_is_sealed_and_what_they_bring_is_not_kept() {
    let vendor = Vendor::start().await;
    let node = Node::open(Database::Folder).await;
    node.configure(&vendor, secrets(None)).await;
    let state = begin(&node).await;
    let hash: [u8; 32] = Sha256::digest(&state).into();
    let row = node.hub.inner.store.come_back(hash).await.unwrap().unwrap();
    assert_eq!((row.workspace, row.connection), (node.workspace, node.connection().id));
    let readable = String::from_utf8_lossy(&row.sealed);
    assert!(!readable.contains("code_verifier") && !readable.contains(&state));
}

#[tokio::test]
async fn a_sign_in_does_not_begin_without_the_app() {
    let vendor = Vendor::start().await;
    let node = Node::open(Database::Folder).await;
    node.configure(&vendor, json!({"clientId": "app"})).await;
    let to = "https://hub.example.org/oauth/callback";
    let problem = node.hub.start_sign_in(node.workspace, "crm", to).await.unwrap_err();
    assert_eq!(problem.code, Code::ConnectionIncomplete);
    assert!(
        problem.detail.contains("clientSecret") && !problem.detail.contains("refreshToken"),
        "{problem}"
    );
}
