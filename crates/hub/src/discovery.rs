//! Finds out what an account has: fields of its objects, values of settings. Asked for when somebody needs it, kept in the store for a day.

use std::collections::HashSet;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use switchboard_connect::connector::{Choice, Findings, FoundObject, Survey};
use switchboard_model::{
    id::ConnectionId,
    outcome::Outcome,
    problem::{Code, Problem},
};
use tokio::sync::Notify;

use crate::{
    attempt::{Desk, exchange, token},
    configuration::Connection,
    lane::{PATIENCE, Pass, limiter::Ask},
    store::DiscoveredRow,
    token::{self, TokenError},
};

/// What was found out is asked for anew after this long, in milliseconds.
pub const LIFETIME_MS: i64 = 24 * 60 * 60 * 1000;
/// More calls than this are not made for one object or setting.
const MOST_CALLS: u32 = 200;
/// A new token that is refused this many times means that the credentials are not accepted.
const MOST_RENEWALS: u32 = 2;

/// What is found out at once, and kept as one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// The fields of an object.
    Object(String),
    /// The values of a setting.
    Setting(String),
}

impl Part {
    /// Its name in the store.
    pub fn name(&self) -> String {
        match self {
            Self::Object(name) => format!("object:{name}"),
            Self::Setting(name) => format!("setting:{name}"),
        }
    }
}

/// What is kept of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The fields of an object.
    Object(FoundObject),
    /// The values of a setting.
    Choices(Vec<Choice>),
}

impl From<Findings> for Kept {
    fn from(findings: Findings) -> Self {
        match findings {
            Findings::Object(found) => Self::Object(found),
            Findings::Choices(found) => Self::Choices(found),
        }
    }
}

/// What is known of a part, and since when.
#[derive(Debug, Clone)]
pub struct Known {
    /// When it was found out, Unix milliseconds.
    pub found_ms: i64,
    /// What.
    pub kept: Kept,
}

impl Known {
    /// Whether it is to be asked for anew.
    pub fn is_old(&self, now_ms: i64) -> bool {
        now_ms - self.found_ms >= LIFETIME_MS
    }
}

/// Tells accounts and their settings apart: what was found out in one of them says nothing about another.
pub fn account_mark(connection: &Connection) -> Vec<u8> {
    let mut digest = Sha256::new();
    let account = connection.connector().ok().zip(connection.account().ok());
    let id = account.and_then(|(connector, account)| connector.account_id(&account));
    digest.update(id.unwrap_or_default());
    digest.update(connection.spec.connector.as_bytes());
    digest.update(serde_json::to_vec(&connection.spec.settings).unwrap_or_default());
    digest.finalize()[..16].to_vec()
}

/// What is known of the connection's account.
///
/// # Errors
/// When the store fails.
pub async fn known(desk: &Desk, connection: &Connection) -> Result<Vec<(String, Known)>, Problem> {
    let mark = account_mark(connection);
    let rows = desk.store.discovered(connection.id).await?;
    let of_account = rows.into_iter().filter(|row| row.account == mark);
    // What a later version has kept in another form is found out again.
    let read = of_account.filter_map(|row| {
        let kept = serde_json::from_str(&row.content).ok()?;
        let found_ms = row.found_ms;
        Some((row.part, Known { found_ms, kept }))
    });
    Ok(read.collect())
}

/// Asks the vendor and keeps what it tells.
///
/// # Errors
/// When the vendor cannot be reached or refuses, or the store fails.
pub async fn find_out(desk: &Desk, connection: &Connection, part: &Part, asker: Asker) -> Result<Known, Problem> {
    let connector = connection.connector()?;
    let survey = match part {
        Part::Object(object) => connector.survey(object)?,
        Part::Setting(setting) => connector.survey_setting(setting)?,
    };
    let kept = Kept::from(carry_out(desk, connection, survey, asker).await?);
    let found_ms = desk.clock.now_ms();
    let row = DiscoveredRow {
        part: part.name(),
        account: account_mark(connection),
        found_ms,
        content: serde_json::to_string(&kept).unwrap_or_default(),
    };
    desk.store.keep_discovered(connection.id, row).await?;
    Ok(Known { found_ms, kept })
}

/// Who waits for what is found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// A person.
    Person,
    /// Nobody.
    Upkeep,
}

async fn carry_out(
    desk: &Desk,
    connection: &Connection,
    mut survey: Survey<'_>,
    asker: Asker,
) -> Result<Findings, Problem> {
    let connector = connection.connector()?;
    let mut refused = None;
    let mut renewals = 0;
    for _ in 0..MOST_CALLS {
        let who = match asker {
            Asker::Person => token::Asker::Person,
            Asker::Upkeep => token::Asker::Upkeep,
        };
        let taken = token(desk, connection, refused.take(), who, &mut Vec::new()).await;
        let taken = taken.map_err(|error| no_token(connection, error))?;
        let account = connection.account()?;
        let Some(request) = survey.next(&account, taken.token.as_ref())? else {
            return Ok(survey.finish());
        };
        let mut pass = pass(connection, asker).await?;
        let sent = exchange(desk, Some(&mut pass), "discover", &request).await;
        let answer = sent
            .answer
            .map_err(|error| trouble(connection, Code::VendorUnavailable, &error.to_string()))?;
        pass.observe(&connector.observe(&account, &answer));
        drop(pass);
        match survey.read(&account, &answer) {
            Ok(()) => {}
            Err(Outcome::Reauthorise { .. }) if renewals < MOST_RENEWALS => {
                renewals += 1;
                refused = Some(taken.generation);
            }
            Err(outcome) => return Err(not_told(desk, connection, outcome)),
        }
    }
    Err(trouble(
        connection,
        Code::VendorUnavailable,
        "the list does not come to an end",
    ))
}

async fn pass(connection: &Connection, asker: Asker) -> Result<Pass, Problem> {
    let refuse = |why: &str| trouble(connection, Code::VendorThrottled, why);
    if asker == Asker::Upkeep {
        let pass = connection.gate.pass(Ask::preparation()).await;
        return pass.map_err(|blocked| refuse(&blocked.0));
    }
    match tokio::time::timeout(PATIENCE, connection.gate.pass(Ask::interactive())).await {
        Ok(Ok(pass)) => Ok(pass),
        Ok(Err(blocked)) => Err(refuse(&blocked.0)),
        Err(_) => Err(refuse("the calls that the vendor allows on this account are spent")),
    }
}

fn not_told(desk: &Desk, connection: &Connection, outcome: Outcome) -> Problem {
    match outcome {
        Outcome::Throttled { message, after_ms } => {
            let wait = i64::try_from(after_ms.unwrap_or(5_000)).unwrap_or(5_000);
            connection.gate.pause_until(desk.clock.now_ms() + wait);
            trouble(connection, Code::VendorThrottled, &message)
        }
        Outcome::Blocked { message } => {
            connection.gate.block(&message);
            trouble(connection, Code::CredentialsRefused, &message)
        }
        Outcome::Denied { message } | Outcome::Gone { message } | Outcome::Reauthorise { message } => {
            trouble(connection, Code::CredentialsRefused, &message)
        }
        Outcome::Rejected { message, .. } => trouble(connection, Code::VendorRejected, &message),
        Outcome::Retry { message, .. } | Outcome::Unknown { message } => {
            trouble(connection, Code::VendorUnavailable, &message)
        }
        other => trouble(connection, Code::VendorRejected, other.name()),
    }
}

fn no_token(connection: &Connection, error: TokenError) -> Problem {
    match error {
        TokenError::Denied(message) => trouble(connection, Code::CredentialsRefused, &message),
        TokenError::Later(later) => trouble(connection, Code::VendorUnavailable, &later.message),
        TokenError::Broken(problem) => problem,
    }
}

fn trouble(connection: &Connection, code: Code, message: &str) -> Problem {
    let next = match code {
        Code::CredentialsRefused => "Check the credentials and their rights at the vendor, then ask again.",
        Code::VendorRejected => "Check the settings of this connection, then ask again.",
        _ => "Ask again in a minute.",
    };
    Problem::new(code, format!("{}: {message}", connection.key), next)
}

/// Connections whose fields are to be read anew, because a write was refused.
#[derive(Debug, Default)]
pub struct Doubts {
    connections: Mutex<HashSet<ConnectionId>>,
    more: Notify,
}

impl Doubts {
    /// A write on this connection was refused, perhaps because of a field.
    pub fn add(&self, connection: ConnectionId) {
        if self.connections.lock().insert(connection) {
            self.more.notify_one();
        }
    }

    /// Those that were added, once there are any.
    pub async fn take(&self) -> HashSet<ConnectionId> {
        loop {
            let taken = std::mem::take(&mut *self.connections.lock());
            if !taken.is_empty() {
                return taken;
            }
            self.more.notified().await;
        }
    }
}
