//! Lists that are read from the account, page after page. Nothing here sends anything.

use serde_json::{Map, Value};
use serde_json_path::JsonPath;
use switchboard_model::{outcome::Outcome, problem::Problem, template::Scope};

use crate::{
    call::Answer,
    compile::{Compiler, child},
    draft::Draft,
    manifest::{PagesSpec, RequestSpec, RuleSpec, WhenSpec},
    operation::optional,
    paging::{Next, PageAt, Pages},
    reading::When,
    request::Request,
    rule::{Circumstances, Rule},
};

/// A compiled list: request, items, further pages.
#[derive(Debug)]
pub(crate) struct Listing {
    request: Request,
    when: When,
    items: Option<JsonPath>,
    pages: Option<Pages>,
    rules: Vec<Rule>,
}

/// The parts of a list in a manifest.
pub(crate) struct ListingParts<'s> {
    pub request: &'s RequestSpec,
    pub when: &'s WhenSpec,
    pub items: Option<&'s String>,
    pub pages: Option<&'s PagesSpec>,
    pub classify: &'s [RuleSpec],
}

/// What a page held, and which one comes next.
#[derive(Debug)]
pub(crate) struct PageRead {
    pub items: Vec<Value>,
    pub next: Option<PageAt>,
    /// There are further pages, and they are too many to be read.
    pub cut_off: bool,
}

impl Listing {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, parts: &ListingParts<'_>) -> Option<Self> {
        let request = Request::compile(compiler, &child(at, "request"), parts.request);
        let when = When::compile(compiler, &child(at, "when"), parts.when);
        let items = optional(&parts.items, |path| compiler.json_path(&child(at, "items"), path));
        let pages = optional(&parts.pages, |pages| {
            Pages::compile(compiler, &child(at, "pages"), pages)
        });
        let rules = compiler.list(&child(at, "classify"), parts.classify, Rule::compile);
        Some(Self {
            request: request?,
            when: when?,
            items: items?,
            pages: pages?,
            rules,
        })
    }

    /// What the request of a page sees beside the rest: `page`.
    pub fn variables(&self, at: &PageAt) -> Map<String, Value> {
        let pages = self.pages.as_ref();
        pages.map(|pages| pages.variables(at)).unwrap_or_default()
    }

    /// The request of a page, not yet authorised.
    ///
    /// # Errors
    /// When something that it needs has no value, or the vendor names a next page on another host.
    pub fn draft(&self, at: &PageAt, base_url: Option<&str>, scope: &Scope<'_>) -> Result<Draft, Problem> {
        let mut draft = self.request.draft(base_url, scope)?;
        at.go_to(&mut draft)?;
        Ok(draft)
    }

    /// Takes in the answer to the request of a page; `None` when it is none that this list knows: the connector's rules tell.
    ///
    /// # Errors
    /// What the list's own rules say of it.
    pub fn read(&self, at: &PageAt, answer: &Answer, around: Circumstances<'_>) -> Result<Option<PageRead>, Outcome> {
        match self.rules.iter().find_map(|rule| rule.judge(answer, around)) {
            Some(Outcome::Missing) => {
                return Ok(Some(PageRead {
                    items: Vec::new(),
                    next: None,
                    cut_off: false,
                }));
            }
            Some(outcome) => return Err(outcome),
            None => {}
        }
        if !self.when.holds(answer, around.scope) {
            return Ok(None);
        }
        let items: Vec<Value> = match (&self.items, answer.json()) {
            (_, None) => Vec::new(),
            (None, Some(json)) => vec![json.clone()],
            (Some(path), Some(json)) => path.query(json).all().into_iter().cloned().collect(),
        };
        // A page without items is the last, whatever it says.
        let pages = self.pages.as_ref().filter(|_| !items.is_empty());
        let next = pages.map_or(Next::None, |pages| pages.next(at, items.len(), answer, around.scope));
        Ok(Some(PageRead {
            items,
            cut_off: matches!(next, Next::TooMany),
            next: match next {
                Next::Page(next) => Some(next),
                Next::None | Next::TooMany => None,
            },
        }))
    }
}
