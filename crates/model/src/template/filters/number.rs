//! Filters on numbers. Whole numbers stay whole; one operand with a fraction makes the result one with a fraction.

use serde_json::{Number, Value};

use super::{Arguments, Filter, Kind, Literals, Outcome, excerpt};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("plus", (1, 1), "the sum", |input, arguments| {
        pair(input, arguments, i64::checked_add, |a, b| a + b)
    })
    .gives(Kind::Number)
    .checked(is_number),
    Filter::new("minus", (1, 1), "the difference", |input, arguments| {
        pair(input, arguments, i64::checked_sub, |a, b| a - b)
    })
    .gives(Kind::Number)
    .checked(is_number),
    Filter::new("times", (1, 1), "the product", |input, arguments| {
        pair(input, arguments, i64::checked_mul, |a, b| a * b)
    })
    .gives(Kind::Number)
    .checked(is_number),
    Filter::new(
        "divided_by",
        (1, 1),
        "the quotient; of whole numbers rounded down",
        |input, arguments| pair(input, not_zero(arguments)?, floor_div, |a, b| a / b),
    )
    .gives(Kind::Number)
    .checked(is_divisor),
    Filter::new("modulo", (1, 1), "the remainder", |input, arguments| {
        pair(input, not_zero(arguments)?, floor_mod, |a, b| a - b * (a / b).floor())
    })
    .gives(Kind::Number)
    .checked(is_divisor),
    Filter::new("at_least", (1, 1), "the larger of both", |input, arguments| {
        pair(input, arguments, |a, b| Some(a.max(b)), f64::max)
    })
    .gives(Kind::Number)
    .checked(is_number),
    Filter::new("at_most", (1, 1), "the smaller of both", |input, arguments| {
        pair(input, arguments, |a, b| Some(a.min(b)), f64::min)
    })
    .gives(Kind::Number)
    .checked(is_number),
    Filter::new("round", (0, 1), "`round: 2`: rounded to so many digits", round)
        .gives(Kind::Number)
        .checked(|literals| literals.whole(0, 0)),
    Filter::new("ceil", (0, 0), "rounded up", |input, _| rounded(input, f64::ceil)).gives(Kind::Integer),
    Filter::new("floor", (0, 0), "rounded down", |input, _| rounded(input, f64::floor)).gives(Kind::Integer),
    Filter::new("abs", (0, 0), "without its sign", |input, _| {
        let number = operand(input.as_ref())?;
        Ok(Some(match number.as_i64().and_then(i64::checked_abs) {
            Some(whole) => whole.into(),
            None => real(float(&number).abs())?,
        }))
    })
    .gives(Kind::Number),
];

/// The whole number that a value is or spells.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The number that a value is or spells.
pub(super) fn read(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => {
            let text = text.trim();
            match text.parse::<i64>() {
                Ok(whole) => Some(whole.into()),
                Err(_) => text.parse::<f64>().ok().and_then(Number::from_f64),
            }
        }
        _ => None,
    }
}

pub(super) fn operand(value: Option<&Value>) -> Result<Number, String> {
    let value = value.ok_or("the argument is missing")?;
    read(value).ok_or_else(|| format!("`{}` is no number", excerpt(value)))
}

/// A literal argument must be a number.
fn is_number(literals: &Literals<'_>) -> Result<(), String> {
    match literals.at(0) {
        Some(value) if read(value).is_none() => Err(format!("{value} is no number")),
        _ => Ok(()),
    }
}

/// A literal divisor must be a number other than zero.
fn is_divisor(literals: &Literals<'_>) -> Result<(), String> {
    is_number(literals)?;
    match literals.at(0).and_then(read) {
        Some(number) if float(&number) == 0.0 => Err("division by zero".into()),
        _ => Ok(()),
    }
}

pub(super) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

fn real(value: f64) -> Result<Value, String> {
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| "the result is no finite number".to_owned())
}

fn pair(
    input: Option<Value>,
    arguments: &Arguments<'_, '_>,
    whole: fn(i64, i64) -> Option<i64>,
    fraction: fn(f64, f64) -> f64,
) -> Outcome {
    let (a, b) = (operand(input.as_ref())?, operand(arguments.get(0))?);
    let exact = match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => whole(a, b),
        _ => None,
    };
    match exact {
        Some(exact) => Ok(Some(exact.into())),
        None => real(fraction(float(&a), float(&b))).map(Some),
    }
}

fn not_zero<'a, 'b, 'c>(arguments: &'a Arguments<'b, 'c>) -> Result<&'a Arguments<'b, 'c>, String> {
    if float(&operand(arguments.get(0))?) == 0.0 {
        Err("division by zero".into())
    } else {
        Ok(arguments)
    }
}

fn floor_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if (a % b != 0) && ((a < 0) != (b < 0)) {
        quotient - 1
    } else {
        quotient
    })
}

fn floor_mod(a: i64, b: i64) -> Option<i64> {
    a.checked_sub(floor_div(a, b)?.checked_mul(b)?)
}

fn rounded(input: Option<Value>, how: fn(f64) -> f64) -> Outcome {
    let number = operand(input.as_ref())?;
    Ok(Some(if number.is_i64() {
        Value::Number(number)
    } else {
        to_whole(how(float(&number)))?
    }))
}

/// The number as a whole one.
pub(super) fn integer(value: Option<&Value>) -> Outcome {
    let Some(number) = value.and_then(read) else {
        return Ok(None);
    };
    match number.is_i64() || number.is_u64() {
        true => Ok(Some(Value::Number(number))),
        false => to_whole(float(&number).round()).map(Some),
    }
}

fn to_whole(value: f64) -> Result<Value, String> {
    // Beyond this a float holds no exact whole numbers anyway.
    if value.abs() < 9e15 {
        Ok((value as i64).into())
    } else {
        real(value)
    }
}

fn round(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let number = operand(input.as_ref())?;
    let digits = arguments.count(0, 0)?;
    if number.is_i64() {
        return Ok(Some(Value::Number(number)));
    }
    if digits == 0 {
        return to_whole(float(&number).round()).map(Some);
    }
    fixed(&number, digits.min(15))
        .parse()
        .map_err(|_| "the number is too large".to_owned())
        .and_then(real)
        .map(Some)
}

/// A number with exactly so many decimals, rounded half away from zero *as it is written*: 1.005 is 1.01, although the
/// nearest float is less.
pub(super) fn fixed(number: &Number, decimals: usize) -> String {
    let written = number.to_string();
    if written.contains(['e', 'E']) {
        return format!("{:.decimals$}", float(number));
    }
    let (sign, digits) = written
        .strip_prefix('-')
        .map_or(("", written.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let round_up = fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5');
    let mut kept: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(decimals))
        .collect();
    if round_up {
        increment(&mut kept);
    }
    let zero = kept.iter().all(|digit| *digit == b'0');
    let kept: String = kept.into_iter().map(char::from).collect();
    let (whole, fraction) = kept.split_at(kept.len() - decimals);
    let (sign, point) = (if zero { "" } else { sign }, if decimals == 0 { "" } else { "." });
    format!("{sign}{whole}{point}{fraction}")
}

/// Adds one to a number in decimal digits.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}
