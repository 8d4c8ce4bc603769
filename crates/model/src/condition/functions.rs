//! The functions that conditions know: CEL's own, `matches` with remembered regular expressions, and `contains` on
//! lists.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use cel::{
    DeclarationError, Env, ExecutionError,
    common::{
        traits::Container,
        types::{CelBool, CelList, CelString, DYN_TYPE, LIST_TYPE, STRING_TYPE},
        value::CowVal,
    },
};
use regex::{Regex, RegexBuilder};

/// Functions that are written `name(value)`.
pub(super) const FUNCTIONS: &[&str] = &[
    "size", "matches", "int", "uint", "double", "string", "bool", "bytes", "type", "dyn",
];
/// Functions that are written `value.name(…)`.
pub(super) const METHODS: &[&str] = &["contains", "startsWith", "endsWith", "matches", "size"];

/// Compiled regular expressions take no more memory than this, in bytes.
const LARGEST_REGEX: usize = 1 << 20;
/// No more regular expressions than this are remembered; then all are forgotten.
const MOST_REGEXES: usize = 256;

/// The standard library and ours.
pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    declare(&mut env).expect("the names are free: the crate's own `matches` is switched off");
    Arc::new(env)
});

fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let text = || STRING_TYPE.to_owned();
    env.add_overload("matches", "matches", vec![text(), text()], matches)?;
    env.add_member_overload("matches", "matches_string", text(), vec![text()], matches)?;
    env.add_member_overload(
        "contains",
        "list_contains",
        LIST_TYPE.to_owned(),
        vec![DYN_TYPE.to_owned()],
        has_item,
    )
}

fn matches<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = |at: usize| {
        arguments
            .get(at)
            .and_then(|argument| argument.downcast_ref::<CelString<'_>>())
    };
    let (Some(text), Some(pattern)) = (text(0), text(1)) else {
        return Err(ExecutionError::function_error("matches", "expected two texts"));
    };
    let regex =
        regular_expression(pattern.inner()).map_err(|error| ExecutionError::function_error("matches", error))?;
    Ok(CowVal::owned(CelBool::from(regex.is_match(text.inner()))))
}

fn has_item<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let list = arguments
        .first()
        .and_then(|argument| argument.downcast_ref::<CelList<'_>>());
    let (Some(list), Some(item)) = (list, arguments.get(1)) else {
        return Err(ExecutionError::function_error(
            "contains",
            "expected a list and a value",
        ));
    };
    Ok(CowVal::owned(CelBool::from(list.contains(item.as_ref())?)))
}

/// The compiled form of a pattern; compiling costs a thousand times what matching does, so it is remembered.
///
/// # Errors
/// Why it is no regular expression.
pub(super) fn regular_expression(pattern: &str) -> Result<Regex, String> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = known().get(pattern) {
        return Ok(regex.clone());
    }
    let regex = RegexBuilder::new(pattern)
        .size_limit(LARGEST_REGEX)
        .build()
        .map_err(|error| {
            // The library's message shows the pattern in several lines; its last line says what is wrong.
            let reason = error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim()
                .trim_start_matches("error: ")
                .to_owned();
            format!("`{pattern}` is no regular expression: {reason}")
        })?;
    let mut known = known();
    if known.len() >= MOST_REGEXES {
        known.clear();
    }
    known.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}
