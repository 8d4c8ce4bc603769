//! The variables of a condition.
//!
//! When a condition is compiled, each path in it (`sender.country`, `items[0]['price']`) becomes one variable, so that
//! deciding it looks up exactly the values that it names and converts nothing else.

use cel::{
    IdedExpr,
    common::{
        ast::{CallExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators},
        types::CelString,
        value::CowVal,
    },
    context::VariableResolver,
};

use super::cel_value;
use crate::template::{Path, Scope, Step};

/// Names of CEL's types; alone they mean the type (`type(x) == string`), followed by a step they are variables.
const TYPES: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "dyn",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "uint",
];

/// What an identifier stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Variable {
    /// `type`
    Kind,
    /// `event`
    Whole,
    /// Anything else.
    Path(Path),
}

impl Variable {
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Kind | Self::Whole => None,
        }
    }

    /// What a path expression stands for; `None` when the expression is none.
    fn read(expression: &Expr) -> Option<Self> {
        let (root, mut steps) = read_path(expression)?;
        match root {
            "event" if steps.is_empty() => Some(Self::Whole),
            "event" => match steps.remove(0) {
                Step::Key(root) => Some(Self::Path(Path { root, steps })),
                Step::Index(_) => None,
            },
            "type" if steps.is_empty() => Some(Self::Kind),
            name if steps.is_empty() && TYPES.contains(&name) => None,
            name => Some(Self::Path(Path {
                root: name.to_owned(),
                steps,
            })),
        }
    }
}

fn read_path(mut expression: &Expr) -> Option<(&str, Vec<Step>)> {
    let mut steps = Vec::new();
    loop {
        match expression {
            Expr::Ident(name) => {
                steps.reverse();
                return Some((name.trim_start_matches('.'), steps));
            }
            Expr::Select(select) if !select.test => {
                steps.push(Step::Key(select.field.clone()));
                expression = &select.operand.expr;
            }
            Expr::Call(call) if call.func_name == operators::INDEX && call.target.is_none() => {
                let [operand, index] = call.args.as_slice() else {
                    return None;
                };
                steps.push(match &index.expr {
                    Expr::Literal(LiteralValue::String(key)) => Step::Key(key.inner().to_owned()),
                    Expr::Literal(LiteralValue::Int(index)) => Step::Index(*index.inner()),
                    Expr::Literal(LiteralValue::UInt(index)) => Step::Index(i64::try_from(*index.inner()).ok()?),
                    _ => return None,
                });
                expression = &operand.expr;
            }
            _ => return None,
        }
    }
}

/// Replaces every path by a variable and answers what the variables stand for; `has(path)` becomes `path != null`.
pub(super) fn bind(expression: &mut IdedExpr) -> Vec<Variable> {
    let mut variables = Vec::new();
    let mut pending = vec![expression];
    while let Some(node) = pending.pop() {
        if let Expr::Select(select) = &mut node.expr
            && select.test
        {
            node.expr = not_null(std::mem::take(select));
        }
        if let Some(variable) = Variable::read(&node.expr) {
            let at = variables
                .iter()
                .position(|known| *known == variable)
                .unwrap_or_else(|| {
                    variables.push(variable);
                    variables.len() - 1
                });
            node.expr = Expr::Ident(format!("@{at}"));
            continue;
        }
        match &mut node.expr {
            Expr::Call(call) => {
                pending.extend(call.target.as_deref_mut());
                pending.extend(&mut call.args);
            }
            Expr::List(list) => pending.extend(&mut list.elements),
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        pending.extend([&mut entry.key, &mut entry.value]);
                    }
                }
            }
            Expr::Select(select) => pending.push(&mut select.operand),
            _ => {}
        }
    }
    variables
}

fn not_null(select: SelectExpr) -> Expr {
    let null = IdedExpr {
        id: 0,
        expr: Expr::Literal(LiteralValue::Null),
    };
    let value = IdedExpr {
        id: 0,
        expr: Expr::Select(SelectExpr { test: false, ..select }),
    };
    Expr::Call(CallExpr {
        func_name: operators::NOT_EQUALS.to_owned(),
        target: None,
        args: vec![value, null],
    })
}

/// The values of the variables for one event.
pub(super) struct Variables<'a> {
    pub kind: &'a str,
    pub scope: &'a Scope<'a>,
    pub all: &'a [Variable],
}

impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let at: usize = name.strip_prefix('@')?.parse().ok()?;
        Some(match self.all.get(at)? {
            Variable::Kind => CowVal::owned(CelString::from(self.kind)),
            Variable::Whole => CowVal::Owned(cel_value::whole(self.scope)),
            Variable::Path(path) => CowVal::Owned(cel_value::from_json(path.locate(self.scope))),
        })
    }
}
