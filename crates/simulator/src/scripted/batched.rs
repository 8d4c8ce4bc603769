//! Batches as scripts see them: requests within a request (`multipart/mixed` of `application/http`), and answers within an answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rhai::{Array, Dynamic, Engine, INT};

use super::Wrong;
use super::request::Req;
use crate::message::{Reply, Request};

/// `batched` and `reply_batched`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("batched", |req: Req| -> Dynamic {
        match requests_in(req.request()) {
            Ok(requests) => {
                let each = requests
                    .into_iter()
                    .map(|request| Dynamic::from(Req::new(Arc::new(request))));
                Dynamic::from_array(each.collect())
            }
            Err(problem) => problem.into(),
        }
    });
    engine.register_fn(
        "reply_batched",
        |status: INT, boundary: &str, replies: Array| -> Result<Reply, Wrong> {
            let replies: Option<Vec<Reply>> = replies.into_iter().map(Dynamic::try_cast).collect();
            let replies = replies.ok_or("a batch is answered with a list of replies")?;
            let status = u16::try_from(status).map_err(|_| format!("{status} is no status of an answer"))?;
            Ok(answer_of(status, boundary, &replies))
        },
    );
}

/// The requests in a batch, in their order. What the batch has beside them (time, address of the vendor) is theirs, too; its headers
/// are not.
fn requests_in(batch: &Request) -> Result<Vec<Request>, String> {
    let boundary = boundary_of(batch.header("content-type").unwrap_or_default())?;
    let mut rest = between(&batch.body, format!("--{boundary}\r\n").as_bytes())
        .filter(|(before, _)| before.is_empty())
        .map(|(_, rest)| rest)
        .ok_or("the body does not begin with its boundary")?;
    let delimiter = format!("\r\n--{boundary}");
    let mut requests = Vec::new();
    loop {
        let (part, behind) = between(rest, delimiter.as_bytes()).ok_or("the last part has no end")?;
        requests.push(request_in(batch, part)?);
        rest = match behind {
            [b'\r', b'\n', more @ ..] => more,
            [b'-', b'-'] | [b'-', b'-', b'\r', b'\n'] => return Ok(requests),
            _ => return Err("a boundary stands in the middle of a line".into()),
        };
    }
}

fn boundary_of(content_type: &str) -> Result<String, String> {
    let mut pieces = content_type.split(';').map(str::trim);
    if !pieces
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/mixed"))
    {
        return Err("the content type is not multipart/mixed".into());
    }
    let boundary = pieces.find_map(|piece| piece.strip_prefix("boundary="));
    let boundary = boundary.map(|boundary| boundary.trim_matches('"')).unwrap_or_default();
    match boundary.len() {
        1..=70 => Ok(boundary.to_owned()),
        _ => Err("the content type has no boundary of 1 to 70 letters".into()),
    }
}

/// What stands before a mark and what behind it.
fn between<'b>(text: &'b [u8], mark: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = text.windows(mark.len()).position(|here| here == mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

fn request_in(batch: &Request, part: &[u8]) -> Result<Request, String> {
    let (head, message) = between(part, b"\r\n\r\n").ok_or("the headers of a part have no end")?;
    let about = headers_in(head)?;
    let says = |name: &str| {
        let value = about.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    if says("content-type") != "application/http" || says("content-transfer-encoding") != "binary" {
        return Err("a part is not application/http in binary; change sets are not simulated".into());
    }
    let (head, body) = between(message, b"\r\n\r\n").ok_or("the headers of a request have no end")?;
    let (line, head) = between(head, b"\r\n").unwrap_or((head, b""));
    let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(format!("`{line}` is no request line"));
    };
    let target = below(&batch.origin, target).ok_or_else(|| format!("`{target}` is no address of this place"))?;
    let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = Request::new(method, target).at(batch.now_ms);
    request.origin.clone_from(&batch.origin);
    request.headers = headers_in(head)?;
    request.body = Bytes::copy_from_slice(body);
    Ok(request)
}

fn headers_in(text: &[u8]) -> Result<HeaderMap, String> {
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    let mut headers = HeaderMap::new();
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        let no_header = || format!("`{line}` is no header");
        let (name, value) = line.split_once(':').ok_or_else(no_header)?;
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| no_header())?;
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(|_| no_header())?);
    }
    Ok(headers)
}

/// The part of a target, absolute or from the first slash on, that lies below the vendor's own address.
fn below<'t>(origin: &str, target: &'t str) -> Option<&'t str> {
    let (_, rest) = origin.split_once("://")?;
    let prefix = rest.find('/').map_or("", |slash| &rest[slash..]);
    let rest = target.strip_prefix(origin).or_else(|| target.strip_prefix(prefix))?;
    rest.starts_with('/').then_some(rest)
}

fn answer_of(status: u16, boundary: &str, replies: &[Reply]) -> Reply {
    let mut body = Vec::new();
    for reply in replies {
        let reason = StatusCode::from_u16(reply.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let mut part = format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 {} {}\r\n",
            reply.status,
            reason.unwrap_or_default()
        );
        for (name, value) in &reply.headers {
            part.push_str(&format!("{name}: {value}\r\n"));
        }
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(&reply.body);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let mut answer = Reply::empty(status).with("content-type", format!("multipart/mixed; boundary={boundary}"));
    answer.body = body.into();
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scripted::trial::{answers, fails, says_of};

    const TWO: &str = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
        PATCH /vendor/api/leads(1)?$select=id HTTP/1.1\r\nIf-Match: *\r\ncontent-type: application/json\r\n\r\n{\"name\":\"王\"}\r\n\
        --b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
        DELETE https://sim.example.org/vendor/api/leads(2) HTTP/1.1\r\n\r\n\r\n--b--\r\n";

    fn batch(content_type: &str, body: &str) -> Request {
        let mut request = Request::new(Method::POST, "/api/$batch").with_bearer("outer").at(7);
        request.origin = "https://sim.example.org/vendor".into();
        request.with_body(content_type, body.to_owned())
    }

    #[test]
    fn the_requests_of_a_batch_have_their_own_address_headers_and_body() {
        let script = "batched(req).map(|one| [one.method, one.target, one.headers, one.json, one.now_ms])";
        assert_eq!(
            says_of(batch("multipart/mixed; boundary=\"b\"", TWO), script),
            json!([
                ["PATCH", "/api/leads(1)?$select=id", {"if-match": "*", "content-type": "application/json"}, {"name": "王"}, 7],
                ["DELETE", "/api/leads(2)", {}, null, 7],
            ])
        );
    }

    #[test]
    fn what_is_no_batch_says_why() {
        for (content_type, body, part) in [
            ("application/json", "{}".to_owned(), "not multipart/mixed"),
            ("multipart/mixed", TWO.to_owned(), "no boundary"),
            ("multipart/mixed; boundary=c", TWO.to_owned(), "does not begin"),
            ("multipart/mixed; boundary=b", TWO.replace("--b--", ""), "no end"),
            (
                "multipart/mixed; boundary=b",
                TWO.replace("\r\n", "\n"),
                "does not begin",
            ),
            (
                "multipart/mixed; boundary=b",
                TWO.replace("application/http", "multipart/mixed"),
                "change sets",
            ),
            (
                "multipart/mixed; boundary=b",
                TWO.replace("/vendor/api/leads(1)", "/api/leads(1)"),
                "no address",
            ),
            (
                "multipart/mixed; boundary=b",
                TWO.replace(" HTTP/1.1", ""),
                "no request line",
            ),
            (
                "multipart/mixed; boundary=b",
                TWO.replace("If-Match: *", "If-Match"),
                "no header",
            ),
        ] {
            let said = says_of(batch(content_type, &body), "batched(req)");
            assert!(
                said.as_str().is_some_and(|said| said.contains(part)),
                "{content_type} {body}: {said}"
            );
        }
    }

    #[test]
    fn answers_stand_in_the_parts_of_one() {
        let reply = answers(r#"reply_batched(200, "r", [reply(204).with("x-id", 5), reply(400, #{error: "é"})])"#);
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("multipart/mixed; boundary=r"))
        );
        let head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n";
        let json = "content-type: application/json;charset=utf-8\r\n\r\n{\"error\":\"é\"}";
        let expected = format!(
            "--r\r\n{head}HTTP/1.1 204 No Content\r\nx-id: 5\r\n\r\n\r\n--r\r\n{head}HTTP/1.1 400 Bad Request\r\n{json}\r\n--r--\r\n"
        );
        assert_eq!(String::from_utf8_lossy(&reply.body), expected);
        assert!(fails(r#"reply_batched(200, "r", [1])"#).contains("list of replies"));
    }
}
