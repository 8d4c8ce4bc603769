//! The body of a request: media type, size, then its text or value.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use switchboard_model::problem::{Code, Problem};

use super::{App, json, problem::Failure};

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

async fn receive(request: Request, limit: usize) -> Result<Bytes, Problem> {
    check_media(request.headers())?;
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let body: Limited<Body> = Limited::new(request.into_body(), limit);
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err(Problem::new(
            Code::BrokenJson,
            "The body did not arrive whole.",
            "Send the request again.",
        )),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("The body is larger than {limit} bytes."),
        "Send fewer events per request, or shorten their texts. The limit is the setting limits.body_bytes.",
    )
}

/// JSON in UTF-8, not compressed; anything else is [`Code::UnsupportedMedia`].
fn check_media(headers: &HeaderMap) -> Result<(), Problem> {
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
    if essence != "application/json" && !(essence.starts_with("application/") && essence.ends_with("+json")) {
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
            let checked = check_media(&headers);
            assert_eq!(checked.is_ok(), taken, "{media:?} {encoding:?}");
            assert!(checked.is_ok() || checked.is_err_and(|problem| problem.code == Code::UnsupportedMedia));
        }
    }
}
