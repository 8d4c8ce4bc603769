//! Makes the events of a run: pure, the same for the same seed.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};

use super::{person::Person, scenario::CATEGORIES, text};

/// Longest message, in bytes.
const LONGEST: usize = 64 * 1024;
const PLATFORMS: [&str; 6] = ["whatsapp", "telegram", "wechat", "slack", "email", "facebook"];
const PRIORITIES: [&str; 3] = ["high", "medium", "low"];
const TENANT: &str = "示例公司 Example Ltd";

/// One event that is posted, and what a verdict needs to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its number in the run; its text begins with a reference to it.
    pub number: u32,
    /// The id that the sender gives it.
    pub id: String,
    /// Its category; `None` when the classifier found none.
    pub category: Option<&'static str>,
    /// Who wrote it.
    pub person: Person,
    /// The event's data.
    pub data: Map<String, Value>,
}

impl Message {
    /// What is posted.
    pub fn body(&self) -> Value {
        json!({ "type": "message.received", "id": self.id, "data": self.data })
    }
}

/// One request to the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Numbers of messages; more than one is a batch.
    pub messages: Vec<u32>,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Every message once, in the order of their numbers.
    pub messages: Vec<Message>,
    /// What is posted in which order; some messages are posted twice, as happens in real life.
    pub posts: Vec<Post>,
}

/// Marks the messages of a run.
pub fn reference(seed: u64, number: u32) -> String {
    format!("[{seed}-{number:06}]")
}

/// Makes a run of `events` messages.
pub fn generate(events: u32, seed: u64) -> Run {
    let mut chance = StdRng::seed_from_u64(seed);
    let messages: Vec<Message> = (0..events)
        .map(|number| message(number, events, seed, &mut chance))
        .collect();
    let posts = posts(events, &mut chance);
    Run { messages, posts }
}

/// One more message after a run: live traffic.
pub fn one_more(number: u32, seed: u64) -> Message {
    let mut chance = StdRng::seed_from_u64(seed ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    message(number, number.max(30), seed, &mut chance)
}

fn message(number: u32, events: u32, seed: u64, chance: &mut StdRng) -> Message {
    // About three messages per person.
    let person = Person::nth(chance.random_range(0..events.div_ceil(3).max(1)) as usize, seed);
    let category = (!chance.random_bool(0.05)).then(|| CATEGORIES[chance.random_range(0..CATEGORIES.len())]);
    let words = if chance.random_bool(0.01) {
        let bytes = chance.random_range(2_000..LONGEST - 64);
        text::long(person.language, bytes)
    } else {
        text::short(person.language, chance.random_range(0..8)).to_owned()
    };
    let id = format!("m-{seed}-{number}");
    let mut data = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(name.to_owned(), value);
        }
    };
    put("messageId", Some(id.clone().into()));
    put("tenantName", Some(TENANT.into()));
    put("senderName", person.name.clone().map(Value::from));
    // Mail programs write the same address in different ways.
    let email = person.email.clone().map(|email| {
        if chance.random_bool(0.2) {
            email.to_uppercase()
        } else {
            email
        }
    });
    put("senderEmail", email.map(Value::from));
    put("senderPhone", person.phone.clone().map(Value::from));
    put("category", category.map(Value::from));
    put(
        "priority",
        chance
            .random_bool(0.9)
            .then(|| PRIORITIES[chance.random_range(0..PRIORITIES.len())].into()),
    );
    put(
        "platform",
        chance
            .random_bool(0.95)
            .then(|| PLATFORMS[chance.random_range(0..PLATFORMS.len())].into()),
    );
    let received = format!(
        "2026-11-{:02}T{:02}:{:02}:{:02}Z",
        1 + number % 28,
        number % 24,
        number % 60,
        number / 60 % 60
    );
    put("receivedAt", chance.random_bool(0.9).then(|| received.into()));
    put(
        "messageContent",
        Some(format!("{} {words}", reference(seed, number)).into()),
    );
    Message {
        number,
        id,
        category,
        person,
        data,
    }
}

/// Nine of ten messages come alone, the others in batches; one of twenty comes twice, at once or later.
fn posts(events: u32, chance: &mut StdRng) -> Vec<Post> {
    let mut posts = Vec::new();
    let mut number = 0;
    while number < events {
        let length = if chance.random_bool(0.01) {
            chance.random_range(2..25)
        } else {
            1
        };
        let end = events.min(number + length);
        posts.push(Post {
            messages: (number..end).collect(),
        });
        number = end;
    }
    let again: Vec<u32> = (0..events).filter(|_| chance.random_bool(0.05)).collect();
    for number in again {
        let at = chance.random_range(0..=posts.len());
        posts.insert(at, Post { messages: vec![number] });
    }
    posts
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_run_and_another_seed_another() {
        assert_eq!(generate(200, 7), generate(200, 7));
        assert_ne!(generate(200, 7), generate(200, 8));
    }

    #[test]
    fn every_message_is_posted_and_some_are_posted_twice() {
        let run = generate(2000, 7);
        let mut times: HashMap<u32, u32> = HashMap::new();
        for number in run.posts.iter().flat_map(|post| &post.messages) {
            *times.entry(*number).or_default() += 1;
        }
        assert_eq!(times.len(), 2000);
        let twice = times.values().filter(|times| **times > 1).count();
        assert!((50..200).contains(&twice), "{twice}");
        assert!(run.posts.iter().any(|post| post.messages.len() > 1));
    }

    #[test]
    fn a_run_has_what_real_life_has() {
        let run = generate(2000, 7);
        let texts: Vec<&str> = run
            .messages
            .iter()
            .filter_map(|m| m.data["messageContent"].as_str())
            .collect();
        assert!(texts.iter().any(|text| text.len() > 30_000) && texts.iter().all(|text| text.len() <= LONGEST));
        for letters in ["您好", "Здравствуйте", "Xin chào", "مرحبا", "😭"] {
            assert!(texts.iter().any(|text| text.contains(letters)), "{letters}");
        }
        let people: HashSet<_> = run.messages.iter().filter_map(|m| m.person.email.clone()).collect();
        assert!(people.len() < 900, "people write more than once: {}", people.len());
        for missing in [
            "senderEmail",
            "senderName",
            "category",
            "priority",
            "platform",
            "receivedAt",
        ] {
            assert!(run.messages.iter().any(|m| !m.data.contains_key(missing)), "{missing}");
        }
        assert!(run.messages.iter().all(|m| {
            m.data["messageContent"]
                .as_str()
                .unwrap()
                .starts_with(&reference(7, m.number))
        }));
    }
}
