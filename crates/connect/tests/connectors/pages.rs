//! The pages of all vendors: how each is asked, and what is particular about the way back.

use std::collections::HashMap;

use serde_json::{Value, json};
use switchboard_connect::{
    authorize::{Arrival, Departure},
    connector::Account,
};

use super::hub::{NOW_MS, answer, connector, map};

const BACK: &str = "https://hub.example.org/oauth/callback";
const PKCE: &str = "code_challenge=c-1";

/// A vendor's page: slug, kind, settings; how its address begins; what is in it, and what is not.
type Page = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const PAGES: [Page; 15] = [
    (
        "airtable",
        "oauth",
        "{}",
        "https://airtable.com/oauth2/v1/authorize?",
        &[PKCE, "scope=data.records%3Aread%20data"],
        &[],
    ),
    (
        "asana",
        "oauth",
        "{}",
        "https://app.asana.com/-/oauth_authorize?",
        &[PKCE, "scope=tasks%3Aread%20"],
        &[],
    ),
    (
        "monday",
        "oauth",
        "{}",
        "https://auth.monday.com/oauth2/authorize?",
        &[PKCE, "scope=me%3Aread%20"],
        &["response_type"],
    ),
    (
        "feishu",
        "user",
        "{}",
        "https://accounts.feishu.cn/open-apis/authen/v1/authorize?",
        &[PKCE, "client_id=cli_1", "scope=offline_access%20"],
        &["client_id=app"],
    ),
    (
        "feishu",
        "user",
        r#"{"region": "lark"}"#,
        "https://accounts.larksuite.com/open-apis/authen/v1/authorize?",
        &[PKCE],
        &[],
    ),
    (
        "tencent-docs",
        "user",
        r#"{"fileId": "D1", "sheetId": "s"}"#,
        "https://docs.qq.com/oauth/v2/authorize?",
        &["scope=all"],
        &[PKCE],
    ),
    (
        "jira",
        "oauth",
        r#"{"projectKey": "SUP"}"#,
        "https://auth.atlassian.com/authorize?",
        &["audience=api.atlassian.com", "prompt=consent", "offline_access"],
        &[PKCE],
    ),
    (
        "linear",
        "oauth",
        r#"{"team": "ENG"}"#,
        "https://linear.app/oauth/authorize?",
        &[PKCE, "scope=read%2Cwrite", "prompt=consent"],
        &[],
    ),
    (
        "pipedrive",
        "oauth",
        "{}",
        "https://oauth.pipedrive.com/oauth/authorize?",
        &["client_id=app", "state=s-1"],
        &[PKCE, "scope", "response_type"],
    ),
    (
        "twenty",
        "oauth",
        r#"{"baseUrl": "https://crm.example.org"}"#,
        "https://crm.example.org/oauth/authorize?",
        &[PKCE, "scope=api%20profile"],
        &[],
    ),
    (
        "zoho",
        "oauth",
        r#"{"dataCenter": "eu"}"#,
        "https://accounts.zoho.eu/oauth/v2/auth?",
        &["access_type=offline", "prompt=consent", "ZohoCRM.modules.ALL%2CZoho"],
        &[PKCE],
    ),
    (
        "slack",
        "app",
        "{}",
        "https://slack.com/oauth/v2/authorize?",
        &["scope=chat%3Awrite%2Cchat"],
        &[PKCE, "user_scope", "response_type"],
    ),
    (
        "slack",
        "rotating",
        "{}",
        "https://slack.com/oauth/v2/authorize?",
        &["scope=chat%3Awrite%2Cchat"],
        &[PKCE, "user_scope"],
    ),
    (
        "teams",
        "delegated",
        r#"{"tenantId": "example.org"}"#,
        "https://login.microsoftonline.com/example.org/oauth2/v2.0/authorize?",
        &[
            PKCE,
            "scope=offline_access%20https%3A%2F%2Fgraph.microsoft.com%2FChannelMessage.Send",
        ],
        &[],
    ),
    (
        "zendesk",
        "refresh_token",
        r#"{"subdomain": "acme"}"#,
        "https://acme.zendesk.com/oauth/authorizations/new?",
        &[PKCE, "scope=read%20write"],
        &[],
    ),
];

fn opened(slug: &str, kind: &str, settings: &str) -> Account {
    let settings: Value = serde_json::from_str(settings).unwrap();
    let secrets = json!({"clientId": "app", "clientSecret": "s&cret", "appId": "cli_1", "appSecret": "s&cret"});
    connector(slug)
        .account(kind, &map(settings), &map(secrets), &map(json!({})))
        .unwrap()
}

#[test]
fn each_page_is_asked_as_its_vendor_wants() {
    let departure = Departure {
        redirect_uri: BACK,
        state: "s-1",
        code_challenge: "c-1",
    };
    for (slug, kind, settings, begins, wanted, unwanted) in PAGES {
        let account = opened(slug, kind, settings);
        let address = connector(slug).sign_in_address(&account, departure).unwrap();
        assert!(address.starts_with(begins), "{slug}: {address}");
        for part in wanted {
            assert!(address.contains(part), "{slug} without {part}: {address}");
        }
        for part in unwanted {
            assert!(!address.contains(part), "{slug} with {part}: {address}");
        }
        assert!(!address.contains("cret"), "{slug}: {address}");
    }
}

#[test]
fn who_lives_in_another_data_centre_of_zoho_is_asked_there_from_then_on() {
    let zoho = connector("zoho");
    let secrets = map(json!({"clientId": "1000.A", "clientSecret": "s&cret", "refreshToken": "1000.r"}));
    let back = |server: &str| {
        HashMap::from([
            ("code".to_owned(), "c".to_owned()),
            ("accounts-server".to_owned(), server.to_owned()),
        ])
    };
    let facts = zoho
        .callback_facts("oauth", &back("https://accounts.zoho.com.au"))
        .unwrap();
    let account = zoho.account("oauth", &map(json!({})), &secrets, &facts).unwrap();
    let arrival = Arrival {
        code: "geheim",
        redirect_uri: BACK,
        code_verifier: "v-1",
    };
    let expected = "https://accounts.zoho.com.au/oauth/v2/token";
    assert_eq!(zoho.code_request(&account, arrival, NOW_MS).unwrap().url, expected);
    assert_eq!(zoho.token_request(&account, NOW_MS).unwrap().unwrap().url, expected);
    for elsewhere in [
        "https://accounts.zoho.com.evil.example",
        "http://accounts.zoho.com",
        "https://evil.example/accounts.zoho.eu",
    ] {
        assert!(zoho.callback_facts("oauth", &back(elsewhere)).is_err(), "{elsewhere}");
    }
}

#[test]
fn an_app_of_slack_without_rotation_brings_the_token_of_its_bot() {
    let slack = connector("slack");
    let account = opened("slack", "app", "{}");
    let body = json!({"ok": true, "access_token": "xoxb-1", "token_type": "bot"});
    let token = slack.read_code_answer(&account, &answer(200, body), NOW_MS).unwrap();
    assert_eq!((&*token.access, token.expires_at_ms), ("xoxb-1", None));
    assert_eq!(Value::Object(token.replaced_secrets), json!({"botToken": "xoxb-1"}));
    let rotating = json!({"ok": true, "access_token": "xoxe.xoxb-1", "expires_in": 43200, "refresh_token": "xoxe-1"});
    let failure = slack
        .read_code_answer(&account, &answer(200, rotating.clone()), NOW_MS)
        .unwrap_err();
    assert!(
        failure.dead && failure.message.contains("token rotation"),
        "{failure:?}"
    );
    let account = opened("slack", "rotating", "{}");
    let token = slack
        .read_code_answer(&account, &answer(200, rotating), NOW_MS)
        .unwrap();
    assert_eq!(Value::Object(token.replaced_secrets), json!({"refreshToken": "xoxe-1"}));
}
