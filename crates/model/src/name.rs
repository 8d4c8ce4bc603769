//! Splits full names into given and family name.

/// Family names of two characters; every other Chinese family name has one.
const COMPOUND: &[&str] = &[
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "东方", "東方", "皇甫", "尉迟", "尉遲", "公孙", "公孫",
    "令狐", "慕容", "司徒", "司空", "夏侯", "长孙", "長孫", "宇文", "端木", "南宫", "南宮", "西门", "西門", "独孤",
    "獨孤", "轩辕", "軒轅", "澹台", "申屠", "太史", "钟离", "鍾離", "남궁", "황보", "제갈", "선우", "독고",
];

/// The most common Vietnamese family names; Vietnamese names begin with them.
const VIETNAMESE: &[&str] = &[
    "nguyễn", "trần", "lê", "phạm", "hoàng", "huỳnh", "phan", "vũ", "võ", "đặng", "bùi", "đỗ", "hồ", "ngô", "dương",
    "lý", "đinh", "trịnh", "mai", "đào", "lương", "trương",
];

/// Endings of Slavic patronymics, which stand between given and family name or behind the given name.
const PATRONYMIC: &[&str] = &[
    "ович",
    "евич",
    "ич",
    "овна",
    "евна",
    "ична",
    "инична",
    "ovich",
    "evich",
    "ovna",
    "evna",
];

/// Names longer than this, in bytes, are no names.
const LONGEST: usize = 512;

/// Given name and family name of a full name. One word is a given name, except in Chinese and Korean writing, where two to four characters
/// are family and given name. What cannot be split is left whole as the given name.
pub fn split(full: &str) -> (Option<String>, Option<String>) {
    let full = full.trim();
    if full.is_empty() || full.len() > LONGEST {
        return (None, None);
    }
    if let Some((family, given)) = full.split_once([',', '，']) {
        return pair(given.trim(), family.trim());
    }
    let words: Vec<&str> = full.split_whitespace().collect();
    match words.as_slice() {
        [] => (None, None),
        [word] => split_word(word),
        // In Chinese, Korean and Japanese writing the family name comes first.
        [family, given @ ..] if is_east_asian(family) && given.iter().all(|word| is_east_asian(word)) => {
            pair(&given.join(""), family)
        }
        [family, given @ ..]
            if VIETNAMESE.contains(&family.to_lowercase().as_str()) && !family.is_ascii() || is_vietnamese(&words) =>
        {
            pair(&given.join(" "), family)
        }
        // «Иванов Иван Иванович»: the family name stands first, the patronymic last.
        [family, given, patronymic] if is_patronymic(patronymic) => pair(given, family),
        // «Иван Иванович Иванов»
        [given, patronymic, family] if is_patronymic(patronymic) => pair(given, family),
        [given @ .., family] => pair(&given.join(" "), family),
    }
}

fn pair(given: &str, family: &str) -> (Option<String>, Option<String>) {
    let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    match (filled(given), filled(family)) {
        (None, family) => (family, None),
        both => both,
    }
}

fn split_word(word: &str) -> (Option<String>, Option<String>) {
    let letters: Vec<char> = word.chars().collect();
    if !is_east_asian(word) || !(2..=4).contains(&letters.len()) || letters.iter().any(|c| is_kana(*c)) {
        return pair(word, "");
    }
    let compound = letters.len() > 2 && COMPOUND.contains(&letters[..2].iter().collect::<String>().as_str());
    let at = if compound { 2 } else { 1 };
    pair(
        &letters[at..].iter().collect::<String>(),
        &letters[..at].iter().collect::<String>(),
    )
}

fn is_east_asian(word: &str) -> bool {
    word.chars().all(|c| {
        matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{ac00}'..='\u{d7a3}' | '々') || is_kana(c)
    })
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}')
}

/// «Le Van A» written without signs is too much like other names; a whole name with at least one Vietnamese sign is Vietnamese.
fn is_vietnamese(words: &[&str]) -> bool {
    let sign =
        |c: char| "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ".contains(c.to_lowercase().next().unwrap_or(c));
    words
        .first()
        .is_some_and(|first| VIETNAMESE.contains(&first.to_lowercase().as_str()))
        && words.iter().any(|word| word.chars().any(sign))
}

fn is_patronymic(word: &str) -> bool {
    let word = word.to_lowercase();
    word.chars().count() > 5 && PATRONYMIC.iter().any(|ending| word.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_split_as_their_bearers_would() {
        for (full, given, family) in [
            ("Ana Petrova", "Ana", "Petrova"),
            ("  Ana   Maria  Petrova ", "Ana Maria", "Petrova"),
            ("Petrova, Ana", "Ana", "Petrova"),
            ("张三", "三", "张"),
            ("欧阳娜娜", "娜娜", "欧阳"),
            ("司马光", "光", "司马"),
            ("王 小明", "小明", "王"),
            ("김민준", "민준", "김"),
            ("山田 太郎", "太郎", "山田"),
            ("Nguyễn Văn A", "Văn A", "Nguyễn"),
            ("Lê Thị Hồng Gấm", "Thị Hồng Gấm", "Lê"),
            ("Mai Johnson", "Mai", "Johnson"),
            ("Иванов Иван Иванович", "Иван", "Иванов"),
            ("Мария Петровна Сидорова", "Мария", "Сидорова"),
            ("Сергей Новак", "Сергей", "Новак"),
        ] {
            assert_eq!(split(full), (Some(given.into()), Some(family.into())), "{full}");
        }
    }

    #[test]
    fn one_word_is_a_given_name() {
        for full in ["Ana", "🙂", "さくら", "阿卜杜勒阿卜杜", "X"] {
            assert_eq!(split(full), (Some(full.into()), None), "{full}");
        }
        assert_eq!(split(""), (None, None));
        assert_eq!(split(&"x ".repeat(1000)), (None, None));
    }

    proptest! {
        #[test]
        fn no_name_is_lost_or_makes_it_panic(full in "\\PC{0,60}") {
            let (given, family) = split(&full);
            if !full.trim().is_empty() && full.len() <= LONGEST && family.is_some() {
                prop_assert!(given.is_some());
            }
        }
    }
}
