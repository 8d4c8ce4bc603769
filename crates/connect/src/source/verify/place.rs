//! Where things stand in a request.

use serde_json::Value;

use super::{Carrier, Evidence};
use crate::source::shape::ListForm;

/// A place in a request.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Header {
        name: String,
        loose: bool,
    },
    Query(String),
    Pointer(String),
    /// Behind the path of the source.
    Tail,
}

impl Place {
    /// Every text that stands there.
    pub fn texts(&self, evidence: Evidence<'_>) -> Vec<String> {
        let request = evidence.request;
        match self {
            Self::Header { name, loose: false } => request.header(name).map(str::to_owned).collect(),
            Self::Header { name, loose: true } => request.loose_header(name).map(str::to_owned).collect(),
            Self::Query(name) => {
                let named = request.parameters().filter(|(known, _)| known == name);
                named.map(|(_, value)| value).collect()
            }
            Self::Pointer(pointer) => evidence.body.pointer(pointer).and_then(as_text).into_iter().collect(),
            Self::Tail => match request.tail.trim_matches('/') {
                "" => Vec::new(),
                tail => vec![
                    percent_encoding::percent_decode_str(tail)
                        .decode_utf8_lossy()
                        .into_owned(),
                ],
            },
        }
    }

    pub fn carrier(&self) -> Option<Carrier<'_>> {
        match self {
            Self::Header { name, loose } => Some(Carrier::Header { name, loose: *loose }),
            Self::Query(name) => Some(Carrier::Query(name)),
            Self::Pointer(_) => None,
            Self::Tail => Some(Carrier::Tail),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header { name, .. } => write!(f, "the header {name}"),
            Self::Query(name) => write!(f, "the parameter {name}"),
            Self::Pointer(pointer) => write!(f, "{pointer} of the body"),
            Self::Tail => f.write_str("the end of the address"),
        }
    }
}

/// A value of the body as the text that schemes sign; lists and objects are none.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A place where one or several values stand.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub place: Place,
    pub list: Option<ListForm>,
    /// The name of the value among pairs.
    pub member: Option<String>,
    /// Must stand before the value, and is taken off.
    pub prefix: Option<String>,
}

impl Values {
    /// Every value that has the prefix.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, evidence: Evidence<'_>) -> Result<Vec<String>, String> {
        let texts = self.place.texts(evidence);
        if texts.is_empty() {
            return Err(format!("{} is missing", self.place));
        }
        let values: Vec<String> = texts.iter().flat_map(|text| self.apart(text)).collect();
        if values.is_empty() {
            return Err(format!("{} does not have the expected form", self.place));
        }
        Ok(values)
    }

    fn apart(&self, text: &str) -> Vec<String> {
        let items: Vec<&str> = match self.list {
            None => vec![text],
            Some(ListForm::Spaces) => text.split(' ').collect(),
            Some(ListForm::Commas) => text.split(',').map(str::trim).collect(),
            Some(ListForm::CommaPairs) => {
                let pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
                let named = pairs.filter(|(name, _)| Some(*name) == self.member.as_deref());
                named.map(|(_, value)| value).collect()
            }
        };
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let values = items.into_iter().filter_map(|item| item.strip_prefix(prefix));
        values.map(str::to_owned).collect()
    }
}
