//! Lengths in UTF-16 units, the unit of vendors that think in JavaScript or Java. Nothing is cut inside what a reader sees
//! as one character.

use unicode_segmentation::UnicodeSegmentation;

const ELLIPSIS: char = '…';

/// Whether `text` has at most `max` UTF-16 units.
pub(super) fn fits(text: &str, max: usize) -> bool {
    // A text never has more UTF-16 units than bytes.
    text.len() <= max || text.encode_utf16().count() <= max
}

/// The first pieces of `text`, each of at most `limit` units.
pub(super) fn pieces(text: &str, limit: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut at, mut units) = (0, 0, 0);
    for part in parts(text, limit) {
        let length = part.encode_utf16().count();
        if units + length > limit && at > start {
            pieces.push(&text[start..at]);
            (start, units) = (at, 0);
        }
        units += length;
        at += part.len();
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

/// The text's characters as readers see them; one that is over the limit by itself comes in code points.
fn parts(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    text.graphemes(true).flat_map(move |grapheme| {
        let whole = fits(grapheme, limit);
        let points = grapheme
            .char_indices()
            .map(|(at, point)| &grapheme[at..at + point.len_utf8()]);
        whole
            .then_some(grapheme)
            .into_iter()
            .chain(points.filter(move |_| !whole))
    })
}

/// `text` in at most `max` units; when something is missing it ends with an ellipsis.
pub(super) fn cut(text: &str, max: usize) -> String {
    if fits(text, max) {
        return text.to_owned();
    }
    let room = max.saturating_sub(1);
    let kept = pieces(text, room).first().copied().filter(|kept| fits(kept, room));
    let mut short = kept.unwrap_or_default().trim_end().to_owned();
    if max > 0 {
        short.push(ELLIPSIS);
    }
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_family_of_emoji_is_never_torn_apart() {
        let family = "👨‍👩‍👧‍👦";
        let text = family.repeat(3);
        // Each is 11 units.
        assert_eq!(pieces(&text, 25), [&family.repeat(2), family]);
        assert_eq!(cut(&text, 25), format!("{}…", family.repeat(2)));
        assert_eq!(cut("客户咨询内容", 4), "客户咨…");
    }

    proptest! {
        #[test]
        fn pieces_make_up_the_text_and_keep_the_limit(text in "\\PC{0,80}", limit in 2usize..30) {
            let pieces = pieces(&text, limit);
            prop_assert_eq!(pieces.concat(), text.as_str());
            prop_assert!(pieces.iter().all(|piece| piece.encode_utf16().count() <= limit && !piece.is_empty()));
        }

        #[test]
        fn a_cut_text_keeps_the_limit(text in "\\PC{0,80}", max in 0usize..30) {
            let short = cut(&text, max);
            prop_assert!(fits(&short, max));
            prop_assert_eq!(short == text, fits(&text, max));
        }
    }
}
