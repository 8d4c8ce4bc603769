//! Conditions: CEL, and the guides' `{field, operator, value}` objects, which are compiled to it.
//!
//! Variables are the members of the event's data, `event` (the whole data) and `type` (the event's type). A variable that the event lacks is
//! `null`. A comparison that makes no sense for the values at hand (`null > 5`, `7.contains('a')`) does not hold, and neither does the
//! condition that it stands in: a route never takes an event because of an error. What a rule of one's own could not mean (an invalid
//! regular expression, a function that does not exist) is an error.

mod cel_value;
mod guide;
mod limits;

use std::sync::Arc;

use cel::{Context, ExecutionError, Program};
use serde_json::Value;

use crate::template::Scope;

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
    program: Arc<Program>,
    /// The variables that it reads.
    variables: Arc<[String]>,
}

impl Condition {
    /// Compiles CEL.
    ///
    /// # Errors
    /// When it cannot be read, or uses more than is allowed: 4 KiB, 500 nodes, no loops (`all`, `exists`, `map`, `filter`).
    pub fn parse(source: &str) -> Result<Self, ConditionError> {
        limits::check_source(source)?;
        let program = Program::compile(source).map_err(|errors| ConditionError::Syntax(errors.to_string()))?;
        limits::check(program.expression())?;
        let variables: Vec<String> = program
            .references()
            .variables()
            .into_iter()
            .map(str::to_owned)
            .collect();
        Ok(Self {
            source: source.into(),
            program: Arc::new(program),
            variables: variables.into(),
        })
    }

    /// Compiles the guides' form: one `{"field", "operator", "value"}` object, or a list of them that must all hold. An empty list always holds.
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

    /// Whether it holds for an event of type `kind` whose data is what `scope` sees.
    ///
    /// # Errors
    /// When it cannot be decided for a reason that lies in the condition itself, or when its result is neither true nor false.
    pub fn matches(&self, kind: &str, scope: &Scope<'_>) -> Result<bool, ConditionError> {
        let mut context = Context::default();
        for name in &*self.variables {
            let value = match name.as_str() {
                "type" => cel::Value::from(kind),
                "event" => scope
                    .variable("event")
                    .map_or_else(|| cel_value::from_layers(scope), cel_value::from_json),
                name => scope.variable(name).map_or(cel::Value::Null, cel_value::from_json),
            };
            context.add_variable_from_value(name.as_str(), value);
        }
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(holds)) => Ok(holds),
            Ok(cel::Value::Null) => Ok(false),
            Ok(other) => Err(ConditionError::Failed(format!(
                "the result is {:?}, neither true nor false",
                other.type_of()
            ))),
            Err(error) if is_about_values(&error) => Ok(false),
            Err(error) => Err(ConditionError::Failed(error.to_string())),
        }
    }
}

/// Whether the error only says that these values cannot be compared or looked into like that.
fn is_about_values(error: &ExecutionError) -> bool {
    use ExecutionError as E;
    matches!(
        error,
        E::NoSuchKey(_)
            | E::NoSuchOverload(_)
            | E::UnsupportedTargetType { .. }
            | E::NotSupportedAsMethod { .. }
            | E::UnexpectedType { .. }
            | E::UnsupportedKeyType(_)
            | E::ValuesNotComparable(..)
            | E::UnsupportedBinaryOperator(..)
            | E::UnsupportedIndex(..)
    )
}

#[cfg(test)]
mod tests;
