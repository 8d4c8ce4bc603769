//! The people who write: made up, in many languages, reachable at addresses that are reserved for examples.

use crate::reserved;

/// Somebody who writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// As they call themselves; some do not.
    pub name: Option<String>,
    /// At example.org.
    pub email: Option<String>,
    /// From a range that is reserved for fiction.
    pub phone: Option<String>,
    /// Which of the texts they write.
    pub language: usize,
}

/// Given and family names by language; the family name first where that is the custom.
const NAMES: [(&[&str], &[&str], bool); 6] = [
    (
        &["伟", "秀英", "娜", "强", "小明", "丽华"],
        &["王", "李", "张", "欧阳", "刘", "陈"],
        true,
    ),
    (
        &["Анна", "Иван", "Мария", "Сергей", "Ольга", "Пётр"],
        &["Иванова", "Кузнецов", "Соколова", "Попов", "Лебедева", "Ёлкин"],
        false,
    ),
    (
        &["Văn An", "Thị Bình", "Minh Châu", "Đức Duy", "Thu Hà"],
        &["Nguyễn", "Trần", "Lê", "Phạm", "Đặng"],
        true,
    ),
    (
        &["محمد", "فاطمة", "علي", "مريم"],
        &["الخطيب", "حسن", "العلي", "منصور"],
        false,
    ),
    (
        &["Ana", "José", "Zoë", "Björn", "Siobhán"],
        &["Silva", "O'Brien", "Müller", "Ångström", "da Costa"],
        false,
    ),
    (&["Mia 🌸", "Leo 🚀", "Kim 😀"], &["🦊", "Star ⭐", "Park"], false),
];

/// How many languages there are.
pub const LANGUAGES: usize = NAMES.len();

impl Person {
    /// The `index`-th person of a run; `marker` tells runs apart. Nine of ten give an e-mail address; of the others half give
    /// a telephone number and half only their name.
    pub fn nth(index: usize, marker: u64) -> Self {
        let language = index % LANGUAGES;
        let (given, family, family_first) = NAMES[language];
        let given = given[(index / LANGUAGES) % given.len()];
        let family = family[(index / (LANGUAGES * 2)) % family.len()];
        let joined = match (family_first, language) {
            (true, 0) => format!("{family}{given}"),
            (true, _) => format!("{family} {given}"),
            (false, _) => format!("{given} {family}"),
        };
        let mut person = Self {
            name: Some(joined),
            email: None,
            phone: None,
            language,
        };
        match index % 20 {
            // Reachable by telephone only.
            18 => person.phone = reserved_number(index / 20),
            // Not reachable at all.
            19 => {}
            rest => {
                person.email = Some(format!("p{index}.{marker}@example.org"));
                if rest % 3 == 0 {
                    person.name = None;
                }
            }
        }
        person
    }
}

/// The `index`-th number: first the 1,000 that Ofcom reserves for drama, then the North American ones; after those none.
fn reserved_number(index: usize) -> Option<String> {
    if index < 1000 {
        return Some(format!("+44 7700 900{index:03}"));
    }
    let (area, last) = reserved::american(index - 1000)?;
    Some(format!("+1 {area} 555 01{last:02}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_people_share_an_address() {
        let people: Vec<Person> = (0..20_000).map(|index| Person::nth(index, 7)).collect();
        let mut seen = HashSet::new();
        for address in people
            .iter()
            .flat_map(|person| [person.email.clone(), person.phone.clone()])
            .flatten()
        {
            assert!(seen.insert(address.clone()), "{address} twice");
        }
        assert!(
            people
                .iter()
                .any(|person| person.email.is_none() && person.phone.is_some())
        );
        assert!(
            people
                .iter()
                .any(|person| person.email.is_none() && person.phone.is_none())
        );
        assert!(
            people
                .iter()
                .all(|person| person.name.is_some() || person.email.is_some())
        );
        assert!(
            people
                .iter()
                .flat_map(|person| &person.name)
                .all(|name| name.chars().count() <= 40)
        );
    }
}
