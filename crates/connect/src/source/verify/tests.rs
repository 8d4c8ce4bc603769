//! Ways that no ready source shows: asymmetric keys, tokens, several secrets.

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

use super::*;
use crate::source::{NoLists, Received, Source, SourceSpec, ready};

const NOW_S: i64 = 1_795_687_200;

/// A source with these checks and secrets.
fn source(verify: Value, secrets: Value) -> Source {
    let ready = ready::find("json").unwrap();
    let spec = SourceSpec {
        conduct: Map::from_iter([("verify".to_owned(), verify)]),
        secrets: secrets.as_object().cloned().unwrap(),
        ..ready.plain()
    };
    Source::compile(&spec, ready).unwrap()
}

fn request(headers: &[(&str, &str)], body: &str) -> Request {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request {
        method: "POST".into(),
        path: "json".into(),
        headers: headers.collect(),
        body: body.into(),
        ..Request::default()
    }
}

/// `None`: it passes.
fn refusal(source: &Source, request: &Request, now_s: i64) -> Option<String> {
    match source.receive(request, &NoLists, now_s * 1000) {
        Received::Refused { reason, .. } => Some(reason),
        _ => None,
    }
}

/// Everything in which one bit differs: header values, body.
fn turned_over(request: &Request) -> Vec<Request> {
    let flips = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let each = (0..bytes.len() * 8).map(|bit| {
            let mut changed = bytes.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        });
        each.collect()
    };
    let mut all = Vec::new();
    for (at, (_, value)) in request.headers.iter().enumerate() {
        for changed in flips(value.as_bytes()) {
            let mut request = request.clone();
            request.headers[at].1 = String::from_utf8_lossy(&changed).into_owned();
            all.push(request);
        }
    }
    for body in flips(&request.body) {
        all.push(Request {
            body,
            ..request.clone()
        });
    }
    all
}

fn holds_to_the_bit(source: &Source, request: &Request, now_s: i64) {
    assert_eq!(refusal(source, request, now_s), None);
    for changed in turned_over(request) {
        assert!(refusal(source, &changed, now_s).is_some(), "{changed:?}");
    }
}

/// The vectors of the Standard Webhooks libraries, and the computed ones (fact sheet standard-webhooks §7).
#[test]
fn standard_webhooks_vectors_pass_to_the_bit() {
    let v1 = source(
        json!([{"standard_webhooks": {"secret": "signing_secret"}}]),
        json!({"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
    );
    let sent = |signature: &str, body: &str| {
        request(
            &[
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", signature),
            ],
            body,
        )
    };
    let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let body = r#"{"test": 2432232314}"#;
    holds_to_the_bit(&v1, &sent(right, body), 1_614_265_330);
    holds_to_the_bit(
        &v1,
        &sent("v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=", ""),
        1_614_265_330,
    );
    let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    let several = sent(&format!("{wrong} v2,{} {right} {wrong}", &right[3..]), body);
    assert_eq!(refusal(&v1, &several, 1_614_265_330), None);
    for signature in [
        wrong,
        "v1,",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        &right[..30],
        "",
    ] {
        assert!(
            refusal(&v1, &sent(signature, body), 1_614_265_330).is_some(),
            "{signature}"
        );
    }
    for off in [-301, 301, -86_400, i64::MAX / 2000] {
        assert!(
            refusal(&v1, &sent(right, body), 1_614_265_330 + off).is_some(),
            "{off} s off"
        );
    }
    for off in [-300, 300] {
        assert_eq!(
            refusal(&v1, &sent(right, body), 1_614_265_330 + off),
            None,
            "{off} s off"
        );
    }
    for at in 0..3 {
        let mut without = sent(right, body);
        without.headers.remove(at);
        assert!(refusal(&v1, &without, 1_614_265_330).unwrap().contains("missing"));
    }
    let mut hello = sent(right, body);
    hello.headers[1].1 = "hello".into();
    assert!(refusal(&v1, &hello, 1_614_265_330).unwrap().contains("cannot be read"));
}

#[test]
fn standard_webhooks_with_a_public_key_pass_to_the_bit() {
    let v1a = source(
        json!([{"standard_webhooks": {"public_key": "public_key", "versions": ["v1a"]}}]),
        json!({"public_key": "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="}),
    );
    let sent = request(
        &[
            ("webhook-id", "msg_hub_0001"),
            ("webhook-timestamp", "1795687200"),
            (
                "webhook-signature",
                "v1a,dVoxWVSRYls7qUgzJF7zLbPXhS8G78iykc6FiFCbypouyFQB9xMd+o8GurilIndsaGXKQO2W+RfPhrsfYTyuBA==",
            ),
        ],
        r#"{"type":"lead.created","data":{"id":"ld_1"}}"#,
    );
    holds_to_the_bit(&v1a, &sent, NOW_S);
}

#[test]
fn an_rsa_signature_passes_to_the_bit() {
    use rsa::{
        RsaPrivateKey,
        pkcs1v15::SigningKey,
        pkcs8::EncodePublicKey,
        signature::{SignatureEncoding, Signer},
    };
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let pem = key
        .to_public_key()
        .to_public_key_pem(rsa::pkcs8::LineEnding::LF)
        .unwrap();
    let signed = source(
        json!([{"rsa": {"public_key": "public_key", "over": ["body"], "signature": {"header": "X-Signature", "form": "base64"}}}]),
        json!({"public_key": pem.replace('\n', "\\n")}),
    );
    let body = r#"{"id":7}"#;
    let signer = SigningKey::<rsa::sha2::Sha256>::new(key);
    let signature = STANDARD.encode(signer.sign(body.as_bytes()).to_bytes());
    holds_to_the_bit(&signed, &request(&[("x-signature", &signature)], body), NOW_S);
}

#[test]
fn a_token_is_checked_with_its_times_claims_and_the_body() {
    let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let guarded = source(
        json!([{"jwt": {
            "algorithm": "HS256", "secret": ["jwt_secret", "previous_jwt_secret"],
            "token": {"header": "Authorization", "prefix": "Bearer "}, "claims": "iss == 'example'",
            "body_digest": {"claim": "payload_hash", "hash": "sha256", "form": "hex"}
        }}]),
        json!({"jwt_secret": "a-new-secret-of-32-bytes-0123456", "previous_jwt_secret": "an-old-secret-of-32-bytes-012345"}),
    );
    let token = |algorithm, secret: &str, claims: Value| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        format!(
            "Bearer {}",
            jsonwebtoken::encode(&Header::new(algorithm), &claims, &key).unwrap()
        )
    };
    let claims = json!({"iss": "example", "exp": NOW_S + 100, "payload_hash": digest});
    let with = |changes: Value| {
        let mut claims = claims.clone();
        claims
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().cloned().unwrap());
        claims
    };
    let old = "an-old-secret-of-32-bytes-012345";
    let good = request(
        &[("authorization", &token(Algorithm::HS256, old, claims.clone()))],
        "{}",
    );
    holds_to_the_bit(&guarded, &good, NOW_S);
    assert_eq!(refusal(&guarded, &good, NOW_S + 160), None);
    assert!(refusal(&guarded, &good, NOW_S + 161).unwrap().contains("expired"));
    for (changed, why) in [
        (json!({"iss": "another"}), "claims"),
        (json!({"exp": null}), "no end"),
        (json!({"exp": "tomorrow"}), "no time"),
        (json!({"nbf": NOW_S + 61}), "not good yet"),
        (json!({"payload_hash": "00"}), "body"),
    ] {
        let sent = request(&[("authorization", &token(Algorithm::HS256, old, with(changed)))], "{}");
        let reason = refusal(&guarded, &sent, NOW_S).unwrap();
        assert!(reason.contains(why), "{reason}");
    }
    for sent in [
        token(Algorithm::HS512, old, claims.clone()),
        token(Algorithm::HS256, "guessed", claims.clone()),
        "Bearer a.b.c".into(),
        "Basic x".into(),
    ] {
        assert!(
            refusal(&guarded, &request(&[("authorization", &sent)], "{}"), NOW_S).is_some(),
            "{sent}"
        );
    }
}

#[test]
fn user_and_password_pass_to_the_bit() {
    let guarded = source(
        json!([{"basic": {"user": "user", "password": "password"}}]),
        json!({"user": "hub", "password": "пароль:1"}),
    );
    let header = format!("Basic {}", STANDARD.encode("hub:пароль:1"));
    let good = request(&[("authorization", &header)], "");
    assert_eq!(refusal(&guarded, &good, NOW_S), None);
    for changed in turned_over(&good) {
        // The name of the scheme is read in any case of letters.
        let same = changed.headers[0].1.eq_ignore_ascii_case(&header) && changed.headers[0].1[6..] == header[6..];
        assert_eq!(refusal(&guarded, &changed, NOW_S).is_none(), same, "{changed:?}");
    }
}

#[test]
fn what_has_to_be_given_is_named_also_of_several_ways_and_of_user_and_password() {
    let missing = |verify: Value, secrets: Value| source(verify, secrets).missing_secrets();
    let basic = json!({"basic": {"user": "user", "password": "password"}});
    let token = json!({"shared": {"secret": "token", "query": "token"}});
    assert_eq!(missing(json!([basic]), json!({})), ["user", "password"]);
    assert_eq!(missing(json!([basic]), json!({"user": "hub"})), ["password"]);
    let any = json!([{"any": [token, basic]}]);
    assert_eq!(missing(any.clone(), json!({})), ["token"]);
    assert!(missing(any, json!({"password": "x"})).is_empty());
    let optional = json!({"optional": true, "shared": {"secret": "token", "query": "token"}});
    assert!(missing(json!([{"any": [optional]}]), json!({})).is_empty());
    assert!(
        missing(
            json!([{"any": [token, {"addresses": {"list": ["192.0.2.0/24"]}}]}]),
            json!({})
        )
        .is_empty()
    );
}

#[test]
fn a_user_without_a_password_leaves_no_door_open() {
    let guarded = source(
        json!([{"optional": true, "basic": {"user": "user", "password": "password"}}]),
        json!({"user": "hub"}),
    );
    let refused = refusal(&guarded, &request(&[], ""), NOW_S).unwrap();
    assert!(refused.contains("password"), "{refused}");
}

#[test]
fn without_its_secret_a_check_refuses_and_says_what_is_missing() {
    let guarded = source(json!([{"shared": {"secret": "token", "query": "token"}}]), json!({}));
    assert_eq!(guarded.missing_secrets(), ["token"]);
    let mut sent = request(&[], "{}");
    sent.query = "token=".into();
    assert!(
        refusal(&guarded, &sent, NOW_S)
            .unwrap()
            .contains("`token` of this source is not set")
    );
}

#[test]
fn a_secret_behind_the_path_is_compared_and_masked() {
    let guarded = source(
        json!([{"shared": {"secret": "token", "path": true}}]),
        json!({"token": "t0ken-of-the-address"}),
    );
    assert!(guarded.reads_tail());
    let mut sent = request(&[("X-Other", "kept")], "{}");
    sent.path = "json/t0ken-of-the-address".into();
    sent.tail = "/t0ken-of-the-address".into();
    sent.url = "https://hub.example.com/in/json/t0ken-of-the-address".into();
    assert_eq!(refusal(&guarded, &sent, NOW_S), None);
    let masked = guarded.mask(&sent);
    let shown = format!("{masked:?}");
    assert!(!shown.contains("t0ken") && shown.contains("kept"), "{shown}");
    sent.tail = "/guessed".into();
    assert!(refusal(&guarded, &sent, NOW_S).is_some());
}

#[test]
fn what_is_only_noted_refuses_nothing() {
    let noted = source(
        json!([{"log_only": true, "shared": {"secret": "token", "header": "X-Token"}}]),
        json!({"token": "t0ken"}),
    );
    match noted.receive(&request(&[], "{}"), &NoLists, NOW_S * 1000) {
        Received::Callback { notes, .. } => assert!(notes[0].contains("X-Token is missing"), "{notes:?}"),
        other => panic!("{other:?}"),
    }
}
