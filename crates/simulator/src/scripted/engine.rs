//! The engine that all scripts run in: what they may call, and how much they may use.

use std::sync::LazyLock;

use rhai::packages::{Package, StandardPackage};
use rhai::{Engine, FLOAT, INT};

use super::{
    Wrong, batched, consent, digests, graphql, kinds, limits, luck, paths, patterns, reply, request, rows, schemas,
    state, texts, time, tokens,
};

/// Steps of one call, as the engine counts them; some seconds of work.
const MOST_STEPS: u64 = 50_000_000;
/// Functions of a script within each other.
const DEEPEST_CALLS: usize = 48;
/// Expressions within each other, in the script itself and in one of its functions.
const DEEPEST_EXPRESSIONS: (usize, usize) = (128, 128);
/// Bytes of a text.
const LONGEST_TEXT: usize = 64 << 20;
/// Items of a list, members of a map; those within them count too.
const MOST_ITEMS: usize = 2_000_000;

/// Words that the engine keeps for later versions of its language and that vendors use as names: they are names here.
const NAMES: [&str; 32] = [
    "with",
    "new",
    "default",
    "case",
    "is",
    "match",
    "public",
    "protected",
    "shared",
    "static",
    "use",
    "module",
    "package",
    "super",
    "thread",
    "spawn",
    "go",
    "async",
    "await",
    "sync",
    "exit",
    "goto",
    "var",
    "void",
    "yield",
    "call",
    "print",
    "debug",
    "null",
    "nil",
    "begin",
    "end",
];

static ENGINE: LazyLock<Engine> = LazyLock::new(build);

/// The engine; it is made once.
#[must_use]
pub fn engine() -> &'static Engine {
    &ENGINE
}

fn build() -> Engine {
    // A raw engine reads no files: a script is whole, and alone.
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    engine
        .set_max_operations(MOST_STEPS)
        .set_max_call_levels(DEEPEST_CALLS)
        .set_max_expr_depths(DEEPEST_EXPRESSIONS.0, DEEPEST_EXPRESSIONS.1)
        .set_max_string_size(LONGEST_TEXT)
        .set_max_array_size(MOST_ITEMS)
        .set_max_map_size(MOST_ITEMS)
        .set_strict_variables(true)
        .disable_symbol("eval");
    free_names(&mut engine);
    engine.on_print(|text| tracing::info!(target: "simulator::script", "{text}"));
    engine.on_debug(|text, _, place| tracing::info!(target: "simulator::script", "{place:?}: {text}"));
    forbid(&mut engine);
    for register in [
        request::register,
        reply::register,
        batched::register,
        state::register,
        rows::register,
        tokens::register,
        consent::register,
        limits::register,
        luck::register,
        kinds::register,
        paths::register,
        patterns::register,
        schemas::register,
        graphql::register,
        texts::register,
        time::register,
        digests::register,
    ] {
        register(&mut engine);
    }
    engine
}

#[expect(
    deprecated,
    reason = "the engine marks the call as subject to change; there is no other way to free a word"
)]
fn free_names(engine: &mut Engine) {
    engine.on_parse_token(|token, _, _| match token {
        rhai::Token::Reserved(word) if NAMES.contains(&word.as_str()) => rhai::Token::Identifier(word),
        token => token,
    });
}

/// What would make an answer depend on the machine.
fn forbid(engine: &mut Engine) {
    engine.register_fn("timestamp", || -> Result<(), Wrong> {
        Err("the time is req.now_ms".into())
    });
    engine.register_fn("sleep", |_: INT| -> Result<(), Wrong> { Err(NO_SLEEP.into()) });
    engine.register_fn("sleep", |_: FLOAT| -> Result<(), Wrong> { Err(NO_SLEEP.into()) });
}

const NO_SLEEP: &str = "a simulator does not wait; the dial does that";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::{fails, says};

    #[test]
    fn words_that_vendors_use_are_names() {
        for (script, expected) in [
            (
                "let row = #{new: 1, default: 2, case: 3, public: 4, call: 5}; row.new + row.default + row.case + row.public + row.call",
                json!(15),
            ),
            ("let case = 1; case", json!(1)),
            ("let f = |x| x + 1; f.call(2)", json!(3)),
            (r#"reply(200).with("a", 1).status"#, json!(200)),
            ("let row = #{shared: #{is: #{match: 7}}}; row.shared.is.match", json!(7)),
            ("#{a: 1}?.b?.c", json!(null)),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
    }

    #[test]
    fn a_script_cannot_run_for_ever_nor_ask_the_machine() {
        for (script, part) in [
            ("loop { }", "operations"),
            ("let t = \"x\"; loop { t += t; }", "ength"),
            ("let t = [0]; loop { t += t; }", "ize"),
            ("again(0)", "overflow"),
            ("timestamp()", "req.now_ms"),
            ("sleep(1)", "does not wait"),
            ("import \"x\" as x; 1", "odule"),
        ] {
            let said = fails(script);
            assert!(said.contains(part), "{script}: {said}");
        }
    }

    #[test]
    fn functions_of_functions_may_be_as_deep_as_is_allowed() {
        assert_eq!(says("deep(40)"), json!(40));
    }
}
