//! What can be checked with a knowledge of the workspace's records and lists: kinds and fields that do not exist.

use super::{Action, Automation, Owner, Where};
use crate::{
    nearest::nearest,
    problem::{Code, Problem},
};

/// What a workspace has.
pub trait Catalogue {
    /// The names of the fields of a kind of record; `None` when there is no such kind.
    fn fields(&self, object: &str) -> Option<Vec<String>>;
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
                let known = fields(&record.object, &place, catalogue, &mut problems);
                let Some(known) = known else { continue };
                for name in record.fields.members() {
                    check_field(name, &known, &record.object, &format!("{place}/fields"), &mut problems);
                }
                check_where(&record.which, &known, &record.object, &place, &mut problems);
            }
            Action::Find(find) => {
                if let Some(known) = fields(&find.object, &place, catalogue, &mut problems) {
                    check_where(&find.which, &known, &find.object, &place, &mut problems);
                }
            }
            Action::Assign(assign) => {
                if let Some(known) = fields(&assign.object, &place, catalogue, &mut problems) {
                    check_field(&assign.field, &known, &assign.object, &place, &mut problems);
                }
                if let Owner::Lookup { list, .. } = &assign.owner
                    && !catalogue.has_list(list)
                {
                    let detail = format!("there is no list `{list}`");
                    problems.push(unknown(detail, "Add the list first, or name another one.", &format!("{place}/lookup")));
                }
            }
            Action::Send(_) | Action::Notify(_) | Action::Webhook(_) | Action::Wait(_) | Action::Stop(_) => {}
        }
    }
    problems
}

fn fields(object: &str, place: &str, catalogue: &dyn Catalogue, problems: &mut Vec<Problem>) -> Option<Vec<String>> {
    let found = catalogue.fields(object);
    if found.is_none() {
        let known = catalogue.objects();
        let meant = question(object, &known);
        let detail = format!("there is no kind of record `{object}`{meant}");
        problems.push(unknown(detail, &format!("Use one of {}.", known.join(", ")), place));
    }
    found
}

fn check_where(which: &Where, known: &[String], object: &str, place: &str, problems: &mut Vec<Problem>) {
    let place = format!("{place}/match");
    match which {
        Where::Keys(keys) => keys
            .iter()
            .for_each(|key| check_field(key, known, object, &place, problems)),
        Where::Fields(fields) => fields
            .keys()
            .for_each(|key| check_field(key, known, object, &place, problems)),
        Where::Id(_) => {}
    }
}

fn check_field(name: &str, known: &[String], object: &str, place: &str, problems: &mut Vec<Problem>) {
    if known.iter().any(|field| field == name) {
        return;
    }
    let detail = format!("{object} have no field `{name}`{}", question(name, known));
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
