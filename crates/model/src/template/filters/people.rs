//! Filters on names and telephone numbers.

use phonenumber::{Mode, PhoneNumber};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{Arguments, Filter, Kind, Literals, Outcome, as_text};
use crate::name;

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("first_name", (0, 0), "the given name of a full name", |input, _| {
        Ok(input
            .and_then(|value| name::split(&as_text(&value)).0)
            .map(Value::String))
    })
    .gives(Kind::Text),
    Filter::new(
        "last_name",
        (0, 0),
        "the family name of a full name; absent when there is one word only",
        |input, _| {
            Ok(input
                .and_then(|value| name::split(&as_text(&value)).1)
                .map(Value::String))
        },
    )
    .gives(Kind::Text),
    Filter::new(
        "phone_e164",
        (0, 1),
        "`phone_e164: 'BY'`: a telephone number as +375…; the country is for numbers without one, and that of the \
         connection when none is named; what is no number stays as it is",
        phone,
    )
    .gives(Kind::Text)
    .checked(check_country),
    Filter::new(
        "phone_national",
        (0, 1),
        "`phone_national: 'BY'`: the number inside its country, digits only; absent when it is no telephone number",
        |input, arguments| part(input, arguments, |number| Some(number.national().to_string())),
    )
    .gives(Kind::Text)
    .checked(check_country),
    Filter::new(
        "phone_calling_code",
        (0, 1),
        "`phone_calling_code: 'BY'`: the calling code of its country, as +375",
        |input, arguments| part(input, arguments, |number| Some(format!("+{}", number.country().code()))),
    )
    .gives(Kind::Text)
    .checked(check_country),
    Filter::new(
        "phone_country",
        (0, 1),
        "`phone_country: 'BY'`: its country, as BY",
        |input, arguments| {
            part(input, arguments, |number| {
                Some(number.country().id()?.as_ref().to_owned())
            })
        },
    )
    .gives(Kind::Text)
    .checked(check_country),
];

fn check_country(literals: &Literals<'_>) -> Result<(), String> {
    match literals.at(0) {
        Some(value) if country(&as_text(value)).is_none() => Err(format!("{value} is no country code such as 'BY'")),
        _ => Ok(()),
    }
}

/// Longer texts are no telephone numbers and not worth the library's time, in bytes.
const LONGEST: usize = 64;
/// How many digits a number with its country code has (ITU-T E.164), with the shortest that are in use.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

fn country(code: &str) -> Option<phonenumber::country::Id> {
    code.to_uppercase().parse().ok()
}

/// The country of numbers without one: the argument, or that of the scope where the argument names none for this event.
fn country_of(arguments: &Arguments<'_, '_>) -> Option<phonenumber::country::Id> {
    let named = arguments.get(0).and_then(|code| country(as_text(code).trim()));
    named.or_else(|| country(arguments.scope.country?))
}

fn phone(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(value) = input else { return Ok(None) };
    let country = country_of(arguments);
    let written = as_text(&value);
    Ok(Some(
        e164(written.trim(), country).map_or_else(|| value.clone(), Value::from),
    ))
}

/// A part of a telephone number.
fn part(input: Option<Value>, arguments: &Arguments<'_, '_>, of: fn(&PhoneNumber) -> Option<String>) -> Outcome {
    let Some(value) = input else { return Ok(None) };
    let country = country_of(arguments);
    let number = read(as_text(&value).trim(), country).filter(|number| written(number).is_some());
    Ok(number.as_ref().and_then(of).map(Value::String))
}

fn read(text: &str, country: Option<phonenumber::country::Id>) -> Option<PhoneNumber> {
    if text.len() > LONGEST {
        return None;
    }
    // Digits of full width, as Chinese keyboards give them.
    let narrow: String = text.nfkc().collect();
    let normal = match narrow.strip_prefix("00") {
        Some(international) => format!("+{international}"),
        None => narrow,
    };
    phonenumber::parse(country, normal).ok()
}

/// The number as `+` and digits; `None` when it cannot be read.
fn e164(text: &str, country: Option<phonenumber::country::Id>) -> Option<String> {
    let read_once = written(&read(text, country)?)?;
    let mut number = international(text).unwrap_or(read_once);
    // Zeros in front that no number of the country has go when it is read with its country; so they go at once. For some countries the library
    // takes further digits away; what somebody has given is not shortened by these.
    while let Some(next) = read(&number, None).as_ref().and_then(written) {
        if next.len() >= number.len() || others_than_zero(&next) != others_than_zero(&number) {
            break;
        }
        number = next;
    }
    Some(number)
}

fn others_than_zero(number: &str) -> String {
    number.chars().filter(|digit| *digit != '0').collect()
}

/// A number that was given with its country, as `+` and digits; `None` when it was given otherwise or has another length.
fn international(text: &str) -> Option<String> {
    let rest = text.strip_prefix('+')?;
    let is_of_number = |sign: char| sign.is_ascii_digit() || " ()-./".contains(sign);
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let is_whole = rest.chars().all(is_of_number) && DIGITS.contains(&digits.len());
    is_whole.then(|| format!("+{digits}"))
}

fn written(number: &PhoneNumber) -> Option<String> {
    let written = number.format().mode(Mode::E164).to_string();
    // Only the length is judged: numbering plans change faster than libraries.
    DIGITS.contains(&(written.len() - 1)).then_some(written)
}
