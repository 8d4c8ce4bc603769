//! What a server offers: its answer to EHLO (RFC 5321 §4.1.1.1).

/// A server's name and extensions.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    /// What it calls itself.
    pub name: String,
    /// The extensions with their parameters, as it writes them.
    pub extensions: Vec<String>,
}

impl Offer {
    /// Reads the lines of an answer to EHLO.
    pub fn read<'l>(mut lines: impl Iterator<Item = &'l str>) -> Self {
        let name = lines.next().unwrap_or_default();
        Self {
            name: name.split_whitespace().next().unwrap_or_default().to_owned(),
            extensions: lines
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty())
                .collect(),
        }
    }

    /// The parameters of an extension; `None` when it is not offered. Some servers write `AUTH=PLAIN`, as in the days before RFC 4954.
    pub fn parameters(&self, keyword: &str) -> Option<Vec<&str>> {
        let mut found: Option<Vec<&str>> = None;
        for line in &self.extensions {
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            if words.next().is_some_and(|word| word.eq_ignore_ascii_case(keyword)) {
                found.get_or_insert_default().extend(words);
            }
        }
        found
    }

    /// Whether it takes this way to sign in.
    pub fn signs_in_by(&self, mechanism: &str) -> bool {
        let offered = self.parameters("AUTH").unwrap_or_default();
        offered.iter().any(|name| name.eq_ignore_ascii_case(mechanism))
    }

    /// The largest message that it takes, in bytes (RFC 1870); `None` when it does not say.
    pub fn largest(&self) -> Option<usize> {
        let size = self.parameters("SIZE")?.first()?.parse().ok()?;
        (size > 0).then_some(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_limits_and_ways_to_sign_in_are_read() {
        let lines = [
            "mx.example.org at your service",
            "SIZE 35882577",
            "AUTH LOGIN plain",
            "AUTH=XOAUTH2",
            "8bitmime",
        ];
        let offer = Offer::read(lines.into_iter());
        assert_eq!(
            (offer.name.as_str(), offer.largest()),
            ("mx.example.org", Some(35_882_577))
        );
        assert!(offer.signs_in_by("PLAIN") && offer.signs_in_by("XOAUTH2") && !offer.signs_in_by("CRAM-MD5"));
        assert_eq!(offer.parameters("8BITMIME"), Some(vec![]));
        assert_eq!(offer.parameters("SMTPUTF8"), None);
        assert_eq!(Offer::read(["x", "SIZE 0"].into_iter()).largest(), None);
    }
}
