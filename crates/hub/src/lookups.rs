//! What was looked up at the vendor: ids of what records name. Asked by one caller for all who wait, kept in memory for a while.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use switchboard_connect::connector::{Directory, Question, QuestionId};

/// More answers than this are not kept.
const MOST_KEPT: usize = 10_000;

/// The look-ups of one connection. `E` is why one failed.
#[derive(Debug)]
pub struct Lookups<E> {
    slots: Mutex<HashMap<QuestionId, Arc<Slot<E>>>>,
}

#[derive(Debug)]
struct Slot<E> {
    /// How often asking has failed; tells those who waited meanwhile.
    failures: AtomicU64,
    held: tokio::sync::Mutex<Held<E>>,
}

#[derive(Debug)]
struct Held<E> {
    answer: Option<Kept>,
    failure: Option<E>,
}

#[derive(Debug, Clone)]
struct Kept {
    directory: Arc<Directory>,
    since_ms: i64,
}

impl Kept {
    /// Whether it can still be believed in what it says about this question.
    fn is_good(&self, question: &Question, now_ms: i64) -> bool {
        let lifetime_ms = match self.directory.find(&question.wanted) {
            Some(_) => question.lifetime_ms,
            None => question.absent_ms.min(question.lifetime_ms),
        };
        (0..lifetime_ms).contains(&(now_ms - self.since_ms))
    }
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The vendor's answer.
    pub directory: Arc<Directory>,
    /// Whether it was asked for just now.
    pub fresh: bool,
}

impl<E> Default for Lookups<E> {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
        }
    }
}

impl<E: Clone> Lookups<E> {
    /// The answer to a question: the one that is kept, or what `ask` gets. While one caller asks, the others wait and then get what it got,
    /// a failure too.
    ///
    /// # Errors
    /// What `ask` answers; who comes later tries again.
    pub async fn get(
        &self,
        question: &Question,
        now_ms: i64,
        ask: impl AsyncFnOnce() -> Result<Directory, E>,
    ) -> Result<Found, E> {
        let slot = self.slot(question.id);
        let failures = slot.failures.load(Ordering::Acquire);
        let mut held = slot.held.lock().await;
        if let Some(kept) = held.answer.as_ref().filter(|kept| kept.is_good(question, now_ms)) {
            return Ok(Found {
                directory: Arc::clone(&kept.directory),
                fresh: false,
            });
        }
        if let Some(failure) = held
            .failure
            .as_ref()
            .filter(|_| slot.failures.load(Ordering::Acquire) != failures)
        {
            return Err(failure.clone());
        }
        match ask().await {
            Ok(directory) => {
                let directory = Arc::new(directory);
                held.failure = None;
                held.answer = Some(Kept {
                    directory: Arc::clone(&directory),
                    since_ms: now_ms,
                });
                Ok(Found { directory, fresh: true })
            }
            Err(failure) => {
                held.failure = Some(failure.clone());
                slot.failures.fetch_add(1, Ordering::AcqRel);
                Err(failure)
            }
        }
    }

    /// Believes no more what was answered to these questions.
    pub fn forget(&self, questions: &[QuestionId]) {
        let mut slots = self.slots.lock();
        for question in questions {
            slots.remove(question);
        }
    }

    fn slot(&self, id: QuestionId) -> Arc<Slot<E>> {
        let mut slots = self.slots.lock();
        if slots.len() >= MOST_KEPT && !slots.contains_key(&id) {
            // Those that somebody waits for stay.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        let slot = slots.entry(id).or_insert_with(|| {
            Arc::new(Slot {
                failures: AtomicU64::new(0),
                held: tokio::sync::Mutex::new(Held {
                    answer: None,
                    failure: None,
                }),
            })
        });
        Arc::clone(slot)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use futures::future::join_all;

    use super::*;

    fn question(wanted: &str) -> Question {
        Question::new([7; 32], wanted, 60_000, 1_000)
    }

    fn directory(names: &[&str]) -> Directory {
        Directory::of(
            names
                .iter()
                .map(|name| (vec![(*name).to_owned()], format!("id-{name}").into())),
        )
    }

    #[tokio::test]
    async fn many_who_want_the_same_wait_for_one_call() {
        let lookups = Lookups::<()>::default();
        let asked = AtomicU32::new(0);
        let ask = async || {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(directory(&["анна"]))
        };
        let question = question("Анна");
        let found = join_all((0..50).map(|_| lookups.get(&question, 0, ask))).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(found.iter().all(|found| {
            found
                .as_ref()
                .is_ok_and(|found| found.directory.find("АННА ").is_some())
        }));
        assert_eq!(
            found
                .iter()
                .filter(|found| found.as_ref().is_ok_and(|found| found.fresh))
                .count(),
            1
        );
    }

    #[tokio::test]
    async fn an_answer_is_believed_for_its_lifetime_and_an_absence_for_a_shorter_one() {
        let lookups = Lookups::<()>::default();
        let asked = AtomicU32::new(0);
        let ask = async || {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(directory(&["here"]))
        };
        for (wanted, at_ms, calls) in [
            ("here", 0, 1),
            ("here", 59_999, 1),
            ("gone", 900, 1),
            ("gone", 1_000, 2),
            ("here", 1_001, 2),
            ("here", 61_001, 3),
        ] {
            if at_ms == 900 {
                lookups.forget(&[[7; 32]]);
                asked.store(0, Ordering::SeqCst);
                lookups.get(&question("here"), 0, ask).await.unwrap();
            }
            lookups.get(&question(wanted), at_ms, ask).await.unwrap();
            assert_eq!(asked.load(Ordering::SeqCst), calls, "{wanted} at {at_ms}");
        }
    }

    #[tokio::test]
    async fn those_who_waited_share_a_failure_and_the_next_one_asks_again() {
        let lookups = Lookups::<&str>::default();
        let asked = AtomicU32::new(0);
        let down = async || {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err("down")
        };
        let question = question("x");
        let failed = join_all((0..20).map(|_| lookups.get(&question, 0, down))).await;
        assert!(failed.iter().all(Result::is_err));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(lookups.get(&question, 0, async || Ok(directory(&["x"]))).await.is_ok());
    }
}
