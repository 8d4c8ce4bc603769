//! Access tokens: fetched when they are needed, kept in memory, renewed by one caller for all who wait.

use switchboard_connect::auth::Token;
use tokio::sync::Mutex;

/// A token is renewed so long before it expires, in milliseconds.
const EARLY_MS: i64 = 30_000;

/// The token of one connection. The generation tells whether somebody else has renewed it since it was taken.
#[derive(Debug, Default)]
pub struct TokenSlot {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    generation: u64,
    token: Option<Token>,
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
    /// The token; fetched by `fetch` when there is none, when it is about to expire at `now_ms`, or when it is still the one of generation
    /// `refused`. While one caller fetches, the others wait and then get what it got. `fetch` is told the token that is good no more.
    ///
    /// # Errors
    /// What `fetch` answers; the next caller tries again.
    pub async fn get<E>(
        &self,
        refused: Option<u64>,
        now_ms: i64,
        fetch: impl AsyncFnOnce(Option<Token>) -> Result<Fetched, E>,
    ) -> Result<TakenToken, E> {
        let mut held = self.held.lock().await;
        let expired = held.token.as_ref().is_some_and(|token| !is_good(token, now_ms));
        let missing = held.generation == 0;
        let mut fresh = false;
        if missing || expired || refused == Some(held.generation) {
            // Rare, and as large as a call: whoever has a token already need not carry it along.
            held.token = match Box::pin(fetch(held.token.clone())).await? {
                Fetched::Known(token) => token,
                Fetched::New(token) => {
                    fresh = true;
                    Some(token)
                }
            };
            held.generation += 1;
        }
        Ok(TakenToken {
            generation: held.generation,
            token: held.token.clone(),
            fresh,
        })
    }
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
        let slot = TokenSlot::default();
        let fetched = AtomicU32::new(0);
        let fetch = async |_| {
            let count = fetched.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok::<_, ()>(Fetched::New(token(&format!("t{count}"), None)))
        };
        let first = slot.get(None, 0, fetch).await.unwrap();
        let renewals = futures::future::join_all((0..50).map(|_| slot.get(Some(first.generation), 0, fetch))).await;
        assert_eq!(fetched.load(Ordering::SeqCst), 2);
        assert!(
            renewals
                .into_iter()
                .all(|taken| taken.unwrap().token.unwrap().access == "t1")
        );
    }

    #[tokio::test]
    async fn a_token_is_renewed_before_it_expires_and_kept_until_then() {
        let slot = TokenSlot::default();
        let old = async |_| Ok::<_, ()>(Fetched::New(token("old", Some(100_000))));
        let new = async |_| Ok::<_, ()>(Fetched::New(token("new", None)));
        slot.get(None, 0, old).await.unwrap();
        assert_eq!(slot.get(None, 60_000, new).await.unwrap().token.unwrap().access, "old");
        assert_eq!(slot.get(None, 80_000, new).await.unwrap().token.unwrap().access, "new");
    }

    #[tokio::test]
    async fn a_failed_renewal_is_tried_again_by_the_next_caller() {
        let slot = TokenSlot::default();
        assert!(slot.get(None, 0, async |_| Err::<Fetched, _>("down")).await.is_err());
        assert!(
            slot.get(None, 0, async |_| Ok::<_, &str>(Fetched::Known(None)))
                .await
                .unwrap()
                .token
                .is_none()
        );
    }
}
