//! What is made of an item: events and writes of records.

use serde_json::{Map, Value};
use switchboard_model::{
    condition::Condition,
    event::EventType,
    mapping::Mapping,
    nearest::nearest,
    problem::{Code, Problem},
    template::{Scope, Template},
};

use super::{
    checker::Checker,
    shape::{EventSpec, Mode, RecordSpec},
    view::{Surroundings, View},
    walk::{Gather, Room, Walk},
};

/// So much may be made of one callback, in bytes of memory.
const MOST_BYTES: usize = 128 << 20;

/// What a callback comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    /// Events, in the order of the mapping.
    pub events: Vec<MadeEvent>,
    /// Writes of records, in the order of the mapping.
    pub records: Vec<MadeRecord>,
    /// What did not fit and was left out.
    pub notes: Vec<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeEvent {
    /// Its type.
    pub kind: EventType,
    /// What recognises the same thing, among the events of this type and source.
    pub id: Option<String>,
    /// What it tells.
    pub data: Map<String, Value>,
}

/// A write of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeRecord {
    /// The kind of record, or the table.
    pub object: String,
    /// Whether it is a table of the user's own.
    pub is_table: bool,
    /// The fields by which it is found; empty: those of the object.
    pub keys: Vec<String>,
    /// What is done.
    pub mode: Mode,
    /// Its values.
    pub fields: Map<String, Value>,
}

/// How much may still be made of one callback, all its items and entries taken together.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Items of the lists that entries go through.
    pub items: Room,
    /// Pairs that are gathered.
    pub pairs: Room,
    /// How much was made that was looked at: events, records, and their bytes.
    looked_at: (usize, usize),
    bytes: usize,
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            items: Room::for_items(),
            pairs: Room::for_pairs(),
            looked_at: (0, 0),
            bytes: 0,
        }
    }
}

impl Rooms {
    /// Looks at what was made since the last time.
    ///
    /// # Errors
    /// When all of it together is too much to be held.
    pub fn check(&mut self, made: &Made) -> Result<(), Problem> {
        let events = made.events[self.looked_at.0..].iter().map(|event| &event.data);
        let records = made.records[self.looked_at.1..].iter().map(|record| &record.fields);
        self.bytes += events.chain(records).map(bytes_of).sum::<usize>();
        self.looked_at = (made.events.len(), made.records.len());
        if self.bytes <= MOST_BYTES {
            return Ok(());
        }
        let detail = format!("more than {} MB would be made of this callback", MOST_BYTES >> 20);
        let next =
            "Let the mapping take what it needs of each item instead of the whole body, and process the callback anew.";
        Err(Problem::new(Code::TooLarge, detail, next))
    }
}

/// About how much memory the members of an object take.
fn bytes_of(members: &Map<String, Value>) -> usize {
    let each = members.iter().map(|(name, value)| name.len() + bytes_of_value(value));
    size_of::<Value>() + each.sum::<usize>()
}

fn bytes_of_value(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(bytes_of_value).sum(),
            Value::Object(members) => bytes_of(members),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

/// An entry of `events`, compiled.
#[derive(Debug)]
pub(super) struct Rule {
    when: Option<Condition>,
    each: Option<Walk>,
    gather: Vec<Gather>,
    event: Option<EventType>,
    id: Option<Template>,
    data: Vec<(String, Mapping)>,
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    when: Option<Condition>,
    object: String,
    is_table: bool,
    keys: Vec<String>,
    mode: Mode,
    fields: Vec<(String, Mapping)>,
    /// What each field probably holds.
    kinds: Vec<&'static str>,
    /// The field that holds the pusher's own id of a thing.
    own_id: Option<String>,
}

impl Rule {
    pub fn compile(checker: &mut Checker, at: &str, spec: &EventSpec, own_id: Option<&str>) -> Option<Self> {
        let event = match &spec.event {
            None => None,
            Some(name) => match EventType::find(name) {
                Some(kind) => Some(kind),
                None => {
                    report_event(checker, &format!("{at}/event"), name);
                    return None;
                }
            },
        };
        let records: Vec<(String, &RecordSpec)> = spec
            .record
            .iter()
            .map(|record| (format!("{at}/record"), record))
            .chain(
                spec.records
                    .iter()
                    .enumerate()
                    .map(|(index, record)| (format!("{at}/records/{index}"), record)),
            )
            .collect();
        if event.is_none() && records.is_empty() {
            checker.report(at, "this entry makes nothing", "Add `event` or `record`.");
        }
        let gather = spec.gather.iter().filter_map(|(name, spec)| {
            let at = format!("{at}/gather/{name}");
            Gather::compile(checker, &at, name, spec)
        });
        let gather = gather.collect();
        let id = spec
            .id
            .as_ref()
            .and_then(|source| checker.template(&format!("{at}/id"), source));
        Some(Self {
            when: checker.optional_condition(&format!("{at}/when"), spec.when.as_ref()),
            each: spec
                .each
                .as_ref()
                .and_then(|walk| Walk::compile(checker, &format!("{at}/each"), walk)),
            gather,
            event,
            id,
            data: trees(checker, &format!("{at}/data"), &spec.data),
            records: records
                .iter()
                .filter_map(|(at, record)| Record::compile(checker, at, record, own_id))
                .collect(),
        })
    }

    /// What the entry makes of an item; `default_id` recognises what has no id of its own.
    pub fn make(
        &self,
        slug: &str,
        item: &View,
        around: Surroundings<'_>,
        default_id: Option<&str>,
        (rooms, made): (&mut Rooms, &mut Made),
    ) -> Result<(), Problem> {
        let items = match &self.each {
            None => vec![item.clone()],
            Some(walk) => walk.items(item, &mut rooms.items),
        };
        for (at, mut item) in items.into_iter().enumerate() {
            rooms.check(made)?;
            for gather in &self.gather {
                gather.add(&mut item, around, &mut rooms.pairs);
            }
            let scope = item.scope(around);
            if !holds(self.when.as_ref(), slug, &scope)? {
                continue;
            }
            if let Some(kind) = self.event {
                let own = self.id.as_ref().and_then(|id| id.render_text(&scope).ok());
                let own = own.filter(|id| !id.is_empty());
                let data = fill(&self.data, kind.name(), &scope, &mut made.notes);
                made.events.push(MadeEvent {
                    kind,
                    id: own.or_else(|| default_id.map(|id| format!("{id}/{at}"))),
                    data,
                });
            }
            for record in &self.records {
                record.make(slug, &scope, made)?;
            }
        }
        Ok(())
    }

    /// The tables that it writes, with their fields.
    pub fn tables(&self) -> impl Iterator<Item = TableUse<'_>> {
        self.records.iter().filter(|record| record.is_table).map(|record| {
            let names = record.fields.iter().map(|(name, _)| name.as_str());
            let keys = match record.keys.is_empty() {
                true => record.own_id.iter().map(String::as_str).collect(),
                false => record.keys.iter().map(String::as_str).collect(),
            };
            TableUse {
                name: &record.object,
                fields: names.zip(record.kinds.iter().copied()).collect(),
                keys,
            }
        })
    }

    /// The kinds of records that everybody has and that it writes.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        let records = self.records.iter().filter(|record| !record.is_table);
        records.map(|record| record.object.as_str())
    }
}

/// A table that a source writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUse<'r> {
    /// Its name.
    pub name: &'r str,
    /// The fields that are written, and what they probably hold: `text`, `date`, `time` or `datetime`.
    pub fields: Vec<(&'r str, &'static str)>,
    /// The fields by which rows are found: those that the mapping names, else the one with the pusher's own id.
    pub keys: Vec<&'r str>,
}

impl Record {
    fn compile(checker: &mut Checker, at: &str, spec: &RecordSpec, own_id: Option<&str>) -> Option<Self> {
        let when = checker.optional_condition(&format!("{at}/when"), spec.when.as_ref());
        let fields = trees(checker, &format!("{at}/fields"), &spec.fields);
        let (object, is_table) = match (&spec.object, &spec.table) {
            (Some(object), None) => (object.clone(), false),
            (None, Some(table)) => (table.clone(), true),
            _ => {
                let next = "Name exactly one of `object` (people, companies, …) and `table`.";
                checker.report(at, "it is not said what is written", next);
                return None;
            }
        };
        Some(Self {
            when,
            object,
            is_table,
            keys: spec.keys.each().map(|(_, key)| key.clone()).collect(),
            mode: spec.mode,
            kinds: fields
                .iter()
                .map(|(name, _)| probable_kind(&spec.fields[name]))
                .collect(),
            own_id: own_id.and_then(|id| {
                let mut each = spec.fields.iter();
                each.find(|(_, tree)| tree.as_str() == Some(id))
                    .map(|(name, _)| name.clone())
            }),
            fields,
        })
    }

    fn make(&self, slug: &str, scope: &Scope<'_>, made: &mut Made) -> Result<(), Problem> {
        if !holds(self.when.as_ref(), slug, scope)? {
            return Ok(());
        }
        let mut fields = fill(&self.fields, &self.object, scope, &mut made.notes);
        // Pushers send blank texts for what they do not know: that must not empty a field.
        fields.retain(|_, value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
        if fields.is_empty() {
            made.notes
                .push(format!("{}: nothing to write, every field is absent", self.object));
            return Ok(());
        }
        made.records.push(MadeRecord {
            object: self.object.clone(),
            is_table: self.is_table,
            keys: self.keys.clone(),
            mode: self.mode,
            fields,
        });
        Ok(())
    }
}

/// What a field probably holds whose value is made like this: a date that is written in the form of one is one.
fn probable_kind(tree: &Value) -> &'static str {
    let text = tree.as_str().unwrap_or_default();
    let ends_with = |form: &str| {
        text.trim_end()
            .strip_suffix("}}")
            .is_some_and(|text| text.trim_end().ends_with(form))
    };
    if ends_with("date: '%Y-%m-%d'") {
        "date"
    } else if ends_with("date: '%H:%M:%S'") {
        "time"
    } else if ends_with("date: 'iso'") {
        "datetime"
    } else {
        "text"
    }
}

/// Whether a condition holds.
///
/// # Errors
/// When it is neither true nor false.
pub(super) fn holds(when: Option<&Condition>, slug: &str, scope: &Scope<'_>) -> Result<bool, Problem> {
    let Some(condition) = when else { return Ok(true) };
    condition.matches(slug, scope).map_err(|error| {
        let detail = format!("the condition `{}` could not be decided: {error}", condition.source());
        Problem::new(
            Code::ConditionSyntax,
            detail,
            "Mend the condition of the source, and process the callback anew.",
        )
    })
}

fn trees(checker: &mut Checker, at: &str, trees: &indexmap::IndexMap<String, Value>) -> Vec<(String, Mapping)> {
    let each = trees.iter().filter_map(|(name, tree)| {
        let at = crate::compile::child(at, name);
        Some((name.clone(), checker.mapping(&at, tree)?))
    });
    each.collect()
}

/// Each member by itself, so that one that fails takes no other with it.
fn fill(trees: &[(String, Mapping)], of: &str, scope: &Scope<'_>, notes: &mut Vec<String>) -> Map<String, Value> {
    let mut filled = Map::with_capacity(trees.len());
    for (name, mapping) in trees {
        match mapping.render(scope) {
            Ok(Some(value)) => {
                filled.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(errors) => {
                let whys: Vec<String> = errors.iter().map(|error| error.error.to_string()).collect();
                notes.push(format!("{of}: `{name}` was left out: {}", whys.join("; ")));
            }
        }
    }
    filled
}

fn report_event(checker: &mut Checker, at: &str, name: &str) {
    let known = switchboard_model::event::EVENT_TYPES.iter().map(|(name, _)| *name);
    let meant = nearest(name, known)
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    let detail = format!("`{name}` is no type of event{meant}");
    checker.report(at, detail, "Use a type of the reference, docs/reference/events.md.");
}
