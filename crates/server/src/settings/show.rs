//! Settings as a settings file: what `switchboard config show` prints.

use std::fmt::Write;

use switchboard_hub::store::Database;

use super::{Form, SETTINGS, Set, Setting, Settings};

/// A whole settings file with every default and what it does.
pub fn print_defaults() -> String {
    let lines = SETTINGS.iter().map(|setting| {
        let comment = match setting.form {
            Form::Count(least, most) => format!("{} ({least} to {most})", setting.doc),
            Form::Choice(words) => format!("{} ({})", setting.doc, words.join(" or ")),
            _ => setting.doc.to_owned(),
        };
        let comment = format!(
            "# {comment}. Environment: {}; flag: --{}",
            setting.variable(),
            setting.flag()
        );
        (setting, Some(setting.default.to_owned()), comment)
    });
    print(lines, true)
}

/// The values in force, each with who set it. Secrets are no settings of this list, so none is printed.
pub fn print_effective(settings: &Settings) -> String {
    let lines = settings
        .values()
        .map(|(setting, set)| (setting, Some(shown(setting, set)), format!("# {}", set.origin)));
    print(lines, false)
}

/// The value as it was written, without a password.
fn shown(setting: &Setting, set: &Set) -> String {
    match (setting.form, set.text.parse::<Database>()) {
        (Form::Database, Ok(database)) => database.to_string(),
        (Form::Database, Err(_)) => String::new(),
        _ => set.text.clone(),
    }
}

fn print<'a>(lines: impl Iterator<Item = (&'a Setting, Option<String>, String)>, comment_above: bool) -> String {
    let mut text = String::new();
    let mut group = "";
    for (setting, value, comment) in lines {
        let (of, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if of != group && !of.is_empty() {
            let _ = writeln!(text, "{of}:");
        }
        group = of;
        let indent = if of.is_empty() { "" } else { "  " };
        let value = value.unwrap_or_default();
        let value = match setting.form {
            Form::Switch | Form::Count(..) => value,
            _ => quoted(&value),
        };
        let _ = if comment_above {
            writeln!(text, "{indent}{comment}\n{indent}{name}: {value}")
        } else {
            writeln!(text, "{indent}{name}: {value}  {comment}")
        };
    }
    text
}

/// JSON's way of quoting is YAML's as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use switchboard_connect::document::Document;

    use super::*;
    use crate::settings::Layers;

    #[test]
    fn the_printed_defaults_are_a_settings_file_that_changes_nothing() {
        let text = print_defaults();
        let mut layers = Layers::new();
        layers.file(&Document::parse(&text, "defaults.yaml").unwrap());
        let (values, _) = layers.finish().unwrap();
        for setting in SETTINGS {
            assert_eq!(
                values.get(setting.key).map_or("", |set| set.text.as_str()),
                setting.default,
                "{}",
                setting.key
            );
        }
        assert!(SETTINGS.iter().all(|setting| text.contains(setting.doc)));
    }

    #[test]
    fn the_password_of_the_database_is_not_printed() {
        let settings = Settings::load(crate::settings::Sources {
            flags: vec![("database", "postgres://u:hunter2@db.example.org/d".into())],
            ..Default::default()
        });
        let text = print_effective(&settings.unwrap());
        assert!(
            text.contains("postgres://u:***@db.example.org/d") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
