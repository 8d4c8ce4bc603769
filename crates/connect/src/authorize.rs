//! Signing in on the vendor's page: the address that a person opens, and the request that gives tokens for the code that comes back.

use std::collections::HashMap;

use indexmap::IndexMap;
use regex::Regex;
use serde_json::{Map, Value};
use switchboard_model::{
    problem::{Code, Problem},
    template::Template,
};

use crate::{
    account::{Account, Call},
    auth::{Auth, Token, TokenFailure},
    call::{Answer, HttpRequest},
    compile::{Compiler, child},
    connector::Connector,
    interpolation::{Escape, Interpolation},
    manifest::{AuthSpec, AuthorizeSpec, CallbackSpec},
    parameter::Parameter,
    request::{Request, failed, incomplete, text, unfilled},
    rule::Rule,
    token_answer::TokenAnswer,
};

/// A compiled sign-in; see [`AuthorizeSpec`].
#[derive(Debug)]
pub(crate) struct Authorize {
    url: Interpolation,
    scopes: Vec<Template>,
    separator: String,
    parameters: Vec<Parameter>,
    pkce: bool,
    code_parameter: String,
    callback: IndexMap<String, CallbackFact>,
    request: Request,
    answer: TokenAnswer,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct CallbackFact {
    parameter: String,
    pattern: Regex,
}

/// What goes out with a person who is sent to the vendor's page.
#[derive(Debug, Clone, Copy)]
pub struct Departure<'a> {
    /// Where the vendor sends them back to.
    pub redirect_uri: &'a str,
    /// Recognises them when they come back.
    pub state: &'a str,
    /// SHA-256 of the code verifier, base64url without padding (RFC 7636 §4.2).
    pub code_challenge: &'a str,
}

/// What is shown to the vendor for tokens.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// The code that came back.
    pub code: &'a str,
    /// The same as in [`Departure`].
    pub redirect_uri: &'a str,
    /// What the challenge was made of.
    pub code_verifier: &'a str,
}

impl std::fmt::Debug for Arrival<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrival")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

impl Authorize {
    /// Compiles the `authorize` of the sign-in that stands at `of`.
    pub fn compile(compiler: &mut Compiler<'_>, of: &str, spec: &AuthorizeSpec, auth: &AuthSpec) -> Option<Self> {
        let at = child(of, "authorize");
        let url = compiler.interpolation(&child(&at, "url"), &spec.url, Escape::Nothing);
        let scopes = compiler.list(&child(&at, "scopes"), &spec.scopes, |compiler, at, source| {
            compiler.template(at, source)
        });
        let parameters = Parameter::compile_table(compiler, &child(&at, "parameters"), &spec.parameters);
        let callback = compiler.table(&child(&at, "callback"), &spec.callback, CallbackFact::compile);
        let request = Request::compile(compiler, &child(&at, "request"), &spec.request);
        let ends = child(&at, "ends");
        let ends = spec.ends.as_ref().map(|spec| (ends.as_str(), spec));
        let answer = match (&spec.result, &auth.token) {
            (Some(result), _) => TokenAnswer::compile(compiler, &child(&at, "result"), result, ends),
            (None, Some(token)) => {
                let at = child(&child(of, "token"), "result");
                TokenAnswer::compile(compiler, &at, &token.result, ends)
            }
            (None, None) => {
                let next = "Add `result`, or `token` with a result beside `authorize`.";
                compiler.report(&at, "it is not said what is read from the answer to the code", next);
                None
            }
        };
        let rules = compiler.list(&child(&at, "classify"), &spec.classify, Rule::compile);
        Some(Self {
            url: url?,
            scopes,
            separator: spec.separator.clone(),
            parameters,
            pkce: spec.pkce,
            code_parameter: spec.code_parameter.clone(),
            callback,
            request: request?,
            answer: answer?,
            rules,
        })
    }
}

impl CallbackFact {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &CallbackSpec) -> Option<Self> {
        let whole = format!("^(?:{})$", spec.pattern);
        Some(Self {
            parameter: spec.parameter.clone(),
            pattern: compiler.regex(&child(at, "pattern"), &whole)?,
        })
    }
}

impl Connector {
    fn authorize(&self, auth_kind: &str) -> Option<&Authorize> {
        let of_kind = |auth: &&Auth| auth.name == auth_kind;
        self.auth.iter().find(of_kind)?.authorize.as_ref()
    }

    fn authorize_of(&self, account: &Account) -> Result<&Authorize, Problem> {
        let auth = &self.auth[account.auth];
        let detail = || format!("{}: `{}` has no page to sign in on", self.name, auth.title);
        auth.authorize.as_ref().ok_or_else(|| incomplete(&detail()))
    }

    /// Whether a person can sign in on the vendor's page.
    pub fn has_sign_in(&self, auth_kind: &str) -> bool {
        self.authorize(auth_kind).is_some()
    }

    /// The credentials that signing in brings; none needs to be entered.
    pub fn sign_in_brings(&self, auth_kind: &str) -> Vec<String> {
        let names = self.authorize(auth_kind).map(|authorize| authorize.answer.replaced());
        names.into_iter().flatten().map(str::to_owned).collect()
    }

    /// The facts of a connection that signing in, and the tokens after it, bring.
    pub fn sign_in_facts(&self, auth_kind: &str) -> Vec<String> {
        let auth = self.auth.iter().find(|auth| auth.name == auth_kind);
        let Some((auth, authorize)) = auth.and_then(|auth| Some((auth, auth.authorize.as_ref()?))) else {
            return Vec::new();
        };
        let of_token = auth.token.iter().flat_map(|token| token.answer.facts());
        let told = authorize.callback.keys().map(String::as_str);
        let all = told.chain(authorize.answer.facts()).chain(of_token);
        all.map(str::to_owned).collect()
    }

    /// The address that a person opens to sign in.
    ///
    /// # Errors
    /// When the connection lacks something that the address needs.
    pub fn sign_in_address(&self, account: &Account, departure: Departure<'_>) -> Result<String, Problem> {
        let authorize = self.authorize_of(account)?;
        let call = Call::plain();
        let scope = self.scope(account, None, &call);
        let url = authorize.url.fill(&scope).map_err(|error| unfilled(&error))?;
        let mut url = url::Url::parse(&url).map_err(|error| failed(&format!("{url} is no address: {error}")))?;
        let mut scopes = Vec::new();
        for template in &authorize.scopes {
            scopes.extend(text(template, &scope)?.filter(|scope| !scope.trim().is_empty()));
        }
        let scopes = scopes.join(&authorize.separator);
        let client = scope
            .variable("secrets")
            .and_then(|secrets| secrets["clientId"].as_str());
        let usual = [
            ("response_type", "code"),
            ("client_id", client.unwrap_or_default()),
            ("redirect_uri", departure.redirect_uri),
            ("scope", scopes.as_str()),
            ("state", departure.state),
        ];
        let pkce = [
            ("code_challenge", departure.code_challenge),
            ("code_challenge_method", "S256"),
        ];
        let usual = usual.into_iter().chain(pkce.into_iter().filter(|_| authorize.pkce));
        let mut all: IndexMap<&str, String> = usual.map(|(name, value)| (name, value.to_owned())).collect();
        for parameter in &authorize.parameters {
            all.insert(&parameter.name, parameter.render(&scope)?.concat());
        }
        all.retain(|_, value| !value.is_empty());
        url.query_pairs_mut().extend_pairs(all);
        // Spaces as %20: not every vendor reads `+` as one.
        let query = url.query().map(|query| query.replace('+', "%20"));
        url.set_query(query.as_deref());
        Ok(url.into())
    }

    /// The code among the parameters with which a person comes back.
    pub fn code_of<'p>(&self, auth_kind: &str, parameters: &'p HashMap<String, String>) -> Option<&'p str> {
        let name = &self.authorize(auth_kind)?.code_parameter;
        parameters.get(name).map(String::as_str).filter(|code| !code.is_empty())
    }

    /// What the parameters with which a person comes back say about their account.
    ///
    /// # Errors
    /// When one of them does not look as the manifest says; then it is not used for anything.
    pub fn callback_facts(
        &self,
        auth_kind: &str,
        parameters: &HashMap<String, String>,
    ) -> Result<Map<String, Value>, Problem> {
        let mut facts = Map::new();
        let expected = self.authorize(auth_kind).map(|authorize| &authorize.callback);
        for (name, fact) in expected.into_iter().flatten() {
            let Some(value) = parameters.get(&fact.parameter) else {
                continue;
            };
            if !fact.pattern.is_match(value) {
                let detail = format!(
                    "{} came back with a `{}` that is not expected",
                    self.name, fact.parameter
                );
                return Err(Problem::new(Code::SignInRefused, detail, "Start the sign-in again."));
            }
            facts.insert(name.clone(), value.as_str().into());
        }
        Ok(facts)
    }

    /// The request that gives tokens for a code.
    ///
    /// # Errors
    /// When credentials are missing.
    pub fn code_request(&self, account: &Account, arrival: Arrival<'_>, now_ms: i64) -> Result<HttpRequest, Problem> {
        let authorize = self.authorize_of(account)?;
        let mut call = Call::plain();
        call.set_now(now_ms);
        call.set("code", arrival.code.into());
        call.set("redirect_uri", arrival.redirect_uri.into());
        if authorize.pkce {
            call.set("code_verifier", arrival.code_verifier.into());
        }
        let scope = self.scope(account, None, &call);
        let draft = authorize.request.draft(account.base_url.as_deref(), &scope)?;
        Ok(draft.finish().confidential())
    }

    /// Reads the answer to [`Connector::code_request`].
    ///
    /// # Errors
    /// When it holds no token.
    pub fn read_code_answer(&self, account: &Account, answer: &Answer, now_ms: i64) -> Result<Token, TokenFailure> {
        let auth = &self.auth[account.auth];
        let call = Call::plain();
        let scope = self.scope(account, None, &call);
        let Some(authorize) = &auth.authorize else {
            return Err(TokenFailure {
                dead: false,
                throttled: false,
                message: "no token was asked for".into(),
                after_ms: None,
            });
        };
        let of_token = auth.token.iter().flat_map(|token| &token.rules);
        let rules = authorize.rules.iter().chain(of_token).chain(&self.rules);
        authorize.answer.read(answer, &scope, rules, now_ms)
    }
}
