//! What kind of value a template gives, as far as that is known before it is filled in.

use serde_json::Value;

use super::{
    Piece,
    expression::{Expression, Operand},
};

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Not known.
    Any,
    /// Text.
    Text,
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// The kind of a value; `null` is of none that is known.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Any,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::List,
            Value::Object(_) => Self::Object,
        }
    }

    /// For sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }

    /// What is known of a value that is of one of two kinds.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Number, Self::Integer) | (Self::Integer, Self::Number) => Self::Number,
            _ => Self::Any,
        }
    }
}

/// The kind of what the pieces of a template give together.
pub(super) fn of_pieces(pieces: &[Piece]) -> Kind {
    match pieces {
        [Piece::Expression(expression)] => of_expression(expression),
        _ => Kind::Text,
    }
}

fn of_expression(expression: &Expression) -> Kind {
    let of_operand = |operand: &Operand| match operand {
        Operand::Literal(value) => Kind::of(value),
        Operand::Path(_) => Kind::Any,
    };
    expression
        .calls
        .iter()
        .fold(of_operand(&expression.operand), |kind, call| {
            match (call.filter.name, call.positional.first()) {
                ("default", Some(otherwise)) => kind.or(of_operand(otherwise)),
                _ => call.filter.gives,
            }
        })
}
