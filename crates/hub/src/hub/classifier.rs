//! The classifier as people see it, and try it.

use serde_json::{Map, Value};
use switchboard_connect::guide::{ClassifierItem, Item};
use switchboard_model::{
    classify::{CLASSIFIED, Classifier, ClassifierSpec},
    event::EventType,
    id::WorkspaceId,
    problem::{Code, Problem},
};

use super::Hub;
use crate::{
    classify::{Answered, Asker, Unanswered, day_of, decided},
    configuration::{CLASSIFIER_KEY, WorkspaceClassifier},
    lane::circuit::State,
    store::{ConfigurationChange, DefinitionKind, Expense, Removal},
};

/// Messages that wait are counted up to here.
const MOST_WAITING: usize = 10_000;

/// The classifier of a workspace.
#[derive(Debug, Clone)]
pub struct ClassifierView {
    /// What a person said about it.
    pub spec: ClassifierSpec,
    /// Why it cannot be used; nothing is classified then.
    pub fault: Option<String>,
    /// When it was written last, Unix milliseconds.
    pub changed_ms: i64,
    /// How its model stands.
    pub model: Option<ModelView>,
}

/// How the model of a classifier stands.
#[derive(Debug, Clone)]
pub struct ModelView {
    /// Whether a key is kept.
    pub has_api_key: bool,
    /// The categories that it chooses from.
    pub categories: Vec<String>,
    /// The priorities that it chooses from.
    pub priorities: Vec<String>,
    /// What it has cost today (UTC).
    pub spent: Expense,
    /// How many messages wait for it, counted up to 10,000.
    pub waiting: usize,
    /// How the circuit stands on this node.
    pub circuit: State,
    /// What a person has to see to before it is asked again.
    pub problem: Option<Problem>,
}

/// What would be decided about a message.
#[derive(Debug, Clone)]
pub struct Decided {
    /// Its data as it would go on.
    pub data: Map<String, Value>,
    /// Whether the rules leave something open about which the model would be asked.
    pub asks_model: bool,
    /// What the model said, when it was asked, or why it said nothing.
    pub answer: Option<Result<Answered, String>>,
}

impl Hub {
    /// The classifier of a workspace; `None` when it has none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn classifier(&self, workspace: WorkspaceId) -> Result<Option<ClassifierView>, Problem> {
        let configuration = self.configuration();
        let Some(entry) = configuration
            .workspace(workspace)
            .and_then(|workspace| workspace.classifier_entry())
        else {
            return Ok(None);
        };
        let model = match (&entry.spec.model, &entry.compiled) {
            (Some(_), Ok(classifier)) => Some(self.model_view(workspace, entry, classifier).await?),
            _ => None,
        };
        Ok(Some(ClassifierView {
            spec: entry.spec.clone(),
            fault: entry.compiled.as_ref().err().cloned(),
            changed_ms: entry.changed_ms(),
            model,
        }))
    }

    async fn model_view(
        &self,
        workspace: WorkspaceId,
        entry: &WorkspaceClassifier,
        classifier: &Classifier,
    ) -> Result<ModelView, Problem> {
        let now_ms = self.clock().now_ms();
        let store = &self.inner.store;
        let spent = store.spent(workspace, day_of(now_ms)).await?;
        let waiting = store.unclassified(workspace, MOST_WAITING).await?;
        let asked = entry.asked.lock();
        Ok(ModelView {
            has_api_key: entry.has_api_key(),
            categories: classifier.categories(),
            priorities: classifier.priorities(),
            spent,
            waiting,
            circuit: asked.state(now_ms),
            problem: asked.problem(now_ms),
        })
    }

    /// Puts a classifier in the place of the present one.
    ///
    /// # Errors
    /// Everything that is wrong with it; then nothing is changed.
    pub async fn set_classifier(&self, workspace: WorkspaceId, item: ClassifierItem) -> Result<(), Problem> {
        self.configure(workspace, vec![Item::Classifier(Box::new(item))])
            .await
            .map(drop)
    }

    /// Takes the classifier away. Messages that wait for it go on as they came.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none.
    pub async fn remove_classifier(&self, workspace: WorkspaceId) -> Result<(), Problem> {
        if self.classifier(workspace).await?.is_none() {
            return Err(no_classifier());
        }
        let removal = Removal::Definition(DefinitionKind::Classifier, CLASSIFIER_KEY.to_owned());
        let change = ConfigurationChange {
            removed: vec![removal],
            now_ms: self.clock().now_ms(),
            ..ConfigurationChange::default()
        };
        self.inner.store.configure(workspace, change).await?;
        self.refresh().await?;
        self.inner.desk.unclassified.notify_one();
        Ok(())
    }

    /// What the present classifier, also one that is switched off, would make of a message. With `ask_model` its model is asked, which counts
    /// against the budget.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is none, or what makes it unusable.
    pub async fn try_classifier(
        &self,
        workspace: WorkspaceId,
        data: Map<String, Value>,
        ask_model: bool,
    ) -> Result<Decided, Problem> {
        let configuration = self.configuration();
        let entry = configuration
            .workspace(workspace)
            .and_then(|workspace| workspace.classifier_entry());
        let entry = entry.ok_or_else(no_classifier)?;
        let classifier = entry.compiled.as_ref().map_err(|fault| {
            let next = "Save the classifier anew with what is wrong corrected.";
            Problem::new(
                Code::WrongValue,
                format!("the classifier cannot be used: {fault}"),
                next,
            )
        })?;
        let decision = classifier.decide(&data);
        let asks_model = Classifier::is_asked(EventType::MESSAGE, &data) && classifier.model_for(&decision).is_some();
        let answer = match classifier.spec().model.as_ref().filter(|_| ask_model && asks_model) {
            None => None,
            Some(model) => {
                let desk = &self.inner.desk;
                let asker = Asker { desk, workspace, entry };
                let answer = asker.ask(classifier, model, &data).await;
                Some(answer.map_err(|why| match why {
                    Unanswered::Later { why, .. } | Unanswered::Never(why) => why,
                }))
            }
        };
        Ok(Decided {
            data: with_decision(classifier, data, answer.clone()),
            asks_model,
            answer,
        })
    }
}

/// What a classifier that is not kept would make of a message, by its rules alone.
///
/// # Errors
/// Everything that is wrong with it.
pub fn try_rules(spec: ClassifierSpec, data: Map<String, Value>) -> Result<Decided, Problem> {
    let classifier = Classifier::compile(spec).map_err(|problems| {
        Problem::all(problems)
            .unwrap_or_else(|| Problem::new(Code::WrongValue, "the rules cannot be used", "Check them."))
    })?;
    let asks_model =
        Classifier::is_asked(EventType::MESSAGE, &data) && classifier.model_for(&classifier.decide(&data)).is_some();
    Ok(Decided {
        data: with_decision(&classifier, data, None),
        asks_model,
        answer: None,
    })
}

fn with_decision(
    classifier: &Classifier,
    mut data: Map<String, Value>,
    answer: Option<Result<Answered, String>>,
) -> Map<String, Value> {
    if data.get(CLASSIFIED).is_none_or(Value::is_null) {
        decided(classifier, &data, answer).apply(&mut data);
    }
    data
}

fn no_classifier() -> Problem {
    Problem::new(
        Code::NotFound,
        "there is no classifier in this workspace",
        "PUT /v1/classifier makes one, for example {\"preset\": \"customer-service\"}.",
    )
}
