//! Splits full names into given and family name.

/// Family names of two characters; every other Chinese or Korean family name has one.
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

/// Endings of Slavic patronymics, which stand behind the given name.
const PATRONYMIC: &[&str] = &[
    "ович", "евич", "ьич", "мич", "кич", "тич", "овна", "евна", "ична", "івна", "ївна", "авіч", "евіч", "аўна", "еўна",
    "ovich", "evich", "ovna", "evna",
];

/// Endings of Slavic family names that are no endings of given names.
const FAMILY: &[&str] = &[
    "ов",
    "ова",
    "ев",
    "ева",
    "ёв",
    "ёва",
    "ский",
    "ская",
    "цкий",
    "цкая",
    "енко",
    "чук",
    "ўскі",
    "ўская",
    "цкі",
];

/// Given names that end like family names.
const GIVEN: &[&str] = &["яков", "лев", "ева", "святослав"];

/// What stands behind a family name that comes first.
const COMMAS: [char; 2] = [',', '，'];
/// What stands between the parts of a foreign name in Chinese, Korean or Japanese.
const DOTS: [char; 3] = ['·', '・', '•'];

/// Given name and family name of a full name.
///
/// - `Ana Maria Petrova`: the last word is the family name; `Petrova, Ana`: what stands before the comma.
/// - Chinese and Korean without a space: two to four characters, the family name first (`张三`, `欧阳娜娜`).
/// - Chinese, Korean and Japanese with a space: the family name first. Names from elsewhere have a dot between their
///   parts and the given name first (`约翰·史密斯`).
/// - Vietnamese names begin with the family name; what begins with a common one and has Vietnamese signs is Vietnamese.
/// - Slavic names: the patronymic is left out, the family name stands before the given name or behind the patronymic.
/// - One word is a given name; what cannot be split is left whole as the given name.
pub fn split(full: &str) -> (Option<String>, Option<String>) {
    let full = full.trim();
    if let Some((family, given)) = full.split_once(COMMAS) {
        return pair(given, family);
    }
    if let Some((given, family)) = full.rsplit_once(DOTS) {
        return pair(given, family);
    }
    let words: Vec<&str> = full.split_whitespace().collect();
    match words.as_slice() {
        [] => (None, None),
        [word] => split_word(word),
        [family, given @ ..] if words.iter().all(|word| is_east_asian(word)) => pair(&given.concat(), family),
        [family, given @ ..] if is_vietnamese(&words) => pair(&given.join(" "), family),
        // «Иван Иванович Мицкевич»: asked first, as family names can end like patronymics.
        [given, patronymic, family] if is_patronymic(patronymic) => pair(given, family),
        [family, given, patronymic] if is_patronymic(patronymic) => pair(given, family),
        [family, given] if is_family(family) && !is_family(given) => pair(given, family),
        [given @ .., family] => pair(&given.join(" "), family),
    }
}

fn pair(given: &str, family: &str) -> (Option<String>, Option<String>) {
    // Signs that stand beside no part of the name are no part of it either.
    let sign = |c: char| c.is_whitespace() || COMMAS.contains(&c) || DOTS.contains(&c);
    let filled = |text: &str| Some(text.trim_matches(sign).to_owned()).filter(|text| !text.is_empty());
    match (filled(given), filled(family)) {
        (None, family) => (family, None),
        both => both,
    }
}

fn split_word(word: &str) -> (Option<String>, Option<String>) {
    let letters = word.chars().count();
    if !is_east_asian(word) || !(2..=4).contains(&letters) || word.chars().any(is_kana) {
        return pair(word, "");
    }
    let compound = letters > 2 && COMPOUND.iter().any(|family| word.starts_with(family));
    let at = word
        .char_indices()
        .nth(if compound { 2 } else { 1 })
        .map_or(word.len(), |(at, _)| at);
    let (family, given) = word.split_at(at);
    pair(given, family)
}

fn is_east_asian(word: &str) -> bool {
    let ranges = [
        '\u{3400}'..='\u{4dbf}',
        '\u{4e00}'..='\u{9fff}',
        '\u{ac00}'..='\u{d7a3}',
        '\u{20000}'..='\u{3134f}',
    ];
    let letter = |c: char| c == '々' || ranges.iter().any(|range| range.contains(&c));
    word.chars().all(|c| letter(c) || is_kana(c))
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}')
}

/// «Phan Anh» and «Mai Johnson» could be anyone's; a name with at least one Vietnamese sign is Vietnamese.
fn is_vietnamese(words: &[&str]) -> bool {
    const SIGNS: &str = "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ";
    let has_sign = |word: &&str| {
        word.chars()
            .flat_map(char::to_lowercase)
            .any(|letter| SIGNS.contains(letter))
    };
    let Some(first) = words.first() else { return false };
    let first = first.to_lowercase();
    VIETNAMESE.contains(&first.as_str()) && (!first.is_ascii() || words.iter().any(has_sign))
}

fn is_patronymic(word: &str) -> bool {
    let word = word.to_lowercase();
    word.chars().count() > 4 && PATRONYMIC.iter().any(|ending| word.ends_with(ending))
}

fn is_family(word: &str) -> bool {
    let word = word.to_lowercase();
    !GIVEN.contains(&word.as_str()) && word.chars().count() > 4 && FAMILY.iter().any(|ending| word.ends_with(ending))
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
            ("Mai Johnson", "Mai", "Johnson"),
            ("张三", "三", "张"),
            ("欧阳娜娜", "娜娜", "欧阳"),
            ("司马光", "光", "司马"),
            ("王 小明", "小明", "王"),
            ("约翰·史密斯", "约翰", "史密斯"),
            ("김민준", "민준", "김"),
            ("남궁민수", "민수", "남궁"),
            ("山田 太郎", "太郎", "山田"),
            ("Nguyễn Văn A", "Văn A", "Nguyễn"),
            ("Lê Thị Hồng Gấm", "Thị Hồng Gấm", "Lê"),
            ("PHAN THỊ MAI", "THỊ MAI", "PHAN"),
            ("Phan Smith", "Phan", "Smith"),
            ("Иванов Иван Иванович", "Иван", "Иванов"),
            ("Мария Петровна Сидорова", "Мария", "Сидорова"),
            ("Иван Иванович Мицкевич", "Иван", "Мицкевич"),
            ("Мицкевич Адам Николаевич", "Адам", "Мицкевич"),
            ("Ковальчук Олег Ильич", "Олег", "Ковальчук"),
            ("Шевченко Оксана Іванівна", "Оксана", "Шевченко"),
            ("Сергей Новак", "Сергей", "Новак"),
            ("Смирнова Анна", "Анна", "Смирнова"),
            ("Лев Толстой", "Лев", "Толстой"),
            ("Константин Мельник", "Константин", "Мельник"),
            ("Адам Мицкевич", "Адам", "Мицкевич"),
        ] {
            assert_eq!(split(full), (Some(given.into()), Some(family.into())), "{full}");
        }
    }

    #[test]
    fn one_word_is_a_given_name() {
        for full in [
            "Ana",
            "🙂",
            "さくら",
            "阿卜杜勒阿卜杜",
            "X",
            "李",
            "Petrova,",
            ", Ana",
            ",, Ana,",
        ] {
            let word = full.trim_matches([',', ' ']);
            assert_eq!(split(full), (Some(word.into()), None), "{full}");
        }
        assert_eq!(split(""), (None, None));
        for nothing in [" , ", ",,", "··", ",·，"] {
            assert_eq!(split(nothing), (None, None), "{nothing}");
        }
    }

    #[test]
    fn a_very_long_text_is_split_like_any_other() {
        let (given, family) = split(&"x ".repeat(100_000));
        assert_eq!((given.unwrap().len(), family.unwrap().as_str()), (199_997, "x"));
    }

    proptest! {
        #[test]
        fn no_name_without_a_given_name(full in "\\PC{0,60}") {
            let (given, family) = split(&full);
            let parts = |text: &str| text.split(COMMAS).flat_map(|part| part.split(DOTS)).any(|part| !part.trim().is_empty());
            prop_assert_eq!(given.is_some(), parts(&full), "{:?}", (given, family));
        }
    }
}
