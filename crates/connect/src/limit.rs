//! What a vendor allows, as buckets for the limiter of a lane.

use serde_json::{Map, Value};
use switchboard_model::template::{Scope, Template};

use crate::{
    account::{Account, Call},
    call::Answer,
    compile::{Compiler, child},
    connector::Connector,
    manifest::{BucketKind, LimitSpec, OperationKind, SourceSpec},
    reading::{Source, text_of},
};

/// A compiled limit; see [`LimitSpec`].
#[derive(Debug)]
pub(crate) struct Bucket {
    name: String,
    kind: BucketKind,
    amount: Amount,
    seconds: u64,
    cost: u64,
    operations: Vec<OperationKind>,
    remaining: Option<Source>,
    used: Option<Source>,
    allowed: Option<Source>,
}

#[derive(Debug)]
enum Amount {
    Fixed(f64),
    Template(Template),
}

/// Calls at the same time where a manifest says nothing about it.
const DEFAULT_CONCURRENCY: usize = 8;

/// What a vendor allows on one account.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// How many calls may be under way at once.
    pub concurrency: usize,
    /// How many calls may begin within how many milliseconds, for every call alike.
    pub windows: Vec<(usize, i64)>,
    /// All of it, also what is about single operations.
    pub buckets: Vec<Limit>,
}

/// One bucket of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// How it counts.
    pub kind: BucketKind,
    /// How many calls, at least 1; the setting `limitScale` is taken in.
    pub amount: usize,
    /// Length of the window in milliseconds; 0 for concurrency.
    pub window_ms: i64,
    /// What one call costs.
    pub cost: u64,
    /// The operations that it is about; empty means all.
    pub operations: Vec<OperationKind>,
}

/// What an answer says about a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The bucket's name.
    pub bucket: String,
    /// Calls that are left.
    pub remaining: Option<u64>,
    /// Calls that are allowed.
    pub amount: Option<u64>,
}

impl Bucket {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &LimitSpec) -> Option<Self> {
        let amount = match &spec.amount {
            Value::Number(number) => number.as_f64().map(Amount::Fixed),
            Value::String(source) => compiler.template(&child(at, "amount"), source).map(Amount::Template),
            _ => None,
        };
        if spec.kind == BucketKind::Window && spec.seconds == 0 {
            compiler.report(at, "a window needs a length", "Write `seconds`.");
        }
        let feeds = child(at, "feeds");
        let mut feed = |name: &str, spec: &Option<SourceSpec>| {
            spec.as_ref()
                .and_then(|spec| Source::compile(compiler, &child(&feeds, name), spec))
        };
        Some(Self {
            name: spec.name.clone(),
            kind: spec.kind,
            amount: amount?,
            seconds: spec.seconds,
            cost: spec.cost,
            operations: spec.operations.clone(),
            remaining: feed("remaining", &spec.feeds.remaining),
            used: feed("used", &spec.feeds.used),
            allowed: feed("amount", &spec.feeds.amount),
        })
    }

    fn of(&self, scale: f64, scope: &Scope<'_>) -> Limit {
        let amount = match &self.amount {
            Amount::Fixed(amount) => *amount,
            Amount::Template(template) => {
                let value = template.render(scope).ok().flatten();
                value
                    .as_ref()
                    .and_then(text_of)
                    .and_then(|text| text.trim().parse().ok())
                    .unwrap_or(1.0)
            }
        };
        Limit {
            name: self.name.clone(),
            kind: self.kind,
            // How many calls run at once is no question of pace.
            amount: if self.kind == BucketKind::Window {
                (amount * scale).floor().max(1.0) as usize
            } else {
                amount as usize
            },
            window_ms: i64::try_from(self.seconds * 1000).unwrap_or(i64::MAX),
            cost: self.cost,
            operations: self.operations.clone(),
        }
    }

    fn observe(&self, answer: &Answer, scope: &Scope<'_>) -> Option<Observation> {
        let number = |source: &Option<Source>| -> Option<u64> {
            text_of(&source.as_ref()?.first(answer, scope)?)?.trim().parse().ok()
        };
        let amount = number(&self.allowed);
        let left = number(&self.remaining);
        let remaining = left.or_else(|| Some(amount?.saturating_sub(number(&self.used)?)));
        (remaining.is_some() || amount.is_some()).then(|| Observation {
            bucket: self.name.clone(),
            remaining,
            amount,
        })
    }
}

impl Connector {
    /// What the vendor allows on an account with these settings, an object.
    pub fn limits(&self, settings: &Value) -> Limits {
        let nothing = Map::new();
        let settings = self.with_defaults(settings.as_object().unwrap_or(&nothing));
        let scale = settings["limitScale"].as_f64().unwrap_or(1.0);
        let base = Map::from_iter([("settings".to_owned(), settings)]);
        let scope = Scope::of(&base).lookups(&self.lookups);
        let buckets: Vec<_> = self.limits.iter().map(|bucket| bucket.of(scale, &scope)).collect();
        let of_all = |kind| {
            buckets
                .iter()
                .filter(move |bucket| bucket.kind == kind && bucket.operations.is_empty())
        };
        Limits {
            concurrency: of_all(BucketKind::Concurrency)
                .map(|bucket| bucket.amount)
                .min()
                .unwrap_or(DEFAULT_CONCURRENCY),
            windows: of_all(BucketKind::Window)
                .map(|bucket| (bucket.amount, bucket.window_ms))
                .collect(),
            buckets,
        }
    }

    /// What an answer says about the buckets.
    pub fn observe(&self, account: &Account, answer: &Answer) -> Vec<Observation> {
        let call = Call::plain();
        let scope = self.scope(account, None, &call);
        self.limits
            .iter()
            .filter_map(|bucket| bucket.observe(answer, &scope))
            .collect()
    }
}
