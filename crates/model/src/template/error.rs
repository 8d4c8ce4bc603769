//! What can be wrong with a template, and with filling it in.

/// A mistake in a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}{}", self.parenthesis())]
pub struct TemplateError {
    /// Byte offset in the source.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

impl TemplateError {
    fn parenthesis(&self) -> String {
        self.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default()
    }

    /// A mistake at a byte offset of `source`.
    pub(super) fn at(source: &str, offset: usize, message: impl Into<String>, hint: Option<String>) -> Self {
        let before = &source[..source.floor_char_boundary(offset)];
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1,
            message: message.into(),
            hint,
        }
    }
}

/// Why a template could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A filter cannot work on what it got.
    #[error("filter `{filter}`: {message}")]
    Filter {
        /// Which filter.
        filter: &'static str,
        /// Why.
        message: String,
    },
    /// The result is larger than is allowed.
    #[error("the result is longer than {limit} bytes")]
    TooLong {
        /// How long it may be.
        limit: usize,
    },
}
