//! Plays the cases, several at the same time.

use std::sync::Arc;

use futures::{StreamExt, stream};

use super::{
    cases::{self, Case, Scope},
    evidence::Evidence,
    failure::{Failure, Verdict, expect},
    report::{Ending, Report, State},
    scenario::Waiver,
    stage::Stage,
    subject::Subject,
};

/// Which cases are played, and how.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Only the case with this name.
    pub case: Option<String>,
    /// Only this object, and no case about the connection as a whole.
    pub object: Option<String>,
    /// Decides every chance of the simulated vendors.
    pub seed: u64,
    /// How many are played at the same time. They wait most of the time.
    pub parallel: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            case: None,
            object: None,
            seed: 1,
            parallel: 12,
        }
    }
}

impl Selection {
    fn takes(&self, case: &Case, object: Option<&str>) -> bool {
        self.case.as_deref().is_none_or(|name| name == case.name)
            && self.object.as_deref().is_none_or(|name| object == Some(name))
    }

    fn is_all(&self) -> bool {
        self.case.is_none() && self.object.is_none()
    }
}

/// A case that is to be played.
struct Planned {
    subject: Arc<Subject>,
    case: &'static Case,
    object: String,
}

impl Planned {
    /// The object that it is about; `None`: the connection.
    fn about(&self) -> Option<&str> {
        (self.case.scope == Scope::Object).then_some(self.object.as_str())
    }
}

/// Plays every case that applies to the subjects.
pub async fn run(subjects: &[Arc<Subject>], selection: &Selection) -> Report {
    let mut planned = Vec::new();
    for subject in subjects {
        planned.extend(plan(subject, selection));
    }
    let seed = selection.seed;
    let mut playing = stream::iter(planned.into_iter().enumerate())
        .map(|(at, planned)| async move {
            // A thread for each: what a case does waits for nothing but hub and vendor, and those have threads of their own.
            let here = tokio::runtime::Handle::current();
            let played = tokio::task::spawn_blocking(move || here.block_on(play(&planned, seed)));
            (at, played.await)
        })
        .buffer_unordered(selection.parallel.max(1));
    let mut endings = Vec::new();
    while let Some((at, played)) = playing.next().await {
        match played {
            Ok(ending) => endings.push((at, ending)),
            // A panic of a case is a fault of the suite and has to be seen.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    endings.sort_by_key(|(at, _)| *at);
    let mut endings: Vec<Ending> = endings.into_iter().map(|(_, ending)| ending).collect();
    if selection.is_all() {
        for subject in subjects {
            endings.extend(unused(subject, &endings));
        }
    }
    Report::new(endings)
}

fn plan(subject: &Arc<Subject>, selection: &Selection) -> Vec<Planned> {
    let objects: Vec<&String> = subject.scenario.objects.keys().collect();
    let mut planned = Vec::new();
    for case in cases::catalogue() {
        let objects = match case.scope {
            Scope::Connection => &objects[..objects.len().min(1)],
            Scope::Object => &objects[..],
        };
        for object in objects {
            let one = Planned {
                subject: Arc::clone(subject),
                case,
                object: (*object).clone(),
            };
            if (case.applies)(subject, object) && selection.takes(case, one.about()) {
                planned.push(one);
            }
        }
    }
    planned
}

async fn play(planned: &Planned, seed: u64) -> Ending {
    let Planned { subject, case, object } = planned;
    let (verdict, evidence) = match Stage::open(subject, object, case.pace, seed).await {
        Ok(stage) => {
            let verdict = sound_first((case.play)(&stage).await, &stage);
            let evidence = match verdict.is_err() {
                true => Some(Evidence::of(&stage).await),
                false => None,
            };
            stage.close().await;
            (verdict, evidence)
        }
        Err(problem) => (Err(Failure::from(problem)), None),
    };
    let waiver = subject
        .scenario
        .waived
        .iter()
        .find(|waiver| waiver.covers(case.name, planned.about()));
    Ending {
        connector: subject.slug().to_owned(),
        case: case.name.to_owned(),
        object: planned.about().map(str::to_owned),
        state: state(&verdict, waiver),
        failure: verdict.err(),
        reason: waiver.map(|waiver| waiver.reason.clone()),
        evidence,
    }
}

/// A simulator that has a mistake proves nothing, whatever came of the case.
fn sound_first(verdict: Verdict, stage: &Stage<'_>) -> Verdict {
    let errors: Vec<String> = stage.vendor().script_errors().iter().map(ToString::to_string).collect();
    expect(errors.is_empty(), "the simulator's script works", || errors.join("; "))?;
    verdict
}

/// What a verdict means beside a waiver.
fn state(verdict: &Verdict, waiver: Option<&Waiver>) -> State {
    match (verdict, waiver) {
        (Ok(()), None) => State::Passed,
        (Ok(()), Some(_)) => State::NeedlesslyWaived,
        (Err(failure), Some(_)) if !failure.doubled => State::Waived,
        (Err(_), _) => State::Failed,
    }
}

/// Waivers that concern no case that was played.
fn unused(subject: &Subject, endings: &[Ending]) -> Vec<Ending> {
    let own = || endings.iter().filter(|ending| ending.connector == subject.slug());
    let is_unused = |waiver: &&Waiver| !own().any(|ending| waiver.covers(&ending.case, ending.object.as_deref()));
    let unused = subject.scenario.waived.iter().filter(is_unused);
    unused
        .map(|waiver| Ending {
            connector: subject.slug().to_owned(),
            case: waiver.case.clone(),
            object: waiver.object.clone(),
            state: State::NeedlesslyWaived,
            failure: None,
            reason: Some(waiver.reason.clone()),
            evidence: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_excuses_a_failure_but_no_double_and_is_wrong_where_the_case_passes() {
        let waiver = Waiver {
            case: "answer-lost".into(),
            object: None,
            reason: "The vendor has no search.".into(),
        };
        let failed = Err(Failure::new("one", "none"));
        let doubled = Err(Failure::doubled("one", "two"));
        assert_eq!(state(&Ok(()), None), State::Passed);
        assert_eq!(state(&failed, None), State::Failed);
        assert_eq!(state(&failed, Some(&waiver)), State::Waived);
        assert_eq!(state(&doubled, Some(&waiver)), State::Failed);
        assert_eq!(state(&Ok(()), Some(&waiver)), State::NeedlesslyWaived);
    }
}
