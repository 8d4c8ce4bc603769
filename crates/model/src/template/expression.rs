//! One expression: a value and the filters that it passes through.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    error::RenderError,
    filters::{Arguments, Filter},
    path::Path,
    scope::Scope,
};

/// A literal or a path.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Literal(Value),
    Path(Path),
}

impl Operand {
    fn evaluate<'v>(&'v self, scope: &Scope<'v>) -> Option<Cow<'v, Value>> {
        match self {
            Self::Literal(Value::Null) => None,
            Self::Literal(value) => Some(Cow::Borrowed(value)),
            Self::Path(path) => path.find(scope),
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Literal(_) => None,
        }
    }
}

/// A filter with its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub filter: &'static Filter,
    pub positional: Vec<Operand>,
    pub named: Vec<(&'static str, Operand)>,
}

/// A value and the filters that it passes through.
#[derive(Debug)]
pub(super) struct Expression {
    pub operand: Operand,
    pub calls: Vec<Call>,
}

impl Expression {
    /// The value; borrowed as long as no filter has changed it.
    pub(super) fn evaluate<'v>(&'v self, scope: &Scope<'v>) -> Result<Option<Cow<'v, Value>>, RenderError> {
        let mut value = self.operand.evaluate(scope);
        for call in &self.calls {
            // What is absent stays absent; only `default` has something to say to it.
            if value.is_none() && !call.filter.takes_absent {
                continue;
            }
            let arguments = Arguments {
                positional: call.positional.iter().map(|operand| operand.evaluate(scope)).collect(),
                named: call
                    .named
                    .iter()
                    .map(|(name, operand)| (*name, operand.evaluate(scope)))
                    .collect(),
                scope,
            };
            let result =
                (call.filter.apply)(value.map(Cow::into_owned), &arguments).map_err(|message| RenderError::Filter {
                    filter: call.filter.name,
                    message,
                })?;
            if let Some(Value::String(text)) = &result {
                scope.check_size(text.len())?;
            }
            value = result.filter(|value| !value.is_null()).map(Cow::Owned);
        }
        Ok(value)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let arguments = self.calls.iter().flat_map(|call| {
            call.positional
                .iter()
                .chain(call.named.iter().map(|(_, operand)| operand))
                .filter_map(Operand::path)
        });
        self.operand.path().into_iter().chain(arguments)
    }
}
