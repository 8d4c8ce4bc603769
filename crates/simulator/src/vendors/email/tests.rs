//! The mail server, asked as a mail client asks: over a socket, line by line.

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::{Dial, Fault, Options, Request, Rule, Running, start};

const LETTER: &str = "From: Hub <hub@example.org>\r\nDate: Fri, 27 Nov 2026 20:00:00 +0000\r\nMessage-ID: <a@example.org>\r\n\
                      Subject: =?utf-8?b?0JLQvtC/0YDQvtGB?=\r\nTo: ana@example.org\r\n\r\nhello\r\n..dot\r\n.";
/// NUL, user, NUL, password.
const PLAIN: &str = "AGh1YkBleGFtcGxlLm9yZwBzZWNyZXQ=";

struct Client(BufReader<TcpStream>);

impl Client {
    async fn call(running: &Running) -> Self {
        let address = running.url("email").replace("smtp+plain://", "");
        let mut client = Self(BufReader::new(TcpStream::connect(address).await.unwrap()));
        assert!(client.heard().await.starts_with("220 "));
        client
    }

    /// The last line of a reply; empty when the server has gone.
    async fn heard(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).await.unwrap_or(0);
            if read == 0 || line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.heard().await
    }

    /// Signs in and sends a letter; the reply to it.
    async fn send(&mut self, letter: &str) -> String {
        let sign_in = format!("AUTH PLAIN {PLAIN}");
        for (line, code) in [
            ("EHLO me", "250"),
            (sign_in.as_str(), "235"),
            ("MAIL FROM:<hub@example.org> SIZE=100", "250"),
            ("RCPT TO:<ana@example.org>", "250"),
            ("DATA", "354"),
        ] {
            let heard = self.say(line).await;
            assert!(heard.starts_with(code), "{line}: {heard}");
        }
        self.say(letter).await
    }
}

async fn server() -> Running {
    let options = Options {
        only: vec!["email".into()],
        ..Options::default()
    };
    let running = start(([127, 0, 0, 1], 0).into(), options).await.unwrap();
    let accounts = json!({"accounts": [{"user": "hub@example.org", "password": "secret"}], "sessions": 100});
    running.configure("email", &accounts).unwrap();
    running
}

fn kept(running: &Running) -> Vec<Value> {
    running.records("email", "messages").unwrap()
}

#[tokio::test]
async fn a_letter_is_taken_and_shown_as_a_reader_sees_it() {
    let running = server().await;
    let mut client = Client::call(&running).await;
    assert!(client.send(LETTER).await.starts_with("250 2.0.0 OK"));
    let letter = kept(&running).remove(0);
    assert_eq!(letter["subject"], "Вопрос");
    assert_eq!(letter["text"].as_str().map(str::trim_end), Some("hello\r\n.dot"));
    assert_eq!(
        (&letter["messageId"], &letter["recipients"]),
        (&json!("a@example.org"), &json!(["ana@example.org"]))
    );
    assert!(client.say("QUIT").await.starts_with("221"));
    assert_eq!(client.heard().await, "");
}

#[tokio::test]
async fn it_is_strict_about_order_people_and_headers() {
    let running = server().await;
    let mut client = Client::call(&running).await;
    for (line, reply) in [
        ("EHLO me", "250"),
        ("MAIL FROM:<hub@example.org>", "530 5.7.0"),
        ("AUTH PLAIN AGh1YkBleGFtcGxlLm9yZwB3cm9uZw==", "535 5.7.8"),
        ("AUTH CRAM-MD5", "504 5.5.4"),
        ("AUTH LOGIN", "334"),
        ("aHViQGV4YW1wbGUub3Jn", "334"),
        ("c2VjcmV0", "235"),
        ("RCPT TO:<ana@example.org>", "503"),
        ("MAIL FROM:<boss@example.org>", "550 5.7.60"),
        ("MAIL FROM:<hub@example.org> SIZE=99999999", "552 5.3.4"),
        ("MAIL FROM:<hub@example.org>", "250"),
        ("DATA", "503"),
        ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
        ("RCPT TO:<busy@example.org>", "450 4.2.1"),
        ("RCPT TO:<ana@example.org>", "250"),
        ("DATA", "354"),
        ("Subject: no sender\r\n\r\nx\r\n.", "550 5.6.0 the header From"),
        ("STARTTLS", "502"),
    ] {
        let heard = client.say(line).await;
        assert!(heard.starts_with(reply), "{line}: {heard}");
    }
    assert_eq!(kept(&running).len(), 0);
}

#[tokio::test]
async fn the_dial_cuts_before_and_after_a_letter_was_taken_and_says_no_in_the_servers_words() {
    let running = server().await;
    let strike = |fault| Dial::of([Rule::new(fault).path("/messages").times(1)]);
    let status = |code| Fault::Status {
        code,
        retry_after_s: None,
        applied: false,
    };
    for (fault, reply, count) in [
        (Fault::CutBefore, "", 0),
        (Fault::CutAfter, "", 1),
        (status(500), "451 4.3.0", 1),
        (status(503), "421 4.3.2", 1),
        (status(504), "", 1),
        (Fault::Throttle { retry_after_s: None }, "432 4.3.2", 1),
        (Fault::Hollow { applied: false }, "200", 1),
    ] {
        running.set_vendor_dial("email", strike(fault.clone())).unwrap();
        let heard = Client::call(&running).await.send(LETTER).await;
        assert!(
            heard.starts_with(reply) && heard.is_empty() == reply.is_empty(),
            "{fault:?}: {heard}"
        );
        assert_eq!(kept(&running).len(), count, "{fault:?}");
    }
}

#[tokio::test]
async fn a_token_is_got_by_http_and_its_end_is_told_in_a_challenge() {
    let running = server().await;
    let app = json!({"apps": [{
        "client_id": "app", "client_secret": "s", "refresh_token": "r", "user": "hub@example.org",
    }]});
    running.configure("email", &app).unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("client_secret", "s"),
        ("refresh_token", "r"),
    ];
    let request = Request::new(Method::POST, "/token")
        .with_form(&form)
        .at(running.now_ms());
    let answer = running.call("email", request).unwrap().unwrap().value();
    let token = answer["access_token"].as_str().unwrap();
    let text = format!("user=hub@example.org\u{1}auth=Bearer {token}\u{1}\u{1}");
    let sign_in = format!(
        "AUTH XOAUTH2 {}",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
    );
    let mut client = Client::call(&running).await;
    assert!(client.say("EHLO me").await.starts_with("250"));
    assert!(client.say(&sign_in).await.starts_with("235"));
    running.expire_tokens("email").unwrap();
    let mut client = Client::call(&running).await;
    assert!(client.say(&sign_in).await.starts_with("334"));
    assert!(client.say("").await.starts_with("535"));
}

#[tokio::test]
async fn a_user_has_so_many_conversations_and_no_more() {
    let running = server().await;
    running.configure("email", &json!({"sessions": 1})).unwrap();
    let sign_in = format!("AUTH PLAIN {PLAIN}");
    let mut first = Client::call(&running).await;
    assert!(first.say(&sign_in).await.starts_with("235"));
    assert!(Client::call(&running).await.say(&sign_in).await.starts_with("432"));
    assert!(first.say("QUIT").await.starts_with("221"));
    assert!(Client::call(&running).await.say(&sign_in).await.starts_with("235"));
}
