//! Writes a source in the form in which files and the API give it.

use serde_json::{Map, Value, json};

use super::SourceSpec;

/// The source as it is read back; secrets are never written.
pub fn write(spec: &SourceSpec) -> Value {
    let mut written = Map::new();
    written.insert("key".into(), json!(spec.key));
    written.insert("source".into(), json!(spec.source));
    written.insert("name".into(), json!(spec.name));
    written.insert("path".into(), json!(spec.path));
    written.insert("enabled".into(), json!(spec.enabled));
    written.insert("test_mode".into(), json!(spec.test_mode));
    if !spec.settings.is_empty() {
        written.insert("settings".into(), json!(spec.settings));
    }
    if let Some(log_table) = &spec.log_table {
        written.insert("log_table".into(), json!(log_table));
    }
    if let Some(mapping) = &spec.mapping {
        written.insert("mapping".into(), mapping.clone());
    }
    if !spec.lookups.is_empty() {
        written.insert("lookups".into(), json!(spec.lookups));
    }
    written.extend(spec.conduct.clone());
    Value::Object(written)
}
