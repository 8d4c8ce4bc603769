//! Filters on moments.

use jiff::{fmt::strtime, tz::TimeZone};
use serde_json::Value;

use super::{Arguments, Filter, Literals, Outcome, as_text};
use crate::moment::read_moment_in;

pub(super) const FILTERS: &[Filter] = &[Filter::new(
    "date",
    (1, 1),
    "`date: '%Y-%m-%d', zone: 'Asia/Shanghai'`: a moment (ISO 8601 text, Unix seconds or milliseconds) in a \
     strftime form, or as `iso`, `unix`, `unix_ms`; what is no moment stays as it is",
    date,
)
.named(&["zone"])
.checked(check)];

fn check(literals: &Literals<'_>) -> Result<(), String> {
    match literals.named("zone") {
        Some(Value::String(name)) => zone(name).map(drop)?,
        Some(other) => return Err(format!("{other} is no time zone such as 'Asia/Shanghai'")),
        None => {}
    }
    match literals.at(0) {
        Some(Value::String(form)) if matches!(form.as_str(), "iso" | "unix" | "unix_ms") => Ok(()),
        Some(Value::String(form)) => {
            let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
            strtime::format(form, &sample)
                .map(drop)
                .map_err(|error| format!("`{form}` is no form: {error}"))
        }
        Some(other) => Err(format!("{other} is no form such as '%Y-%m-%d'")),
        None => Ok(()),
    }
}

/// A zone by its IANA name; the library remembers those that it has read.
fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("there is no time zone `{name}`"))
}

fn date(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    // A time of day without an offset is the scope's time of day, whatever zone it is to be shown in.
    let read = input
        .as_ref()
        .and_then(|value| read_moment_in(value, &arguments.scope.zone));
    let Some(moment) = read else { return Ok(input) };
    let zone = match arguments.named("zone") {
        None => arguments.scope.zone.clone(),
        Some(name) => zone(&as_text(name))?,
    };
    let form = match &*arguments.text(0) {
        "unix" => return Ok(Some(moment.as_second().into())),
        "unix_ms" => return Ok(Some(moment.as_millisecond().into())),
        "iso" if zone == TimeZone::UTC => return Ok(Some(moment.to_string().into())),
        "iso" => "%Y-%m-%dT%H:%M:%S%.f%:z".to_owned(),
        form => form.to_owned(),
    };
    let text = strtime::format(&form, &moment.to_zoned_datetime(zone)).map_err(|error| error.to_string())?;
    Ok(Some(text.into()))
}
