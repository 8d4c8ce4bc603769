//! The calls by which a script serves the page on which a person agrees to an app, and takes the code back.

use rhai::{Dynamic, Engine, Map};

use super::Wrong;
use super::request::Req;
use super::state::{Db, State, name_of};
use crate::consent::{CODE_SECONDS, Challenge, Page, Shown};
use crate::message::Reply;

/// `db.agree`, `db.redeem`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("agree", |db: &mut Db, req: Req, page: Map| -> Result<Reply, Wrong> {
        let mut state = db.lock();
        let page = read(page, state.any_credentials)?;
        let State { codes, chance, .. } = &mut *state;
        Ok(codes.agree(req.request(), &page, chance))
    });
    engine.register_fn("redeem", |db: &mut Db, shown: Map| {
        let text = |name: &str| shown.get(name).map(name_of).unwrap_or_default();
        let (code, client_id, redirect_uri) = (text("code"), text("client_id"), text("redirect_uri"));
        let code_verifier = Some(text("code_verifier")).filter(|verifier| !verifier.is_empty());
        let shown = Shown {
            code: &code,
            client_id: &client_id,
            redirect_uri: &redirect_uri,
            code_verifier: code_verifier.as_deref(),
        };
        let mut state = db.lock();
        let now_ms = state.now_ms;
        let told = match state.codes.redeem(shown, now_ms) {
            Ok(granted) => vec![("owner", granted.owner), ("scope", granted.scope)],
            Err(problem) => vec![("problem", problem.to_owned())],
        };
        let told = told.into_iter().map(|(name, text)| (name.into(), Dynamic::from(text)));
        told.collect::<Map>()
    });
}

/// The page as a script describes it.
fn read(described: Map, any_client: bool) -> Result<Page, Wrong> {
    let mut page = Page {
        clients: None,
        challenge: Challenge::Unknown,
        scopes: None,
        separator: " ".into(),
        needs: Vec::new(),
        may: Vec::new(),
        back: Vec::new(),
        owner: String::new(),
        code_seconds: CODE_SECONDS,
    };
    for (name, value) in described {
        let name = name.as_str();
        let wrong = |_: &'static str| Wrong::from(format!("agree: `{name}` is of another kind"));
        match name {
            "clients" => page.clients = Some(texts(value).map_err(wrong)?).filter(|_| !any_client),
            "pkce" => page.challenge = challenge(&name_of(&value))?,
            "scopes" => page.scopes = Some(texts(value).map_err(wrong)?),
            "separator" => page.separator = name_of(&value),
            "needs" => page.needs = pairs(value).map_err(wrong)?,
            "may" => page.may = texts(value).map_err(wrong)?,
            "back" => page.back = pairs(value).map_err(wrong)?,
            "owner" => page.owner = name_of(&value),
            "code_seconds" => page.code_seconds = value.as_int().map_err(wrong)?,
            other => return Err(format!("agree: `{other}` is unknown").into()),
        }
    }
    Ok(page)
}

fn challenge(word: &str) -> Result<Challenge, Wrong> {
    match word {
        "needed" => Ok(Challenge::Needed),
        "taken" => Ok(Challenge::Taken),
        "unknown" => Ok(Challenge::Unknown),
        other => Err(format!("agree: `pkce` is needed, taken or unknown, not {other}").into()),
    }
}

fn texts(list: Dynamic) -> Result<Vec<String>, &'static str> {
    Ok(list.into_array()?.iter().map(name_of).collect())
}

fn pairs(members: Dynamic) -> Result<Vec<(String, String)>, &'static str> {
    let members = members.try_cast::<Map>().ok_or("no map")?;
    let pairs = members
        .into_iter()
        .map(|(name, value)| (name.to_string(), name_of(&value)));
    Ok(pairs.collect())
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use crate::message::Request;
    use crate::scripted::trial::{fails, says_of};

    #[test]
    fn a_script_serves_the_page_and_takes_the_code_back() {
        let back = "https%3A%2F%2Fhub.example.org%2Fback";
        let asked = format!("/authorize?client_id=app&redirect_uri={back}&response_type=code&scope=a%20b&state=s");
        let script = r#"
            let page = #{ clients: ["app"], pkce: "taken", scopes: ["a", "b"], needs: #{ response_type: "code" }, owner: 7 };
            let sent = db.agree(req, page);
            let code = captures(sent.header("location"), "code=([^&]+)")[1];
            let shown = #{ code: code, client_id: "app", redirect_uri: "https://hub.example.org/back" };
            [sent.status, db.redeem(shown), db.redeem(shown)]"#;
        let expected = json!([302, {"owner": "7", "scope": "a b"}, {"problem": "the code is unknown or was used"}]);
        assert_eq!(says_of(Request::new(Method::GET, &asked), script), expected);
    }

    #[test]
    fn a_page_that_is_described_wrongly_is_an_error_of_the_script() {
        assert!(fails(r#"db.agree(req, #{ scope: [] })"#).contains("`scope` is unknown"));
        assert!(fails(r#"db.agree(req, #{ scopes: 5 })"#).contains("`scopes` is of another kind"));
        assert!(fails(r#"db.agree(req, #{ pkce: "no" })"#).contains("needed, taken or unknown"));
    }
}
