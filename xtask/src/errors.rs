//! Every problem code has a page in `docs/reference/errors/` that says the same as the code.

use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::{Finding, SourceFile, Tree, pattern};

/// Where the codes stand.
const SOURCE: &str = "crates/model/src/problem.rs";
/// Where the pages stand; the file of a page is called like its code.
const PAGES: &str = "docs/reference/errors/";
/// Headings that each page has, in this order.
const HEADINGS: [&str; 4] = ["## What it means", "## Typical causes", "## What to do", "## Example"];

static ROW: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?m)^\s*\w+\s*=\s*"(?<code>SWB-[A-Z]+-\d{3})",\s*(?<status>\d{3}),\s*(?<fault>\w+),\s*"(?<title>[^"]+)";"#,
    )
});
static CODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bSWB-[A-Z]+-\d{3}\b"));

/// One row of the table of codes.
struct Row<'a> {
    line: usize,
    code: &'a str,
    status: &'a str,
    fault: &'a str,
    title: &'a str,
}

/// Looks at the table of codes and at all pages.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(source) = tree.get(SOURCE) else {
        return vec![Finding::path(SOURCE, 1, "is missing: the problem codes stand there")];
    };
    let rows = rows(source);
    if rows.is_empty() {
        return vec![Finding::at(
            source,
            1,
            "no problem code was found; the pattern in xtask/src/errors.rs is out of date",
        )];
    }
    let mut findings = Vec::new();
    for row in &rows {
        match tree.get(&format!("{PAGES}{}.md", row.code)) {
            Some(page) => findings.extend(page_findings(page, row)),
            None => findings.push(Finding::at(
                source,
                row.line,
                format!("{} has no page {PAGES}{0}.md", row.code),
            )),
        }
    }
    findings.extend(strangers(tree, &rows));
    findings
}

fn rows(source: &SourceFile) -> Vec<Row<'_>> {
    let text = &source.text;
    let found = ROW.captures_iter(text).map(|captures| {
        let (_, [code, status, fault, title]) = captures.extract();
        let start = captures.name("code").map_or(0, |code| code.start());
        Row {
            line: text[..start].matches('\n').count() + 1,
            code,
            status,
            fault,
            title,
        }
    });
    found.collect()
}

/// What a page says otherwise than its row.
fn page_findings(page: &SourceFile, row: &Row<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let heading = format!("# {}: {}", row.code, row.title);
    if page.text.lines().next() != Some(heading.as_str()) {
        findings.push(Finding::at(page, 1, format!("the first line is not `{heading}`")));
    }
    let headings: Vec<&str> = page.text.lines().filter(|line| line.starts_with("## ")).collect();
    if headings != HEADINGS {
        findings.push(Finding::at(
            page,
            1,
            format!("the headings are not {}", HEADINGS.join(", ")),
        ));
    }
    let example = page.text.rsplit("## Example").next().unwrap_or_default();
    let members = [
        format!("\"type\": \"/errors/{}\"", row.code),
        format!("\"title\": \"{}\"", row.title),
        format!("\"status\": {}", row.status),
        format!("\"code\": \"{}\"", row.code),
        format!("\"fault\": \"{}\"", row.fault.to_lowercase()),
        "\"detail\": \"".to_owned(),
        "\"next\": \"".to_owned(),
    ];
    let missing = members.iter().filter(|member| !example.contains(*member));
    findings.extend(missing.map(|member| Finding::at(page, 1, format!("the example does not say {member}"))));
    findings
}

/// Codes that documents name and pages that exist although the table does not have them.
fn strangers(tree: &Tree, rows: &[Row<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.ending(".md") {
        let code = file.path.strip_prefix(PAGES).and_then(|name| name.strip_suffix(".md"));
        if code.is_some_and(|code| !rows.iter().any(|row| row.code == code)) {
            findings.push(Finding::at(file, 1, "is the page of a code that does not exist"));
        }
        for (line, text) in file.lines() {
            let unknown = CODE
                .find_iter(text)
                .filter(|found| !rows.iter().any(|row| row.code == found.as_str()));
            findings
                .extend(unknown.map(|found| Finding::at(file, line, format!("there is no code {}", found.as_str()))));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "codes! {\n    /// Doc.\n    Busy = \"SWB-API-014\", 429, Hub, \"Too much\";\n}\n";
    const PATH: &str = "docs/reference/errors/SWB-API-014.md";
    const PAGE: &str = r#"# SWB-API-014: Too much

## What it means

## Typical causes

## What to do

## Example

{"type": "/errors/SWB-API-014", "title": "Too much", "status": 429, "code": "SWB-API-014", "detail": "…", "fault": "hub", "next": "…"}
"#;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_page_that_says_the_same_as_its_code_passes() {
        assert_eq!(found(&[(SOURCE, TABLE), (PATH, PAGE)]), Vec::<String>::new());
    }

    #[test]
    fn a_code_without_a_page_is_found_at_its_row() {
        assert_eq!(
            found(&[(SOURCE, TABLE)]),
            [format!("{SOURCE}:3: SWB-API-014 has no page {PATH}")]
        );
    }

    #[test]
    fn whatever_differs_from_the_row_is_found() {
        for (from, to, message) in [
            ("# SWB-API-014: Too much", "# Too much", "first line"),
            ("## Typical causes", "## Causes", "headings"),
            ("429", "503", "\"status\": 429"),
            ("\"hub\"", "\"vendor\"", "\"fault\": \"hub\""),
            ("/errors/SWB-API-014", "/errors/busy", "\"type\""),
        ] {
            let findings = found(&[(SOURCE, TABLE), (PATH, &PAGE.replace(from, to))]);
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert!(findings[0].contains(message), "{findings:?}");
        }
    }

    #[test]
    fn codes_that_do_not_exist_are_found_in_every_document() {
        let stale = "docs/reference/errors/SWB-OLD-001.md";
        let findings = found(&[
            (SOURCE, TABLE),
            (PATH, PAGE),
            (stale, "gone\n"),
            ("README.md", "see SWB-API-099\n"),
        ]);
        assert_eq!(
            findings,
            [
                format!("{stale}:1: is the page of a code that does not exist"),
                "README.md:1: there is no code SWB-API-099".to_owned(),
            ]
        );
    }

    #[test]
    fn a_table_that_cannot_be_read_is_a_finding_and_no_pass() {
        assert_eq!(found(&[(SOURCE, "enum Code {}\n")]).len(), 1);
        assert_eq!(found(&[]).len(), 1);
    }
}
