//! All simulated vendors with their dials, counters and the log of calls; free of sockets and of waiting.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::dial::{Dial, Dialer, Plan, Strike};
use crate::journal::{Call, Journal, Summary, VendorSummary};
use crate::message::{Reply, Request};
use crate::options::Options;
use crate::scripted::ScriptError;
use crate::vendor::Vendor;
use crate::vendors::{self, Make};

/// Why something could not be asked of, or set in, a simulation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No vendor has this slug.
    #[error("there is no simulated vendor `{0}`")]
    Vendor(String),
    /// The vendor stores no such object.
    #[error("`{0}` stores no object `{1}`")]
    Object(String, String),
    /// A dial or a setting makes no sense.
    #[error("{0}")]
    Value(String),
}

/// One vendor with what stands around it.
struct Station {
    slug: Arc<str>,
    make: Make,
    vendor: Mutex<Box<dyn Vendor>>,
    dialer: Mutex<Dialer>,
    counters: Mutex<VendorSummary>,
}

/// The simulated vendors. Every method may be called from any thread; no lock is held while anything waits.
pub struct Simulation {
    options: Options,
    stations: Vec<Station>,
    journal: Mutex<Journal>,
}

impl fmt::Debug for Simulation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Simulation")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Simulation {
    /// All vendors in their first state.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let setup = options.setup();
        let station = |(slug, make): (Arc<str>, Make)| Station {
            vendor: Mutex::new(make.make(&setup)),
            dialer: Mutex::new(Dialer::new(options.seed, &slug, options.dial.clone())),
            counters: Mutex::default(),
            slug,
            make,
        };
        Self {
            stations: vendors::all(&options).into_iter().map(station).collect(),
            journal: Mutex::new(Journal::new(options.calls_kept)),
            options,
        }
    }

    /// The slugs of all vendors, which are also their prefixes in a URL.
    pub fn slugs(&self) -> impl Iterator<Item = &str> {
        self.stations.iter().map(|station| &*station.slug)
    }

    /// The time of the simulation, milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.options.clock.now_ms()
    }

    /// Decides what the dial does to the next call of a vendor. The caller waits [`Plan::delay_ms`], calls
    /// [`Simulation::perform`], and keeps the answer for [`Plan::hold_ms`].
    ///
    /// # Errors
    /// [`Refused::Vendor`].
    pub fn plan(&self, vendor: &str, request: &Request) -> Result<Plan, Refused> {
        Ok(self
            .station(vendor)?
            .dialer
            .lock()
            .plan(request.method.as_str(), &request.path))
    }

    /// Carries out a call as planned, counts and logs it. `None` means that the connection is to be closed without an answer.
    ///
    /// # Errors
    /// [`Refused::Vendor`].
    pub fn perform(&self, vendor: &str, request: &Arc<Request>, plan: Plan) -> Result<Option<Reply>, Refused> {
        let station = self.station(vendor)?;
        let (reply, sent) = station.carry_out(request, &plan);
        let status = sent.then_some(reply.status);
        station.count(status, &plan.kinds);
        self.journal.lock().add(Call {
            number: 0,
            vendor: Arc::clone(&station.slug),
            request: Arc::clone(request),
            status,
            answer: reply.body.clone(),
            faults: plan.kinds,
        });
        Ok(sent.then_some(reply))
    }

    /// A whole call in one go, without waiting for what the dial delays. `None`: the connection would have been cut.
    ///
    /// # Errors
    /// [`Refused::Vendor`].
    pub fn call(&self, vendor: &str, request: Request) -> Result<Option<Reply>, Refused> {
        let plan = self.plan(vendor, &request)?;
        self.perform(vendor, &Arc::new(request), plan)
    }

    /// Something that belongs to a call and is none: the dial does not strike it, and it is neither counted nor logged. A protocol
    /// whose calls are whole conversations asks its vendor like this for what it has to know in between.
    ///
    /// # Errors
    /// [`Refused::Vendor`].
    pub fn aside(&self, vendor: &str, request: Request) -> Result<Reply, Refused> {
        Ok(self.station(vendor)?.vendor.lock().handle(&Arc::new(request)))
    }

    /// The stored records of an object, as the vendor would show them; deleted ones are left out.
    ///
    /// # Errors
    /// [`Refused::Vendor`], [`Refused::Object`].
    pub fn records(&self, vendor: &str, object: &str) -> Result<Vec<Value>, Refused> {
        let records = self.station(vendor)?.vendor.lock().records(object);
        records.ok_or_else(|| Refused::Object(vendor.to_owned(), object.to_owned()))
    }

    /// What every vendor stores and did.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let of = |station: &Station| {
            let mut summary = station.counters.lock().clone();
            summary.records = station.vendor.lock().counts();
            (station.slug.to_string(), summary)
        };
        Summary {
            vendors: self.stations.iter().map(of).collect(),
        }
    }

    /// At most `most` logged calls with a number greater than `after` (0 for all), in the order in which they ended.
    #[must_use]
    pub fn calls(&self, after: u64, most: usize) -> Vec<Arc<Call>> {
        self.journal.lock().after(after, most)
    }

    /// The dial of a vendor.
    ///
    /// # Errors
    /// [`Refused::Vendor`].
    pub fn dial(&self, vendor: &str) -> Result<Dial, Refused> {
        Ok(self.station(vendor)?.dialer.lock().dial().clone())
    }

    /// Sets the dial of every vendor; counted strikes and chance begin anew.
    ///
    /// # Errors
    /// [`Refused::Value`].
    pub fn set_dial(&self, dial: &Dial) -> Result<(), Refused> {
        self.slugs()
            .try_for_each(|slug| self.set_vendor_dial(slug, dial.clone()))
    }

    /// Sets the dial of one vendor; counted strikes and chance begin anew.
    ///
    /// # Errors
    /// [`Refused::Vendor`], [`Refused::Value`].
    pub fn set_vendor_dial(&self, vendor: &str, dial: Dial) -> Result<(), Refused> {
        let station = self.station(vendor)?;
        dial.check().map_err(Refused::Value)?;
        *station.dialer.lock() = Dialer::new(self.options.seed, &station.slug, dial);
        Ok(())
    }

    /// The settings of a vendor, a JSON object.
    ///
    /// # Errors
    /// [`Refused::Vendor`].
    pub fn settings(&self, vendor: &str) -> Result<Value, Refused> {
        Ok(self.station(vendor)?.vendor.lock().settings())
    }

    /// Changes the settings of a vendor that stand in `patch`, a JSON object.
    ///
    /// # Errors
    /// [`Refused::Vendor`], [`Refused::Value`].
    pub fn configure(&self, vendor: &str, patch: &Value) -> Result<(), Refused> {
        self.station(vendor)?
            .vendor
            .lock()
            .configure(patch)
            .map_err(Refused::Value)
    }

    /// Ends every issued access token of a vendor now. Static tokens and refresh tokens stay good.
    ///
    /// # Errors
    /// [`Refused::Vendor`].
    pub fn expire_tokens(&self, vendor: &str) -> Result<(), Refused> {
        self.station(vendor)?.vendor.lock().expire_tokens(self.now_ms());
        Ok(())
    }

    /// Makes every token that a vendor has seen worthless, also static ones and refresh tokens.
    ///
    /// # Errors
    /// [`Refused::Vendor`].
    pub fn revoke_tokens(&self, vendor: &str) -> Result<(), Refused> {
        self.station(vendor)?.vendor.lock().revoke_tokens();
        Ok(())
    }

    /// What went wrong in the scripts of vendors since the start or the last reset. A simulator that has a mistake proves
    /// nothing: a test that finds one here has failed.
    #[must_use]
    pub fn script_errors(&self) -> Vec<ScriptError> {
        self.stations
            .iter()
            .flat_map(|station| station.vendor.lock().script_errors())
            .collect()
    }

    /// Brings everything back to where it was at the start: records, tokens, settings, dials, counters, log.
    pub fn reset(&self) {
        for station in &self.stations {
            *station.vendor.lock() = station.make.make(&self.options.setup());
            *station.dialer.lock() = Dialer::new(self.options.seed, &station.slug, self.options.dial.clone());
            *station.counters.lock() = VendorSummary::default();
        }
        *self.journal.lock() = Journal::new(self.options.calls_kept);
    }

    fn station(&self, slug: &str) -> Result<&Station, Refused> {
        let found = self.stations.iter().find(|station| *station.slug == *slug);
        found.ok_or_else(|| Refused::Vendor(slug.to_owned()))
    }
}

impl Station {
    /// The answer, and whether it is sent.
    fn carry_out(&self, request: &Arc<Request>, plan: &Plan) -> (Reply, bool) {
        let mut vendor = self.vendor.lock();
        if plan.expire_tokens {
            vendor.expire_tokens(request.now_ms);
        }
        match &plan.strike {
            None => (vendor.handle(request), true),
            Some(Strike::CutBefore) => (Reply::empty(499), false),
            Some(Strike::CutAfter) => (vendor.handle(request), false),
            Some(Strike::Hollow { applied }) => {
                if *applied {
                    vendor.handle(request);
                }
                (Reply::json(200, &json!({})), true)
            }
            Some(Strike::Throttle(retry_after_s)) => (vendor.throttle(*retry_after_s, request), true),
            Some(Strike::Status {
                code,
                retry_after_s,
                applied,
            }) => {
                if *applied {
                    vendor.handle(request);
                }
                let mut reply = vendor.failure(*code, request);
                if let Some(seconds) = retry_after_s {
                    reply.headers.retain(|(name, _)| *name != "retry-after");
                    reply = reply.with("retry-after", seconds);
                }
                (reply, true)
            }
        }
    }

    fn count(&self, status: Option<u16>, kinds: &[String]) {
        let mut counters = self.counters.lock();
        counters.calls += 1;
        if let Some(status) = status {
            *counters.statuses.entry(status).or_default() += 1;
        }
        for kind in kinds {
            *counters.faults.entry(kind.clone()).or_default() += 1;
        }
    }
}
