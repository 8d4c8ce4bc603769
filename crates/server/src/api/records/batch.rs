//! Many records in one request.

use axum::{Json, http::StatusCode};
use serde_json::Value;
use switchboard_hub::store::{How, RecordWrite, Written};
use switchboard_model::{
    problem::{Code, Problem},
    record::Policy,
};

use super::{
    acts,
    ground::{Ground, members},
    views::{ResultView, ResultsView, Titles, WrittenView},
};

/// Writes each record of a list, in one transaction. What is wrong with one does not keep back the others.
pub async fn batch(
    ground: &Ground,
    query: Option<&str>,
    body: Value,
) -> Result<(StatusCode, Json<ResultsView>), Problem> {
    let policy = acts::policy(ground, query)?;
    let items = match body {
        Value::Array(items) => items,
        Value::Object(mut members) if members.len() == 1 => match members.shift_remove("items") {
            Some(Value::Array(items)) => items,
            _ => return Err(no_list()),
        },
        _ => return Err(no_list()),
    };
    let most = ground.app().limits.batch;
    if items.is_empty() || items.len() > most {
        let code = if items.is_empty() {
            Code::WrongShape
        } else {
            Code::TooLarge
        };
        return Err(Problem::new(
            code,
            format!("The batch has {} records; 1 to {most} are possible.", items.len()),
            "Split it into several requests. The limit is the setting limits.batch.",
        ));
    }
    let results = write_all(ground, policy, items).await?;
    let nothing_written = results.iter().all(|result| result.problem.is_some());
    let status = match nothing_written {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    Ok((status, Json(ResultsView { results })))
}

fn no_list() -> Problem {
    Problem::new(
        Code::WrongShape,
        "The body is not a list of records",
        "Send [{…}, {…}], or {\"items\": [{…}, {…}]}.",
    )
}

/// Writes these records; one answer for each.
pub async fn write_all(ground: &Ground, policy: Policy, items: Vec<Value>) -> Result<Vec<ResultView>, Problem> {
    let mut writes: Vec<RecordWrite> = Vec::with_capacity(items.len());
    let mut refused: Vec<Option<Problem>> = Vec::with_capacity(items.len());
    for item in items {
        let prepared = members(item).and_then(|values| ground.prepare(How::Match { policy, only: None }, &values));
        match prepared {
            Ok(write) => {
                writes.push(write);
                refused.push(None);
            }
            Err(problem) => refused.push(Some(problem)),
        }
    }
    let hub = &ground.app().hub;
    let written: Vec<Written> = match writes.is_empty() {
        true => Vec::new(),
        false => hub.write_records(ground.workspace, writes).await?,
    };
    let rows = written.iter().filter_map(|written| written.record.as_ref());
    let titles = Titles::of(hub, ground.workspace, &ground.object, rows).await?;
    let mut written = written.into_iter();
    let results = refused.into_iter().enumerate().map(|(index, refused)| {
        let result = match refused {
            Some(problem) => Err(problem),
            None => written.next().map_or_else(
                || {
                    Err(Problem::new(
                        Code::Internal,
                        "The hub gave no answer for the record.",
                        "Send it again.",
                    ))
                },
                |written| WrittenView::of(&ground.object, written, &titles),
            ),
        };
        ResultView::of(index, result)
    });
    Ok(results.collect())
}
