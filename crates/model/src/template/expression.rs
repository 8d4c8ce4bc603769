//! One expression: a value and the filters that it passes through.

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
    fn evaluate(&self, scope: &Scope<'_>) -> Option<Value> {
        match self {
            Self::Literal(Value::Null) => None,
            Self::Literal(value) => Some(value.clone()),
            Self::Path(path) => path.find(scope),
        }
    }

    fn collect<'p>(&'p self, paths: &mut Vec<&'p Path>) {
        if let Self::Path(path) = self {
            paths.push(path);
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
    pub(super) fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Value>, RenderError> {
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
            let result = (call.filter.apply)(value, &arguments);
            value = result.map_err(|message| RenderError::Filter {
                filter: call.filter.name,
                message,
            })?;
            if let Some(Value::String(text)) = &value {
                scope.check_size(text.len())?;
            }
        }
        Ok(value.filter(|value| !value.is_null()))
    }

    pub(super) fn collect_paths<'p>(&'p self, paths: &mut Vec<&'p Path>) {
        self.operand.collect(paths);
        for call in &self.calls {
            call.positional
                .iter()
                .chain(call.named.iter().map(|(_, operand)| operand))
                .for_each(|o| o.collect(paths));
        }
    }
}
