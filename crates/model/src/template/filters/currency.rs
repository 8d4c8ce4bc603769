//! Filters on amounts of money. Rates are the user's: this program knows none.

use serde_json::{Map, Number, Value};

use super::{Arguments, Filter, Kind, Literals, Outcome, as_text, excerpt, number};

/// The list of rates when none is named.
const RATES: &str = "rates";

pub(super) const FILTERS: &[Filter] = &[
    Filter::new(
        "money",
        (0, 1),
        "`money: 'USD'`: with the number of decimals that the currency has (ISO 4217), as text",
        money,
    )
    .gives(Kind::Text)
    .checked(|literals| literals.currency(0)),
    Filter::new(
        "currency",
        (2, 2),
        "`currency: 'VND', 'USD', rates: 'rates'`: the amount in the second currency, rounded to its decimals. The list has \
         `VND/USD` (what one is worth), or `VND` and `USD` (how much of each is worth the same); without `rates` it is the \
         list called `rates`; a rate that is missing is an error",
        currency,
    )
    .named(&["rates"])
    .gives(Kind::Number)
    .checked(check),
];

impl Literals<'_> {
    /// The argument must be a currency's code.
    fn currency(&self, at: usize) -> Result<(), String> {
        match self.at(at) {
            Some(value) => code(Some(value)).map(drop),
            None => Ok(()),
        }
    }
}

fn check(literals: &Literals<'_>) -> Result<(), String> {
    literals.currency(0)?;
    literals.currency(1)?;
    match literals.named("rates") {
        Some(Value::String(_)) | None => Ok(()),
        Some(other) => Err(format!("`rates` is the name of a list or a path to one, not {other}")),
    }
}

/// Three letters, large.
fn code(value: Option<&Value>) -> Result<String, String> {
    let Some(value) = value else {
        return Err("the currency is not known".into());
    };
    let text = as_text(value).trim().to_ascii_uppercase();
    if text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_uppercase()) {
        Ok(text)
    } else {
        Err(format!("`{}` is no currency such as 'USD'", excerpt(value)))
    }
}

fn money(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let amount = number::operand(input.as_ref())?;
    Ok(Some(number::fixed(&amount, decimals(&arguments.text(0))).into()))
}

fn currency(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let amount = number::operand(input.as_ref())?;
    let (from, to) = (code(arguments.get(0))?, code(arguments.get(1))?);
    let converted = match from == to {
        true => amount,
        false => {
            let Rate { times, over } = rate(arguments, &from, &to)?;
            let converted = number::float(&amount) * times / over;
            Number::from_f64(converted).ok_or("the result is no finite number")?
        }
    };
    let text = number::fixed(&converted, decimals(&to));
    number::read(&text.into())
        .map(|amount| Some(Value::Number(amount)))
        .ok_or_else(|| "the amount is too large".into())
}

/// An amount is multiplied by the one and divided by the other: one step of rounding less than by their quotient.
struct Rate {
    times: f64,
    over: f64,
}

fn rate(arguments: &Arguments<'_, '_>, from: &str, to: &str) -> Result<Rate, String> {
    let rates = Rates::of(arguments)?;
    if let Some(times) = rates.find(&format!("{from}/{to}"))? {
        return Ok(Rate { times, over: 1.0 });
    }
    if let Some(over) = rates.find(&format!("{to}/{from}"))? {
        return Ok(Rate { times: 1.0, over });
    }
    match (rates.find(to)?, rates.find(from)?) {
        (Some(times), Some(over)) => Ok(Rate { times, over }),
        _ => Err(format!("{} has no rate from {from} to {to}", rates.name())),
    }
}

/// Where rates come from.
enum Rates<'a> {
    List(&'a Arguments<'a, 'a>, String),
    Map(&'a Map<String, Value>),
}

impl<'a> Rates<'a> {
    fn of(arguments: &'a Arguments<'_, '_>) -> Result<Self, String> {
        match arguments.named("rates") {
            None if !arguments.has_named("rates") => Ok(Self::List(arguments, RATES.into())),
            Some(Value::String(name)) => Ok(Self::List(arguments, name.clone())),
            Some(Value::Object(map)) => Ok(Self::Map(map)),
            Some(other) => Err(format!("`rates` is a list of rates, not `{}`", excerpt(other))),
            None => Err("the rates are not there".into()),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::List(_, name) => format!("the list `{name}`"),
            Self::Map(_) => "`rates`".into(),
        }
    }

    fn find(&self, key: &str) -> Result<Option<f64>, String> {
        let found = match self {
            Self::List(arguments, name) => arguments.scope.lookups.and_then(|lookups| lookups.find(name, key)),
            Self::Map(map) => map.get(key).cloned(),
        };
        let Some(found) = found else { return Ok(None) };
        match number::read(&found).map(|rate| number::float(&rate)) {
            Some(rate) if rate > 0.0 => Ok(Some(rate)),
            _ => Err(format!(
                "`{}` in {} is no rate: it must be a number above 0",
                excerpt(&found),
                self.name()
            )),
        }
    }
}

/// How many decimals a currency has; two, unless ISO 4217 says otherwise.
fn decimals(currency: &str) -> usize {
    match currency.to_ascii_uppercase().as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}
