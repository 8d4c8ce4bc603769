//! Requests and answers as people may see them: secrets masked, long texts cut.

/// At most so many bytes of a body are kept for the history.
const KEPT: usize = 4096;
const MASK: &str = "•••";

/// Method, address and body in one text, with every secret masked and long bodies cut at a character.
pub fn describe(method: &str, url: &str, body: &[u8], secrets: &[&str]) -> String {
    let body = excerpt(body);
    let mut text = String::with_capacity(method.len() + url.len() + body.len() + 2);
    text.push_str(method);
    text.push(' ');
    text.push_str(url);
    if !body.is_empty() {
        text.push('\n');
        text.push_str(&body);
    }
    mask(text, secrets)
}

/// The beginning of a body as text.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let kept = &body[..body.len().min(KEPT)];
    let mut text = String::from_utf8_lossy(kept).into_owned();
    if body.len() > KEPT {
        // A character that was cut in two is shown as a replacement sign; drop it.
        while text.ends_with('\u{fffd}') {
            text.pop();
        }
        text.push_str(&format!("… ({} bytes in all)", body.len()));
    }
    text
}

/// Replaces every occurrence of every secret. Secrets of fewer than four bytes are left alone: they would mask ordinary text.
pub(crate) fn mask(mut text: String, secrets: &[&str]) -> String {
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        if text.contains(secret) {
            text = text.replace(secret, MASK);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let text = describe("POST", "https://example.org/?token=hush-hush", b"{\"a\":\"hush-hush\"}", &["hush-hush", "a"]);
        assert_eq!(text, "POST https://example.org/?token=•••\n{\"a\":\"•••\"}");
    }

    #[test]
    fn a_long_body_is_cut_at_a_character() {
        let body = "ё".repeat(KEPT);
        let text = excerpt(body.as_bytes());
        assert!(text.starts_with("ёё") && text.ends_with("bytes in all)") && !text.contains('\u{fffd}'));
    }
}
