//! What a script can call of its tables, and what happens when it is wrong.

use std::sync::Arc;

use http::Method;
use serde_json::json;

use crate::scripted::trial::{fails, says};
use crate::scripted::{Part, Script};
use crate::{Options, Request, Simulation};

#[test]
fn tables_are_written_and_read() {
    let two = r#"db.insert("t", #{id: 1, n: "Ann", f: #{e: "a@example.org"}}, 100); db.insert("t", #{id: "b", n: "bob"}, 200);"#;
    for (script, expected) in [
        (r#"db.insert("t", #{id: 5, a: 1}, 0)"#, json!({"id": 5, "a": 1})),
        (r#"db.get("t", "1").n"#, json!("Ann")),
        (r#"db.get("t", ())"#, json!(null)),
        (r#"db.get("none", 1)"#, json!(null)),
        (r#"db.replace("t", 1, #{n: "new"})"#, json!({"id": 1, "n": "new"})),
        (r#"db.replace("t", 9, #{})"#, json!(null)),
        (
            r#"db.patch("t", "1", #{n: "new"})"#,
            json!({"id": 1, "n": "new", "f": {"e": "a@example.org"}}),
        ),
        (
            r#"[db.remove("t", 1), db.remove("t", 1), db.count("t"), db.count("none")]"#,
            json!([true, false, 1, 0]),
        ),
        (r#"db.all("t").map(|r| r.id)"#, json!([1, "b"])),
        (r#"db.find("t", #{"f.e": "a@example.org"}).map(|r| r.id)"#, json!([1])),
        (r#"db.find("t", #{n: "ann"})"#, json!([])),
        (r#"db.find("t", #{f: ()}).map(|r| r.id)"#, json!(["b"])),
        (r#"db.find_folded("t", #{n: "ANN"}).map(|r| r.id)"#, json!([1])),
        (r#"db.find_before("t", #{}, 200).map(|r| r.id)"#, json!([1])),
        (
            r#"db.patch("t", 1, #{x: 1}, 300); db.find_before("t", #{}, 300).map(|r| r.id)"#,
            json!(["b"]),
        ),
        (
            r#"[db.first("t", #{n: "bob"}).id, db.first("t", #{n: "no"})]"#,
            json!(["b", null]),
        ),
        (
            r#"[db.slice("t", #{}, 1, 5).len(), db.slice("t", #{}, 0, 1)[0].id, db.slice("t", #{}, -1, -1).len()]"#,
            json!([1, 1, 0]),
        ),
        (
            r#"let row = db.get("t", 1); row.n = "changed"; db.get("t", 1).n"#,
            json!("Ann"),
        ),
    ] {
        assert_eq!(says(&format!("{two} {script}")), expected, "{script}");
    }
    assert!(fails(r#"db.insert("t", #{id: 1}, 0); db.insert("t", #{id: "1"}, 0)"#).contains("already"));
    assert!(fails(r#"db.insert("t", #{}, 0)"#).contains("no id"));
}

#[test]
fn ten_thousand_rows_are_no_burden() {
    let script = r#"for i in 0..10000 { db.insert("t", #{id: i, e: `p${i}@example.org`, f: #{n: i}}, i); }
        let n = 0;
        for i in 0..10000 { n += db.get("t", i).f.n; }
        for i in 0..50 { n += db.find("t", #{"f.n": i}).len(); }
        for i in 0..10000 { db.remove("t", i); }
        [n, db.count("t")]"#;
    assert_eq!(says(script), json!([49_995_050, 0]));
}

const REST: &str = "fn failure(status, req, db) { 7 }\nfn throttle(s, req, db) { reply(429) }\n";

fn with(text: &str) -> Simulation {
    let part = Part {
        file: "broken/simulator.rhai".into(),
        text: format!("{REST}{text}"),
    };
    let script = Arc::new(Script::new("broken", vec![part]));
    Simulation::new(Options {
        scripts: vec![script],
        only: vec!["broken".into()],
        ..Options::default()
    })
}

#[test]
fn an_error_of_a_script_is_answered_and_kept() {
    let simulation = with("fn settings() { #{} }\nfn handle(req, db) {\n  let x = req.json.a.b;\n  reply(200)\n}\n");
    let reply = simulation
        .call("broken", Request::new(Method::GET, "/"))
        .unwrap()
        .unwrap();
    assert_eq!(reply.status, 500);
    let said = reply.value();
    assert_eq!(
        (&said["script_error"]["script"], &said["script_error"]["line"]),
        (&json!("broken/simulator.rhai"), &json!(5))
    );
    let errors = simulation.script_errors();
    assert_eq!((errors.len(), errors[0].line), (1, Some(5)));
    simulation.reset();
    assert_eq!(simulation.script_errors(), []);
}

#[test]
fn what_is_no_reply_no_map_or_no_script_is_an_error_too() {
    let error = |text: &str| {
        let simulation = with(text);
        let dial = crate::Dial::of([crate::Rule::new(crate::Fault::Status {
            code: 500,
            retry_after_s: None,
            applied: false,
        })]);
        simulation.set_vendor_dial("broken", dial).unwrap();
        let reply = simulation
            .call("broken", Request::new(Method::GET, "/"))
            .unwrap()
            .unwrap();
        assert_eq!(reply.status, 500);
        simulation
            .script_errors()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let handle = "fn handle(req, db) { reply(200) }";
    let said = error(&format!("fn settings() {{ 5 }} {handle}"));
    assert!(said[0].contains("`settings` gave back i64 and not a map"), "{said:?}");
    assert!(said[1].contains("`failure` gave back i64 and not a reply"), "{said:?}");
    assert!(error(handle)[0].contains("does not define `fn settings()`"));
    assert!(
        error(&format!(
            "fn settings() {{ #{{}} }} fn start(db) {{ throw \"no start\" }} {handle}"
        ))[0]
            .contains("no start")
    );
}

#[test]
fn settings_keep_their_kinds() {
    let simulation =
        with("fn settings() { #{ tokens: [], lag: 5, any: () } }\nfn handle(req, db) { reply(200, db.settings) }\n");
    simulation
        .configure(
            "broken",
            &json!({"tokens": ["a"], "any": {"x": 1}, "accept_any_place": true}),
        )
        .unwrap();
    let expected =
        json!({"tokens": ["a"], "lag": 5, "any": {"x": 1}, "accept_any_credentials": false, "accept_any_place": true});
    assert_eq!(simulation.settings("broken").unwrap(), expected);
    for (patch, part) in [
        (
            json!({"speed": 1}),
            "there is no setting `speed`; there are any, lag, tokens",
        ),
        (json!({"tokens": "a"}), "`tokens` is a list, not text"),
        (
            json!({"lag": 1, "accept_any_place": 1}),
            "`accept_any_place` is true or false, not a number",
        ),
        (json!([]), "JSON object"),
    ] {
        let said = simulation.configure("broken", &patch).unwrap_err().to_string();
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(simulation.settings("broken").unwrap(), expected);
}

#[test]
fn a_table_that_only_the_script_names_is_empty_and_others_are_unknown() {
    let simulation = with("fn settings() { #{} }\nfn handle(req, db) { db.insert(\"tasks\", #{id: 1}); reply(200) }\n");
    assert_eq!(simulation.records("broken", "tasks"), Ok(vec![]));
    assert!(simulation.records("broken", "task").is_err());
    simulation.call("broken", Request::new(Method::GET, "/")).unwrap();
    assert_eq!(simulation.records("broken", "tasks"), Ok(vec![json!({"id": 1})]));
    assert!(
        simulation.records("hubspot", "contacts").is_err(),
        "only the wanted vendors are there"
    );
}
