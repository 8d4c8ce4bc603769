//! What people want of deliveries: held, released, called off, tried anew; one, some, or all that pass a filter.

use switchboard_model::{
    delivery::DeliveryState,
    id::{ConnectionId, DeliveryId, WorkspaceId},
    problem::{Code, Problem},
};

use super::{Hub, reading::not_found};
use crate::store::{Changed, DeliveryFilter, DeliveryRow, Page, Selection, Wish};

/// How many deliveries are changed in one transaction: enough to be quick, few enough to delay no accept.
const SLICE: usize = 500;
/// Lanes hear of the changes at the latest after so many slices.
const SLICES_UNHEARD: usize = 20;
/// A trial counts up to here.
const MOST_COUNTED: usize = 10_000;
/// Most rows that the store gives at once.
const PAGE: usize = 500;

/// What a wish would change.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// How many deliveries, counted up to a limit.
    pub count: usize,
    /// Whether there are more than were counted.
    pub more: bool,
    /// The newest of them.
    pub first: Vec<DeliveryRow>,
}

/// A delivery that a wish left as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unchanged {
    /// Its id.
    pub id: DeliveryId,
    /// Its state, which does not allow the wish; `None`: there is no such delivery.
    pub state: Option<DeliveryState>,
}

impl Hub {
    /// Fulfils a wish for one delivery; answers its state from then on.
    ///
    /// # Errors
    /// [`Code::NotFound`], or [`Code::WrongState`] when its state does not allow it.
    pub async fn wish(&self, workspace: WorkspaceId, wish: Wish, id: DeliveryId) -> Result<DeliveryState, Problem> {
        let (changed, unchanged) = self.wish_these(workspace, wish, vec![id]).await?;
        match unchanged.first() {
            _ if changed > 0 => Ok(wish.states().1),
            Some(Unchanged { state: Some(state), .. }) => Err(wrong_state(wish, id, *state)),
            _ => Err(not_found(&id.to_string())),
        }
    }

    /// Fulfils a wish for these deliveries; answers how many were changed, and which were not.
    ///
    /// # Errors
    /// When the store fails; what was changed until then stays changed.
    pub async fn wish_these(
        &self,
        workspace: WorkspaceId,
        wish: Wish,
        ids: Vec<DeliveryId>,
    ) -> Result<(u64, Vec<Unchanged>), Problem> {
        let mut count = 0;
        let mut unchanged = Vec::new();
        for slice in ids.chunks(SLICE) {
            let changed = self.change(workspace, wish, Selection::These(slice.to_vec())).await?;
            changed.connections.iter().for_each(|lane| self.reload_lane(*lane));
            count += changed.deliveries.len() as u64;
            for id in slice.iter().filter(|id| !changed.deliveries.contains(id)) {
                let state = self.delivery(workspace, *id).await?.map(|row| row.state);
                unchanged.push(Unchanged { id: *id, state });
            }
        }
        Ok((count, unchanged))
    }

    /// Fulfils a wish for every delivery that passes the filter and whose state allows it; answers how many were changed. What is accepted after
    /// the call has begun is left alone. It goes on to its end also when the caller no longer waits for the answer.
    ///
    /// # Errors
    /// When the store fails; what was changed until then stays changed.
    pub async fn wish_all(&self, workspace: WorkspaceId, wish: Wish, filter: DeliveryFilter) -> Result<u64, Problem> {
        let hub = self.clone();
        let work = tokio::spawn(async move { hub.change_all(workspace, wish, filter).await });
        work.await.unwrap_or_else(|error| {
            Err(Problem::new(
                Code::Internal,
                format!("the work broke off: {error}"),
                "Ask again; what was changed stays changed.",
            ))
        })
    }

    async fn change_all(&self, workspace: WorkspaceId, wish: Wish, filter: DeliveryFilter) -> Result<u64, Problem> {
        let newest = Page { before: None, limit: 1 };
        let Some(last) = self.deliveries(workspace, filter.clone(), newest).await?.pop() else {
            return Ok(0);
        };
        let mut lanes = Unheard {
            hub: self,
            lanes: Vec::new(),
        };
        let (mut count, mut after, mut slices) = (0, DeliveryId(0), 0);
        while after < last.id {
            let which = Selection::Filter {
                filter: filter.clone(),
                after,
                limit: SLICE,
            };
            let changed = self.change(workspace, wish, which).await?;
            let Some(end) = changed.deliveries.last() else { break };
            after = *end;
            count += changed.deliveries.len() as u64;
            lanes.add(changed.connections);
            slices += 1;
            if slices % SLICES_UNHEARD == 0 {
                lanes.tell();
            }
        }
        Ok(count)
    }

    /// What a wish for every delivery that passes the filter would change, without doing it; shows the newest `shown` of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn try_wish(
        &self,
        workspace: WorkspaceId,
        wish: Wish,
        filter: DeliveryFilter,
        shown: usize,
    ) -> Result<Trial, Problem> {
        let mut trial = Trial::default();
        let (allowed, _) = wish.states();
        for state in allowed
            .into_iter()
            .filter(|state| filter.state.is_none_or(|only| only == *state))
        {
            let filter = DeliveryFilter {
                state: Some(state),
                ..filter.clone()
            };
            let mut before = None;
            loop {
                let limit = PAGE.min(MOST_COUNTED - trial.count + 1);
                let rows = self
                    .deliveries(workspace, filter.clone(), Page { before, limit })
                    .await?;
                before = rows.last().map(|row| row.id.0);
                let full = rows.len() == limit;
                trial.count += rows.len();
                trial.first.extend(rows.into_iter().take(shown));
                if trial.count > MOST_COUNTED {
                    trial.count = MOST_COUNTED;
                    trial.more = true;
                    break;
                }
                if !full {
                    break;
                }
            }
            if trial.more {
                break;
            }
        }
        trial.first.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
        trial.first.truncate(shown);
        Ok(trial)
    }

    async fn change(&self, workspace: WorkspaceId, wish: Wish, which: Selection) -> Result<Changed, Problem> {
        let now_ms = self.clock().now_ms();
        Ok(self.inner.store.change(workspace, wish, which, now_ms).await?)
    }
}

/// Lanes that do not know yet that something of theirs was changed. They hear of it also when the work breaks off.
struct Unheard<'a> {
    hub: &'a Hub,
    lanes: Vec<ConnectionId>,
}

impl Unheard<'_> {
    fn add(&mut self, connections: Vec<ConnectionId>) {
        for connection in connections {
            if !self.lanes.contains(&connection) {
                self.lanes.push(connection);
            }
        }
    }

    fn tell(&mut self) {
        for connection in self.lanes.drain(..) {
            self.hub.reload_lane(connection);
        }
    }
}

impl Drop for Unheard<'_> {
    fn drop(&mut self) {
        self.tell();
    }
}

fn wrong_state(wish: Wish, id: DeliveryId, state: DeliveryState) -> Problem {
    let (from, _) = wish.states();
    let from: Vec<_> = from.into_iter().map(DeliveryState::name).collect();
    Problem::new(
        Code::WrongState,
        format!(
            "{id} is {}; only what is {} can be {}",
            state.name(),
            from.join(" or "),
            done(wish)
        ),
        match state {
            DeliveryState::Sending => "A call for it is under way; look again when that has ended.",
            DeliveryState::Unknown => {
                "It was sent and the answer was lost; it is settled by itself once that is cleared up."
            }
            _ => "Look at its present state with GET /v1/deliveries/{id} and decide anew.",
        },
    )
}

/// `held`, `released` …
pub fn done(wish: Wish) -> &'static str {
    match wish {
        Wish::Hold => "held",
        Wish::Release => "released",
        Wish::Cancel => "cancelled",
        Wish::Replay | Wish::ReplayNotThere => "replayed",
    }
}
