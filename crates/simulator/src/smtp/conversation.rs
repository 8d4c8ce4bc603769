//! One conversation (RFC 5321, RFC 4954).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{SLUG, Sessions, line};
use crate::message::{Reply, Request};
use crate::simulation::Simulation;
use crate::vendors::email::NO_REPLY;

const NAME: &str = "mail.example.org";

/// What comes after a line.
enum Next {
    /// This is said, and the conversation goes on.
    Say(String),
    /// This is said, and nothing more.
    Last(String),
    /// The connection is cut.
    Cut,
}

/// Holds a conversation to its end.
pub async fn hold(stream: TcpStream, simulation: Arc<Simulation>, sessions: Sessions) {
    let mut conversation = Conversation {
        stream: BufReader::new(stream),
        simulation,
        sessions,
        user: None,
        from: None,
        recipients: Vec::new(),
    };
    // An error here is a cut connection, ours or the client's: nothing to do about either.
    let _ = conversation.hold().await;
    conversation.leave();
}

struct Conversation {
    stream: BufReader<TcpStream>,
    simulation: Arc<Simulation>,
    sessions: Sessions,
    user: Option<String>,
    from: Option<String>,
    recipients: Vec<String>,
}

impl Conversation {
    async fn hold(&mut self) -> io::Result<()> {
        self.say(&line::reply(220, &format!("{NAME} ESMTP"))).await?;
        while let Some(command) = line::command(&mut self.stream).await? {
            match self.answer(&command).await? {
                Next::Say(text) => self.say(&text).await?,
                Next::Last(text) => {
                    self.leave();
                    return self.say(&text).await;
                }
                Next::Cut => return Ok(()),
            }
        }
        Ok(())
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await
    }

    async fn answer(&mut self, command: &str) -> io::Result<Next> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let say = |code, words: &str| Ok(Next::Say(line::reply(code, words)));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => Ok(Next::Say(self.hello())),
            "HELO" => say(250, NAME),
            "AUTH" => self.sign_in(rest).await,
            "MAIL" => Ok(self.sender(command)),
            "RCPT" => Ok(self.recipient(command)),
            "DATA" if self.recipients.is_empty() => say(503, "5.5.1 RCPT first"),
            "DATA" => self.message().await,
            "RSET" => {
                self.forget();
                say(250, "2.0.0 OK")
            }
            "NOOP" => Ok(self.call("/check", json!({"user": self.user})).await),
            "VRFY" => say(252, "2.1.5 Send some mail, I'll try my best"),
            "QUIT" => Ok(Next::Last(line::reply(221, "2.0.0 Bye"))),
            _ => say(502, "5.5.1 Command not implemented"),
        }
    }

    fn hello(&mut self) -> String {
        self.forget();
        let offer = self.aside("/offer", json!({})).value();
        let mechanisms: Vec<&str> = offer["mechanisms"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let lines = [
            format!("{NAME} at your service"),
            format!("SIZE {}", offer["size"]),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
            format!("AUTH {}", mechanisms.join(" ")),
        ];
        line::replies(250, &lines)
    }

    async fn sign_in(&mut self, rest: &str) -> io::Result<Next> {
        if self.user.is_some() {
            return Ok(Next::Say(line::reply(503, "5.5.1 Already authenticated")));
        }
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let mechanism = mechanism.to_ascii_uppercase();
        let offered = self.aside("/offer", json!({})).value();
        if !offered["mechanisms"]
            .as_array()
            .is_some_and(|all| all.contains(&json!(mechanism)))
        {
            return Ok(Next::Say(line::reply(504, "5.5.4 Unrecognized authentication type")));
        }
        let given = match mechanism.as_str() {
            "LOGIN" => {
                let user = self.challenge("VXNlcm5hbWU6").await?;
                let password = self.challenge("UGFzc3dvcmQ6").await?;
                user.zip(password)
                    .map(|(user, password)| json!({"user": user, "password": password}))
            }
            "PLAIN" => self.first(first).await?.and_then(|text| plain(&text)),
            _ => self.first(first).await?.and_then(|text| xoauth2(&text)),
        };
        let Some(given) = given else {
            return Ok(Next::Say(line::reply(501, "5.5.2 Cannot decode the response")));
        };
        let user = given["user"].as_str().unwrap_or_default().to_owned();
        let next = self.call("/sign-in", given).await;
        match &next {
            Next::Say(said)
                if said.starts_with("235") && !self.enter(&user, offered["sessions"].as_u64().unwrap_or(u64::MAX)) =>
            {
                let words = "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded";
                return Ok(Next::Last(line::reply(432, words)));
            }
            // Fact sheet §3: the reason comes as a challenge, and the client has to ask for the reply with an empty line.
            Next::Say(said) if said.starts_with("535") && mechanism == "XOAUTH2" => {
                let reason = json!({"status": "401", "schemes": "bearer", "scope": "https://mail.google.com/"});
                self.say(&line::reply(334, &STANDARD.encode(reason.to_string())))
                    .await?;
                if line::command(&mut self.stream).await?.is_none() {
                    return Ok(Next::Cut);
                }
            }
            _ => {}
        }
        Ok(next)
    }

    /// The initial response, or what comes after an empty challenge.
    async fn first(&mut self, given: &str) -> io::Result<Option<String>> {
        match given {
            "" => self.challenge("").await,
            "=" => Ok(Some(String::new())),
            given => Ok(decoded(given)),
        }
    }

    async fn challenge(&mut self, words: &str) -> io::Result<Option<String>> {
        self.say(&line::reply(334, words)).await?;
        Ok(line::command(&mut self.stream)
            .await?
            .and_then(|answer| decoded(&answer)))
    }

    fn sender(&mut self, command: &str) -> Next {
        let Some((from, parameters)) = line::path(command, "MAIL FROM:") else {
            return Next::Say(line::reply(501, "5.5.4 Syntax: MAIL FROM:<address>"));
        };
        if self.from.is_some() {
            return Next::Say(line::reply(503, "5.5.1 Sender already given"));
        }
        let size = parameters.split(' ').find_map(|word| word.strip_prefix("SIZE="));
        let size: u64 = size.and_then(|size| size.parse().ok()).unwrap_or(0);
        let reply = self.aside("/sender", json!({"user": self.user, "from": from, "size": size}));
        if reply.status == 250 {
            self.from = Some(from.to_owned());
        }
        spoken(&reply)
    }

    fn recipient(&mut self, command: &str) -> Next {
        let Some((to, _)) = line::path(command, "RCPT TO:") else {
            return Next::Say(line::reply(501, "5.5.4 Syntax: RCPT TO:<address>"));
        };
        if self.from.is_none() {
            return Next::Say(line::reply(503, "5.5.1 MAIL first"));
        }
        let reply = self.aside("/recipient", json!({"to": to}));
        if reply.status == 250 {
            self.recipients.push(to.to_owned());
        }
        spoken(&reply)
    }

    async fn message(&mut self) -> io::Result<Next> {
        self.say(&line::reply(354, "Go ahead")).await?;
        let Some(data) = line::data(&mut self.stream).await? else {
            return Ok(Next::Cut);
        };
        let message = json!({
            "user": self.user,
            "from": self.from,
            "to": self.recipients,
            "data": String::from_utf8_lossy(&data),
        });
        self.forget();
        Ok(self.call("/messages", message).await)
    }

    fn forget(&mut self) {
        self.from = None;
        self.recipients.clear();
    }

    /// Counts a user's conversation; false when there are enough.
    fn enter(&mut self, user: &str, most: u64) -> bool {
        let mut sessions = self.sessions.lock();
        let count = sessions.entry(user.to_owned()).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        self.user = Some(user.to_owned());
        true
    }

    fn leave(&mut self) {
        if let Some(user) = self.user.take()
            && let Some(count) = self.sessions.lock().get_mut(&user)
        {
            *count = count.saturating_sub(1);
        }
    }

    /// A call that the dial may strike.
    async fn call(&self, path: &str, body: Value) -> Next {
        let request = self.request(path, &body);
        let Ok(plan) = self.simulation.plan(SLUG, &request) else {
            return Next::Cut;
        };
        tokio::time::sleep(Duration::from_millis(plan.delay_ms)).await;
        let hold_ms = plan.hold_ms;
        let reply = self.simulation.perform(SLUG, &Arc::new(request), plan);
        tokio::time::sleep(Duration::from_millis(hold_ms)).await;
        match reply {
            Ok(Some(reply)) => spoken(&reply),
            _ => Next::Cut,
        }
    }

    fn aside(&self, path: &str, body: Value) -> Reply {
        let reply = self.simulation.aside(SLUG, self.request(path, &body));
        reply.unwrap_or_else(|_| Reply::empty(NO_REPLY))
    }

    fn request(&self, path: &str, body: &Value) -> Request {
        Request {
            origin: format!("smtp://{NAME}"),
            ..Request::new(Method::POST, path)
                .with_json(body)
                .at(self.simulation.now_ms())
        }
    }
}

/// A vendor's reply as a line. After 421 the server hangs up (RFC 5321 §3.8).
fn spoken(reply: &Reply) -> Next {
    let value = reply.value();
    let line = line::reply(reply.status, value["reply"].as_str().unwrap_or_default());
    match reply.status {
        NO_REPLY => Next::Cut,
        421 => Next::Last(line),
        _ => Next::Say(line),
    }
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}

/// RFC 4616: authorisation identity, user and password with NUL between them.
fn plain(text: &str) -> Option<Value> {
    let parts: Vec<&str> = text.split('\0').collect();
    match parts.as_slice() {
        [_, user, password] => Some(json!({"user": user, "password": password})),
        _ => None,
    }
}

/// Fact sheet §3: `user={email}^Aauth=Bearer {token}^A^A`.
fn xoauth2(text: &str) -> Option<Value> {
    let (user, rest) = text.strip_prefix("user=")?.split_once('\x01')?;
    let token = rest.strip_prefix("auth=Bearer ")?.strip_suffix("\x01\x01")?;
    Some(json!({"user": user, "token": token}))
}
