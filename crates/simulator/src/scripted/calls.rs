//! Calls of functions that nobody defines: the engine would notice only when it comes there.

use std::collections::HashSet;
use std::sync::LazyLock;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::engine::engine;

/// What the language itself calls like functions.
const WORDS: [&str; 9] = [
    "type_of",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "Fn",
    "call",
    "curry",
    "print",
    "debug",
];

/// Names of all native functions.
static NATIVE: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let signatures = engine().gen_fn_signatures(true);
    let name = |signature: &String| signature.split('(').next().map(str::to_owned);
    signatures.iter().filter_map(name).collect()
});

/// Line and what is wrong, for every call of a function that neither the script nor the engine has.
#[must_use]
pub fn unknown(ast: &AST) -> Vec<(usize, String)> {
    let own: Vec<(&str, usize)> = ast
        .iter_functions()
        .map(|known| (known.name, known.params.len()))
        .collect();
    let mut problems = Vec::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some((call, place)) = path.last().and_then(called)
            && let Some(problem) = judged(call, &own)
        {
            problems.push((place.line().unwrap_or(0), problem));
        }
        true
    });
    problems.sort();
    problems.dedup();
    problems
}

fn called<'a>(node: &'a ASTNode<'a>) -> Option<(&'a FnCallExpr, Position)> {
    match node {
        ASTNode::Expr(Expr::FnCall(call, place) | Expr::MethodCall(call, place)) => Some((call, *place)),
        ASTNode::Stmt(Stmt::FnCall(call, place)) => Some((call, *place)),
        _ => None,
    }
}

fn judged(call: &FnCallExpr, own: &[(&str, usize)]) -> Option<String> {
    let name = call.name.as_str();
    let is_operator =
        call.op_token.is_some() || !name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    if is_operator || name.contains('$') || WORDS.contains(&name) || NATIVE.contains(name) {
        return None;
    }
    let arities: Vec<usize> = own
        .iter()
        .filter(|(known, _)| *known == name)
        .map(|(_, count)| *count)
        .collect();
    let given = call.args.len();
    match arities.as_slice() {
        [] => Some(format!("there is no function `{name}`")),
        known if known.contains(&given) => None,
        known => Some(format!("`{name}` takes {} arguments and gets {given}", known[0])),
    }
}
