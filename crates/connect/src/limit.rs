//! What a vendor allows, as buckets for the limiter of a lane, and what its answers say about them.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use switchboard_model::{
    moment::read_moment,
    template::{Scope, Template},
};

use crate::{
    account::{Account, Call},
    call::Answer,
    compile::{Compiler, child},
    connector::Connector,
    manifest::{BucketKind, BucketUnit, LimitSpec, OperationKind, ResetSpec, ResetUnit, SourceSpec},
    reading::{Source, text_of},
};

/// A compiled limit; see [`LimitSpec`].
#[derive(Debug)]
pub(crate) struct Bucket {
    name: String,
    kind: BucketKind,
    unit: BucketUnit,
    amount: Amount,
    burst: Option<Amount>,
    seconds: u64,
    zone: Option<Template>,
    cost: u64,
    costs: Vec<(OperationKind, u64)>,
    operations: Vec<OperationKind>,
    objects: Vec<String>,
    remaining: Option<Source>,
    used: Option<Source>,
    allowed: Option<Source>,
    real_cost: Option<Source>,
    reset: Option<(Source, ResetUnit)>,
}

#[derive(Debug)]
enum Amount {
    Fixed(f64),
    Template(Template),
}

/// Calls at the same time where a manifest says nothing about it.
const DEFAULT_CONCURRENCY: usize = 8;
/// A day, in seconds.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// What a vendor allows on one account.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// How many calls of one connection may be under way at once.
    pub concurrency: usize,
    /// Every bucket, also those that are about single operations.
    pub buckets: Vec<Limit>,
}

/// One bucket of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// Its name.
    pub name: String,
    /// How it counts.
    pub kind: BucketKind,
    /// What it counts.
    pub unit: BucketUnit,
    /// How many of its unit, at least 1; the setting `limitScale` is taken in.
    pub amount: u64,
    /// How many at once after a rest, at least 1; only for [`BucketKind::Token`].
    pub burst: u64,
    /// Length of the window in milliseconds. For concurrency: how long a call must have taken to count; 0 is from its begin.
    pub window_ms: i64,
    /// The zone of the day; only for [`BucketKind::Daily`]. Without one any 24 hours count, which fits every zone.
    pub zone: Option<TimeZone>,
    /// What one call costs, in its unit.
    pub cost: u64,
    /// What a call of these operations costs instead.
    pub costs: Vec<(OperationKind, u64)>,
    /// The operations that it is about; empty means every call.
    pub operations: Vec<OperationKind>,
    /// The objects that it is about, by [`Connector::object_number`]; empty means every call.
    pub objects: Vec<u16>,
}

impl Limit {
    /// What a call of this operation on this object (`None`: a test or a preparation) costs; `None` when the bucket is not about it.
    pub fn cost_of(&self, operation: Option<OperationKind>, object: Option<u16>) -> Option<u64> {
        let about = (self.operations.is_empty() || operation.is_some_and(|kind| self.operations.contains(&kind)))
            && (self.objects.is_empty() || object.is_some_and(|object| self.objects.contains(&object)));
        let own = self.costs.iter().find(|(kind, _)| Some(*kind) == operation);
        about.then(|| own.map_or(self.cost, |(_, cost)| *cost))
    }
}

/// What an answer says about a bucket, in the bucket's unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observation {
    /// The bucket's name.
    pub bucket: String,
    /// What is left. Worked out from `used` and `amount` where the answer says it that way.
    pub remaining: Option<u64>,
    /// What was used.
    pub used: Option<u64>,
    /// What is allowed.
    pub amount: Option<u64>,
    /// What the call took.
    pub cost: Option<u64>,
    /// When all of it can be used again.
    pub reset: Option<Reset>,
}

/// When a limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// In so many milliseconds.
    After(i64),
    /// At this moment of the vendor's clock, Unix milliseconds.
    At(i64),
}

impl Amount {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &Value) -> Option<Self> {
        match spec {
            Value::Number(number) => number.as_f64().map(Self::Fixed),
            Value::String(source) => compiler.template(at, source).map(Self::Template),
            _ => None,
        }
    }

    /// One that gives no number allows 1.
    fn of(&self, scope: &Scope<'_>) -> f64 {
        match self {
            Self::Fixed(amount) => *amount,
            Self::Template(template) => {
                let value = template.render(scope).ok().flatten();
                let text = value.as_ref().and_then(text_of);
                text.and_then(|text| text.trim().parse().ok()).unwrap_or(1.0)
            }
        }
    }
}

impl Bucket {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &LimitSpec) -> Option<Self> {
        check_shape(compiler, at, spec);
        let amount = Amount::compile(compiler, &child(at, "amount"), &spec.amount);
        let burst = match &spec.burst {
            Some(burst) => Some(Amount::compile(compiler, &child(at, "burst"), burst)?),
            None => None,
        };
        let zone = compiler.optional_template(&child(at, "time_zone"), spec.time_zone.as_ref());
        let feeds = child(at, "feeds");
        let reset = spec
            .feeds
            .reset
            .as_ref()
            .and_then(|spec| compile_reset(compiler, &child(&feeds, "reset"), spec));
        let mut feed = |name: &str, spec: &Option<SourceSpec>| {
            spec.as_ref()
                .and_then(|spec| Source::compile(compiler, &child(&feeds, name), spec))
        };
        Some(Self {
            name: spec.name.clone(),
            kind: spec.kind,
            unit: spec.unit,
            amount: amount?,
            burst,
            seconds: if spec.kind == BucketKind::Daily {
                DAY_SECONDS
            } else {
                spec.seconds
            },
            zone,
            cost: spec.cost,
            costs: spec.costs.iter().map(|(kind, cost)| (*kind, *cost)).collect(),
            operations: spec.operations.clone(),
            objects: spec.objects.clone(),
            remaining: feed("remaining", &spec.feeds.remaining),
            used: feed("used", &spec.feeds.used),
            allowed: feed("amount", &spec.feeds.amount),
            real_cost: feed("cost", &spec.feeds.cost),
            reset,
        })
    }

    fn of(&self, scale: f64, scope: &Scope<'_>) -> Limit {
        // How many calls run at once is no question of pace.
        let scale = if self.kind == BucketKind::Concurrency {
            1.0
        } else {
            scale
        };
        // Casting saturates, and takes what is no number for 0.
        let scaled = |amount: &Amount| ((amount.of(scope) * scale).floor() as u64).max(1);
        let amount = scaled(&self.amount);
        let zone = self.zone.as_ref().and_then(|zone| zone.render_text(scope).ok());
        Limit {
            name: self.name.clone(),
            kind: self.kind,
            unit: self.unit,
            amount,
            burst: self.burst.as_ref().map_or(amount, scaled),
            window_ms: i64::try_from(self.seconds.saturating_mul(1000)).unwrap_or(i64::MAX),
            zone: zone.and_then(|name| TimeZone::get(name.trim()).ok()),
            cost: self.cost,
            costs: self.costs.clone(),
            operations: self.operations.clone(),
            objects: Vec::new(),
        }
    }

    fn observe(&self, answer: &Answer, scope: &Scope<'_>) -> Option<Observation> {
        let number = |source: &Option<Source>| -> Option<f64> {
            let value = source.as_ref()?.first(answer, scope)?;
            let number: f64 = text_of(&value)?.trim().parse().ok()?;
            (number >= 0.0).then_some(number)
        };
        // What is left is rounded down, what is used up.
        let amount = number(&self.allowed).map(|number| number.floor() as u64);
        let used = number(&self.used).map(|number| number.ceil() as u64);
        let left = number(&self.remaining).map(|number| number.floor() as u64);
        let observation = Observation {
            bucket: self.name.clone(),
            remaining: left.or_else(|| Some(amount?.saturating_sub(used?))),
            used,
            amount,
            cost: number(&self.real_cost).map(|number| number.ceil() as u64),
            reset: self
                .reset
                .as_ref()
                .and_then(|(source, unit)| read_reset(source, *unit, answer, scope)),
        };
        let says_something = observation.remaining.is_some()
            || observation.used.is_some()
            || observation.amount.is_some()
            || observation.cost.is_some();
        says_something.then_some(observation)
    }
}

/// Reports what does not go with the kind of the bucket.
fn check_shape(compiler: &mut Compiler<'_>, at: &str, spec: &LimitSpec) {
    if matches!(spec.kind, BucketKind::Window | BucketKind::Token) && spec.seconds == 0 {
        compiler.report(at, "a bucket of this kind needs a length", "Write `seconds`.");
    }
    if spec.burst.is_some() && spec.kind != BucketKind::Token {
        compiler.report(
            at,
            "only `kind: token` has a burst",
            "Remove `burst`, or change the kind.",
        );
    }
    if spec.time_zone.is_some() && spec.kind != BucketKind::Daily {
        compiler.report(
            at,
            "only `kind: daily` has a time zone",
            "Remove `time_zone`, or change the kind.",
        );
    }
    if spec.feeds.cost.is_some() && spec.unit != BucketUnit::Points {
        compiler.report(
            at,
            "a call is always one call",
            "Write `unit: points`, or remove `cost`.",
        );
    }
}

fn compile_reset(compiler: &mut Compiler<'_>, at: &str, spec: &ResetSpec) -> Option<(Source, ResetUnit)> {
    Some((Source::compile(compiler, &child(at, "at"), &spec.at)?, spec.unit))
}

fn read_reset(source: &Source, unit: ResetUnit, answer: &Answer, scope: &Scope<'_>) -> Option<Reset> {
    let value = source.first(answer, scope)?;
    let scale = match unit {
        ResetUnit::Seconds => 1000.0,
        ResetUnit::Milliseconds => 1.0,
        ResetUnit::Moment => {
            let at_ms = read_moment(&value)?.as_millisecond();
            // Where the answer is dated, both moments are the server's, so that its clock need not be ours.
            return Some(match answer.date_ms() {
                Some(now_ms) => Reset::After((at_ms - now_ms).max(0)),
                None => Reset::At(at_ms),
            });
        }
    };
    let amount: f64 = text_of(&value)?.trim().parse().ok()?;
    (amount >= 0.0).then(|| Reset::After((amount * scale).ceil() as i64))
}

impl Connector {
    /// The waits in milliseconds after the first, second … failed try, as these settings (an object) say; `None`: nothing is said. What is no
    /// list of numbers says nothing.
    pub fn retry_ms(&self, settings: &Value) -> Option<Vec<u64>> {
        let template = self.retry_seconds.as_ref()?;
        let nothing = Map::new();
        let settings = self.with_defaults(settings.as_object().unwrap_or(&nothing));
        let base = Map::from_iter([("settings".to_owned(), settings)]);
        let value = template
            .render(&Scope::of(&base).lookups(&self.lookups))
            .ok()
            .flatten()?;
        let waits = value.as_array()?.iter();
        waits.map(|wait| wait.as_u64()?.checked_mul(1000)).collect()
    }

    /// What the vendor allows on an account with these settings, an object.
    pub fn limits(&self, settings: &Value) -> Limits {
        let nothing = Map::new();
        let settings = self.with_defaults(settings.as_object().unwrap_or(&nothing));
        let scale = settings["limitScale"].as_f64().unwrap_or(1.0);
        let base = Map::from_iter([("settings".to_owned(), settings)]);
        let scope = Scope::of(&base).lookups(&self.lookups);
        let numbered = |bucket: &Bucket| Limit {
            objects: bucket
                .objects
                .iter()
                .filter_map(|name| self.object_number(name))
                .collect(),
            ..bucket.of(scale, &scope)
        };
        let buckets: Vec<_> = self.limits.iter().map(numbered).collect();
        let of_all = buckets.iter().filter(|bucket| {
            bucket.kind == BucketKind::Concurrency
                && bucket.window_ms == 0
                && bucket.operations.is_empty()
                && bucket.objects.is_empty()
        });
        Limits {
            concurrency: of_all
                .map(|bucket| usize::try_from(bucket.amount).unwrap_or(usize::MAX))
                .min()
                .unwrap_or(DEFAULT_CONCURRENCY),
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
