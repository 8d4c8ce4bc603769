//! The body of a request: media type, size, then its text or value.

use axum::{
    body::{Bytes, HttpBody as _},
    extract::{FromRequest, Request},
};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use switchboard_model::problem::{Code, Problem};

use super::{App, json, problem::Failure};

const JSON: &str = "application/json";
/// A body that is too large is read on and thrown away up to so many times the limit: a caller that is cut off while it
/// sends never sees the answer.
const PATIENCE: usize = 8;

/// A JSON body that was read within the limits.
#[derive(Debug)]
pub struct JsonBody(pub Value);

impl FromRequest<App> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let bytes = receive(request, app.limits.body_bytes).await?;
        Ok(Self(json::read(&bytes, app.limits.depth)?))
    }
}

/// A JSON body as text, for readers that tell places themselves.
#[derive(Debug)]
pub struct TextBody(pub String);

impl FromRequest<App> for TextBody {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let bytes = receive(request, app.limits.body_bytes).await?;
        Ok(Self(json::utf8(&bytes)?.to_owned()))
    }
}

/// A body that is an object, as what it is to be.
///
/// # Errors
/// [`Code::WrongShape`] with what does not fit.
pub fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    let refuse = |detail: String| {
        let next = "/openapi.json describes the members of this body.";
        Problem::new(Code::WrongShape, detail, next)
    };
    if !value.is_object() {
        return Err(refuse("The body is not an object".into()));
    }
    serde_json::from_value(value).map_err(|error| {
        let words: String = error.to_string().chars().take(400).collect();
        refuse(format!("The body does not fit: {words}"))
    })
}

/// A file of records: CSV, or JSON.
#[derive(Debug)]
pub struct FileBody {
    /// Whether it is CSV.
    pub is_csv: bool,
    /// What is in it.
    pub text: String,
}

impl FromRequest<App> for FileBody {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let media = request.headers().get(header::CONTENT_TYPE);
        let media = media.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase());
        let is_csv = media.is_some_and(|media| {
            media
                .split(';')
                .next()
                .is_some_and(|essence| essence.trim() == "text/csv")
        });
        let bytes = match is_csv {
            true => receive_of("text/csv", request, app.limits.body_bytes).await?,
            false => receive(request, app.limits.body_bytes).await?,
        };
        let text = json::utf8(&bytes)?.to_owned();
        Ok(Self { is_csv, text })
    }
}

async fn receive(request: Request, limit: usize) -> Result<Bytes, Problem> {
    receive_of(JSON, request, limit).await
}

async fn receive_of(media: &str, request: Request, limit: usize) -> Result<Bytes, Problem> {
    check_media(media, request.headers())?;
    // A caller that asks before it sends is told at once.
    if request.headers().contains_key(header::EXPECT) && request.body().size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let mut body = request.into_body();
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let detail = "The body did not arrive whole.";
            return Err(Problem::new(Code::BrokenJson, detail, "Send the request again."));
        };
        if let Ok(piece) = frame.into_data() {
            length += piece.len();
            if length <= limit {
                pieces.push(piece);
            } else if length > limit.saturating_mul(PATIENCE) {
                break;
            }
        }
    }
    match pieces.len() {
        _ if length > limit => Err(too_large(limit)),
        1 => Ok(pieces.swap_remove(0)),
        _ => Ok(pieces.concat().into()),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("The body is larger than {limit} bytes."),
        "Send fewer events per request, or shorten their texts. The limit is the setting limits.body_bytes.",
    )
}

/// JSON (or another media type that is wanted) in UTF-8, not compressed; anything else is [`Code::UnsupportedMedia`].
fn check_media(wanted: &str, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| {
        headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase())
    };
    let refuse = |detail: String| {
        let next = "Send JSON in UTF-8 with the header `Content-Type: application/json` (curl: --json instead of -d).";
        Err(Problem::new(Code::UnsupportedMedia, detail, next).at("header Content-Type"))
    };
    if let Some(encoding) =
        text(header::CONTENT_ENCODING).filter(|encoding| !matches!(encoding.as_str(), "" | "identity"))
    {
        return refuse(format!("The body is compressed ({encoding}), which is not taken."));
    }
    let Some(media) = text(header::CONTENT_TYPE) else {
        return refuse("The header Content-Type is missing.".into());
    };
    let (essence, parameters) = media.split_once(';').unwrap_or((&media, ""));
    let essence = essence.trim();
    let is_kin = wanted == JSON && essence.starts_with("application/") && essence.ends_with("+json");
    if essence != wanted && !is_kin {
        return refuse(format!("The body is declared as `{essence}`."));
    }
    let charset = parameters
        .split(';')
        .filter_map(|p| p.trim().strip_prefix("charset="))
        .next();
    match charset.map(|charset| charset.trim_matches('"')) {
        None | Some("utf-8" | "utf8") => Ok(()),
        Some(other) => refuse(format!("The body is declared as {other}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_json_in_utf_8_is_taken() {
        for (media, encoding, taken) in [
            (Some("application/json"), None, true),
            (Some("application/json; charset=UTF-8"), None, true),
            (Some("application/json;charset=\"utf-8\""), Some("identity"), true),
            (Some("application/cloudevents+json"), None, true),
            (Some("application/json; charset=gbk"), None, false),
            (Some("application/json"), Some("gzip"), false),
            (Some("application/x-www-form-urlencoded"), None, false),
            (Some("text/plain"), None, false),
            (None, None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(media) = media {
                headers.insert(header::CONTENT_TYPE, media.parse().unwrap());
            }
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
            }
            let checked = check_media(JSON, &headers);
            assert_eq!(checked.is_ok(), taken, "{media:?} {encoding:?}");
            assert!(checked.is_ok() || checked.is_err_and(|problem| problem.code == Code::UnsupportedMedia));
        }
    }
}
