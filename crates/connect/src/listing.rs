//! Lists that are read from the account, page after page. Nothing here sends anything.

use std::borrow::Cow;

use serde_json::{Map, Value};
use serde_json_path::JsonPath;
use switchboard_model::{outcome::Outcome, problem::Problem, template::Scope};
use url::Url;

use crate::{
    call::Answer,
    compile::{Compiler, child},
    draft::Draft,
    manifest::{PagesSpec, RequestSpec, RuleSpec, WhenSpec},
    operation::optional,
    reading::{Source, When, text_of},
    request::{Request, failed},
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

#[derive(Debug)]
struct Pages {
    size: Option<u64>,
    first: u64,
    cursor: Option<Source>,
    link: Option<Source>,
    more: Option<Source>,
    most: u32,
}

/// Which page comes next.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageAt {
    /// How many pages were read.
    read: u32,
    /// How many items they had.
    offset: u64,
    cursor: Option<Value>,
    link: Option<String>,
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
        let Some(pages) = &self.pages else {
            return Map::new();
        };
        let mut page = Map::new();
        page.insert("number".into(), (pages.first + u64::from(at.read)).into());
        page.insert("offset".into(), at.offset.into());
        page.extend(pages.size.map(|size| ("size".to_owned(), size.into())));
        page.extend(at.cursor.clone().map(|cursor| ("cursor".to_owned(), cursor)));
        Map::from_iter([("page".to_owned(), Value::Object(page))])
    }

    /// The request of a page, not yet authorised.
    ///
    /// # Errors
    /// When something that it needs has no value, or the vendor names a next page on another host.
    pub fn draft(&self, at: &PageAt, base_url: Option<&str>, scope: &Scope<'_>) -> Result<Draft, Problem> {
        let mut draft = self.request.draft(base_url, scope)?;
        if let Some(link) = &at.link {
            draft.url = next_address(&draft.url, link)?;
        }
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
        let next = self
            .pages
            .as_ref()
            .and_then(|pages| pages.next(at, items.len(), answer, around.scope));
        let most = self.pages.as_ref().map_or(1, |pages| pages.most);
        let cut_off = next.as_ref().is_some_and(|next| next.read >= most);
        Ok(Some(PageRead {
            items,
            next: next.filter(|_| !cut_off),
            cut_off,
        }))
    }
}

impl Pages {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &PagesSpec) -> Option<Self> {
        let cursor = optional(&spec.cursor, |cursor| {
            Source::compile(compiler, &child(at, "cursor"), cursor)
        });
        let link = optional(&spec.link, |link| Source::compile(compiler, &child(at, "link"), link));
        let more = optional(&spec.more, |more| Source::compile(compiler, &child(at, "more"), more));
        if spec.cursor.is_none() && spec.link.is_none() && spec.more.is_none() && spec.size.is_none() {
            let next = "Give `cursor`, `link`, `more` or `size`.";
            compiler.report(at, "nothing says which page is the last", next);
            return None;
        }
        Some(Self {
            size: spec.size,
            first: spec.first,
            cursor: cursor?,
            link: link?,
            more: more?,
            most: spec.most,
        })
    }

    fn next(&self, at: &PageAt, count: usize, answer: &Answer, scope: &Scope<'_>) -> Option<PageAt> {
        let read = at.read + 1;
        if count == 0 {
            return None;
        }
        if let Some(more) = &self.more {
            more.first(answer, scope)?;
        }
        let given = |source: &Source| source.first(answer, scope).filter(|value| !is_blank(value));
        let cursor = self.cursor.as_ref().map(given);
        let link = self.link.as_ref().map(given);
        let counted = self.cursor.is_none() && self.link.is_none() && self.more.is_none();
        let over = matches!((&cursor, &link), (Some(None), None | Some(None)) | (None, Some(None)));
        let short = counted && self.size.is_some_and(|size| (count as u64) < size);
        (!over && !short).then(|| PageAt {
            read,
            offset: at.offset + count as u64,
            cursor: cursor.flatten(),
            link: link.flatten().as_ref().and_then(text_of).map(Cow::into_owned),
        })
    }
}

fn is_blank(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false)) || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Credentials go along with the request, so it stays on the host that the manifest names.
fn next_address(first: &str, link: &str) -> Result<String, Problem> {
    let unusable = || failed(&format!("`{link}` is no address of a further page"));
    let first = Url::parse(first).map_err(|_| unusable())?;
    let next = first.join(link).map_err(|_| unusable())?;
    match next.origin() == first.origin() {
        true => Ok(next.into()),
        false => Err(unusable()),
    }
}
