//! Parts of a manifest in words.

use serde_json::Value;
use switchboard_connect::connector::Means;

/// A text inside of a table.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// A text of the manifest inside of back quotes.
pub fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// How a lost answer is resolved.
pub fn means(means: Means) -> &'static str {
    match means {
        Means::Repeat => "the same call again",
        Means::IdempotencyKey => "idempotency key",
        Means::Upsert => "upsert by our key",
        Means::Probe => "looking for the record",
        Means::Person => "a person",
    }
}

/// A number, or what a template says.
pub fn amount(value: &Value) -> String {
    match value {
        Value::String(text) => code(text),
        other => other.to_string(),
    }
}

/// What the hub does after an answer with this outcome.
pub fn consequence(outcome: &str) -> &'static str {
    match outcome {
        "duplicate" => "takes the record that is there already as its own; nothing is written twice",
        "missing" => "takes it that the record is not there (any more)",
        "retry" => "tries again after a while that grows with each try",
        "throttled" => "leaves the whole connection alone until the vendor's time has passed; no try is used up",
        "reauthorise" => "gets a new token and tries again; when that does not help, the connection waits for a person",
        "denied" => "stops the connection and asks a person; what waits is kept",
        "gone" => "stops the connection: the receiver wants nothing more; a subscription is removed",
        "blocked" => "stops the connection at once, so that nothing makes it worse, and asks a person",
        "rejected" => "gives this record up and shows the vendor's words; its backup, if a route names one, takes it",
        "unavailable" => {
            "takes it as possibly written: finds out first, then tries again; five in a row open the circuit"
        }
        _ => "takes it as possibly written: finds out by the means of the call, below, before anything is sent again",
    }
}

/// What must hold of an answer.
pub fn condition(when: &Value) -> String {
    let status = when["status"].as_array().map(|list| {
        let words: Vec<String> = list.iter().map(plain).collect();
        format!("status {}", words.join(", "))
    });
    let group = |key: &str, joint: &str, before: &str| {
        let sources = when[key].as_array().filter(|sources| !sources.is_empty())?;
        let words: Vec<String> = sources.iter().map(source).collect();
        Some(format!("{before}{}", words.join(joint)))
    };
    let parts = [
        status,
        group("all", " and ", ""),
        group("any", " or ", ""),
        group("none", " nor ", "without "),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "any answer".to_owned()
    } else {
        parts.join("; ")
    }
}

fn source(source: &Value) -> String {
    if let Some(place) = source.as_str() {
        return code(place);
    }
    let place = code(source["at"].as_str().unwrap_or_default());
    if let Some(values) = source["is"].as_array() {
        let values: Vec<String> = values.iter().map(|value| code(&plain(value))).collect();
        return format!("{place} is {}", values.join(" or "));
    }
    if let Some(regex) = source["regex"].as_str() {
        return format!("{place} matches {}", code(regex));
    }
    if let Some(template) = source["equals"].as_str() {
        return format!("{place} equals {}", code(template));
    }
    place
}

/// A value as its text.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_is_told_in_words() {
        let when = json!({"status": [400, "500-599"], "all": ["/error", {"at": "/code", "is": [1, "x"]}], "none": [{"at": "text", "regex": "a|b"}]});
        assert_eq!(
            condition(&when),
            "status 400, 500-599; `/error` and `/code` is `1` or `x`; without `text` matches `a|b`"
        );
        assert_eq!(condition(&json!({})), "any answer");
    }
}
