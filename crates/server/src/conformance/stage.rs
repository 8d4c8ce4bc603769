//! Where one case is played: a real hub on a temporary store, a simulated vendor, and one connection between them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use switchboard_connect::guide::Item;
use switchboard_hub::{
    ConnectionView, Hub, TestReport,
    configuration::Configured,
    intake::Incoming,
    store::{DeliveryFilter, DeliveryRow, EventFilter, How, Page, RecordWrite},
};
use switchboard_model::{
    connection::{ConnectionSpec, ConnectionState},
    delivery::DeliveryState,
    event::EventType,
    id::{EventId, WorkspaceId},
    problem::Problem,
    record::Policy,
    route::{RouteSpec, Strategy, Target},
};
use switchboard_simulator::{Call, Dial, Rule, Running};
use tempfile::TempDir;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    failure::{Failure, Verdict},
    sample::Sample,
    setup::{broken, open_hub, start_vendor},
    subject::Subject,
};

/// The connection that is tested.
pub const CONNECTION: &str = "tested";
/// Where samples are kept as rows.
const TABLE: &str = "samples";
/// Limits of both sides are multiplied by this where a case is not about them.
pub const FAST: f64 = 1000.0;
/// How often the hub is asked how things stand.
const ASK: Duration = Duration::from_millis(5);
/// A healthy hub never comes near this.
const DEADLINE: Duration = Duration::from_secs(90);
/// How long a hub may take to stop.
const GRACE: Duration = Duration::from_secs(2);
/// The calls of so many deliveries are told.
const MOST_UNDERSTOOD: usize = 12;

/// How fast the vendor and the connection may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Limits are out of the way.
    Fast,
    /// The vendor's real limits, and those that the manifest declares.
    Real,
}

/// One case's own hub and vendor.
pub struct Stage<'s> {
    /// What is tested.
    pub subject: &'s Subject,
    /// The object that is written.
    pub object: &'s str,
    vendor: Running,
    hub: Mutex<Hub>,
    workspace: WorkspaceId,
    pace: Pace,
    folder: TempDir,
}

impl<'s> Stage<'s> {
    /// Builds it. The connection is not there yet; see [`Stage::connect`].
    ///
    /// # Errors
    /// When no port or folder can be had, or the vendor refuses the scenario's settings.
    pub async fn open(subject: &'s Subject, object: &'s str, pace: Pace, seed: u64) -> Result<Self, Problem> {
        let vendor = start_vendor(subject, pace, seed).await?;
        let folder = tempfile::Builder::new()
            .prefix("switchboard-conformance-")
            .tempdir()
            .map_err(|error| broken(&error.to_string()))?;
        let hub = open_hub(subject, folder.path()).await?;
        let workspace = hub.default_workspace().await?;
        Ok(Self {
            subject,
            object,
            vendor,
            hub: Mutex::new(hub),
            workspace,
            pace,
            folder,
        })
    }

    /// Ends hub and vendor.
    pub async fn close(self) {
        self.hub().stop(GRACE).await;
        self.vendor.shutdown().await;
    }

    /// The hub is stopped and started again on its data.
    pub async fn restart(&self) -> Verdict {
        self.hub().stop(GRACE).await;
        let again = open_hub(self.subject, self.folder.path()).await?;
        *self.hub.lock() = again;
        Ok(())
    }

    fn hub(&self) -> Hub {
        self.hub.lock().clone()
    }

    /// Now, Unix milliseconds, by the hub's clock.
    pub fn now_ms(&self) -> i64 {
        self.hub().now_ms()
    }

    /// Lets time pass at the vendor, where what was written is found only after a while.
    pub async fn pass(&self, ms: i64) -> Verdict {
        let end_ms = self.now_ms() + ms;
        self.until("time passes", async || Ok((self.now_ms() >= end_ms).then_some(())))
            .await
    }

    /// The simulated vendor.
    pub fn vendor(&self) -> &Running {
        &self.vendor
    }

    /// The connection of the scenario, on the object of this case.
    pub fn spec(&self) -> ConnectionSpec {
        let origin = self.vendor.url(self.subject.slug());
        let scale = (self.pace == Pace::Fast).then_some(FAST);
        self.subject.connection(CONNECTION, &origin, &[self.object], scale)
    }

    /// Writes a connection, complete or not.
    pub async fn write(&self, spec: ConnectionSpec) -> Result<Configured, Failure> {
        let items = vec![Item::Connection(spec)];
        Ok(self.hub().configure(self.workspace, items).await?)
    }

    /// The address that a person opens to sign in, who is sent back to `back`.
    pub async fn start_sign_in(&self, back: &str) -> Result<String, Failure> {
        let sign_in = self.hub().start_sign_in(self.workspace, CONNECTION, back).await?;
        Ok(sign_in.address)
    }

    /// The person comes back with these parameters.
    pub async fn finish_sign_in(&self, parameters: &HashMap<String, String>) -> Verdict {
        self.hub().finish_sign_in(parameters).await?;
        Ok(())
    }

    /// Writes a complete connection.
    pub async fn configure(&self, spec: ConnectionSpec) -> Verdict {
        let done = self.write(spec).await?;
        let draft = done
            .connections
            .iter()
            .find(|connection| connection.state != ConnectionState::Active);
        match draft {
            None => Ok(()),
            Some(draft) => Err(Failure::new(
                "the scenario's connection is complete",
                format!(
                    "it is {}: {}",
                    draft.state.name(),
                    draft.reason.clone().unwrap_or_default()
                ),
            )),
        }
    }

    /// Writes the connection of the scenario.
    pub async fn connect(&self) -> Verdict {
        self.configure(self.spec()).await
    }

    /// The same, and one record is written without any trouble, so that everything that comes before the first record is done.
    pub async fn warm(&self) -> Verdict {
        self.connect().await?;
        self.deliver(&[Sample::new(0)]).await
    }

    /// Sends everything to the connection, also removals.
    pub async fn route_removals(&self) -> Verdict {
        let options = Map::from_iter([("deletions".to_owned(), true.into())]);
        self.route("*", options).await
    }

    /// From now on there is a table of samples, and each change of its rows goes to the connection.
    pub async fn keep_rows(&self) -> Verdict {
        let names = Sample::new(0);
        let fields: Map<String, Value> = names.data().keys().map(|name| (name.clone(), "text".into())).collect();
        let table = json!({ "fields": fields, "keys": ["senderEmail"] });
        self.hub().define_object(self.workspace, TABLE, &table).await?;
        self.route("row.*", Map::new()).await
    }

    /// Writes the row of a sample, which is known by its address, and waits until the vendor has confirmed what comes of it.
    pub async fn write_row(&self, sample: &Sample) -> Verdict {
        let hub = self.hub();
        let objects = hub.objects(self.workspace);
        let table = objects
            .find(TABLE)
            .ok_or_else(|| Failure::new("a table", "there is none"))?;
        let write = RecordWrite {
            object: Arc::clone(table),
            how: How::Match {
                policy: Policy::Update,
                only: None,
            },
            data: sample.data().clone(),
            lookups: Vec::new(),
            source: Arc::from("suite"),
        };
        hub.write_records(self.workspace, vec![write]).await?;
        let page = Page { before: None, limit: 1 };
        let events = hub.events(self.workspace, EventFilter::default(), page).await?;
        self.confirmed(&events.iter().map(|event| event.event.id).collect::<Vec<_>>())
            .await
    }

    async fn route(&self, on: &str, options: Map<String, Value>) -> Verdict {
        let target = Target {
            system: CONNECTION.to_owned(),
            objects: vec![self.object.to_owned()],
            options,
        };
        let route = RouteSpec {
            key: "everything".to_owned(),
            on: on.to_owned(),
            condition: None,
            strategy: Strategy::ParallelSync { targets: vec![target] },
            enabled: true,
        };
        self.hub().configure(self.workspace, vec![Item::Route(route)]).await?;
        Ok(())
    }

    /// Tries the connection as a person would.
    pub async fn try_connection(&self) -> Result<TestReport, Failure> {
        Ok(self.hub().test_connection(self.workspace, CONNECTION).await?)
    }

    /// How the connection stands.
    pub fn connection(&self) -> Option<ConnectionView> {
        let connections = self.hub().connections(self.workspace);
        connections.into_iter().find(|connection| connection.key == CONNECTION)
    }

    /// Until when nothing is called, Unix milliseconds, when the vendor wants a pause; and the time now.
    pub fn pause(&self) -> (Option<i64>, i64) {
        let now_ms = self.now_ms();
        let lane = self
            .connection()
            .and_then(|connection| self.hub().lane_status(connection.id));
        let until = lane.map(|lane| lane.open_until_ms.unwrap_or(0).max(lane.next_call_ms));
        (until.filter(|until| *until > now_ms), now_ms)
    }

    /// Makes these rules and no others the vendor's dial.
    pub fn dial(&self, rules: impl IntoIterator<Item = Rule>) -> Verdict {
        self.set_dial(Dial::of(rules))
    }

    /// The vendor is away, or back.
    pub fn down(&self, down: bool) -> Verdict {
        self.set_dial(Dial {
            down,
            ..Dial::default()
        })
    }

    fn set_dial(&self, dial: Dial) -> Verdict {
        let set = self.vendor.set_vendor_dial(self.subject.slug(), dial);
        set.map_err(|refused| Failure::new("the simulated vendor has a dial", refused.to_string()))
    }

    /// Hands samples to the hub, all at once.
    pub async fn send(&self, samples: &[Sample]) -> Result<Vec<EventId>, Failure> {
        self.send_as("message.received", samples).await
    }

    /// The same as events of another type.
    pub async fn send_as(&self, kind: &str, samples: &[Sample]) -> Result<Vec<EventId>, Failure> {
        let kind = EventType::find(kind).ok_or_else(|| Failure::new("an event type", format!("no `{kind}`")))?;
        let incoming = samples.iter().map(|sample| Incoming {
            kind,
            id: None,
            data: sample.data().clone().into(),
        });
        let receipts = self.hub().accept(self.workspace, incoming.collect(), None).await?;
        let mut events = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            let receipt = receipt?;
            if receipt.deliveries == 0 {
                let note = receipt.note.unwrap_or_default();
                return Err(Failure::new(
                    "the event makes a record",
                    format!("it goes nowhere: {note}"),
                ));
            }
            events.push(receipt.event);
        }
        Ok(events)
    }

    /// The deliveries of these events as they stand, in their order.
    pub async fn deliveries(&self, events: &[EventId]) -> Result<Vec<DeliveryRow>, Failure> {
        let page = Page {
            before: None,
            limit: 500,
        };
        let rows = self
            .hub()
            .deliveries(self.workspace, DeliveryFilter::default(), page)
            .await?;
        let mut rows: Vec<_> = rows.into_iter().filter(|row| events.contains(&row.event)).collect();
        rows.sort_by_key(|row| row.event);
        Ok(rows)
    }

    /// Waits until nothing more happens to these events.
    pub async fn settle(&self, events: &[EventId]) -> Result<Vec<DeliveryRow>, Failure> {
        let settled = async || {
            let rows = self.deliveries(events).await?;
            Ok(rows.iter().all(|row| row.state.is_settled()).then_some(rows))
        };
        match self.until("", settled).await {
            Ok(rows) => Ok(rows),
            Err(_) => {
                let rows = self.deliveries(events).await?;
                let open = rows.iter().filter(|row| !row.state.is_settled());
                let open: Vec<_> = open.map(describe).collect();
                Err(Failure::new(
                    format!("every record is settled within {} s", DEADLINE.as_secs()),
                    format!("still open: {}", open.join("; ")),
                ))
            }
        }
    }

    /// Sends samples and waits until the vendor has confirmed each.
    pub async fn deliver(&self, samples: &[Sample]) -> Verdict {
        let events = self.send(samples).await?;
        self.confirmed(&events).await
    }

    /// Waits until these events are settled; each delivery has to be delivered.
    pub async fn confirmed(&self, events: &[EventId]) -> Verdict {
        let rows = self.settle(events).await?;
        let failed: Vec<_> = rows
            .iter()
            .filter(|row| row.state != DeliveryState::Delivered)
            .map(describe)
            .collect();
        match failed.is_empty() {
            true => Ok(()),
            false => Err(Failure::new("every record is delivered", failed.join("; "))),
        }
    }

    /// What the vendor answered when it said that there were too many calls; `None` when it never did.
    pub async fn throttled(&self, rows: &[DeliveryRow]) -> Result<Option<String>, Failure> {
        for row in rows {
            let attempts = self.hub().attempts(self.workspace, row.id).await?;
            let throttled = attempts.iter().find(|attempt| attempt.outcome == "throttled");
            if let Some(attempt) = throttled {
                let status = attempt.status.map(|status| status.to_string()).unwrap_or_default();
                return Ok(Some(format!("{}: {status} {}", attempt.request, attempt.answer)));
            }
        }
        Ok(None)
    }

    /// The calls of deliveries as the hub understood them, oldest first: operation, status, outcome.
    pub async fn understood(&self) -> Result<Vec<String>, Failure> {
        let page = Page {
            before: None,
            limit: MOST_UNDERSTOOD,
        };
        let mut rows = self
            .hub()
            .deliveries(self.workspace, DeliveryFilter::default(), page)
            .await?;
        rows.sort_by_key(|row| row.id);
        let mut lines = Vec::new();
        for row in rows {
            lines.push(describe(&row));
            for attempt in self.hub().attempts(self.workspace, row.id).await? {
                let status = attempt
                    .status
                    .map_or("no answer".to_owned(), |status| status.to_string());
                lines.push(format!("  {} → {status} → {}", attempt.operation, attempt.outcome));
            }
        }
        Ok(lines)
    }

    /// What the mapping makes of a sample, before it is brought into the vendor's form.
    pub fn record(&self, sample: &Sample) -> Result<Value, Failure> {
        self.subject
            .record(self.object, &sample.event(self.workspace, self.now_ms())?)
    }

    /// The vendor's rows that carry a sample's marker.
    pub fn rows(&self, sample: &Sample) -> Result<Vec<Value>, Failure> {
        let marker = sample.marker();
        let rows = self.stored()?;
        Ok(rows
            .into_iter()
            .filter(|row| row.to_string().to_lowercase().contains(&marker))
            .collect())
    }

    /// All rows of the object. A repeated message that its receiver has recognised is no row.
    pub fn stored(&self) -> Result<Vec<Value>, Failure> {
        self.subject.stored(&self.vendor, self.object)
    }

    /// Each of the samples is there exactly once.
    pub fn once(&self, samples: &[Sample]) -> Verdict {
        for sample in samples {
            let rows = self.rows(sample)?;
            let expected = format!("one record with {}", sample.marker());
            match rows.len() {
                1 => {}
                0 => {
                    let count = self.stored()?.len();
                    return Err(Failure::new(
                        expected,
                        format!("the vendor has none (of {count} records)"),
                    ));
                }
                count => return Err(Failure::doubled(expected, format!("the vendor has {count}"))),
            }
        }
        Ok(())
    }

    /// The number of the vendor's last call.
    pub fn mark(&self) -> u64 {
        self.vendor.calls(0, usize::MAX).last().map_or(0, |call| call.number)
    }

    /// The vendor's calls after a mark, in the order in which they ended.
    pub fn calls_since(&self, mark: u64) -> Vec<Arc<Call>> {
        self.vendor.calls(mark, usize::MAX)
    }

    /// Waits until `ask` has an answer.
    pub async fn until<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let end = Instant::now() + DEADLINE;
        let mut tick = interval(ASK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            if Instant::now() >= end {
                let found = format!("it did not happen within {} s", DEADLINE.as_secs());
                return Err(Failure::new(what, found));
            }
        }
    }
}

/// A delivery in one line.
pub fn describe(row: &DeliveryRow) -> String {
    let problem = row
        .problem
        .as_ref()
        .map(|problem| format!(", {}: {}", problem.code, problem.detail));
    format!("{} {}{}", row.object, row.state.name(), problem.unwrap_or_default())
}
