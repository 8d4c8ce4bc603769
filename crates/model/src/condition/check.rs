//! What a condition may not be: too long, too large, a loop, or something that cannot be meant.

use cel::{
    IdedExpr, ParseErrors,
    common::ast::{CallExpr, EntryExpr, Expr, LiteralValue},
};

use super::{ConditionError, LONGEST_SOURCE, functions};
use crate::nearest::nearest;

/// More nodes than this are refused.
const MOST_NODES: usize = 500;
/// Brackets nested more deeply than this are refused before the text is parsed.
const DEEPEST: usize = 32;
/// What makes loops in CEL.
const LOOPS: &[&str] = &["all", "exists", "exists_one", "existsOne", "map", "filter"];
/// What people write from habit, and what CEL has for it.
const SLIPS: &[(&str, &str)] = &[
    ("===", "=="),
    ("<>", "!="),
    (" and ", "&&"),
    (" or ", "||"),
    ("not ", "!"),
    (" = ", "=="),
];

/// Looks at the text, so that the parser never sees what could exhaust it.
pub(super) fn source(source: &str) -> Result<(), ConditionError> {
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
            // These nest without brackets.
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

/// The parser's first complaint as one sentence with its place and what was probably meant.
pub(super) fn syntax_error(source: &str, errors: &ParseErrors) -> ConditionError {
    let Some(first) = errors.errors.first() else {
        return ConditionError::Syntax("it cannot be read".into());
    };
    // Behind this stands every token that would have been possible.
    let message = first
        .msg
        .split(" expecting ")
        .next()
        .unwrap_or_default()
        .replace("'<EOF>'", "the end of the condition");
    let (line, column) = first.pos;
    let slip = SLIPS.iter().find(|(written, _)| source.contains(written));
    let hint = slip.map(|(written, meant)| format!(" (CEL writes `{meant}` for `{}`)", written.trim()));
    ConditionError::Syntax(format!(
        "line {line}, column {column}: {message}{}",
        hint.unwrap_or_default()
    ))
}

/// Looks at what was parsed.
pub(super) fn expression(expression: &IdedExpr) -> Result<(), ConditionError> {
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
            Expr::Comprehension(_) => return Err(no_loops()),
            Expr::Struct(_) => {
                return Err(ConditionError::Forbidden(
                    "messages cannot be made in conditions".into(),
                ));
            }
            Expr::Call(call) => {
                check_call(call)?;
                pending.extend(call.target.as_deref());
                pending.extend(&call.args);
            }
            Expr::List(list) => pending.extend(&list.elements),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
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

fn no_loops() -> ConditionError {
    let names: Vec<String> = LOOPS.iter().map(|name| format!("`{name}`")).collect();
    ConditionError::Forbidden(format!(
        "loops over lists ({}) are not allowed in conditions",
        names.join(", ")
    ))
}

fn check_call(call: &CallExpr) -> Result<(), ConditionError> {
    let name = call.func_name.as_str();
    // Operators are calls too; their names are signs.
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(());
    }
    if LOOPS.contains(&name) {
        return Err(no_loops());
    }
    let known = if call.target.is_some() {
        functions::METHODS
    } else {
        functions::FUNCTIONS
    };
    if !known.contains(&name) {
        let other_way = match (functions::METHODS.contains(&name), functions::FUNCTIONS.contains(&name)) {
            (true, _) => Some(format!("write `text.{name}(…)`")),
            (_, true) => Some(format!("write `{name}(…)`")),
            _ => nearest(name, known.iter().copied()).map(|known| format!("did you mean `{known}`?")),
        };
        let hint = other_way.map(|hint| format!("; {hint}")).unwrap_or_default();
        return Err(ConditionError::Syntax(format!(
            "there is no function `{name}` here{hint}"
        )));
    }
    if name == "matches"
        && let Some(Expr::Literal(LiteralValue::String(pattern))) = call.args.last().map(|argument| &argument.expr)
    {
        functions::regular_expression(pattern.inner()).map_err(ConditionError::Syntax)?;
    }
    Ok(())
}
