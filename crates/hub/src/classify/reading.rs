//! The answer of a model. Pure.

use serde_json::Value;
use switchboard_connect::call::Answer;
use switchboard_model::classify::Verdict;

/// Longer reasons are cut, in characters.
const LONGEST_REASON: usize = 200;

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A choice.
    Chosen {
        /// What was chosen.
        verdict: Verdict,
        /// What the model said about it.
        reason: Option<String>,
    },
    /// It is cut off, or not in the form that was asked for. Asking once more may help.
    Garbled {
        /// What is wrong with it.
        why: String,
        /// Whether it was too long for the tokens that it had.
        cut: bool,
    },
    /// The model does not answer this message.
    Declined(String),
    /// Not now.
    Later {
        /// Why.
        why: String,
        /// How long the server asks to wait, in milliseconds.
        after_ms: Option<u64>,
        /// Whether it only slows us down.
        throttled: bool,
    },
    /// Nothing comes of asking until a person has acted.
    Unusable(String),
}

/// What may be chosen; empty where nothing is to be.
#[derive(Debug, Clone, Copy)]
pub struct Choices<'c> {
    /// The categories.
    pub categories: &'c [String],
    /// The priorities.
    pub priorities: &'c [String],
}

/// Reads an answer (fact sheet openai §5, §9).
pub fn read(answer: &Answer, choices: Choices<'_>) -> Reading {
    match answer.status {
        200..=299 => read_completion(answer, choices),
        status => read_refusal(status, answer),
    }
}

/// The tokens that a call has cost; `None` when the server does not tell.
pub fn tokens(answer: &Answer) -> Option<u64> {
    let usage = answer.json()?.get("usage")?;
    let of = |name: &str| usage.get(name).and_then(Value::as_u64);
    of("total_tokens").or_else(|| Some(of("prompt_tokens")? + of("completion_tokens").unwrap_or_default()))
}

fn read_completion(answer: &Answer, choices: Choices<'_>) -> Reading {
    let Some(choice) = answer.json().and_then(|body| body.pointer("/choices/0")) else {
        return garbled("the answer has no choices");
    };
    let text = |pointer: &str| choice.pointer(pointer).and_then(Value::as_str);
    if let Some(refusal) = text("/message/refusal") {
        return Reading::Declined(format!("the model declined: {}", shortened(refusal)));
    }
    match text("/finish_reason") {
        Some("content_filter") => return Reading::Declined("the server's filter stopped the answer".into()),
        Some("length") => {
            return Reading::Garbled {
                why: "the answer is cut off".into(),
                cut: true,
            };
        }
        _ => {}
    }
    let Some(content) = text("/message/content") else {
        return garbled("the answer has no content");
    };
    match object_in(content) {
        Some(object) => read_choice(&object, choices),
        None => garbled("the answer is no JSON object"),
    }
}

/// Servers that do not know the form put words or a code block around it.
fn object_in(content: &str) -> Option<Value> {
    let (start, end) = (content.find('{')?, content.rfind('}')?);
    let object = content.get(start..=end)?;
    serde_json::from_str::<Value>(object).ok().filter(Value::is_object)
}

fn read_choice(object: &Value, choices: Choices<'_>) -> Reading {
    let mut chosen = [None, None];
    for (slot, (name, values)) in chosen
        .iter_mut()
        .zip([("category", choices.categories), ("priority", choices.priorities)])
    {
        if values.is_empty() {
            continue;
        }
        let said = object.get(name).and_then(Value::as_str).unwrap_or_default().trim();
        let known = values.iter().find(|value| *value == said);
        let known = known.or_else(|| values.iter().find(|value| value.to_lowercase() == said.to_lowercase()));
        match known {
            Some(value) => *slot = Some(value.clone()),
            None => {
                return garbled(&format!(
                    "`{name}` of the answer is `{}`, none of those asked for",
                    shortened(said)
                ));
            }
        }
    }
    let [category, priority] = chosen;
    let reason = object.get("reason").and_then(Value::as_str).map(str::trim);
    Reading::Chosen {
        verdict: Verdict {
            category,
            priority,
            tags: Vec::new(),
        },
        reason: reason.filter(|reason| !reason.is_empty()).map(shortened),
    }
}

fn read_refusal(status: u16, answer: &Answer) -> Reading {
    let error = answer.json().map(|body| &body["error"]).cloned().unwrap_or_default();
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let (code, kind, parameter) = (text("code"), text("type"), text("param"));
    let told = match text("message") {
        "" => String::new(),
        message => format!(": {}", shortened(message)),
    };
    let why = format!("the server answered {status}{told}");
    let no_money = ["insufficient_quota", "billing_hard_limit_reached"];
    let of_request = [
        "unsupported_parameter",
        "unsupported_value",
        "invalid_json_schema",
        "model_not_found",
    ];
    match status {
        // The same status for "slow down" and "no money" (fact sheet openai §12).
        429 if no_money.contains(&code) || no_money.contains(&kind) => Reading::Unusable(why),
        429 => Reading::Later {
            why,
            after_ms: wait_ms(answer),
            throttled: true,
        },
        401 | 403 | 404 | 405 | 300..=399 => Reading::Unusable(why),
        400 | 422 if of_request.contains(&code) || matches!(parameter, "response_format" | "model") => {
            Reading::Unusable(why)
        }
        400 | 413 | 422 => Reading::Declined(why),
        _ => Reading::Later {
            why,
            after_ms: wait_ms(answer),
            throttled: false,
        },
    }
}

/// `retry-after-ms`, or `Retry-After` in seconds (fact sheet openai §8).
fn wait_ms(answer: &Answer) -> Option<u64> {
    let number = |name: &str| {
        answer
            .header(name)?
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|wait| *wait >= 0.0)
    };
    let milliseconds = number("retry-after-ms").or_else(|| Some(number("retry-after")? * 1000.0))?;
    Some(milliseconds.min(86_400_000.0) as u64)
}

fn garbled(why: &str) -> Reading {
    Reading::Garbled {
        why: why.to_owned(),
        cut: false,
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Answer::new(status, HeaderMap::new(), body.to_string())
    }

    fn completion(content: &str, finish: &str) -> Answer {
        answer(
            200,
            &json!({"choices": [{"finish_reason": finish, "message": {"role": "assistant", "content": content, "refusal": null}}],
                    "usage": {"prompt_tokens": 120, "completion_tokens": 40, "total_tokens": 160}}),
        )
    }

    fn read_it(answer: &Answer) -> Reading {
        let (categories, priorities) = (
            ["sales".to_owned(), "技术支持".to_owned()],
            ["low".to_owned(), "high".to_owned()],
        );
        read(
            answer,
            Choices {
                categories: &categories,
                priorities: &priorities,
            },
        )
    }

    #[test]
    fn a_choice_is_taken_also_when_words_stand_around_it() {
        for content in [
            r#"{"category":"技术支持","priority":"high","reason":"cannot log in"}"#,
            "```json\n{\"category\": \"技术支持\", \"priority\": \"HIGH\", \"reason\": \"cannot log in\"}\n```",
            "Sure! {\"category\":\" 技术支持 \",\"priority\":\"high\",\"reason\":\"cannot log in\",\"more\":1} Anything else?",
        ] {
            let Reading::Chosen { verdict, reason } = read_it(&completion(content, "stop")) else {
                panic!("{content}");
            };
            assert_eq!(
                (verdict.category.as_deref(), verdict.priority.as_deref()),
                (Some("技术支持"), Some("high"))
            );
            assert_eq!(reason.as_deref(), Some("cannot log in"));
        }
        assert_eq!(tokens(&completion("", "stop")), Some(160));
        assert_eq!(tokens(&answer(200, &json!({}))), None);
    }

    #[test]
    fn what_is_not_in_the_list_is_no_choice() {
        for content in [
            r#"{"category":"delete everything","priority":"high"}"#,
            r#"{"category":"sales"}"#,
            r#"{"category":["sales"],"priority":"low"}"#,
            r#"{"category":"sales","priority":"low""#,
            "I think this is about sales.",
            "[]",
            "",
        ] {
            assert!(
                matches!(
                    read_it(&completion(content, "stop")),
                    Reading::Garbled { cut: false, .. }
                ),
                "{content}"
            );
        }
        assert!(matches!(
            read_it(&completion("{\"categ", "length")),
            Reading::Garbled { cut: true, .. }
        ));
        assert!(matches!(
            read_it(&Answer::new(200, HeaderMap::new(), "<html>")),
            Reading::Garbled { .. }
        ));
    }

    #[test]
    fn a_refusal_is_told_from_an_outage_from_no_money_and_from_a_wrong_key() {
        let refusal =
            json!({"choices": [{"finish_reason": "stop", "message": {"content": null, "refusal": "I cannot"}}]});
        assert!(matches!(read_it(&answer(200, &refusal)), Reading::Declined(_)));
        let filtered = json!({"choices": [{"finish_reason": "content_filter", "message": {"content": null}}]});
        assert!(matches!(read_it(&answer(200, &filtered)), Reading::Declined(_)));
        let error =
            |code: &str, param: Value| json!({"error": {"message": "m", "type": "t", "code": code, "param": param}});
        for (status, body, expected) in [
            (401, error("invalid_api_key", Value::Null), "unusable"),
            (404, error("model_not_found", Value::Null), "unusable"),
            (429, error("insufficient_quota", Value::Null), "unusable"),
            (429, error("rate_limit_exceeded", Value::Null), "later"),
            (400, error("context_length_exceeded", Value::Null), "declined"),
            (400, error("x", json!("response_format")), "unusable"),
            (400, error("unsupported_value", json!("temperature")), "unusable"),
            (500, json!("oops"), "later"),
            (503, json!({"error": "overloaded"}), "later"),
            (301, json!(null), "unusable"),
        ] {
            let found = match read_it(&answer(status, &body)) {
                Reading::Unusable(_) => "unusable",
                Reading::Later { .. } => "later",
                Reading::Declined(_) => "declined",
                other => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{status} {body}");
        }
    }

    #[test]
    fn the_server_says_how_long_to_wait_in_either_way() {
        for (name, value, expected) in [("retry-after", "2", 2_000), ("retry-after-ms", "350", 350)] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            let reading = read_it(&Answer::new(429, headers, "{}"));
            assert!(
                matches!(reading, Reading::Later { after_ms: Some(wait), throttled: true, .. } if wait == expected)
            );
        }
    }
}
