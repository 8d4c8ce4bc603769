//! `multipart/form-data` (RFC 7578). The whole body is at hand, so that reading it waits for nothing.

use futures::{FutureExt, stream};
use multer::{Constraints, Multipart, SizeLimit};
use serde_json::{Map, Value, json};

use super::{super::request::Request, form};

/// Fields whose content is a text of at most so many bytes are shown; longer ones count as files.
const LONGEST_TEXT: usize = 1 << 20;

pub(super) fn read(request: &Request, notes: &mut Vec<String>) -> Result<Value, String> {
    let header = request.header("content-type").next().unwrap_or_default();
    let boundary = multer::parse_boundary(header).map_err(|error| error.to_string())?;
    let whole = bytes::Bytes::copy_from_slice(&request.body);
    let parts = stream::iter([Ok::<_, std::convert::Infallible>(whole)]);
    let limits = SizeLimit::new().whole_stream(request.body.len() as u64 + 1);
    let multipart = Multipart::with_constraints(parts, boundary, Constraints::new().size_limit(limits));
    // Nothing is waited for: the stream has its only piece already.
    fields(multipart, notes)
        .now_or_never()
        .unwrap_or_else(|| Err("the last part has no end".into()))
}

async fn fields(mut multipart: Multipart<'_>, notes: &mut Vec<String>) -> Result<Value, String> {
    let mut all = Map::new();
    let mut count = 0;
    while let Some(field) = multipart.next_field().await.map_err(|error| error.to_string())? {
        count += 1;
        if count > form::MOST_FIELDS {
            notes.push(format!("only the first {} fields were read", form::MOST_FIELDS));
            break;
        }
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let kind = field.content_type().map(ToString::to_string);
        let content = field.bytes().await.map_err(|error| error.to_string())?;
        let text = std::str::from_utf8(&content).ok().filter(|_| file.is_none());
        let value = match text.filter(|text| text.len() <= LONGEST_TEXT) {
            Some(text) => Value::String(text.to_owned()),
            None => json!({ "filename": file, "type": kind, "size": content.len() }),
        };
        form::add(&mut all, &name, value);
    }
    Ok(Value::Object(all))
}
