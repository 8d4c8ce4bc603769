//! Settings as a settings file: what `switchboard config show` prints.

use std::fmt::Write;

use super::{Form, SETTINGS, Setting, Settings};

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
        .map(|(setting, set)| (setting, Some(set.text.clone()), format!("# {}", set.origin)));
    print(lines, false)
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
}
