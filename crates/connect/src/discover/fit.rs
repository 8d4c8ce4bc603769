//! Compares a mapping with what is known of its object: fields that nobody has, values that a field does not take, fields that
//! nothing fills.

use serde_json::{Map, Value};
use switchboard_model::{
    nearest::nearest,
    problem::{Code, Problem},
    template::Template,
};

use super::{
    Choice, FieldView, FoundObject,
    plan::{FieldPlan, PlanKind},
};
use crate::{compile::child, connector::Connector, manifest::Unlisted, object::Object, record::member};

/// Texts that were cut out of messages are no longer than this.
const MOST_NAMED: usize = 12;

/// Something in a mapping that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The object.
    pub object: String,
    /// Whether the vendor refuses every record because of it; else it is worth a look.
    pub is_fatal: bool,
    /// What is wrong; the place is a JSON pointer inside the object's mapping.
    pub problem: Problem,
}

impl Connector {
    /// What in the mapping of an object does not fit the manifest's fields and those that the account was found to have. What cannot be
    /// judged is let pass.
    pub fn misfits(&self, object: &str, mapping: &Value, found: Option<&FoundObject>) -> Vec<Misfit> {
        let Some(object) = self.object(object) else {
            return Vec::new();
        };
        let fields = self.fields_of(&object.name, found);
        let fit = Fit {
            object,
            plan: object.field_plan(),
            fields: &fields,
            complete: found.is_some_and(|found| found.complete),
        };
        let mut misfits = Vec::new();
        let Some(members) = mapping.as_object() else {
            return misfits;
        };
        fit.level(None, "", members, &mut misfits);
        if let Some(within) = object.within()
            && let Some(Value::Object(members)) = member(mapping, within)
        {
            let at = if within.starts_with('/') {
                within.to_owned()
            } else {
                child("", within)
            };
            fit.level(Some(within), &at, members, &mut misfits);
        }
        misfits
    }
}

impl Object {
    fn field_plan(&self) -> Option<&FieldPlan> {
        self.discoveries.iter().find_map(|plan| match &plan.kind {
            PlanKind::Fields(fields) => Some(fields),
            PlanKind::Options { .. } => None,
        })
    }
}

struct Fit<'f> {
    object: &'f Object,
    plan: Option<&'f FieldPlan>,
    fields: &'f [FieldView],
    /// Whether the account has told of all fields.
    complete: bool,
}

impl Fit<'_> {
    /// The members of one object of the mapping: the record itself, or the member that holds the fields of the account.
    fn level(&self, within: Option<&str>, at: &str, members: &Map<String, Value>, misfits: &mut Vec<Misfit>) {
        let fields = || {
            self.fields
                .iter()
                .filter(|field| field.within.is_some() == within.is_some())
        };
        let mut filled = Vec::new();
        for (key, value) in members {
            match fields().find(|field| is_called(field, key)) {
                Some(field) => {
                    filled.push(field.name.as_str());
                    self.options(field, &child(at, key), value, misfits);
                }
                None => misfits.extend(self.unknown(within, &child(at, key), key, fields())),
            }
        }
        let lacking = fields().filter(|field| field.required && !filled.contains(&field.name.as_str()));
        misfits.extend(lacking.map(|field| {
            let detail = format!(
                "{} needs `{}`{}, and nothing fills it",
                self.object.title(),
                field.name,
                titled(field)
            );
            let next = "Give it a value in the mapping.";
            self.misfit(
                true,
                Problem::new(Code::MappingIncomplete, detail, next).at(child(at, &field.name)),
            )
        }));
    }

    fn misfit(&self, is_fatal: bool, problem: Problem) -> Misfit {
        Misfit {
            object: self.object.name().to_owned(),
            is_fatal,
            problem,
        }
    }

    fn unknown<'v>(
        &self,
        within: Option<&str>,
        at: &str,
        key: &str,
        fields: impl Iterator<Item = &'v FieldView>,
    ) -> Option<Misfit> {
        // Where the fields of the account are elsewhere, or the record is closed, the manifest's are all.
        let from_account = within.is_some() || self.object.within().is_none();
        let is_fatal = match (from_account && self.complete, self.object.is_open() || within.is_some()) {
            (true, true) => self.plan.is_some_and(|plan| plan.unknown == Unlisted::Refused),
            (_, false) => true,
            (false, true) => return None,
        };
        let fields: Vec<&FieldView> = fields.collect();
        let titles = fields.iter().find(|field| {
            field
                .title
                .as_deref()
                .is_some_and(|title| title.eq_ignore_ascii_case(key))
        });
        let near = titles.map(|field| field.name.as_str());
        let near = near.or_else(|| nearest(key, fields.iter().map(|field| field.name.as_str())));
        let next = match near {
            Some(near) => format!("Did you mean `{near}`?"),
            None => "Correct the name, or make the field in the other system and read its fields anew.".to_owned(),
        };
        let detail = format!("{} has no field `{key}`", self.object.title());
        Some(self.misfit(is_fatal, Problem::new(Code::FieldInvalid, detail, next).at(at)))
    }

    /// Fixed values that a field does not take.
    fn options(&self, field: &FieldView, at: &str, value: &Value, misfits: &mut Vec<Misfit>) {
        if field.options.is_empty() {
            return;
        }
        for text in self.sent(field, value) {
            let known = |option: &Choice| option.value == text;
            if field.options.iter().any(known) || self.object.translates(&field.name, &text) {
                continue;
            }
            let by_title = field.options.iter().find(|option| {
                let title = option.title.as_deref().unwrap_or(&option.value);
                title.eq_ignore_ascii_case(&text) || option.value.eq_ignore_ascii_case(&text)
            });
            let near = by_title.map(|option| option.value.as_str());
            let near = near.or_else(|| nearest(&text, field.options.iter().map(|option| option.value.as_str())));
            let next = match near {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Use one of {}.", listed(&field.options)),
            };
            let detail = format!("`{}`{} does not take `{text}`", field.name, titled(field));
            misfits.push(self.misfit(!field.open, Problem::new(Code::FieldInvalid, detail, next).at(at)));
        }
    }

    /// The fixed texts that a mapping sends as options of a field.
    fn sent(&self, field: &FieldView, value: &Value) -> Vec<String> {
        let options = self.plan.and_then(|plan| plan.options.as_ref());
        let places = options
            .map(|options| options.sent.as_slice())
            .filter(|places| !places.is_empty() && field.from_account);
        let values: Vec<&Value> = match (places, value) {
            (Some(places), _) => places.iter().flat_map(|place| place.query(value).all()).collect(),
            (None, Value::Array(items)) => items.iter().collect(),
            (None, value) => vec![value],
        };
        let fixed =
            |text: &&str| Template::parse(text).is_ok_and(|template| template.is_literal()) && !text.trim().is_empty();
        let texts = values.into_iter().filter_map(Value::as_str).filter(fixed);
        match self.object.joint() {
            Some(joint) => texts
                .flat_map(|text| text.split(joint))
                .map(|text| text.trim().to_owned())
                .collect(),
            None => texts.map(str::to_owned).collect(),
        }
    }
}

/// Names of the manifest are brought into the vendor's form; those of the account are sent as they are.
fn is_called(field: &FieldView, key: &str) -> bool {
    let mut names = std::iter::once(&field.name).chain(&field.aliases);
    match field.from_manifest {
        true => names.any(|name| name.to_lowercase() == key.to_lowercase()),
        false => field.name == key,
    }
}

fn titled(field: &FieldView) -> String {
    field
        .title
        .as_ref()
        .map(|title| format!(" ({title})"))
        .unwrap_or_default()
}

fn listed(options: &[Choice]) -> String {
    let mut names: Vec<&str> = options
        .iter()
        .take(MOST_NAMED)
        .map(|option| option.value.as_str())
        .collect();
    if options.len() > MOST_NAMED {
        names.push("…");
    }
    names.join(", ")
}
