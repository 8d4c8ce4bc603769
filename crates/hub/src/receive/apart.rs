//! Large bodies are read and made on threads of their own, few at a time: each takes many times its length in memory, and long enough that
//! nothing else may wait for it.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bodies of more bytes than this are large.
const LARGE: usize = 32 << 10;

/// Where large bodies of requests are looked at before they are answered.
pub(super) static RECEIVED: Semaphore = Semaphore::const_new(2);
/// Where large bodies of callbacks are processed.
pub(super) static PROCESSED: Semaphore = Semaphore::const_new(2);

/// The right to work on a body.
#[derive(Debug)]
pub(super) struct Place(Option<SemaphorePermit<'static>>);

impl Place {
    /// Waits for a place among the large ones, for a body that is one.
    pub async fn for_body(bytes: usize, places: &'static Semaphore) -> Self {
        match bytes > LARGE {
            // Nobody closes it.
            true => Self(places.acquire().await.ok()),
            false => Self(None),
        }
    }
}

/// Does the work: here, or apart where the body is large. The place is held until the work is done, also when nobody waits for it any more, and
/// comes back with what came of it. A panic of the work is one of the caller.
pub(super) async fn apart<T: Send + 'static>(place: Place, work: impl FnOnce() -> T + Send + 'static) -> (Place, T) {
    if place.0.is_none() {
        return (place, work());
    }
    let work = move || {
        let done = work();
        (place, done)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and so does whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}
