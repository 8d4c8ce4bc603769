//! "Did you mean …?" at the end of a sentence.

use switchboard_model::nearest::nearest;

/// `; did you mean …?` with the known word that `word` is a slip of, or nothing.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known)
        .map(|meant| format!("; did you mean `{meant}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_gets_a_question_and_anything_else_nothing() {
        let known = ["type", "data", "message.received"];
        assert_eq!(
            did_you_mean("message.recieved", known),
            "; did you mean `message.received`?"
        );
        assert_eq!(did_you_mean("客户", known), "");
    }
}
