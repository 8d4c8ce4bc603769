//! Filters on numbers. Whole numbers stay whole; one operand with a fraction makes the result one with a fraction.

use serde_json::{Number, Value};

use super::{Arguments, Filter, Outcome, to_text};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("plus", (1, 1), "the sum", |input, arguments| {
        pair(input, arguments, i64::checked_add, |a, b| a + b)
    }),
    Filter::new("minus", (1, 1), "the difference", |input, arguments| {
        pair(input, arguments, i64::checked_sub, |a, b| a - b)
    }),
    Filter::new("times", (1, 1), "the product", |input, arguments| {
        pair(input, arguments, i64::checked_mul, |a, b| a * b)
    }),
    Filter::new(
        "divided_by",
        (1, 1),
        "the quotient; of whole numbers rounded down",
        |input, arguments| pair(input, not_zero(arguments)?, checked_floor_div, |a, b| a / b),
    ),
    Filter::new("modulo", (1, 1), "the remainder", |input, arguments| {
        pair(input, not_zero(arguments)?, checked_floor_mod, |a, b| {
            a - b * (a / b).floor()
        })
    }),
    Filter::new("at_least", (1, 1), "the larger of both", |input, arguments| {
        pair(input, arguments, |a, b| Some(a.max(b)), f64::max)
    }),
    Filter::new("at_most", (1, 1), "the smaller of both", |input, arguments| {
        pair(input, arguments, |a, b| Some(a.min(b)), f64::min)
    }),
    Filter::new("round", (0, 1), "`round: 2`: rounded to so many digits", round),
    Filter::new("ceil", (0, 0), "rounded up", |input, _| rounded(input, f64::ceil)),
    Filter::new("floor", (0, 0), "rounded down", |input, _| rounded(input, f64::floor)),
    Filter::new("abs", (0, 0), "without its sign", |input, _| {
        let number = operand(input.as_ref())?;
        Ok(Some(match number.as_i64().and_then(i64::checked_abs) {
            Some(whole) => whole.into(),
            None => real(float(&number).abs())?,
        }))
    }),
    Filter::new(
        "money",
        (0, 1),
        "`money: 'USD'`: with the number of decimals that the currency has (ISO 4217), as text",
        money,
    ),
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

fn operand(value: Option<&Value>) -> Result<Number, String> {
    let value = value.unwrap_or(&Value::Null);
    read(value).ok_or_else(|| format!("`{}` is no number", to_text(value).chars().take(40).collect::<String>()))
}

fn float(number: &Number) -> f64 {
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

fn checked_floor_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if (a % b != 0) && ((a < 0) != (b < 0)) {
        quotient - 1
    } else {
        quotient
    })
}

fn checked_floor_mod(a: i64, b: i64) -> Option<i64> {
    a.checked_sub(checked_floor_div(a, b)?.checked_mul(b)?)
}

fn rounded(input: Option<Value>, how: fn(f64) -> f64) -> Outcome {
    let number = operand(input.as_ref())?;
    Ok(Some(if number.is_i64() {
        Value::Number(number)
    } else {
        to_whole(how(float(&number)))?
    }))
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
    let digits = arguments.count(0, 0)?.min(15);
    if number.is_i64() {
        return Ok(Some(Value::Number(number)));
    }
    if digits == 0 {
        return to_whole(float(&number).round()).map(Some);
    }
    let scale = 10_f64.powi(i32::try_from(digits).unwrap_or(15));
    real((float(&number) * scale).round() / scale).map(Some)
}

fn money(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let number = operand(input.as_ref())?;
    let decimals = match arguments.text(0).to_uppercase().as_str() {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "UGX" | "XAF" | "XOF" | "PYG" | "RWF" | "KMF" | "DJF" | "GNF"
        | "VUV" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    };
    Ok(Some(format!("{:.decimals$}", float(&number)).into()))
}
