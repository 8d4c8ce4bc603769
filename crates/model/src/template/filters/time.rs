//! Filters on moments.

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};
use serde_json::Value;

use super::{Arguments, Filter, Outcome, as_text};
use crate::moment::read_moment_in;

pub(super) const FILTERS: &[Filter] = &[
    Filter::new(
        "date",
        (1, 1),
        "`date: '%Y-%m-%d', zone: 'Asia/Shanghai', from: 'Europe/Minsk'`: a moment (ISO 8601 text, Unix seconds or \
         milliseconds) in a strftime form, or as `iso`, `unix`, `unix_ms`; `zone`: shown as the time there, `from`: a time \
         without an offset is the time there; what is no moment stays as it is",
        date,
    )
    .named(&["zone", "from"])
    .checked(|literals| {
        check_zone(literals.named("zone"))?;
        check_zone(literals.named("from"))?;
        check_form(literals.at(0))
    }),
    Filter::new(
        "timezone",
        (1, 1),
        "`timezone: 'Asia/Ho_Chi_Minh', from: 'UTC'`: a moment as ISO 8601 text with the offset of that zone; `from` as for \
         `date`; what is no moment stays as it is",
        timezone,
    )
    .named(&["from"])
    .checked(|literals| {
        check_zone(literals.at(0))?;
        check_zone(literals.named("from"))
    }),
];

/// ISO 8601 with an offset, fractions of a second only where there are any.
const WITH_OFFSET: &str = "%Y-%m-%dT%H:%M:%S%.f%:z";

fn check_zone(written: Option<&Value>) -> Result<(), String> {
    match written {
        Some(Value::String(name)) => zone(name).map(drop),
        Some(other) => Err(format!("{other} is no time zone such as 'Asia/Shanghai'")),
        None => Ok(()),
    }
}

fn check_form(written: Option<&Value>) -> Result<(), String> {
    match written {
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

/// The zone that a value names, or that of the scope.
fn zone_or_own(named: Option<&Value>, arguments: &Arguments<'_, '_>) -> Result<TimeZone, String> {
    match named {
        None => Ok(arguments.scope.zone.clone()),
        Some(name) => zone(&as_text(name)),
    }
}

/// The moment that came in. A time of day without an offset is that of `from` or of the scope, whatever zone it is to be shown in.
fn moment(input: Option<&Value>, arguments: &Arguments<'_, '_>) -> Result<Option<Timestamp>, String> {
    let from = zone_or_own(arguments.named("from"), arguments)?;
    Ok(input.and_then(|value| read_moment_in(value, &from)))
}

fn date(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(moment) = moment(input.as_ref(), arguments)? else {
        return Ok(input);
    };
    let zone = zone_or_own(arguments.named("zone"), arguments)?;
    let form = match &*arguments.text(0) {
        "unix" => return Ok(Some(moment.as_second().into())),
        "unix_ms" => return Ok(Some(moment.as_millisecond().into())),
        "iso" if zone == TimeZone::UTC => return Ok(Some(moment.to_string().into())),
        "iso" => WITH_OFFSET.to_owned(),
        form => form.to_owned(),
    };
    let text = strtime::format(&form, &moment.to_zoned_datetime(zone)).map_err(|error| error.to_string())?;
    Ok(Some(text.into()))
}

fn timezone(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(moment) = moment(input.as_ref(), arguments)? else {
        return Ok(input);
    };
    let zone = zone_or_own(arguments.get(0), arguments)?;
    let text = strtime::format(WITH_OFFSET, &moment.to_zoned_datetime(zone)).map_err(|error| error.to_string())?;
    Ok(Some(text.into()))
}
