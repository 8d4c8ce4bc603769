//! The query of a list of records: filters by field, order, page.
//!
//! `?city=Riga&value[gte]=100&name[contains]=acme&createdAt[gte]=2026-11-01T00:00:00Z&sort=-updatedAt&limit=20&after=…`

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use switchboard_hub::{
    Contains, Part,
    store::{Compare, Filter, Place, RecordQuery, SortBy},
};
use switchboard_model::{
    problem::{Code, Problem},
    record::{EXTERNAL_IDS, Field, FieldKind, MatchKey, ObjectType, bring, keys},
};

use crate::nearest::did_you_mean;

/// Rows of a page when the caller does not say.
const USUAL: usize = 50;
/// Most rows of a page.
const MOST: usize = 500;
/// Most filters of a request.
const MOST_FILTERS: usize = 30;
/// The ways of comparing.
const OPERATORS: &[&str] = &[
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "contains",
    "startsWith",
    "empty",
];

/// What a list is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub query: RecordQuery,
    pub contains: Vec<Contains>,
}

/// Reads what stands behind the question mark. Parameters of `own` are for somebody else.
///
/// # Errors
/// [`Code::WrongParameter`].
pub fn read(object: &ObjectType, text: Option<&str>, own: &[&str]) -> Result<Wanted, Problem> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut wanted = Wanted {
        query: RecordQuery {
            object: object.name.as_str().into(),
            filters: Vec::new(),
            sort: SortBy::Id,
            descending: true,
            after: None,
            limit: USUAL,
        },
        contains: Vec::new(),
    };
    if pairs.len() > MOST_FILTERS {
        return Err(wrong(
            "",
            format!(
                "There are {} parameters; at most {MOST_FILTERS} are possible",
                pairs.len()
            ),
            "Use fewer.",
        ));
    }
    for (at, (name, value)) in pairs.iter().enumerate() {
        if pairs[..at].iter().any(|(other, _)| other == name) {
            return Err(wrong(
                name,
                format!("The parameter `{}` stands twice", shown(name)),
                "Give it once.",
            ));
        }
        if value.contains('\0') {
            return Err(wrong(
                name,
                "A value has the character U+0000, which no record has".into(),
                "Leave it out.",
            ));
        }
        match name.as_str() {
            name if own.contains(&name) => {}
            "limit" => wanted.query.limit = limit(value)?,
            "sort" if !value.is_empty() => sort(object, value, &mut wanted.query)?,
            "after" if !value.is_empty() => wanted.query.after = Some(place(value)?),
            "sort" | "after" => {}
            _ => filter(object, name, value, &mut wanted)?,
        }
    }
    if let Some(after) = &wanted.query.after {
        let fits = match (&wanted.query.sort, &after.value) {
            (SortBy::Id, value) => value.is_null(),
            (SortBy::Updated, value) => value.is_i64(),
            (SortBy::Text(_), value) => value.is_null() || value.is_string(),
            (SortBy::Number(_), value) => value.is_null() || value.is_number(),
        };
        if !fits {
            let detail = "`after` is the `next` of a page that was sorted otherwise".to_owned();
            return Err(wrong(
                "after",
                detail,
                "Leave the other parameters as they were, or begin at the first page.",
            ));
        }
    }
    Ok(wanted)
}

/// The place where the next page begins, as text.
pub fn cursor(place: &Place) -> String {
    URL_SAFE_NO_PAD.encode(json!([place.value, place.id]).to_string())
}

fn place(text: &str) -> Result<Place, Problem> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (value, id): (Value, i64) = serde_json::from_slice(&bytes).ok()?;
        let plain = matches!(value, Value::Null | Value::Number(_) | Value::String(_))
            && value.as_str().is_none_or(|text| !text.contains('\0'));
        plain.then_some(Place { value, id })
    };
    read().ok_or_else(|| {
        wrong(
            "after",
            "`after` is the `next` of a page, unchanged".into(),
            "Take it from the page before.",
        )
    })
}

fn limit(text: &str) -> Result<usize, Problem> {
    match text.parse() {
        Ok(limit) if (1..=MOST).contains(&limit) => Ok(limit),
        _ if text.is_empty() => Ok(USUAL),
        _ => Err(wrong(
            "limit",
            format!("`limit` is a number from 1 to {MOST}, not `{}`", shown(text)),
            "Correct the parameter.",
        )),
    }
}

/// `city`, or `-city` for the greatest first.
fn sort(object: &ObjectType, text: &str, query: &mut RecordQuery) -> Result<(), Problem> {
    let name = text.strip_prefix('-').unwrap_or(text);
    query.descending = text.starts_with('-');
    query.sort = match name {
        "createdAt" | "id" => SortBy::Id,
        "updatedAt" => SortBy::Updated,
        name => {
            let field = object.field(name).ok_or_else(|| unknown(object, "sort", name))?;
            match &field.kind {
                FieldKind::Money => SortBy::Number(format!("{}.amount", field.name)),
                kind if kind.is_number() => SortBy::Number(field.name.clone()),
                FieldKind::Json | FieldKind::Ids | FieldKind::MultiSelect(_) | FieldKind::Lookup(_) => {
                    let detail = format!(
                        "Records are not sorted by `{}`, which is of type {}",
                        field.name,
                        field.kind.name()
                    );
                    return Err(wrong("sort", detail, "Sort by another field."));
                }
                _ => SortBy::Text(field.name.clone()),
            }
        }
    };
    Ok(())
}

/// `field`, `field[operator]`, `externalIds.SYSTEM`.
fn filter(object: &ObjectType, name: &str, value: &str, wanted: &mut Wanted) -> Result<(), Problem> {
    let (field, operator) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((field, operator)) => (field, operator),
        None => (name, "eq"),
    };
    if !OPERATORS.contains(&operator) {
        let hint = did_you_mean(operator, OPERATORS.iter().copied());
        let detail = format!("There is no way of comparing `{}`{hint}", shown(operator));
        return Err(wrong(name, detail, &format!("There are {}.", OPERATORS.join(", "))));
    }
    match field {
        "q" => wanted.contains.push(Contains {
            field: None,
            text: value.to_owned(),
            part: Part::Inside,
        }),
        "createdAt" | "updatedAt" => wanted
            .query
            .filters
            .push(moment(name, field == "createdAt", operator, value)?),
        "needsReview" => {
            let flag = value.parse().map_err(|_| {
                wrong(
                    name,
                    "`needsReview` is `true` or `false`".into(),
                    "Correct the parameter.",
                )
            })?;
            wanted.query.filters.push(Filter::Review(flag));
        }
        _ => match field.split_once('.') {
            Some((ids, system))
                if object.fields.get(ids).is_some_and(|field| field.kind == FieldKind::Ids) && operator == "eq" =>
            {
                let kind = if ids == EXTERNAL_IDS {
                    "externalId"
                } else {
                    "messengerId"
                };
                wanted.query.filters.push(Filter::Key(MatchKey {
                    kind: format!("{kind}:{}", system.to_lowercase()),
                    value: value.trim().to_owned(),
                }));
            }
            _ => {
                let found = object.field(field).ok_or_else(|| unknown(object, name, field))?;
                of_field(object, found, name, operator, value, wanted)?;
            }
        },
    }
    Ok(())
}

fn of_field(
    object: &ObjectType,
    field: &Field,
    name: &str,
    operator: &str,
    value: &str,
    wanted: &mut Wanted,
) -> Result<(), Problem> {
    let path = match field.kind {
        FieldKind::Money => format!("{}.amount", field.name),
        _ => field.name.clone(),
    };
    let contains = |part| Contains {
        field: Some(field.name.clone()),
        text: value.to_owned(),
        part,
    };
    let compare = match operator {
        "contains" => {
            wanted.contains.push(contains(Part::Inside));
            return Ok(());
        }
        "startsWith" => {
            wanted.contains.push(contains(Part::Start));
            return Ok(());
        }
        "empty" => {
            wanted.query.filters.push(empty(field, name, value)?);
            return Ok(());
        }
        "in" => {
            wanted.query.filters.push(one_of(object, field, path, name, value)?);
            return Ok(());
        }
        "eq" => Compare::Is,
        "ne" => Compare::Not,
        "gt" => Compare::Above,
        "gte" => Compare::From,
        "lt" => Compare::Below,
        _ => Compare::UpTo,
    };
    if matches!(field.kind, FieldKind::MultiSelect(_) | FieldKind::Json | FieldKind::Ids) {
        if compare != Compare::Is {
            let detail = format!(
                "`{}` is of type {} and is compared with eq, contains, startsWith and empty",
                field.name,
                field.kind.name()
            );
            return Err(wrong(name, detail, "Use another way of comparing."));
        }
        wanted.contains.push(contains(Part::Whole));
        return Ok(());
    }
    let value = compared(object, field, name, value)?;
    // By what a record is known it is found at once, however it was written.
    let known = Map::from_iter([(field.name.clone(), value.clone())]);
    if compare == Compare::Is
        && let Some(key) = keys(object, &known).into_iter().next()
        && matches!(field.kind, FieldKind::Email | FieldKind::Phone)
    {
        wanted.query.filters.push(Filter::Key(key));
        return Ok(());
    }
    wanted.query.filters.push(Filter::Field {
        field: path,
        compare,
        value,
    });
    Ok(())
}

fn empty(field: &Field, name: &str, value: &str) -> Result<Filter, Problem> {
    let empty: bool = value.parse().map_err(|_| {
        wrong(
            name,
            format!("`{}` is `true` or `false`", shown(name)),
            "Correct the parameter.",
        )
    })?;
    let (field, present) = (field.name.clone(), !empty);
    Ok(Filter::Present { field, present })
}

fn one_of(object: &ObjectType, field: &Field, path: String, name: &str, value: &str) -> Result<Filter, Problem> {
    let each = value.split(',').map(|one| compared(object, field, name, one.trim()));
    let values = each.map(|value| Ok(as_text(&value?))).collect::<Result<_, Problem>>()?;
    Ok(Filter::OneOf { field: path, values })
}

/// The value of a filter in the form in which the field keeps its own: a number for numbers, else a text.
fn compared(object: &ObjectType, field: &Field, name: &str, text: &str) -> Result<Value, Problem> {
    let brought = bring(object, field, &json!(text))
        .map_err(|why| wrong(name, format!("`{}` {why}", field.name), "Correct the parameter."))?;
    Ok(match (&field.kind, brought) {
        (FieldKind::Money, Value::Object(amount)) => amount.get("amount").cloned().unwrap_or_default(),
        (_, number @ Value::Number(_)) => number,
        (_, other) => Value::String(as_text(&other)),
    })
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn moment(name: &str, created: bool, operator: &str, text: &str) -> Result<Filter, Problem> {
    let at: Timestamp = text.parse().map_err(|_| {
        let detail = format!(
            "`{}` is a moment such as 2026-11-24T09:30:00Z (RFC 3339), not `{}`",
            shown(name),
            shown(text)
        );
        wrong(name, detail, "Correct the parameter; a `+` in it is written %2B.")
    })?;
    let ms = at.as_millisecond();
    let (from_ms, until_ms) = match operator {
        "gte" => (ms, i64::MAX),
        "gt" => (ms + 1, i64::MAX),
        "lt" => (i64::MIN, ms),
        "lte" => (i64::MIN, ms + 1),
        "eq" => (ms, ms + 1),
        _ => {
            return Err(wrong(
                name,
                "Moments are compared with eq, gt, gte, lt and lte".into(),
                "Use one of these.",
            ));
        }
    };
    Ok(Filter::Moment {
        created,
        from_ms,
        until_ms,
    })
}

fn unknown(object: &ObjectType, parameter: &str, name: &str) -> Problem {
    let ours = ["limit", "sort", "after", "q", "createdAt", "updatedAt", "needsReview"];
    let hint = did_you_mean(name, object.names().chain(ours));
    let known: Vec<&str> = object.fields.keys().map(String::as_str).collect();
    wrong(
        parameter,
        format!("`{}` is no field of {}{hint}", shown(name), object.name),
        &format!("There are {}, and {}.", known.join(", "), ours.join(", ")),
    )
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

fn wrong(name: &str, detail: String, next: &str) -> Problem {
    Problem::new(Code::WrongParameter, detail, next).at(format!("parameter {}", shown(name)))
}

#[cfg(test)]
mod tests {
    use switchboard_model::record::standard;

    use super::*;

    fn wanted(object: &str, text: &str) -> Result<Wanted, Problem> {
        read(standard(object).unwrap(), Some(text), &[])
    }

    #[test]
    fn filters_are_read_in_the_form_of_their_field() {
        let filters = |object, text| wanted(object, text).unwrap().query.filters;
        let field = |field: &str, compare, value| {
            vec![Filter::Field {
                field: field.into(),
                compare,
                value,
            }]
        };
        assert_eq!(
            filters("people", "city=Riga"),
            field("city", Compare::Is, json!("Riga"))
        );
        assert_eq!(
            filters("opportunities", "value%5Bgte%5D=100"),
            field("value", Compare::From, json!(100))
        );
        assert_eq!(
            filters("opportunities", "value[gte]=100"),
            field("value", Compare::From, json!(100))
        );
        assert_eq!(
            filters("companies", "annualRevenue[lt]=5"),
            field("annualRevenue.amount", Compare::Below, json!(5))
        );
        assert_eq!(
            filters("people", "marketingConsent=yes"),
            field("marketingConsent", Compare::Is, json!("true"))
        );
        assert_eq!(
            filters("tasks", "status=In progress"),
            field("status", Compare::Is, json!("in_progress"))
        );
        let key = |kind: &str, value: &str| {
            vec![Filter::Key(MatchKey {
                kind: kind.into(),
                value: value.into(),
            })]
        };
        assert_eq!(
            filters("people", "email=Ana@Example.org"),
            key("email", "ana@example.org")
        );
        assert_eq!(
            filters("people", "phone=%2B1 202 555 0101"),
            key("phone", "12025550101")
        );
        assert_eq!(
            filters("orders", "externalIds.shopify=77"),
            key("externalId:shopify", "77")
        );
        assert_eq!(wanted("people", "tags=vip&q=ana").unwrap().contains.len(), 2);
    }

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        for (sort, value) in [
            ("id", Value::Null),
            ("name", json!("Минск")),
            ("value", json!(9.5)),
            ("-updatedAt", json!(7)),
        ] {
            let place = Place { value, id: 77 };
            let text = format!("after={}&sort={sort}", cursor(&place));
            assert_eq!(wanted("opportunities", &text).unwrap().query.after, Some(place.clone()));
            let other = if sort == "value" { "name" } else { "value" };
            let text = format!("after={}&sort={other}", cursor(&place));
            assert!(wanted("opportunities", &text).is_err() || place.value.is_null() || sort == "-updatedAt");
        }
    }

    #[test]
    fn a_wrong_parameter_is_named_and_explained() {
        for (text, words) in [
            ("citi=Riga", "did you mean `city`?"),
            ("city[like]=R", "no way of comparing `like`"),
            ("city=a&city=b", "twice"),
            ("limit=0", "from 1 to 500"),
            ("sort=tags", "not sorted"),
            ("sort=-ctiy", "did you mean `city`?"),
            ("after=x", "next"),
            ("createdAt=yesterday", "RFC 3339"),
            ("birthday[gt]=soon", "a day such as"),
            ("company=Acme", "its id"),
            ("tags[gt]=a", "compared with eq"),
            ("marketingConsent=perhaps", "true"),
        ] {
            let problem = wanted("people", text).unwrap_err();
            assert_eq!(problem.code, Code::WrongParameter, "{text}");
            assert!(problem.detail.contains(words), "{text}: {}", problem.detail);
        }
    }
}
