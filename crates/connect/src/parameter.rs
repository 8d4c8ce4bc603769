//! Parameters and headers of a request.

use http::HeaderName;
use indexmap::IndexMap;
use switchboard_model::{
    problem::Problem,
    template::{Scope, Template},
};

use crate::{
    compile::{Compiler, child},
    interpolation::{Escape, Interpolation},
    manifest::QuerySpec,
    request::{text, unfilled},
};

/// Names of variables whose values nobody may see.
const SECRET_VARIABLES: [&str; 5] = ["secrets", "token", "assertion", "code", "code_verifier"];

#[derive(Debug)]
enum ParameterText {
    Plain(Template),
    Escaped(Interpolation),
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

impl Parameter {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, source: &str) -> Option<Self> {
        let text = ParameterText::Plain(compiler.template(at, source)?);
        Some(Self {
            name: String::new(),
            text,
            secret: is_secret(source),
        })
    }

    pub fn compile_query(compiler: &mut Compiler<'_>, at: &str, spec: &QuerySpec) -> Option<Self> {
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
    pub fn compile_table(compiler: &mut Compiler<'_>, at: &str, table: &IndexMap<String, String>) -> Vec<Self> {
        let table = compiler.table(at, table, |compiler, at, source| Self::compile(compiler, at, source));
        table.into_iter().map(named).collect()
    }

    pub fn render(&self, scope: &Scope<'_>) -> Result<Option<String>, Problem> {
        match &self.text {
            ParameterText::Plain(template) => text(template, scope),
            ParameterText::Escaped(text) => text.fill(scope).map(Some).map_err(|error| unfilled(&error)),
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
