//! Who may use this node's own power next: deficit round robin over workspaces, and over the lanes of each.
//!
//! A flight needs a turn while it is mapped and put together; while it waits for the vendor it needs none. So a tenant with a million
//! deliveries, or a vendor that takes its time, holds up nobody else.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use switchboard_model::id::{ConnectionId, WorkspaceId};
use tokio::sync::oneshot;

/// What a workspace may spend in one round, in records.
const QUANTUM: usize = 64;

/// Who waits, by workspace and lane. `T` is what is woken.
#[derive(Debug)]
pub(super) struct Queues<T> {
    workspaces: HashMap<WorkspaceId, Share<T>>,
    /// The workspaces that have somebody waiting, in the order of their turns.
    round: VecDeque<WorkspaceId>,
}

#[derive(Debug)]
struct Share<T> {
    deficit: usize,
    lanes: HashMap<ConnectionId, VecDeque<(usize, T)>>,
    round: VecDeque<ConnectionId>,
}

impl<T> Default for Queues<T> {
    fn default() -> Self {
        Self {
            workspaces: HashMap::new(),
            round: VecDeque::new(),
        }
    }
}

impl<T> Queues<T> {
    /// Somebody waits for a turn that costs `cost` records.
    pub(super) fn push(&mut self, workspace: WorkspaceId, lane: ConnectionId, cost: usize, waiter: T) {
        let share = self.workspaces.entry(workspace).or_insert_with(|| {
            self.round.push_back(workspace);
            Share {
                deficit: 0,
                lanes: HashMap::new(),
                round: VecDeque::new(),
            }
        });
        let queue = share.lanes.entry(lane).or_insert_with(|| {
            share.round.push_back(lane);
            VecDeque::new()
        });
        queue.push_back((cost.max(1), waiter));
    }

    /// Whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        loop {
            let workspace = *self.round.front()?;
            let Some(share) = self.workspaces.get_mut(&workspace) else {
                self.round.pop_front();
                continue;
            };
            let next = share.round.front().and_then(|lane| share.lanes.get(lane));
            let Some((cost, _)) = next.and_then(VecDeque::front) else {
                self.workspaces.remove(&workspace);
                self.round.pop_front();
                continue;
            };
            if *cost > share.deficit {
                // Its round is over; it saves what is left for the next one.
                share.deficit += QUANTUM;
                self.round.rotate_left(1);
                continue;
            }
            share.deficit -= cost;
            let lane = share.round.pop_front()?;
            let queue = share.lanes.get_mut(&lane)?;
            let (_, waiter) = queue.pop_front()?;
            if queue.is_empty() {
                share.lanes.remove(&lane);
            } else {
                share.round.push_back(lane);
            }
            if share.round.is_empty() {
                self.workspaces.remove(&workspace);
                self.round.pop_front();
            }
            return Some(waiter);
        }
    }
}

#[derive(Debug, Default)]
struct State {
    free: usize,
    queues: Queues<oneshot::Sender<Turn>>,
}

/// The turns of one node.
#[derive(Debug)]
pub struct Turns(Arc<Mutex<State>>);

/// The right to use this node's power; it passes on when it is dropped.
#[derive(Debug)]
pub struct Turn(Arc<Mutex<State>>);

impl Turns {
    /// So many may have a turn at the same time.
    pub fn new(at_once: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: at_once.max(1),
            queues: Queues::default(),
        })))
    }

    /// Waits for a turn of `cost` records.
    pub async fn turn(&self, workspace: WorkspaceId, lane: ConnectionId, cost: usize) -> Turn {
        let waiting = {
            let mut state = self.0.lock();
            if state.free > 0 {
                state.free -= 1;
                return Turn(Arc::clone(&self.0));
            }
            let (sender, receiver) = oneshot::channel();
            state.queues.push(workspace, lane, cost, sender);
            receiver
        };
        match waiting.await {
            Ok(turn) => turn,
            // Cannot happen: every sender in the queues is used or lives as long as they do. One turn too many does no harm.
            Err(_) => Turn(Arc::clone(&self.0)),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.lock();
            let next = state.queues.pop();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            // A waiter that is gone gives its turn back here: the turn inside the error is dropped in its place.
            drop(next.send(Self(Arc::clone(&self.0))));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lane(number: u8) -> (WorkspaceId, ConnectionId) {
        (WorkspaceId(i64::from(number / 4)), ConnectionId(i64::from(number)))
    }

    proptest! {
        /// While everybody has something waiting, no workspace gets more than a quantum and one largest cost ahead of another.
        #[test]
        fn no_workspace_gets_ahead_of_another(costs in prop::collection::vec(1usize..100, 40..200)) {
            let mut queues = Queues::default();
            for (at, cost) in costs.iter().enumerate() {
                for workspace in 0..3 {
                    // The first workspace has ten times as much waiting, on four lanes.
                    for _ in 0..(if workspace == 0 { 10 } else { 1 }) {
                        let (_, connection) = lane(workspace * 4 + (at % 4) as u8);
                        queues.push(WorkspaceId(i64::from(workspace)), connection, *cost, (workspace, *cost));
                    }
                }
            }
            let (mut spent, mut left) = ([0usize; 3], [costs.len() * 10, costs.len(), costs.len()]);
            while let Some((workspace, cost)) = queues.pop() {
                spent[usize::from(workspace)] += cost;
                left[usize::from(workspace)] -= 1;
                if left.iter().all(|left| *left > 0) {
                    let (most, least) = (spent.iter().max().unwrap(), spent.iter().min().unwrap());
                    prop_assert!(most - least <= 2 * (QUANTUM + 100), "{:?}", spent);
                }
            }
            prop_assert_eq!(left, [0; 3]);
        }
    }

    #[tokio::test]
    async fn a_turn_that_nobody_waits_for_any_more_is_not_lost() {
        let turns = Turns::new(1);
        let (workspace, connection) = lane(0);
        let held = turns.turn(workspace, connection, 1).await;
        {
            let gone = turns.turn(workspace, connection, 1);
            let mut gone = std::pin::pin!(gone);
            assert!(futures::poll!(gone.as_mut()).is_pending());
        }
        drop(held);
        let again = turns.turn(workspace, connection, 1);
        let mut again = std::pin::pin!(again);
        assert!(futures::poll!(again.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn a_turn_passes_to_the_one_who_waits() {
        let turns = Turns::new(1);
        let (workspace, connection) = lane(0);
        let held = turns.turn(workspace, connection, 1).await;
        let mut next = std::pin::pin!(turns.turn(workspace, connection, 1));
        assert!(futures::poll!(next.as_mut()).is_pending());
        drop(held);
        assert!(futures::poll!(next.as_mut()).is_ready());
    }
}
