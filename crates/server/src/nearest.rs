//! "Did you mean …": the known word that a mistyped one is closest to.

/// A guess at what was meant; may be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess<'a>(pub Option<&'a str>);

impl Guess<'_> {
    /// `; did you mean …?` or nothing, to end a sentence with.
    pub fn as_question(self) -> String {
        self.0.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default()
    }
}

/// The known word closest to `word`, when it is close enough to be a slip: a third of the letters may differ.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Guess<'a> {
    // Edit distance is quadratic; nobody mistypes a word this long, but somebody may send one.
    if word.len() > 200 {
        return Guess(None);
    }
    let lower = word.to_lowercase();
    let best = known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance);
    Guess(best.filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3).map(|(_, found)| found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_anything_else_finds_none() {
        let known = ["type", "id", "data", "message.received"];
        for (word, expected) in [
            ("typ", Some("type")),
            ("Type", Some("type")),
            ("tpye", Some("type")),
            ("message.recieved", Some("message.received")),
            ("客户", None),
            ("payload", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known).0, expected, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), known), Guess(None));
    }
}
