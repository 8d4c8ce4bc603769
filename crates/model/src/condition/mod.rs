//! Conditions: CEL, and the guides' `{field, operator, value}` objects, which are compiled to it.
//!
//! Variables are the members of the event's data, `event` (the whole data) and `type` (the event's type). What an event
//! lacks is `null`, at any depth: `sender.country == null` holds when there is no sender, and `has(sender.country)`
//! means the same as `sender.country != null`.
//!
//! What makes no sense for the values at hand (`null > 5`, `7.contains('a')`, `int('x')`, a division by zero) decides
//! nothing: the condition does not hold unless its other side decides it, as in `amount > 5 || vip`. So neither
//! `amount > 5` nor `!(amount > 5)` holds for an event without an amount: a route never takes an event because of an
//! error. What no event could make right (a function that does not exist, a regular expression that cannot be read) is
//! refused when the condition is saved.

mod cel_value;
mod check;
mod functions;
mod guide;
mod variables;

use std::sync::Arc;

use cel::{Context, IdedExpr, common::types::CelBool, common::types::CelNull};
use serde_json::Value;

use crate::template::{Path, Scope};
use variables::{Variable, Variables};

/// Conditions longer than this, in bytes, are refused.
pub const LONGEST_SOURCE: usize = 4 << 10;

/// Why a condition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// It cannot be read.
    #[error("{0}")]
    Syntax(String),
    /// It is longer, deeper or larger than allowed, or uses what is not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// It cannot be decided.
    #[error("{0}")]
    Failed(String),
}

/// A compiled condition. Clones share it.
#[derive(Debug, Clone)]
pub struct Condition {
    source: Arc<str>,
    compiled: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    expression: IdedExpr,
    /// What the expression's identifiers stand for.
    variables: Vec<Variable>,
}

impl Condition {
    /// Compiles CEL.
    ///
    /// # Errors
    /// When it cannot be read, names a function that does not exist, or uses more than is allowed: 4 KiB, 500 nodes, no
    /// loops (`all`, `exists`, `exists_one`, `map`, `filter`).
    pub fn parse(source: &str) -> Result<Self, ConditionError> {
        check::source(source)?;
        let parser = functions::ENVIRONMENT.parser().enable_optional_syntax(false);
        let mut expression = parser
            .parse(source)
            .map_err(|errors| check::syntax_error(source, &errors))?;
        check::expression(&expression)?;
        let variables = variables::bind(&mut expression);
        Ok(Self {
            source: source.into(),
            compiled: Arc::new(Compiled { expression, variables }),
        })
    }

    /// Compiles the guides' form: one `{"field", "operator", "value"}` object, or a list of them that must all hold. An
    /// empty list always holds.
    ///
    /// # Errors
    /// When it has another shape or an unknown operator.
    pub fn from_guide(conditions: &Value) -> Result<Self, ConditionError> {
        Self::parse(&guide::to_cel(conditions)?)
    }

    /// The CEL text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The places in the event's data that it reads, each once; `event` as a whole and `type` are no such places.
    pub fn paths(&self) -> Vec<&Path> {
        self.compiled.variables.iter().filter_map(Variable::path).collect()
    }

    /// Whether it holds for an event of type `kind` whose data is what `scope` sees. Only the values that the condition
    /// names are looked at.
    ///
    /// # Errors
    /// When the result is neither true, false nor `null`.
    pub fn matches(&self, kind: &str, scope: &Scope<'_>) -> Result<bool, ConditionError> {
        let variables = Variables {
            kind,
            scope,
            all: &self.compiled.variables,
        };
        let mut context = Context::with_env(Arc::clone(&functions::ENVIRONMENT));
        context.set_variable_resolver(&variables);
        // What is left to fail now lies in the values; see above.
        let Ok(result) = cel::Value::resolve_val(&self.compiled.expression, &context) else {
            return Ok(false);
        };
        if let Some(holds) = result.downcast_ref::<CelBool>() {
            Ok(*holds.inner())
        } else if result.downcast_ref::<CelNull>().is_some() {
            Ok(false)
        } else {
            let found = result.get_type().name();
            Err(ConditionError::Failed(format!(
                "the result is of type {found}, neither true nor false"
            )))
        }
    }
}

#[cfg(test)]
mod tests;
