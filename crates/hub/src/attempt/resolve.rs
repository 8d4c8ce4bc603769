//! Looks up the ids of what records name, before their calls.

use std::sync::atomic::Ordering;

use futures::future::join_all;
use switchboard_connect::connector::{Call, Directory, Question, Resolution, Start};
use switchboard_model::{outcome::Outcome, problem::Problem};

use super::{
    case::Case,
    flight::{Flight, Round},
    halt::Halt,
    names::LookUp,
    send,
    verdict::Verdict,
};
use crate::{lane::limiter::Ask, store::CallRecord};

/// What such calls are called in the history.
const OPERATION: &str = "resolve";

/// Why a question has no answer.
#[derive(Debug, Clone)]
pub enum Unanswered {
    /// What the vendor said instead.
    Vendor(Outcome),
    /// The call was not made.
    Halted(Halt),
    /// The call cannot be made.
    Broken(Problem),
}

impl Flight<'_> {
    /// Looks up what the cases name, as far as that is not done. Answers those that can go on, and those that cannot.
    pub(super) async fn resolve(&mut self, round: &Round, flying: Vec<Case>) -> (Vec<Case>, Vec<Case>) {
        let start = Start::new(self.desk.clock.now_ms(), round.token.as_ref());
        let (mut ready, mut open): (Vec<Case>, Vec<Case>) = flying
            .into_iter()
            .partition(|case| case.call.known.is_removal() || case.names.is_done());
        if open.is_empty() {
            return (ready, open);
        }
        for case in &mut open {
            case.call.begin(&start, case.first_sent_ms);
        }
        self.leave_turn();
        let this = &*self;
        let looked_up = join_all(open.into_iter().map(|case| this.resolve_one(round, case))).await;
        let (done, failed): (Vec<Case>, Vec<Case>) = looked_up.into_iter().partition(|case| case.names.is_done());
        self.note_renewals(round, &failed);
        ready.extend(done);
        (ready, failed)
    }

    async fn resolve_one(&self, round: &Round, mut case: Case) -> Case {
        let (mut look_up, outdated) = LookUp::begin(&mut case.names);
        if let Some(mapped) = outdated {
            case.call.restore(mapped);
        }
        let mut resolution = round.connector.resolution(&self.object);
        loop {
            let question = match resolution.next(&round.account, &mut case.call) {
                Ok(Some(question)) => question,
                Ok(None) => {
                    case.names = look_up.done();
                    return case;
                }
                Err(problem) => {
                    case.verdict = Some(Verdict::Dead(problem));
                    return case;
                }
            };
            look_up.keep_mapped(case.call.record());
            let now_ms = self.desk.clock.now_ms();
            let (calls, call) = (&mut case.calls, &case.call);
            let ask = async || self.ask(round, &resolution, &question, call, calls).await;
            let found = match self.connection.lookups.get(&question, now_ms, ask).await {
                Ok(found) => found,
                Err(unanswered) => {
                    let (mapped, names) = look_up.put_off();
                    case.call.restore(mapped);
                    case.names = names;
                    case.verdict = self.unanswered(round, unanswered);
                    return case;
                }
            };
            look_up.note(question.id, found.fresh);
            if let Err(problem) = resolution.take(&round.account, &case.call, &question, &found.directory) {
                case.verdict = Some(Verdict::Dead(problem));
                return case;
            }
        }
    }

    /// Asks the vendor.
    async fn ask(
        &self,
        round: &Round,
        resolution: &Resolution<'_>,
        question: &Question,
        call: &Call,
        calls: &mut Vec<CallRecord>,
    ) -> Result<Directory, Unanswered> {
        let mut asking = resolution.asking(question);
        while let Some(request) = asking.next(&round.account, call).map_err(Unanswered::Broken)? {
            let pass = self.pass(round, Ask::preparation()).await;
            let mut pass = pass.map_err(Unanswered::Halted)?;
            let sent = send::exchange(self.desk, Some(&mut pass), OPERATION, &request).await;
            let took = u64::try_from(sent.took.as_micros()).unwrap_or(u64::MAX);
            self.vendor_us.fetch_add(took, Ordering::Relaxed);
            self.observe(round, &sent, &mut pass);
            let read = match &sent.answer {
                Ok(answer) => asking.read(&round.account, call, answer),
                Err(error) => Err(send::without_answer(error, true)),
            };
            let outcome = match &read {
                Ok(()) => &Outcome::Delivered {
                    external_id: None,
                    created: None,
                },
                Err(outcome) => outcome,
            };
            self.note_answer(round, &sent, outcome);
            drop(pass);
            let mut line = sent.record(&request);
            line.outcome = outcome.name();
            calls.push(line);
            read.map_err(Unanswered::Vendor)?;
        }
        Ok(asking.finish())
    }

    /// What it means for a case that a question has no answer; `None`: again with a new token.
    fn unanswered(&self, round: &Round, unanswered: Unanswered) -> Option<Verdict> {
        match unanswered {
            Unanswered::Broken(problem) => Some(Verdict::Dead(problem)),
            Unanswered::Halted(halt) => self.halted(halt),
            Unanswered::Vendor(outcome) => self.verdict_of_read(round, outcome),
        }
    }
}
