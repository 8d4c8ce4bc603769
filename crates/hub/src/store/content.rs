//! What an event says.

use std::{
    ops::{Deref, DerefMut},
    sync::OnceLock,
};

use serde_json::{Map, Value};

/// The members of an event's data, and their JSON text from when it is first asked for: what recognises a repeat and what is kept are the same
/// text. A change of a member forgets it.
#[derive(Debug, Clone, Default)]
pub struct Content {
    members: Map<String, Value>,
    text: OnceLock<String>,
    /// About how long the text is, in bytes; 0: nobody knows.
    length: usize,
}

impl Content {
    /// Members whose JSON text has about this many bytes.
    pub fn new(members: Map<String, Value>, length: usize) -> Self {
        Self {
            members,
            text: OnceLock::new(),
            length,
        }
    }

    /// About how many bytes it takes as JSON.
    pub fn length(&self) -> usize {
        self.length
    }

    /// As JSON.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| written(&self.members, self.length))
    }

    /// The members and their JSON text.
    pub fn into_parts(self) -> (Map<String, Value>, String) {
        let text = self.text.into_inner();
        let text = text.unwrap_or_else(|| written(&self.members, self.length));
        (self.members, text)
    }
}

fn written(members: &Map<String, Value>, length: usize) -> String {
    let mut bytes = Vec::with_capacity(length + length / 8 + 64);
    // Writing parsed JSON into memory cannot fail, and what is written is UTF-8.
    let _ = serde_json::to_writer(&mut bytes, members);
    String::from_utf8(bytes).unwrap_or_default()
}

impl From<Map<String, Value>> for Content {
    fn from(members: Map<String, Value>) -> Self {
        Self::new(members, 0)
    }
}

impl Deref for Content {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.members
    }
}

impl DerefMut for Content {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.text.take();
        &mut self.members
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_is_that_of_the_members_also_after_a_change() {
        let members = json!({"a": "你好", "b": [1, null]});
        let mut content = Content::from(members.as_object().cloned().unwrap());
        assert_eq!(content.text(), members.to_string());
        content.insert("c".into(), true.into());
        assert_eq!(content.text(), r#"{"a":"你好","b":[1,null],"c":true}"#);
        content.insert("c".into(), false.into());
        let (members, text) = content.into_parts();
        assert_eq!(text, r#"{"a":"你好","b":[1,null],"c":false}"#);
        assert_eq!(text, Value::Object(members).to_string());
    }
}
