//! What a rule says.

use std::fmt;

use super::SourceFile;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    /// A finding in a line, counted from 1.
    pub fn at(file: &SourceFile, line: usize, message: impl Into<String>) -> Self {
        Self::path(&file.path, line, message)
    }

    /// A finding about a file or folder as a whole, which may be missing.
    pub fn path(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_path_line_message() {
        assert_eq!(
            Finding::path("docs/день.md", 7, "is odd").to_string(),
            "docs/день.md:7: is odd"
        );
    }

    #[test]
    fn findings_sort_by_path_then_by_line_as_a_number() {
        let mut findings = [
            Finding::path("b", 1, ""),
            Finding::path("a", 10, ""),
            Finding::path("a", 9, ""),
        ];
        findings.sort();
        assert_eq!(findings.map(|f| f.to_string()), ["a:9: ", "a:10: ", "b:1: "]);
    }
}
