//! Automations: from an event over records to calls, what can go wrong on the way, and what a person sees of it.

use futures::future::join_all;
use serde_json::{Value, json};
use switchboard_simulator::Running;

use crate::{
    hub::{Folder, Hub},
    vendors,
    wait::until,
};

/// A lead becomes a person and an opportunity, and a program of the user's own hears of it.
fn leads() -> Value {
    json!({
        "on": "lead.received", "when": "senderEmail != null",
        "steps": [
            { "name": "person", "upsert": { "object": "people", "match": ["email"],
                "fields": { "firstName": "{{ senderName | first_name }}", "email": "{{ senderEmail }}" } } },
            { "name": "deal", "create": { "object": "opportunities",
                "fields": { "name": "Lead of {{ senderName }}", "value": "{{ budget }}", "person": "{{ steps.person.id }}" } } },
            { "name": "large", "when": "budget > 1000", "update": { "object": "opportunities", "id": "{{ steps.deal.id }}",
                "fields": { "stage": "large" } } },
            { "name": "told", "webhook": { "to": "hook", "data": { "text": "{{ senderName }} {{ steps.deal.id }}" } } },
        ],
    })
}

fn lead(n: usize) -> Value {
    json!({ "senderName": format!("Ana {n}"), "senderEmail": format!("ana{n}@example.org"), "budget": 500 * n })
}

fn outcomes(run: &Value) -> Vec<(&str, &str)> {
    let steps = run["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| (step["name"].as_str().unwrap(), step["outcome"].as_str().unwrap()))
        .collect()
}

/// What the user's own program was told by the step `told`; it gets the leads themselves, too.
fn told(vendors: &Running) -> Vec<Value> {
    let all = vendors::records(vendors, "webhook", "deliveries").into_iter();
    all.filter(|message| message.to_string().contains(" rec_")).collect()
}

async fn listed(hub: &Hub, path: &str) -> Vec<Value> {
    let page = hub.get(path).await.fine(200);
    page.as_array()
        .or_else(|| page["items"].as_array())
        .or_else(|| page["data"].as_array())
        .unwrap_or_else(|| panic!("{page}"))
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_lead_from_an_event_to_records_and_to_calls() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    folder.apply(&vendors::webhook(&vendors)).fine();
    let hub = folder.start();
    let written = hub.put("/v1/automations/leads", &leads()).await.fine(200);
    assert_eq!((&written["key"], &written["enabled"]), (&json!("leads"), &json!(true)));
    let event = hub.event("lead.received", lead(3)).await;
    let runs = hub.runs_of(&event).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["state"], "done", "{:#}", runs[0]);
    assert_eq!(
        outcomes(&runs[0]),
        [
            ("person", "done"),
            ("deal", "done"),
            ("large", "done"),
            ("told", "done")
        ]
    );
    let people = listed(&hub, "/v1/people").await;
    assert_eq!((people.len(), &people[0]["email"]), (1, &json!("ana3@example.org")));
    let deals = listed(&hub, "/v1/opportunities").await;
    assert_eq!(
        (deals.len(), &deals[0]["stage"], &deals[0]["value"]),
        (1, &json!("large"), &json!(1500))
    );
    assert_eq!(deals[0]["personId"], people[0]["id"]);
    let heard = until("the program hears of it", async || told(&vendors).pop()).await;
    let text = format!("Ana 3 {}", deals[0]["id"].as_str().unwrap());
    assert!(heard.to_string().contains(&text), "{heard}");

    // The same person again, and a small budget.
    let event = hub
        .event(
            "lead.received",
            json!({ "senderName": "Ana", "senderEmail": "ANA3@example.org", "budget": 1 }),
        )
        .await;
    let runs = hub.runs_of(&event).await;
    assert_eq!(outcomes(&runs[0])[2], ("large", "skipped"));
    assert_eq!(runs[0]["steps"][0]["result"]["created"], false);
    assert_eq!(listed(&hub, "/v1/people").await.len(), 1);
    assert_eq!(listed(&hub, "/v1/opportunities").await.len(), 2);

    // What it does not want begins nothing.
    let event = hub.event("lead.received", json!({ "senderName": "Nobody" })).await;
    assert_eq!(
        listed(&hub, &format!("/v1/runs?event={event}")).await,
        Vec::<Value>::new()
    );
    assert_eq!(listed(&hub, "/v1/automations/leads/runs").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_says_what_each_step_would_do_and_does_nothing() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    folder.apply(&vendors::webhook(&vendors)).fine();
    let hub = folder.start();
    hub.put("/v1/automations/leads", &leads()).await.fine(200);
    let sample = json!({ "type": "lead.received", "data": lead(1) });
    let tried = hub.post("/v1/automations/leads/try", &sample).await.fine(200);
    assert_eq!(tried["begins"], true, "{tried:#}");
    let steps = tried["steps"].as_array().unwrap();
    let outcomes: Vec<&str> = steps.iter().map(|step| step["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["done", "done", "skipped", "done"], "{tried:#}");
    assert_eq!(steps[0]["detail"]["would"], "create");
    assert_eq!(steps[0]["detail"]["fields"]["email"], "ana1@example.org");
    assert!(
        steps[3]["detail"]["sends"][0]["record"]["text"]
            .as_str()
            .unwrap()
            .starts_with("Ana 1 rec_")
    );
    let unwanted = json!({ "data": { "senderName": "x" } });
    let tried = hub.post("/v1/automations/leads/try", &unwanted).await.fine(200);
    assert_eq!(tried["begins"], false);
    assert!(tried["reason"].as_str().unwrap().contains("senderEmail"));
    assert_eq!(listed(&hub, "/v1/people").await, Vec::<Value>::new());
    assert_eq!(listed(&hub, "/v1/runs").await, Vec::<Value>::new());
    // On a past event, with a definition that is not kept.
    let event = hub.event("lead.received", lead(7)).await;
    hub.runs_of(&event).await;
    let other =
        json!({ "event": event, "automation": { "on": "lead.received", "steps": [{ "stop": "{{ senderName }}" }] } });
    let tried = hub.post("/v1/automations/leads/try", &other).await.fine(200);
    assert_eq!(tried["steps"][0]["detail"]["reason"], "Ana 7");
    for wrong in [
        json!([]),
        json!({ "evnt": 1 }),
        json!({ "event": 5 }),
        json!({ "type": "no.such", "data": {} }),
    ] {
        let reply = hub.post("/v1/automations/leads/try", &wrong).await;
        assert_eq!(reply.status, 422, "{wrong}: {}", reply.text);
    }
    hub.post("/v1/automations/nothing/try", &sample)
        .await
        .problem(404, "SWB-API-008");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_what_lasts_fails_and_is_run_anew_from_there() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.put("/v1/automations/leads", &leads()).await.fine(200);
    let event = hub.event("lead.received", lead(1)).await;
    let run = until("the step that sends has failed", async || {
        let runs = listed(&hub, &format!("/v1/runs?event={event}")).await;
        runs.into_iter().find(|run| run["attempts"].as_u64().unwrap() > 1)
    })
    .await;
    assert_eq!(
        (&run["state"], &run["step"]),
        (&json!("running"), &json!("told")),
        "{run}"
    );
    assert!(
        run["problem"]["detail"]
            .as_str()
            .unwrap()
            .contains("`hook` is not connected"),
        "{run}"
    );
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    let runs = hub.runs_of(&event).await;
    assert_eq!(runs[0]["state"], "done", "{:#}", runs[0]);

    let broken = |text: &str| {
        json!({ "on": "form.submitted", "steps": [
            { "name": "person", "create": { "object": "people", "fields": { "firstName": "{{ name }}" } } },
            { "name": "when_due", "wait": { "until": text } },
            { "name": "told", "webhook": { "to": "hook", "data": { "text": "{{ steps.person.id }}" } } },
        ] })
    };
    hub.put("/v1/automations/forms", &broken("{{ name }}")).await.fine(200);
    let event = hub.event("form.submitted", json!({ "name": "Ana" })).await;
    let failed = hub.runs_of(&event).await.remove(0);
    assert_eq!(
        (&failed["state"], &failed["step"]),
        (&json!("failed"), &json!("when_due")),
        "{failed:#}"
    );
    assert_eq!(outcomes(&failed), [("person", "done"), ("when_due", "failed")]);
    hub.put("/v1/automations/forms", &broken("2020-01-01T00:00:00Z"))
        .await
        .fine(200);
    let path = format!("/v1/runs/{}/retry", failed["id"].as_str().unwrap());
    hub.post(&path, &json!({})).await.fine(202);
    let done = hub.runs_of(&event).await.remove(0);
    assert_eq!(done["state"], "done", "{done:#}");
    assert_eq!(listed(&hub, "/v1/people").await.len(), 2);
    hub.post(&path, &json!({})).await.problem(409, "SWB-API-012");
    hub.post("/v1/runs/run_0000000000000/retry", &json!({}))
        .await
        .problem(404, "SWB-API-008");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_goes_on_after_a_restart() {
    let folder = Folder::new();
    let hub = folder.start();
    let waits = json!({ "on": "form.submitted", "steps": [
        { "name": "pause", "wait": "5 s" },
        { "name": "person", "create": { "object": "people", "fields": { "firstName": "{{ name }}", "notes": "{{ steps.pause.until }}" } } },
    ] });
    hub.put("/v1/automations/later", &waits).await.fine(200);
    let event = hub.event("form.submitted", json!({ "name": "Ana" })).await;
    until("the run waits", async || {
        let runs = listed(&hub, &format!("/v1/runs?event={event}&state=waiting")).await;
        (!runs.is_empty()).then_some(())
    })
    .await;
    hub.kill();
    let hub = folder.start();
    let run = hub.runs_of(&event).await.remove(0);
    assert_eq!(outcomes(&run), [("pause", "done"), ("person", "done")], "{run:#}");
    assert_eq!(listed(&hub, "/v1/people").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn automations_that_set_each_other_going_end_with_a_clear_problem() {
    let folder = Folder::new();
    let hub = folder.start();
    let grows = json!({ "on": ["person.created", "person.updated"], "steps": [
        { "update": { "object": "people", "id": "{{ id }}", "fields": { "notes": "{{ notes }}x" } } },
    ] });
    hub.put("/v1/automations/grows", &grows).await.fine(200);
    hub.post("/v1/people", &json!({ "firstName": "Ana", "email": "ana@example.org" }))
        .await;
    let refused = until("the circle is found", async || {
        let failed = listed(&hub, "/v1/automations/grows/runs?state=failed").await;
        failed.into_iter().next()
    })
    .await;
    assert_eq!(refused["problem"]["code"], "SWB-AUT-001", "{refused:#}");
    assert_eq!(refused["chain"], json!(["grows"]));
    assert_eq!(listed(&hub, "/v1/automations/grows/runs").await.len(), 2);
    assert_eq!(listed(&hub, "/v1/people").await[0]["notes"], "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_take_turns() {
    let folder = Folder::new();
    let hub = folder.start();
    let shared = json!({ "on": "lead.received", "steps": [
        { "name": "deal", "create": { "object": "opportunities", "fields": { "name": "{{ senderName }}" } } },
        { "assign": { "object": "opportunities", "id": "{{ steps.deal.id }}", "round_robin": ["ana", "ben", "eva"] } },
    ] });
    hub.put("/v1/automations/shared", &shared).await.fine(200);
    let events = join_all((0..9).map(|n| hub.event("lead.received", lead(n)))).await;
    for event in &events {
        assert_eq!(hub.runs_of(event).await[0]["state"], "done");
    }
    let mut owners: Vec<String> = listed(&hub, "/v1/opportunities")
        .await
        .iter()
        .map(|deal| deal["owner"].as_str().unwrap().to_owned())
        .collect();
    owners.sort();
    assert_eq!(owners, ["ana", "ana", "ana", "ben", "ben", "ben", "eva", "eva", "eva"]);
}

/// The hub dies at each place before and behind each step; afterwards everything is there once.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_any_two_steps_loses_and_doubles_nothing() {
    let places = (1..=4).flat_map(|nth| ["step", "stepped"].map(|place| format!("{place}:{nth}")));
    let places: Vec<String> = std::iter::once("accepted:1".to_owned()).chain(places).collect();
    for chunk in places.chunks(3) {
        join_all(chunk.iter().map(|place| die_at(place))).await;
    }
}

async fn die_at(place: &str) {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    folder.apply(&vendors::webhook(&vendors)).fine();
    let hub = folder.start();
    hub.put("/v1/automations/leads", &leads()).await.fine(200);
    hub.terminate();
    let hub = folder.start_with(&["serve", "--fail-point", place]);
    let event = json!({ "type": "lead.received", "id": "lead-1", "data": lead(3) });
    // Whether the answer comes before the end is chance; the sender asks again.
    let _ = hub
        .request("POST", "/v1/events")
        .header("content-type", "application/json")
        .body(event.to_string())
        .send()
        .await;
    hub.ended();
    let hub = folder.start();
    let receipt = hub.post("/v1/events", &event).await.fine(202);
    let runs = hub.runs_of(receipt["id"].as_str().unwrap()).await;
    assert_eq!(runs.len(), 1, "{place}");
    assert_eq!(runs[0]["state"], "done", "{place}: {:#}", runs[0]);
    assert_eq!(listed(&hub, "/v1/people").await.len(), 1, "{place}");
    let deals = listed(&hub, "/v1/opportunities").await;
    assert_eq!((deals.len(), &deals[0]["stage"]), (1, &json!("large")), "{place}");
    hub.idle().await;
    assert_eq!(told(&vendors).len(), 1, "{place}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_automation_is_said_when_it_is_saved() {
    let folder = Folder::new();
    let hub = folder.start();
    let wrong = json!({ "on": "order.made", "steps": [
        { "upsert": { "object": "people", "fields": { "emial": "{{ steps.later.id }}" } } },
        { "name": "later", "send": { "to": "x", "object": "y", "data": { "a": "{{ b | nothing }}" } } },
    ] });
    let problem = hub.put("/v1/automations/a", &wrong).await.problem(422, "SWB-API-003");
    let places: Vec<&str> = std::iter::once(&problem)
        .chain(problem["others"].as_array().unwrap())
        .map(|problem| problem["place"].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "automation a: /on",
            "automation a: /steps/0/upsert/fields",
            "automation a: /steps/1/send/data/a"
        ]
    );
    let unknown =
        json!({ "on": "order.created", "steps": [{ "upsert": { "object": "people", "fields": { "emial": "x" } } }] });
    let problem = hub.put("/v1/automations/a", &unknown).await.problem(422, "SWB-CFG-002");
    assert!(
        problem["detail"].as_str().unwrap().contains("did you mean `email`"),
        "{problem}"
    );
    for body in [
        json!([]),
        json!({}),
        json!({ "key": "b", "on": "*", "steps": [{ "stop": true }] }),
    ] {
        assert_eq!(hub.put("/v1/automations/a", &body).await.status, 422, "{body}");
    }
    hub.get("/v1/automations/a").await.problem(404, "SWB-API-008");
    hub.get("/v1/runs/nonsense").await.problem(404, "SWB-API-008");
    hub.get("/v1/runs?state=lost").await.problem(400, "SWB-API-013");
    let fine = json!({ "on": "order.created", "steps": [{ "stop": true }] });
    hub.put("/v1/automations/a", &fine).await.fine(200);
    assert_eq!(
        hub.post("/v1/automations/a/disable", &json!({})).await.fine(200)["enabled"],
        false
    );
    let event = hub.event("order.created", json!({})).await;
    assert_eq!(
        listed(&hub, &format!("/v1/runs?event={event}")).await,
        Vec::<Value>::new()
    );
    assert_eq!(
        hub.post("/v1/automations/a/enable", &json!({})).await.fine(200)["enabled"],
        true
    );
    let event = hub.event("order.created", json!({})).await;
    assert_eq!(hub.runs_of(&event).await[0]["state"], "stopped");
    assert_eq!(hub.send(hub.request("DELETE", "/v1/automations/a")).await.status, 204);
    assert_eq!(hub.get("/v1/automations").await.fine(200)["items"], json!([]));
    assert_eq!(listed(&hub, "/v1/automations/a/runs").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_file_holds_automations_and_nobody_sends_what_steps_send() {
    let folder = Folder::new();
    let file = json!({ "automations": [{ "key": "a", "on": "order.created", "steps": [{ "stop": "done" }] }] });
    let applied = folder.apply(&file).fine();
    assert!(applied.stdout.contains("automation a"), "{}", applied.stdout);
    let wrong = json!({ "automations": [{ "key": "a", "on": "order.created", "steps": [{ "stopp": "done" }] }] });
    let refused = folder.apply(&wrong);
    assert_ne!(refused.code, Some(0));
    assert!(
        refused.stderr.contains("stopp") && refused.stderr.contains("applied.json:1:"),
        "{}",
        refused.stderr
    );
    let hub = folder.start();
    assert_eq!(
        hub.get("/v1/automations/a").await.fine(200)["steps"][0]["action"],
        "stop"
    );
    let forged = json!({ "type": "automation.sent", "data": { "to": "hook" } });
    hub.post("/v1/events", &forged).await.problem(422, "SWB-API-003");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_never_takes_fails_its_run_in_the_end() {
    let folder = Folder::new();
    let soon = ["--retry-base-ms", "20", "--retry-cap-ms", "50", "--retry-attempts", "3"];
    let hub = folder.start_with(&soon);
    folder.refuse_records("%never taken%");
    let automation = json!({
        "on": "lead.received",
        "steps": [{ "name": "person", "create": { "object": "people", "fields": { "firstName": "{{ senderName }}" } } }],
    });
    hub.put("/v1/automations/leads", &automation).await.fine(200);
    let event = hub.event("lead.received", json!({ "senderName": "never taken" })).await;
    let runs = hub.runs_of(&event).await;
    assert_eq!(runs[0]["state"], "failed", "{:#}", runs[0]);
    assert!(
        runs[0]["problem"]["detail"]
            .as_str()
            .unwrap()
            .contains("refused by the test"),
        "{:#}",
        runs[0]
    );
    let event = hub.event("lead.received", json!({ "senderName": "Ana" })).await;
    assert_eq!(hub.runs_of(&event).await[0]["state"], "done");
}
