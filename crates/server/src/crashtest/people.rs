//! The people who write: few of them, so that their records are changed again and again.

use serde_json::Value;

/// Somebody who writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// Their name, which nobody else of the run has.
    pub name: String,
    /// At example.org; or else they have a telephone.
    email: Option<String>,
    /// From a range that is reserved for fiction.
    phone: String,
}

impl Person {
    /// The `index`-th person of a run with this mark. One in four gives a telephone number and no e-mail address.
    pub fn nth(index: u32, mark: &str) -> Self {
        const NAMES: [&str; 4] = ["王小明", "Анна Ёлкина", "Nguyễn Văn An", "Zoë O'Brien"];
        let name = NAMES[index as usize % NAMES.len()];
        Self {
            name: format!("{name} {index}"),
            email: (index % 4 != 3).then(|| format!("p{index}.{mark}@example.org")),
            phone: format!("+1201555{:04}", 100 + index % 100),
        }
    }

    /// The member of an event that tells where they can be reached, and its value.
    pub fn address(&self) -> (&'static str, &str) {
        match &self.email {
            Some(email) => ("senderEmail", email),
            None => ("senderPhone", &self.phone),
        }
    }

    /// What tells them apart.
    pub fn identity(&self) -> String {
        identity(self.address().1)
    }

    /// Who a vendor's record is about: its first text under a key like `Email`, else `Phone`.
    pub fn identity_in(record: &Value) -> Option<String> {
        let field = |wanted: &str| {
            let mut found = texts(record).into_iter();
            found.find(|(name, text)| name.eq_ignore_ascii_case(wanted) && !text.is_empty())
        };
        let (_, address) = field("email").or_else(|| field("phone"))?;
        Some(identity(address))
    }
}

/// E-mail addresses without regard to case, telephone numbers without regard to how they are written.
fn identity(address: &str) -> String {
    if address.contains('@') {
        address.to_lowercase()
    } else {
        address.chars().filter(char::is_ascii_digit).collect()
    }
}

/// Every text of a value with the key that it stands under.
pub fn texts(value: &Value) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut open = vec![("", value)];
    while let Some((key, value)) = open.pop() {
        match value {
            Value::String(text) => found.push((key, text.as_str())),
            Value::Array(items) => open.extend(items.iter().map(|item| (key, item))),
            Value::Object(members) => open.extend(members.iter().map(|(key, value)| (key.as_str(), value))),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_are_recognised_in_the_records_of_every_vendor() {
        for index in 0..8 {
            let person = Person::nth(index, "c1-1");
            let address = person.address().1;
            let field = if address.contains('@') { "Email" } else { "Phone" };
            for record in [
                json!({"Id": "1", field: address, "LastName": "x"}),
                json!({"properties": {"email": null, field.to_lowercase(): address.to_uppercase()}}),
            ] {
                assert_eq!(Person::identity_in(&record), Some(person.identity()), "{record}");
            }
        }
        assert_eq!(Person::identity_in(&json!({"Id": "1"})), None);
    }

    #[test]
    fn nobody_shares_an_address() {
        let identities: std::collections::HashSet<_> = (0..100).map(|i| Person::nth(i, "m").identity()).collect();
        assert_eq!(identities.len(), 100);
    }
}
