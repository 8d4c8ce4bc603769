//! Requests of a manifest: compiled templates → an HTTP request.

use http::{
    HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::{Map, Value, value::RawValue};
use switchboard_model::{
    mapping::{Mapping, MappingError},
    problem::{Code, Problem},
    template::{Scope, Template},
};

use crate::{
    compile::{Compiler, child},
    draft::Draft,
    interpolation::{Escape, FillError, Interpolation},
    items::with_items,
    manifest::RequestSpec,
    operation::optional,
    parameter::{Basic, Header, Parameter, compile_headers, named},
    reading::text_of,
    tree::Tree,
};

/// A compiled request; see [`RequestSpec`].
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    target: Target,
    query: Vec<Parameter>,
    headers: Vec<Header>,
    basic: Option<Basic>,
    body: Body,
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
    Json(Tree),
    Form(Vec<Parameter>),
}

impl Request {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &RequestSpec) -> Option<Self> {
        let method = compiler.method(&child(at, "method"), &spec.method);
        let target = Target::compile(compiler, at, spec);
        let query = child(at, "query");
        let query = compiler
            .table(&query, &spec.query, Parameter::compile_any)
            .into_iter()
            .map(named)
            .collect();
        let headers = compile_headers(compiler, &child(at, "headers"), &spec.headers);
        let basic = optional(&spec.basic, |basic| {
            Basic::compile(compiler, &child(at, "basic"), basic)
        });
        let body = Body::compile(compiler, at, spec);
        Some(Self {
            method: method?,
            target: target?,
            query,
            headers,
            basic: basic?,
            body: body?,
        })
    }

    /// Puts the request together. `base_url` is where paths start.
    ///
    /// # Errors
    /// When something that the request needs has no value.
    pub fn draft(&self, base_url: Option<&str>, scope: &Scope<'_>) -> Result<Draft, Problem> {
        self.draft_around(base_url, scope, None)
    }

    /// The same with items at a JSON pointer of the body.
    ///
    /// # Errors
    /// See [`Request::draft`].
    pub fn draft_around(
        &self,
        base_url: Option<&str>,
        scope: &Scope<'_>,
        items: Option<(&str, &[Box<RawValue>])>,
    ) -> Result<Draft, Problem> {
        let mut draft = Draft::new(self.method.clone(), self.target.url(base_url, scope)?);
        draft.add_query(&self.query, scope)?;
        draft
            .headers
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        match &self.body {
            Body::Nothing => {}
            Body::Json(tree) => {
                let body = tree.fill(scope)?;
                let written = match items {
                    None => serde_json::to_vec(&*body),
                    Some((at, items)) => with_items(&body, at, items)
                        .ok_or_else(|| failed(&format!("the body has nothing at `{at}`")))?,
                };
                draft.body = written.map_err(|error| failed(&error.to_string()))?.into();
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
        if let Some(basic) = &self.basic {
            basic.add_to(&mut draft, scope)?;
        }
        Ok(draft)
    }

    /// The body as it is sent; `None` when it is no JSON.
    ///
    /// # Errors
    /// When a template fails.
    pub fn json_body(&self, scope: &Scope<'_>) -> Result<Option<Value>, Problem> {
        match &self.body {
            Body::Json(tree) => tree.render(scope),
            Body::Nothing | Body::Form(_) => Ok(None),
        }
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
            (tree, None) => {
                let nothing = Value::Object(Map::new());
                let tree = (&*child(at, "body"), tree.as_ref().unwrap_or(&nothing));
                Tree::compile(compiler, tree, (&child(at, "insert"), &spec.insert)).map(Self::Json)
            }
            (None, Some(form)) => {
                let at = child(at, "form");
                let fields = compiler.table(&at, form, Parameter::compile_any);
                Some(Self::Form(fields.into_iter().map(named).collect()))
            }
            (Some(_), Some(_)) => {
                compiler.report(at, "a request has either `body` or `form`", "Leave one of them out.");
                None
            }
        }
    }
}

/// The text of a template; `None` when it is absent or no scalar.
pub(crate) fn text(template: &Template, scope: &Scope<'_>) -> Result<Option<String>, Problem> {
    let value = template.render(scope).map_err(|error| failed(&error.to_string()))?;
    Ok(value.as_ref().and_then(text_of).map(|text| text.into_owned()))
}

/// A tree of templates, filled in.
pub(crate) fn render(tree: &Mapping, scope: &Scope<'_>) -> Result<Option<Value>, Problem> {
    tree.render(scope).map_err(|errors| unrendered(&errors))
}

/// What went wrong with the templates of a tree.
pub(crate) fn unrendered(errors: &[MappingError]) -> Problem {
    let all: Vec<_> = errors
        .iter()
        .map(|error| format!("{}: {}", error.pointer, error.error))
        .collect();
    failed(&all.join("; "))
}

/// What went wrong while a request was put together.
pub(crate) fn failed(detail: &str) -> Problem {
    let next = "Check the mapping and the settings of the connection.";
    Problem::new(
        Code::MappingFailed,
        format!("the request could not be put together: {detail}"),
        next,
    )
}

/// Something that only the settings of the connection can give.
pub(crate) fn incomplete(detail: &str) -> Problem {
    Problem::new(
        Code::ConnectionIncomplete,
        detail,
        "Complete the settings of the connection and test it.",
    )
}

/// A path or query that lacks a value.
pub(crate) fn unfilled(error: &FillError) -> Problem {
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
