//! Problems: errors that a person sees. Each has a code, says whose fault it is and what to do next, and has a page in
//! `docs/reference/errors/`.
//!
//! To add one: a row in [`codes!`](self), a page with the code as its name. A test walks the list.

use serde::{Deserialize, Serialize};

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The program or person that sent the request.
    Sender,
    /// Whoever configures this hub: a mapping, a route, credentials.
    Configuration,
    /// The external system.
    Vendor,
    /// Switchboard itself or the machine that it runs on.
    Hub,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $fault:ident, $title:literal;)*) => {
        /// Every code there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// The whole list, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as people see it (`SWB-API-001`).
            pub fn code(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// The HTTP status that an API answer with this problem has.
            pub fn status(self) -> u16 {
                match self { $(Code::$name => $status,)* }
            }

            /// Who has to act.
            pub fn fault(self) -> Fault {
                match self { $(Code::$name => Fault::$fault,)* }
            }

            /// One line that is the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is not JSON.
    BrokenJson = "SWB-API-001", 400, Sender, "The body is not valid JSON";
    /// The JSON has another shape than the description says.
    WrongShape = "SWB-API-002", 422, Sender, "The JSON does not have the expected shape";
    /// The event type is not known.
    UnknownEventType = "SWB-API-003", 422, Sender, "The event type is not known";
    /// A body, a batch or a field is over its limit.
    TooLarge = "SWB-API-004", 413, Sender, "The request is too large";
    /// The JSON is nested too deeply.
    TooDeep = "SWB-API-005", 400, Sender, "The JSON is nested too deeply";
    /// No key, or a key that is not known or was revoked.
    Unauthorised = "SWB-API-006", 401, Sender, "A valid API key is needed";
    /// The key may not do this.
    Forbidden = "SWB-API-007", 403, Sender, "The API key may not do this";
    /// There is nothing at this address or with this id.
    NotFound = "SWB-API-008", 404, Sender, "Not found";
    /// The method is not for this address.
    MethodNotAllowed = "SWB-API-009", 405, Sender, "The address has no such method";
    /// The body is in a format that is not understood.
    UnsupportedMedia = "SWB-API-010", 415, Sender, "The body is in a format that is not understood";
    /// The same Idempotency-Key came with another body.
    IdempotencyConflict = "SWB-API-011", 422, Sender, "The Idempotency-Key was used for another request";
    /// What is asked for does not fit the state of the thing.
    WrongState = "SWB-API-012", 409, Sender, "Not possible in the present state";
    /// A query parameter is wrong.
    WrongParameter = "SWB-API-013", 400, Sender, "A parameter of the address is wrong";
    /// The hub takes no more at the moment.
    Busy = "SWB-API-014", 429, Hub, "The hub takes no more at the moment";
    /// The key has made its requests of this minute.
    TooManyRequests = "SWB-API-015", 429, Sender, "The API key has made its requests of this minute";

    /// A configuration has a key that nobody reads.
    UnknownKey = "SWB-CFG-001", 422, Configuration, "The configuration has an unknown key";
    /// A configuration value has a wrong type or form.
    WrongValue = "SWB-CFG-002", 422, Configuration, "A configuration value is wrong";
    /// A connector of this name does not exist.
    UnknownConnector = "SWB-CFG-003", 422, Configuration, "There is no such connector";
    /// A template cannot be read.
    TemplateSyntax = "SWB-CFG-004", 422, Configuration, "A template is not valid";
    /// A condition cannot be read.
    ConditionSyntax = "SWB-CFG-005", 422, Configuration, "A condition is not valid";
    /// The file is none of the kinds that are understood.
    UnknownFile = "SWB-CFG-006", 422, Configuration, "The file is no configuration that Switchboard knows";
    /// A connector's manifest is wrong.
    ManifestInvalid = "SWB-CFG-007", 422, Configuration, "A connector's manifest is not valid";
    /// The connection lacks what it needs to work.
    ConnectionIncomplete = "SWB-CFG-008", 422, Configuration, "The connection is not complete";
    /// A start-up setting is wrong.
    WrongSetting = "SWB-CFG-009", 422, Configuration, "A setting is wrong";

    /// The mapping needs something that the event lacks.
    MappingIncomplete = "SWB-MAP-001", 422, Configuration, "The mapping needs a field that the event lacks";
    /// A template failed while it was filled in.
    MappingFailed = "SWB-MAP-002", 422, Configuration, "The mapping could not be filled in";
    /// A mapped value does not fit the vendor's field.
    FieldInvalid = "SWB-MAP-003", 422, Configuration, "A mapped value does not fit the field";
    /// No route took the event.
    NotRouted = "SWB-MAP-004", 200, Configuration, "No route took the event";
    /// A mapping reads a variable that no event type has.
    VariableUnknown = "SWB-MAP-005", 422, Configuration, "No event type has this variable";
    /// The model that classifies messages cannot be asked.
    ModelUnusable = "SWB-CLS-001", 502, Configuration, "The model that classifies messages cannot be asked";

    /// An automation would set itself going, or a chain of them has no end.
    AutomationLoop = "SWB-AUT-001", 409, Configuration, "Automations set each other going without end";

    /// The vendor refuses the record.
    VendorRejected = "SWB-DLV-001", 502, Configuration, "The vendor refuses the record";
    /// The vendor could not be reached or failed, and the attempts are used up.
    VendorUnavailable = "SWB-DLV-002", 502, Vendor, "The vendor did not take the record";
    /// The credentials are not accepted.
    CredentialsRefused = "SWB-DLV-003", 502, Configuration, "The vendor does not accept the credentials";
    /// The vendor throttles.
    VendorThrottled = "SWB-DLV-004", 502, Vendor, "The vendor asks for fewer requests";
    /// Whether the record was written could not be found out.
    OutcomeUnknown = "SWB-DLV-005", 502, Vendor, "Whether the record was written could not be found out";
    /// The address may not be called.
    AddressRefused = "SWB-DLV-006", 502, Configuration, "The address may not be called from this hub";
    /// The connector has no such object or operation.
    ObjectUnsupported = "SWB-DLV-007", 422, Configuration, "The connector has no such object";
    /// The backup has the record.
    HandedOver = "SWB-DLV-008", 502, Vendor, "The backup took the record";
    /// The vendor has ended the sign-in: a person has to repeat it.
    ReconnectNeeded = "SWB-DLV-009", 502, Configuration, "Somebody has to sign in again";
    /// The receiver has said that it wants nothing more.
    ReceiverGone = "SWB-DLV-010", 502, Configuration, "The receiver wants nothing more at this address";
    /// The connection was removed while the delivery waited.
    ConnectionRemoved = "SWB-DLV-011", 502, Configuration, "The connection was removed";

    /// A person came back from the vendor's page with a state that nobody waits for.
    SignInUnknown = "SWB-CON-001", 400, Sender, "The sign-in is not known";
    /// A person came back from the vendor's page too late.
    SignInExpired = "SWB-CON-002", 400, Sender, "The sign-in took too long";
    /// The vendor gave no tokens.
    SignInRefused = "SWB-CON-003", 400, Configuration, "The sign-in was refused";
    /// The connection does not sign in on a page of the vendor.
    NoSignIn = "SWB-CON-004", 409, Sender, "The connection has no page to sign in on";

    /// The store could not do its work.
    StoreFailed = "SWB-HUB-001", 503, Hub, "The hub's store could not do its work";
    /// Sealed credentials cannot be opened.
    SealBroken = "SWB-HUB-002", 503, Hub, "Stored credentials cannot be opened";
    /// The data folder is in use.
    AlreadyRunning = "SWB-HUB-003", 503, Hub, "Another process uses the data folder";
    /// A fault of the program.
    Internal = "SWB-HUB-004", 500, Hub, "The hub failed";
    /// Something that is done in the background is not done any more.
    TaskGone = "SWB-HUB-005", 503, Hub, "A part of the hub has stopped";
}

impl Code {
    /// The code with this text.
    pub fn from_code(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.code() == text)
    }
}

/// One occurrence of a problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}{}", code.title(), place.as_ref().map(|p| format!(" (at {p})")).unwrap_or_default())]
pub struct Problem {
    /// What kind of problem.
    pub code: Code,
    /// What is wrong here, for a person.
    pub detail: String,
    /// Where: a JSON pointer, `file:line:column`, a field.
    pub place: Option<String>,
    /// What to do next.
    pub next: String,
    /// Further places with the same kind of problem.
    pub others: Vec<Problem>,
}

impl Problem {
    /// A problem at no particular place.
    pub fn new(code: Code, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            place: None,
            next: next.into(),
            others: Vec::new(),
        }
    }

    /// The same, at a place.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// One problem that stands for all of them; `None` when the list is empty.
    pub fn all(problems: Vec<Problem>) -> Option<Self> {
        let mut problems = problems.into_iter();
        let mut first = problems.next()?;
        first.others = problems.collect();
        Some(first)
    }
}

/// A problem as JSON: what the API shows and the store keeps (RFC 9457 members, and ours beside them).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemBody {
    /// Address of the page about this code.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line that is the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// `SWB-…`.
    pub code: String,
    /// What is wrong here.
    pub detail: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<String>,
    /// Who has to act.
    pub fault: Fault,
    /// What to do next.
    pub next: String,
    /// Further problems of the same request.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub others: Vec<ProblemBody>,
}

impl From<&Problem> for ProblemBody {
    fn from(problem: &Problem) -> Self {
        Self {
            kind: format!("/errors/{}", problem.code.code()),
            title: problem.code.title().to_owned(),
            status: problem.code.status(),
            code: problem.code.code().to_owned(),
            detail: problem.detail.clone(),
            place: problem.place.clone(),
            fault: problem.code.fault(),
            next: problem.next.clone(),
            others: problem.others.iter().map(Self::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_given_twice() {
        for (at, code) in Code::ALL.iter().enumerate() {
            assert!(
                Code::ALL[..at].iter().all(|other| other.code() != code.code()),
                "{}",
                code.code()
            );
            assert_eq!(Code::from_code(code.code()), Some(*code));
        }
    }
}
