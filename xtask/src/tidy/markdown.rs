//! What the rules read from a Markdown file: links and inline code, outside fenced code.

use std::sync::LazyLock;

use regex::Regex;

use super::{SourceFile, pattern};

static SPAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"`([^`]+)`"));
/// `[text](target)`, `[name]: target`, and the attributes of HTML inside Markdown.
static LINK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r#"\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\s{0,3}\[[^\]^]+\]:\s+<?([^\s>]+)|\b(?:src|href)="([^"]+)""#)
});

/// Every inline code span with its line.
pub fn spans(file: &SourceFile) -> Vec<(usize, &str)> {
    let lines = prose(file).into_iter();
    lines
        .flat_map(|(line, text)| SPAN.captures_iter(text).map(move |c| (line, c.extract::<1>().1[0])))
        .collect()
}

/// Every link's target with its line; what stands in inline code is no link.
pub fn links(file: &SourceFile) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, text) in prose(file) {
        let text = SPAN.replace_all(text, "");
        let targets = LINK
            .captures_iter(&text)
            .filter_map(|c| c.iter().skip(1).flatten().next());
        found.extend(targets.map(|target| (line, target.as_str().to_owned())));
    }
    found
}

/// The lines outside fenced code.
fn prose(file: &SourceFile) -> Vec<(usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (line, text) in file.lines() {
        let start = text.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => lines.push((line, text)),
            (Some(_), _) => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Tree;

    fn of<T>(text: &str, read: impl Fn(&SourceFile) -> T) -> T {
        let tree = Tree::of(&[("a.md", text)]);
        read(tree.get("a.md").unwrap())
    }

    #[test]
    fn links_of_every_form_are_found() {
        for (text, expected) in [
            ("see [a](b.md) and [c](d/е.md#f).", vec!["b.md", "d/е.md#f"]),
            ("![icon](<icon.svg> \"title\")", vec!["icon.svg"]),
            ("[ref]: ../x.md", vec!["../x.md"]),
            ("[^1]: a footnote", vec![]),
            ("<img src=\"docs/a.png\" alt=\"\">", vec!["docs/a.png"]),
            ("[`code`](b.md)", vec!["b.md"]),
            ("`[no](link.md)` and a[0](b c)", vec![]),
            ("```\n[no](link.md)\n```\n[yes](y.md)", vec!["y.md"]),
        ] {
            let found: Vec<String> = of(text, links).into_iter().map(|(_, target)| target).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn code_spans_are_found_with_their_lines_and_fences_are_skipped() {
        let text = "a `b/c.rs`\n~~~\n```\n`no`\n~~~\n`d` and `e f`";
        let found: Vec<(usize, String)> = of(text, |f| spans(f).into_iter().map(|(l, s)| (l, s.to_owned())).collect());
        assert_eq!(found, [(1, "b/c.rs".into()), (6, "d".into()), (6, "e f".into())]);
    }
}
