//! Filters on names and telephone numbers.

use phonenumber::Mode;
use serde_json::Value;

use super::{Arguments, Filter, Outcome, to_text};
use crate::name;

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("first_name", (0, 0), "the given name of a full name", |input, _| {
        Ok(input.and_then(|value| name::split(&to_text(&value)).0).map(Value::String))
    }),
    Filter::new("last_name", (0, 0), "the family name of a full name; absent when there is one word only", |input, _| {
        Ok(input.and_then(|value| name::split(&to_text(&value)).1).map(Value::String))
    }),
    Filter::new("phone_e164", (0, 1), "`phone_e164: 'BY'`: a telephone number as +375…; the country is for numbers without one; what is no number stays as it is", phone)
        .checked(|literals| match literals.first() {
            Some(value) if country(&to_text(value)).is_none() => Err(format!("{value} is no country code such as 'BY'")),
            _ => Ok(()),
        }),
];

fn country(code: &str) -> Option<phonenumber::country::Id> {
    code.to_uppercase().parse().ok()
}

fn phone(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(value) = input else { return Ok(None) };
    let text = to_text(&value);
    let code = if arguments.positional.is_empty() {
        arguments.scope.country.map(str::to_owned)
    } else {
        Some(arguments.text(0))
    };
    let country = code.as_deref().and_then(country);
    // Numbers longer than any real one are not worth the library's time.
    if text.len() > 64 {
        return Ok(Some(value));
    }
    let normalised = match text.trim().strip_prefix("00") {
        Some(international) => format!("+{international}"),
        None => text.trim().to_owned(),
    };
    match phonenumber::parse(country, &normalised) {
        // Only the length is judged (E.164: at most 15 digits): numbering plans change faster than libraries.
        Ok(number) => {
            let formatted = number.format().mode(Mode::E164).to_string();
            Ok(Some(if (8..=16).contains(&formatted.len()) {
                formatted.into()
            } else {
                value
            }))
        }
        Err(_) => Ok(Some(value)),
    }
}
