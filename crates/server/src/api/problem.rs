//! The only place that makes an HTTP answer out of a problem: `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use switchboard_model::problem::{Code, Fault, Problem, ProblemBody};
use utoipa::ToSchema;

/// A problem on its way to the caller.
#[derive(Debug)]
pub struct Failure(pub Problem);

/// What handlers answer.
pub type Answer<T> = Result<T, Failure>;

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        render(&self.0)
    }
}

/// The answer that shows `problem`.
pub fn render(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() {
        tracing::error!(code = problem.code.code(), %problem, "a request failed");
    }
    let body = serde_json::to_vec(&ProblemBody::from(problem)).unwrap_or_default();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    match problem.code {
        Code::Unauthorised => {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"switchboard\""),
            );
        }
        Code::Busy | Code::StoreFailed => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}

/// A problem that something below the handlers caused by panicking. What it said goes to the log only.
pub fn panicked(_cause: Box<dyn std::any::Any + Send + 'static>) -> Response {
    render(&Problem::new(
        Code::Internal,
        "The hub failed while it worked on this request.",
        "Try again. If it happens again, look into the hub's log and report it with the time of this request.",
    ))
}

/// The schema of [`ProblemBody`] for the description of the API; never built.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "a description, not a value")]
pub struct ProblemSchema {
    /// Address of the page about this code, relative to the hub.
    #[serde(rename = "type")]
    #[schema(example = "/errors/SWB-API-002")]
    kind: String,
    /// One line that is the same for every occurrence.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The code; `/errors/{code}` explains it.
    #[schema(example = "SWB-API-002")]
    code: String,
    /// What is wrong here.
    detail: String,
    /// Where: a JSON pointer into the body, a line and column, a parameter.
    #[schema(required = false)]
    place: Option<String>,
    /// Who has to act.
    fault: FaultSchema,
    /// What to do next.
    next: String,
    /// Further problems of the same request.
    #[schema(required = false, no_recursion)]
    others: Vec<ProblemSchema>,
}

/// The schema of [`Fault`].
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fault)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "a description, not a value")]
pub enum FaultSchema {
    /// Whoever sent the request.
    Sender,
    /// Whoever configures the hub.
    Configuration,
    /// The external system.
    Vendor,
    /// Switchboard or its machine.
    Hub,
}

impl From<Fault> for FaultSchema {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sender => Self::Sender,
            Fault::Configuration => Self::Configuration,
            Fault::Vendor => Self::Vendor,
            Fault::Hub => Self::Hub,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn the_described_problem_has_exactly_the_members_of_the_real_one() {
        let inner = Problem::new(Code::WrongShape, "d", "n").at("/p");
        let mut problem = inner.clone();
        problem.others.push(inner);
        let real = serde_json::to_value(ProblemBody::from(&problem)).unwrap();
        let described = serde_json::to_value(ProblemSchema::schema()).unwrap();
        let names = |value: &Value| {
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names(&real), names(&described["properties"]));
    }

    #[test]
    fn a_fault_is_spelt_as_it_is_described() {
        for fault in [Fault::Sender, Fault::Configuration, Fault::Vendor, Fault::Hub] {
            let described = serde_json::to_value(FaultSchema::from(fault)).unwrap();
            assert_eq!(serde_json::to_value(fault).unwrap(), described);
        }
    }

    #[test]
    fn a_refused_key_names_the_scheme_and_a_busy_hub_the_wait() {
        let header = |code, name| render(&Problem::new(code, "d", "n")).headers().get(name).cloned();
        assert!(header(Code::Unauthorised, header::WWW_AUTHENTICATE).is_some());
        assert_eq!(
            header(Code::Busy, header::RETRY_AFTER),
            Some(HeaderValue::from_static("1"))
        );
        assert_eq!(
            header(Code::NotFound, header::CONTENT_TYPE).unwrap(),
            "application/problem+json"
        );
    }
}
