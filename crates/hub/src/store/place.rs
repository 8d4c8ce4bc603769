//! What a delivery is: an event, bound for a connection, for an object there, and for one place where the object can go to several.
//!
//! A delivery carries its place in its options, which name this one place only. So the history tells it, and the mapping finds it. It is for a
//! record of its own: its key ends in a mark of the place, and no delivery waits for, is folded with, or is taken for one to another place.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use switchboard_model::id::{ConnectionId, EventId};

use super::NewDelivery;

/// One of the places of a connection that an object can go to, such as a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The option of routes that lists such places.
    pub option: Arc<str>,
    /// What may stand in front of a name without being part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Arc<str>>,
    /// Its name as the route writes it; `None`: the route names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name of the place that gets what names none, where the connection's settings tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<String>,
}

/// What is made on a connection: an object, of a record, at a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The object.
    pub object: Arc<str>,
    /// The key of the record; `None`: the event itself is the record.
    pub record_key: Option<String>,
    /// Where, when the object can go to several places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Share {
    /// The delivery of it, with these options of a route.
    pub fn delivery(self, connection: ConnectionId, options: Option<&Map<String, Value>>) -> NewDelivery {
        NewDelivery {
            connection,
            object: self.object,
            record_key: self.record_key,
            options: narrowed(options, self.place.as_ref()),
            place: self.place,
            fallback: None,
        }
    }
}

/// A delivery that an event has already.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Present {
    pub connection: ConnectionId,
    pub object: String,
    pub options: Option<Map<String, Value>>,
    pub arrived: bool,
}

/// The names that an option lists: a text alone, or a list of texts and numbers, without those that are empty.
pub fn names(listed: Option<&Value>) -> Vec<Cow<'_, str>> {
    let each: &[Value] = match listed {
        Some(Value::Array(items)) => items,
        Some(alone) => std::slice::from_ref(alone),
        None => &[],
    };
    let named = each.iter().filter_map(|value| match value {
        Value::String(text) => Some(Cow::Borrowed(text.trim())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    });
    named.filter(|name| !name.is_empty()).collect()
}

/// The options of a route, naming this place alone.
pub fn narrowed(options: Option<&Map<String, Value>>, place: Option<&Place>) -> Option<Map<String, Value>> {
    let mut options = options?.clone();
    if let Some((place, name)) = place.and_then(|place| Some((place, place.name.as_deref()?))) {
        options.insert(place.option.to_string(), Value::from(vec![name]));
    }
    Some(options)
}

impl Place {
    /// Whether what names `other`, or none, goes here.
    pub fn is(&self, other: Option<&str>) -> bool {
        let meant = |name: Option<&str>| name.or(self.usual.as_deref()).map(|name| self.bare(name));
        meant(self.name.as_deref()) == meant(other)
    }

    /// A name as it is compared: systems that have names for people tell them apart regardless of case.
    fn bare(&self, name: &str) -> String {
        let name = name.trim();
        let bare = self.sign.as_deref().and_then(|sign| name.strip_prefix(sign));
        bare.unwrap_or(name).trim().to_lowercase()
    }

    /// What the key of a record at this place ends in: short, and opaque like the rest, because vendors store it.
    fn mark(&self) -> Option<String> {
        let name = self.bare(self.name.as_deref()?);
        let digest = Sha256::digest(format!("{}\0{name}", self.option));
        Some(hex::encode(&digest[..6]))
    }
}

impl NewDelivery {
    /// The key of its record when it comes of this event.
    pub fn key(&self, event: EventId) -> String {
        let record = self.record_key.clone().unwrap_or_else(|| event.to_string());
        match self.place.as_ref().and_then(Place::mark) {
            Some(mark) => format!("{record}-{mark}"),
            None => record,
        }
    }

    /// Whether both make the same of an event, so that one of them is enough.
    pub fn is_same(&self, other: &Self) -> bool {
        other.makes(self.connection, &self.object, self.place.as_ref())
    }

    /// Whether it makes this, at this place.
    pub fn makes(&self, connection: ConnectionId, object: &str, place: Option<&Place>) -> bool {
        let here = || match (&self.place, place) {
            (Some(own), Some(other)) => own.is(other.name.as_deref()),
            _ => true,
        };
        self.connection == connection && *self.object == *object && here()
    }

    /// Whether this delivery of the event is the same one.
    pub(super) fn is_present(&self, present: &Present) -> bool {
        let here = |place: &Place| {
            let listed = present.options.as_ref().and_then(|options| options.get(&*place.option));
            match names(listed).as_slice() {
                [] => place.is(None),
                [name] => place.is(Some(name)),
                // From before places were told apart: the first got it, if anybody did.
                [first, ..] => present.arrived && place.is(Some(first)),
            }
        };
        self.connection == present.connection && *self.object == *present.object && self.place.as_ref().is_none_or(here)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Fallback;

    fn place(name: Option<&str>, usual: Option<&str>) -> Place {
        Place {
            option: "channels".into(),
            sign: Some("#".into()),
            name: name.map(str::to_owned),
            usual: usual.map(str::to_owned),
        }
    }

    fn new(place: Option<Place>) -> NewDelivery {
        NewDelivery {
            connection: ConnectionId(1),
            object: "message".into(),
            record_key: None,
            options: None,
            place,
            fallback: None,
        }
    }

    fn present(options: Value, arrived: bool) -> Present {
        Present {
            connection: ConnectionId(1),
            object: "message".into(),
            options: options.as_object().cloned(),
            arrived,
        }
    }

    #[test]
    fn a_place_is_known_by_its_name_however_it_is_written() {
        let support = place(Some("#Support"), Some("support"));
        for same in ["support", " #support ", "# support", "SUPPORT"] {
            assert!(support.is(Some(same)), "{same}");
        }
        assert!(support.is(None), "what names none goes there, too");
        assert!(!support.is(Some("sales")) && !place(Some("sales"), Some("support")).is(None));
        assert!(place(None, None).is(None) && !place(None, None).is(Some("support")));
    }

    #[test]
    fn what_an_option_lists_is_read_from_a_list_and_from_a_text_alone() {
        for (listed, expected) in [
            (json!(["#客户", " b ", "", null, 7]), vec!["#客户", "b", "7"]),
            (json!("#客户"), vec!["#客户"]),
            (json!([]), vec![]),
            (json!({"a": "b"}), vec![]),
        ] {
            assert_eq!(names(Some(&listed)), expected);
        }
        assert!(names(None).is_empty());
    }

    #[test]
    fn each_named_place_is_a_record_of_its_own_and_what_names_none_keeps_the_key_of_old() {
        let event = EventId(7 << 30);
        let key = |name| new(Some(place(name, Some("support")))).key(event);
        assert_eq!(key(None), event.to_string());
        assert_eq!(new(None).key(event), event.to_string());
        assert_ne!(key(Some("#a")), key(Some("#b")));
        assert_eq!(key(Some("#a")), key(Some("A")));
        assert!(key(Some("#a")).starts_with(&format!("{event}-")) && key(Some("#a")).len() <= 64);
    }

    #[test]
    fn what_an_event_has_already_is_found_by_its_place_also_from_before_places_were_told_apart() {
        let a = new(Some(place(Some("#a"), Some("#usual"))));
        let usual = new(Some(place(None, Some("#usual"))));
        for (options, arrived, of_a, of_usual) in [
            (json!({"channels": ["a"]}), false, true, false),
            (json!({"channels": ["#b"]}), true, false, false),
            (json!({"channels": ["#usual"]}), true, false, true),
            (json!({"channels": ["#a", "#b"]}), true, true, false),
            // Nobody got it: it was refused as a whole.
            (json!({"channels": ["#a", "#b"]}), false, false, false),
            (json!(null), true, false, true),
        ] {
            let present = present(options.clone(), arrived);
            assert_eq!(
                (a.is_present(&present), usual.is_present(&present)),
                (of_a, of_usual),
                "{options} {arrived}"
            );
            assert!(new(None).is_present(&present), "one place is all places");
        }
    }

    #[test]
    fn options_are_narrowed_to_the_place_and_keep_the_rest() {
        let options = json!({"channels": ["#a", "#b"], "thread": true});
        let only = |place: Option<Place>| narrowed(options.as_object(), place.as_ref()).map(Value::Object);
        assert_eq!(
            only(Some(place(Some("#b"), None))),
            Some(json!({"channels": ["#b"], "thread": true}))
        );
        assert_eq!(only(None), Some(options.clone()));
        assert_eq!(narrowed(None, Some(&place(None, Some("#b")))), None);
    }

    #[test]
    fn what_a_backup_gets_is_read_as_earlier_versions_wrote_it() {
        let old = json!({"connection": 2, "objects": [["lead", "p-1"], ["message", null]], "sync_back": true});
        let fallback: Fallback = serde_json::from_value(old).unwrap();
        let share = |object: &str, key: Option<&str>| Share {
            object: object.into(),
            record_key: key.map(str::to_owned),
            place: None,
        };
        assert_eq!(fallback.objects, [share("lead", Some("p-1")), share("message", None)]);
        let placed = Share {
            place: Some(place(Some("#a"), None)),
            ..share("message", None)
        };
        let text = serde_json::to_string(&placed).unwrap();
        assert_eq!(serde_json::from_str::<Share>(&text).unwrap(), placed);
    }
}
