//! The cases, a file for each group. Those about changes that come from the vendor (pages, webhooks in) join them with the stages of
//! the hub that take such changes.

mod credentials;
mod delivery;
mod doubt;
mod limits;
mod people;
mod records;
mod refusal;
mod sign_in;
mod test;
mod trouble;

use futures::future::LocalBoxFuture;

use super::{
    failure::Verdict,
    stage::{Pace, Stage},
    subject::Subject,
};

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The connection as a whole; played once for each connector.
    Connection,
    /// An object; played for each that the scenario writes.
    Object,
}

/// How a case is played.
type Play = for<'a> fn(&'a Stage<'_>) -> LocalBoxFuture<'a, Verdict>;

/// One case.
pub struct Case {
    /// Its name in scenarios and on the command line.
    pub name: &'static str,
    /// The rule that it checks.
    pub about: &'static str,
    /// What it is about.
    pub scope: Scope,
    /// How fast both sides may go.
    pub pace: Pace,
    /// Whether the manifest promises anything of the kind for this object.
    pub applies: fn(&Subject, &str) -> bool,
    /// Plays it.
    pub play: Play,
}

impl Case {
    /// A case about each object, without limits, that concerns every connector.
    const fn object(name: &'static str, about: &'static str, play: Play) -> Self {
        Self {
            name,
            about,
            scope: Scope::Object,
            pace: Pace::Fast,
            applies: |_, _| true,
            play,
        }
    }

    /// A case about the connection, without limits, that concerns every connector.
    const fn connection(name: &'static str, about: &'static str, play: Play) -> Self {
        Self {
            scope: Scope::Connection,
            ..Self::object(name, about, play)
        }
    }

    /// The same where the manifest promises it.
    const fn when(self, applies: fn(&Subject, &str) -> bool) -> Self {
        Self { applies, ..self }
    }
}

/// Every case there is.
pub fn catalogue() -> impl Iterator<Item = &'static Case> {
    let groups: [&'static [Case]; 10] = [
        test::CASES,
        credentials::CASES,
        sign_in::CASES,
        delivery::CASES,
        people::CASES,
        records::CASES,
        doubt::CASES,
        trouble::CASES,
        refusal::CASES,
        limits::CASES,
    ];
    groups.into_iter().flatten()
}

/// The case with this name.
pub fn find(name: &str) -> Option<&'static Case> {
    catalogue().find(|case| case.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_lists_every_case_with_its_rule() {
        let guide = include_str!("../../../../../docs/guide/connector.md");
        for case in catalogue() {
            let row = format!("| `{}` | {} |", case.name, case.about);
            assert!(guide.contains(&row), "docs/guide/connector.md lacks the row\n{row}");
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names: Vec<_> = catalogue().map(|case| case.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
