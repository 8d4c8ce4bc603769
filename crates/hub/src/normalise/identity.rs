//! Which record an event is about. The same person under the same address is the same record on every connection.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use switchboard_model::record;

/// The key of the person who sent this: by e-mail address, else by telephone number, else by the messenger's id of the sender. `None` when
/// there is none of these; then the event stands for itself.
pub fn person_key(data: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| {
        data.get(name)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    if let Some(email) = text("senderEmail").or_else(|| text("email")).and_then(record::email) {
        return Some(key("p", "email", &email));
    }
    let phone = text("senderPhone").or_else(|| text("phone"));
    if let Some(phone) = phone.and_then(|phone| record::phone(phone, None)) {
        return Some(key("p", "phone", &phone));
    }
    let id = text("senderId")?;
    Some(key("p", text("platform").unwrap_or_default(), id))
}

/// The key of the company that this is about, by its name.
pub fn company_key(data: &Map<String, Value>) -> Option<String> {
    ["companyName", "company", "tenantName"]
        .iter()
        .filter_map(|name| data.get(*name).and_then(Value::as_str))
        .map(str::trim)
        .find(|name| !name.is_empty())
        .map(|name| key("c", "name", &name.to_lowercase()))
}

/// Short and opaque, because vendors store it: no address can be read from it.
fn key(prefix: &str, kind: &str, value: &str) -> String {
    let digest = Sha256::new()
        .chain_update(kind)
        .chain_update([0])
        .chain_update(value)
        .finalize();
    format!("{prefix}-{}", hex::encode(&digest[..12]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person(value: Value) -> Option<String> {
        person_key(value.as_object().unwrap())
    }

    #[test]
    fn one_person_has_one_key_however_the_address_is_written() {
        let keys: Vec<_> = ["Ana@Example.org", " ana@example.org ", "ANA@EXAMPLE.ORG"]
            .into_iter()
            .map(|email| person(json!({"senderEmail": email})))
            .collect();
        assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]));
        let phones: Vec<_> = ["+375 29 000-00-00", "00375290000000", "375290000000"]
            .into_iter()
            .map(|phone| person(json!({"senderPhone": phone})))
            .collect();
        assert!(phones[0].is_some() && phones.iter().all(|key| *key == phones[0]));
        assert_ne!(keys[0], phones[0]);
    }

    #[test]
    fn without_any_address_there_is_no_person() {
        for value in [
            json!({}),
            json!({"senderEmail": ""}),
            json!({"senderEmail": 7}),
            json!({"senderPhone": "12"}),
        ] {
            assert_eq!(person(value.clone()), None, "{value}");
        }
        assert!(person(json!({"senderId": "u1", "platform": "telegram"})).is_some());
    }

    #[test]
    fn a_key_tells_nothing_about_the_person_and_is_short() {
        let key = person(json!({"senderEmail": "张三@example.org"})).unwrap();
        assert!(key.len() <= 64 && !key.contains("example"));
    }
}
