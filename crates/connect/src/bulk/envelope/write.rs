//! Requests → the body of one request.

use bytes::Bytes;
use http::Uri;
use memchr::memmem;
use sha2::{Digest, Sha256};
use switchboard_model::problem::Problem;

use crate::{draft::Draft, request::failed};

/// What stands above the message in a part. JSON is sent as it is.
const HEAD: &[u8] = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n";
const BOUNDARY_BEGINS: &str = "batch_";
/// Letters of the boundary behind that.
const BOUNDARY_LETTERS: usize = 32;
/// Bytes of the boundary with the line end and the dashes around it, at one part or behind the last one.
const DELIMITER: usize = 2 + BOUNDARY_BEGINS.len() + BOUNDARY_LETTERS + 2;

/// The bytes that a body has behind its last part.
pub(in crate::bulk) const CLOSING: usize = DELIMITER + 2;

/// A request as a part of another one.
#[derive(Debug)]
pub(in crate::bulk) struct Part {
    content: Vec<u8>,
    secrets: Vec<String>,
}

impl Part {
    /// The request as a part. Its address is only told from the first slash on: it goes where the whole goes.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(draft: Draft) -> Result<Self, Problem> {
        let address: Uri = draft
            .url
            .parse()
            .map_err(|error| failed(&format!("`{}` is no address: {error}", draft.url)))?;
        let target = address.path_and_query().map_or("/", |target| target.as_str());
        let mut content = Vec::with_capacity(HEAD.len() + 256 + target.len() + draft.body.len());
        content.extend_from_slice(HEAD);
        content.extend_from_slice(format!("{} {target} HTTP/1.1\r\n", draft.method).as_bytes());
        for (name, value) in &draft.headers {
            for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                content.extend_from_slice(piece);
            }
        }
        content.extend_from_slice(b"\r\n");
        content.extend_from_slice(&draft.body);
        let secrets = draft.secrets().to_vec();
        Ok(Self { content, secrets })
    }

    /// The bytes that it takes in a body, with what divides it from the next one.
    pub fn size(&self) -> usize {
        self.content.len() + DELIMITER + 2
    }

    /// The texts in it that nobody may see.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(String::as_str)
    }
}

/// The content type and the body of a request with these parts. The same parts give the same body.
pub(in crate::bulk) fn seal(parts: &[Part]) -> (String, Bytes) {
    let boundary = absent_from(parts, candidates(parts));
    let size: usize = parts.iter().map(Part::size).sum();
    let mut body = Vec::with_capacity(size + CLOSING);
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        body.extend_from_slice(&part.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/mixed; boundary=\"{boundary}\""), body.into())
}

/// Boundaries made of the content, one after the other.
fn candidates(parts: &[Part]) -> impl Iterator<Item = String> {
    let mut content = Sha256::new();
    for part in parts {
        content.update(part.content.len().to_be_bytes());
        content.update(&part.content);
    }
    (0_u32..).map(move |number| {
        let digest = hex::encode(content.clone().chain_update(number.to_be_bytes()).finalize());
        format!("{BOUNDARY_BEGINS}{}", &digest[..BOUNDARY_LETTERS])
    })
}

/// The first of them that stands in none of the parts.
pub(super) fn absent_from(parts: &[Part], mut candidates: impl Iterator<Item = String>) -> String {
    let is_free = |boundary: &String| {
        let finder = memmem::Finder::new(boundary);
        parts.iter().all(|part| finder.find(&part.content).is_none())
    };
    // There is always a next one, and no text holds them all.
    candidates.find(is_free).unwrap_or_default()
}
