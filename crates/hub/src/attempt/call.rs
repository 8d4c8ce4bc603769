//! Makes the calls of a round: for one record, or for many with one request.

use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};
use switchboard_connect::{
    auth::Token,
    call::HttpRequest,
    connector::{BulkAnswer, BulkRequest, Call, PageAt, Recovery},
    manifest::OperationKind,
};
use switchboard_model::outcome::Outcome;

use super::{
    case::Case,
    flight::{Flight, Round},
    send::{self, Exchange},
    verdict::{self, Verdict},
};
use crate::{
    failpoint,
    lane::{Pass, circuit::Refusal, limiter::Ask},
    store::{Intent, StoreError},
};

/// A new token that is refused this many times in one try means that the credentials are not accepted.
pub(super) const MOST_RENEWALS: u32 = 2;

impl Flight<'_> {
    /// One call for one record; as many as there are pages when what is read comes in several.
    pub(super) async fn call_alone(&self, round: &Round, kind: OperationKind, mut case: Case) -> Case {
        while let Some(page) = self.call_once(round, kind, &mut case).await {
            case.call.turn_to(page);
        }
        case.call.turn_to(PageAt::default());
        case
    }

    /// One call. Answers the page that has to be read, too, before it is known what the call found; without one, what the answer means is
    /// taken in.
    async fn call_once(&self, round: &Round, kind: OperationKind, case: &mut Case) -> Option<PageAt> {
        let built = round.connector.build(&self.object, kind, &round.account, &case.call);
        let request = match built {
            Ok(request) => request,
            Err(problem) => {
                case.verdict = Some(Verdict::Dead(problem));
                return None;
            }
        };
        let mut pass = match self.pass(round, self.asks(round, kind)).await {
            Ok(pass) => pass,
            Err(halt) => {
                case.verdict = self.halted(halt);
                return None;
            }
        };
        if let Some(verdict) = self.intend_one(round, kind, &request, case).await {
            case.verdict = Some(verdict);
            return None;
        }
        let sent = self.exchange(kind, &mut pass, &request).await;
        self.observe(round, &sent, &mut pass);
        let (outcome, further) = self.meaning(round, kind, &case.call, &sent);
        // Before the next call of those that wait takes this one's place.
        self.note_answer(round, &sent, &outcome);
        drop(pass);
        let mut line = sent.record(&request);
        line.outcome = outcome.name();
        case.calls.push(line);
        if further.is_none() {
            self.take_in(round, kind, case, outcome, sent.started_ms);
        }
        further
    }

    /// What an answer, or none, means. What is not on this page is missing there; whether it is missing at all, the further one tells.
    fn meaning(&self, round: &Round, kind: OperationKind, call: &Call, sent: &Exchange) -> (Outcome, Option<PageAt>) {
        let answer = match &sent.answer {
            Ok(answer) => answer,
            Err(error) => return (send::without_answer(error, kind.is_read()), None),
        };
        let (connector, account) = (&round.connector, &round.account);
        match connector.next_page(&self.object, kind, account, call, answer) {
            Some(page) => (Outcome::Missing, Some(page)),
            None => (connector.read(&self.object, kind, account, call, answer), None),
        }
    }

    /// Calls for many records, as many in one request as the vendor takes.
    pub(super) async fn call_together(&mut self, round: &Round, kind: OperationKind, cases: Vec<Case>) -> Vec<Case> {
        let mut back = Vec::with_capacity(cases.len());
        // What is to be sent, the next part last. A part that the vendor refuses as a whole is halved, until the record that it does not
        // take is alone.
        let mut parts = vec![cases];
        while let Some(mut part) = parts.pop() {
            if part.len() == 1 {
                for case in part {
                    back.push(self.call_alone(round, kind, case).await);
                }
                continue;
            }
            let calls: Vec<&Call> = part.iter().map(|case| &case.call).collect();
            let built = match round.connector.build_bulk(&self.object, kind, &round.account, &calls) {
                Ok(built) => built,
                Err(problem) => {
                    // It is the first that cannot be sent; the others may be good.
                    let rest = part.split_off(1);
                    back.extend(ended(part, Some(&Verdict::Dead(problem))));
                    parts.extend((!rest.is_empty()).then_some(rest));
                    continue;
                }
            };
            if built.taken() < part.len() {
                parts.push(part.split_off(built.taken().max(1)));
            }
            let mut pass = match self.pass(round, self.asks(round, kind)).await {
                Ok(pass) => pass,
                Err(halt) => {
                    back.extend(ended(part, self.halted(halt).as_ref()));
                    continue;
                }
            };
            match self.intend_many(round, kind, &built.request, &mut part).await {
                Ok(true) => {}
                Ok(false) => {
                    // Some of them may not be sent any more: the request is put together anew without them.
                    back.extend(part.extract_if(.., |case| case.verdict.is_some()));
                    parts.extend((!part.is_empty()).then_some(part));
                    continue;
                }
                Err(verdict) => {
                    back.extend(ended(part, Some(&verdict)));
                    continue;
                }
            }
            let sent = self.exchange(kind, &mut pass, &built.request).await;
            self.observe(round, &sent, &mut pass);
            let read = self.read_together(round, kind, &sent, &part);
            drop(pass);
            match read {
                // Surely nothing of it was carried out.
                BulkAnswer::Whole(
                    refusal @ (Outcome::Rejected { .. } | Outcome::Duplicate { .. } | Outcome::Missing),
                ) => {
                    note_refusal(&mut part, (&built, &sent), &refusal);
                    let rest = part.split_off(part.len() / 2);
                    parts.push(rest);
                    parts.push(part);
                }
                BulkAnswer::Whole(outcome) => {
                    let outcomes = vec![outcome; part.len()];
                    back.extend(self.take_in_together(round, kind, (&built, &sent), part, outcomes));
                }
                BulkAnswer::Each(outcomes) => {
                    back.extend(self.take_in_together(round, kind, (&built, &sent), part, outcomes));
                }
            }
        }
        self.note_renewals(round, &back);
        back
    }

    fn read_together(&self, round: &Round, kind: OperationKind, sent: &Exchange, part: &[Case]) -> BulkAnswer {
        let read = match &sent.answer {
            Ok(answer) => {
                let calls: Vec<&Call> = part.iter().map(|case| &case.call).collect();
                round
                    .connector
                    .read_bulk(&self.object, kind, &round.account, &calls, answer)
            }
            Err(error) => BulkAnswer::Whole(send::without_answer(error, kind.is_read())),
        };
        let of_all = match &read {
            BulkAnswer::Whole(outcome) => Some(outcome),
            BulkAnswer::Each(outcomes) => worst(outcomes),
        };
        if let Some(outcome) = of_all {
            self.note_answer(round, sent, outcome);
        }
        read
    }

    fn take_in_together(
        &self,
        round: &Round,
        kind: OperationKind,
        (built, sent): (&BulkRequest, &Exchange),
        mut part: Vec<Case>,
        outcomes: Vec<Outcome>,
    ) -> Vec<Case> {
        let lines = sent.record_each(&built.request, &built.items);
        for ((case, outcome), mut line) in part.iter_mut().zip(outcomes).zip(lines) {
            line.outcome = outcome.name();
            case.calls.push(line);
            self.take_in(round, kind, case, outcome, sent.started_ms);
        }
        part
    }

    fn asks(&self, round: &Round, kind: OperationKind) -> Ask {
        Ask::background(kind).about(round.connector.object_number(&self.object))
    }

    /// What the answer says about the account's limits.
    pub(super) fn observe(&self, round: &Round, sent: &Exchange, pass: &mut Pass) {
        if let Ok(answer) = &sent.answer {
            pass.observe(&round.connector.observe(&round.account, answer));
        }
    }

    async fn exchange(&self, kind: OperationKind, pass: &mut Pass, request: &HttpRequest) -> Exchange {
        if !kind.is_read() {
            failpoint::reach(failpoint::INTENT);
        }
        let sent = send::exchange(self.desk, Some(pass), kind.name(), request).await;
        let took = u64::try_from(sent.took.as_micros()).unwrap_or(u64::MAX);
        self.vendor_us.fetch_add(took, Ordering::Relaxed);
        if !kind.is_read() {
            failpoint::reach(failpoint::SENT);
        }
        sent
    }

    /// What the whole answer says about the connection: its limits, whether the vendor is well.
    pub(super) fn note_answer(&self, round: &Round, sent: &Exchange, outcome: &Outcome) {
        self.desk
            .metrics
            .called(round.connector.slug(), sent.operation, outcome.name());
        let now_ms = self.desk.clock.now_ms();
        let (leave, gate) = (&self.leave, &self.connection.gate);
        match outcome {
            Outcome::Throttled { after_ms, .. } => {
                let pause_ms = after_ms.unwrap_or(verdict::THROTTLE_MS);
                leave.throttled(now_ms, pause_ms);
                gate.pause_until(now_ms.saturating_add_unsigned(pause_ms));
            }
            Outcome::Retry { .. } | Outcome::Unknown { .. } if sent.is_outage() => leave.failed(now_ms),
            Outcome::Blocked { message } => {
                leave.succeeded();
                gate.block(message);
            }
            Outcome::Gone { message } => leave.refused(Refusal::Receiver(message.as_str().into())),
            Outcome::Denied { message } => leave.refused(Refusal::Credentials(message.as_str().into())),
            Outcome::Reauthorise { message } if self.renewals >= MOST_RENEWALS => {
                let message = no_token_is_good(message, round.token.as_ref());
                leave.refused(Refusal::Credentials(message.into()));
            }
            // Whether the connection works is told by what comes next: the exchange of the token, or a call with a new one.
            Outcome::Reauthorise { .. } => round.refused.store(true, Ordering::Relaxed),
            _ => leave.succeeded(),
        }
    }

    /// The intents of a case, one for each delivery that it carries.
    fn intents(
        &self,
        kind: OperationKind,
        request_digest: [u8; 8],
        case: &Case,
        recovery: Option<Recovery>,
    ) -> impl Iterator<Item = Intent> {
        let since_ms = case.first_sent_ms.unwrap_or_else(|| self.desk.clock.now_ms());
        case.members.iter().map(move |pending| Intent {
            delivery: pending.id,
            connection: pending.connection,
            operation: kind,
            recovery,
            request_digest,
            since_ms,
        })
    }

    /// What could tell what becomes of the call that is about to be made.
    fn recovery(&self, round: &Round, kind: OperationKind, case: &Case) -> Option<Recovery> {
        let (connector, account) = (&round.connector, &round.account);
        connector.recovery(&self.object, kind, account, &case.call)
    }

    /// The promise that a write is about to be sent is on the disk before it is. The verdict of a case that may not be sent.
    async fn intend_one(
        &self,
        round: &Round,
        kind: OperationKind,
        request: &HttpRequest,
        case: &mut Case,
    ) -> Option<Verdict> {
        if kind.is_read() {
            return None;
        }
        let recovery = self.recovery(round, kind, case);
        let intents = self.intents(kind, digest_of(request), case, recovery).collect();
        match self.desk.store.intend(self.fence, intents).await {
            Err(error) => Some(store_failed(&error)),
            Ok(refused) if refused.is_empty() => {
                case.call.known.sends(recovery);
                None
            }
            Ok(refused) => Some(withdraw(case, &refused)),
        }
    }

    /// The same for many; `Ok(false)`: some may not be sent and have their verdict.
    async fn intend_many(
        &self,
        round: &Round,
        kind: OperationKind,
        request: &HttpRequest,
        cases: &mut [Case],
    ) -> Result<bool, Verdict> {
        if kind.is_read() {
            return Ok(true);
        }
        let request_digest = digest_of(request);
        let recoveries: Vec<_> = cases.iter().map(|case| self.recovery(round, kind, case)).collect();
        let intents = cases.iter().zip(&recoveries);
        let intents = intents.flat_map(|(case, recovery)| self.intents(kind, request_digest, case, *recovery));
        let intents = intents.collect();
        let refused = self.desk.store.intend(self.fence, intents).await;
        let refused = refused.map_err(|error| store_failed(&error))?;
        for case in cases.iter_mut() {
            if case.members.iter().any(|member| refused.contains(&member.id)) {
                case.verdict = Some(withdraw(case, &refused));
            }
        }
        if refused.is_empty() {
            for (case, recovery) in cases.iter_mut().zip(recoveries) {
                case.call.known.sends(recovery);
            }
        }
        Ok(refused.is_empty())
    }

    /// What the outcome of a call means for the case; without a verdict, what is known now decides about the next call.
    fn take_in(&self, round: &Round, kind: OperationKind, case: &mut Case, outcome: Outcome, sent_ms: i64) {
        if matches!(outcome, Outcome::Unknown { .. }) {
            case.first_sent_ms.get_or_insert(sent_ms);
        }
        if matches!(outcome, Outcome::Rejected { .. }) && !kind.is_read() {
            // What is known of the account's fields may be outdated.
            self.desk.doubts.add(self.connection.id);
        }
        case.call.known.learn(kind, &outcome);
        case.open &= kind.is_read();
        if case.call.known.doubt == switchboard_connect::connector::Doubt::No {
            case.first_sent_ms = None;
        }
        case.verdict = match outcome {
            Outcome::Rejected { .. } if self.doubts_names(case) => None,
            // Which of the folded deliveries it is that the vendor does not take shows when they are sent one by one.
            Outcome::Rejected { .. } if case.members.len() > 1 => Some(Verdict::NotYet { alone: true }),
            Outcome::Unknown { message } if is_lost(kind, case) => {
                let due_ms = self.desk.clock.now_ms() + round.connector.read_lag_ms(&self.object);
                Some(Verdict::Doubt { message, due_ms })
            }
            outcome => self.verdict_of_read(round, outcome),
        };
    }

    /// What the outcome of a call that may be repeated means; `None`: the next call follows.
    pub(super) fn verdict_of_read(&self, round: &Round, outcome: Outcome) -> Option<Verdict> {
        match outcome {
            Outcome::Delivered { .. } | Outcome::Missing | Outcome::Duplicate { .. } => None,
            Outcome::Retry { message, after_ms } => Some(Verdict::Later {
                message,
                after_ms,
                counts: true,
            }),
            Outcome::Throttled { message, after_ms } => Some(Verdict::Throttled { message, after_ms }),
            Outcome::Reauthorise { message } if self.renewals >= MOST_RENEWALS => {
                Some(Verdict::Denied(no_token_is_good(&message, round.token.as_ref())))
            }
            Outcome::Reauthorise { .. } => None,
            Outcome::Denied { message } | Outcome::Blocked { message } => Some(Verdict::Denied(message)),
            Outcome::Gone { message } => Some(Verdict::Gone(message)),
            Outcome::Rejected { message, fields } => {
                Some(Verdict::Dead(verdict::rejected(&round.connector, &message, &fields)))
            }
            Outcome::Unknown { message } => Some(Verdict::Later {
                message,
                after_ms: None,
                counts: true,
            }),
        }
    }

    /// A record that is refused is tried once more when ids in it were looked up some time ago: what they name may have gone since.
    fn doubts_names(&self, case: &mut Case) -> bool {
        let doubted = case.names.doubt();
        if let Some(questions) = &doubted {
            self.connection.lookups.forget(questions);
        }
        doubted.is_some()
    }

    /// Remembers that the vendor refused the round's token, when it did.
    pub(super) fn note_renewals(&mut self, round: &Round, cases: &[Case]) {
        let refused = cases.iter().any(|case| {
            let last = case.calls.last();
            case.verdict.is_none() && last.is_some_and(|line| line.outcome == "reauthorise")
        });
        // However many calls of a round meet the same token, it is one token that was refused.
        if refused && self.refused != Some(round.generation) {
            self.renewals += 1;
            self.refused = Some(round.generation);
        } else if !refused && !cases.is_empty() && self.refused.is_none() {
            // The token was good: the next refusal is another story.
            self.renewals = 0;
        }
    }
}

/// A call that was refused as a whole stands in the history once, with the first of its records: there are as many of them as halvings, and
/// the record that is to blame has its own in the end.
fn note_refusal(part: &mut [Case], (built, sent): (&BulkRequest, &Exchange), refusal: &Outcome) {
    let count = part.len();
    if let (Some(first), Some(item)) = (part.first_mut(), built.items.first()) {
        let mut line = sent.record_of(&built.request, (0, count), item, None);
        line.outcome = refusal.name();
        first.calls.push(line);
    }
}

/// What recognises a request among those that were sent for a delivery.
fn digest_of(request: &HttpRequest) -> [u8; 8] {
    let digest = Sha256::digest(&request.body);
    let mut beginning = [0; 8];
    beginning.copy_from_slice(&digest[..8]);
    beginning
}

/// Whether the call of this kind whose answer was lost cannot simply be made again.
fn is_lost(kind: OperationKind, case: &Case) -> bool {
    let recovery = case.call.known.recovery();
    kind == OperationKind::Create && recovery.is_none_or(|recovery| !recovery.means.is_repeatable())
}

/// All of them end alike, or go on.
fn ended(mut part: Vec<Case>, verdict: Option<&Verdict>) -> Vec<Case> {
    for case in &mut part {
        case.verdict = verdict.cloned();
    }
    part
}

/// What an answer about several records says of the vendor: the worst that it says of one of them.
fn worst(outcomes: &[Outcome]) -> Option<&Outcome> {
    // Of equals the first.
    outcomes.iter().rev().max_by_key(|outcome| match outcome {
        Outcome::Blocked { .. } => (6, 0),
        Outcome::Denied { .. } | Outcome::Gone { .. } => (5, 0),
        Outcome::Throttled { after_ms, .. } => (4, after_ms.unwrap_or(verdict::THROTTLE_MS)),
        Outcome::Reauthorise { .. } => (3, 0),
        Outcome::Retry { .. } | Outcome::Unknown { .. } => (2, 0),
        Outcome::Delivered { .. } | Outcome::Duplicate { .. } | Outcome::Missing | Outcome::Rejected { .. } => (1, 0),
    })
}

/// What a person is told where one token after the other is refused.
pub(super) fn no_token_is_good(message: &str, token: Option<&Token>) -> String {
    match token {
        Some(_) => format!("the vendor gives new tokens and does not accept them: {message}"),
        None => message.to_owned(),
    }
}

/// A person has held or cancelled some of the deliveries, or they are another node's now: those are none of ours any more. The others go
/// back to wait.
fn withdraw(case: &mut Case, refused: &[switchboard_model::id::DeliveryId]) -> Verdict {
    if case.members.len() == 1 {
        return Verdict::Withdrawn;
    }
    case.members.retain(|member| !refused.contains(&member.id));
    Verdict::NotYet { alone: false }
}

/// Nothing can be done while the store does not answer; that is nobody's failed try.
fn store_failed(error: &StoreError) -> Verdict {
    Verdict::Later {
        message: error.to_string(),
        after_ms: None,
        counts: false,
    }
}
