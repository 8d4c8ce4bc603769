//! Records as files: CSV and JSON, in and out.

use std::collections::VecDeque;

use axum::{
    Json,
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures::stream;
use http::{HeaderValue, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use switchboard_hub::store::{How, RecordRow};
use switchboard_model::{
    problem::{Code, Problem, ProblemBody},
    record::{FieldKind, ObjectType, Policy},
};
use utoipa::ToSchema;

use super::{
    super::{body::FileBody, json as json_text, problem::ProblemSchema},
    acts,
    batch::write_all,
    disarm,
    ground::Ground,
    query::{self, Wanted},
    views::{RecordView, Titles},
};

/// Rows that are written in one transaction, and that are read at once.
const BITE: usize = 500;
/// So many problems are told.
const TOLD: usize = 100;
/// Columns of an export that an import passes over.
const OURS: &[&str] = &["revision", "source", "createdAt", "updatedAt", "needsReview"];

/// What an import did.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Imported)]
pub struct ImportedView {
    /// New records.
    created: usize,
    /// Records that were there and were changed.
    updated: usize,
    /// Records that were there as they came.
    unchanged: usize,
    /// Rows that were not taken.
    refused: usize,
    /// Why, row by row, the first hundred; the place begins with the number of the row, the first one after the heading being 1.
    #[schema(value_type = Vec<ProblemSchema>)]
    problems: Vec<ProblemBody>,
}

/// Takes the rows of a file.
pub async fn import(ground: &Ground, query: Option<&str>, body: FileBody) -> Result<Json<ImportedView>, Problem> {
    let policy = acts::policy(ground, query)?;
    let rows = match body.is_csv {
        true => read_csv(&ground.object, &body.text)?,
        false => read_json(ground, &body.text)?,
    };
    let mut rows: VecDeque<Value> = rows.into();
    let mut imported = ImportedView::default();
    let mut first = 1;
    while !rows.is_empty() {
        let bite: Vec<Value> = rows.drain(..rows.len().min(BITE)).collect();
        let many = bite.len();
        imported.take(ground, policy, first, bite).await?;
        first += many;
    }
    Ok(Json(imported))
}

impl ImportedView {
    /// Rows with an id change the record that has it; the others are found by their keys, or made.
    async fn take(&mut self, ground: &Ground, policy: Policy, first: usize, rows: Vec<Value>) -> Result<(), Problem> {
        let (named, others): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .enumerate()
            .partition(|(_, row)| row.get("id").is_some());
        let (places, others): (Vec<usize>, Vec<Value>) = others.into_iter().unzip();
        for (place, result) in places.iter().zip(write_all(ground, policy, others).await?) {
            match (result.status, result.problem) {
                (_, Some(problem)) => self.refuse(first + place, problem),
                (status, None) => self.count(status),
            }
        }
        for (place, row) in named {
            match change(ground, row).await {
                Ok(status) => self.count(status),
                // The store's own failures end the import; what is wrong with a row does not.
                Err(problem) if problem.code == Code::StoreFailed => return Err(problem),
                Err(problem) => self.refuse(first + place, ProblemBody::from(&problem)),
            }
        }
        Ok(())
    }

    fn count(&mut self, status: &str) {
        match status {
            "created" => self.created += 1,
            "updated" => self.updated += 1,
            _ => self.unchanged += 1,
        }
    }

    fn refuse(&mut self, row: usize, mut problem: ProblemBody) {
        self.refused += 1;
        if self.problems.len() < TOLD {
            let place = problem.place.unwrap_or_default();
            let inside = place
                .trim_start_matches('/')
                .trim_start_matches(|letter: char| letter.is_ascii_digit());
            problem.place = Some(format!("row {row}{inside}"));
            self.problems.push(problem);
        }
    }
}

async fn change(ground: &Ground, row: Value) -> Result<&'static str, Problem> {
    let Value::Object(mut values) = row else {
        return Err(no_row());
    };
    let id = values.shift_remove("id").and_then(|id| id.as_str()?.parse().ok());
    let id = id.ok_or_else(|| {
        Problem::new(
            Code::WrongShape,
            "`id` is no id of a record",
            "Leave it out for new records.",
        )
        .at("/id")
    })?;
    let write = ground.prepare(How::Update { id, revision: None }, &values)?;
    Ok(ground.write(write).await?.outcome)
}

fn no_row() -> Problem {
    Problem::new(
        Code::WrongShape,
        "The row is not an object of fields",
        "Send a list of objects.",
    )
}

fn read_json(ground: &Ground, text: &str) -> Result<Vec<Value>, Problem> {
    let value = json_text::read(text.as_bytes(), ground.app().limits.depth)?;
    let items = match value {
        Value::Array(items) => items,
        Value::Object(mut members) => match members.shift_remove("items") {
            Some(Value::Array(items)) => items,
            _ => return Err(no_row()),
        },
        _ => return Err(no_row()),
    };
    let clean = |item: Value| match item {
        Value::Object(members) => Value::Object(without_ours(&ground.object, members)),
        other => other,
    };
    Ok(items.into_iter().map(clean).collect())
}

/// What an export says of a record beside its fields, and the titles of records whose ids are there as well.
fn without_ours(object: &ObjectType, mut members: Map<String, Value>) -> Map<String, Value> {
    for name in OURS {
        members.shift_remove(*name);
    }
    for field in object
        .fields
        .values()
        .filter(|field| matches!(field.kind, FieldKind::Lookup(_)))
    {
        if members.contains_key(&format!("{}Id", field.name)) {
            members.shift_remove(&field.name);
        }
    }
    members
}

/// The first row names the fields; an empty cell says nothing of its field. Cells are separated by what the first row has most of.
fn read_csv(object: &ObjectType, text: &str) -> Result<Vec<Value>, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let heading = text.lines().next().unwrap_or_default();
    let separator = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|separator| {
            (
                heading.bytes().filter(|byte| byte == separator).count(),
                *separator == b',',
            )
        })
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(false)
        .from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        let line = error.position().map(|position| format!("line {}", position.line()));
        Problem::new(
            Code::WrongShape,
            format!("The file is not CSV as it should be: {error}"),
            "Each row needs as many cells as the heading; cells with separators or quotes stand in quotes.",
        )
        .at(line.unwrap_or_else(|| "the file".into()))
    };
    let names: Vec<String> = reader
        .headers()
        .map_err(broken)?
        .iter()
        .map(|name| name_of(object, name.trim()))
        .collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let mut row = Map::new();
        for (name, cell) in names
            .iter()
            .zip(record.iter())
            .filter(|(name, cell)| !name.is_empty() && !cell.trim().is_empty())
        {
            row.insert(name.clone(), cell_value(object, name, cell));
        }
        if !row.is_empty() {
            rows.push(Value::Object(without_ours(object, row)));
        }
    }
    Ok(rows)
}

/// The field that a heading means: by its name, by one of its other names, or by its title.
fn name_of(object: &ObjectType, heading: &str) -> String {
    if object.field(heading).is_some() {
        return heading.to_owned();
    }
    let plain = |text: &str| text.to_lowercase().replace([' ', '_', '-'], "");
    let wanted = plain(heading);
    let meant = object.fields.values().find(|field| {
        plain(&field.name) == wanted || field.title.as_deref().is_some_and(|title| plain(title) == wanted)
    });
    meant.map_or_else(|| heading.to_owned(), |field| field.name.clone())
}

fn cell_value(object: &ObjectType, name: &str, cell: &str) -> Value {
    let structured = object
        .field(name)
        .is_some_and(|field| matches!(field.kind, FieldKind::Json | FieldKind::Ids | FieldKind::Money));
    let read = structured.then(|| serde_json::from_str(cell).ok()).flatten();
    read.unwrap_or_else(|| json!(disarm::bare(cell)))
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

/// Every record that passes the filters, as a file.
pub fn export(ground: Ground, query: Option<&str>) -> Result<Response, Problem> {
    let given: Vec<(String, String)> = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let format = match given
        .iter()
        .find(|(name, _)| name == "format")
        .map(|(_, value)| value.as_str())
    {
        None | Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            let problem = Problem::new(
                Code::WrongParameter,
                format!("`format` is csv or json, not `{shown}`"),
                "Correct the parameter.",
            );
            return Err(problem.at("parameter format"));
        }
    };
    let mut wanted = query::read(&ground.object, query, &["format"])?;
    wanted.query.limit = BITE;
    let name = format!("attachment; filename=\"{}\"", file_name(&ground.object.name, format));
    let pieces = Pieces {
        ground,
        wanted,
        format,
        step: Step::Begin,
    };
    let body = Body::from_stream(stream::unfold(pieces, Pieces::next));
    let media = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Json => "application/json",
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// ASCII only: what else a table is called does not fit the header.
fn file_name(object: &str, format: Format) -> String {
    let plain: String = object
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "_-".contains(*letter))
        .collect();
    let end = if format == Format::Csv { "csv" } else { "json" };
    format!("{}.{end}", if plain.is_empty() { "records" } else { &plain })
}

/// Where an export stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Begin,
    /// The next page; `true`: there was a record before it.
    Page(bool),
    End,
}

/// The pieces of an export, a page each.
struct Pieces {
    ground: Ground,
    wanted: Wanted,
    format: Format,
    step: Step,
}

impl Pieces {
    async fn next(mut self) -> Option<(Result<Bytes, Problem>, Self)> {
        let piece = match self.step {
            Step::End => return None,
            Step::Begin => {
                self.step = Step::Page(false);
                Ok(self.heading())
            }
            Step::Page(any) => self.page(any).await,
        };
        if piece.is_err() {
            // The connection breaks off, so that nobody takes half a file for a whole one.
            self.step = Step::End;
        }
        Some((piece.map(Bytes::from), self))
    }

    fn heading(&self) -> String {
        match self.format {
            Format::Json => "[".to_owned(),
            Format::Csv => line(columns(&self.ground.object).iter().map(String::as_str)),
        }
    }

    async fn page(&mut self, any: bool) -> Result<String, Problem> {
        let hub = &self.ground.app().hub;
        let page = hub
            .records(self.ground.workspace, self.wanted.query.clone(), &self.wanted.contains)
            .await?;
        let titles = Titles::of(hub, self.ground.workspace, &self.ground.object, page.rows.iter()).await?;
        let mut text = String::new();
        for (at, row) in page.rows.iter().enumerate() {
            let shown = self.shown(row, &titles)?;
            match self.format {
                Format::Json => {
                    text.push_str(if any || at > 0 { ",\n" } else { "\n" });
                    text.push_str(&Value::Object(shown).to_string());
                }
                Format::Csv => {
                    text.push_str(&row_line(&self.ground.object, &shown));
                }
            }
        }
        self.step = match page.next {
            Some(next) => {
                self.wanted.query.after = Some(next);
                Step::Page(any || !page.rows.is_empty())
            }
            None => {
                if self.format == Format::Json {
                    text.push_str("\n]\n");
                }
                Step::End
            }
        };
        Ok(text)
    }

    fn shown(&self, row: &RecordRow, titles: &Titles) -> Result<Map<String, Value>, Problem> {
        let view = RecordView::of(&self.ground.object, row, titles);
        match serde_json::to_value(view) {
            Ok(Value::Object(members)) => Ok(members),
            _ => Err(Problem::new(
                Code::Internal,
                "A record cannot be written.",
                "Please report this.",
            )),
        }
    }
}

/// The columns of a CSV file: the id, the fields, a reference with the title and the id, and when the record was made and changed.
fn columns(object: &ObjectType) -> Vec<String> {
    let mut columns = vec!["id".to_owned()];
    for field in object.fields.values() {
        columns.push(field.name.clone());
        if let FieldKind::Lookup(_) = field.kind {
            columns.push(format!("{}Id", field.name));
        }
    }
    columns.extend(["createdAt", "updatedAt"].map(str::to_owned));
    columns
}

/// The line of a record.
fn row_line(object: &ObjectType, shown: &Map<String, Value>) -> String {
    let columns = columns(object);
    let cells: Vec<String> = columns.iter().map(|name| cell_text(shown.get(name))).collect();
    line(cells.iter().map(String::as_str))
}

fn cell_text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => disarm::armless(text),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            disarm::armless(&texts.join(";"))
        }
        Some(other) => other.to_string(),
    }
}

/// One line of a CSV file. Writing into memory cannot fail.
fn line<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let _ = writer.write_record(cells);
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use switchboard_model::record::standard;

    use super::*;

    fn people(text: &str) -> Vec<Value> {
        read_csv(standard("people").unwrap(), text).unwrap()
    }

    #[test]
    fn a_file_is_read_by_the_names_of_its_columns() {
        let rows = people(
            "\u{feff}First name;E-mail;phone;tags;createdAt\nAna;a@example.org;+1 202 555 0101;\"vip;new\";x\n;;;;\n",
        );
        assert_eq!(
            rows,
            [json!({"firstName": "Ana", "email": "a@example.org", "phone": "+1 202 555 0101", "tags": "vip;new"})]
        );
        let rows = people("firstName,externalIds\n\"A, \"\"B\"\"\",\"{\"\"shop\"\": \"\"1\"\"}\"\n");
        assert_eq!(rows, [json!({"firstName": "A, \"B\"", "externalIds": {"shop": "1"}})]);
    }

    #[test]
    fn a_reference_with_its_id_is_taken_by_the_id() {
        assert_eq!(
            people("company,companyId\nAcme,rec_1\nAcme,\n"),
            [json!({"companyId": "rec_1"}), json!({"company": "Acme"})]
        );
    }

    #[test]
    fn a_row_with_too_many_cells_is_told_with_its_line() {
        let problem = read_csv(standard("people").unwrap(), "firstName,email\nAna,a@example.org,more\n").unwrap_err();
        assert_eq!(problem.code, Code::WrongShape);
        assert_eq!(problem.place.as_deref(), Some("line 2"));
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text_and_comes_back_as_it_was() {
        let given = json!({"firstName": "=HYPERLINK(\"https://example.org\")", "lastName": "'@quoted", "city": "\t=1",
            "jobTitle": "-", "phone": "+1 202 555 0101", "tags": ["=1", "b"], "externalIds": {"shop": "=1"}});
        let shown = given.as_object().unwrap();
        let object = standard("people").unwrap();
        let text = row_line(object, shown);
        assert!(
            text.contains("'=HYPERLINK") && text.contains("'\t=1") && text.contains(",'-,"),
            "{text}"
        );
        assert!(
            text.contains(",+1 202 555 0101,"),
            "a telephone number is no formula: {text}"
        );
        let back = people(&format!("{}{text}", line(columns(object).iter().map(String::as_str)))).remove(0);
        for (name, value) in shown {
            let expected = match value {
                Value::Array(_) => json!("=1;b"),
                other => other.clone(),
            };
            assert_eq!(back[name], expected, "{name}");
        }
    }

    #[test]
    fn a_line_is_quoted_where_it_must_be() {
        assert_eq!(line(["a", "b,c", "d\"e"].into_iter()), "a,\"b,c\",\"d\"\"e\"\n");
    }
}
