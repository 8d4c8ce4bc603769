//! The lanes of two nodes on one database.

use switchboard_connect::{document::Document, guide, registry::Registry};

use super::*;
use crate::{
    Hub, HubOptions, Tuning,
    clock::SteadyClock,
    store::{Database, contract::bench::PostgresBench},
    vault::MasterKeySource,
    wait::until,
};

struct Node {
    hub: Hub,
    lanes: Lanes,
    _folder: tempfile::TempDir,
}

impl Node {
    async fn open(bench: &PostgresBench) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = HubOptions {
            data: folder.path().to_owned(),
            database: Database::Postgres(bench.url.clone()),
            clock: Arc::new(SteadyClock::start()),
            registry: Arc::new(Registry::embedded().unwrap()),
            allow_private_addresses: true,
            master_key: MasterKeySource::Text("11".repeat(32)),
            tuning: Tuning::default(),
        };
        let hub = Hub::open(options).await.unwrap();
        Self {
            lanes: Lanes::new(hub.desk().clone()),
            hub,
            _folder: folder,
        }
    }

    /// Connections, by key, each with the address that is its account.
    async fn configure(&self, connections: &[(&str, &str)]) {
        let connection = |(key, url): &(&str, &str)| {
            let settings = serde_json::json!({ "url": format!("http://127.0.0.1:9/{url}") });
            serde_json::json!({ "key": key, "connector": "webhook", "settings": settings })
        };
        let connections: Vec<_> = connections.iter().map(connection).collect();
        let text = serde_json::json!({ "connections": connections }).to_string();
        let document = Document::parse(&text, "test").unwrap();
        let items = guide::read(&document, &self.hub.registry()).unwrap();
        let workspace = self.hub.default_workspace().await.unwrap();
        self.hub.configure(workspace, items).await.unwrap();
    }

    async fn look(&self) {
        self.hub.refresh().await.unwrap();
        self.lanes.adopt(&self.hub.configuration());
        self.lanes.renew().await;
        until("lanes that were told to stop have ended", async || {
            (!self.is_ending_some()).then_some(())
        })
        .await;
    }

    fn is_ending_some(&self) -> bool {
        let berths = self.lanes.berths.lock();
        let mut lanes = berths.lanes.values();
        lanes.any(|lane| *lane.stop.borrow() && !lane.task.is_finished())
    }

    /// The connections whose lanes run here.
    fn at_work(&self) -> Vec<String> {
        let berths = self.lanes.berths.lock();
        let lanes = berths.lanes.values().filter(|lane| !*lane.stop.borrow());
        let mut keys: Vec<String> = lanes.map(|lane| lane.connection.borrow().key.clone()).collect();
        keys.sort_unstable();
        keys
    }
}

/// Lets both look until their lanes are as they should be, which takes a few looks.
async fn settle(nodes: [&Node; 2], is_settled: impl Fn(&[Vec<String>; 2]) -> bool) {
    for _ in 0..12 {
        if is_settled(&nodes.map(Node::at_work)) {
            return;
        }
        for node in nodes {
            node.look().await;
        }
    }
    panic!("in the end: {:?}", nodes.map(Node::at_work));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_node_gets_its_share_and_connections_to_one_account_stay_together() {
    let Some(bench) = PostgresBench::new("lanes of two nodes").await else {
        return;
    };
    let (first, second) = (Node::open(&bench).await, Node::open(&bench).await);
    let mut connections = [("a", "1"), ("b", "1"), ("c", "2"), ("d", "3"), ("e", "4")];
    first.configure(&connections).await;
    first.look().await;
    assert_eq!(first.at_work(), ["a", "b", "c", "d", "e"]);
    let nodes = [&first, &second];
    settle(nodes, |lanes| lanes[0] == ["a", "b", "c"] && lanes[1] == ["d", "e"]).await;
    // One that is turned to another account goes to the node that sends for that.
    connections[3].1 = "1";
    first.configure(&connections).await;
    let are_together = |lanes: &Vec<String>| ["a", "b", "d"].iter().all(|key| lanes.iter().any(|lane| lane == key));
    settle(nodes, |lanes| {
        lanes.iter().any(are_together) && lanes.concat().len() == 5
    })
    .await;
    second.lanes.stop(Duration::ZERO).await;
    second.hub.stop(Duration::ZERO).await;
    first.look().await;
    assert_eq!(first.at_work(), ["a", "b", "c", "d", "e"]);
    first.lanes.stop(Duration::ZERO).await;
    first.hub.stop(Duration::ZERO).await;
    drop((first, second));
    bench.finish().await;
}
