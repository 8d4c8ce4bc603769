//! Ways to authenticate: tokens are asked for and read here, and nothing is kept.

use jsonwebtoken::{Algorithm, EncodingKey, Header as JwtHeader};
use serde_json::{Map, Value};
use switchboard_model::{
    mapping::Mapping,
    problem::{Code, Problem},
    template::{Scope, Template},
};

use crate::{
    account::{Account, Call},
    authorize::Authorize,
    call::{Answer, HttpRequest},
    compile::{Compiler, child},
    connector::Connector,
    manifest::{AssertionSpec, AuthSpec, TokenSpec},
    operation::optional,
    parameter::{Basic, Header, Parameter, compile_headers},
    request::{self, Request},
    rule::Rule,
    schema::Schema,
    sign::{self, Signer},
    token_answer::TokenAnswer,
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
    pub authorize: Option<Authorize>,
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
    pub answer: TokenAnswer,
    pub rules: Vec<Rule>,
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
    /// When the sign-in ends, Unix milliseconds; `None`: this answer says nothing about it.
    pub grant_ends_ms: Option<i64>,
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
    /// True when the vendor only wants fewer calls.
    pub throttled: bool,
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
            .map(|token| TokenSource::compile(compiler, at, token, spec));
        let authorize = spec
            .authorize
            .as_ref()
            .map(|authorize| Authorize::compile(compiler, at, authorize, spec));
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
        let authorize = match authorize {
            None => None,
            Some(authorize) => Some(authorize?),
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
            authorize,
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
        self.answer.replaced().any(|name| name == credential)
    }

    /// The credentials that an answer may replace.
    pub fn replaced_credentials(&self) -> Vec<String> {
        self.answer.replaced().map(str::to_owned).collect()
    }

    /// Compiles the `token` of the sign-in that stands at `of`.
    fn compile(compiler: &mut Compiler<'_>, of: &str, spec: &TokenSpec, auth: &AuthSpec) -> Option<Self> {
        let at = &child(of, "token");
        let assertion = spec
            .assertion
            .as_ref()
            .map(|spec| Assertion::compile(compiler, &child(at, "assertion"), spec));
        let request = Request::compile(compiler, &child(at, "request"), &spec.request);
        let ends = auth.authorize.as_ref().and_then(|authorize| authorize.ends.as_ref());
        let ends_at = child(&child(of, "authorize"), "ends");
        let ends = ends.map(|ends| (&*ends_at, ends));
        let answer = TokenAnswer::compile(compiler, &child(at, "result"), &spec.result, ends);
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        let assertion = match assertion {
            None => None,
            Some(assertion) => Some(assertion?),
        };
        Some(Self {
            assertion,
            request: request?,
            answer: answer?,
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
                throttled: false,
                message: "no token was asked for".into(),
                after_ms: None,
            });
        };
        let rules = token.rules.iter().chain(&self.rules);
        token.answer.read(answer, &scope, rules, now_ms)
    }
}
