//! The calls that find out what one object has, or what can be chosen for one setting.

use switchboard_model::{
    nearest::nearest,
    outcome::Outcome,
    problem::{Code, Problem},
};

use super::{Choice, ChoicePlan, FoundObject, plan::PlanKind};
use crate::{
    account::{Account, Call},
    auth::Token,
    call::{Answer, HttpRequest},
    connector::Connector,
    listing::Listing,
    object::Object,
    operation::has_value,
    paging::PageAt,
    request::incomplete,
    rule::{Circumstances, judge},
};

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Findings {
    /// About an object.
    Object(FoundObject),
    /// About a setting.
    Choices(Vec<Choice>),
}

/// Calls that are under way.
#[derive(Debug)]
pub struct Survey<'c> {
    connector: &'c Connector,
    subject: Subject<'c>,
    plan: usize,
    page: PageAt,
    found: Findings,
}

#[derive(Debug, Clone, Copy)]
enum Subject<'c> {
    Object(&'c Object),
    Setting { name: &'c str, plan: &'c ChoicePlan },
}

impl Connector {
    /// The objects whose fields the account tells.
    pub fn discoverable(&self) -> impl Iterator<Item = &str> {
        let tells = |object: &&Object| !object.discoveries.is_empty();
        self.objects.values().filter(tells).map(|object| object.name.as_str())
    }

    /// The settings whose values the account tells.
    pub fn choosable(&self) -> impl Iterator<Item = &str> {
        self.choices.keys().map(String::as_str)
    }

    /// Begins to find out what an object has.
    ///
    /// # Errors
    /// When there is no such object.
    pub fn survey(&self, object: &str) -> Result<Survey<'_>, Problem> {
        Ok(Survey {
            connector: self,
            subject: Subject::Object(self.known_object(object)?),
            plan: 0,
            page: PageAt::default(),
            found: Findings::Object(FoundObject::default()),
        })
    }

    /// Begins to find out what can be chosen for a setting.
    ///
    /// # Errors
    /// When the account tells nothing about such a setting.
    pub fn survey_setting(&self, setting: &str) -> Result<Survey<'_>, Problem> {
        let Some((name, plan)) = self.choices.get_key_value(setting) else {
            let near = nearest(setting, self.choosable());
            let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            let known: Vec<_> = self.choosable().collect();
            let next = match known.is_empty() {
                true => "Enter the value by hand.".to_owned(),
                false => format!("There are choices for {}.{near}", known.join(", ")),
            };
            let detail = format!("{} tells nothing to choose from for `{setting}`", self.name);
            return Err(Problem::new(Code::NotFound, detail, next));
        };
        Ok(Survey {
            connector: self,
            subject: Subject::Setting { name, plan },
            plan: 0,
            page: PageAt::default(),
            found: Findings::Choices(Vec::new()),
        })
    }
}

impl<'c> Survey<'c> {
    fn listing(&self) -> Option<&'c Listing> {
        match self.subject {
            Subject::Object(object) => object.discoveries.get(self.plan).map(|plan| &plan.listing),
            Subject::Setting { plan, .. } => (self.plan == 0).then_some(&plan.listing),
        }
    }

    fn object(&self) -> Option<&'c str> {
        match self.subject {
            Subject::Object(object) => Some(&object.name),
            Subject::Setting { .. } => None,
        }
    }

    /// The next call; its answer goes to [`Survey::read`]. `None`: everything is found out. Asking twice gives the same call twice.
    ///
    /// # Errors
    /// When the settings lack something that a call needs.
    pub fn next(&mut self, account: &Account, token: Option<&Token>) -> Result<Option<HttpRequest>, Problem> {
        let mut call = Call::plain();
        call.set_token(token);
        loop {
            let Some(listing) = self.listing() else {
                return Ok(None);
            };
            let page = listing.variables(&self.page);
            let scope = self.connector.scope(account, self.object(), &call).with_map(&page);
            match self.subject {
                Subject::Object(object) if !object.discoveries[self.plan].is_needed(&scope) => {
                    self.plan += 1;
                    continue;
                }
                Subject::Setting { name, plan } if !plan.requires.iter().all(|path| has_value(path, &scope)) => {
                    let detail =
                        format!("what can be chosen for `{name}` depends on another setting that is not given yet");
                    return Err(incomplete(&detail));
                }
                _ => {}
            }
            let draft = listing.draft(&self.page, account.base_url.as_deref(), &scope)?;
            return self.connector.complete(draft, account, &scope).map(Some);
        }
    }

    /// Takes in an answer.
    ///
    /// # Errors
    /// What the vendor says instead. After [`Outcome::Reauthorise`] the same call can be made with a new token.
    pub fn read(&mut self, account: &Account, answer: &Answer) -> Result<(), Outcome> {
        let Some(listing) = self.listing() else {
            return Ok(());
        };
        let call = Call::plain();
        let page = listing.variables(&self.page);
        let scope = self.connector.scope(account, self.object(), &call).with_map(&page);
        let around = Circumstances {
            scope: &scope,
            repeatable: true,
            id_pattern: None,
        };
        let read = match listing.read(&self.page, answer, around) {
            Ok(Some(read)) => read,
            Ok(None) => return self.refused(judge(self.connector.rules.iter(), answer, around), account),
            Err(outcome) => return self.refused(outcome, account),
        };
        match (&mut self.found, self.subject) {
            (Findings::Object(found), Subject::Object(object)) => {
                let plan = &object.discoveries[self.plan];
                let items = plan.counting(&read.items, &scope);
                match &plan.kind {
                    PlanKind::Fields(fields) => found.fields.extend(items.filter_map(|item| fields.read(item, &scope))),
                    PlanKind::Options { field, choice } => {
                        let options = found.options.entry(field.clone()).or_default();
                        options.extend(items.filter_map(|item| choice.read(item, &scope)));
                    }
                }
                // A list that was cut off at its most pages proves nothing about what is not in it.
                found.complete |= matches!(plan.kind, PlanKind::Fields(_)) && read.next.is_none() && !read.cut_off;
            }
            (Findings::Choices(found), Subject::Setting { plan, .. }) => found.extend(plan.read(&read.items, &scope)),
            _ => {}
        }
        self.go_on(read.next);
        Ok(())
    }

    fn go_on(&mut self, next: Option<PageAt>) {
        match next {
            Some(next) => self.page = next,
            None => {
                self.page = PageAt::default();
                self.plan += 1;
            }
        }
    }

    fn refused(&mut self, outcome: Outcome, account: &Account) -> Result<(), Outcome> {
        let optional = match self.subject {
            Subject::Object(object) => object.discoveries.get(self.plan).is_some_and(|plan| plan.optional),
            Subject::Setting { .. } => false,
        };
        match self.connector.without_refresh(outcome, account) {
            Outcome::Denied { .. } | Outcome::Rejected { .. } | Outcome::Missing if optional => {
                self.go_on(None);
                Ok(())
            }
            other => Err(other),
        }
    }

    /// What was found out.
    pub fn finish(self) -> Findings {
        self.found
    }
}
