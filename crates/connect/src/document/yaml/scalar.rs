//! What a single YAML value means: the core schema of YAML 1.2.2, section 10.3.2. `yes`, `on` and dates are texts.

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::{Number, Value};

use super::super::Flaw;
use super::super::place::Spot;

/// Why a single value is refused.
pub(super) enum Mistake {
    /// A whole number that no JSON number here holds exactly.
    Inexact,
    /// `.inf`, `.nan`, or a number beyond all bounds.
    NotFinite,
    /// The tag's type and the text do not fit together.
    TagMismatch(String),
    /// A tag that is not of the core schema.
    UnknownTag(Tag),
}

impl Mistake {
    /// The mistake as a message. The text is not repeated: it may be a credential.
    pub(super) fn at(self, spot: Spot) -> Flaw {
        match self {
            Self::Inexact => Flaw::inexact_number(spot),
            Self::NotFinite => Flaw::new(
                spot,
                "This is a number that JSON does not have",
                "Put it in quotes if it is a text.",
            ),
            Self::TagMismatch(suffix) => {
                let detail = format!("The value is not of the type `!!{suffix}`");
                Flaw::new(spot, detail, "Remove the tag, or correct the value.")
            }
            Self::UnknownTag(tag) => unknown_tag(&tag, spot),
        }
    }
}

/// The message about a tag that nobody understands.
pub(super) fn unknown_tag(tag: &Tag, spot: Spot) -> Flaw {
    Flaw::new(
        spot,
        format!("The tag `{tag}` is not understood"),
        "Remove it; put the value in quotes if it is a text.",
    )
}

/// The value of a scalar. Whatever is in quotes or a block is a text.
pub(super) fn read(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Mistake> {
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain {
            plain(text)
        } else {
            Ok(Value::from(text))
        };
    };
    if !tag.is_yaml_core_schema() {
        return Err(Mistake::UnknownTag(tag.clone()));
    }
    let value = if tag.suffix == "str" {
        Value::from(text)
    } else {
        plain(text)?
    };
    match (tag.suffix.as_str(), value) {
        ("str", value @ Value::String(_))
        | ("null", value @ Value::Null)
        | ("bool", value @ Value::Bool(_))
        | ("float", value @ Value::Number(_)) => Ok(value),
        ("int", Value::Number(number)) if !number.is_f64() => Ok(Value::Number(number)),
        ("str" | "null" | "bool" | "float" | "int", _) => Err(Mistake::TagMismatch(tag.suffix.clone())),
        _ => Err(Mistake::UnknownTag(tag.clone())),
    }
}

fn plain(text: &str) -> Result<Value, Mistake> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Err(Mistake::NotFinite),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(Mistake::NotFinite);
    }
    if is_digits(unsigned) {
        return whole(text.strip_prefix('+').unwrap_or(text), 10);
    }
    if let Some(digits) = text
        .strip_prefix("0x")
        .filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return whole(digits, 16);
    }
    if let Some(digits) = text
        .strip_prefix("0o")
        .filter(|d| !d.is_empty() && d.bytes().all(|b| (b'0'..=b'7').contains(&b)))
    {
        return whole(digits, 8);
    }
    if is_decimal(unsigned) {
        let number = text.parse::<f64>().ok().and_then(Number::from_f64);
        return number.map(Value::Number).ok_or(Mistake::NotFinite);
    }
    Ok(Value::from(text))
}

fn whole(digits: &str, radix: u32) -> Result<Value, Mistake> {
    let small = i64::from_str_radix(digits, radix).map(Value::from);
    small
        .or_else(|_| u64::from_str_radix(digits, radix).map(Value::from))
        .map_err(|_| Mistake::Inexact)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, the sign already taken off.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => is_digits(fraction),
        Some((whole, fraction)) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
        None => is_digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(is_digits)
}
