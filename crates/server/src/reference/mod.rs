//! The pages of the reference that tell what each built-in connector does: made of its manifest, its scenario's waivers and its score, so
//! that they cannot say anything else. `switchboard connector pages` writes them; a test compares.

mod index;
mod page;
mod words;

use std::{fs, path::Path};

use serde_json::Value;
use switchboard_connect::{connector::Connector, document::Document, registry::Registry};
use switchboard_model::problem::{Code, Problem};

/// Where the pages are, below the root of the repository.
pub const FOLDER: &str = "docs/reference/connectors";
/// The page that lists the others.
const INDEX: &str = "README.md";
/// The page of the repository, which has the list, too.
const FRONT: &str = "README.md";
/// What stands around the list there.
const BEGIN: &str = "<!-- connectors: made by `switchboard connector pages` -->\n";
const END: &str = "<!-- end of connectors -->";

/// A connector with its manifest as it was written.
#[derive(Debug)]
pub struct Described<'r> {
    connector: &'r Connector,
    manifest: Value,
}

/// A file that is made.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Its path below the root of the repository.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Every page, and the front page `front` with its list as it should be.
///
/// # Errors
/// When a built-in connector cannot be read, or the front page has no place for the list.
pub fn pages(front: &str) -> Result<Vec<Page>, Problem> {
    let registry = Registry::embedded().map_err(|problems| {
        Problem::all(problems).unwrap_or_else(|| Problem::new(Code::Internal, "no connectors", "Report this."))
    })?;
    let mut described = Vec::new();
    for connector in registry.iter() {
        let text = Registry::embedded_manifest(connector.slug()).unwrap_or_default();
        described.push(Described {
            connector,
            manifest: Document::parse(text, connector.slug())?.value().clone(),
        });
    }
    let own = |described: &Described<'_>| Page {
        path: format!("{FOLDER}/{}.md", described.connector.slug()),
        text: page::page(described),
    };
    let mut pages: Vec<Page> = described.iter().map(own).collect();
    pages.push(Page {
        path: format!("{FOLDER}/{INDEX}"),
        text: index::page(&described),
    });
    pages.push(Page {
        path: FRONT.to_owned(),
        text: with_list(front, &index::table(&described, "docs/reference/connectors/"))?,
    });
    Ok(pages)
}

/// Writes every page below the root of the repository.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(root: &Path) -> Result<usize, Problem> {
    let failed = |path: &Path, error: &std::io::Error| {
        let detail = format!("{} cannot be used: {error}", path.display());
        Problem::new(Code::UnknownFile, detail, "Name the root of the repository.")
    };
    let front = root.join(FRONT);
    let front = fs::read_to_string(&front).map_err(|error| failed(&front, &error))?;
    let pages = pages(&front)?;
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    for page in &pages {
        let path = root.join(&page.path);
        fs::write(&path, &page.text).map_err(|error| failed(&path, &error))?;
    }
    Ok(pages.len())
}

fn with_list(front: &str, list: &str) -> Result<String, Problem> {
    let missing = || {
        let next = format!("Write `{}` and `{END}` around it.", BEGIN.trim());
        Problem::new(
            Code::WrongShape,
            format!("{FRONT} has no place for the list of connectors"),
            next,
        )
    };
    let (before, rest) = front.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}{list}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_pages_are_the_present_ones() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let front = fs::read_to_string(root.join(FRONT)).unwrap();
        let pages = pages(&front).unwrap_or_else(|problem| panic!("{problem}"));
        for page in &pages {
            let present = fs::read_to_string(root.join(&page.path)).unwrap_or_default();
            assert!(
                present == page.text,
                "{} is out of date; write it anew with\n    cargo run -q -p switchboard-server -- connector pages .",
                page.path
            );
        }
        for file in fs::read_dir(root.join(FOLDER)).unwrap() {
            let name = file.unwrap().file_name().to_string_lossy().into_owned();
            assert!(
                pages.iter().any(|page| page.path == format!("{FOLDER}/{name}")),
                "{name} is of no connector"
            );
        }
    }

    #[test]
    fn the_list_takes_the_place_of_the_former_one_only() {
        let front = format!("# A\n\n{BEGIN}old\n{END}\n\n## B\n");
        assert_eq!(
            with_list(&front, "new\n").unwrap(),
            format!("# A\n\n{BEGIN}new\n{END}\n\n## B\n")
        );
        assert!(with_list("# A\n", "new\n").is_err());
    }
}
