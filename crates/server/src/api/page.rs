//! Query parameters and pages of lists.

use serde::Serialize;
use switchboard_hub::store::Page;
use switchboard_model::problem::{Code, Problem};
use utoipa::ToSchema;

use crate::nearest::did_you_mean;

/// Rows of a page when the caller does not say.
const USUAL: usize = 50;
/// Most rows of a page.
const MOST: usize = 500;

/// One page of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listing<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Give it as `before` to get the next page; `null` on the last one.
    pub next: Option<String>,
}

/// The query of a request: every parameter is known, none stands twice.
#[derive(Debug)]
pub struct Query<'a>(Vec<(std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads what stands behind the question mark.
    ///
    /// # Errors
    /// [`Code::WrongParameter`] for a parameter that is not in `known` or stands twice.
    pub fn read(text: Option<&'a str>, known: &[&str]) -> Result<Self, Problem> {
        let pairs: Vec<_> = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes()).collect();
        for (at, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_ref()) {
                let hint = did_you_mean(name, known.iter().copied());
                return Err(wrong(
                    name,
                    format!("There is no parameter `{name}` here{hint}"),
                    &list(known),
                ));
            }
            if pairs[..at].iter().any(|(other, _)| other == name) {
                return Err(wrong(
                    name,
                    format!("The parameter `{name}` stands twice"),
                    "Give it once.",
                ));
            }
        }
        Ok(Self(pairs))
    }

    /// A parameter's text; an empty one counts as not given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_ref())
            .filter(|text| !text.is_empty())
    }

    /// A parameter that `read` turns into something, or says in a sentence why it cannot.
    ///
    /// # Errors
    /// [`Code::WrongParameter`].
    pub fn parse<T>(&self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Problem> {
        self.get(name)
            .map(|text| read(text).map_err(|why| wrong(name, why, "Correct the parameter.")))
            .transpose()
    }

    /// `limit` and `before`; `id` reads the cursor.
    ///
    /// # Errors
    /// [`Code::WrongParameter`].
    pub fn page<E: std::fmt::Display>(&self, id: impl Fn(&str) -> Result<i64, E>) -> Result<Page, Problem> {
        self.page_by("before", id)
    }

    /// The same where the cursor is called otherwise.
    ///
    /// # Errors
    /// [`Code::WrongParameter`].
    pub fn page_by<E: std::fmt::Display>(
        &self,
        cursor: &str,
        id: impl Fn(&str) -> Result<i64, E>,
    ) -> Result<Page, Problem> {
        let limit = self.parse("limit", |text| match text.parse() {
            Ok(limit) if (1..=MOST).contains(&limit) => Ok(limit),
            _ => Err(format!("`limit` is a number from 1 to {MOST}, not `{text}`")),
        })?;
        let before = self.parse(cursor, |text| {
            id(text).map_err(|why| format!("`{cursor}` is the `next` of a page: {why}"))
        })?;
        Ok(Page {
            before,
            limit: limit.unwrap_or(USUAL),
        })
    }
}

impl<T> Listing<T> {
    /// A page of `items`; `cursor` tells an item's place. A page that is not full is the last one.
    pub fn of(items: Vec<T>, page: Page, cursor: impl Fn(&T) -> String) -> Self {
        let next = if items.len() < page.limit {
            None
        } else {
            items.last().map(cursor)
        };
        Self { items, next }
    }
}

fn list(known: &[&str]) -> String {
    if known.is_empty() {
        "This address takes no parameters.".into()
    } else {
        format!("There are: {}.", known.join(", "))
    }
}

fn wrong(name: &str, detail: String, next: &str) -> Problem {
    Problem::new(Code::WrongParameter, detail, next).at(format!("parameter {name}"))
}

#[cfg(test)]
mod tests {
    use switchboard_model::id::EventId;

    use super::*;

    fn page(text: &str) -> Result<Page, Problem> {
        Query::read(Some(text), &["limit", "before", "state"])?.page(|text| text.parse::<EventId>().map(|id| id.0))
    }

    #[test]
    fn a_page_begins_at_the_newest_and_has_fifty_rows_unless_asked_otherwise() {
        let usual = page("").unwrap();
        assert_eq!((usual.before, usual.limit), (None, 50));
        let next = page(&format!("limit=7&before={}", EventId(77))).unwrap();
        assert_eq!((next.before, next.limit), (Some(77), 7));
    }

    #[test]
    fn a_wrong_parameter_is_named_and_explained() {
        for (text, place, words) in [
            ("limt=3", "parameter limt", "did you mean `limit`?"),
            ("limit=0", "parameter limit", "from 1 to 500"),
            ("limit=many", "parameter limit", "many"),
            ("before=dlv_0000000000001", "parameter before", "evt_"),
            ("limit=1&limit=2", "parameter limit", "twice"),
        ] {
            let problem = page(text).unwrap_err();
            assert_eq!(problem.code, Code::WrongParameter);
            assert_eq!(problem.place.as_deref(), Some(place));
            assert!(problem.detail.contains(words), "{}", problem.detail);
        }
    }

    #[test]
    fn only_a_full_page_has_a_next_one() {
        let page = Page { before: None, limit: 2 };
        assert_eq!(
            Listing::of(vec![5, 4], page, ToString::to_string).next.as_deref(),
            Some("4")
        );
        assert_eq!(Listing::of(vec![5], page, ToString::to_string).next, None);
    }
}
