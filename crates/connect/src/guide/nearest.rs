//! "Did you mean …": the known word that a mistyped one is closest to.

/// Edit distance is quadratic; nobody mistypes a word this long.
const LONGEST_WORD: usize = 200;

/// The known word closest to `word` regardless of case, when at most a third of its letters differ.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let word = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    let (distance, found) = known.into_iter().map(|known| (distance(known), known)).min_by_key(|(far, _)| *far)?;
    (distance <= found.chars().count().max(3) / 3).then_some(found)
}

/// The end of a sentence about an unknown word: `; did you mean …?`, or nothing.
pub(super) fn question<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|found| format!("; did you mean `{found}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_anything_else_finds_none() {
        let known = ["crmIntegrations", "connections", "routes"];
        let table = [
            ("crmIntegration", Some("crmIntegrations")),
            ("CRMINTEGRATIONS", Some("crmIntegrations")),
            ("conections", Some("connections")),
            ("rutoes", Some("routes")),
            ("客户", None),
            ("payload", None),
            ("", None),
        ];
        for (word, expected) in table {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"r".repeat(100_000), known), None);
        assert_eq!(question("route", known), "; did you mean `routes`?");
        assert_eq!(question("客户", known), "");
    }
}
