//! A vendor of the tests: a server that answers as it is told, and a hub with a connection to it.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use switchboard_connect::{
    document::Document,
    guide,
    load::{Files, load},
    registry::Registry,
};
use switchboard_model::{delivery::DeliveryState, event::EventType, id::WorkspaceId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use crate::{
    Hub, HubOptions, Tuning,
    clock::SystemClock,
    configuration::Connection,
    intake::Incoming,
    lane::backoff::Schedule,
    store::{Database, DeliveryFilter, DeliveryRow, Page},
    vault::MasterKeySource,
    wait,
};

/// What is answered: status, body, `Retry-After` in seconds.
pub type Reply = (u16, Value, Option<u64>);

/// Decides by the path, how often it was called before, and the body; `None`: as a vendor does that is well.
type Dial = Box<dyn Fn(&str, usize, &str) -> Option<Reply> + Send>;

struct Inner {
    dial: Dial,
    calls: Vec<(String, Instant)>,
}

/// The vendor.
pub struct Vendor {
    address: String,
    inner: Arc<Mutex<Inner>>,
}

impl Vendor {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner {
            dial: Box::new(|_, _, _| None),
            calls: Vec::new(),
        }));
        let kept = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { address, inner }
    }

    pub fn dial(&self, dial: impl Fn(&str, usize, &str) -> Option<Reply> + Send + 'static) {
        self.inner.lock().dial = Box::new(dial);
    }

    /// Counts anew.
    pub fn forget(&self) {
        self.inner.lock().calls.clear();
    }

    pub fn is_well(&self) {
        self.dial(|_, _, _| None);
    }

    /// When this path was called.
    pub fn times(&self, path: &str) -> Vec<Instant> {
        let inner = self.inner.lock();
        let of_path = inner.calls.iter().filter(|(called, _)| called == path);
        of_path.map(|(_, at)| *at).collect()
    }

    pub fn calls(&self, path: &str) -> usize {
        self.times(path).len()
    }
}

/// Head and body of a request that has come in whole.
fn whole(text: &str) -> Option<(&str, &str)> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.to_lowercase().lines().find_map(|line| {
        let length = line.strip_prefix("content-length:")?;
        length.trim().parse::<usize>().ok()
    });
    (body.len() >= length.unwrap_or(0)).then_some((head, body))
}

async fn serve(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    let (status, body, retry_after) = loop {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            _ => return,
        }
        let Some((head, body)) = whole(&text) else { continue };
        let address = head.split(' ').nth(1).unwrap_or_default();
        let path = address.split('?').next().unwrap_or_default().to_owned();
        let mut inner = inner.lock();
        let before = inner.calls.iter().filter(|(called, _)| *called == path).count();
        inner.calls.push((path.clone(), Instant::now()));
        break (inner.dial)(&path, before, body).unwrap_or_else(|| usual(&path, before, body));
    };
    let body = body.to_string();
    let retry_after = retry_after.map_or(String::new(), |seconds| format!("retry-after: {seconds}\r\n"));
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n{retry_after}");
    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn usual(path: &str, before: usize, body: &str) -> Reply {
    let (status, body) = match path {
        "/token" => (
            200,
            json!({"access_token": format!("token-{before}"), "expires_in": 1800}),
        ),
        "/find" => (200, json!({"found": []})),
        "/contacts" => (201, json!({"id": format!("c{before}")})),
        "/bulk" => (200, json!({"results": made(body)})),
        _ => (200, json!({"id": "1"})),
    };
    (status, body, None)
}

/// A result for each item.
pub fn made(body: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(body).unwrap();
    let items = body["items"].as_array().unwrap().iter();
    items
        .map(|item| json!({"email": item["email"], "id": format!("id of {}", item["email"])}))
        .collect()
}

/// A hub at work with a connection `crm` to the vendor.
pub struct Stage {
    pub hub: Hub,
    pub vendor: Vendor,
    pub folder: tempfile::TempDir,
    workspace: WorkspaceId,
}

impl Stage {
    pub async fn open(settings: Value) -> Self {
        let vendor = Vendor::start().await;
        let folder = tempfile::tempdir().unwrap();
        let files = Files {
            manifest: include_str!("stub.yaml").into(),
            icon: "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n".into(),
            guide: "# Stub\n".into(),
            name: "stub/connector.yaml".into(),
        };
        let connector = load(&files).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let hub = Hub::open(HubOptions {
            data: folder.path().to_owned(),
            database: Database::Folder,
            clock: Arc::new(SystemClock),
            registry: Arc::new(Registry::alone(connector)),
            allow_private_addresses: true,
            master_key: MasterKeySource::Text("11".repeat(32)),
            tuning: Tuning {
                // One failed try more, and a delivery is dead.
                retry: Schedule {
                    base_ms: 10,
                    cap_ms: 50,
                    attempts: 2,
                },
                ..Tuning::default()
            },
        })
        .await
        .unwrap();
        hub.start().unwrap();
        let workspace = hub.default_workspace().await.unwrap();
        let mut settings = settings;
        settings["baseUrl"] = vendor.address.clone().into();
        let configuration = json!({"connections": [{
            "key": "crm", "connector": "stub", "auth": "app", "settings": settings, "secrets": {"secret": "made-up"},
        }]});
        let document = Document::parse(&configuration.to_string(), "test").unwrap();
        let items = guide::read(&document, &hub.registry()).unwrap();
        hub.configure(workspace, items).await.unwrap();
        Self {
            hub,
            vendor,
            folder,
            workspace,
        }
    }

    pub fn connection(&self) -> Arc<Connection> {
        let configuration = self.hub.configuration();
        let workspace = configuration.workspace(self.workspace).unwrap();
        Arc::clone(workspace.connection("crm").unwrap())
    }

    /// Sends messages of so many people.
    pub async fn send(&self, people: std::ops::Range<usize>) {
        let incoming = people.map(|n| Incoming {
            kind: EventType::find("message.received").unwrap(),
            id: None,
            data: json!({"senderEmail": format!("p{n}@example.org")})
                .as_object()
                .unwrap()
                .clone()
                .into(),
        });
        let receipts = self.hub.accept(self.workspace, incoming.collect(), None).await.unwrap();
        assert!(receipts.into_iter().all(|receipt| receipt.unwrap().deliveries == 1));
    }

    pub async fn deliveries(&self) -> Vec<DeliveryRow> {
        let page = Page {
            before: None,
            limit: 500,
        };
        let rows = self
            .hub
            .deliveries(self.workspace, DeliveryFilter::default(), page)
            .await;
        rows.unwrap()
    }

    pub async fn until<T>(&self, what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
        match wait::answer(ask).await {
            Some(answer) => answer,
            None => panic!("still waiting for this: {what}; {:#?}", self.deliveries().await.first()),
        }
    }

    /// Waits until the connection is left alone: it is down for a while, and nothing is under way.
    pub async fn left_alone(&self) -> i64 {
        self.until("the connection is left alone", async || {
            let status = self.hub.lane_status(self.connection().id)?;
            status.open_until_ms.filter(|_| status.in_flight == 0)
        })
        .await
    }

    /// Waits until the connection is in error and nothing is under way; answers why.
    pub async fn stopped(&self) -> String {
        self.until("the connection is in error", async || {
            let connection = self.connection();
            let status = self.hub.lane_status(connection.id)?;
            connection.reason.clone().filter(|_| status.in_flight == 0)
        })
        .await
    }

    /// Waits until everything is delivered.
    pub async fn delivered(&self) {
        self.until("everything is delivered", async || {
            let rows = self.deliveries().await;
            let done = rows.iter().all(|row| row.state == DeliveryState::Delivered);
            done.then_some(())
        })
        .await;
    }

    /// So many wait, and no try of any of them is used up.
    pub async fn all_wait(&self, count: usize) {
        let mut rows = self.deliveries().await;
        rows.retain(|row| row.state != DeliveryState::Delivered);
        for row in &rows {
            assert_eq!((row.state, row.attempts), (DeliveryState::Waiting, 0), "{row:#?}");
        }
        assert_eq!(rows.len(), count);
    }

    /// One record is delivered, so that everything is done that comes before the first one; its token is good no more.
    pub async fn warm(&self) {
        let short = || Some((200, json!({"access_token": "short", "expires_in": 1}), None));
        self.vendor
            .dial(move |path, _, _| if path == "/token" { short() } else { None });
        self.send(1_000..1_001).await;
        self.delivered().await;
        self.vendor.forget();
    }
}
