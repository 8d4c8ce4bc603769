//! Finds words in messages of any language.
//!
//! A word of a script that puts spaces between words is found as a whole word; `*` at its end or start lets the word go on there (`возврат*`
//! finds `возврата`). Scripts without spaces (Chinese, Japanese, Thai …) are found wherever they stand. Case, width, composition of accents,
//! `ё` and the kind and number of spaces make no difference; accents do, because they make other words in Vietnamese.

use aho_corasick::{AhoCorasick, MatchKind};
use unicode_normalization::UnicodeNormalization;

/// More words than this are refused.
pub(super) const MOST_WORDS: usize = 5_000;
/// Longer words are refused, in characters.
pub(super) const LONGEST_WORD: usize = 100;

/// A word that is looked for.
#[derive(Debug)]
struct Word {
    /// Whose it is.
    owner: usize,
    /// As the user wrote it.
    written: String,
    /// Whether the word must begin here.
    begins: bool,
    /// Whether the word must end here.
    ends: bool,
}

/// Every word of every rule; one pass over a message finds all of them.
#[derive(Debug)]
pub(super) struct Words {
    automaton: AhoCorasick,
    words: Vec<Word>,
}

impl Words {
    /// Compiles words with the number of their owner each.
    ///
    /// # Errors
    /// When the words cannot be searched for.
    pub fn compile<'w>(words: impl IntoIterator<Item = (usize, &'w str)>) -> Result<Self, String> {
        let mut patterns = Vec::new();
        let mut compiled = Vec::new();
        for (owner, written) in words {
            let open_start = written.starts_with('*');
            let open_end = written.ends_with('*');
            let pattern = fold(written.trim_matches('*'));
            let pattern = pattern.trim().to_owned();
            let is_bound = |letter: Option<char>| letter.is_some_and(is_of_word);
            compiled.push(Word {
                owner,
                written: written.to_owned(),
                begins: !open_start && is_bound(pattern.chars().next()),
                ends: !open_end && is_bound(pattern.chars().next_back()),
            });
            patterns.push(pattern);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            automaton,
            words: compiled,
        })
    }

    /// The first word of each owner that stands in the text, as the user wrote it, by owner.
    pub fn find(&self, text: &str, owners: usize) -> Vec<Option<&str>> {
        let mut found = vec![None; owners];
        let text = fold(text);
        for hit in self.automaton.find_overlapping_iter(&text) {
            let word = &self.words[hit.pattern().as_usize()];
            let slot = &mut found[word.owner];
            if slot.is_some() {
                continue;
            }
            let before = text[..hit.start()].chars().next_back();
            let after = text[hit.end()..].chars().next();
            let begins = !word.begins || !before.is_some_and(is_of_word);
            let ends = !word.ends || !after.is_some_and(is_of_word);
            if begins && ends {
                *slot = Some(word.written.as_str());
            }
        }
        found
    }
}

/// What is wrong with a word.
pub(super) fn fault(word: &str) -> Option<String> {
    let core = fold(word.trim_matches('*'));
    if core.trim().is_empty() {
        return Some("the word is empty".into());
    }
    if word.chars().count() > LONGEST_WORD {
        return Some(format!("the word has more than {LONGEST_WORD} characters"));
    }
    if core.contains('*') {
        return Some(format!(
            "`{word}` has `*` in the middle; it can stand at the start and at the end"
        ));
    }
    None
}

/// Text in the form in which it is compared.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut spaced = false;
    for letter in text.nfkc().flat_map(char::to_lowercase) {
        match letter {
            // They are not seen, and stand in the middle of words.
            '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => continue,
            letter if letter.is_whitespace() => {
                if !spaced {
                    folded.push(' ');
                }
                spaced = true;
                continue;
            }
            'ё' => folded.push('е'),
            '’' | '‘' | 'ʼ' => folded.push('\''),
            letter => folded.push(letter),
        }
        spaced = false;
    }
    folded
}

/// Whether a letter goes on with the word beside it: one of a script that puts spaces between words.
fn is_of_word(letter: char) -> bool {
    (letter.is_alphanumeric() || letter == '_') && !is_unspaced(letter)
}

/// Letters of scripts whose words stand side by side, or grow endings that no list could name.
fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{0e00}'..='\u{0eff}'     // Thai, Lao
        | '\u{0f00}'..='\u{0fff}'   // Tibetan
        | '\u{1000}'..='\u{109f}'   // Burmese
        | '\u{1100}'..='\u{11ff}'   // Hangul
        | '\u{1780}'..='\u{17ff}'   // Khmer
        | '\u{2e80}'..='\u{2fdf}'   // Han
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}'   // Kana
        | '\u{3130}'..='\u{318f}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finds(word: &str, text: &str) -> bool {
        Words::compile([(0, word)]).unwrap().find(text, 1)[0].is_some()
    }

    #[test]
    fn words_are_found_in_every_language_as_its_speakers_mean_them() {
        for (word, text, found) in [
            ("refund", "I want a REFUND!", true),
            ("refund", "refunds are nice", false),
            ("refund*", "refunds are nice", true),
            ("fund", "refund", false),
            ("*fund", "refund", true),
            ("退款", "我要求退款，谢谢", true),
            ("退款", "退 款", false),
            ("refund", "我要refund谢谢", true),
            ("возврат*", "Оформите возврата денег", true),
            ("возврат", "Возвратите деньги", false),
            ("счёт", "Пришлите СЧЕТ", true),
            ("hoàn tiền", "Tôi muốn HOÀN   TIỀN", true),
            // Composed and decomposed.
            ("hoàn tiền", "hoa\u{300}n tie\u{302}\u{300}n", true),
            ("tiền", "tien", false),
            ("ＶＩＰ", "a vip customer", true),
            ("can't", "I can’t log in", true),
            ("c++", "we use C++ here", true),
            ("คืนเงิน", "ขอคืนเงินด้วย", true),
            ("환불", "환불해 주세요", true),
            ("re\u{ad}fund", "refund", true),
        ] {
            assert_eq!(finds(word, text), found, "{word} in {text}");
        }
    }

    #[test]
    fn words_that_overlap_are_all_found() {
        let words = Words::compile([(0, "退款"), (1, "申请退款"), (2, "退款单"), (3, "无")]).unwrap();
        let found = words.find("申请退款单", 4);
        assert_eq!(found, [Some("退款"), Some("申请退款"), Some("退款单"), None]);
    }

    #[test]
    fn a_word_that_finds_everything_or_nothing_is_refused() {
        for word in ["", "*", " ", "**", "a*b", &"x".repeat(101)] {
            assert!(fault(word).is_some(), "{word}");
        }
        for word in ["a", "*a*", "не работает", "退款"] {
            assert_eq!(fault(word), None);
        }
    }

    proptest! {
        #[test]
        fn a_word_is_found_in_itself_between_spaces_and_in_any_case(word in "\\PC{1,20}", before in "\\PC{0,10}", after in "\\PC{0,10}") {
            prop_assume!(fault(&word).is_none());
            let core = word.trim_matches('*');
            let text = format!("{before} {core} {after}");
            prop_assert!(finds(&word, &text), "{} in {}", word, text);
        }

        #[test]
        fn no_text_makes_the_search_panic(word in "\\PC{1,10}", text in "\\PC{0,60}") {
            prop_assume!(fault(&word).is_none());
            let _ = finds(&word, &text);
        }
    }
}
