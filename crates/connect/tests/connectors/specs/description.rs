//! What a vendor's description says of a request.

use crate::course::Made;

/// One thing in which a request differs from the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `operation`, `query/<name>`, `header/<name>`, `body/<pointer>` or `document`.
    pub place: String,
    pub detail: String,
}

impl Fault {
    pub fn new(place: &str, detail: &str) -> Self {
        Self {
            place: place.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

/// A request that is described.
pub struct Checked {
    /// The description's name of the operation: method and path, or what a GraphQL document asks for.
    pub operation: String,
    pub faults: Vec<Fault>,
}

/// A vendor's description of its interface.
pub trait Description {
    /// `None`: no such operation is described.
    fn check(&self, made: &Made) -> Option<Checked>;
}

/// How well a path fits a pattern: the number of segments that are literally the same.
pub type Fit = usize;

/// Compares segment by segment; a placeholder stands for any one segment. `None`: it does not fit.
pub fn fit(pattern: &str, path: &str, is_placeholder: impl Fn(&str) -> bool) -> Option<Fit> {
    let segments = |text: &str| {
        text.trim_end_matches('/')
            .split('/')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (pattern, path) = (segments(pattern), segments(path));
    let fits = pattern.len() == path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(wanted, given)| wanted == given || (is_placeholder(wanted) && !given.is_empty()));
    fits.then(|| {
        pattern
            .iter()
            .zip(&path)
            .filter(|(wanted, given)| wanted == given)
            .count()
    })
}
