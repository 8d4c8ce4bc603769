//! Values that users write: Liquid output expressions (`{{ path | filter: argument, name: argument }}`) with typed
//! results.
//!
//! Text that is one single expression keeps the value's type; mixed text becomes text. A missing value is absent, not
//! empty: the caller decides what that means; `null` is the same as missing. Nothing that was filled in is read as a
//! template again. There are no tags and no loops. Text that looks like a template is
//! written as a literal: `{{ '{{' }}`.
//!
//! Paths: `a.b[0].c`, `a["key with space"]`, `["top-level key with space"]`, negative positions from the end, letters
//! of any script; `.first`, `.last` and `.size` as in Liquid. Literals: `'text'`, `"text"`, numbers, `true`, `false`,
//! `nil` (or `null`). `{{-` and `-}}` take the white space around them away.

mod error;
mod expression;
mod filters;
mod kind;
mod parse;
mod path;
mod scope;
mod text;

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;

pub use error::{RenderError, TemplateError};
pub use filters::{FilterDoc, filter_docs};
pub use kind::Kind;
pub use path::Path;
pub(crate) use path::Step;
pub use scope::{Lookups, Scope, Unknown};

use expression::Expression;

/// Templates longer than this, in bytes, are refused.
pub const LONGEST_SOURCE: usize = 64 << 10;

#[derive(Debug)]
enum Piece {
    Literal(String),
    Expression(Expression),
}

/// A compiled template. Clones share it.
#[derive(Debug, Clone)]
pub struct Template {
    pieces: Arc<[Piece]>,
}

impl Template {
    /// Compiles `source`.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        parse::template(source).map(|pieces| Self { pieces: pieces.into() })
    }

    /// Fills it in. `None`: it is one single expression whose value is absent.
    ///
    /// # Errors
    /// When a filter cannot work on its value, or the result is over the scope's limit.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Option<Value>, RenderError> {
        match self.lone(scope) {
            Some(value) => value.map(|value| value.map(Cow::into_owned)),
            None => self.render_text(scope).map(|text| Some(Value::String(text))),
        }
    }

    /// The value of a template that is one single expression, borrowed as long as no filter has changed it; `None` for any other template.
    pub(crate) fn lone<'v>(&'v self, scope: &Scope<'v>) -> Option<Result<Option<Cow<'v, Value>>, RenderError>> {
        let [Piece::Expression(expression)] = &*self.pieces else {
            return None;
        };
        let checked = expression.evaluate(scope).and_then(|value| {
            if let Some(Value::String(text)) = value.as_deref() {
                scope.check_size(text.len())?;
            }
            Ok(value)
        });
        Some(checked)
    }

    /// Fills it in as text; what is absent is empty.
    ///
    /// # Errors
    /// See [`Template::render`].
    pub fn render_text(&self, scope: &Scope<'_>) -> Result<String, RenderError> {
        let mut out = String::new();
        for piece in &*self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Expression(expression) => {
                    if let Some(value) = expression.evaluate(scope)? {
                        text::push(&mut out, &value);
                    }
                }
            }
            scope.check_size(out.len())?;
        }
        Ok(out)
    }

    /// The paths that it reads, in the order of their appearance.
    pub fn paths(&self) -> Vec<&Path> {
        let expressions = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Expression(expression) => Some(expression),
            Piece::Literal(_) => None,
        });
        expressions.flat_map(Expression::paths).collect()
    }

    /// What kind of value it gives, as far as that is known.
    pub fn kind(&self) -> Kind {
        kind::of_pieces(&self.pieces)
    }

    /// The texts that stand in it as they are, in their order.
    pub fn fixed_texts(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Expression(_) => None,
        })
    }

    /// Whether it is one single expression.
    pub(crate) fn is_expression(&self) -> bool {
        matches!(&*self.pieces, [Piece::Expression(_)])
    }

    /// Whether it holds no expression at all.
    pub fn is_literal(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)))
    }
}
