//! Ways to authenticate: tokens are asked for and read here, and nothing is kept.

use jsonwebtoken::{Algorithm, EncodingKey, Header as JwtHeader};
use serde_json::{Map, Value};
use switchboard_model::{
    mapping::Mapping,
    outcome::Outcome,
    problem::{Code, Problem},
    template::{Scope, Template},
};

use crate::{
    account::{Account, Call},
    call::{Answer, HttpRequest},
    compile::{Compiler, child},
    connector::Connector,
    facts::{Learned, read_facts},
    manifest::{AssertionSpec, AuthSpec, TokenResultSpec, TokenSpec},
    operation::optional,
    parameter::{Basic, Header, Parameter, compile_headers},
    reading::{Source, When, text_of},
    request::{self, Request},
    rule::{Circumstances, Rule, judge},
    schema::Schema,
    sign::{self, Signer},
};

/// A compiled way to authenticate; see [`AuthSpec`].
#[derive(Debug)]
pub(crate) struct Auth {
    pub name: String,
    pub title: String,
    pub guide: indexmap::IndexMap<String, String>,
    pub credentials: Schema,
    /// The credentials that are never shown.
    pub secrets: Vec<String>,
    pub rename: indexmap::IndexMap<String, String>,
    pub ignore: indexmap::IndexMap<String, String>,
    pub needs: Vec<String>,
    pub token: Option<TokenSource>,
    pub basic: Option<Basic>,
    pub headers: Vec<Header>,
    pub query: Vec<Parameter>,
    pub sign: Option<Signer>,
}

/// How an access token is obtained.
#[derive(Debug)]
pub(crate) struct TokenSource {
    assertion: Option<Assertion>,
    request: Request,
    when: When,
    access: Source,
    expires_in: Option<Source>,
    lifetime_ms: Option<i64>,
    facts: Learned,
    replaces: Learned,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Assertion {
    key: Template,
    claims: Mapping,
    lifetime_seconds: i64,
}

/// An access token and what came with it.
#[derive(Clone, PartialEq)]
pub struct Token {
    /// The token.
    pub access: String,
    /// When the vendor ends it, Unix milliseconds; `None`: nobody says, it is good until it is refused.
    pub expires_at_ms: Option<i64>,
    /// Facts of the connection that the answer told (`instance_url`).
    pub facts: Map<String, Value>,
    /// Credentials that the answer replaces; the old ones may be worthless from now on.
    pub replaced_secrets: Map<String, Value>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFailure {
    /// True when the credentials themselves are refused: trying again is useless and may lock the account.
    pub dead: bool,
    /// What the vendor said.
    pub message: String,
    /// The wait that the vendor asks for, in milliseconds.
    pub after_ms: Option<u64>,
}

impl Auth {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &AuthSpec) -> Option<Self> {
        let credentials = Schema::compile(compiler, &child(at, "credentials"), &spec.credentials);
        let token = spec
            .token
            .as_ref()
            .map(|token| TokenSource::compile(compiler, &child(at, "token"), token));
        let basic = optional(&spec.basic, |basic| {
            Basic::compile(compiler, &child(at, "basic"), basic)
        });
        let headers = compile_headers(compiler, &child(at, "headers"), &spec.headers);
        let query = Parameter::compile_table(compiler, &child(at, "query"), &spec.query);
        let sign = spec.sign.as_ref().and_then(|name| {
            let signer = sign::find(name);
            if signer.is_none() {
                let next = format!("Use one of {}.", sign::names().join(", "));
                compiler.report(&child(at, "sign"), format!("there is no hook `{name}`"), &next);
            }
            signer
        });
        let token = match token {
            None => None,
            Some(token) => Some(token?),
        };
        let credentials = credentials?;
        Some(Self {
            name: spec.name.clone(),
            title: spec.title.clone(),
            guide: spec.guide.clone(),
            secrets: credentials.write_only(),
            credentials,
            rename: spec.rename.clone(),
            ignore: spec.ignore.clone(),
            needs: spec.needs.clone(),
            token,
            basic: basic?,
            headers,
            query,
            sign,
        })
    }
}

impl TokenSource {
    /// Whether an answer of the vendor replaces this credential.
    pub fn replaces(&self, credential: &str) -> bool {
        self.replaces.names().any(|name| name == credential)
    }

    /// The credentials that an answer may replace.
    pub fn replaced_credentials(&self) -> Vec<String> {
        self.replaces.names().map(str::to_owned).collect()
    }

    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &TokenSpec) -> Option<Self> {
        let TokenResultSpec {
            when,
            access,
            expires_in,
            lifetime_seconds,
            facts,
            replaces,
        } = &spec.result;
        let assertion = spec
            .assertion
            .as_ref()
            .map(|spec| Assertion::compile(compiler, &child(at, "assertion"), spec));
        let request = Request::compile(compiler, &child(at, "request"), &spec.request);
        let result = child(at, "result");
        let when = When::compile(compiler, &child(&result, "when"), when);
        let access = Source::compile(compiler, &child(&result, "access"), access);
        let expires_in = expires_in
            .as_ref()
            .and_then(|spec| Source::compile(compiler, &child(&result, "expires_in"), spec));
        let facts = Learned::compile(compiler, &child(&result, "facts"), facts);
        let replaces = Learned::compile(compiler, &child(&result, "replaces"), replaces);
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        let assertion = match assertion {
            None => None,
            Some(assertion) => Some(assertion?),
        };
        Some(Self {
            assertion,
            request: request?,
            when: when?,
            access: access?,
            expires_in,
            lifetime_ms: lifetime_seconds.map(|seconds| seconds * 1000),
            facts,
            replaces,
            rules,
        })
    }
}

impl Assertion {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &AssertionSpec) -> Option<Self> {
        let key = compiler.template(&child(at, "key"), &spec.key);
        let claims = compiler.mapping(&child(at, "claims"), &spec.claims);
        Some(Self {
            key: key?,
            claims: claims?,
            lifetime_seconds: spec.lifetime_seconds,
        })
    }

    /// A signed JWT (RFC 7523 with RS256) that ends `lifetime_seconds` from now.
    fn sign(&self, scope: &Scope<'_>, now_ms: i64) -> Result<String, Problem> {
        let pem = request::text(&self.key, scope)?.unwrap_or_default();
        // Keys that are pasted into one-line fields lose their line ends.
        let key = EncodingKey::from_rsa_pem(pem.replace("\\n", "\n").as_bytes()).map_err(|error| bad_key(&error))?;
        let Some(Value::Object(mut claims)) = request::render(&self.claims, scope)? else {
            return Err(request::incomplete("the claims of the assertion are empty"));
        };
        claims.insert("exp".into(), (now_ms.div_euclid(1000) + self.lifetime_seconds).into());
        jsonwebtoken::encode(&JwtHeader::new(Algorithm::RS256), &claims, &key).map_err(|error| bad_key(&error))
    }
}

fn bad_key(error: &jsonwebtoken::errors::Error) -> Problem {
    let next = "Enter the private key in PEM form (-----BEGIN PRIVATE KEY-----), RSA with at least 2048 bits.";
    Problem::new(
        Code::ConnectionIncomplete,
        format!("the private key cannot be used: {error}"),
        next,
    )
}

impl Connector {
    /// The request for an access token; `None` when the credentials themselves go with every call.
    ///
    /// # Errors
    /// When credentials are missing or cannot be used.
    pub fn token_request(&self, account: &Account, now_ms: i64) -> Result<Option<HttpRequest>, Problem> {
        let Some(token) = &self.auth[account.auth].token else {
            return Ok(None);
        };
        let mut call = Call::plain();
        call.set_now(now_ms);
        if let Some(assertion) = &token.assertion {
            let assertion = assertion.sign(&self.scope(account, None, &call), now_ms)?;
            call.set("assertion", assertion.into());
        }
        let scope = self.scope(account, None, &call);
        let draft = token.request.draft(account.base_url.as_deref(), &scope)?;
        Ok(Some(draft.finish().confidential()))
    }

    /// Reads the answer to a token request.
    ///
    /// # Errors
    /// When it holds no token. A failure that the connector does not know is not taken for dead credentials.
    pub fn read_token(&self, account: &Account, answer: &Answer, now_ms: i64) -> Result<Token, TokenFailure> {
        let call = Call::plain();
        let scope = self.scope(account, None, &call);
        let Some(token) = &self.auth[account.auth].token else {
            return Err(TokenFailure {
                dead: false,
                message: "no token was asked for".into(),
                after_ms: None,
            });
        };
        let access = token
            .when
            .holds(answer, &scope)
            .then(|| token.access.first(answer, &scope))
            .flatten();
        match access.as_ref().and_then(text_of).filter(|access| !access.is_empty()) {
            Some(access) => Ok(Token {
                access: access.into_owned(),
                expires_at_ms: token.lifetime(answer, &scope).map(|lifetime| now_ms + lifetime),
                facts: read_facts(&token.facts, answer, &scope),
                replaced_secrets: changed(read_facts(&token.replaces, answer, &scope), &scope),
            }),
            None => {
                let around = Circumstances {
                    scope: &scope,
                    repeatable: true,
                    id_pattern: None,
                };
                Err(failure(judge(token.rules.iter().chain(&self.rules), answer, around)))
            }
        }
    }
}

impl TokenSource {
    fn lifetime(&self, answer: &Answer, scope: &Scope<'_>) -> Option<i64> {
        let said = self.expires_in.as_ref().and_then(|source| source.first(answer, scope));
        let seconds = said
            .as_ref()
            .and_then(text_of)
            .and_then(|text| text.trim().parse::<f64>().ok());
        seconds
            .filter(|seconds| *seconds > 0.0)
            .map(|seconds| (seconds * 1000.0) as i64)
            .or(self.lifetime_ms)
    }
}

/// Only what differs from the credentials that are there.
fn changed(mut replaced: Map<String, Value>, scope: &Scope<'_>) -> Map<String, Value> {
    let secrets = scope.variable("secrets");
    replaced.retain(|name, value| secrets.is_none_or(|secrets| &secrets[name.as_str()] != value));
    replaced
}

fn failure(outcome: Outcome) -> TokenFailure {
    let (dead, message, after_ms) = match outcome {
        Outcome::Denied { message } | Outcome::Blocked { message } => (true, message, None),
        Outcome::Throttled { message, after_ms } | Outcome::Retry { message, after_ms } => (false, message, after_ms),
        Outcome::Reauthorise { message } | Outcome::Rejected { message, .. } | Outcome::Unknown { message } => {
            (false, message, None)
        }
        other => (false, format!("the answer holds no token ({})", other.name()), None),
    };
    TokenFailure {
        dead,
        message,
        after_ms,
    }
}
