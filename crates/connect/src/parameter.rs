//! Parameters and headers of a request.

use std::borrow::Cow;

use http::HeaderName;
use indexmap::IndexMap;
use serde_json::Value;
use switchboard_model::{
    problem::Problem,
    template::{Scope, Template},
};

use crate::{
    compile::{Compiler, child},
    draft::Draft,
    interpolation::{Escape, Interpolation},
    manifest::QuerySpec,
    reading::text_of,
    request::{failed, text, unfilled},
    tree::Tree,
};

/// Names of variables whose values nobody may see.
const SECRET_VARIABLES: [&str; 5] = ["secrets", "token", "assertion", "code", "code_verifier"];

#[derive(Debug)]
enum ParameterText {
    Plain(Template),
    Escaped(Interpolation),
    Json(Tree),
}

/// A parameter of a query or a form.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub name: String,
    text: ParameterText,
    /// Whether nobody may see its value.
    pub secret: bool,
}

/// A header.
#[derive(Debug)]
pub(crate) struct Header {
    pub name: HeaderName,
    pub text: Template,
    /// Whether nobody may see its value.
    pub secret: bool,
}

/// User and password of HTTP Basic.
#[derive(Debug)]
pub(crate) struct Basic {
    user: Template,
    password: Template,
}

impl Basic {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, (user, password): &(String, String)) -> Option<Self> {
        let user = compiler.template(&format!("{at}/0"), user);
        let password = compiler.template(&format!("{at}/1"), password);
        Some(Self {
            user: user?,
            password: password?,
        })
    }

    pub fn add_to(&self, draft: &mut Draft, scope: &Scope<'_>) -> Result<(), Problem> {
        let user = text(&self.user, scope)?.unwrap_or_default();
        let password = text(&self.password, scope)?.unwrap_or_default();
        draft.add_basic(&user, &password)
    }
}

impl Parameter {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, source: &str) -> Option<Self> {
        let text = ParameterText::Plain(compiler.template(at, source)?);
        Some(Self {
            name: String::new(),
            text,
            secret: is_secret(source),
        })
    }

    pub fn compile_any(compiler: &mut Compiler<'_>, at: &str, spec: &QuerySpec) -> Option<Self> {
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
            QuerySpec::Json { json, insert } => {
                let tree = Tree::compile(compiler, (&child(at, "json"), json), (&child(at, "insert"), insert))?;
                Some(Self {
                    name: String::new(),
                    text: ParameterText::Json(tree),
                    secret: is_secret(&json.to_string()),
                })
            }
        }
    }

    /// Compiles a table of plain parameters.
    pub fn compile_table(compiler: &mut Compiler<'_>, at: &str, table: &IndexMap<String, String>) -> Vec<Self> {
        let table = compiler.table(at, table, |compiler, at, source| Self::compile(compiler, at, source));
        table.into_iter().map(named).collect()
    }

    /// Its texts: none when the value is absent, several when it is a list.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Vec<String>, Problem> {
        match &self.text {
            ParameterText::Plain(template) => {
                let value = template.render(scope).map_err(|error| failed(&error.to_string()))?;
                Ok(match value {
                    Some(Value::Array(items)) => items.iter().filter_map(text_of).map(Cow::into_owned).collect(),
                    Some(value) => text_of(&value).map(Cow::into_owned).into_iter().collect(),
                    None => Vec::new(),
                })
            }
            ParameterText::Json(tree) => Ok(tree.render(scope)?.map(|json| json.to_string()).into_iter().collect()),
            ParameterText::Escaped(text) => text
                .fill(scope)
                .map(|text| vec![text])
                .map_err(|error| unfilled(&error)),
        }
    }
}

/// A parameter under its name.
pub(crate) fn named((name, parameter): (String, Parameter)) -> Parameter {
    Parameter { name, ..parameter }
}

/// Compiles a table of headers.
pub(crate) fn compile_headers(compiler: &mut Compiler<'_>, at: &str, table: &IndexMap<String, String>) -> Vec<Header> {
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

fn is_secret(source: &str) -> bool {
    let mut words = source.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    source.contains("{{") && words.any(|word| SECRET_VARIABLES.contains(&word))
}
