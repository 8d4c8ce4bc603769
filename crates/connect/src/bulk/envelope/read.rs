//! The body of one answer → the answers in it.

use std::convert::Infallible;

use bytes::Bytes;
use futures::{FutureExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use mime::Mime;
use multer::{Field, Multipart};

use crate::call::Answer;

/// The most headers of an answer in a part.
const MOST_HEADERS: usize = 64;

/// The answers in an answer.
#[derive(Debug)]
pub(in crate::bulk) struct Opened {
    /// Those that are there as a whole, in their order; `None` for a part that is no answer of HTTP.
    pub answers: Vec<Option<Answer>>,
    /// Whether it comes to its proper end.
    closed: bool,
}

impl Opened {
    /// Whether nobody knows which answer belongs to which of `sent` requests. An answer that was cut, and one to a batch that ended with its
    /// first failure, lack those at the end.
    pub fn is_off(&self, sent: usize) -> bool {
        let got = self.answers.len();
        got > sent || (self.closed && got < sent && !self.ends_with_failure())
    }

    fn ends_with_failure(&self) -> bool {
        let last = self.answers.last().and_then(Option::as_ref);
        last.is_some_and(|answer| answer.status >= 400)
    }
}

/// Takes an answer apart; `None` when it is no `multipart/mixed`. Of more than `most` parts it reads one more, so that this is seen.
pub(in crate::bulk) fn open(answer: &Answer, most: usize) -> Option<Opened> {
    let kind: Mime = answer.header("content-type")?.parse().ok()?;
    if kind.type_() != mime::MULTIPART || kind.subtype() != "mixed" {
        return None;
    }
    let boundary = kind.get_param(mime::BOUNDARY)?.as_str().to_owned();
    let whole = stream::iter([Ok::<_, Infallible>(answer.body.clone())]);
    // Nothing is waited for: the stream has its only piece already.
    let opened = parts(Multipart::new(whole, boundary), most).now_or_never();
    Some(opened.unwrap_or(Opened {
        answers: Vec::new(),
        closed: false,
    }))
}

/// A part counts when what divides it from the next one is there as a whole: only then it is known where it ends.
async fn parts(mut multipart: Multipart<'_>, most: usize) -> Opened {
    let mut answers = Vec::new();
    let mut held = None;
    loop {
        let next = multipart.next_field().await;
        if next.is_ok() {
            answers.extend(held.take());
        }
        match next {
            Ok(Some(field)) if answers.len() <= most => match message(field).await {
                Some(part) => held = Some(part),
                None => return Opened { answers, closed: false },
            },
            Ok(further) => {
                let closed = further.is_none();
                return Opened { answers, closed };
            }
            Err(_) => return Opened { answers, closed: false },
        }
    }
}

/// The message in a part; `None` outside: it was cut.
async fn message(part: Field<'_>) -> Option<Option<Answer>> {
    let is_http = part
        .content_type()
        .is_some_and(|kind| kind.essence_str() == "application/http");
    let content = part.bytes().await.ok()?;
    Some(is_http.then(|| answer_in(&content)).flatten())
}

/// An answer of HTTP/1.1 (RFC 9112).
fn answer_in(content: &Bytes) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(content).ok()? else {
        return None;
    };
    let mut named = HeaderMap::new();
    for header in head.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        named.append(name, HeaderValue::from_bytes(header.value).ok()?);
    }
    Some(Answer::new(head.code?, named, content.slice(length..)))
}
