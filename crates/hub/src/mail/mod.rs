//! Mail: requests whose address is that of a mail server go out by SMTP (RFC 5321, fact sheet email §5).
//!
//! For connectors such a request is like any other. Its address says where the server is and how the way is secured (`smtps://` TLS from
//! the first byte, `smtp://` STARTTLS, `smtp+plain://` nothing), `Authorization` who we are (Basic: user and password; Bearer: a token, with
//! the user in [`USER`]), and its JSON body is the [`letter`]. `GET` signs in and sends nothing. The server's last word comes back as an
//! [`answer`] with the reply's code, its enhanced code and what became of each recipient in a JSON body.

mod address;
mod answer;
mod compose;
mod letter;
mod offer;
mod session;
mod sign_in;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http::Method;
use switchboard_connect::call::{Answer, HttpRequest};

use self::{
    answer::Report,
    letter::Letter,
    session::{Session, Stop},
    sign_in::Identity,
};
use crate::http::{AddressPolicy, SendError};

pub use self::address::is_mail;

/// The header that names the user to whom a Bearer token belongs.
pub const USER: &str = "x-mail-user";

/// For everything before the message itself: connection, TLS, sign-in, recipients. RFC 5321 §4.5.3.2 allows servers minutes for each; who
/// needs them is not well.
const BEFORE: Duration = Duration::from_secs(60);
/// For the message and the server's word on it. Scanners take their time; who gives up here does not know what became of it.
const MESSAGE: Duration = Duration::from_secs(120);

/// Carries out one request to a mail server.
///
/// # Errors
/// [`SendError::NotSent`] and [`SendError::Refused`] promise that the server has no message; [`SendError::NoAnswer`]: the connection was
/// lost after the message had gone out and before the server said whether it took it.
pub async fn send(request: &HttpRequest, policy: AddressPolicy) -> Result<Answer, SendError> {
    let letter = match request.method {
        Method::GET => None,
        _ => match read(request) {
            Ok(composed) => Some(composed),
            Err(fault) => return Ok(fault.answer()),
        },
    };
    let server = address::server(&request.url, policy)?;
    let identity = Identity::of(&request.headers).map_err(|wrong| SendError::Refused(wrong.to_owned()))?;
    let mut report = Report::default();
    let ready = async {
        let mut session = Session::open(&server, policy).await?;
        report.server = session.offer.name.clone();
        report.extensions = session.offer.extensions.clone();
        session.sign_in(identity.as_ref()).await?;
        match &letter {
            None => report.taken(session.check().await?),
            Some(letter) => session.announce(letter, &mut report).await?,
        }
        Ok(session)
    };
    let opened = tokio::time::timeout(BEFORE, ready).await;
    let mut session = match opened {
        Ok(Ok(session)) => session,
        Ok(Err(stop)) => return stopped(stop, report),
        Err(_) => return Err(SendError::NotSent("the mail server did not answer in time".into())),
    };
    if let Some(letter) = letter {
        match tokio::time::timeout(MESSAGE, session.deliver(&letter.bytes)).await {
            Ok(Ok(reply)) => report.taken(reply),
            Ok(Err(Stop::Reply(stage, reply))) => report.refused(stage, reply),
            Ok(Err(stop)) => return Err(SendError::NoAnswer(stop.to_string())),
            Err(_) => return Err(SendError::NoAnswer("time-out after the message was sent".into())),
        }
        report.message_id = Some(letter.message_id);
    }
    session.close().await;
    Ok(report.answer())
}

/// What ended the conversation before a message was sent.
fn stopped(stop: Stop, mut report: Report) -> Result<Answer, SendError> {
    match stop {
        Stop::Reply(stage, reply) => {
            report.refused(stage, reply);
            Ok(report.answer())
        }
        Stop::Refused(why) => Err(SendError::Refused(why)),
        Stop::Network(why) => Err(SendError::NotSent(why)),
    }
}

/// A letter that cannot be sent as it is, and which member of it is wrong.
#[derive(Debug)]
struct Fault {
    field: &'static str,
    message: String,
}

impl Fault {
    fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            message: message.into(),
        }
    }

    fn answer(self) -> Answer {
        let mut report = Report::default();
        report.fault(self.field, self.message);
        report.answer()
    }
}

fn read(request: &HttpRequest) -> Result<compose::Composed, Fault> {
    let letter: Letter =
        serde_json::from_slice(&request.body).map_err(|error| Fault::new("", format!("this is no letter: {error}")))?;
    compose::compose(&letter)
}
