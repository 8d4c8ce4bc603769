//! A vendor's script: its files, and what the engine makes of them.

use std::fmt;
use std::sync::OnceLock;

use rhai::{AST, CallFnOptions, Dynamic, EvalAltResult, FuncArgs, Position, Scope};

use super::calls;
use super::engine::engine;
use super::error::ScriptError;

/// The functions of a script: name, how many arguments, whether it must be there.
const FUNCTIONS: [(&str, usize, bool); 6] = [
    ("settings", 0, true),
    ("start", 1, false),
    ("handle", 2, true),
    ("failure", 3, true),
    ("throttle", 3, true),
    ("show", 3, false),
];

/// A file of a script.
#[derive(Debug, Clone)]
pub struct Part {
    /// As `asana/simulator/tasks.rhai`.
    pub file: String,
    /// What stands in it.
    pub text: String,
}

/// The script of one simulated vendor. It is compiled when it is first needed.
pub struct Script {
    slug: String,
    parts: Vec<Part>,
    compiled: OnceLock<Result<AST, Vec<ScriptError>>>,
}

impl fmt::Debug for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<&str> = self.parts.iter().map(|part| part.file.as_str()).collect();
        out.debug_struct("Script")
            .field("slug", &self.slug)
            .field("files", &files)
            .finish_non_exhaustive()
    }
}

impl Script {
    /// The script of a vendor that consists of these files, in this order.
    #[must_use]
    pub fn new(slug: &str, parts: Vec<Part>) -> Self {
        Self {
            slug: slug.to_owned(),
            parts,
            compiled: OnceLock::new(),
        }
    }

    /// The vendor's slug, which is the first part of its paths.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// Whether a text stands in the script between quotation marks, as the name of a table does.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        let quoted = [format!("\"{text}\""), format!("`{text}`")];
        self.parts
            .iter()
            .any(|part| quoted.iter().any(|quoted| part.text.contains(quoted.as_str())))
    }

    /// Compiles the script, once.
    ///
    /// # Errors
    /// Everything that is wrong with its files, and what it does not define.
    pub fn check(&self) -> Result<(), Vec<ScriptError>> {
        self.compiled().map(|_| ()).map_err(<[ScriptError]>::to_vec)
    }

    /// Whether the script defines one of the functions that it need not define.
    #[must_use]
    pub fn defines(&self, function: &str) -> bool {
        self.compiled()
            .is_ok_and(|ast| ast.iter_functions().any(|known| known.name == function))
    }

    /// Calls a function of the script.
    ///
    /// # Errors
    /// What is wrong with the script, or went wrong in it, with file and line.
    pub fn call(&self, function: &str, arguments: impl FuncArgs) -> Result<Dynamic, ScriptError> {
        let ast = self.compiled().map_err(|problems| {
            problems
                .first()
                .cloned()
                .unwrap_or_else(|| self.problem(0, String::new()))
        })?;
        // The constants of the script are `global::NAME` in its functions; they are made for each call.
        let options = CallFnOptions::new().eval_ast(true);
        let answer = engine().call_fn_with_options::<Dynamic>(options, &mut Scope::new(), ast, function, arguments);
        answer.map(Dynamic::flatten).map_err(|error| self.went_wrong(*error))
    }

    /// A problem of the script as a whole.
    #[must_use]
    pub fn problem(&self, line: usize, message: String) -> ScriptError {
        let (file, line) = self.place(line);
        ScriptError {
            vendor: self.slug.clone(),
            file,
            line,
            message,
        }
    }

    fn compiled(&self) -> Result<&AST, &[ScriptError]> {
        self.compiled
            .get_or_init(|| self.compile())
            .as_ref()
            .map_err(Vec::as_slice)
    }

    fn compile(&self) -> Result<AST, Vec<ScriptError>> {
        // Each file by itself first: an open brace of one is not a mistake of the next.
        let problems: Vec<ScriptError> = self
            .parts
            .iter()
            .filter_map(|part| self.compile_part(part).err())
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let joined: String = self.parts.iter().flat_map(|part| [part.text.as_str(), "\n"]).collect();
        let ast = engine().compile(&joined).map_err(|error| {
            let line = error.position().line().unwrap_or(0);
            vec![self.problem(line, error.err_type().to_string())]
        })?;
        let mut problems: Vec<ScriptError> = FUNCTIONS
            .iter()
            .filter_map(|function| self.lacks(&ast, function))
            .collect();
        problems.extend(
            calls::unknown(&ast)
                .into_iter()
                .map(|(line, message)| self.problem(line, message)),
        );
        if problems.is_empty() { Ok(ast) } else { Err(problems) }
    }

    fn compile_part(&self, part: &Part) -> Result<(), ScriptError> {
        let problem = |error: rhai::ParseError| ScriptError {
            vendor: self.slug.clone(),
            file: part.file.clone(),
            line: error.position().line(),
            message: error.err_type().to_string(),
        };
        engine().compile(&part.text).map(|_| ()).map_err(problem)
    }

    fn lacks(&self, ast: &AST, (name, arguments, is_needed): &(&str, usize, bool)) -> Option<ScriptError> {
        let counts: Vec<usize> = ast
            .iter_functions()
            .filter(|known| known.name == *name)
            .map(|known| known.params.len())
            .collect();
        if counts.contains(arguments) || (counts.is_empty() && !is_needed) {
            return None;
        }
        let example = match *name {
            "settings" => "fn settings()",
            "start" => "fn start(db)",
            "handle" => "fn handle(req, db)",
            "failure" => "fn failure(status, req, db)",
            "throttle" => "fn throttle(retry_after_s, req, db)",
            _ => "fn show(object, row, db)",
        };
        let message = match counts.first() {
            None => format!("the script does not define `{example}`"),
            Some(count) => format!("`{name}` takes {count} arguments; it must be `{example}`"),
        };
        Some(self.problem(0, message))
    }

    /// The innermost error is what happened; the outer ones say how it came there.
    fn went_wrong(&self, error: EvalAltResult) -> ScriptError {
        let (mut error, mut place) = (error, Position::NONE);
        let error = loop {
            match error {
                EvalAltResult::ErrorInFunctionCall(_, _, inner, at) => {
                    place = at;
                    error = *inner;
                }
                other => break other,
            }
        };
        let mut error = error;
        let at = error.take_position();
        let at = if at.is_none() { place } else { at };
        self.problem(at.line().unwrap_or(0), error.to_string())
    }

    /// File and line of a line of all files joined; 0 is no line, and the first file stands for all.
    fn place(&self, line: usize) -> (String, Option<usize>) {
        let mut left = line;
        for part in &self.parts {
            let lines = part.text.matches('\n').count() + 1;
            if left <= lines {
                return (part.file.clone(), (left > 0).then_some(left));
            }
            left -= lines;
        }
        let first = self.parts.first().map(|part| part.file.clone());
        (first.unwrap_or_else(|| self.slug.clone()), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str =
        "fn settings() { #{} } fn failure(status, req, db) { reply(status) } fn throttle(s, req, db) { reply(429) }";

    fn script(parts: &[(&str, &str)]) -> Script {
        let parts = parts.iter().map(|(file, text)| Part {
            file: (*file).to_owned(),
            text: (*text).to_owned(),
        });
        Script::new("made", parts.collect())
    }

    fn problems(parts: &[(&str, &str)]) -> Vec<String> {
        let problems = script(parts).check().err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_mistake_is_reported_with_its_file_and_line() {
        let good = ("made/simulator.rhai", "fn handle(req, db) { reply(200) }\n");
        let bad = ("made/simulator/part.rhai", "fn a() {\n  let x = ;\n}\n");
        let said = problems(&[good, bad, ("made/simulator/rest.rhai", REST)]);
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("made/simulator/part.rhai:2: "), "{said:?}");
        let open = problems(&[
            ("made/simulator.rhai", "fn handle(req, db) {\n"),
            ("made/simulator/rest.rhai", REST),
        ]);
        assert!(open[0].starts_with("made/simulator.rhai"), "{open:?}");
        let unknown = problems(&[("made/simulator.rhai", "fn a(x) {\n x + y\n}\n")]);
        assert!(unknown[0].contains(":2: ") && unknown[0].contains('y'), "{unknown:?}");
    }

    #[test]
    fn a_function_that_is_there_twice_or_not_at_all_is_a_mistake() {
        let twice = problems(&[
            ("made/simulator.rhai", "fn a() { 1 }\n"),
            ("made/simulator/b.rhai", "\nfn a() { 2 }"),
        ]);
        assert!(twice[0].starts_with("made/simulator/b.rhai:2: "), "{twice:?}");
        let none = problems(&[("made/simulator.rhai", "fn handle(req) { 1 }")]);
        assert_eq!(none.len(), 4, "{none:?}");
        assert!(
            none[1].contains("`handle` takes 1 arguments; it must be `fn handle(req, db)`"),
            "{none:?}"
        );
    }

    #[test]
    fn a_call_of_a_function_that_nobody_defines_is_a_mistake() {
        let text = "fn handle(req, db) {\n  let f = |x| x + 1;\n  if db == () { misspelt(1); }\n  f.call(helper(1, 2));\n  [1].map(|x| x.nowhere());\n  \
             reply(200, [type_of(1), [3, 1].sort()])\n}\nfn helper(a) { is_text(a) && db_like(a) }\nfn db_like(a) { a.len() > 0 }\n";
        let said = problems(&[("made/simulator.rhai", text), ("made/simulator/rest.rhai", REST)]);
        let expected = [
            "made/simulator.rhai:3: there is no function `misspelt`",
            "made/simulator.rhai:4: `helper` takes 1 arguments and gets 2",
            "made/simulator.rhai:5: there is no function `nowhere`",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn what_goes_wrong_in_a_part_is_told_with_its_line_there() {
        let script = script(&[
            (
                "made/simulator.rhai",
                "const LIMIT = 5;\nfn handle(req, db) { inner(global::LIMIT) }\n",
            ),
            (
                "made/simulator/inner.rhai",
                "fn inner(x) {\n\n  if x == 5 { throw \"five\"; }\n}",
            ),
            ("made/simulator/rest.rhai", REST),
        ]);
        let error = script.call("handle", (1_i64, 2_i64)).unwrap_err();
        assert_eq!(
            (error.file.as_str(), error.line),
            ("made/simulator/inner.rhai", Some(3))
        );
        assert!(error.message.contains("five"), "{error}");
    }
}
