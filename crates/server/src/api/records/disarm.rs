//! Cells of CSV files that spreadsheets would take for formulas: an apostrophe before them makes them text. Whoever pushes a name such as
//! `=HYPERLINK(…)` would have it run on the desk of the person who opens an export.

/// What formulas begin with, for one spreadsheet or another.
const BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
const APOSTROPHE: char = '\'';

/// The text as it may stand in a cell. One that looks like a text with such an apostrophe gets one more, so that it comes back whole.
pub(super) fn armless(text: &str) -> String {
    match is_formula(text) || text.strip_prefix(APOSTROPHE).is_some_and(is_marked) {
        true => format!("{APOSTROPHE}{text}"),
        false => text.to_owned(),
    }
}

/// The text of a cell, without the apostrophe of [`armless`].
pub(super) fn bare(cell: &str) -> &str {
    cell.strip_prefix(APOSTROPHE)
        .filter(|text| is_marked(text))
        .unwrap_or(cell)
}

/// Whether a text, or what stands behind its apostrophes, is a formula.
fn is_marked(text: &str) -> bool {
    is_formula(text.trim_start_matches(APOSTROPHE))
}

/// Numbers and telephone numbers are none.
fn is_formula(text: &str) -> bool {
    text.starts_with(BEGINNINGS) && !is_number(text)
}

fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let fits = |letter: char| letter.is_ascii_digit() || " ().-".contains(letter);
    rest.chars().all(fits) && rest.contains(|letter: char| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_marked_and_numbers_are_not() {
        for formula in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3+A1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "-",
            "+",
            "--",
        ] {
            assert_eq!(armless(formula), format!("'{formula}"));
        }
        for plain in ["", "a=1", "+1 (202) 555-01.01", "-12.5", "7", "'tis", "O'Neil"] {
            assert_eq!(armless(plain), plain);
            assert_eq!(bare(plain), plain);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back_as_it_was(text in "['=+@\t a1-]{0,6}") {
            let cell = armless(&text);
            prop_assert!(!is_formula(&cell));
            prop_assert_eq!(bare(&cell), text);
        }
    }
}
