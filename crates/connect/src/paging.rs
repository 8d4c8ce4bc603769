//! What comes in pages: which page is read next, and which is the last.

use std::borrow::Cow;

use serde_json::{Map, Value};
use switchboard_model::{problem::Problem, template::Scope};
use url::Url;

use crate::{
    call::Answer,
    compile::{Compiler, child},
    draft::Draft,
    manifest::PagesSpec,
    operation::optional,
    reading::{Source, text_of},
    request::failed,
};

/// How pages follow each other; see [`PagesSpec`].
#[derive(Debug)]
pub(crate) struct Pages {
    size: Option<u64>,
    first: u64,
    cursor: Option<Source>,
    link: Option<Source>,
    more: Option<Source>,
    most: u32,
}

/// One page among several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageAt {
    /// How many pages were read before it.
    read: u32,
    /// How many items they had.
    offset: u64,
    cursor: Option<Value>,
    link: Option<String>,
}

/// What comes after a page.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing: it is the last one.
    None,
    /// This page.
    Page(PageAt),
    /// A page that is not read: there are too many, or it is not said where it is.
    TooMany,
}

impl Pages {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &PagesSpec) -> Option<Self> {
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

    /// What the request of a page sees beside the rest: `page`.
    pub fn variables(&self, at: &PageAt) -> Map<String, Value> {
        let mut page = Map::new();
        page.insert("number".into(), (self.first + u64::from(at.read)).into());
        page.insert("offset".into(), at.offset.into());
        page.extend(self.size.map(|size| ("size".to_owned(), size.into())));
        page.extend(at.cursor.clone().map(|cursor| ("cursor".to_owned(), cursor)));
        Map::from_iter([("page".to_owned(), Value::Object(page))])
    }

    /// What comes after the page `at`, which held `count` items and is `answer`.
    pub fn next(&self, at: &PageAt, count: usize, answer: &Answer, scope: &Scope<'_>) -> Next {
        let more = self.more.as_ref().map(|more| more.first(answer, scope).is_some());
        if more == Some(false) {
            return Next::None;
        }
        let given = |source: &Source| source.first(answer, scope).filter(|value| !is_blank(value));
        let cursor = self.cursor.as_ref().map(given);
        let link = self.link.as_ref().map(given);
        let counted = self.cursor.is_none() && self.link.is_none() && self.more.is_none();
        let over = matches!((&cursor, &link), (Some(None), None | Some(None)) | (None, Some(None)));
        let short = counted && self.size.is_some_and(|size| (count as u64) < size);
        if over && more == Some(true) {
            // There are more, and nobody says where.
            return Next::TooMany;
        }
        if over || short {
            return Next::None;
        }
        let read = at.read + 1;
        if read >= self.most {
            return Next::TooMany;
        }
        Next::Page(PageAt {
            read,
            offset: at.offset + count as u64,
            cursor: cursor.flatten(),
            link: link.flatten().as_ref().and_then(text_of).map(Cow::into_owned),
        })
    }
}

impl PageAt {
    /// Leads a request to the address of this page, where the vendor has named one.
    ///
    /// # Errors
    /// When that is on another host.
    pub(crate) fn go_to(&self, draft: &mut Draft) -> Result<(), Problem> {
        if let Some(link) = &self.link {
            draft.url = next_address(&draft.url, link)?;
        }
        Ok(())
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
