//! Tries deliveries that are sent together until each is settled or has to wait.
//!
//! A flight holds records of one object on one connection. It goes in rounds: the connector says for each record which call comes next, calls of
//! one kind share a request where the vendor takes several records at once, and what has ended is written down before the next round begins.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use switchboard_connect::{
    auth::Token,
    connector::{Account, Connector, Decision, Start},
    manifest::OperationKind,
};
use switchboard_model::{
    event::Event,
    id::EventId,
    problem::{Code, Problem},
};

use super::{
    Desk, Order,
    case::{Case, cases},
    renew,
    settle::{self, Written},
    verdict::Verdict,
};
use crate::{
    configuration::Connection,
    lane::{Leave, Seats, Turn},
    store::{Fence, Linked, Pending, StoreError},
    token::Asker,
};

/// More rounds than this are not made in one try: a connector that goes round in circles is stopped.
const MOST_ROUNDS: u32 = 10;

/// A flight that is over.
#[derive(Debug, Default)]
pub struct Ended {
    /// The deliveries that wait once more.
    pub again: Vec<Pending>,
    /// Nothing of this connection is sent before this moment.
    pub hold_until_ms: Option<i64>,
    /// How long the vendor took for its answers, all calls together.
    pub vendor: Duration,
}

impl Ended {
    fn take_in(&mut self, written: Written) {
        self.again.extend(written.again);
        self.hold_until_ms = self.hold_until_ms.max(written.hold_until_ms);
    }
}

/// Tries what `order` names and writes down what came of it. `turn` is held until the first call is put together.
pub async fn fly(desk: &Desk, order: Order, turn: Turn) -> Ended {
    let mut flight = Flight {
        desk,
        connection: &order.connection,
        object: order.object,
        fence: order.fence,
        turn: Some(turn),
        leave: order.leave,
        seats: order.seats,
        vendor_us: AtomicU64::new(0),
        refused: None,
        renewals: 0,
        ended: Ended::default(),
    };
    flight.run(order.groups).await;
    flight.ended.vendor = Duration::from_micros(flight.vendor_us.load(Ordering::Relaxed));
    flight.ended
}

/// What all rounds of a flight share.
pub(super) struct Flight<'a> {
    pub desk: &'a Desk,
    pub connection: &'a Connection,
    pub object: Arc<str>,
    pub fence: Fence,
    turn: Option<Turn>,
    pub leave: Leave,
    seats: Seats,
    /// How long the vendor took so far, in microseconds.
    pub vendor_us: AtomicU64,
    /// The generation of a token that the vendor refused.
    pub refused: Option<u64>,
    /// How often a new token was refused.
    pub renewals: u32,
    ended: Ended,
}

/// What the calls of one round are made with.
pub(super) struct Round {
    pub connector: Arc<Connector>,
    pub account: Arc<Account>,
    pub token: Option<Token>,
    pub generation: u64,
    /// Whether a call was told that the token is good no more.
    pub refused: AtomicBool,
}

impl Flight<'_> {
    async fn run(&mut self, groups: Vec<Vec<Pending>>) {
        let mut flying = self.board(groups).await;
        for _ in 0..MOST_ROUNDS {
            flying = self.settle(flying).await;
            if flying.is_empty() {
                return;
            }
            flying = self.round(flying).await;
        }
        for case in flying.iter_mut().filter(|case| case.verdict.is_none()) {
            let detail = format!(
                "{}: there was still no result after {MOST_ROUNDS} calls",
                self.connection.key
            );
            let next = "Look at the calls of this delivery, mend the cause and replay it.";
            case.verdict = Some(Verdict::Dead(Problem::new(Code::VendorRejected, detail, next)));
        }
        self.settle(flying).await;
    }

    /// Fetches what the deliveries lack (events, links) and makes their cases.
    async fn board(&mut self, groups: Vec<Vec<Pending>>) -> Vec<Case> {
        match self.fetch(&groups).await {
            Ok((bodies, links)) => cases(self.connection, groups, &bodies, &links),
            Err(error) => {
                let later = || Verdict::Later {
                    message: error.to_string(),
                    after_ms: None,
                    counts: false,
                };
                let all = groups.into_iter().flatten();
                all.map(|pending| Case::hopeless(pending, later())).collect()
            }
        }
    }

    async fn fetch(
        &self,
        groups: &[Vec<Pending>],
    ) -> Result<(HashMap<EventId, Arc<Event>>, HashMap<String, Linked>), StoreError> {
        let all = || groups.iter().flatten();
        let missing: Vec<EventId> = all()
            .filter(|pending| pending.body.is_none())
            .map(|pending| pending.event)
            .collect();
        let bodies = match missing.is_empty() {
            true => Vec::new(),
            false => self.desk.store.bodies(missing).await?,
        };
        // A record that is its event has no link before its first try.
        let unlinked = |pending: &Pending| pending.fresh && pending.is_its_event();
        let keys: Vec<String> = groups
            .iter()
            .filter_map(|group| group.first())
            .filter(|first| !unlinked(first))
            .map(|first| first.record_key.clone())
            .collect();
        let links = match keys.is_empty() {
            true => HashMap::new(),
            false => self.desk.store.links(self.connection.id, &self.object, keys).await?,
        };
        let bodies = bodies.into_iter().map(|event| (event.id, event)).collect();
        Ok((bodies, links))
    }

    /// One call for each case, as far as calls are needed.
    async fn round(&mut self, mut flying: Vec<Case>) -> Vec<Case> {
        let round = match self.begin(&mut flying).await {
            Ok(round) => round,
            Err(verdict) => {
                flying.iter_mut().for_each(|case| case.verdict = Some(verdict.clone()));
                return flying;
            }
        };
        let mut back = Vec::with_capacity(flying.len());
        if round.connector.resolves(&self.object) {
            let (ready, failed) = Box::pin(self.resolve(&round, flying)).await;
            flying = ready;
            back.extend(failed);
        }
        let now_ms = self.desk.clock.now_ms();
        let start = Start::new(now_ms, round.token.as_ref());
        let mut bulk: Vec<(OperationKind, usize, Vec<Case>)> = Vec::new();
        let mut single: Vec<(OperationKind, Case)> = Vec::new();
        for mut case in flying {
            case.call.begin(&start, case.first_sent_ms);
            let kind = match round.connector.next_call(&self.object, &round.account, &case.call) {
                Decision::Call(kind) => kind,
                Decision::Done { external_id } => {
                    case.verdict = Some(Verdict::Delivered { external_id });
                    back.push(case);
                    continue;
                }
                Decision::Reject(problem) => {
                    case.verdict = Some(Verdict::Dead(problem));
                    back.push(case);
                    continue;
                }
            };
            if let Some(verdict) = self.read_lag(&round, kind, &case) {
                case.verdict = Some(verdict);
                back.push(case);
                continue;
            }
            match round.connector.bulk(&self.object, kind, &round.account, &case.call) {
                None => single.push((kind, case)),
                Some(way) => match bulk.iter_mut().find(|(other, at, _)| (*other, *at) == (kind, way.way)) {
                    Some((.., together)) => together.push(case),
                    None => bulk.push((kind, way.way, vec![case])),
                },
            }
        }
        self.leave_turn();
        for (kind, _, mut together) in bulk {
            match together.len() {
                1 => single.extend(together.pop().map(|case| (kind, case))),
                _ => back.extend(Box::pin(self.call_together(&round, kind, together)).await),
            }
        }
        back.extend(self.call_each(&round, single).await);
        back
    }

    /// A call of its own for each, at the same time. What has arrived is written down while others are still under way; answers the rest. What
    /// failed is among that: whether it counts depends on what the others meet.
    async fn call_each(&mut self, round: &Round, single: Vec<(OperationKind, Case)>) -> Vec<Case> {
        let count = single.len();
        if count == 0 {
            return Vec::new();
        }
        let this = &*self;
        let calls = single.into_iter();
        let calls: FuturesUnordered<_> = calls.map(|(kind, case)| this.call_alone(round, kind, case)).collect();
        let has_arrived = |case: &Case| case.verdict.as_ref().is_some_and(Verdict::is_delivered);
        let written = calls.ready_chunks(count).map(async |landed| {
            let ended = landed.len();
            let (on, written) = this.write_down(landed, has_arrived).await;
            this.seats.free(ended - on.len());
            (on, written)
        });
        let written: Vec<_> = written.buffer_unordered(count).collect().await;
        let mut on = Vec::new();
        for (cases, written) in written {
            self.ended.take_in(written);
            on.extend(cases);
        }
        self.note_renewals(round, &on);
        on
    }

    /// What comes now waits for the vendor and costs none of this node's power.
    pub(super) fn leave_turn(&mut self) {
        self.turn = None;
    }

    /// The token and the account that this round works with.
    async fn begin(&mut self, flying: &mut [Case]) -> Result<Round, Verdict> {
        // What is wrong with the connection ends no delivery: it waits until a person has mended that.
        let stopped = |problem| Verdict::Stopped(Box::new(problem));
        let connector = Arc::clone(self.connection.connector().map_err(stopped)?);
        let (refused, who) = (self.refused.take(), Asker::Lane(self.leave.recalled()));
        let mut calls = Vec::new();
        let taken = renew::token(self.desk, self.connection, refused, who, &mut calls).await;
        if let Some(first) = flying.first_mut() {
            first.calls.append(&mut calls);
        }
        let taken = taken.map_err(|error| self.without_token(error))?;
        Ok(Round {
            connector,
            account: self.connection.account().map_err(stopped)?,
            generation: taken.generation,
            token: taken.token,
            refused: AtomicBool::new(false),
        })
    }

    /// A vendor may show a record only some time after it was written, and may be at work on a call whose end nobody saw for as long as a call may
    /// take; looking for the record earlier proves nothing.
    fn read_lag(&self, round: &Round, kind: OperationKind, case: &Case) -> Option<Verdict> {
        let lag_ms = round.connector.read_lag_ms(&self.object);
        let visible_ms = case.visible_ms(self.desk.client.limit_ms(), lag_ms);
        let visible_ms = visible_ms.filter(|_| kind == OperationKind::Probe)?;
        (visible_ms > self.desk.clock.now_ms()).then(|| Verdict::Doubt {
            message: "waits until the vendor shows what was written".into(),
            due_ms: visible_ms,
        })
    }

    /// Writes down what has ended; answers what goes on.
    async fn settle(&mut self, flying: Vec<Case>) -> Vec<Case> {
        let (on, written) = self.write_down(flying, |case| case.verdict.is_some()).await;
        self.ended.take_in(written);
        on
    }

    /// Writes down which of them `has_ended`; answers the others, and what the lane has to know.
    async fn write_down(&self, flying: Vec<Case>, has_ended: impl FnMut(&Case) -> bool) -> (Vec<Case>, Written) {
        let (ended, on): (Vec<Case>, Vec<Case>) = flying.into_iter().partition(has_ended);
        let written = match ended.is_empty() {
            true => Written::default(),
            false => settle::write_down(self.desk, self.connection, self.fence, ended).await,
        };
        (on, written)
    }
}
