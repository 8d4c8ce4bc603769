//! Bytes as text.

use encoding_rs::{Encoding, UTF_8};

use super::super::request::Request;

/// The text of a body: in the character set that its content type names, else in that of the source, else in UTF-8. A byte order
/// mark wins over all of them.
pub(super) fn decode(request: &Request, of_source: Option<&str>) -> Result<String, String> {
    let header = request.header("content-type").next().unwrap_or_default();
    let named = header.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset").then(|| value.to_owned())
    });
    let named = named.or_else(|| of_source.map(str::to_owned));
    let encoding = match &named {
        None => UTF_8,
        Some(name) => Encoding::for_label(name.as_bytes())
            .ok_or_else(|| format!("the character set `{}` is not known", shortened(name)))?,
    };
    let (text, used, broken) = encoding.decode(&request.body);
    if broken {
        return Err(format!("the bytes are no text in {}", used.name()));
    }
    Ok(text.into_owned())
}

/// Whether a character set of this name is known.
pub(in crate::source) fn is_known(name: &str) -> bool {
    Encoding::for_label(name.as_bytes()).is_some()
}

fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}
