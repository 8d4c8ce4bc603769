//! What is wrong with a mapping before any event is at hand: members that the target does not have, values that they cannot take, members
//! that are needed and that nothing fills, variables that no event has.
//!
//! What cannot be judged is let pass: a template's result is mostly known only when it is filled in.

use serde_json::{Map, Value};

use super::Mapping;
use crate::{
    moment::read_moment,
    nearest::nearest,
    problem::{Code, Problem},
    template::{Kind, Template},
};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look: it may be meant.
    Warning,
    /// No record can be made with it.
    Error,
}

/// Something in a mapping that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong and what to do; the place is a JSON pointer inside the mapping.
    pub problem: Problem,
}

/// What a member of a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Anything.
    Any,
    /// Text. Numbers, truth values and lists of texts become text.
    Text,
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// Yes or no.
    Boolean,
    /// A day or a point in time.
    Moment,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Boolean => "yes or no",
            Self::Moment => "a day or a point in time",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

/// A member that a target has.
#[derive(Debug, Clone)]
pub struct Member<'t> {
    /// Its name.
    pub name: &'t str,
    /// For people, where it is something else.
    pub title: Option<&'t str>,
    /// Other names that mappings may use.
    pub aliases: &'t [String],
    /// Whether names match regardless of case.
    pub any_case: bool,
    /// What it holds.
    pub form: Form,
    /// Whether a new record needs it.
    pub required: bool,
}

impl Member<'_> {
    /// Whether a mapping means it by this name.
    pub fn is_called(&self, key: &str) -> bool {
        let same = |name: &str| match self.any_case {
            true => name.to_lowercase() == key.to_lowercase(),
            false => name == key,
        };
        same(self.name) || self.aliases.iter().any(|alias| same(alias))
    }

    fn titled(&self) -> String {
        self.title.map(|title| format!(" ({title})")).unwrap_or_default()
    }
}

/// What becomes of members that a target does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// The target takes them.
    Taken,
    /// The target leaves them out.
    LeftOut,
    /// The target refuses the record.
    Refused,
}

/// What a mapping makes.
#[derive(Debug, Clone)]
pub struct Target<'t> {
    /// Its name for people: `Lead`.
    pub title: &'t str,
    /// Its members.
    pub members: Vec<Member<'t>>,
    /// What becomes of others.
    pub unlisted: Unlisted,
}

impl Target<'_> {
    /// Everything that is wrong with the members of a mapping, an object; of another value there is nothing to say. `at` is the JSON pointer
    /// to it.
    pub fn check(&self, at: &str, mapping: &Value) -> Vec<Finding> {
        let Some(members) = mapping.as_object() else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        for (key, value) in members {
            let place = below(at, key);
            match self.member(key) {
                Some(member) => findings.extend(unsuitable(member, &place, value)),
                None => findings.extend(self.unknown(&place, key)),
            }
        }
        findings.extend(self.lacking(at, members));
        findings
    }

    /// The member that a mapping means by this name.
    pub fn member(&self, key: &str) -> Option<&Member<'_>> {
        self.members.iter().find(|member| member.is_called(key))
    }

    /// What is to be said about a member that the target does not have.
    pub fn unknown(&self, place: &str, key: &str) -> Option<Finding> {
        let severity = match self.unlisted {
            Unlisted::Taken => return None,
            Unlisted::LeftOut => Severity::Warning,
            Unlisted::Refused => Severity::Error,
        };
        let by_title = self.members.iter().find(|member| {
            let title = member.title.unwrap_or_default();
            !title.is_empty() && title.to_lowercase() == key.to_lowercase()
        });
        let near = by_title.map(|member| member.name);
        let near = near.or_else(|| nearest(key, self.members.iter().map(|member| member.name)));
        let next = match near {
            Some(near) => format!("Did you mean `{near}`?"),
            None => "Correct the name, or make the field in the other system and read its fields anew.".to_owned(),
        };
        let detail = format!("{} has no field `{key}`", self.title);
        let problem = Problem::new(Code::FieldInvalid, detail, next).at(place);
        Some(Finding { severity, problem })
    }

    /// What is needed and filled by nothing.
    pub fn lacking(&self, at: &str, members: &Map<String, Value>) -> Vec<Finding> {
        let filled = |member: &Member<'_>| {
            members
                .iter()
                .any(|(key, value)| member.is_called(key) && can_fill(value))
        };
        let lacking = self.members.iter().filter(|member| member.required && !filled(member));
        let finding = |member: &Member<'_>| {
            let detail = format!(
                "{} needs `{}`{}, and nothing fills it",
                self.title,
                member.name,
                member.titled()
            );
            let problem = Problem::new(Code::MappingIncomplete, detail, "Give it a value in the mapping.");
            Finding {
                severity: Severity::Error,
                problem: problem.at(below(at, member.name)),
            }
        };
        lacking.map(finding).collect()
    }
}

/// Whether anything can come of it: `null` and blank text never fill a member.
fn can_fill(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// A value that a member can never take.
pub fn unsuitable(member: &Member<'_>, place: &str, value: &Value) -> Option<Finding> {
    let given = never(member.form, value)?;
    let detail = format!(
        "`{}`{} holds {}, and the mapping gives {given}",
        member.name,
        member.titled(),
        member.form.name()
    );
    let next = match member.form {
        Form::Number => "Give a number, or bring the value into one with `| number`.",
        Form::Integer => "Give a whole number, or bring the value into one with `| integer`.",
        Form::Boolean => "Give true or false, or bring the value into one with `| boolean`.",
        Form::Moment => "Give a moment, or bring the value into one with `| date: 'iso'`.",
        _ => "Correct the value.",
    };
    let problem = Problem::new(Code::FieldInvalid, detail, next).at(place);
    Some(Finding {
        severity: Severity::Error,
        problem,
    })
}

/// What is given instead of what is wanted, where that is certain.
fn never(form: Form, value: &Value) -> Option<String> {
    if form == Form::Any {
        return None;
    }
    let Value::String(source) = value else {
        return misses(form, Kind::of(value), value).then(|| short(value));
    };
    // One that cannot be read is reported by whoever compiles the mapping.
    let template = Template::parse(source).ok()?;
    if template.is_literal() {
        // Blank text is left out.
        return (can_fill(value) && misses(form, Kind::Text, value)).then(|| short(value));
    }
    let kind = template.kind();
    let is_number = matches!(form, Form::Number | Form::Integer | Form::Boolean);
    let letters = |text: &str| {
        text.chars()
            .any(|letter| letter.is_alphabetic() && !matches!(letter, 'e' | 'E'))
    };
    if kind == Kind::Text && is_number && template.fixed_texts().any(letters) {
        return Some("text with words in it".to_owned());
    }
    let certain = match form {
        Form::Any => false,
        Form::Text => kind == Kind::Object,
        Form::Number | Form::Integer => matches!(kind, Kind::Boolean | Kind::List | Kind::Object),
        Form::Boolean | Form::Moment => matches!(kind, Kind::List | Kind::Object),
        Form::List => matches!(kind, Kind::Boolean | Kind::Object),
        Form::Object => matches!(kind, Kind::Boolean | Kind::Number | Kind::Integer | Kind::List),
    };
    certain.then(|| kind.name().to_owned())
}

/// Whether a value without templates is none of the form.
fn misses(form: Form, kind: Kind, value: &Value) -> bool {
    if value.is_null() {
        return false;
    }
    let text = value.as_str().map(str::trim);
    match form {
        Form::Any => false,
        // Several texts can become one.
        Form::Text => kind == Kind::Object,
        Form::Number => {
            !matches!(kind, Kind::Number | Kind::Integer) && text.is_none_or(|text| text.parse::<f64>().is_err())
        }
        Form::Integer => kind != Kind::Integer && text.is_none_or(|text| text.parse::<i64>().is_err()),
        Form::Boolean => match (value, text) {
            (Value::Bool(_), _) => false,
            (Value::Number(number), _) => !matches!(number.as_i64(), Some(0 | 1)),
            (_, Some(text)) => !YES_AND_NO.contains(&text.to_lowercase().as_str()),
            _ => true,
        },
        Form::Moment => match value {
            Value::Number(_) => false,
            Value::String(text) => {
                let is_day = text.trim().parse::<jiff::civil::Date>().is_ok();
                !is_day && read_moment(value).is_none()
            }
            _ => true,
        },
        Form::List => kind != Kind::List,
        Form::Object => kind != Kind::Object,
    }
}

/// What connectors read as yes and no.
const YES_AND_NO: [&str; 8] = ["true", "yes", "1", "on", "false", "no", "0", "off"];

fn short(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => Kind::of(value).name().to_owned(),
        Value::String(text) => format!("`{}`", text.chars().take(40).collect::<String>()),
        other => format!("`{other}`"),
    }
}

/// The variables that no event has, each where it is read first. `known` are the names that there are.
pub fn unknown_variables(at: &str, mapping: &Value, known: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    walk(at, mapping, &mut |place, text| {
        let Ok(template) = Template::parse(text) else { return };
        for path in template.paths() {
            let root = path.root();
            if known.contains(&root) || seen.iter().any(|other| other == root) {
                continue;
            }
            seen.push(root.to_owned());
            let next = match nearest(root, known.iter().copied()) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => "It is filled only if your senders send it; otherwise give it a value with `| default: '…'`."
                    .to_owned(),
            };
            let detail = format!("No event type has a variable `{root}`");
            let problem = Problem::new(Code::VariableUnknown, detail, next).at(place);
            findings.push(Finding {
                severity: Severity::Warning,
                problem,
            });
        }
    });
    findings
}

fn walk(at: &str, value: &Value, visit: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(at, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(&format!("{at}/{index}"), item, visit);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                walk(&below(at, key), member, visit);
            }
        }
        _ => {}
    }
}

/// Everything that can be said about a mapping: templates that cannot be read, then what does not fit the target, then variables that no
/// event has. The one call for whoever takes mappings from a person.
pub fn check(at: &str, mapping: &Value, target: &Target<'_>, known: &[&str]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Mapping::compile(mapping)
        .err()
        .into_iter()
        .flatten()
        .map(|error| Finding {
            severity: Severity::Error,
            problem: Problem::new(
                Code::TemplateSyntax,
                error.error.to_string(),
                "Correct the template; the filters are listed in the configuration reference.",
            )
            .at(format!("{at}{}", error.pointer)),
        })
        .collect();
    findings.extend(target.check(at, mapping));
    findings.extend(unknown_variables(at, mapping, known));
    findings
}

fn below(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}
