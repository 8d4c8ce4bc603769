//! Replies as scripts make them.

use rhai::{Dynamic, Engine, INT};

use super::Wrong;
use super::json::{from_script, to_script};
use crate::message::Reply;

/// `reply`, `reply_text`, `with` and what a reply tells of itself.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Reply>("Reply");
    engine.register_fn("reply", |status: INT| -> Result<Reply, Wrong> {
        Ok(Reply::empty(known(status)?))
    });
    engine.register_fn("reply", |status: INT, body: Dynamic| -> Result<Reply, Wrong> {
        Ok(Reply::json(known(status)?, &from_script(&body)?))
    });
    engine.register_fn(
        "reply_text",
        |status: INT, kind: &str, text: &str| -> Result<Reply, Wrong> {
            let mut reply = Reply::empty(known(status)?).with("content-type", kind);
            reply.body = text.to_owned().into();
            Ok(reply)
        },
    );
    engine.register_fn("with", with);
    engine.register_fn("header", |reply: &mut Reply, name: &str| {
        let value = reply.header(name).map(str::to_owned);
        value.map_or(Dynamic::UNIT, Dynamic::from)
    });
    engine.register_get("status", |reply: &mut Reply| INT::from(reply.status));
    engine.register_get("json", |reply: &mut Reply| to_script(&reply.value()));
    engine.register_get("text", |reply: &mut Reply| {
        String::from_utf8_lossy(&reply.body).into_owned()
    });
}

fn known(status: INT) -> Result<u16, Wrong> {
    let found = u16::try_from(status).ok().filter(|status| (200..=599).contains(status));
    found.ok_or_else(|| format!("{status} is no status of an answer; those are 200 to 599").into())
}

/// A second content type would contradict the first, so it takes its place; other headers may be there more than once.
fn with(reply: Reply, name: &str, value: Dynamic) -> Result<Reply, Wrong> {
    let value = value.to_string();
    let good = http::HeaderName::from_bytes(name.as_bytes()).is_ok() && http::HeaderValue::from_str(&value).is_ok();
    if !good {
        return Err(format!("`{name}: {value}` is no header of HTTP").into());
    }
    let (name, mut reply) = (name.to_ascii_lowercase(), reply);
    if name == "content-type" {
        reply.headers.retain(|(known, _)| *known != name);
    }
    Ok(reply.with(name, value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::{answers, fails, says};

    #[test]
    fn replies_have_status_headers_and_body() {
        let reply = answers(r#"reply(201, #{id: 5, name: ()}).with("Location", "/x/5").with("x-count", 2)"#);
        assert_eq!((reply.status, reply.value()), (201, json!({"id": 5, "name": null})));
        assert_eq!(
            (reply.header("location"), reply.header("x-count")),
            (Some("/x/5"), Some("2"))
        );
        assert!(reply.header("content-type").unwrap().starts_with("application/json"));
        let empty = answers("reply(204)");
        assert_eq!((empty.status, empty.body.len(), empty.headers.len()), (204, 0, 0));
        let page = answers(r#"reply_text(502, "text/html", "<h1>Bad gateway</h1>")"#);
        assert_eq!(
            (page.header("content-type"), &page.body[..]),
            (Some("text/html"), &b"<h1>Bad gateway</h1>"[..])
        );
        let kind = answers(r#"reply(200, [1]).with("content-type", "application/vnd.api+json")"#);
        assert_eq!(
            (kind.headers.len(), kind.header("content-type")),
            (1, Some("application/vnd.api+json"))
        );
        assert_eq!(
            says(
                r#"let r = reply(404, "no").with("x-a", 1); [r.status, r.json, r.text, r.header("X-A"), r.header("x-b")]"#
            ),
            json!([404, "no", "\"no\"", "1", null])
        );
    }

    #[test]
    fn what_is_no_reply_is_an_error_of_the_script() {
        assert!(fails("reply(42)").contains("no status"));
        assert!(fails(r#"reply(200).with("a b", 1)"#).contains("no header"));
        assert!(fails("reply(200, req)").contains("no JSON form"));
    }
}
