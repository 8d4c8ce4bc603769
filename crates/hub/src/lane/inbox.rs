//! Where a lane hears of new deliveries. It holds a bounded number; when there are more, the lane reads them from the store instead.

use parking_lot::Mutex;
use switchboard_model::id::DeliveryId;
use tokio::sync::Notify;

use crate::store::Pending;

/// More than this many hints are not kept in memory.
const HINTS: usize = 1_000;

#[derive(Debug, Default)]
struct Content {
    hints: Vec<Pending>,
    /// There are deliveries in the store that neither the lane nor `hints` has.
    behind: bool,
    reload: bool,
    /// What was read has to be looked at again from here on.
    back_to: Option<DeliveryId>,
}

/// The inbox of one lane.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    content: Mutex<Content>,
    bell: Notify,
}

/// What was in it.
pub(super) struct Letters {
    pub hints: Vec<Pending>,
    pub behind: bool,
    pub reload: bool,
    pub back_to: Option<DeliveryId>,
}

impl Inbox {
    /// An inbox of a lane that knows nothing yet.
    pub(super) fn new() -> Self {
        let inbox = Self::default();
        inbox.content.lock().behind = true;
        inbox
    }

    /// New deliveries, of which the lane hears at once, so that it sends them together. Offers come in the order of ids.
    pub(super) fn offer(&self, deliveries: impl IntoIterator<Item = Pending>) {
        let mut content = self.content.lock();
        for pending in deliveries {
            if content.behind || content.hints.len() >= HINTS {
                content.behind = true;
                break;
            }
            content.hints.push(pending);
        }
        drop(content);
        self.bell.notify_one();
    }

    /// Something in the store changed otherwise than by a new delivery: read everything anew.
    pub(super) fn reload(&self) {
        let mut content = self.content.lock();
        content.reload = true;
        content.behind = true;
        content.hints.clear();
        drop(content);
        self.bell.notify_one();
    }

    /// There may be deliveries in the store that nobody has told of in full, none with a smaller id than this one.
    pub(super) fn look(&self, from: DeliveryId) {
        let mut content = self.content.lock();
        content.behind = true;
        content.hints.clear();
        content.back_to = Some(content.back_to.map_or(from, |other| other.min(from)));
        drop(content);
        self.bell.notify_one();
    }

    /// Rings without a letter.
    pub(super) fn wake(&self) {
        self.bell.notify_one();
    }

    /// Takes everything out. While the lane is behind, what comes is not kept.
    pub(super) fn take(&self) -> Letters {
        let mut content = self.content.lock();
        Letters {
            hints: std::mem::take(&mut content.hints),
            behind: content.behind,
            reload: std::mem::take(&mut content.reload),
            back_to: content.back_to.take(),
        }
    }

    /// From now on offers are kept again. To be called before the store is read, so that nothing falls between the two.
    pub(super) fn catch_up(&self) {
        self.content.lock().behind = false;
    }

    /// The store held more than was read.
    pub(super) fn fall_behind(&self) {
        let mut content = self.content.lock();
        content.behind = true;
        content.hints.clear();
    }

    /// Waits for the next letter.
    pub(super) async fn letter(&self) {
        self.bell.notified().await;
    }
}
