//! `switchboard connector new NAME`: a folder with a small connector that works, to be changed into one's own.

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Args;
use switchboard_model::problem::{Code, Problem};

use crate::cli::FINE;

/// The files of the example; `__SLUG__`, `__NAME__` and `__MONOGRAM__` are replaced.
const FILES: [(&str, &str); 5] = [
    ("connector.yaml", include_str!("template/connector.yaml")),
    ("icon.svg", include_str!("template/icon.svg")),
    ("guide.md", include_str!("template/guide.md")),
    ("scenario.yaml", include_str!("template/scenario.yaml")),
    ("simulator.rhai", include_str!("template/simulator.rhai")),
];

/// What to make.
#[derive(Debug, Args)]
pub struct NewArguments {
    /// Name of the connector and of its folder: small letters, digits and hyphens, for example my-crm
    #[arg(value_name = "NAME")]
    name: String,
    /// Where the folder is made
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    within: PathBuf,
}

/// Makes the folder.
///
/// # Errors
/// When the name cannot be one, or the folder is there already or cannot be written.
pub fn run(arguments: &NewArguments) -> Result<ExitCode, Problem> {
    let slug = arguments.name.as_str();
    if !is_slug(slug) {
        let detail = format!("`{slug}` cannot be the name of a connector.");
        let next = "Use small letters, digits and hyphens, beginning with a letter, for example my-crm.";
        return Err(Problem::new(Code::WrongSetting, detail, next).at("NAME"));
    }
    let folder = arguments.within.join(slug);
    let refuse = |why: String| {
        let detail = format!("The folder {} cannot be made: {why}", folder.display());
        Problem::new(
            Code::WrongSetting,
            detail,
            "Choose another name, or another place with --within.",
        )
    };
    fs::create_dir_all(&arguments.within).map_err(|error| refuse(error.to_string()))?;
    // What is there already is never written over.
    fs::create_dir(&folder).map_err(|error| refuse(error.to_string()))?;
    for (file, text) in FILES {
        fs::write(folder.join(file), filled(text, slug)).map_err(|error| refuse(error.to_string()))?;
    }
    let shown = folder.display();
    println!("{shown} holds a small connector that works. Try it:");
    println!("  switchboard connector check {shown}");
    println!("  switchboard connector test {shown}");
    println!(
        "Then change its files into what your vendor's documentation says; docs/guide/connector.md goes through them."
    );
    Ok(FINE)
}

fn is_slug(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 60
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

fn filled(text: &str, slug: &str) -> String {
    let words: Vec<String> = slug
        .split('-')
        .filter(|word| !word.is_empty())
        .map(capitalised)
        .collect();
    let monogram: String = words.iter().filter_map(|word| word.chars().next()).take(2).collect();
    text.replace("__SLUG__", slug)
        .replace("__NAME__", &words.join(" "))
        .replace("__MONOGRAM__", &monogram)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_slugs() {
        for (name, good) in [
            ("my-crm", true),
            ("a1", true),
            ("My", false),
            ("1a", false),
            ("a_b", false),
            ("", false),
        ] {
            assert_eq!(is_slug(name), good, "{name}");
        }
    }

    #[test]
    fn the_example_carries_its_new_name() {
        assert_eq!(filled("__SLUG__ __NAME__ __MONOGRAM__", "my-crm"), "my-crm My Crm MC");
        for (file, text) in FILES {
            assert!(!filled(text, "my-crm").contains("__"), "{file}");
        }
    }
}
