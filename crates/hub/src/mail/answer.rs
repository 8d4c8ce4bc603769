//! What a mail server said, as an answer that a connector's rules read.
//!
//! The status says what kind of answer it is: 200 the server has taken the message (or is there, when nothing was to be sent), 207 it has
//! taken it for some recipients only, 401 who we are is not accepted, 422 it refuses for good, 425 it does not take this now, 426 it offers
//! no TLS, 503 it cannot serve anybody now, 299 it says something that SMTP does not know. The body has the rest.

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use lettre::transport::smtp::response::Response;
use serde::Serialize;
use switchboard_connect::call::Answer;

/// Where a conversation was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// Our own look at the letter, before anybody was called.
    Letter,
    /// Greeting and EHLO.
    Greeting,
    /// STARTTLS.
    Tls,
    /// AUTH.
    SignIn,
    /// NOOP.
    Check,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, before the message.
    Data,
    /// The message itself.
    Message,
}

/// A reply: its code, its enhanced code (RFC 3463) and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    pub enhanced: Option<String>,
    pub text: String,
}

impl Reply {
    /// From code and text; the enhanced code stands in front of the text, in that of several lines in front of each.
    pub fn new(code: u16, text: &str) -> Self {
        let mut enhanced = None;
        let mut words = Vec::new();
        for line in text.lines().map(str::trim) {
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            match is_enhanced(first) {
                true => {
                    enhanced.get_or_insert_with(|| first.to_owned());
                    words.push(rest.trim());
                }
                false => words.push(line),
            }
        }
        words.retain(|line| !line.is_empty());
        Self {
            code,
            enhanced,
            text: words.join(" "),
        }
    }

    /// From the library's.
    pub fn of(response: &Response) -> Self {
        let lines: Vec<&str> = response.message().collect();
        Self::new(u16::from(response.code()), &lines.join("\n"))
    }

    /// What the server would say, were it asked.
    pub fn ours(code: u16, enhanced: &str, text: &str) -> Self {
        Self {
            code,
            enhanced: Some(enhanced.to_owned()),
            text: text.to_owned(),
        }
    }

    /// Whether it may be otherwise later.
    pub fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }
}

fn is_enhanced(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && matches!(parts[0], "2" | "4" | "5") && parts.iter().all(number)
}

/// What became of a letter.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enhanced: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reply: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The recipients that the server takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
    /// Those that it does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refusal>,
    /// Members of the letter that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<LetterFault>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    recipient: String,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    enhanced: Option<String>,
    reply: String,
}

#[derive(Debug, Serialize)]
struct LetterFault {
    field: &'static str,
    message: String,
}

impl Report {
    /// The server's last word was no refusal.
    pub fn taken(&mut self, reply: Reply) {
        self.put(None, reply);
    }

    /// The server's last word was a refusal.
    pub fn refused(&mut self, stage: Stage, reply: Reply) {
        if stage == Stage::Recipient || stage == Stage::Message || stage == Stage::Data {
            self.accepted.clear();
        }
        self.put(Some(stage), reply);
    }

    /// A recipient that is not taken.
    pub fn refused_recipient(&mut self, recipient: String, reply: Reply) {
        self.refused.push(Refusal {
            recipient,
            code: reply.code,
            enhanced: reply.enhanced,
            reply: reply.text,
        });
    }

    /// The first recipient that was refused, as the answer to all of it.
    pub fn first_refusal(&self) -> Reply {
        let first = self.refused.first();
        first.map_or_else(
            || Reply::ours(554, "5.5.1", "there is no recipient"),
            |refusal| Reply {
                code: refusal.code,
                enhanced: refusal.enhanced.clone(),
                text: format!("{}: {}", refusal.recipient, refusal.reply),
            },
        )
    }

    /// A letter that is not sent.
    pub fn fault(&mut self, field: &'static str, message: String) {
        self.put(Some(Stage::Letter), Reply::ours(554, "5.6.0", &message));
        self.faults.push(LetterFault { field, message });
    }

    fn put(&mut self, stage: Option<Stage>, reply: Reply) {
        self.stage = stage;
        self.code = Some(reply.code);
        self.enhanced = reply.enhanced;
        self.reply = reply.text;
    }

    /// See the module.
    fn status(&self) -> u16 {
        match (self.stage, self.code.unwrap_or_default()) {
            (None, 250) if self.refused.is_empty() => 200,
            (None, 250) => 207,
            (Some(Stage::Tls), _) => 426,
            (Some(Stage::SignIn), 500..=599) | (_, 530 | 535) => 401,
            (Some(Stage::Recipient | Stage::Message), 422..=499) => 425,
            (Some(_), 400..=499) => 503,
            (Some(_), 500..=599) => 422,
            _ => 299,
        }
    }

    /// The answer.
    pub fn answer(&self) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = serde_json::to_vec(self).unwrap_or_default();
        Answer::new(self.status(), headers, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enhanced_code_is_told_apart_from_the_words() {
        let reply = Reply::new(
            535,
            "5.7.8 Username and Password not accepted. For more\n5.7.8 https://support.example.org x1",
        );
        assert_eq!(reply.enhanced.as_deref(), Some("5.7.8"));
        assert_eq!(
            reply.text,
            "Username and Password not accepted. For more https://support.example.org x1"
        );
        let reply = Reply::new(550, "10.0.0.1 is listed");
        assert_eq!((reply.enhanced, reply.text.as_str()), (None, "10.0.0.1 is listed"));
    }

    #[test]
    fn replies_become_statuses_that_say_what_to_do() {
        for (stage, code, status) in [
            (None, 250, 200),
            (None, 200, 299),
            (Some(Stage::Greeting), 421, 503),
            (Some(Stage::SignIn), 454, 503),
            (Some(Stage::SignIn), 535, 401),
            (Some(Stage::Sender), 530, 401),
            (Some(Stage::Recipient), 450, 425),
            (Some(Stage::Recipient), 421, 503),
            (Some(Stage::Recipient), 550, 422),
            (Some(Stage::Message), 451, 425),
            (Some(Stage::Message), 554, 422),
        ] {
            let mut report = Report::default();
            report.put(stage, Reply::new(code, "x"));
            assert_eq!(report.status(), status, "{stage:?} {code}");
        }
    }
}
