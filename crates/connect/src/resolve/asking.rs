//! The calls that answer one question.

use serde_json::{Map, Value};
use switchboard_model::{outcome::Outcome, problem::Problem};

use super::{
    Resolver,
    directory::{Directory, Question, normal},
};
use crate::{
    account::{Account, Call},
    call::{Answer, HttpRequest},
    connector::Connector,
    paging::PageAt,
    rule::{Circumstances, judge},
};

/// What a question sees beside the record's own variables.
pub(super) fn further(resolver: &Resolver, wanted: &str, page: &PageAt) -> Map<String, Value> {
    let mut variables = resolver.listing.variables(page);
    variables.insert("wanted".into(), wanted.into());
    variables
}

/// The calls that answer one question.
#[derive(Debug)]
pub struct Asking<'c> {
    connector: &'c Connector,
    object: String,
    question: Question,
    page: Option<PageAt>,
    directory: Directory,
}

impl<'c> Asking<'c> {
    pub(super) fn new(connector: &'c Connector, object: &str, question: &Question) -> Self {
        Self {
            connector,
            object: object.to_owned(),
            question: question.clone(),
            page: Some(PageAt::default()),
            directory: Directory::default(),
        }
    }
}

impl Asking<'_> {
    /// The next call; its answer goes to [`Asking::read`]. `None`: everything is read.
    ///
    /// # Errors
    /// When something that the request needs has no value.
    pub fn next(&self, account: &Account, call: &Call) -> Result<Option<HttpRequest>, Problem> {
        let (Some(page), Some(resolver)) = (&self.page, self.connector.resolvers.get(self.question.resolver)) else {
            return Ok(None);
        };
        let further = further(resolver, &self.question.wanted, page);
        let scope = self
            .connector
            .scope(account, Some(&self.object), call)
            .with_map(&further);
        let draft = resolver.listing.draft(page, account.base_url.as_deref(), &scope)?;
        self.connector.complete(draft, account, &scope).map(Some)
    }

    /// Takes in an answer.
    ///
    /// # Errors
    /// What the vendor says instead of an answer. After [`Outcome::Reauthorise`] the same call can be made with a new token.
    pub fn read(&mut self, account: &Account, call: &Call, answer: &Answer) -> Result<(), Outcome> {
        let (Some(page), Some(resolver)) = (&self.page, self.connector.resolvers.get(self.question.resolver)) else {
            return Ok(());
        };
        let further = further(resolver, &self.question.wanted, page);
        let scope = self
            .connector
            .scope(account, Some(&self.object), call)
            .with_map(&further);
        let around = Circumstances {
            scope: &scope,
            repeatable: true,
            id_pattern: None,
        };
        let read = match resolver.listing.read(page, answer, around) {
            Ok(Some(read)) => read,
            Ok(None) => {
                let outcome = judge(self.connector.rules.iter(), answer, around);
                return Err(self.connector.without_refresh(outcome, account));
            }
            Err(outcome) => return Err(self.connector.without_refresh(outcome, account)),
        };
        self.directory.first = resolver.names.is_empty();
        for item in &read.items {
            let Some(value) = resolver.value.first_in(item, &scope) else {
                continue;
            };
            let names = resolver.names.iter().flat_map(|name| name.texts_in(item, &scope));
            self.directory
                .entries
                .push((names.map(|name| normal(&name)).collect(), value));
        }
        self.page = read.next;
        Ok(())
    }

    /// What was read.
    pub fn finish(self) -> Directory {
        self.directory
    }
}
