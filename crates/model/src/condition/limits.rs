//! What a condition may not be: too long, too large, or a loop.

use cel::common::ast::{Expr, IdedExpr};

use super::{ConditionError, LONGEST_SOURCE};

/// More nodes than this are refused.
const MOST_NODES: usize = 500;
/// Brackets nested more deeply than this are refused before the text is parsed.
const DEEPEST: usize = 32;

/// Looks at the text, so that the parser never sees what could exhaust it.
pub(super) fn check_source(source: &str) -> Result<(), ConditionError> {
    if source.len() > LONGEST_SOURCE {
        return Err(ConditionError::Forbidden(format!(
            "the condition is longer than {LONGEST_SOURCE} bytes"
        )));
    }
    if source.trim().is_empty() {
        return Err(ConditionError::Syntax(
            "the condition is empty; leave it out to let every event pass".into(),
        ));
    }
    let mut depth = 0_usize;
    let mut signs = 0_usize;
    for letter in source.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            // Unary operators nest without brackets.
            '!' | '-' | '?' => signs += 1,
            _ => {}
        }
        if depth > DEEPEST || signs > MOST_NODES {
            return Err(ConditionError::Forbidden(format!(
                "the condition is nested more than {DEEPEST} deep"
            )));
        }
    }
    Ok(())
}

/// Looks at what was parsed.
pub(super) fn check(expression: &IdedExpr) -> Result<(), ConditionError> {
    let mut pending = vec![expression];
    let mut nodes = 0;
    while let Some(node) = pending.pop() {
        nodes += 1;
        if nodes > MOST_NODES {
            return Err(ConditionError::Forbidden(format!(
                "the condition has more than {MOST_NODES} parts"
            )));
        }
        match &node.expr {
            Expr::Comprehension(_) => {
                let message =
                    "loops over lists (`all`, `exists`, `exists_one`, `map`, `filter`) are not allowed in conditions";
                return Err(ConditionError::Forbidden(message.into()));
            }
            Expr::Struct(_) => {
                return Err(ConditionError::Forbidden(
                    "messages cannot be made in conditions".into(),
                ));
            }
            Expr::Call(call) => {
                pending.extend(call.target.as_deref());
                pending.extend(&call.args);
            }
            Expr::List(list) => pending.extend(&list.elements),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let cel::common::ast::EntryExpr::MapEntry(entry) = &entry.expr {
                        pending.extend([&entry.key, &entry.value]);
                    }
                }
            }
            Expr::Select(select) => pending.push(&select.operand),
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        }
    }
    Ok(())
}
