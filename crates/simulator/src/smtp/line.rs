//! Lines of an SMTP conversation (RFC 5321 §2.3.8, §4.5.2).

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Longer command lines are no commands: room for the tokens of RFC 4954 §4.
const LONGEST: u64 = 12_288 + 2;
/// Nobody takes more in one message.
const MOST_DATA: u64 = 64 << 20;

/// The next line without its end; `None` when the client has gone, or says no lines.
pub async fn command(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = input.take(LONGEST).read_until(b'\n', &mut line).await?;
    match line.strip_suffix(b"\r\n") {
        Some(line) if read > 0 => Ok(Some(String::from_utf8_lossy(line).into_owned())),
        _ => Ok(None),
    }
}

/// A message up to the line with the dot, dots at the beginning of lines taken away; `None` when the client has gone before that.
pub async fn data(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut input = input.take(MOST_DATA);
    let mut all = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        match line.strip_prefix(b".") {
            Some(b"\r\n") => return Ok(Some(all)),
            Some(rest) => all.extend_from_slice(rest),
            None => all.extend_from_slice(&line),
        }
    }
}

/// Code and words as a reply of one line.
pub fn reply(code: u16, words: &str) -> String {
    format!("{code} {words}\r\n")
}

/// A reply of several lines.
pub fn replies(code: u16, lines: &[String]) -> String {
    let last = lines.len().saturating_sub(1);
    let line = |(at, words): (usize, &String)| format!("{code}{}{words}\r\n", if at == last { ' ' } else { '-' });
    lines.iter().enumerate().map(line).collect()
}

/// The address between the angle brackets of `MAIL FROM:` and `RCPT TO:`, and the parameters behind; `None`: a syntax error.
pub fn path<'l>(line: &'l str, before: &str) -> Option<(&'l str, &'l str)> {
    let rest = line
        .get(before.len()..)
        .filter(|_| line[..before.len()].eq_ignore_ascii_case(before))?;
    let (address, parameters) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    Some((address, parameters.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dots_are_taken_away_and_the_end_is_found() {
        let mut input: &[u8] = b"a\r\n..b\r\n.\r\nQUIT\r\n";
        assert_eq!(data(&mut input).await.unwrap().as_deref(), Some(&b"a\r\n.b\r\n"[..]));
        assert_eq!(command(&mut input).await.unwrap().as_deref(), Some("QUIT"));
        assert_eq!(command(&mut input).await.unwrap(), None);
        let mut cut: &[u8] = b"a\r\n";
        assert_eq!(data(&mut cut).await.unwrap(), None);
    }

    #[test]
    fn addresses_and_parameters_are_told_apart() {
        assert_eq!(
            path("mail from:<a@example.org> SIZE=5", "MAIL FROM:"),
            Some(("a@example.org", "SIZE=5"))
        );
        assert_eq!(path("RCPT TO:a@example.org", "RCPT TO:"), None);
        assert_eq!(path("RCPT", "RCPT TO:"), None);
        assert_eq!(replies(250, &["a".into(), "b".into()]), "250-a\r\n250 b\r\n");
    }
}
