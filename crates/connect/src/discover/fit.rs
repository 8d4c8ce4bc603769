//! Compares a mapping with what is known of its object: fields that nobody has, values that a field does not take, fields that
//! nothing fills.

use serde_json::{Map, Value};
use switchboard_model::{
    mapping::check::{Finding, Form, Member, Severity, Target, Unlisted as Beyond, unknown_variables, unsuitable},
    nearest::nearest,
    problem::{Code, Problem},
    template::Template,
};

use super::{
    Choice, FieldView, FoundObject,
    plan::{FieldPlan, PlanKind},
};
use crate::{
    compile::child,
    connector::Connector,
    manifest::{FieldType, Unlisted},
    object::Object,
    record::member,
};

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

impl Misfit {
    /// The variables that a mapping reads and no event type has. `known` are those that there are.
    pub fn of_variables(object: &str, mapping: &Value, known: &[&str]) -> Vec<Self> {
        let findings = unknown_variables("", mapping, known).into_iter();
        let misfit = |finding: Finding| Self {
            object: object.to_owned(),
            is_fatal: finding.severity == Severity::Error,
            problem: finding.problem,
        };
        findings.map(misfit).collect()
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
        let of_level = |field: &&FieldView| field.within.is_some() == within.is_some();
        let fields: Vec<&FieldView> = self.fields.iter().filter(of_level).collect();
        let target = Target {
            title: self.object.title(),
            members: fields.iter().map(|field| self.member(field)).collect(),
            unlisted: self.unlisted(within),
        };
        for (key, value) in members {
            let place = child(at, key);
            match fields
                .iter()
                .zip(&target.members)
                .find(|(_, member)| member.is_called(key))
            {
                Some((field, member)) => {
                    misfits.extend(unsuitable(member, &place, value).map(|finding| self.misfit(finding)));
                    self.options(field, &place, value, misfits);
                }
                None => misfits.extend(target.unknown(&place, key).map(|finding| self.misfit(finding))),
            }
        }
        misfits.extend(
            target
                .lacking(at, members)
                .into_iter()
                .map(|finding| self.misfit(finding)),
        );
    }

    /// A field as the check of mappings knows it. Names of the manifest are brought into the vendor's form, and so are their values; those of
    /// the account are sent as they are, and the vendor says what it thinks of them.
    fn member<'v>(&self, field: &'v FieldView) -> Member<'v> {
        let own = self
            .object
            .fields()
            .find(|own| field.from_manifest && own.name == field.name);
        Member {
            name: &field.name,
            title: field.title.as_deref(),
            aliases: &field.aliases,
            any_case: field.from_manifest,
            form: own
                .filter(|own| own.refuses())
                .map_or(Form::Any, |own| form_of(own.field_type)),
            required: field.required,
        }
    }

    /// What becomes of members that are not known.
    fn unlisted(&self, within: Option<&str>) -> Beyond {
        // Where the fields of the account are elsewhere, or the record is closed, the manifest's are all.
        let from_account = within.is_some() || self.object.within().is_none();
        let refuses = self.plan.is_some_and(|plan| plan.unknown == Unlisted::Refused);
        match (from_account && self.complete, self.object.is_open() || within.is_some()) {
            (_, false) => Beyond::Refused,
            (true, true) if refuses => Beyond::Refused,
            (true, true) => Beyond::LeftOut,
            (false, true) => Beyond::Taken,
        }
    }

    fn misfit(&self, finding: Finding) -> Misfit {
        Misfit {
            object: self.object.name().to_owned(),
            is_fatal: finding.severity == Severity::Error,
            problem: finding.problem,
        }
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
            let severity = if field.open { Severity::Warning } else { Severity::Error };
            let problem = Problem::new(Code::FieldInvalid, detail, next).at(at);
            misfits.push(self.misfit(Finding { severity, problem }));
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

/// What the check of mappings knows of a field's type.
fn form_of(kind: FieldType) -> Form {
    match kind {
        FieldType::Text | FieldType::Email | FieldType::Phone | FieldType::Choice => Form::Text,
        FieldType::Number => Form::Number,
        FieldType::Integer => Form::Integer,
        FieldType::Boolean => Form::Boolean,
        FieldType::Date | FieldType::Datetime => Form::Moment,
        FieldType::Any => Form::Any,
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
