//! What happens in a run: decided from the seed alone, before anything is started.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;
use serde_json::{Value, json};
use switchboard_hub::failpoint;

use super::people::Person;

/// Senders that post at the same time. Each has people of its own, so that the order of what one person wrote is known.
const SENDERS: u32 = 4;
/// People of one sender.
const PEOPLE: u32 = 3;
/// Events of one sender between two kills: from, to. A run has fewer than the 100 rows that Notion shows on one page: with more, a row
/// without our id cannot be told to be missing, and the hub rightly leaves that to a person.
const EVENTS: std::ops::RangeInclusive<u32> = 2..=4;
/// Kills of a run: from, to.
const KILLS: std::ops::RangeInclusive<u32> = 1..=4;

/// How the connectors of a run find out what became of a write whose answer is lost. All connections of a run have the same
/// means, so that it is known which one a kill met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The write is sent again; our key makes it the same record.
    Upsert,
    /// The write is sent again; the receiver knows the key of the message.
    IdempotencyKey,
    /// The vendor is asked whether the record is there.
    Probe,
}

impl Means {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Upsert, Self::IdempotencyKey, Self::Probe];
}

/// One end of the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kill {
    /// So long after it was ready.
    After {
        /// Milliseconds.
        ms: u64,
    },
    /// By itself, when it reaches a place for the nth time.
    At {
        /// One of [`failpoint::ALL`].
        place: &'static str,
        /// Counted from 1.
        nth: u64,
    },
    /// While a vendor holds back the answer to a write that it has carried out.
    Unanswered {
        /// So many writes are answered before.
        skip: u64,
    },
}

impl Kill {
    /// Whether it falls between the intent of a write and the record of its outcome.
    pub fn is_in_send_window(self) -> bool {
        match self {
            Self::After { .. } => false,
            Self::At { place, .. } => place == failpoint::INTENT || place == failpoint::SENT,
            Self::Unanswered { .. } => true,
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in the run, which its text begins with.
    pub number: u32,
    /// Who wrote it.
    pub person: Person,
}

impl Event {
    /// What is posted.
    pub fn body(&self, mark: &str) -> Value {
        let mut data = json!({
            "tenantName": "示例公司 Example Ltd",
            "senderName": self.person.name,
            "category": "技术支持",
            "platform": "whatsapp",
            "messageContent": format!("{} привет 你好 xin chào", reference(mark, self.number)),
        });
        let (name, address) = self.person.address();
        data[name] = address.into();
        json!({ "type": "message.received", "data": data })
    }
}

/// How an event is recognised in what a vendor holds.
pub fn reference(mark: &str, number: u32) -> String {
    format!("[{mark}-{number:05}]")
}

/// One request to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its Idempotency-Key.
    pub key: String,
    /// Places in [`Plan::events`]; more than one is a batch.
    pub events: Vec<usize>,
    /// It is posted when the hub has been started more than so many times.
    pub generation: u32,
    /// If no answer comes, it is left at that. All others are posted again until they are answered.
    pub given_up: bool,
    /// It is posted once more although it was answered.
    pub repeated: bool,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its number, from 0.
    pub run: u32,
    /// Decides everything else.
    pub seed: u64,
    /// Marks its events.
    pub mark: String,
    /// What all its connections have in common.
    pub means: Means,
    /// Of two ways to configure vendors of these means, which.
    pub variant: bool,
    /// The ends of the hub, in their order.
    pub kills: Vec<Kill>,
    /// Every event once.
    pub events: Vec<Event>,
    /// What each sender posts, in this order, one after the other.
    pub senders: Vec<Vec<Post>>,
}

/// The run of this number. Runs of the same seed differ, and three in a row have one of each means.
pub fn plan(seed: u64, run: u32) -> Plan {
    let mut chance = chance(seed, run);
    let kills: Vec<Kill> = (0..chance.random_range(KILLS)).map(|_| kill(&mut chance)).collect();
    let segments = kills.len() as u32 + 1;
    let per_segment = chance.random_range(EVENTS);
    assemble(seed, run, kills, (segments, per_segment), &mut chance)
}

/// A run without kills of its own, with so many events per sender: for several nodes.
pub fn steady(seed: u64, run: u32, events: u32) -> Plan {
    assemble(seed, run, Vec::new(), (1, events), &mut chance(seed, run))
}

fn chance(seed: u64, run: u32) -> StdRng {
    StdRng::seed_from_u64(seed ^ u64::from(run + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn assemble(seed: u64, run: u32, kills: Vec<Kill>, (segments, events): (u32, u32), chance: &mut StdRng) -> Plan {
    let mut plan = Plan {
        run,
        seed: chance.random(),
        mark: format!("c{seed}-{run}"),
        means: Means::ALL[run as usize % Means::ALL.len()],
        variant: chance.random_bool(0.5),
        kills,
        events: Vec::new(),
        senders: Vec::new(),
    };
    for sender in 0..SENDERS {
        let mut posts = Vec::new();
        for generation in 0..segments {
            let mut left = events;
            while left > 0 {
                let size = if chance.random_bool(0.3) {
                    left.min(chance.random_range(2..=4))
                } else {
                    1
                };
                left -= size;
                let first = plan.events.len();
                for number in first..first + size as usize {
                    let person = Person::nth(sender * PEOPLE + chance.random_range(0..PEOPLE), &plan.mark);
                    plan.events.push(Event {
                        number: number as u32,
                        person,
                    });
                }
                posts.push(Post {
                    key: format!("{}-{first}", plan.mark),
                    events: (first..plan.events.len()).collect(),
                    generation,
                    given_up: chance.random_bool(0.2),
                    repeated: chance.random_bool(0.1),
                });
            }
        }
        plan.senders.push(posts);
    }
    plan
}

/// More than half of the kills are in the send window.
fn kill(chance: &mut StdRng) -> Kill {
    let at = |place, nth| Kill::At { place, nth };
    match chance.random_range(0..100) {
        0..20 => at(failpoint::INTENT, chance.random_range(1..=6)),
        20..42 => at(failpoint::SENT, chance.random_range(1..=6)),
        42..57 => Kill::Unanswered {
            skip: chance.random_range(0..=4),
        },
        57..82 => Kill::After {
            ms: chance.random_range(0..=250),
        },
        82..90 => at(failpoint::ACCEPTED, chance.random_range(1..=6)),
        90..97 => at(failpoint::SETTLED, chance.random_range(1..=6)),
        // Reached once per start by a connector that fetches tokens; the others are killed when they do not reach it.
        _ => at(failpoint::TOKEN, 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_and_number_make_the_same_run_and_others_make_others() {
        assert_eq!(plan(1, 7), plan(1, 7));
        assert_ne!(plan(1, 7), plan(1, 8));
        assert_ne!(plan(1, 7).kills, plan(2, 7).kills);
    }

    #[test]
    fn no_run_has_more_events_than_a_vendor_shows_on_a_page() {
        assert!((0..200).all(|run| plan(9, run).events.len() < 100));
    }

    #[test]
    fn three_runs_in_a_row_have_one_of_each_means() {
        for first in 0..6 {
            let means: HashSet<_> = (first..first + 3).map(|run| plan(1, run).means).collect();
            assert_eq!(means.len(), 3);
        }
    }

    #[test]
    fn at_least_a_third_of_the_kills_fall_into_the_send_window_for_every_means() {
        for seed in 1..20 {
            for means in 0..3 {
                let kills: Vec<Kill> = (0..60).flat_map(|run| plan(seed, run * 3 + means).kills).collect();
                let inside = kills.iter().filter(|kill| kill.is_in_send_window()).count();
                assert!(inside * 3 >= kills.len(), "{inside} of {}", kills.len());
            }
        }
    }

    #[test]
    fn what_one_person_writes_is_posted_by_one_sender_in_the_order_of_its_numbers() {
        for run in 0..30 {
            let plan = plan(3, run);
            let mut people = HashSet::new();
            let mut posted = Vec::new();
            for posts in &plan.senders {
                let events: Vec<usize> = posts.iter().flat_map(|post| post.events.clone()).collect();
                assert!(events.is_sorted());
                let own: HashSet<_> = events.iter().map(|event| plan.events[*event].person.clone()).collect();
                assert!(own.is_disjoint(&people));
                assert!(posts.windows(2).all(|pair| pair[0].generation <= pair[1].generation));
                people.extend(own);
                posted.extend(events);
            }
            posted.sort_unstable();
            assert!(posted.into_iter().eq(0..plan.events.len()));
        }
    }
}
