//! The beginning of a body, for people.

/// At most so many bytes of a body are kept for the history.
const KEPT: usize = 4096;

/// The beginning of a body as text, cut at a character.
pub fn excerpt(body: &[u8]) -> String {
    let kept = &body[..body.len().min(KEPT)];
    // Nearly every body is text, and that is found out faster than it is mended.
    let mut text = match simdutf8::basic::from_utf8(kept) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(kept).into_owned(),
    };
    if body.len() > KEPT {
        // A character that was cut in two is shown as a replacement sign; drop it.
        while text.ends_with('\u{fffd}') {
            text.pop();
        }
        text.push_str(&format!("… ({} bytes in all)", body.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_at_a_character() {
        let body = "ё".repeat(KEPT);
        let text = excerpt(format!("x{body}").as_bytes());
        assert!(text.starts_with("xёё") && text.ends_with("bytes in all)") && !text.contains('\u{fffd}'));
        assert_eq!(excerpt("短".as_bytes()), "短");
    }
}
