//! What goes into an envelope comes out of it, and nothing comes out of one that is not there as a whole.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;

use super::{CLOSING, Part, open, seal, write::absent_from};
use crate::{call::Answer, draft::Draft};

/// Method, target, `X-Text` and body of a request.
type Sent = (&'static str, String, String, Vec<u8>);

fn part(sent: &Sent) -> Part {
    let (method, target, text, body) = sent;
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut draft = Draft::new(method, format!("https://example.org:8443{target}"));
    draft.headers.insert("x-text", HeaderValue::from_str(text).unwrap());
    draft.body = Bytes::from(body.clone());
    Part::new(draft).unwrap()
}

/// What somebody reads who knows nothing but the boundary.
fn unpacked(content_type: &str, body: &[u8]) -> Vec<Sent> {
    let boundary = content_type
        .strip_prefix("multipart/mixed; boundary=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap();
    let mark = format!("--{boundary}").into_bytes();
    let marks: Vec<usize> = (0..body.len()).filter(|at| body[*at..].starts_with(&mark)).collect();
    assert!(body[*marks.last().unwrap()..].strip_prefix(&*mark) == Some(b"--\r\n"));
    let pieces = marks.windows(2).map(|two| &body[two[0] + mark.len()..two[1]]);
    pieces.map(request).collect()
}

fn request(piece: &[u8]) -> Sent {
    let head = b"\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    let message = piece.strip_prefix(head).unwrap().strip_suffix(b"\r\n").unwrap();
    let end = message.windows(4).position(|here| here == b"\r\n\r\n").unwrap();
    let lines = std::str::from_utf8(&message[..end]).unwrap();
    let (line, header) = lines.split_once("\r\n").unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!((words.len(), words[2]), (3, "HTTP/1.1"));
    let method = ["PATCH", "DELETE", "GET"]
        .into_iter()
        .find(|method| *method == words[0]);
    let text = header.strip_prefix("x-text: ").unwrap();
    (
        method.unwrap(),
        words[1].to_owned(),
        text.to_owned(),
        message[end + 4..].to_vec(),
    )
}

fn requests() -> impl Strategy<Value = Vec<Sent>> {
    let body = prop_oneof![
        Just(Vec::new()),
        any::<Vec<u8>>(),
        // What looks like an envelope, within one.
        "(\r\n|--|batch_[0-9a-f]{32}|HTTP/1.1 204 No Content|x){0,9}".prop_map(String::into_bytes),
    ];
    let one = (
        prop_oneof![Just("PATCH"), Just("DELETE"), Just("GET")],
        "/[a-z]{1,9}(\\([a-z0-9='-]{1,20}\\))?(\\?[a-z%24=]{1,9})?",
        "[ -~&&[^ ]]{0,20}",
        body,
    );
    prop::collection::vec(one, 1..9)
}

/// An answer with these in its parts, and where in the body each part is proven to have ended.
fn answer(replies: &[(u16, String)]) -> (Answer, Vec<usize>) {
    let mut body = String::new();
    let mut ends = Vec::new();
    for (status, json) in replies {
        body.push_str(
            "--batchresponse_7\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n",
        );
        let length = json.len();
        body.push_str(&format!(
            "HTTP/1.1 {status} \r\nOData-EntityId: x({length})\r\n\r\n{json}\r\n"
        ));
        ends.push(body.len() + "--batchresponse_7--".len());
    }
    body.push_str("--batchresponse_7--\r\n");
    (envelope(body.into()), ends)
}

fn envelope(body: Bytes) -> Answer {
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("multipart/mixed; boundary=batchresponse_7");
    headers.insert("content-type", kind);
    Answer::new(200, headers, body)
}

fn replies() -> impl Strategy<Value = Vec<(u16, String)>> {
    let json = prop_oneof![Just(String::new()), "\\{\"a\":\"[a-zé王 \\-]{0,20}\"\\}"];
    prop::collection::vec(
        (prop_oneof![Just(204_u16), Just(201), Just(400), Just(429)], json),
        1..6,
    )
}

proptest! {
    #[test]
    fn requests_come_out_of_an_envelope_as_they_went_in(sent in requests()) {
        let parts: Vec<Part> = sent.iter().map(part).collect();
        let (content_type, body) = seal(&parts);
        prop_assert_eq!(body.len(), parts.iter().map(Part::size).sum::<usize>() + CLOSING);
        prop_assert_eq!(unpacked(&content_type, &body), sent);
    }

    #[test]
    fn an_answer_that_is_cut_anywhere_has_no_part_that_it_does_not_hold(replies in replies(), cut in any::<prop::sample::Index>()) {
        let (whole, ends) = answer(&replies);
        let cut = cut.index(whole.body.len() + 1);
        let opened = open(&envelope(whole.body.slice(..cut)), replies.len()).unwrap();
        let proven = ends.iter().filter(|end| **end <= cut).count();
        prop_assert!(opened.answers.len() <= proven);
        prop_assert!(cut < whole.body.len() || opened.answers.len() == replies.len());
        for (got, (status, json)) in opened.answers.iter().zip(&replies) {
            let got = got.as_ref().unwrap();
            prop_assert_eq!((got.status, &got.body[..]), (*status, json.as_bytes()));
            let expected = format!("x({})", json.len());
            prop_assert_eq!(got.header("odata-entityid"), Some(&*expected));
        }
    }

    #[test]
    fn whatever_comes_as_an_answer_is_read_without_a_panic(body in any::<Vec<u8>>(), middle in "(--batchresponse_7|\r\n|-|: |HTTP/1.1 2|a){0,20}") {
        let body = [middle.as_bytes(), &body].concat();
        let opened = open(&envelope(body.into()), 3).unwrap();
        prop_assert!(opened.answers.len() <= 4);
    }
}

#[test]
fn a_boundary_stands_in_none_of_the_parts() {
    let sent = (
        "PATCH",
        "/a".to_owned(),
        "b".to_owned(),
        b"the first, the second".to_vec(),
    );
    let candidates = ["first", "second", "third"].map(str::to_owned);
    assert_eq!(absent_from(&[part(&sent)], candidates.into_iter()), "third");
}

#[test]
fn secrets_of_a_part_are_known() {
    let mut draft = Draft::new(Method::GET, "https://example.org".to_owned());
    let name = http::header::AUTHORIZATION;
    draft.add_header(name, "Bearer secret-7", true).unwrap();
    let part = Part::new(draft).unwrap();
    assert_eq!(Vec::from_iter(part.secrets()), ["secret-7"]);
}

#[test]
fn only_multipart_mixed_is_an_envelope() {
    for (kind, is_one) in [
        ("multipart/mixed; boundary=batchresponse_7", true),
        ("Multipart/Mixed;boundary=\"batchresponse_7\"", true),
        ("multipart/mixed", false),
        ("multipart/form-data; boundary=batchresponse_7", false),
        ("application/json", false),
        ("", false),
    ] {
        let (mut answer, _) = answer(&[(204, String::new())]);
        answer.headers.insert("content-type", HeaderValue::from_static(kind));
        let opened = open(&answer, 1).map(|opened| opened.answers.len());
        assert_eq!(opened, is_one.then_some(1), "{kind}");
    }
}

#[test]
fn it_is_known_when_answers_and_requests_do_not_match() {
    let done = || (204, String::new());
    let failed = || (400, "{}".to_owned());
    for (replies, sent, is_off) in [
        (vec![done(), done()], 2, false),
        (vec![done(), done(), done()], 2, true),
        // It ended with its first failure: what is missing comes behind it.
        (vec![done(), failed()], 3, false),
        (vec![done(), done()], 3, true),
        (vec![], 1, true),
    ] {
        let (answer, _) = answer(&replies);
        assert_eq!(
            open(&answer, sent).unwrap().is_off(sent),
            is_off,
            "{replies:?} of {sent}"
        );
    }
}

#[test]
fn a_part_that_is_no_answer_keeps_its_place() {
    let (answer, _) = answer(&[(204, String::new()), (204, String::new())]);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    for bad in [
        text.replacen("HTTP/1.1 204", "HTTP/1.1 two hundred", 1),
        text.replacen("application/http", "multipart/mixed; boundary=x", 1),
        text.replacen("OData-EntityId: x(0)\r\n\r\n", "OData-EntityId: x(0)\r\n", 1),
    ] {
        let opened = open(&envelope(bad.clone().into()), 2).unwrap();
        let statuses: Vec<_> = opened
            .answers
            .iter()
            .map(|part| part.as_ref().map(|part| part.status))
            .collect();
        assert_eq!(statuses, [None, Some(204)], "{bad}");
    }
}
