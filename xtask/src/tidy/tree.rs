//! The files that the rules look at.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// One file of the repository.
#[derive(Debug)]
pub struct SourceFile {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// Size in bytes.
    pub size: usize,
    /// The text; empty when the file is not UTF-8 text.
    pub text: String,
}

impl SourceFile {
    /// The lines with their numbers, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The same without lines that are wholly a `//` comment: what a rule about Rust code has to look at.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// All files that git tracks or would track, in the order of their paths.
#[derive(Debug)]
pub struct Tree {
    files: Vec<SourceFile>,
}

impl Tree {
    /// Reads the repository at `root`. New files count before they are added; ignored ones never do.
    pub fn read(root: &Path) -> Result<Self> {
        let listing = Command::new("git")
            .current_dir(root)
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
                "--deduplicate",
            ])
            .output()
            .context("git did not start; tidy lists the files with it")?;
        if !listing.status.success() {
            bail!(
                "git ls-files failed: {}",
                String::from_utf8_lossy(&listing.stderr).trim()
            );
        }
        let listing = String::from_utf8(listing.stdout).context("a file name is not UTF-8")?;
        let mut files = Vec::new();
        for path in listing.split('\0').filter(|path| !path.is_empty()) {
            match std::fs::read(root.join(path)) {
                Ok(bytes) => files.push(Self::file(path, bytes)),
                // Tracked, but deleted in the working tree; a symbolic link to a folder is no file either.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {}
                Err(error) => return Err(error).context(path.to_owned()),
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    fn file(path: &str, bytes: Vec<u8>) -> SourceFile {
        let size = bytes.len();
        let text = String::from_utf8(bytes)
            .ok()
            .filter(|text| !text.contains('\0'))
            .unwrap_or_default();
        SourceFile {
            path: path.to_owned(),
            size,
            text,
        }
    }

    /// A tree of these paths and texts, for the tests of the rules.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files
                .iter()
                .map(|(path, text)| Self::file(path, text.as_bytes().to_vec()))
                .collect(),
        }
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    /// Every file whose name ends like this.
    pub fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.path.ends_with(end))
    }

    /// The file at this path.
    pub fn get(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether a file, or a folder with a file in it, is at this path.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.iter().any(|file| match file.path.strip_prefix(path) {
            Some(rest) => path.is_empty() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_found_and_beginnings_of_names_are_not() {
        let tree = Tree::of(&[("docs/手册/a.md", ""), ("README.md", "")]);
        for (path, there) in [
            ("docs", true),
            ("docs/", true),
            ("docs/手册", true),
            ("docs/手册/a.md", true),
            ("", true),
            ("doc", false),
            ("docs/手册/a", false),
            ("README.md/x", false),
        ] {
            assert_eq!(tree.has(path), there, "{path:?}");
        }
    }

    #[test]
    fn what_is_not_text_has_a_size_but_no_lines() {
        let file = Tree::file("a.png", vec![0x89, b'P', b'\n', 0xff]);
        assert_eq!((file.size, file.lines().count()), (4, 0));
        assert_eq!(Tree::file("b", b"a\0b".to_vec()).lines().count(), 0);
    }

    #[test]
    fn lines_of_code_leave_out_comments_and_keep_their_numbers() {
        let file = Tree::file("a.rs", b"//! a\nlet b = 1; // c\n    /// d\n".to_vec());
        assert_eq!(file.code_lines().collect::<Vec<_>>(), [(2, "let b = 1; // c")]);
    }

    #[test]
    fn this_repository_can_be_read_and_holds_this_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert!(Tree::read(root).unwrap().get(file!()).is_some_and(|file| file.size > 0));
    }
}
