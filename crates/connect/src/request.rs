//! Requests of a manifest: compiled templates → an HTTP request.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::Value;
use switchboard_model::{
    mapping::Mapping,
    problem::{Code, Problem},
    template::{Scope, Template},
};

use crate::{
    call::HttpRequest,
    compile::{Compiler, child},
    interpolation::{Escape, FillError, Interpolation},
    manifest::{InsertSpec, QuerySpec, RequestSpec},
    reading::text_of,
};

/// Names of variables whose values nobody may see.
const SECRET_VARIABLES: [&str; 3] = ["secrets", "token", "assertion"];

/// A compiled request; see [`RequestSpec`].
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    target: Target,
    query: Vec<Parameter>,
    headers: Vec<Header>,
    basic: Option<(Template, Template)>,
    body: Body,
    insert: Vec<Insert>,
}

#[derive(Debug)]
enum Target {
    Absolute(Interpolation),
    Base,
    Path(Interpolation),
}

#[derive(Debug)]
enum Body {
    Nothing,
    Json(Mapping),
    Form(Vec<Parameter>),
}

#[derive(Debug)]
enum ParameterText {
    Plain(Template),
    Escaped(Interpolation),
}

/// A parameter of a query or a form.
#[derive(Debug)]
pub(crate) struct Parameter {
    name: String,
    text: ParameterText,
    secret: bool,
}

/// A header.
#[derive(Debug)]
pub(crate) struct Header {
    name: HeaderName,
    text: Template,
    secret: bool,
}

#[derive(Debug)]
struct Insert {
    at: String,
    name: Template,
    value: Mapping,
}

/// A request that is being put together.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The method.
    pub method: Method,
    /// The address so far.
    pub url: String,
    /// The headers so far.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    secrets: Vec<String>,
}

impl Request {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &RequestSpec) -> Option<Self> {
        let method = compiler.method(&child(at, "method"), &spec.method);
        let target = Target::compile(compiler, at, spec);
        let query = child(at, "query");
        let query = compiler
            .table(&query, &spec.query, Parameter::compile_query)
            .into_iter()
            .map(named)
            .collect();
        let headers = compile_headers(compiler, &child(at, "headers"), &spec.headers);
        let basic = spec.basic.as_ref().and_then(|(user, password)| {
            let at = child(at, "basic");
            Some((
                compiler.template(&format!("{at}/0"), user)?,
                compiler.template(&format!("{at}/1"), password)?,
            ))
        });
        let body = Body::compile(compiler, at, spec);
        let insert = compiler.list(&child(at, "insert"), &spec.insert, Insert::compile);
        Some(Self {
            method: method?,
            target: target?,
            query,
            headers,
            basic,
            body: body?,
            insert,
        })
    }

    /// Puts the request together. `base_url` is where paths start.
    ///
    /// # Errors
    /// When something that the request needs has no value.
    pub fn draft(&self, base_url: Option<&str>, scope: &Scope<'_>) -> Result<Draft, Problem> {
        let mut draft = Draft {
            method: self.method.clone(),
            url: self.target.url(base_url, scope)?,
            headers: HeaderMap::with_capacity(8),
            body: Bytes::new(),
            secrets: Vec::new(),
        };
        draft.add_query(&self.query, scope)?;
        draft
            .headers
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        match &self.body {
            Body::Nothing => {}
            Body::Json(tree) => {
                let body = self.json_body(tree, scope)?;
                draft.body = serde_json::to_vec(&body)
                    .map_err(|error| failed(&error.to_string()))?
                    .into();
                draft
                    .headers
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Body::Form(parameters) => {
                draft.body = draft.form(parameters, scope)?.into();
                let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                draft.headers.insert(CONTENT_TYPE, form);
            }
        }
        draft.add_headers(&self.headers, scope)?;
        if let Some((user, password)) = &self.basic {
            draft.add_basic(
                &text(user, scope)?.unwrap_or_default(),
                &text(password, scope)?.unwrap_or_default(),
            )?;
        }
        Ok(draft)
    }

    fn json_body(&self, tree: &Mapping, scope: &Scope<'_>) -> Result<Value, Problem> {
        let mut body = render(tree, scope)?.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        for insert in &self.insert {
            let Some(name) = text(&insert.name, scope)?.filter(|name| !name.is_empty()) else {
                continue;
            };
            let Some(value) = render(&insert.value, scope)? else {
                continue;
            };
            match body.pointer_mut(&insert.at) {
                Some(Value::Object(members)) => {
                    members.insert(name, value);
                }
                _ => return Err(failed(&format!("the body has no object at `{}`", insert.at))),
            }
        }
        Ok(body)
    }
}

impl Target {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &RequestSpec) -> Option<Self> {
        match (&spec.url, &spec.path) {
            (Some(url), None) => compiler
                .interpolation(&child(at, "url"), url, Escape::Nothing)
                .map(Self::Absolute),
            (None, None) => Some(Self::Base),
            (None, Some(path)) if path.starts_with('/') => compiler
                .interpolation(&child(at, "path"), path, Escape::Segment)
                .map(Self::Path),
            (None, Some(_)) => {
                compiler.report(
                    &child(at, "path"),
                    "a path starts with a slash",
                    "Put `/` in front of it.",
                );
                None
            }
            (Some(_), Some(_)) => {
                compiler.report(at, "a request has either `url` or `path`", "Leave one of them out.");
                None
            }
        }
    }

    fn url(&self, base_url: Option<&str>, scope: &Scope<'_>) -> Result<String, Problem> {
        let base = || base_url.ok_or_else(|| incomplete("the address of the account is not known yet"));
        match self {
            Self::Absolute(url) => url.fill(scope).map_err(|error| unfilled(&error)),
            Self::Base => base().map(str::to_owned),
            Self::Path(path) => {
                let path = path.fill(scope).map_err(|error| unfilled(&error))?;
                Ok(format!("{}{path}", base()?.trim_end_matches('/')))
            }
        }
    }
}

impl Body {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &RequestSpec) -> Option<Self> {
        match (&spec.body, &spec.form) {
            (None, None) if spec.insert.is_empty() => Some(Self::Nothing),
            (None, None) => compiler
                .mapping(at, &Value::Object(serde_json::Map::new()))
                .map(Self::Json),
            (Some(tree), None) => compiler.mapping(&child(at, "body"), tree).map(Self::Json),
            (None, Some(form)) => {
                let at = child(at, "form");
                let fields = compiler.table(&at, form, |compiler, at, source| {
                    Parameter::compile(compiler, at, source)
                });
                Some(Self::Form(fields.into_iter().map(named).collect()))
            }
            (Some(_), Some(_)) => {
                compiler.report(at, "a request has either `body` or `form`", "Leave one of them out.");
                None
            }
        }
    }
}

impl Parameter {
    fn compile(compiler: &mut Compiler<'_>, at: &str, source: &str) -> Option<Self> {
        let text = ParameterText::Plain(compiler.template(at, source)?);
        Some(Self {
            name: String::new(),
            text,
            secret: is_secret(source),
        })
    }

    fn compile_query(compiler: &mut Compiler<'_>, at: &str, spec: &QuerySpec) -> Option<Self> {
        match spec {
            QuerySpec::Plain(source) => Self::compile(compiler, at, source),
            QuerySpec::Soql { soql } => {
                let text = compiler.interpolation(&child(at, "soql"), soql, Escape::Soql)?;
                Some(Self {
                    name: String::new(),
                    text: ParameterText::Escaped(text),
                    secret: is_secret(soql),
                })
            }
        }
    }

    /// Compiles a table of plain parameters.
    pub fn compile_table(
        compiler: &mut Compiler<'_>,
        at: &str,
        table: &indexmap::IndexMap<String, String>,
    ) -> Vec<Self> {
        let table = compiler.table(at, table, |compiler, at, source| Self::compile(compiler, at, source));
        table.into_iter().map(named).collect()
    }

    fn render(&self, scope: &Scope<'_>) -> Result<Option<String>, Problem> {
        match &self.text {
            ParameterText::Plain(template) => text(template, scope),
            ParameterText::Escaped(text) => text.fill(scope).map(Some).map_err(|error| unfilled(&error)),
        }
    }
}

fn named((name, parameter): (String, Parameter)) -> Parameter {
    Parameter { name, ..parameter }
}

/// Compiles a table of headers.
pub(crate) fn compile_headers(
    compiler: &mut Compiler<'_>,
    at: &str,
    table: &indexmap::IndexMap<String, String>,
) -> Vec<Header> {
    let mut headers = Vec::with_capacity(table.len());
    for (name, source) in table {
        let at = child(at, name);
        if let (Some(name), Some(text)) = (compiler.header(&at, name), compiler.template(&at, source)) {
            headers.push(Header {
                name,
                text,
                secret: is_secret(source),
            });
        }
    }
    headers
}

impl Insert {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &InsertSpec) -> Option<Self> {
        let name = compiler.template(&child(at, "name"), &spec.name);
        let value = compiler.mapping(&child(at, "value"), &spec.value);
        Some(Self {
            at: spec.at.clone(),
            name: name?,
            value: value?,
        })
    }
}

impl Draft {
    /// Adds query parameters; absent ones are left out.
    pub fn add_query(&mut self, parameters: &[Parameter], scope: &Scope<'_>) -> Result<(), Problem> {
        for parameter in parameters {
            let Some(value) = parameter.render(scope)? else {
                continue;
            };
            self.url.push(if self.url.contains('?') { '&' } else { '?' });
            self.url.extend(percent_encoding::utf8_percent_encode(
                &parameter.name,
                crate::interpolation::STRICT,
            ));
            self.url.push('=');
            self.url.extend(percent_encoding::utf8_percent_encode(
                &value,
                crate::interpolation::STRICT,
            ));
            if parameter.secret {
                self.secrets.push(value);
            }
        }
        Ok(())
    }

    /// Adds headers; absent ones are left out.
    pub fn add_headers(&mut self, headers: &[Header], scope: &Scope<'_>) -> Result<(), Problem> {
        for header in headers {
            if let Some(value) = text(&header.text, scope)?.filter(|value| !value.is_empty()) {
                self.add_header(header.name.clone(), &value, header.secret)?;
            }
        }
        Ok(())
    }

    /// Sets one header.
    pub fn add_header(&mut self, name: HeaderName, value: &str, secret: bool) -> Result<(), Problem> {
        let wrong = || {
            incomplete(&format!(
                "the value of the header `{name}` has characters that no header may have"
            ))
        };
        let mut header = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?;
        header.set_sensitive(secret);
        if secret {
            // What follows `Bearer ` is the secret; the answer may repeat it without that word.
            let bare = value.rsplit(' ').next().unwrap_or(value);
            self.secrets.push(bare.to_owned());
        }
        self.headers.insert(name, header);
        Ok(())
    }

    fn add_basic(&mut self, user: &str, password: &str) -> Result<(), Problem> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        self.secrets.push(password.to_owned());
        self.add_header(
            AUTHORIZATION,
            &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            true,
        )
    }

    fn form(&mut self, parameters: &[Parameter], scope: &Scope<'_>) -> Result<String, Problem> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for parameter in parameters {
            let Some(value) = parameter.render(scope)? else {
                continue;
            };
            form.append_pair(&parameter.name, &value);
            if parameter.secret {
                self.secrets.push(value);
            }
        }
        Ok(form.finish())
    }

    /// Remembers a text that nobody may see.
    pub fn hide(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    /// The finished request.
    pub fn finish(self) -> HttpRequest {
        HttpRequest::new(self.method, self.url, self.headers, self.body, self.secrets)
    }
}

/// The text of a template; `None` when it is absent or no scalar.
pub(crate) fn text(template: &Template, scope: &Scope<'_>) -> Result<Option<String>, Problem> {
    let value = template.render(scope).map_err(|error| failed(&error.to_string()))?;
    Ok(value.as_ref().and_then(text_of).map(|text| text.into_owned()))
}

/// A tree of templates, filled in.
pub(crate) fn render(tree: &Mapping, scope: &Scope<'_>) -> Result<Option<Value>, Problem> {
    tree.render(scope).map_err(|errors| {
        let all: Vec<_> = errors
            .iter()
            .map(|error| format!("{}: {}", error.pointer, error.error))
            .collect();
        failed(&all.join("; "))
    })
}

fn is_secret(source: &str) -> bool {
    let mut words = source.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    source.contains("{{") && words.any(|word| SECRET_VARIABLES.contains(&word))
}

fn failed(detail: &str) -> Problem {
    let next = "Check the mapping and the settings of the connection.";
    Problem::new(
        Code::MappingFailed,
        format!("the request could not be put together: {detail}"),
        next,
    )
}

pub(crate) fn incomplete(detail: &str) -> Problem {
    Problem::new(
        Code::ConnectionIncomplete,
        detail,
        "Complete the settings of the connection and test it.",
    )
}

fn unfilled(error: &FillError) -> Problem {
    match error {
        FillError::Absent(source)
            if ["settings.", "secrets.", "facts.", "values."]
                .iter()
                .any(|of| source.contains(of)) =>
        {
            incomplete(&format!("the connection lacks something that the call needs: {error}"))
        }
        FillError::Absent(_) | FillError::Unsafe(_) => {
            let next = "Check the mapping: the event has to bring what the record is recognised by.";
            Problem::new(
                Code::MappingIncomplete,
                format!("the call needs a value that is missing: {error}"),
                next,
            )
        }
        FillError::Failed(detail) => failed(detail),
    }
}

/// Adds the headers of a template that gives an object of names and values: those that a user wrote into the settings.
pub(crate) fn render_headers(template: &Template, scope: &Scope<'_>, draft: &mut Draft) -> Result<(), Problem> {
    let value = template.render(scope).map_err(|error| failed(&error.to_string()))?;
    let Some(Value::Object(headers)) = value else {
        return Ok(());
    };
    for (name, value) in headers {
        let wrong = || incomplete(&format!("`{name}` is no name of a header"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        if let Some(value) = text_of(&value) {
            // Users put tokens of their own there.
            draft.add_header(header, &value, true)?;
        }
    }
    Ok(())
}
