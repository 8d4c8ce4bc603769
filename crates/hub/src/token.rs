//! Access tokens: fetched when they are needed, kept in memory, renewed by one caller for all who wait.

use switchboard_connect::auth::Token;
use switchboard_model::problem::Problem;
use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};

use crate::{clock::Clock, lane::PATIENCE};

/// A token is renewed so long before it expires, in milliseconds.
const EARLY_MS: i64 = 30_000;
/// After a failure nobody but a person asks again for so long, in milliseconds; longer where the vendor names a longer time. Not longer than
/// the shortest wait of a circuit, which is what spaces out the tries that follow.
const PAUSE_MS: i64 = 500;

/// Who needs a token.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'a> {
    /// A person, who is not let wait for ever and asks whatever others were told.
    Person,
    /// A lane, until this becomes true: then what waits for its turn is given up.
    Lane(&'a watch::Receiver<bool>),
    /// Nobody waits for it.
    Upkeep,
}

impl Asker<'_> {
    /// Whether it is a person.
    pub fn is_person(self) -> bool {
        matches!(self, Self::Person)
    }
}

/// Why there is no token.
#[derive(Debug, Clone)]
pub enum TokenError {
    /// The credentials are dead, or the account is shut out.
    Denied(String),
    /// None now. That says nothing about what waits for it.
    Later(Later),
    /// The connection itself is at fault: a person has to mend it.
    Broken(Problem),
}

/// Why there is no token now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// In words.
    pub message: String,
    /// Whose doing it is.
    pub cause: Cause,
    /// Nobody but a person asks again before this moment, Unix milliseconds.
    pub until_ms: i64,
    /// Whether it is another caller's failure that this one is told.
    pub shared: bool,
}

/// Whose doing it is that there is no token now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Our own: the store failed, or the credentials are being changed.
    Own,
    /// The vendor wants fewer calls.
    Throttled,
    /// The vendor was asked and gave none.
    Outage,
}

impl Later {
    /// A failure at `now_ms`; `after_ms` is the wait that was asked for.
    pub fn new(message: impl Into<String>, cause: Cause, now_ms: i64, after_ms: Option<u64>) -> Self {
        let asked_ms = after_ms.map_or(0, |after| i64::try_from(after).unwrap_or(i64::MAX));
        Self {
            message: message.into(),
            cause,
            until_ms: now_ms.saturating_add(asked_ms.max(PAUSE_MS)),
            shared: false,
        }
    }
}

impl TokenError {
    /// Until when it is told to others, Unix milliseconds.
    fn until_ms(&self, now_ms: i64) -> i64 {
        match self {
            Self::Later(later) => later.until_ms,
            Self::Denied(_) | Self::Broken(_) => now_ms.saturating_add(PAUSE_MS),
        }
    }

    /// The same for somebody who has not asked.
    fn shared(&self) -> Self {
        match self {
            Self::Later(later) => Self::Later(Later {
                shared: true,
                ..later.clone()
            }),
            other => other.clone(),
        }
    }
}

/// The token of one connection. The generation tells whether somebody else has renewed it since it was taken.
#[derive(Debug, Default)]
pub struct TokenSlot {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    generation: u64,
    token: Option<Token>,
    /// Whether the vendor has refused it: it is of no use any more, also when there is no other one yet.
    spent: bool,
    /// Why the last caller got none, and until when that is told to those who come after.
    failure: Option<(TokenError, i64)>,
}

/// A token and its generation.
#[derive(Debug, Clone)]
pub struct TakenToken {
    /// For [`TokenSlot::get`], when the vendor refuses it.
    pub generation: u64,
    /// `None`: this kind of authentication needs none.
    pub token: Option<Token>,
    /// Whether the vendor gave it to this caller just now.
    pub fresh: bool,
}

impl TokenSlot {
    /// The token; fetched by `fetch` when there is none, when it is about to expire, or when it is still the one of generation `refused`. While
    /// one caller fetches, the others wait and then get what it got, a failure too; that is told for a while to those who come after. A
    /// person (`who`) asks all the same, and is not let wait for ever. `fetch` is told the token that is good no more.
    ///
    /// # Errors
    /// What `fetch` answers, now or a while ago.
    pub async fn get(
        &self,
        refused: Option<u64>,
        who: Asker<'_>,
        clock: &dyn Clock,
        fetch: impl AsyncFnOnce(Option<Token>) -> Result<Fetched, TokenError>,
    ) -> Result<TakenToken, TokenError> {
        let mut held = match who.is_person() {
            false => self.held.lock().await,
            true => match timeout(PATIENCE, self.held.lock()).await {
                Ok(held) => held,
                Err(_) => return Err(TokenError::Later(not_my_turn(clock.now_ms()))),
            },
        };
        let now_ms = clock.now_ms();
        let expired = held.token.as_ref().is_some_and(|token| !is_good(token, now_ms));
        let missing = held.generation == 0;
        held.spent |= refused == Some(held.generation);
        let mut fresh = false;
        if missing || expired || held.spent {
            if let Some((failure, until_ms)) = &held.failure
                && !who.is_person()
                && *until_ms > now_ms
            {
                return Err(failure.shared());
            }
            // Rare, and as large as a call: whoever has a token already need not carry it along.
            held.token = match Box::pin(fetch(held.token.clone())).await {
                Ok(Fetched::Known(token)) => token,
                Ok(Fetched::New(token)) => {
                    fresh = true;
                    Some(token)
                }
                Err(error) => {
                    held.failure = Some((error.clone(), error.until_ms(clock.now_ms())));
                    return Err(error);
                }
            };
            (held.failure, held.spent) = (None, false);
            held.generation += 1;
        }
        Ok(TakenToken {
            generation: held.generation,
            token: held.token.clone(),
            fresh,
        })
    }
}

/// What a person is told whose turn does not come.
pub fn not_my_turn(now_ms: i64) -> Later {
    let message = "the calls that the vendor allows on this account are spent, or it is slow to give a token";
    Later::new(message, Cause::Throttled, now_ms, None)
}

/// What a caller who needs a token got.
#[derive(Debug)]
pub enum Fetched {
    /// Somebody else has fetched it before; `None`: this kind of authentication needs none.
    Known(Option<Token>),
    /// The vendor gave it just now.
    New(Token),
}

/// Whether the token is good for a while at `now_ms`.
pub fn is_good(token: &Token, now_ms: i64) -> bool {
    token.expires_at_ms.is_none_or(|at| at - EARLY_MS > now_ms)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::clock::ManualClock;

    fn token(name: &str, expires_at_ms: Option<i64>) -> Token {
        Token {
            access: name.into(),
            expires_at_ms,
            facts: Default::default(),
            grant_ends_ms: None,
            replaced_secrets: Default::default(),
        }
    }

    #[tokio::test]
    async fn one_of_many_waiters_renews_a_refused_token_and_all_get_the_new_one() {
        let (slot, clock) = (TokenSlot::default(), ManualClock::at(0));
        let fetched = AtomicU32::new(0);
        let fetch = async |_| {
            let count = fetched.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(Fetched::New(token(&format!("t{count}"), None)))
        };
        let first = slot.get(None, Asker::Upkeep, &clock, fetch).await.unwrap();
        let renewals = (0..50).map(|_| slot.get(Some(first.generation), Asker::Upkeep, &clock, fetch));
        let renewals = futures::future::join_all(renewals).await;
        assert_eq!(fetched.load(Ordering::SeqCst), 2);
        assert!(
            renewals
                .into_iter()
                .all(|taken| taken.unwrap().token.unwrap().access == "t1")
        );
    }

    #[tokio::test]
    async fn a_token_is_renewed_before_it_expires_and_kept_until_then() {
        let (slot, clock) = (TokenSlot::default(), ManualClock::at(0));
        let old = async |_| Ok(Fetched::New(token("old", Some(100_000))));
        let new = async |_| Ok(Fetched::New(token("new", None)));
        let access = async |taken: Result<TakenToken, TokenError>| taken.unwrap().token.unwrap().access;
        slot.get(None, Asker::Upkeep, &clock, old).await.unwrap();
        clock.advance(60_000);
        let kept = slot.get(None, Asker::Upkeep, &clock, new).await;
        assert_eq!(access(kept).await, "old");
        clock.advance(20_000);
        let renewed = slot.get(None, Asker::Upkeep, &clock, new).await;
        assert_eq!(access(renewed).await, "new");
    }

    #[tokio::test]
    async fn all_who_wait_share_one_failure_and_the_next_one_is_not_before_the_time_that_was_named() {
        let (slot, clock) = (TokenSlot::default(), ManualClock::at(0));
        let asked = AtomicU32::new(0);
        let fetch = async |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err::<Fetched, _>(TokenError::Later(Later::new("busy", Cause::Throttled, 0, Some(60_000))))
        };
        let all = (0..50).map(|_| slot.get(None, Asker::Upkeep, &clock, fetch));
        let failures = futures::future::join_all(all).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let shared = failures.iter().filter(|failure| match failure {
            Err(TokenError::Later(later)) => later.shared && later.until_ms == 60_000,
            _ => false,
        });
        assert_eq!(shared.count(), 49, "all but the one who asked");
        clock.advance(59_999);
        assert!(slot.get(None, Asker::Upkeep, &clock, fetch).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(slot.get(None, Asker::Person, &clock, fetch).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 2, "a person asks all the same");
        clock.advance(1);
        let none = async |_| Ok(Fetched::Known(None));
        let taken = slot.get(None, Asker::Upkeep, &clock, none).await;
        assert!(taken.unwrap().token.is_none());
    }

    #[tokio::test]
    async fn a_token_that_was_refused_is_given_to_nobody_also_when_there_is_no_other_one_yet() {
        let (slot, clock) = (TokenSlot::default(), ManualClock::at(0));
        let old = async |_| Ok(Fetched::New(token("old", None)));
        let down = async |_| Err(TokenError::Later(Later::new("503", Cause::Outage, 0, None)));
        let first = slot.get(None, Asker::Upkeep, &clock, old).await.unwrap();
        let failed = slot.get(Some(first.generation), Asker::Upkeep, &clock, down).await;
        assert!(failed.is_err());
        let next = slot.get(None, Asker::Upkeep, &clock, old).await;
        assert!(matches!(next, Err(TokenError::Later(later)) if later.shared));
        clock.advance(PAUSE_MS);
        let new = async |stale: Option<Token>| {
            assert_eq!(stale.unwrap().access, "old");
            Ok(Fetched::New(token("new", None)))
        };
        let renewed = slot.get(None, Asker::Upkeep, &clock, new).await.unwrap();
        assert_eq!(renewed.token.unwrap().access, "new");
    }

    #[tokio::test]
    async fn dead_credentials_are_shown_to_the_vendor_once_for_all_who_wait() {
        let (slot, clock) = (TokenSlot::default(), ManualClock::at(0));
        let asked = AtomicU32::new(0);
        let fetch = async |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err::<Fetched, _>(TokenError::Denied("invalid_grant".into()))
        };
        let all = (0..50).map(|_| slot.get(None, Asker::Upkeep, &clock, fetch));
        let failures = futures::future::join_all(all).await;
        assert!(
            failures
                .iter()
                .all(|failure| matches!(failure, Err(TokenError::Denied(_))))
        );
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        clock.advance(PAUSE_MS);
        assert!(slot.get(None, Asker::Upkeep, &clock, fetch).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_does_not_wait_for_ever_behind_a_lane_that_waits_for_its_turn() {
        let (slot, clock) = (TokenSlot::default(), ManualClock::at(0));
        let never = async |_| std::future::pending::<Result<Fetched, TokenError>>().await;
        let waits = slot.get(None, Asker::Upkeep, &clock, never);
        let person = slot.get(None, Asker::Person, &clock, async |_| Ok(Fetched::Known(None)));
        tokio::select! {
            biased;
            _ = waits => panic!("it never comes"),
            told = person => assert!(matches!(told, Err(TokenError::Later(_))), "{told:?}"),
        }
    }
}
