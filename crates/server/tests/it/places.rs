//! A target that names several places: each gets its own, and what happens at one is nothing to the others.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule, Running};

use crate::{
    hub::{Folder, Hub},
    vendors,
    wait::until,
};

/// `old-news` is archived at the vendor, who takes no messages there.
const CHANNELS: [&str; 4] = ["#客户支持", "#old-news", "#sales", "sales"];

/// A file as the guides write it.
fn strategy(channels: &[&str]) -> Value {
    json!({ "strategy": "parallel_sync", "targets": [{ "type": "slack", "channels": channels }] })
}

/// Slack with a bot's token, or with an incoming webhook.
fn slack(vendors: &Running, auth: &str) -> Value {
    let url = vendors.url("slack");
    let secrets = match auth {
        "webhook" => json!({"webhookUrl": format!("{url}/services/T0000000001/B0000000001/example")}),
        _ => json!({"botToken": "xoxb-example-1"}),
    };
    json!({"connections": [{
        "key": "slack", "connector": "slack", "auth": auth, "secrets": secrets,
        "settings": {"baseUrl": format!("{url}/api"), "messagesPerSecond": 100},
    }]})
}

async fn set_up(folder: &Folder, vendors: &Running, auth: &str, channels: &[&str]) -> Hub {
    folder.apply(&strategy(channels)).fine();
    let hub = folder.start();
    hub.post("/api/crm/configure", &slack(vendors, auth)).await.fine(200);
    hub
}

async fn message(hub: &Hub) -> String {
    hub.message(json!({"senderName": "王小明", "senderEmail": "wang@example.org", "messageContent": "价格？"}))
        .await
}

/// The names of the channels in which messages are, in alphabetical order, one for each message.
fn channels(vendors: &Running) -> Vec<String> {
    let known = vendors::records(vendors, "slack", "_channels");
    let name = |id: &Value| {
        known.iter().find(|channel| channel["id"] == *id).unwrap()["name"]
            .as_str()
            .unwrap()
    };
    let messages = vendors::records(vendors, "slack", "messages");
    let mut names: Vec<String> = messages
        .iter()
        .map(|message| name(&message["channel"]).to_owned())
        .collect();
    names.sort();
    names
}

/// The state of each delivery, by the channel that it names.
fn states(story: &Value) -> Vec<(&str, &str)> {
    let deliveries = story["deliveries"].as_array().unwrap().iter();
    let mut states: Vec<_> = deliveries
        .map(|delivery| {
            let channels = delivery["options"]["channels"].as_array().unwrap();
            assert_eq!(channels.len(), 1, "{delivery}");
            (channels[0].as_str().unwrap(), delivery["state"].as_str().unwrap())
        })
        .collect();
    states.sort_unstable();
    states
}

#[tokio::test(flavor = "multi_thread")]
async fn each_channel_of_a_strategy_file_gets_one_message_and_one_that_fails_holds_up_no_other() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = set_up(&folder, &vendors, "bot_token", &CHANNELS).await;
    let event = message(&hub).await;
    let story = hub.settled(&event).await;
    let expected = [
        ("#old-news", "dead"),
        ("#sales", "delivered"),
        ("#客户支持", "delivered"),
    ];
    assert_eq!(states(&story), expected, "{story:#}");
    assert_eq!(channels(&vendors), ["sales", "客户支持"]);
    // Routed anew it gets what it does not have yet: nothing, and then the channel that is new in the route.
    let anew = format!("/v1/events/{event}/replay");
    assert_eq!(hub.post(&anew, &json!({})).await.fine(202)["deliveries"], 0);
    let strategy = strategy(&["general", "#sales", "#客户支持"]);
    hub.post("/api/crm/configure", &strategy).await.fine(200);
    assert_eq!(hub.post(&anew, &json!({})).await.fine(202)["deliveries"], 1);
    hub.settled(&event).await;
    assert_eq!(channels(&vendors), ["general", "sales", "客户支持"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_at_one_channel_doubles_nothing_there_or_elsewhere() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    // The app is a member of these two, so that it can look whether its message is there.
    let hub = set_up(&folder, &vendors, "bot_token", &["#general", "customer-support"]).await;
    let lost = Rule::new(Fault::CutAfter).path("chat.postMessage").times(1);
    vendors::fail(&vendors, "slack", [lost]);
    let story = hub.settled(&message(&hub).await).await;
    let expected = [("#general", "delivered"), ("customer-support", "delivered")];
    assert_eq!(states(&story), expected, "{story:#}");
    assert_eq!(channels(&vendors), ["customer-support", "general"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_with_several_channels_tells_each_of_them_once() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start_with(&["--retry-hand-over-seconds", "0"]);
    hub.post("/api/crm/configure", &slack(&vendors, "bot_token"))
        .await
        .fine(200);
    hub.post("/api/crm/configure", &vendors::integration(&vendors, "salesforce"))
        .await
        .fine(200);
    let strategy = json!({
        "strategy": "primary_backup",
        "primary": {"type": "salesforce", "fallback": {"type": "slack", "channels": ["#sales", "general", "#general"]}},
    });
    hub.post("/api/crm/configure", &strategy).await.fine(200);
    vendors::down(&vendors, "salesforce", true);
    let event = message(&hub).await;
    until("the backup has told everybody", async || {
        (channels(&vendors).len() >= 2).then_some(())
    })
    .await;
    hub.settled(&event).await;
    assert_eq!(channels(&vendors), ["general", "sales"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incoming_webhook_refuses_several_channels_and_says_what_to_do() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = set_up(&folder, &vendors, "webhook", &CHANNELS).await;
    let story = hub.settled(&message(&hub).await).await;
    let deliveries = story["deliveries"].as_array().unwrap();
    assert_eq!(
        (deliveries.len(), &deliveries[0]["state"]),
        (1, &json!("dead")),
        "{story:#}"
    );
    let problem = &deliveries[0]["problem"];
    assert!(
        problem["detail"].as_str().unwrap().contains("one place only"),
        "{problem}"
    );
    assert!(
        problem["next"].as_str().unwrap().contains("replay the event"),
        "{problem}"
    );
    assert!(channels(&vendors).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_sends_to_several_channels_tells_each_of_them_once() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &slack(&vendors, "bot_token"))
        .await
        .fine(200);
    let wanted = json!({
        // Named by a route, the account gets nothing by itself.
        "routes": [{"key": "calls", "on": "call.missed", "to": ["slack"]}],
        "automations": [{"key": "tell", "on": "message.received", "steps": [
            {"send": {"to": "slack", "object": "message", "key": "of-{{ senderEmail }}",
                "options": {"channels": ["#sales", "{{ platform | default: 'general' }}", "sales"]}}},
        ]}],
    });
    hub.post("/api/crm/configure", &wanted).await.fine(200);
    let runs = hub.runs_of(&message(&hub).await).await;
    assert_eq!(runs[0]["state"], "done", "{runs:#?}");
    hub.idle().await;
    assert_eq!(channels(&vendors), ["general", "sales"]);
}

/// Feishu drops a message whose id it has seen within the hour: the ids of one event's messages to two chats differ.
#[tokio::test(flavor = "multi_thread")]
async fn each_chat_gets_the_message_where_the_vendor_knows_repetitions_by_their_key() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let chats = ["oc_example0000000000000000000000001", "ana@example.org"];
    let connection = json!({"connections": [{
        "key": "feishu", "connector": "feishu", "auth": "app",
        "settings": {"baseUrl": vendors.url("feishu"), "appToken": "bascnExample0000000001", "tableId": "tblExample000001"},
        "secrets": {"appId": "cli_example00000001", "appSecret": "example-secret"},
    }]});
    let mut wanted = strategy(&chats);
    wanted["targets"][0]["type"] = "feishu".into();
    wanted["targets"][0]["objects"] = json!(["message"]);
    let hub = folder.start();
    hub.post("/api/crm/configure", &connection).await.fine(200);
    hub.post("/api/crm/configure", &wanted).await.fine(200);
    let story = hub.settled(&message(&hub).await).await;
    let receivers = vendors::records(&vendors, "feishu", "messages").into_iter();
    let mut receivers: Vec<String> = receivers
        .map(|message| message["receive_id"].as_str().unwrap().into())
        .collect();
    receivers.sort();
    assert_eq!(
        receivers,
        ["ana@example.org", "oc_example0000000000000000000000001"],
        "{story:#}"
    );
}
