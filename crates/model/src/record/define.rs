//! Reads the definition of a table of the user's own, or of what is added to a standard object: the same in files and in the API.
//!
//! ```json
//! {"title": "Customers", "country": "CN", "keys": ["clue_id", "phone"], "onDuplicate": "update",
//!  "fields": [{"name": "clue_id", "type": "text"}, {"name": "phone", "type": "phone"},
//!             {"name": "channel", "type": "select", "options": ["ads", "shop"]}]}
//! ```

use indexmap::IndexMap;
use phonenumber::country::Id;
use serde_json::{Map, Value, json};

use super::{
    field::{Choice, Field, FieldKind},
    key::MatchBy,
    object::{EXTERNAL_IDS, ObjectType, Policy},
    standard::standard,
    value::{Read, read},
};
use crate::{
    nearest::nearest,
    problem::{Code, Problem},
};

/// Most fields of an object.
const MOST_FIELDS: usize = 300;
/// Most characters of the name of a table, a list or a field.
pub const LONGEST_NAME: usize = 60;
const MEMBERS: &[&str] = &[
    "key",
    "name",
    "title",
    "fields",
    "keys",
    "titledBy",
    "onDuplicate",
    "country",
];
const FIELD_MEMBERS: &[&str] = &[
    "name", "type", "title", "required", "default", "max", "options", "object", "aliases",
];

/// Reads a definition under its name.
///
/// # Errors
/// Everything that is wrong, each with a JSON pointer as its place.
pub fn define(name: &str, spec: &Value) -> Result<ObjectType, Vec<Problem>> {
    let mut reader = Reader::default();
    let object = reader.object(name, spec);
    match (object, reader.0.is_empty()) {
        (Some(object), true) => Ok(object),
        _ => Err(reader.0),
    }
}

/// Whether a table, a list or a field can have this name: letters, digits, `_` and `-`, beginning with a letter.
pub fn is_name(name: &str) -> bool {
    name.chars().count() <= LONGEST_NAME
        && name
            .chars()
            .next()
            .is_some_and(|first| first.is_alphabetic() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
}

/// What is wrong so far.
#[derive(Default)]
struct Reader(Vec<Problem>);

impl Reader {
    fn report(&mut self, place: &str, detail: impl Into<String>, next: impl Into<String>) {
        self.0.push(Problem::new(Code::WrongValue, detail, next).at(place));
    }

    /// Reports every member that is not known.
    fn only(&mut self, place: &str, members: &Map<String, Value>, known: &[&str]) {
        for key in members.keys().filter(|key| !known.contains(&key.as_str())) {
            let hint = nearest(key, known.iter().copied());
            let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
            let shown: String = key.chars().take(80).collect();
            let problem = Problem::new(
                Code::UnknownKey,
                format!("`{shown}` is not known here{hint}"),
                format!("Use one of {}.", known.join(", ")),
            );
            self.0
                .push(problem.at(format!("{place}/{}", shown.replace('~', "~0").replace('/', "~1"))));
        }
    }

    fn text(&mut self, members: &Map<String, Value>, place: &str, key: &str) -> Option<String> {
        let value = members.get(key).filter(|value| !value.is_null())?;
        let text = value.as_str().filter(|text| text.chars().count() <= 200);
        if text.is_none() {
            self.report(
                &format!("{place}/{key}"),
                format!("`{key}` must be a text of at most 200 characters"),
                "Write a text.",
            );
        }
        text.map(str::to_owned)
    }

    fn texts(&mut self, members: &Map<String, Value>, place: &str, key: &str) -> Option<Vec<String>> {
        let value = members.get(key).filter(|value| !value.is_null())?;
        let texts: Option<Vec<String>> = value
            .as_array()
            .and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect());
        if texts.is_none() {
            self.report(
                &format!("{place}/{key}"),
                format!("`{key}` must be a list of texts"),
                "Write a list of texts.",
            );
        }
        texts
    }

    fn object(&mut self, name: &str, spec: &Value) -> Option<ObjectType> {
        if !is_name(name) {
            let detail =
                "The name of a table has letters, digits, `_` and `-`, begins with a letter and has at most 60 of them";
            self.report("/key", detail, "Choose another name.");
        }
        let Some(members) = spec.as_object() else {
            self.report(
                "",
                "A definition is an object with `fields`",
                "Write {\"fields\": [{\"name\": …, \"type\": …}]}.",
            );
            return None;
        };
        self.only("", members, MEMBERS);
        let mut object = standard(name).cloned().unwrap_or_else(|| table(name));
        if let Some(title) = self.text(members, "", "title") {
            object.title = title;
        }
        object.country = self.country(members).or(object.country);
        if let Some(policy) = self.text(members, "", "onDuplicate") {
            match Policy::find(&policy) {
                Some(policy) => object.policy = policy,
                None => self.report(
                    "/onDuplicate",
                    format!("`{policy}` is not known"),
                    format!("Use one of {}.", Policy::NAMES.join(", ")),
                ),
            }
        }
        self.fields(members, &mut object);
        self.keys(members, &mut object);
        if let Some(titled_by) = self.texts(members, "", "titledBy") {
            self.need_fields("titledBy", &titled_by, &object);
            object.titled_by = titled_by;
        }
        if object.titled_by.is_empty() {
            let usual = ["name", "title", "姓名", "имя"]
                .into_iter()
                .find(|name| object.fields.contains_key(*name));
            let first = object.fields.values().find(|field| field.kind == FieldKind::Text);
            let usual = usual
                .map(str::to_owned)
                .or_else(|| first.map(|field| field.name.clone()));
            object.titled_by = usual.into_iter().collect();
        }
        Some(object)
    }

    fn country(&mut self, members: &Map<String, Value>) -> Option<String> {
        let country = self.text(members, "", "country")?;
        if country.parse::<Id>().is_err() {
            self.report(
                "/country",
                format!("`{country}` is no country"),
                "Use two letters of ISO 3166 such as BY.",
            );
            return None;
        }
        Some(country)
    }

    /// A list of objects with a name each, or an object by name.
    fn fields(&mut self, members: &Map<String, Value>, object: &mut ObjectType) {
        let listed: Vec<(String, String, Value)> = match members.get("fields") {
            None | Some(Value::Null) if !object.is_table => return,
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(at, item)| {
                    let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
                    (format!("/fields/{at}"), name.to_owned(), item.clone())
                })
                .collect(),
            Some(Value::Object(named)) => named
                .iter()
                .map(|(name, field)| {
                    (
                        format!("/fields/{}", name.replace('~', "~0").replace('/', "~1")),
                        name.clone(),
                        field.clone(),
                    )
                })
                .collect(),
            _ => {
                self.report(
                    "/fields",
                    "`fields` must be a list of fields",
                    "Write [{\"name\": \"phone\", \"type\": \"phone\"}].",
                );
                return;
            }
        };
        if listed.len() > MOST_FIELDS || (object.is_table && listed.is_empty()) {
            self.report(
                "/fields",
                format!("There are {} fields; 1 to {MOST_FIELDS} are possible", listed.len()),
                "Change the list.",
            );
            return;
        }
        let mut seen: Vec<String> = Vec::with_capacity(listed.len());
        for (place, name, spec) in listed {
            if seen.contains(&name) {
                self.report(
                    &place,
                    format!("There is another field `{name}`"),
                    "Give each its own name.",
                );
                continue;
            }
            if let Some(field) = self.field(&place, &name, &spec, object) {
                object.fields.insert(name.clone(), field);
            }
            seen.push(name);
        }
        // Ids of other systems stand at the end, whatever was added.
        if let Some(ids) = object.fields.shift_remove(EXTERNAL_IDS) {
            object.fields.insert(EXTERNAL_IDS.to_owned(), ids);
        }
    }

    fn field(&mut self, place: &str, name: &str, spec: &Value, object: &ObjectType) -> Option<Field> {
        const OURS: &[&str] = &[
            "id",
            "object",
            "table",
            "revision",
            "source",
            "createdAt",
            "updatedAt",
            "needsReview",
            "outcome",
            "foundBy",
            "merges",
            "merged",
            "duplicates",
            "changes",
            "match",
            "onDuplicate",
            "q",
            "sort",
            "limit",
            "after",
            EXTERNAL_IDS,
        ];
        if !is_name(name) || OURS.contains(&name) {
            let detail = match OURS.contains(&name) {
                true => format!("`{name}` is a name of the hub's own"),
                false => "The name of a field has letters, digits, `_` and `-`, begins with a letter and has at most 60 of them".to_owned(),
            };
            self.report(place, detail, "Choose another name.");
            return None;
        }
        // The short form: the name of the type alone.
        let short = spec
            .as_str()
            .map(|kind| Map::from_iter([("type".to_owned(), json!(kind))]));
        let Some(members) = short.as_ref().or_else(|| spec.as_object()) else {
            self.report(
                place,
                "A field is an object with `name` and `type`",
                "Write {\"name\": \"phone\", \"type\": \"phone\"}.",
            );
            return None;
        };
        self.only(place, members, FIELD_MEMBERS);
        let kind = self.kind(place, members)?;
        let mut field = Field::new(name, kind);
        field.custom = true;
        field.title = self.text(members, place, "title");
        field.aliases = self.texts(members, place, "aliases").unwrap_or_default();
        self.demands(place, members, &mut field);
        self.preset(place, members, object, &mut field);
        Some(field)
    }

    /// `required` and `max`.
    fn demands(&mut self, place: &str, members: &Map<String, Value>, field: &mut Field) {
        field.required = match members.get("required") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.report(
                    &format!("{place}/required"),
                    "`required` is `true` or `false`",
                    "Write `true` or `false`.",
                );
                false
            }
        };
        if let Some(max) = members.get("max").filter(|max| !max.is_null()) {
            field.max = max
                .as_u64()
                .and_then(|max| usize::try_from(max).ok())
                .filter(|max| (1..=100_000).contains(max));
            if field.max.is_none() {
                self.report(
                    &format!("{place}/max"),
                    "`max` is a number of characters from 1 to 100000",
                    "Write such a number.",
                );
            }
        }
    }

    fn preset(&mut self, place: &str, members: &Map<String, Value>, object: &ObjectType, field: &mut Field) {
        if let Some(default) = members.get("default").filter(|default| !default.is_null()) {
            match read(object, field, default) {
                Ok(Read::Kept(kept)) => field.default = Some(kept),
                Ok(Read::Named(_)) => self.report(
                    &format!("{place}/default"),
                    "The default of a lookup is an id",
                    "Write the id of a record.",
                ),
                Err(why) => self.report(
                    &format!("{place}/default"),
                    format!("The default {why}"),
                    "Correct the default.",
                ),
            }
        }
    }

    fn kind(&mut self, place: &str, members: &Map<String, Value>) -> Option<FieldKind> {
        let Some(word) = members.get("type").and_then(Value::as_str) else {
            self.report(
                place,
                "The field has no `type`",
                format!("Use one of {}.", FieldKind::NAMES.join(", ")),
            );
            return None;
        };
        let options = self.options(place, members);
        let kind = match word {
            "text" | "string" => FieldKind::Text,
            "integer" => FieldKind::Integer,
            "number" => FieldKind::Number,
            "boolean" => FieldKind::Boolean,
            "date" => FieldKind::Date,
            "time" => FieldKind::Time,
            "datetime" => FieldKind::Datetime,
            "email" => FieldKind::Email,
            "phone" => FieldKind::Phone,
            "url" => FieldKind::Url,
            "money" => FieldKind::Money,
            "select" => FieldKind::Select(options),
            "multi-select" | "multiselect" => FieldKind::MultiSelect(options),
            "json" => FieldKind::Json,
            "lookup" => {
                let Some(object) = members.get("object").and_then(Value::as_str) else {
                    self.report(
                        place,
                        "A lookup names the `object` whose records it refers to",
                        "Add for example \"object\": \"companies\".",
                    );
                    return None;
                };
                FieldKind::Lookup(standard(object).map_or_else(|| object.to_owned(), |object| object.name.clone()))
            }
            other => {
                let hint = nearest(other, FieldKind::NAMES.iter().copied());
                let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
                let shown: String = other.chars().take(60).collect();
                let next = format!("Use one of {}.", FieldKind::NAMES.join(", "));
                self.report(
                    &format!("{place}/type"),
                    format!("There is no type `{shown}`{hint}"),
                    next,
                );
                return None;
            }
        };
        Some(kind)
    }

    /// Texts, or objects with `value` and `title`.
    fn options(&mut self, place: &str, members: &Map<String, Value>) -> Vec<Choice> {
        let Some(options) = members.get("options").filter(|options| !options.is_null()) else {
            return Vec::new();
        };
        let read = |item: &Value| match item {
            Value::String(text) => Some(Choice {
                value: text.clone(),
                title: None,
            }),
            other => serde_json::from_value(other.clone()).ok(),
        };
        let choices: Option<Vec<Choice>> = options.as_array().and_then(|items| items.iter().map(read).collect());
        if choices.is_none() {
            self.report(
                &format!("{place}/options"),
                "`options` is a list of texts, or of objects with `value` and `title`",
                "Write for example [\"new\", \"won\"].",
            );
        }
        choices.unwrap_or_default()
    }

    fn keys(&mut self, members: &Map<String, Value>, object: &mut ObjectType) {
        let Some(words) = self.texts(members, "", "keys") else {
            return;
        };
        let fields: Vec<String> = words
            .iter()
            .filter(|word| !matches!(word.as_str(), "externalId" | "messengerId"))
            .cloned()
            .collect();
        self.need_fields("keys", &fields, object);
        object.keys = words
            .into_iter()
            .map(|word| match word.as_str() {
                "externalId" => MatchBy::External,
                "messengerId" => MatchBy::Messenger,
                _ => MatchBy::Field(word),
            })
            .collect();
    }

    fn need_fields(&mut self, list: &str, names: &[String], object: &ObjectType) {
        for (at, name) in names
            .iter()
            .enumerate()
            .filter(|(_, name)| !object.fields.contains_key(*name))
        {
            let hint = nearest(name, object.fields.keys().map(String::as_str));
            let hint = hint.map(|hint| format!("; did you mean `{hint}`?")).unwrap_or_default();
            let shown: String = name.chars().take(80).collect();
            self.report(
                &format!("/{list}/{at}"),
                format!("`{shown}` is no field{hint}"),
                "Name a field of the object.",
            );
        }
    }
}

fn table(name: &str) -> ObjectType {
    ObjectType {
        name: name.to_owned(),
        singular: "row".to_owned(),
        title: name.to_owned(),
        is_table: true,
        fields: IndexMap::from_iter([(EXTERNAL_IDS.to_owned(), Field::new(EXTERNAL_IDS, FieldKind::Ids))]),
        // Whether two rows with one telephone number are one is for the table's owner to say.
        keys: vec![MatchBy::External],
        suspicions: Vec::new(),
        titled_by: Vec::new(),
        policy: Policy::Update,
        country: None,
    }
}
