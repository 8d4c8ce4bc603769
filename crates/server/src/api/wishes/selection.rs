//! Reads which deliveries a body means.

use serde_json::{Map, Value};
use switchboard_hub::{
    done,
    store::{DeliveryFilter, Wish},
};
use switchboard_model::{
    id::DeliveryId,
    problem::{Code, Problem},
};

use crate::{
    api::{filter, views::Names},
    nearest::did_you_mean,
};

/// Most ids in one request.
const MOST_IDS: usize = 1_000;
/// Says that a person has looked, and the records are not there.
const NOT_THERE: &str = "not_there";
const EXAMPLE: &str = "Send for example {\"state\": \"dead\", \"connection\": \"primary-crm\"} or {\"ids\": [\"dlv_…\"]}; \
                       {\"all\": true} means every delivery.";

/// What a body asks for.
#[derive(Debug)]
pub(super) enum Asked {
    /// These.
    These(Vec<DeliveryId>),
    /// All that pass the filter.
    All(Box<DeliveryFilter>),
}

/// What a body says.
#[derive(Debug)]
pub(super) struct Reading {
    /// Which deliveries are meant.
    pub asked: Asked,
    /// What is wanted of them.
    pub wish: Wish,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// Which deliveries a body means, what it says about them, and whether it is a dry run.
///
/// # Errors
/// Everything that is wrong with it, as one problem.
pub(super) fn read(names: &Names, wish: Wish, body: &Value) -> Result<Reading, Problem> {
    let Value::Object(members) = body else {
        return Err(Problem::new(Code::WrongShape, "The body is not an object", EXAMPLE));
    };
    let mut problems = unknown_members(members);
    let all = flag(members, "all", &mut problems);
    let dry_run = flag(members, "dry_run", &mut problems);
    let wish = match flag(members, NOT_THERE, &mut problems) {
        true => not_there(members, wish, &mut problems),
        false => wish,
    };
    let words: Vec<&str> = filter::WORDS
        .into_iter()
        .filter(|word| members.contains_key(*word))
        .collect();
    let asked = match (members.get("ids"), words.is_empty(), all) {
        (Some(ids), true, false) => read_ids(ids, &mut problems).map(Asked::These),
        (None, false, false) => read_filter(names, wish, members, &mut problems),
        (None, true, true) => Some(Asked::All(Box::default())),
        (None, true, false) => {
            let detail = "The body does not say which deliveries are meant";
            problems.push(Problem::new(Code::WrongShape, detail, EXAMPLE));
            None
        }
        _ => {
            let detail = "`ids`, a filter and `all` exclude each other";
            problems.push(Problem::new(Code::WrongShape, detail, EXAMPLE));
            None
        }
    };
    match (Problem::all(problems), asked) {
        (None, Some(asked)) => Ok(Reading { asked, wish, dry_run }),
        (Some(problem), _) => Err(problem),
        (None, None) => Err(Problem::new(Code::WrongShape, "The body cannot be read", EXAMPLE)),
    }
}

fn unknown_members(members: &Map<String, Value>) -> Vec<Problem> {
    let known = || filter::WORDS.into_iter().chain(["ids", "all", "dry_run", NOT_THERE]);
    let unknown = members
        .keys()
        .filter(|name| known().all(|known| known != name.as_str()));
    let explain = |name: &String| {
        let shown: String = name.chars().take(80).collect();
        let hint = did_you_mean(name, known());
        let words: Vec<_> = known().collect();
        wrong(
            &shown,
            format!("There is no member `{shown}`{hint}"),
            &format!("There are: {}.", words.join(", ")),
        )
    };
    unknown.map(explain).collect()
}

/// A person has looked for each of the records: that can be said of named deliveries only, and only when they are replayed.
fn not_there(members: &Map<String, Value>, wish: Wish, problems: &mut Vec<Problem>) -> Wish {
    let refused = match (wish, members.contains_key("ids")) {
        (Wish::Replay, true) => return Wish::ReplayNotThere,
        (Wish::Replay, false) => {
            "`not_there` says that somebody has looked for each of these records: it goes with `ids`"
        }
        _ => "`not_there` goes with a replay only",
    };
    let next = "Send for example {\"ids\": [\"dlv_…\"], \"not_there\": true} to POST /v1/deliveries/replay.";
    problems.push(wrong(NOT_THERE, refused.into(), next));
    wish
}

fn flag(members: &Map<String, Value>, name: &str, problems: &mut Vec<Problem>) -> bool {
    match members.get(name) {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            problems.push(wrong(name, format!("`{name}` is true or false"), EXAMPLE));
            false
        }
    }
}

fn read_ids(ids: &Value, problems: &mut Vec<Problem>) -> Option<Vec<DeliveryId>> {
    let Some(list) = ids.as_array().filter(|list| (1..=MOST_IDS).contains(&list.len())) else {
        let detail = format!("`ids` is a list of 1 to {MOST_IDS} ids");
        problems.push(wrong("ids", detail, "Use a filter for more of them."));
        return None;
    };
    let mut read = Vec::with_capacity(list.len());
    for (at, id) in list.iter().enumerate() {
        match id.as_str().map(str::parse::<DeliveryId>) {
            Some(Ok(id)) if read.contains(&id) => {}
            Some(Ok(id)) => read.push(id),
            Some(Err(error)) => problems.push(wrong(&format!("ids/{at}"), error.to_string(), EXAMPLE)),
            None => problems.push(wrong(&format!("ids/{at}"), "An id is text".into(), EXAMPLE)),
        }
    }
    Some(read)
}

fn read_filter(names: &Names, wish: Wish, members: &Map<String, Value>, problems: &mut Vec<Problem>) -> Option<Asked> {
    let before = problems.len();
    for word in filter::WORDS {
        if members
            .get(word)
            .is_some_and(|value| value.as_str().is_none_or(str::is_empty))
        {
            problems.push(wrong(word, format!("`{word}` is text"), EXAMPLE));
        }
    }
    let filter = match filter::read(names, |word| {
        members
            .get(word)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }) {
        Ok(filter) => filter,
        Err(faults) => {
            problems.extend(
                faults
                    .into_iter()
                    .map(|(word, why)| wrong(word, why, "Correct the member.")),
            );
            return None;
        }
    };
    let (allowed, _) = wish.states();
    if let Some(state) = filter.state.filter(|state| !allowed.contains(state)) {
        let names: Vec<_> = allowed.iter().map(|state| state.name()).collect();
        let detail = format!("What is {} cannot be {}", state.name(), done(wish));
        problems.push(wrong("state", detail, &format!("Possible is: {}.", names.join(", "))));
    }
    (problems.len() == before).then(|| Asked::All(Box::new(filter)))
}

fn wrong(member: &str, detail: String, next: &str) -> Problem {
    Problem::new(Code::WrongShape, detail, next).at(format!("/{member}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchboard_model::{delivery::DeliveryState, id::ConnectionId};

    use super::*;

    fn reading(wish: Wish, body: &Value) -> Result<Reading, Problem> {
        read(
            &Names::from_iter([(ConnectionId(7), "primary-crm".to_owned())]),
            wish,
            body,
        )
    }

    fn asked(wish: Wish, body: Value) -> Result<(Asked, bool), Problem> {
        reading(wish, &body).map(|reading| (reading.asked, reading.dry_run))
    }

    #[test]
    fn that_a_record_is_not_there_is_said_of_named_deliveries_that_are_replayed() {
        let ids = json!({"ids": [DeliveryId(77).to_string()], "not_there": true});
        assert_eq!(reading(Wish::Replay, &ids).unwrap().wish, Wish::ReplayNotThere);
        let plain = json!({"ids": [DeliveryId(77).to_string()], "not_there": false});
        assert_eq!(reading(Wish::Replay, &plain).unwrap().wish, Wish::Replay);
        for (wish, body, words) in [
            (Wish::Cancel, ids, "a replay only"),
            (
                Wish::Replay,
                json!({"state": "dead", "not_there": true}),
                "goes with `ids`",
            ),
            (Wish::Replay, json!({"all": true, "not_there": true}), "goes with `ids`"),
            (Wish::Replay, json!({"all": true, "not_there": "no"}), "true or false"),
        ] {
            let problem = reading(wish, &body).unwrap_err();
            assert_eq!(problem.place.as_deref(), Some("/not_there"), "{body}");
            assert!(problem.detail.contains(words), "{}", problem.detail);
        }
    }

    #[test]
    fn a_wish_is_for_ids_or_a_filter_or_everything() {
        let id = DeliveryId(77);
        let these = asked(Wish::Hold, json!({"ids": [id.to_string(), id.to_string()]})).unwrap();
        assert!(matches!(&these, (Asked::These(ids), false) if *ids == [id]));
        let body = json!({
            "state": "dead", "connection": "primary-crm", "object": "Lead", "from": "2026-11-24T09:30:00Z",
            "until": "2026-11-24T17:31:00+08:00", "dry_run": true,
        });
        let (Asked::All(filter), true) = asked(Wish::Replay, body).unwrap() else {
            panic!("a filter and a dry run")
        };
        assert_eq!(filter.state, Some(DeliveryState::Dead));
        assert_eq!(filter.connection, Some(ConnectionId(7)));
        assert_eq!(filter.object.as_deref(), Some("Lead"));
        assert_eq!(
            (filter.from_ms, filter.until_ms),
            (Some(1_795_512_600_000), Some(1_795_512_660_000))
        );
        let all = asked(Wish::Cancel, json!({"all": true})).unwrap();
        assert!(matches!(&all, (Asked::All(filter), false) if filter.state.is_none() && filter.connection.is_none()));
    }

    #[test]
    fn what_is_wrong_with_a_wish_is_said_with_its_place() {
        for (body, place, words) in [
            (json!([]), None, "not an object"),
            (json!({}), None, "does not say which"),
            (json!({"all": false}), None, "does not say which"),
            (json!({"dry_run": true}), None, "does not say which"),
            (json!({"all": true, "state": "dead"}), None, "exclude each other"),
            (json!({"ids": [], "all": false}), Some("/ids"), "1 to 1000"),
            (json!({"ids": ["evt_0000000000001"]}), Some("/ids/0"), "dlv_"),
            (json!({"ids": [7]}), Some("/ids/0"), "text"),
            (
                json!({"stat": "dead", "state": "dead"}),
                Some("/stat"),
                "did you mean `state`?",
            ),
            (json!({"state": "ded"}), Some("/state"), "did you mean `dead`?"),
            (json!({"state": 11}), Some("/state"), "text"),
            (json!({"state": ""}), Some("/state"), "text"),
            (json!({"state": "delivered"}), Some("/state"), "cannot be replayed"),
            (
                json!({"connection": "primary-crn"}),
                Some("/connection"),
                "did you mean `primary-crm`?",
            ),
            (json!({"from": "yesterday"}), Some("/from"), "RFC 3339"),
            (
                json!({"from": "2026-11-24T09:30:00Z", "until": "2026-11-24T09:30:00Z"}),
                Some("/until"),
                "not after",
            ),
            (
                json!({"state": "dead", "dry_run": "yes"}),
                Some("/dry_run"),
                "true or false",
            ),
        ] {
            let problem = asked(Wish::Replay, body.clone()).unwrap_err();
            assert_eq!(
                (problem.code, problem.place.as_deref()),
                (Code::WrongShape, place),
                "{body}"
            );
            assert!(problem.detail.contains(words), "{body}: {}", problem.detail);
            assert!(!problem.next.is_empty());
        }
    }
}
