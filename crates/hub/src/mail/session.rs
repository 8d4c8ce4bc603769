//! One conversation with a mail server.

use std::{net::SocketAddr, time::Duration};

use lettre::{
    address::Address,
    transport::smtp::{
        Error,
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Ehlo, Mail, Noop, Rcpt},
        extension::{ClientId, MailBodyParameter, MailParameter},
        response::Response,
    },
};

use super::{
    address::{Security, Server},
    answer::{Reply, Report, Stage},
    compose::Composed,
    offer::Offer,
    sign_in::Identity,
};
use crate::http::{AddressPolicy, resolve};

/// Until a connection stands, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// For a farewell that nobody needs.
const FAREWELL: Duration = Duration::from_millis(500);

/// Why a conversation ended before its purpose.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The address may not be called.
    #[error("{0}")]
    Refused(String),
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Network(String),
    /// The server refused something.
    #[error("{0:?}: {1:?}")]
    Reply(Stage, Reply),
}

/// A conversation that has begun.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    pub offer: Offer,
}

impl Session {
    /// Connects, with TLS as the address says, and hears what the server offers.
    pub async fn open(server: &Server, policy: AddressPolicy) -> Result<Self, Stop> {
        let found = resolve(policy, &server.host, server.port)
            .await
            .map_err(|error| match error.is_refusal() {
                true => Stop::Refused(error.to_string()),
                false => Stop::Network(error.to_string()),
            })?;
        let tls = || TlsParameters::new(server.host.clone()).map_err(|error| network(&error));
        let at_once = match server.security {
            Security::Tls => Some(tls()?),
            Security::StartTls | Security::None => None,
        };
        let us = ClientId::default();
        let connecting =
            AsyncSmtpConnection::connect_tokio1::<&[SocketAddr]>(&found, Some(CONNECT), &us, at_once, None);
        let mut connection = connecting.await.map_err(|error| stop(Stage::Greeting, &error))?;
        if server.security == Security::StartTls {
            if !connection.can_starttls() {
                let text = "the server offers no STARTTLS; nothing is said in clear";
                return Err(Stop::Reply(Stage::Tls, Reply::ours(530, "5.7.0", text)));
            }
            let secured = connection.starttls(tls()?, &us).await;
            secured.map_err(|error| stop(Stage::Tls, &error))?;
        }
        // Asked once more, since the library keeps but a part of the answer.
        let hello = connection.command(Ehlo::new(us)).await;
        let hello = hello.map_err(|error| stop(Stage::Greeting, &error))?;
        let offer = Offer::read(hello.message());
        Ok(Self { connection, offer })
    }

    /// Says who we are.
    pub async fn sign_in(&mut self, identity: Option<&Identity>) -> Result<(), Stop> {
        let Some(identity) = identity else { return Ok(()) };
        let Some(steps) = identity.steps(&self.offer) else {
            let offered = self.offer.parameters("AUTH").unwrap_or_default().join(", ");
            let text = match offered.is_empty() {
                true => "the server lets nobody sign in here; check the port".to_owned(),
                false => format!("the server takes only {offered} to sign in, which these credentials are not for"),
            };
            return Err(Stop::Reply(Stage::SignIn, Reply::ours(504, "5.5.4", &text)));
        };
        let mut answers = steps.answers.into_iter();
        let mut said = self.say(Stage::SignIn, &steps.command).await?;
        while said.has_code(334) {
            let Some(answer) = answers.next() else {
                return Err(Stop::Network(
                    "the server asks for more than this way to sign in has".into(),
                ));
            };
            said = self.say(Stage::SignIn, &answer).await?;
        }
        match said.has_code(235) {
            true => Ok(()),
            false => Err(Stop::Network(format!(
                "the server said neither yes nor no to the sign-in: {}",
                said.code()
            ))),
        }
    }

    /// Hears whether the server is there for us.
    pub async fn check(&mut self) -> Result<Reply, Stop> {
        let said = self.connection.command(Noop).await;
        said.map(|said| Reply::of(&said))
            .map_err(|error| stop(Stage::Check, &error))
    }

    /// Says from whom and to whom, and asks for the word to send the message. Recipients that do not exist are left out, when there are
    /// others; one that cannot be taken now stops all of it, since who has the message already must not get it once more later.
    pub async fn announce(&mut self, letter: &Composed, report: &mut Report) -> Result<(), Stop> {
        let parameters = self.parameters(letter)?;
        let sender = letter.envelope.from().cloned();
        let said = self.connection.command(Mail::new(sender, parameters)).await;
        said.map_err(|error| stop(Stage::Sender, &error))?;
        for recipient in letter.envelope.to() {
            match self.recipient(recipient).await? {
                None => report.accepted.push(recipient.to_string()),
                Some(reply) if reply.is_temporary() => return Err(Stop::Reply(Stage::Recipient, reply)),
                Some(reply) => report.refused_recipient(recipient.to_string(), reply),
            }
        }
        if report.accepted.is_empty() {
            return Err(Stop::Reply(Stage::Recipient, report.first_refusal()));
        }
        let said = self
            .connection
            .command(Data)
            .await
            .map_err(|error| stop(Stage::Data, &error))?;
        match said.has_code(354) {
            true => Ok(()),
            false => Err(Stop::Network(format!(
                "the server does not want the message: {}",
                said.code()
            ))),
        }
    }

    /// Sends the message; what the server says to it.
    pub async fn deliver(&mut self, message: &[u8]) -> Result<Reply, Stop> {
        let said = self.connection.message(message).await;
        said.map(|said| Reply::of(&said))
            .map_err(|error| stop(Stage::Message, &error))
    }

    /// Says good-bye, which changes nothing any more.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(FAREWELL, self.connection.quit()).await;
    }

    async fn recipient(&mut self, recipient: &Address) -> Result<Option<Reply>, Stop> {
        match self.connection.command(Rcpt::new(recipient.clone(), Vec::new())).await {
            Ok(_) => Ok(None),
            Err(error) => match stop(Stage::Recipient, &error) {
                Stop::Reply(_, reply) => Ok(Some(reply)),
                stop => Err(stop),
            },
        }
    }

    fn parameters(&self, letter: &Composed) -> Result<Vec<MailParameter>, Stop> {
        let mut parameters = Vec::new();
        if let Some(most) = self.offer.largest() {
            if letter.bytes.len() > most {
                let text = format!(
                    "the letter has {} bytes and the server takes {most}",
                    letter.bytes.len()
                );
                return Err(Stop::Reply(Stage::Sender, Reply::ours(552, "5.3.4", &text)));
            }
            parameters.push(MailParameter::Size(letter.bytes.len()));
        }
        if letter.needs_utf8() {
            if self.offer.parameters("SMTPUTF8").is_none() {
                let text = "the server takes no addresses in other scripts (SMTPUTF8)";
                return Err(Stop::Reply(Stage::Sender, Reply::ours(553, "5.6.7", text)));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if self.offer.parameters("8BITMIME").is_some() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }

    async fn say(&mut self, stage: Stage, line: &str) -> Result<Response, Stop> {
        let said = self.connection.command(format!("{line}\r\n")).await;
        said.map_err(|error| stop(stage, &error))
    }
}

/// A refusal of the server, or a broken connection.
fn stop(stage: Stage, error: &Error) -> Stop {
    match error.status() {
        Some(code) => {
            let text = std::error::Error::source(error)
                .map(ToString::to_string)
                .unwrap_or_default();
            Stop::Reply(stage, Reply::new(u16::from(code), &text))
        }
        None => network(error),
    }
}

fn network(error: &Error) -> Stop {
    Stop::Network(error.to_string())
}
