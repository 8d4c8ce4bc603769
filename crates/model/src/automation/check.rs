//! What can be checked with a knowledge of the workspace's records and lists: kinds and fields that do not exist.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Action, Automation, Owner, Where};
use crate::{
    nearest::nearest,
    problem::{Code, Problem},
    record::{ObjectType, check as check_values},
};

/// What a workspace has.
pub trait Catalogue {
    /// A kind of record; `None` when there is no such kind.
    fn object(&self, name: &str) -> Option<Arc<ObjectType>>;
    /// Every kind of record.
    fn objects(&self) -> Vec<String>;
    /// Whether there is such a list.
    fn has_list(&self, list: &str) -> bool;
}

/// Everything in an automation that names what does not exist; each place is a JSON pointer into what was read.
pub fn check(automation: &Automation, catalogue: &dyn Catalogue) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, step) in automation.steps.iter().enumerate() {
        let word = step.action.name();
        let place = format!("/steps/{at}/{word}");
        match &step.action {
            Action::Record(record) => {
                let known = kind(&record.object, &place, catalogue, &mut problems);
                let Some(known) = known else { continue };
                for name in record.fields.members() {
                    check_field(name, &known, &format!("{place}/fields"), &mut problems);
                }
                check_where(&record.which, &known, &place, &mut problems);
            }
            Action::Find(find) => {
                if let Some(known) = kind(&find.object, &place, catalogue, &mut problems) {
                    check_where(&find.which, &known, &place, &mut problems);
                }
            }
            Action::Assign(assign) => {
                if let Some(known) = kind(&assign.object, &place, catalogue, &mut problems) {
                    check_field(&assign.field, &known, &place, &mut problems);
                }
                if let Owner::Lookup { list, .. } = &assign.owner
                    && !catalogue.has_list(list)
                {
                    let detail = format!("there is no list `{list}`");
                    problems.push(unknown(
                        detail,
                        "Add the list first, or name another one.",
                        &format!("{place}/lookup"),
                    ));
                }
            }
            Action::Send(_) | Action::Notify(_) | Action::Webhook(_) | Action::Wait(_) | Action::Stop(_) => {}
        }
    }
    problems
}

fn kind(object: &str, place: &str, catalogue: &dyn Catalogue, problems: &mut Vec<Problem>) -> Option<Arc<ObjectType>> {
    let found = catalogue.object(object);
    if found.is_none() {
        let known = catalogue.objects();
        let meant = question(object, &known);
        let detail = format!("there is no kind of record `{object}`{meant}");
        problems.push(unknown(detail, &format!("Use one of {}.", known.join(", ")), place));
    }
    found
}

fn check_where(which: &Where, object: &ObjectType, place: &str, problems: &mut Vec<Problem>) {
    let place = format!("{place}/match");
    match which {
        Where::Keys(keys) => {
            let known: Vec<String> = object.keys.iter().map(|key| key.word().to_owned()).collect();
            for key in keys.iter().filter(|key| !known.contains(key)) {
                let detail = format!("{} are not known by `{key}`{}", object.name, question(key, &known));
                let next = format!("Use keys of this kind of record: {}.", known.join(", "));
                problems.push(unknown(detail, &next, &place));
            }
        }
        Where::Fields(fields) => {
            for name in fields.keys() {
                let base = name.split('.').next().unwrap_or(name);
                check_field(base, object, &place, problems);
            }
        }
        Where::Id(_) => {}
    }
}

/// A field under any of the names under which it is taken.
fn check_field(name: &str, object: &ObjectType, place: &str, problems: &mut Vec<Problem>) {
    let nothing = Map::from_iter([(name.to_owned(), Value::Null)]);
    if check_values(object, &nothing, "").is_ok() {
        return;
    }
    let known: Vec<String> = object.names().map(str::to_owned).collect();
    let detail = format!("{} have no field `{name}`{}", object.name, question(name, &known));
    problems.push(unknown(
        detail,
        "Correct the name, or add the field to this kind of record first.",
        &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")),
    ));
}

fn question(word: &str, known: &[String]) -> String {
    nearest(word, known.iter().map(String::as_str))
        .map(|found| format!("; did you mean `{found}`?"))
        .unwrap_or_default()
}

fn unknown(detail: String, next: &str, place: &str) -> Problem {
    Problem::new(Code::WrongValue, detail, next).at(place)
}
