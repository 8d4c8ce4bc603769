//! Records: people and tables through the API, who is who, and what the change of a record sets going.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    hub::{Folder, Hub, Reply},
    vendors,
    wait::until,
};

/// A hub that counts no requests.
fn start(folder: &Folder) -> Hub {
    folder.start_with(&["--limits-requests-per-minute", "0", "--retry-base-ms", "20"])
}

async fn patch(hub: &Hub, path: &str, body: &Value) -> Reply {
    let request = hub.request("PATCH", path).header("content-type", "application/json");
    hub.send(request.body(body.to_string())).await
}

async fn put(hub: &Hub, path: &str, body: &Value) -> Reply {
    let request = hub.request("PUT", path).header("content-type", "application/json");
    hub.send(request.body(body.to_string())).await
}

async fn delete(hub: &Hub, path: &str) -> Reply {
    hub.send(hub.request("DELETE", path)).await
}

async fn items(hub: &Hub, path: &str) -> Vec<Value> {
    let page = hub.get(path).await.fine(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_made_found_changed_and_removed() {
    let folder = Folder::new();
    let hub = start(&folder);
    let ana = json!({"firstName": "Ana", "lastName": "Petrova", "email": "Ana@Example.org", "phone": "+1 202 555 0101", "company": "Example Ltd"});
    let made = hub.post("/v1/people", &ana).await.fine(201);
    assert_eq!(
        (&made["outcome"], &made["company"]),
        (&json!("created"), &json!("Example Ltd"))
    );
    assert_eq!(
        (&made["email"], &made["phone"]),
        (&json!("ana@example.org"), &json!("+12025550101"))
    );
    let (id, company) = (made["id"].as_str().unwrap(), made["companyId"].as_str().unwrap());
    let path = format!("/v1/people/{id}");
    assert_eq!(
        hub.get(&format!("/v1/companies/{company}")).await.fine(200)["name"],
        "Example Ltd"
    );

    let again = hub
        .post(
            "/v1/people",
            &json!({"email": "ana@example.org", "company": company, "jobTitle": "Buyer"}),
        )
        .await
        .fine(200);
    assert_eq!(
        (&again["id"], &again["outcome"], &again["foundBy"]["kind"]),
        (&made["id"], &json!("updated"), &json!("email"))
    );
    let by_mail = items(&hub, "/v1/people?email=ANA@example.org").await;
    assert_eq!(by_mail.len(), 1);
    assert_eq!(by_mail[0]["jobTitle"], "Buyer");
    assert!(items(&hub, "/v1/people?email=nobody@example.org").await.is_empty());
    assert_eq!(items(&hub, "/v1/people?q=petr").await.len(), 1);
    assert_eq!(items(&hub, "/v1/people?company=").await.len(), 0);

    let changed = patch(&hub, &path, &json!({"jobTitle": null, "city": "Riga"}))
        .await
        .fine(200);
    assert_eq!((&changed["city"], changed.get("jobTitle")), (&json!("Riga"), None));
    let late = hub
        .request("PATCH", &path)
        .header("content-type", "application/json")
        .header("if-match", "\"1\"");
    hub.send(late.body("{\"city\": \"Oslo\"}"))
        .await
        .problem(409, "SWB-API-012");

    let story = hub.get(&format!("{path}/history")).await.fine(200);
    assert_eq!(story["matches"][0]["key"]["value"], "ana@example.org");
    assert_eq!(delete(&hub, &path).await.status, 204);
    hub.get(&path).await.problem(404, "SWB-API-008");
    delete(&hub, &path).await.problem(404, "SWB-API-008");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_field_by_field() {
    let folder = Folder::new();
    let hub = start(&folder);
    let wrong = hub
        .post(
            "/v1/people",
            &json!({"fristName": "A", "email": "nobody", "birthday": "soon"}),
        )
        .await;
    let problem = wrong.problem(422, "SWB-API-002");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("did you mean `firstName`?"),
        "{problem}"
    );
    assert_eq!(problem["others"].as_array().unwrap().len(), 2);
    hub.post("/v1/people", &json!({})).await.problem(422, "SWB-API-002");
    hub.post("/v1/people", &json!([])).await.problem(422, "SWB-API-002");
    hub.get("/v1/poeple").await.problem(404, "SWB-API-008");
    assert!(items(&hub, "/v1/people").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_sorted_and_read_page_by_page() {
    let folder = Folder::new();
    let hub = start(&folder);
    let deals: Vec<Value> = [("Ada", 300.0), ("Bo", 20.5), ("Cy", 100.0), ("Di", 7.0)]
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value, "stage": "New", "externalId": name}))
        .collect();
    let results = hub.post("/v1/opportunities/batch", &json!(deals)).await.fine(200);
    assert!(
        results["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result["status"] == "created")
    );
    let names = async |query: &str| -> String {
        let mut path = format!("/v1/opportunities?limit=2&{query}");
        let mut all = String::new();
        loop {
            let page = hub.get(&path).await.fine(200);
            for item in page["items"].as_array().unwrap() {
                all.push_str(&item["name"].as_str().unwrap()[..1]);
            }
            let Some(next) = page["next"].as_str() else { return all };
            path = format!("/v1/opportunities?limit=2&{query}&after={next}");
        }
    };
    assert_eq!(names("").await, "DCBA");
    assert_eq!(names("sort=createdAt").await, "ABCD");
    assert_eq!(names("sort=-value").await, "ACBD");
    assert_eq!(names("sort=name").await, "ABCD");
    assert_eq!(names("value[gte]=20.5&value[lt]=300&sort=value").await, "BC");
    assert_eq!(names("name[contains]=D&sort=name").await, "AD");
    assert_eq!(names("name[in]=Ada,Cy&sort=name").await, "AC");
    assert_eq!(names("externalIds.api=Bo").await, "B");
    assert_eq!(names("closeDate[empty]=false").await, "");
    hub.get("/v1/opportunities?valeu=3").await.problem(400, "SWB-API-013");

    let mixed = json!([{"name": "Ada", "externalId": "Ada", "value": 1}, {"name": 5, "vlaue": 3}]);
    let results = hub.post("/v1/opportunities/batch", &mixed).await.fine(200);
    let results = results["results"].as_array().unwrap();
    assert_eq!(
        (&results[0]["status"], &results[1]["status"]),
        (&json!("updated"), &json!("refused"))
    );
    assert_eq!(results[1]["problem"]["place"], "/1/vlaue");
    let nothing = hub.post("/v1/opportunities/batch", &json!([{"vlaue": 3}])).await;
    assert_eq!(nothing.status, 422, "{}", nothing.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_records_become_one_and_two_again() {
    let folder = Folder::new();
    let hub = start(&folder);
    let by_mail = hub
        .post("/v1/people", &json!({"email": "a@example.org", "city": "Riga"}))
        .await
        .fine(201);
    let by_phone = hub
        .post("/v1/people", &json!({"phone": "+12025550101", "jobTitle": "Buyer"}))
        .await
        .fine(201);
    let both = hub
        .post(
            "/v1/people/upsert",
            &json!({"email": "a@example.org", "phone": "+12025550101"}),
        )
        .await
        .fine(200);
    assert_eq!((&both["id"], &both["jobTitle"]), (&by_mail["id"], &json!("Buyer")));
    let other = format!("/v1/people/{}", by_phone["id"].as_str().unwrap());
    assert_eq!(
        hub.get(&other).await.fine(200)["id"],
        by_mail["id"],
        "the other id leads to it"
    );
    let merge = format!("/v1/merges/{}", both["merges"][0].as_str().unwrap());
    let why = hub.get(&merge).await.fine(200);
    assert_eq!(
        (&why["automatic"], &why["keys"][1]["value"]),
        (&json!(true), &json!("12025550101"))
    );
    let undone = hub.post(&format!("{merge}/undo"), &json!({})).await.fine(200);
    assert!(undone["undoneAt"].is_string());
    hub.post(&format!("{merge}/undo"), &json!({}))
        .await
        .problem(409, "SWB-API-012");
    assert_eq!(hub.get(&other).await.fine(200)["jobTitle"], "Buyer");

    // Named together again, they stay two, because a person has said so; by hand they become one all the same.
    hub.post(
        "/v1/people/upsert",
        &json!({"email": "a@example.org", "phone": "+12025550101"}),
    )
    .await
    .fine(200);
    assert_eq!(items(&hub, "/v1/people").await.len(), 2);
    let by_hand = hub
        .post(&format!("{other}/merge"), &json!({"with": by_mail["id"]}))
        .await
        .fine(200);
    assert_eq!((&by_hand["id"], &by_hand["city"]), (&by_phone["id"], &json!("Riga")));
    assert_eq!(
        items(&hub, "/v1/people?email=a@example.org").await[0]["id"],
        by_phone["id"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_whether_two_are_one() {
    let folder = Folder::new();
    let hub = start(&folder);
    let first = hub
        .post("/v1/people", &json!({"email": "a@example.org"}))
        .await
        .fine(201);
    let asked = hub
        .post(
            "/v1/people?onDuplicate=ask",
            &json!({"email": "a@example.org", "city": "Oslo"}),
        )
        .await
        .fine(201);
    assert_eq!(asked["needsReview"], true);
    let open = items(&hub, "/v1/duplicates").await;
    assert_eq!((open.len(), &open[0]["id"]), (1, &asked["duplicates"][0]));
    let pair = format!("/v1/duplicates/{}", open[0]["id"].as_str().unwrap());
    let one = hub.post(&format!("{pair}/merge"), &json!({})).await.fine(200);
    assert_eq!((&one["id"], one.get("needsReview")), (&first["id"], None));
    assert!(items(&hub, "/v1/duplicates").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sources_that_bring_one_person_at_once_leave_one_a_thousand_times() {
    let folder = Folder::new();
    let hub = Arc::new(start(&folder));
    let mut state = 7_u64;
    let mut roll = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for hundred in 0..10 {
        let mut tasks = Vec::new();
        for one in 0..100 {
            let number = hundred * 100 + one;
            let (email, phone) = (format!("p{number}@example.org"), format!("+1202556{number:04}"));
            let mut brought = vec![
                json!({"email": email}),
                json!({"phone": phone}),
                json!({"email": email, "phone": phone}),
            ];
            // Which two come at once, and in which order the third comes: each in turn.
            for at in (1..brought.len()).rev() {
                brought.swap(at, roll(at + 1));
            }
            let hub = Arc::clone(&hub);
            tasks.push(tokio::spawn(async move {
                let post = |body: Value| {
                    let hub = Arc::clone(&hub);
                    async move { hub.post("/v1/people", &body).await }
                };
                let last = brought.pop().unwrap();
                let first: Vec<Reply> = futures::future::join_all(brought.into_iter().map(post)).await;
                for reply in first.into_iter().chain([post(last).await]) {
                    assert!([200, 201].contains(&reply.status), "{}", reply.text);
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    }
    let mut seen = std::collections::HashSet::new();
    let mut path = "/v1/people?limit=500".to_owned();
    loop {
        let page = hub.get(&path).await.fine(200);
        for person in page["items"].as_array().unwrap() {
            assert!(person["email"].is_string() && person["phone"].is_string(), "{person}");
            assert!(
                seen.insert(person["email"].as_str().unwrap().to_owned()),
                "{person} is there twice"
            );
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/people?limit=500&after={next}");
    }
    assert_eq!(seen.len(), 1_000);
    assert!(items(&hub, "/v1/duplicates").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_defined_filled_from_a_file_and_written_to_one() {
    let folder = Folder::new();
    let hub = start(&folder);
    let table = json!({"key": "customers", "title": "客户", "country": "CN", "keys": ["clue_id"], "fields": [
        {"name": "clue_id", "type": "text", "required": true}, {"name": "name", "type": "text", "title": "姓名"},
        {"name": "phone", "type": "phone"}, {"name": "score", "type": "integer", "default": 5},
        {"name": "channel", "type": "select", "options": ["ads", "shop"]}, {"name": "company", "type": "lookup", "object": "companies"}]});
    let made = hub.post("/v1/tables", &table).await.fine(201);
    assert_eq!(
        (&made["table"], &made["fields"][3]["default"]),
        (&json!(true), &json!(5))
    );
    hub.post("/v1/tables", &table).await.problem(409, "SWB-API-012");
    let bad =
        json!({"key": "x", "fields": [{"name": "a", "type": "txt"}, {"name": "id", "type": "text"}], "keys": ["b"]});
    let problem = hub.post("/v1/tables", &bad).await.problem(422, "SWB-CFG-002");
    assert_eq!(
        (&problem["place"], problem["others"].as_array().unwrap().len()),
        (&json!("/fields/0/type"), 2)
    );

    let rows = "/v1/tables/customers/rows";
    let csv = "clue_id,姓名,phone,channel,company\n1,张三,13800138000,Ads,Example Ltd\n2,李四,,shop,\n,no key,,,\n3,王五,,radio,\n";
    let imported = hub
        .post_raw(&format!("{rows}/import"), "text/csv", csv.into())
        .await
        .fine(200);
    assert_eq!(
        (&imported["created"], &imported["refused"]),
        (&json!(2), &json!(2)),
        "{imported}"
    );
    assert_eq!(imported["problems"][0]["place"], "row 3/clue_id", "{imported}");
    assert_eq!(imported["problems"][1]["place"], "row 4/channel", "{imported}");
    let row = &items(&hub, &format!("{rows}?clue_id=1")).await[0];
    assert_eq!(
        (&row["phone"], &row["score"], &row["company"]),
        (&json!("+8613800138000"), &json!(5), &json!("Example Ltd"))
    );
    let again = hub
        .post_raw(&format!("{rows}/import"), "text/csv", csv.into())
        .await
        .fine(200);
    assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(2)));

    let file = hub.get(&format!("{rows}/export?sort=clue_id")).await;
    assert!(file.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    let lines: Vec<&str> = file.text.lines().collect();
    assert!(
        lines[0].starts_with("id,clue_id,name,phone,score,channel,company,companyId,externalIds"),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len(), 3);
    let back = hub
        .post_raw(&format!("{rows}/import"), "text/csv", file.text.clone().into())
        .await
        .fine(200);
    assert_eq!((&back["unchanged"], &back["refused"]), (&json!(2), &json!(0)), "{back}");
    let as_json = hub
        .get(&format!("{rows}/export?format=json&sort=clue_id"))
        .await
        .fine(200);
    assert_eq!(as_json[1]["name"], "李四");

    delete(&hub, "/v1/tables/customers").await.problem(409, "SWB-API-012");
    for row in items(&hub, rows).await {
        delete(&hub, &format!("{rows}/{}", row["id"].as_str().unwrap())).await;
    }
    assert_eq!(delete(&hub, "/v1/tables/customers").await.status, 204);
    hub.get(rows).await.problem(404, "SWB-API-008");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_added_to_people_and_lists_are_kept() {
    let folder = Folder::new();
    let file = json!({"tables": [{"key": "people", "country": "BY", "fields": {"tier": {"type": "select", "options": ["gold", "iron"]}}}],
                      "lists": {"channels": {"7": "Partners", "8": "Shop"}}});
    let told = folder.apply(&file).fine();
    assert!(
        told.stdout.contains("table people: kept") && told.stdout.contains("list channels: kept"),
        "{}",
        told.stdout
    );
    let hub = start(&folder);
    let made = hub
        .post("/v1/people", &json!({"phone": "8 029 000-00-00", "tier": "Gold"}))
        .await;
    assert_eq!(made.fine(201)["tier"], "gold");
    hub.post("/v1/people", &json!({"tier": "tin"}))
        .await
        .problem(422, "SWB-API-002");
    assert_eq!(hub.get("/v1/lists/channels").await.fine(200)["values"]["7"], "Partners");
    let list = json!({"title": "Rates", "values": {"EUR": 1, "USD": 1.1}});
    assert_eq!(
        put(&hub, "/v1/lists/rates", &list).await.fine(200)["values"],
        list["values"]
    );
    put(&hub, "/v1/lists/rates", &json!({"values": {"EUR": []}}))
        .await
        .problem(422, "SWB-CFG-002");
    assert_eq!(items(&hub, "/v1/lists").await.len(), 2);
    assert_eq!(delete(&hub, "/v1/lists/rates").await.status, 204);
    delete(&hub, "/v1/lists/rates").await.problem(404, "SWB-API-008");
    let wrong = folder.apply(&json!({"tables": [{"key": "t", "fields": {"a": "txet"}}], "lists": {"l": {"a": {}}}}));
    assert_ne!(wrong.code, Some(0));
    assert!(
        wrong.stderr.contains("did you mean `text`?") && wrong.stderr.contains("The value of `a`"),
        "{}",
        wrong.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_record_goes_where_a_route_says() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = start(&folder);
    let mut hook = vendors::webhook(&vendors);
    hook["routes"] = json!([{"key": "won", "on": "opportunity.won", "to": [{"system": "hook", "objects": ["event"]}]}]);
    hub.post("/api/crm/configure", &hook).await.fine(200);
    let made = hub
        .post("/v1/opportunities", &json!({"name": "Roof", "stage": "New"}))
        .await
        .fine(201);
    let path = format!("/v1/opportunities/{}", made["id"].as_str().unwrap());
    patch(&hub, &path, &json!({"stage": "Won"})).await.fine(200);
    let events = items(&hub, "/v1/events").await;
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["opportunity.won", "opportunity.updated", "opportunity.created"]);
    assert_eq!(
        events[0]["data"]["changes"]["stage"],
        json!({"from": "New", "to": "Won"})
    );
    let deliveries = async || items(&hub, "/v1/deliveries").await;
    let delivered = async || {
        deliveries()
            .await
            .iter()
            .all(|delivery| delivery["state"] == "delivered")
            .then_some(())
    };
    until("the event is delivered", delivered).await;
    assert_eq!(deliveries().await.len(), 1, "the others go nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_a_hundred_requests_a_minute_to_records_and_any_number_to_events() {
    let folder = Folder::new();
    let hub = folder.start_with(&[]);
    let first = hub.get("/v1/people").await;
    assert_eq!(first.headers["ratelimit-policy"], "\"default\";q=100;w=60");
    assert!(
        first.headers["ratelimit"]
            .to_str()
            .unwrap()
            .starts_with("\"default\";r=99;t=")
    );
    let mut refused = None;
    for _ in 0..100 {
        let reply = hub.get("/v1/lists").await;
        if reply.status != 200 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("the hundred and first is refused");
    refused.problem(429, "SWB-API-015");
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert!(!hub.get("/v1/events").await.headers.contains_key("ratelimit"));
    assert_eq!(hub.get("/v1/events").await.status, 200);
}

const PAGE: &str = include_str!("../../../../docs/guide/records.md");
/// The address that the page's hub listens on.
const ADDRESS: &str = "http://127.0.0.1:8080";

/// A call of the page.
struct Call {
    method: &'static str,
    path: String,
    media: String,
    body: Option<String>,
}

/// The page's curl calls in their order.
fn calls() -> Vec<Call> {
    let blocks = PAGE
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let commands = blocks.flat_map(|block| block.split("$ curl -s ").skip(1));
    commands
        .map(|command| {
            let (_, rest) = command.split_once(ADDRESS).unwrap();
            let body = rest
                .split_once(" '")
                .and_then(|(_, body)| body.rsplit_once('\''))
                .map(|(body, _)| body.to_owned());
            let methods = ["PATCH", "PUT", "POST"];
            let named = methods
                .into_iter()
                .find(|method| command.contains(&format!("-X {method}")));
            let media = rest
                .split_once("Content-Type: ")
                .and_then(|(_, media)| media.split('"').next());
            Call {
                method: named.unwrap_or(if body.is_some() { "POST" } else { "GET" }),
                path: rest.split([' ', '"', '\n']).next().unwrap().to_owned(),
                media: media.unwrap_or("application/json").to_owned(),
                body,
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_of_the_page_about_records_work_one_after_the_other() {
    let folder = Folder::new();
    let hub = start(&folder);
    let (mut person, mut merge) = (String::new(), String::new());
    let calls = calls();
    assert!(calls.len() > 20, "{}", calls.len());
    for call in calls {
        let path = call.path.replace("$PERSON", &person).replace("$MERGE", &merge);
        let mut request = hub.request(call.method, &path);
        // A POST without a body has no media type.
        if let Some(body) = call.body {
            request = request.header("content-type", call.media).body(body);
        }
        let reply = hub.send(request).await;
        assert!(
            (200..300).contains(&reply.status),
            "{} {path}: {}",
            call.method,
            reply.text
        );
        let answer: Value = serde_json::from_str(&reply.text).unwrap_or_default();
        if person.is_empty() {
            answer["id"].as_str().unwrap().clone_into(&mut person);
        }
        if let Some(id) = answer["merges"][0].as_str() {
            id.clone_into(&mut merge);
        }
    }
    assert!(!merge.is_empty());
}
