//! The page of one connector.

use std::fmt::Write;

use serde_json::Value;
use switchboard_connect::manifest::{OperationKind, RecordKind};

use super::{Described, words};
use crate::conformance::scores::published;

/// The whole page.
pub fn page(one: &Described<'_>) -> String {
    let connector = one.connector;
    let slug = connector.slug();
    let mut page = format!(
        "# {}\n\n{}\n\nMade by `switchboard connector pages` from [connector.yaml](../../../connectors/{slug}/connector.yaml). How to \
         connect it: [guide](../../../connectors/{slug}/guide.md). The vendor's own description: <{}>.\n",
        connector.name(),
        connector.summary(),
        connector.docs(),
    );
    if !connector.aliases().is_empty() {
        let _ = write!(
            page,
            "\nConfiguration files may also call it {}.\n",
            listed(connector.aliases())
        );
    }
    score(slug, &mut page);
    remarks(&one.manifest, &mut page);
    sign_in(one, &mut page);
    settings(one, &mut page);
    limits(&one.manifest, &mut page);
    failures(&one.manifest, &mut page);
    page.push_str("\n## Objects\n");
    for object in connector.object_names() {
        self::object(one, object, &mut page);
    }
    page
}

fn listed(names: &[String]) -> String {
    names
        .iter()
        .map(|name| words::code(name))
        .collect::<Vec<_>>()
        .join(", ")
}

fn score(slug: &str, page: &mut String) {
    let Some(score) = published(slug) else {
        page.push_str("\nIt has no published score of the conformance suite yet.\n");
        return;
    };
    let _ = write!(
        page,
        "\n## Conformance\n\n{} % of the cases that apply and are not waived; {} are passed. What each case checks: \
         [the suite](../../guide/connector.md).\n",
        score.score, score.passed
    );
    if score.waived.is_empty() {
        return;
    }
    page.push_str("\nWhat the vendor makes impossible:\n\n| case | object | why |\n|---|---|---|\n");
    for waived in &score.waived {
        let object = waived.object.as_deref().unwrap_or("all");
        let _ = writeln!(
            page,
            "| `{}` | {object} | {} |",
            waived.case,
            words::cell(&waived.reason)
        );
    }
}

fn remarks(manifest: &Value, page: &mut String) {
    let remarks = manifest["remarks"].as_array().into_iter().flatten();
    let mut remarks = remarks.filter_map(Value::as_str).peekable();
    if remarks.peek().is_some() {
        page.push_str("\n## Remarks\n\n");
    }
    for remark in remarks {
        let _ = writeln!(page, "- {}", remark.trim());
    }
}

fn sign_in(one: &Described<'_>, page: &mut String) {
    page.push_str("\n## Sign-in\n\n| `auth` | what it is | credentials |\n|---|---|---|\n");
    for (name, title, credentials) in one.connector.auth_kinds() {
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} |",
            words::cell(title),
            words::cell(&members(credentials))
        );
    }
}

/// The members of a schema: name, title, whether they must be there.
fn members(schema: &Value) -> String {
    let needed: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let members = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, member)| {
            let title = member["title"]
                .as_str()
                .map(|title| format!(" ({title})"))
                .unwrap_or_default();
            let optional = if needed.contains(&name.as_str()) {
                ""
            } else {
                ", may be absent"
            };
            format!("`{name}`{title}{optional}")
        });
    let members: Vec<String> = members.collect();
    if members.is_empty() {
        "none".to_owned()
    } else {
        members.join("; ")
    }
}

fn settings(one: &Described<'_>, page: &mut String) {
    let schema = one.connector.settings_schema();
    let Some(members) = schema["properties"].as_object().filter(|members| !members.is_empty()) else {
        return;
    };
    let needed: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    page.push_str("\n## Settings\n\n| setting | meaning | when absent |\n|---|---|---|\n");
    for (name, member) in members {
        let title = member["title"].as_str().unwrap_or_default();
        let about = member["description"].as_str().unwrap_or_default();
        let joint = if title.is_empty() || about.is_empty() { "" } else { ": " };
        let default = match member.get("default") {
            Some(default) => words::code(&words::plain(default)),
            None if needed.contains(&name.as_str()) => "must be there".to_owned(),
            None => String::new(),
        };
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} |",
            words::cell(&format!("{title}{joint}{about}")),
            words::cell(&default)
        );
    }
}

fn limits(manifest: &Value, page: &mut String) {
    page.push_str(
        "\n## Limits that are kept\n\nNo call starts that would go beyond one of these.\n\n| limit | amount | for |\n|---|---|---|\n",
    );
    for limit in manifest["limits"].as_array().into_iter().flatten() {
        let unit = limit["unit"].as_str().unwrap_or("calls");
        let amount = words::amount(&limit["amount"]);
        let seconds = limit["seconds"].as_u64();
        let amount = match (limit["kind"].as_str(), seconds) {
            (Some("daily"), _) => format!("{amount} {unit} a day"),
            (Some("concurrency"), None) => format!("{amount} {unit} at the same time"),
            (Some("concurrency"), Some(seconds)) => {
                format!("{amount} {unit} at the same time that take longer than {seconds} s")
            }
            (_, seconds) => format!("{amount} {unit} in {} s", seconds.unwrap_or(1)),
        };
        let fed = if limit["feeds"].is_object() {
            ", corrected by what answers tell"
        } else {
            ""
        };
        let scope = ["operations", "objects"].into_iter().filter_map(|key| {
            let names: Vec<String> = limit[key].as_array()?.iter().map(words::plain).collect();
            Some(names.join(", "))
        });
        let scope: Vec<String> = scope.collect();
        let scope = if scope.is_empty() {
            "everything".to_owned()
        } else {
            scope.join(" of ")
        };
        let name = limit["name"].as_str().unwrap_or_default();
        let _ = writeln!(page, "| {name} | {}{fed} | {scope} |", words::cell(&amount));
    }
}

fn failures(manifest: &Value, page: &mut String) {
    page.push_str(
        "\n## What the hub does when a call fails\n\nThe first rule that fits decides. An operation may have rules of its own, which come \
         first. No answer at all, and an answer that no rule fits, are *unknown*: what was written may have arrived.\n",
    );
    rules(&manifest["classify"], page);
}

fn rules(rules: &Value, page: &mut String) {
    page.push_str("\n| answer | is taken as | then the hub |\n|---|---|---|\n");
    for rule in rules.as_array().into_iter().flatten() {
        let outcome = rule["outcome"].as_str().unwrap_or_default();
        let hint = rule["hint"]
            .as_str()
            .map(|hint| format!(" A person is told: {hint}"))
            .unwrap_or_default();
        let _ = writeln!(
            page,
            "| {} | {outcome} | {}.{} |",
            words::cell(&words::condition(&rule["when"])),
            words::consequence(outcome),
            words::cell(&hint)
        );
    }
}

fn object(one: &Described<'_>, name: &str, page: &mut String) {
    let Some(object) = one.connector.object(name) else {
        return;
    };
    let identity = match object.record() {
        RecordKind::Person => "one for each person",
        RecordKind::Company => "one for each company",
        RecordKind::Event => "one for each event",
    };
    let places = object.places().map(|places| {
        let option = places.option();
        format!(", and for each of the places that a route names in `{option}`")
    });
    let places = places.unwrap_or_default();
    let mapped = match object.default_mapping() {
        Some(_) => "There is a mapping to begin with.",
        None => "It needs a mapping of one's own.",
    };
    let _ = write!(
        page,
        "\n### {name}\n\n{}: {identity}{places}. {mapped}\n",
        object.title()
    );
    operations(one, name, page);
    let spec = &one.manifest["objects"][name];
    if spec["classify"].as_array().is_some_and(|rules| !rules.is_empty()) {
        page.push_str("\nAnswers of its own, before those of the connector:\n");
        rules(&spec["classify"], page);
    }
    fields(spec, page);
}

fn operations(one: &Described<'_>, name: &str, page: &mut String) {
    page.push_str("\n| operation | after a lost answer | records per call |\n|---|---|---|\n");
    let spec = &one.manifest["objects"][name]["operations"];
    for kind in OperationKind::ALL {
        if !one.connector.offers(name, kind) {
            continue;
        }
        let own = &spec[kind.name()];
        let ways = if own.is_null() {
            &one.manifest["operations"][kind.name()]
        } else {
            own
        };
        let ways: Vec<&Value> = match ways {
            Value::Array(ways) => ways.iter().collect(),
            way => vec![way],
        };
        let lost = match kind.is_read() {
            true => match ways.iter().filter_map(|way| way["read_lag_seconds"].as_u64()).max() {
                Some(lag) => format!("asks again; a new record may be invisible to it for {lag} s"),
                None => "asks again".to_owned(),
            },
            false => words::means(one.connector.means(name, kind)).to_owned(),
        };
        let most: Vec<String> = ways
            .iter()
            .filter_map(|way| way["bulk"].get("most_items"))
            .map(|items| format!("up to {}", words::amount(items)))
            .collect();
        let most = if most.is_empty() {
            "1".to_owned()
        } else {
            most.join(", ")
        };
        let _ = writeln!(page, "| {} | {lost} | {} |", kind.name(), words::cell(&most));
    }
}

fn fields(spec: &Value, page: &mut String) {
    let Some(fields) = spec["fields"].as_object().filter(|fields| !fields.is_empty()) else {
        page.push_str("\nIts fields are those of the account; the manifest lists none.\n");
        return;
    };
    let open = match (spec["open"].as_bool(), spec.get("discover")) {
        (Some(true), _) => "Fields that are not listed pass, too.",
        (_, Some(_)) => "Further ones are those that the account has.",
        _ => "There are no others.",
    };
    let _ = write!(page, "\nFields. {open}\n\n| field | meaning | form |\n|---|---|---|\n");
    for (name, field) in fields {
        let mut form = vec![field["type"].as_str().unwrap_or("text").to_owned()];
        if field["required"] == true {
            form.push("must be there".to_owned());
        }
        if let Some(most) = field["max"].as_u64() {
            let over = if field["over"] == "cut" { "cut" } else { "refused" };
            form.push(format!("at most {most} UTF-16 units (longer: {over})"));
        }
        if let Some(values) = field["values"].as_object() {
            let values: Vec<String> = values.keys().map(|value| words::code(value)).collect();
            form.push(values.join(" "));
        }
        let title = field["title"].as_str().unwrap_or_default();
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} |",
            words::cell(title),
            words::cell(&form.join(", "))
        );
    }
}
