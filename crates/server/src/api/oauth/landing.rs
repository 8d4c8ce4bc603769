//! What a person sees who comes back from a vendor's page. It holds nothing from outside but escaped text, runs no script, and is kept
//! nowhere: its own address has a code in it.

use axum::{
    Json,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use switchboard_model::problem::Problem;

use super::SignedInView;
use crate::api::problem;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;\
                     color-scheme:light dark}code{font-size:.9em}";
/// Nothing is loaded, nothing may frame it, nobody is told where the person comes from.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Whether the caller is a browser.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The answer: a page, or JSON.
pub fn render(answer: Result<SignedInView, Problem>, page: bool) -> Response {
    let mut response = match (answer, page) {
        (Ok(done), false) => Json(done).into_response(),
        (Ok(done), true) => Html(success(&done)).into_response(),
        (Err(problem), false) => problem::render(&problem),
        (Err(problem), true) => {
            let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Html(failure(&problem))).into_response()
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn success(done: &SignedInView) -> String {
    let title = format!("{} is connected", done.connector);
    let body = format!(
        "<p>{}</p><p>The connection <code>{}</code> is at work. You can close this page.</p>",
        escape(&done.message),
        escape(&done.connection)
    );
    frame(&title, &body)
}

fn failure(problem: &Problem) -> String {
    let code = problem.code.code();
    let body = format!(
        "<p>{}</p><p>{}</p><p><a href=\"/errors/{code}\">{code}</a></p>",
        escape(&problem.detail),
        escape(&problem.next)
    );
    frame(problem.code.title(), &body)
}

fn frame(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use switchboard_model::problem::Code;

    use super::*;

    #[test]
    fn what_comes_from_outside_is_text_on_the_page() {
        let problem = Problem::new(Code::SignInRefused, "<script>alert('x')</script> & 您好", "\"Again\"");
        let page = failure(&problem);
        assert!(
            page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; 您好"),
            "{page}"
        );
        assert!(page.contains("&quot;Again&quot;") && !page.contains("<script"));
    }

    #[test]
    fn browsers_get_a_page_and_programs_get_json_and_nobody_keeps_either() {
        for (accept, media) in [
            (
                "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
                "text/html; charset=utf-8",
            ),
            ("application/json", "application/problem+json"),
            ("*/*", "application/problem+json"),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            let problem = Problem::new(Code::SignInUnknown, "d", "n");
            let response = render(Err(problem), wants_page(&headers));
            assert_eq!(response.status(), 400);
            assert_eq!(response.headers()[header::CONTENT_TYPE], media);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        }
    }
}
