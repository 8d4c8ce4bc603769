//! One question to a model, within budget, circuit and time.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};
use switchboard_connect::call::Answer;
use switchboard_model::{
    classify::{Because, Classifier, ModelSpec, Verdict},
    id::WorkspaceId,
    problem::{Code, Problem},
};

use super::{
    question::Question,
    reading::{self, Choices, Reading},
};
use crate::{
    attempt::Desk,
    configuration::WorkspaceClassifier,
    http::{SendError, excerpt},
    lane::circuit::{Circuit, Permit, Settings, Start, State},
    store::Expense,
};

/// So long nothing is asked of a server that a person has to see to first, in milliseconds.
const STOPPED_MS: i64 = 600_000;
/// The wait after a failed call when the server names none, in milliseconds.
const AGAIN_MS: i64 = 2_000;
/// A question may have so many tokens that were not counted by the server; one for each so many bytes.
const BYTES_PER_TOKEN: usize = 3;

/// How a model's server stands, as far as this node knows.
#[derive(Debug)]
pub struct Asked {
    circuit: Circuit,
    /// What a person has to see to, and until when nothing is asked.
    stopped: Option<(Problem, i64)>,
}

impl Asked {
    /// A server that was not asked yet. The workspace decides the jitter.
    pub fn new(workspace: WorkspaceId) -> Self {
        let settings = Settings {
            seed: workspace.0.cast_unsigned(),
            ..Settings::default()
        };
        Self {
            circuit: Circuit::new(settings),
            stopped: None,
        }
    }

    /// How the circuit stands.
    pub fn state(&self, now_ms: i64) -> State {
        self.circuit.state(now_ms)
    }

    /// What a person has to see to.
    pub fn problem(&self, now_ms: i64) -> Option<Problem> {
        let (problem, until_ms) = self.stopped.as_ref()?;
        (*until_ms > now_ms).then(|| problem.clone())
    }
}

/// What a model chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What it chose.
    pub verdict: Verdict,
    /// Who it is and what it said about it.
    pub because: Because,
}

/// Why there is no choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// Asking again before this moment (Unix milliseconds) is useless.
    Later {
        /// The moment.
        at_ms: i64,
        /// Why.
        why: String,
    },
    /// The rules have to do.
    Never(String),
}

/// Asks the model of one workspace.
#[derive(Debug)]
pub struct Asker<'a> {
    /// Store, client and clock.
    pub desk: &'a Desk,
    /// Whose.
    pub workspace: WorkspaceId,
    /// How its messages are classified.
    pub entry: &'a WorkspaceClassifier,
}

impl Asker<'_> {
    /// Asks about a message; an answer that is cut off or makes no sense is asked for once more.
    ///
    /// # Errors
    /// Why there is no choice.
    pub async fn ask(
        &self,
        classifier: &Classifier,
        model: &ModelSpec,
        data: &Map<String, Value>,
    ) -> Result<Answered, Unanswered> {
        let (category, priority) = classifier.decide(data).wanted();
        let categories = if category { classifier.categories() } else { Vec::new() };
        let priorities = if priority { classifier.priorities() } else { Vec::new() };
        let choices = Choices {
            categories: &categories,
            priorities: &priorities,
        };
        let text = classifier.text(data);
        if text.trim().is_empty() || (categories.is_empty() && priorities.is_empty()) {
            return Err(Unanswered::Never("there is nothing to ask it".into()));
        }
        let mut question = Question {
            model,
            api_key: self.entry.api_key(),
            categories: &categories,
            priorities: &priorities,
            text: &text,
            answer_tokens: model.max_answer_tokens,
        };
        let mut garbled = None;
        for _ in 0..2 {
            match self.exchange(&question, choices).await? {
                Reading::Chosen { verdict, reason } => {
                    let because = Because::Model {
                        model: model.model.clone(),
                        reason,
                    };
                    return Ok(Answered { verdict, because });
                }
                Reading::Declined(why) => return Err(Unanswered::Never(why)),
                Reading::Garbled { why, cut } => {
                    // Thinking counts as answering (fact sheet openai §12).
                    question.answer_tokens = question.answer_tokens.saturating_mul(if cut { 4 } else { 1 });
                    garbled = Some(why);
                }
                Reading::Later { why, .. } | Reading::Unusable(why) => return Err(Unanswered::Never(why)),
            }
        }
        Err(Unanswered::Never(garbled.unwrap_or_default()))
    }

    /// One call, with everything that it teaches.
    async fn exchange(&self, question: &Question<'_>, choices: Choices<'_>) -> Result<Reading, Unanswered> {
        let start = self.permit()?;
        if let Err(why) = self.spend(question.model).await {
            self.entry
                .asked
                .lock()
                .circuit
                .abandoned(start, self.desk.clock.now_ms());
            return Err(why);
        }
        let request = question.request();
        let limit = std::time::Duration::from_millis(question.model.timeout_ms);
        tracing::debug!(workspace = self.workspace.0, sent = %request.masked_body(), "asking the model");
        let sent = tokio::time::timeout(limit, self.desk.client.send(&request)).await;
        let reading = match sent {
            Ok(Ok(answer)) => {
                let told = reading::tokens(&answer);
                let used = told.unwrap_or_else(|| estimated(&request.body, &answer));
                self.note_tokens(used).await;
                tracing::info!(
                    workspace = self.workspace.0,
                    status = answer.status,
                    tokens = used,
                    sent = %excerpt(request.masked_body().as_bytes()),
                    answer = %request.mask(excerpt(&answer.body)),
                    "the model was asked"
                );
                reading::read(&answer, choices)
            }
            Ok(Err(SendError::Refused(why))) => Reading::Unusable(why),
            Ok(Err(SendError::NotSent(why) | SendError::NoAnswer(why))) => unreachable_server(why),
            Err(_) => unreachable_server(format!("no answer within {} ms", limit.as_millis())),
        };
        self.learn(start, &reading)?;
        Ok(reading)
    }

    /// The leave to call.
    fn permit(&self) -> Result<Start, Unanswered> {
        let now_ms = self.desk.clock.now_ms();
        let mut asked = self.entry.asked.lock();
        if let Some(problem) = asked.problem(now_ms) {
            return Err(Unanswered::Never(problem.detail));
        }
        match asked.circuit.may_start(now_ms) {
            Permit::Free(start) | Permit::Probe(start) => Ok(start),
            Permit::No { until_ms } => Err(Unanswered::Later {
                at_ms: until_ms,
                why: "the server is out of order or wants no more calls now".into(),
            }),
        }
    }

    /// Counts the call, unless that is more than the day has.
    async fn spend(&self, model: &ModelSpec) -> Result<(), Unanswered> {
        let limit = Expense {
            requests: model.requests_per_day,
            tokens: model.tokens_per_day,
        };
        let spent = self.desk.store.spend_request(self.workspace, self.today(), limit).await;
        match spent {
            Ok(true) => Ok(()),
            Ok(false) => Err(Unanswered::Never("the budget of the day is used up".into())),
            Err(error) => Err(Unanswered::Later {
                at_ms: self.desk.clock.now_ms() + AGAIN_MS,
                why: error.to_string(),
            }),
        }
    }

    async fn note_tokens(&self, tokens: u64) {
        if let Err(error) = self.desk.store.spend_tokens(self.workspace, self.today(), tokens).await {
            tracing::warn!(%error, "the tokens of a call could not be counted");
        }
    }

    fn today(&self) -> jiff::civil::Date {
        day_of(self.desk.clock.now_ms())
    }

    /// Tells the circuit, and ends the question where nothing comes of asking on.
    fn learn(&self, start: Start, reading: &Reading) -> Result<(), Unanswered> {
        let now_ms = self.desk.clock.now_ms();
        let mut asked = self.entry.asked.lock();
        match reading {
            Reading::Chosen { .. } | Reading::Declined(_) | Reading::Garbled { .. } => {
                asked.circuit.succeeded(start);
                asked.stopped = None;
                Ok(())
            }
            Reading::Later {
                why,
                after_ms,
                throttled,
            } => {
                let wait_ms = after_ms.and_then(|wait| i64::try_from(wait).ok()).unwrap_or(AGAIN_MS);
                match throttled {
                    true => asked.circuit.throttled(start, now_ms, wait_ms.cast_unsigned()),
                    false => asked.circuit.failed(start, now_ms),
                }
                Err(Unanswered::Later {
                    at_ms: now_ms.saturating_add(wait_ms),
                    why: why.clone(),
                })
            }
            Reading::Unusable(why) => {
                asked.circuit.abandoned(start, now_ms);
                let next = "Check address, key, model and `output` of the classifier's model, and save it again. Until then the rules decide.";
                let problem = Problem::new(Code::ModelUnusable, why.clone(), next);
                asked.stopped = Some((problem, now_ms + STOPPED_MS));
                Err(Unanswered::Never(why.clone()))
            }
        }
    }
}

/// The day (UTC) of a moment.
pub(crate) fn day_of(now_ms: i64) -> jiff::civil::Date {
    let moment = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(moment).date()
}

fn unreachable_server(why: String) -> Reading {
    Reading::Later {
        why,
        after_ms: None,
        throttled: false,
    }
}

fn estimated(question: &[u8], answer: &Answer) -> u64 {
    ((question.len() + answer.body.len()) / BYTES_PER_TOKEN) as u64
}
