//! From a letter to the message and its envelope (RFC 5322, fact sheet §5).

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MessageBuilder, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use sha2::{Digest, Sha256};

use super::{
    Fault,
    letter::{Letter, one_line},
};

/// The most that is sent; no large provider takes more (fact sheet §8).
const LARGEST: usize = 25 << 20;
/// So many ids are named in `References`: the first, and the last ones (fact sheet §5).
const MOST_REFERENCES: usize = 20;

/// A message that is ready to go.
#[derive(Debug)]
pub(super) struct Composed {
    pub envelope: Envelope,
    pub bytes: Vec<u8>,
    /// With its angle brackets.
    pub message_id: String,
}

impl Composed {
    /// Whether an address has letters that only SMTPUTF8 (RFC 6531) carries.
    pub fn needs_utf8(&self) -> bool {
        let all = self.envelope.to().iter().chain(self.envelope.from());
        all.into_iter().any(|address| !address.to_string().is_ascii())
    }
}

/// Puts a letter together.
///
/// # Errors
/// What is wrong with it: an address that is none, no recipient, no words, too large.
pub(super) fn compose(letter: &Letter) -> Result<Composed, Fault> {
    let from = sender(letter)?;
    let (to, cc, bcc) = (letter.to.read("to")?, letter.cc.read("cc")?, letter.bcc.read("bcc")?);
    let recipients = distinct([&to, &cc, &bcc]);
    if recipients.is_empty() {
        return Err(Fault::new("to", "there is no recipient"));
    }
    let domain = ascii(from.email.domain());
    let message_id = message_id(letter, &from.email, &recipients, &domain);
    let envelope =
        Envelope::new(Some(from.email.clone()), recipients).map_err(|error| Fault::new("to", error.to_string()))?;

    let mut message = Message::builder()
        .from(from)
        .message_id(Some(message_id.clone()))
        .subject(one_line(&letter.subject))
        // What is sent is decided by our envelope: the headers name those whom everybody may see.
        .envelope(envelope.clone());
    if let Some(date) = date(&letter.date) {
        message = message.date(date);
    }
    for mailbox in letter.reply_to.read("replyTo")? {
        message = message.reply_to(mailbox);
    }
    for mailbox in to {
        message = message.to(mailbox);
    }
    for mailbox in cc {
        message = message.cc(mailbox);
    }
    message = threaded(message, letter, &domain);
    if letter.automatic {
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        message = message.raw_header(HeaderValue::new(name, "auto-generated".into()));
    }
    let bytes = finished(message, letter)?;
    Ok(Composed {
        envelope,
        bytes,
        message_id,
    })
}

fn sender(letter: &Letter) -> Result<Mailbox, Fault> {
    let mut from = super::letter::Addresses::One(letter.from.clone()).read("from")?;
    let (Some(mut sender), true) = (from.pop(), from.is_empty()) else {
        return Err(Fault::new("from", "a letter has exactly one sender"));
    };
    let name = one_line(&letter.from_name);
    if sender.name.is_none() && !name.is_empty() {
        sender.name = Some(name);
    }
    Ok(sender)
}

/// Everybody who gets it, each once.
fn distinct(lists: [&Vec<Mailbox>; 3]) -> Vec<Address> {
    let mut all: Vec<Address> = Vec::new();
    for mailbox in lists.into_iter().flatten() {
        if !all.contains(&mailbox.email) {
            all.push(mailbox.email.clone());
        }
    }
    all
}

/// A domain in its ASCII form: message ids have no other letters.
fn ascii(domain: &str) -> String {
    match url::Host::parse(domain) {
        Ok(host) if !domain.is_ascii() => host.to_string(),
        _ => domain.to_owned(),
    }
}

/// The same for each try of the same letter, so that whoever gets it twice can tell; another one for other recipients of the same record,
/// since a mail box would take the second letter for a repetition of the first.
fn message_id(letter: &Letter, from: &Address, recipients: &[Address], domain: &str) -> String {
    let mut named = vec![letter.key.clone(), from.to_string()];
    if letter.key.is_empty() {
        named.extend([
            letter.subject.clone(),
            letter.text.clone(),
            letter.html.clone(),
            letter.date.clone(),
        ]);
    }
    let mut to: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    to.sort_unstable();
    named.extend(to);
    format!("<hub.{}@{domain}>", digest(&named.join("\0")))
}

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..16])
}

fn date(text: &str) -> Option<SystemTime> {
    let seconds = text.parse::<Timestamp>().ok()?.as_second();
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Letters of one thread name the same ancestor, which need not exist: programs that show threads go by the name (RFC 5256 §3).
fn threaded(message: MessageBuilder, letter: &Letter, domain: &str) -> MessageBuilder {
    let mut before = ids(&letter.references);
    before.extend(ids(&letter.in_reply_to));
    if before.is_empty() && !letter.thread.trim().is_empty() {
        before.push(format!("<hub.thread.{}@{domain}>", digest(letter.thread.trim())));
    }
    let mut seen = Vec::new();
    for id in before {
        seen.retain(|other| *other != id);
        seen.push(id);
    }
    if seen.len() > MOST_REFERENCES {
        seen.drain(1..=seen.len() - MOST_REFERENCES);
    }
    match seen.last() {
        None => message,
        Some(parent) => message.in_reply_to(parent.clone()).references(seen.join(" ")),
    }
}

/// The message ids in a text, with their angle brackets; whatever else it has is left out.
fn ids(text: &str) -> Vec<String> {
    let is_id = |id: &str| {
        let plain = id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'));
        plain && id.len() <= 250 && id.contains('@')
    };
    let parts = text.split(|letter: char| letter.is_whitespace() || matches!(letter, '<' | '>' | ','));
    parts.filter(|part| is_id(part)).map(|id| format!("<{id}>")).collect()
}

fn finished(message: MessageBuilder, letter: &Letter) -> Result<Vec<u8>, Fault> {
    let (text, html) = (&letter.text, &letter.html);
    if text.len() + html.len() > LARGEST {
        return Err(Fault::new(
            "text",
            format!("the letter is larger than {} MB", LARGEST >> 20),
        ));
    }
    let built = match (text.trim().is_empty(), html.trim().is_empty()) {
        (true, true) => return Err(Fault::new("text", "there is neither text nor HTML")),
        (false, true) => message.singlepart(SinglePart::plain(text.clone())),
        (true, false) => message.singlepart(SinglePart::html(html.clone())),
        (false, false) => message.multipart(MultiPart::alternative_plain_html(text.clone(), html.clone())),
    };
    let bytes = built.map_err(|error| Fault::new("", error.to_string()))?.formatted();
    match bytes.len() > LARGEST {
        true => Err(Fault::new(
            "text",
            format!("the letter is larger than {} MB", LARGEST >> 20),
        )),
        false => Ok(bytes),
    }
}
