//! How much waits for the store. When it falls behind, senders are told to wait instead of filling the memory.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use switchboard_model::problem::{Code, Problem};

/// So many bytes of events may wait at once.
const MOST_BYTES: usize = 64 << 20;

/// Events and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Load {
    events: usize,
    bytes: usize,
}

/// Counts what waits. Clones are the same counter.
#[derive(Debug, Clone)]
pub struct Waiting {
    most: Load,
    now: Arc<Mutex<Load>>,
}

/// The right of one request to wait; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    most: Load,
    now: Arc<Mutex<Load>>,
    load: Load,
}

/// Work that holds a place until it is done. It goes on when nobody waits for it any more: a sender that hangs up leaves what it has sent in the
/// store's queue, and that counts until it is gone from there.
pub(super) struct Held<T: Send + 'static> {
    work: Option<BoxFuture<'static, T>>,
    place: Option<Place>,
}

impl<T: Send + 'static> Held<T> {
    pub(super) fn new(place: Place, work: impl Future<Output = T> + Send + 'static) -> Self {
        Self {
            work: Some(Box::pin(work)),
            place: Some(place),
        }
    }
}

impl<T: Send + 'static> Future for Held<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        let Some(work) = &mut this.work else {
            return Poll::Pending;
        };
        let done = ready!(work.as_mut().poll(context));
        this.work = None;
        this.place = None;
        Poll::Ready(done)
    }
}

impl<T: Send + 'static> Drop for Held<T> {
    fn drop(&mut self) {
        let (Some(work), place) = (self.work.take(), self.place.take()) else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                work.await;
                drop(place);
            });
        }
    }
}

impl Waiting {
    /// At most `events` wait at once.
    pub fn new(events: usize) -> Self {
        Self {
            most: Load {
                events: events.max(1),
                bytes: MOST_BYTES,
            },
            now: Arc::default(),
        }
    }

    /// Takes places for a request. One that is larger than the limit alone gets them when nothing else waits.
    ///
    /// # Errors
    /// [`Code::Busy`].
    pub fn enter(&self, events: usize, bytes: usize) -> Result<Place, Problem> {
        let mut now = self.now.lock();
        let then = Load {
            events: now.events.saturating_add(events),
            bytes: now.bytes.saturating_add(bytes),
        };
        let is_over = then.events > self.most.events || then.bytes > self.most.bytes;
        if is_over && *now != Load::default() {
            return Err(busy(*now));
        }
        *now = then;
        Ok(Place {
            most: self.most,
            now: Arc::clone(&self.now),
            load: Load { events, bytes },
        })
    }

    /// A place that takes no room yet.
    pub fn begin(&self) -> Place {
        Place {
            most: self.most,
            now: Arc::clone(&self.now),
            load: Load::default(),
        }
    }

    /// Whether a request of any size would be let in.
    ///
    /// # Errors
    /// [`Code::Busy`].
    pub fn has_room(&self) -> Result<(), Problem> {
        let now = *self.now.lock();
        if now.events >= self.most.events || now.bytes >= self.most.bytes {
            return Err(busy(now));
        }
        Ok(())
    }
}

impl Place {
    /// Takes room for further bytes, as they come. A request that is larger than the limit alone gets it while nothing else waits.
    ///
    /// # Errors
    /// [`Code::Busy`].
    pub fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let mut now = self.now.lock();
        let then = now.bytes.saturating_add(bytes);
        if then > self.most.bytes && now.bytes > self.load.bytes {
            return Err(busy(*now));
        }
        now.bytes = then;
        self.load.bytes = self.load.bytes.saturating_add(bytes);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut now = self.now.lock();
        now.events = now.events.saturating_sub(self.load.events);
        now.bytes = now.bytes.saturating_sub(self.load.bytes);
    }
}

/// More is owed than this node can send soon.
pub(super) fn behind() -> Problem {
    Problem::new(
        Code::Busy,
        "this hub cannot send as fast as events come in; nothing of this request was kept",
        "Wait as long as the header Retry-After says and send it again.",
    )
}

fn busy(now: Load) -> Problem {
    Problem::new(
        Code::Busy,
        format!(
            "{} events ({} bytes) wait already to be stored; nothing of this request was kept",
            now.events, now.bytes
        ),
        "Wait as long as the header Retry-After says and send it again. The limit is the setting limits.waiting_events.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_refused_while_the_limit_would_be_passed_and_taken_when_there_is_room_again() {
        let waiting = Waiting::new(3);
        let first = waiting.enter(2, 10).unwrap();
        assert!(waiting.has_room().is_ok());
        assert_eq!(waiting.enter(2, 10).unwrap_err().code, Code::Busy);
        let second = waiting.enter(1, 10).unwrap();
        assert_eq!(waiting.has_room().unwrap_err().code, Code::Busy);
        drop(first);
        let third = waiting.enter(2, 10).unwrap();
        drop((second, third));
        assert_eq!(*waiting.now.lock(), Load::default());
    }

    #[test]
    fn bytes_count_like_events() {
        let waiting = Waiting::new(1_000);
        let _first = waiting.enter(1, MOST_BYTES - 5).unwrap();
        assert!(waiting.enter(1, 6).is_err());
        assert!(waiting.enter(1, 5).is_ok());
    }

    #[test]
    fn what_arrives_takes_room_as_it_comes_and_gives_it_back() {
        let waiting = Waiting::new(10);
        let (mut one, mut other) = (waiting.begin(), waiting.begin());
        one.grow(MOST_BYTES - 10).unwrap();
        other.grow(10).unwrap();
        assert_eq!(other.grow(1).unwrap_err().code, Code::Busy);
        drop(one);
        other.grow(MOST_BYTES).unwrap();
        drop(other);
        assert_eq!(*waiting.now.lock(), Load::default());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_its_place_until_it_is_done() {
        let waiting = Waiting::new(1);
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let work = async move {
            let _ = finished.await;
            drop(tell);
        };
        drop(Held::new(waiting.enter(1, 0).unwrap(), work));
        assert!(waiting.has_room().is_err());
        drop(finish);
        let _ = told.await;
        tokio::task::yield_now().await;
        assert!(waiting.has_room().is_ok());
    }

    #[test]
    fn a_batch_that_is_larger_than_the_limit_is_taken_alone() {
        let waiting = Waiting::new(10);
        let large = waiting.enter(1_000, 0).unwrap();
        assert!(waiting.enter(1, 0).is_err());
        drop(large);
        assert!(waiting.enter(1, 0).is_ok());
    }
}
