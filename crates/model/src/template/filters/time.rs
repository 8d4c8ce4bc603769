//! Filters on moments.

use jiff::{fmt::strtime, tz::TimeZone};
use serde_json::Value;

use super::{Arguments, Filter, Outcome, to_text};
use crate::moment::read_moment;

pub(super) const FILTERS: &[Filter] = &[Filter::new(
    "date",
    (1, 1),
    "`date: '%Y-%m-%d', zone: 'Asia/Shanghai'`: a moment (ISO 8601 text, Unix seconds or milliseconds) in a strftime form, or as `iso`, `unix`, `unix_ms`; what is no moment stays as it is",
    date,
)
.named(&["zone"])
.checked(|literals| match literals.first() {
    Some(Value::String(form)) => check_form(form),
    Some(other) => Err(format!("{other} is no form such as '%Y-%m-%d'")),
    None => Ok(()),
})];

fn check_form(form: &str) -> Result<(), String> {
    if is_name(form) {
        return Ok(());
    }
    let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
    strtime::format(form, &sample)
        .map(|_| ())
        .map_err(|error| format!("`{form}` is no form: {error}"))
}

fn is_name(form: &str) -> bool {
    matches!(form, "iso" | "unix" | "unix_ms")
}

fn date(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(moment) = input.as_ref().and_then(read_moment) else {
        return Ok(input);
    };
    let zone = match arguments.named("zone") {
        None => arguments.scope.zone.clone(),
        Some(name) => {
            let name = to_text(name);
            TimeZone::get(&name).map_err(|_| format!("there is no time zone `{name}`"))?
        }
    };
    let form = arguments.text(0);
    Ok(Some(match form.as_str() {
        "unix" => moment.as_second().into(),
        "unix_ms" => moment.as_millisecond().into(),
        "iso" if zone == TimeZone::UTC => moment.to_string().into(),
        "iso" => strtime::format("%Y-%m-%dT%H:%M:%S%:z", &moment.to_zoned_datetime(zone))
            .map_err(|error| error.to_string())?
            .into(),
        form => strtime::format(form, &moment.to_zoned_datetime(zone))
            .map_err(|error| error.to_string())?
            .into(),
    }))
}
