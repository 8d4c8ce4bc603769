//! Reads what a step does.

use indexmap::IndexMap;
use serde_json::Value;

use super::{
    Action, Assign, Find, Key, Notify, Owner, Record, Send, Verb, Wait, Webhook, Where, amount::read_duration_ms,
    part::Part, read::Before,
};
use crate::{mapping::Mapping, problem::Code, template::Template};

/// Everything that a step can do.
pub(super) const WORDS: [&str; 10] = [
    "create", "update", "upsert", "find", "send", "notify", "webhook", "wait", "assign", "stop",
];

/// What later steps can read of a step with this word (`steps.NAME.…`).
pub(super) fn brings(word: &str) -> &'static [&'static str] {
    match word {
        "create" | "update" | "upsert" => &["id", "created", "changed", "found", "record"],
        "find" => &["id", "found", "record"],
        "send" | "webhook" | "notify" => &["event", "sent"],
        "wait" => &["until"],
        "assign" => &["id", "owner", "record"],
        _ => &["reason"],
    }
}

/// Reads what stands under the word.
pub(super) fn read(word: &str, part: &Part<'_>, before: &Before) -> Option<Action> {
    let reader = ActionReader { before };
    Some(match word {
        "create" => Action::Record(reader.record(Verb::Create, part)?),
        "update" => Action::Record(reader.record(Verb::Update, part)?),
        "upsert" => Action::Record(reader.record(Verb::Upsert, part)?),
        "find" => Action::Find(reader.find(part)?),
        "send" => Action::Send(reader.send(part)?),
        "notify" => Action::Notify(reader.notify(part)?),
        "webhook" => Action::Webhook(reader.webhook(part)?),
        "wait" => Action::Wait(reader.wait(part)?),
        "assign" => Action::Assign(reader.assign(part)?),
        _ => Action::Stop(reader.stop(part)?),
    })
}

struct ActionReader<'b> {
    before: &'b Before,
}

impl ActionReader<'_> {
    fn template(&self, part: &Part<'_>) -> Option<Template> {
        let template = part.template()?;
        part.check_steps(template.paths(), self.before);
        Some(template)
    }

    fn mapping(&self, part: &Part<'_>) -> Option<Mapping> {
        let mapping = part.mapping()?;
        part.check_steps(mapping.paths(), self.before);
        Some(mapping)
    }

    /// A member that may be missing: `None` when it is wrong.
    fn maybe<'v, T>(
        &self,
        part: &Part<'v>,
        key: &str,
        read: impl FnOnce(&Self, &Part<'v>) -> Option<T>,
    ) -> Option<Option<T>> {
        match part.member(key) {
            Some(member) => read(self, &member).map(Some),
            None => Some(None),
        }
    }

    /// `object: people` or `table: customers`.
    fn object(&self, part: &Part<'_>) -> Option<String> {
        match (part.member("object"), part.member("table")) {
            (Some(_), Some(table)) => {
                table.report(
                    Code::WrongValue,
                    "`object` and `table` are both given",
                    "Keep one of the two.",
                );
                None
            }
            (None, Some(table)) => table.text().map(str::to_owned),
            _ => part.need("object", "people")?.text().map(str::to_owned),
        }
    }

    fn record(&self, verb: Verb, part: &Part<'_>) -> Option<Record> {
        if !part.is_object() {
            return None;
        }
        part.only(&["object", "table", "id", "match", "fields"]);
        let object = self.object(part);
        let fields = part.need("fields", "{lastName: \"{{ name }}\"}");
        let fields = fields.and_then(|fields| self.mapping(&fields));
        let which = match verb {
            Verb::Create => {
                for key in ["id", "match"] {
                    if let Some(member) = part.member(key) {
                        member.report(
                            Code::WrongValue,
                            format!("`create` always makes a new record and takes no `{key}`"),
                            "Use upsert to change one that is there.",
                        );
                    }
                }
                Some(Where::Keys(Vec::new()))
            }
            Verb::Update => self.which(part, true),
            Verb::Upsert => self.which(part, false),
        };
        Some(Record {
            verb,
            object: object?,
            which: which?,
            fields: fields?,
        })
    }

    /// `id`, or `match` as a list of keys or as an object of fields.
    fn which(&self, part: &Part<'_>, needed: bool) -> Option<Where> {
        match (part.member("id"), part.member("match")) {
            (Some(_), Some(keys)) => {
                keys.report(
                    Code::WrongValue,
                    "`id` and `match` are both given",
                    "Keep one of the two.",
                );
                None
            }
            (Some(id), None) => self.template(&id).map(Where::Id),
            (None, Some(keys)) if keys.value.is_object() => self.fields(&keys).map(Where::Fields),
            (None, Some(keys)) => {
                let names: Option<Vec<String>> = keys
                    .one_or_more()
                    .iter()
                    .map(|key| key.text().map(str::to_owned))
                    .collect();
                names.map(Where::Keys)
            }
            (None, None) if needed => {
                part.report(
                    Code::WrongValue,
                    "it is not said which record is meant",
                    "Give its `id` (\"{{ steps.person.id }}\"), or `match` with fields that it has.",
                );
                None
            }
            (None, None) => Some(Where::Keys(Vec::new())),
        }
    }

    fn fields(&self, part: &Part<'_>) -> Option<IndexMap<String, Template>> {
        let members = part.members();
        if members.is_empty() {
            part.report_form("an object with at least one field");
            return None;
        }
        let read = members
            .iter()
            .map(|(name, member)| Some(((*name).to_owned(), self.template(member)?)));
        read.collect()
    }

    fn find(&self, part: &Part<'_>) -> Option<Find> {
        if !part.is_object() {
            return None;
        }
        part.only(&["object", "table", "id", "match"]);
        let object = self.object(part);
        let which = self.which(part, true)?;
        if let Where::Keys(_) = which {
            let keys = part.member("match")?;
            keys.report_form("an object of fields and values");
            return None;
        }
        Some(Find { object: object?, which })
    }

    fn send(&self, part: &Part<'_>) -> Option<Send> {
        if !part.is_object() {
            return None;
        }
        part.only(&["to", "object", "data", "options", "key"]);
        let to = part.need("to", "hubspot").and_then(|to| to.text().map(str::to_owned));
        let object = part
            .need("object", "contact")
            .and_then(|object| object.text().map(str::to_owned));
        let data = self.maybe(part, "data", Self::mapping);
        let options = self.maybe(part, "options", Self::mapping);
        let key = self.maybe(part, "key", Self::template);
        Some(Send {
            to: to?,
            object: object?,
            data: data?,
            options: options?,
            key: key?,
        })
    }

    fn templates(&self, part: &Part<'_>) -> Option<Vec<Template>> {
        part.one_or_more().iter().map(|item| self.template(item)).collect()
    }

    fn notify(&self, part: &Part<'_>) -> Option<Notify> {
        if !part.is_object() {
            return None;
        }
        part.only(&[
            "to",
            "channel",
            "channels",
            "recipient",
            "recipients",
            "subject",
            "message",
        ]);
        let to = part.need("to", "slack").and_then(|to| to.text().map(str::to_owned));
        let list = |names: [&str; 2]| {
            let mut all = Some(Vec::new());
            for member in names.iter().filter_map(|name| part.member(name)) {
                match (self.templates(&member), &mut all) {
                    (Some(more), Some(all)) => all.extend(more),
                    _ => all = None,
                }
            }
            all
        };
        let channels = list(["channel", "channels"]);
        let recipients = list(["recipient", "recipients"]);
        let subject = self.maybe(part, "subject", Self::template);
        let message = part.need("message", "\"New lead: {{ person.name }}\"");
        let message = message.and_then(|message| self.template(&message));
        Some(Notify {
            to: to?,
            channels: channels?,
            recipients: recipients?,
            subject: subject?,
            message: message?,
        })
    }

    fn webhook(&self, part: &Part<'_>) -> Option<Webhook> {
        if !part.is_object() {
            return None;
        }
        part.only(&["to", "url", "data"]);
        let data = self.maybe(part, "data", Self::mapping);
        let to = match (part.member("to"), part.member("url")) {
            (Some(_), Some(url)) => {
                url.report(
                    Code::WrongValue,
                    "`to` and `url` are both given",
                    "Keep one of the two.",
                );
                None
            }
            (None, Some(url)) => {
                let text = url.text()?;
                if !(text.starts_with("https://") || text.starts_with("http://")) {
                    url.report_form("an address that begins with https:// or http://");
                    return None;
                }
                Some(Key::Url(text.to_owned()))
            }
            _ => part
                .need("to", "my-endpoint")
                .and_then(|to| Some(Key::Of(to.text()?.to_owned()))),
        };
        Some(Webhook { to: to?, data: data? })
    }

    /// `wait: 2 hours`, `wait: {for: 2 hours}` or `wait: {until: "{{ startsAt }}"}`.
    fn wait(&self, part: &Part<'_>) -> Option<Wait> {
        let read = |part: &Part<'_>| {
            let ms = read_duration_ms(part.text()?);
            if ms.is_none() {
                part.report_form("a duration of at most a year, like `90 minutes`, `2h 30m` or `3 days`");
            }
            ms.map(Wait::For)
        };
        if part.value.is_string() {
            return read(part);
        }
        if !part.is_object() {
            return None;
        }
        part.only(&["for", "until"]);
        match (part.member("for"), part.member("until")) {
            (Some(_), Some(until)) => {
                until.report(
                    Code::WrongValue,
                    "`for` and `until` are both given",
                    "Keep one of the two.",
                );
                None
            }
            (None, Some(until)) => self.template(&until).map(Wait::Until),
            _ => read(&part.need("for", "2 hours")?),
        }
    }

    fn assign(&self, part: &Part<'_>) -> Option<Assign> {
        if !part.is_object() {
            return None;
        }
        part.only(&["object", "table", "id", "field", "owner", "round_robin", "lookup"]);
        let object = self.object(part);
        let id = part
            .need("id", "\"{{ steps.deal.id }}\"")
            .and_then(|id| self.template(&id));
        let field = part.member("field").map_or(Some("owner"), |field| field.text());
        let owner = self.owner(part);
        Some(Assign {
            object: object?,
            id: id?,
            field: field?.to_owned(),
            owner: owner?,
        })
    }

    fn owner(&self, part: &Part<'_>) -> Option<Owner> {
        const WAYS: [&str; 3] = ["owner", "round_robin", "lookup"];
        let given: Vec<&str> = WAYS.into_iter().filter(|way| part.member(way).is_some()).collect();
        match &given[..] {
            ["owner"] => self.template(&part.member("owner")?).map(Owner::Fixed),
            ["round_robin"] => {
                let list = part.member("round_robin")?;
                let people: Option<Vec<String>> = list
                    .items()?
                    .iter()
                    .map(|item| item.text().map(str::to_owned))
                    .collect();
                let people = people?;
                if people.is_empty() {
                    list.report_form("a list of at least one");
                    return None;
                }
                Some(Owner::RoundRobin(people))
            }
            ["lookup"] => {
                let lookup = part.member("lookup")?;
                if !lookup.is_object() {
                    return None;
                }
                lookup.only(&["list", "key", "otherwise"]);
                let list = lookup.need("list", "sales-by-country").and_then(|list| list.text());
                let key = lookup
                    .need("key", "\"{{ country }}\"")
                    .and_then(|key| self.template(&key));
                let otherwise = self.maybe(&lookup, "otherwise", Self::template);
                Some(Owner::Lookup {
                    list: list?.to_owned(),
                    key: key?,
                    otherwise: otherwise?,
                })
            }
            _ => {
                let detail = "it is not said, or said twice, who is in charge";
                part.report(
                    Code::WrongValue,
                    detail,
                    "Give exactly one of owner, round_robin and lookup.",
                );
                None
            }
        }
    }

    /// `stop: true`, or a text that says why.
    fn stop(&self, part: &Part<'_>) -> Option<Option<Template>> {
        match part.value {
            Value::Bool(true) => Some(None),
            Value::String(_) => self.template(part).map(Some),
            _ => {
                part.report_form("`true`, or a text that says why");
                None
            }
        }
    }
}
