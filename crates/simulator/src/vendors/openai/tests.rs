use http::Method;
use serde_json::json;

use super::*;
use crate::options::Options;

fn server(settings: Value) -> OpenAi {
    let mut server = OpenAi::new(&Options::default().setup());
    server.configure(&json!({"keys": ["sk-1"]})).unwrap();
    server.configure(&settings).unwrap();
    server
}

fn question(format: Value, text: &str) -> Value {
    json!({
        "model": "gpt-5.4-mini", "response_format": format, "max_completion_tokens": 100,
        "messages": [{"role": "developer", "content": "Answer with JSON."}, {"role": "user", "content": text}],
    })
}

fn strict() -> Value {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["category"],
        "properties": {"category": {"type": "string", "enum": ["sales", "技术支持"]}},
    });
    json!({"type": "json_schema", "json_schema": {"name": "sorting", "strict": true, "schema": schema}})
}

fn ask(server: &mut OpenAi, body: &Value) -> (u16, Value) {
    let request = Request::new(Method::POST, "/v1/chat/completions")
        .with_bearer("sk-1")
        .with_json(body);
    let reply = server.handle(&Arc::new(request));
    (reply.status, reply.value())
}

#[test]
fn a_strict_schema_gets_an_object_of_its_form_as_text() {
    let (status, body) = ask(&mut server(json!({})), &question(strict(), "需要技术支持"));
    assert_eq!(status, 200);
    let content: Value = serde_json::from_str(body["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
    assert_eq!(content, json!({"category": "技术支持"}));
    assert!(body["usage"]["total_tokens"].as_u64().unwrap() > 2);
}

#[test]
fn schemas_that_strict_mode_does_not_take_are_refused() {
    let mut open = strict();
    open["json_schema"]["schema"]["additionalProperties"] = true.into();
    let mut optional = strict();
    optional["json_schema"]["schema"]["required"] = json!([]);
    let mut keyword = strict();
    keyword["json_schema"]["schema"]["properties"]["category"]["minLength"] = 1.into();
    let mut unnamed = strict();
    unnamed["json_schema"]["name"] = "with spaces".into();
    for format in [open, optional, keyword, unnamed, json!({"type": "xml"})] {
        let (status, body) = ask(&mut server(json!({})), &question(format.clone(), "x"));
        assert_eq!(
            (status, &body["error"]["param"]),
            (400, &json!("response_format")),
            "{format}"
        );
    }
    let mut silent = question(json!({"type": "json_object"}), "x");
    silent["messages"][0]["content"] = "Sort this.".into();
    assert_eq!(ask(&mut server(json!({})), &silent).0, 400);
}

#[test]
fn keys_models_and_addresses_are_checked() {
    let mut server = server(json!({}));
    let request = Request::new(Method::POST, "/v1/chat/completions").with_json(&question(strict(), "x"));
    assert_eq!(server.handle(&Arc::new(request)).status, 401);
    let mut unknown = question(strict(), "x");
    unknown["model"] = "gpt-0".into();
    assert_eq!(ask(&mut server, &unknown).1["error"]["code"], "model_not_found");
    let elsewhere = Request::new(Method::GET, "/v1/nothing").with_bearer("sk-1");
    assert_eq!(server.handle(&Arc::new(elsewhere)).status, 404);
    let models = Request::new(Method::GET, "/v1/models").with_bearer("sk-1");
    assert_eq!(
        server.handle(&Arc::new(models)).value()["data"][0]["id"],
        "gpt-5.4-mini"
    );
}

#[test]
fn each_way_of_answering_badly_looks_like_the_real_one() {
    for (answers, finish, content) in [
        ("cut", "length", Some(10)),
        ("filtered", "content_filter", None),
        ("refusal", "stop", None),
        ("prose", "stop", Some(20)),
    ] {
        let (_, body) = ask(&mut server(json!({"answers": answers})), &question(strict(), "x"));
        let choice = &body["choices"][0];
        assert_eq!(choice["finish_reason"], finish, "{answers}");
        assert_eq!(choice["message"]["content"].is_null(), content.is_none(), "{answers}");
    }
    let (status, body) = ask(&mut server(json!({"answers": "no_money"})), &question(strict(), "x"));
    assert_eq!((status, &body["error"]["code"]), (429, &json!("insufficient_quota")));
    let (_, thinking) = ask(&mut server(json!({"thinking_tokens": 400})), &question(strict(), "x"));
    assert_eq!(thinking["choices"][0]["finish_reason"], "length");
    let mut old = question(strict(), "x");
    old["max_tokens"] = 5.into();
    assert_eq!(ask(&mut server(json!({"reasoning": true})), &old).0, 400);
}

#[test]
fn too_many_calls_in_a_minute_are_refused() {
    let mut server = server(json!({"calls_per_minute": 2}));
    let statuses: Vec<u16> = (0..3).map(|_| ask(&mut server, &question(strict(), "x")).0).collect();
    assert_eq!(statuses, [200, 200, 429]);
}
