//! Requests in an envelope: what each part of the answer means for its record. Facts are those of the fact sheet of Dynamics 365, §6.

use http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_connect::{
    call::Answer,
    connector::{Account, BulkAnswer, Call, Doubt, Known},
    manifest::OperationKind as Op,
};
use switchboard_model::outcome::Outcome;

use super::hub::{account, account_with, answer, call_of, connector, prepared, with_header};

const IDS: [&str; 3] = [
    "00aa0000-0000-4000-8000-000000000001",
    "00aa0000-0000-4000-8000-000000000002",
    "00aa0000-0000-4000-8000-000000000003",
];

struct Dynamics {
    account: Account,
    /// Three leads, with the keys a, b and c and [`IDS`].
    calls: Vec<Call>,
}

impl Dynamics {
    fn new(facts: Value) -> Self {
        let call = |(key, id): (&str, &str)| {
            let record = json!({"lastname": "A", "emailaddress1": format!("{key}@example.org")});
            call_of(key, record, Known::new(Some(id.into()), Doubt::No))
        };
        let calls = ["a", "b", "c"].into_iter().zip(IDS).map(call).collect();
        Self {
            account: account("dynamics365", facts),
            calls,
        }
    }

    fn read(&self, kind: Op, answer: &Answer) -> BulkAnswer {
        let calls: Vec<_> = self.calls.iter().collect();
        connector("dynamics365").read_bulk("lead", kind, &self.account, &calls, answer)
    }

    fn each(&self, kind: Op, answer: &Answer) -> Vec<String> {
        match self.read(kind, answer) {
            BulkAnswer::Each(outcomes) => outcomes.iter().map(brief).collect(),
            whole => panic!("{whole:?} {kind}"),
        }
    }

    fn whole(&self, kind: Op, answer: &Answer) -> String {
        match self.read(kind, answer) {
            BulkAnswer::Whole(outcome) => brief(&outcome),
            each => panic!("{each:?} {kind}"),
        }
    }
}

fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered { external_id, .. } => format!("delivered {}", external_id.as_deref().unwrap_or("-")),
        Outcome::Duplicate { existing } => format!("duplicate {}", existing.as_deref().unwrap_or("-")),
        Outcome::Throttled { after_ms, .. } => format!("throttled {}", after_ms.unwrap_or_default()),
        Outcome::Rejected { message, .. } => format!("rejected {message}"),
        other => other.name().to_owned(),
    }
}

/// Status, further headers (each with its line end) and body of a part.
type Part<'p> = (u16, String, &'p str);

fn batch(status: u16, parts: &[Part<'_>]) -> Answer {
    let mut body = String::new();
    for (status, headers, text) in parts {
        body.push_str(
            "--batchresponse_9\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n",
        );
        body.push_str(&format!(
            "HTTP/1.1 {status} Reason\r\nOData-Version: 4.0\r\n{headers}\r\n{text}\r\n"
        ));
    }
    body.push_str("--batchresponse_9--\r\n");
    of_parts(status, body)
}

fn of_parts(status: u16, body: String) -> Answer {
    let answer = Answer::new(status, HeaderMap::new(), body);
    with_header(answer, "content-type", "multipart/mixed; boundary=batchresponse_9")
}

fn plain(status: u16, text: &str) -> Part<'_> {
    (status, String::new(), text)
}

fn at(id: &str) -> Part<'static> {
    let address = format!("OData-EntityId: https://acme.crm4.dynamics.com/api/data/v9.2/leads({id})\r\n");
    (204, address, "")
}

fn row(id: &str) -> String {
    json!({ "leadid": id }).to_string()
}

fn error(code: &str, message: &str) -> String {
    json!({"error": {"code": code, "message": message}}).to_string()
}

#[test]
fn each_part_is_read_by_the_rules_of_the_single_call() {
    let by_key = Dynamics::new(prepared("dynamics365"));
    let by_id = Dynamics::new(json!({}));
    let (first, second) = (row(IDS[0]), row(IDS[1]));
    let too_long = error("0x80044331", "Too long.");
    let double = error(
        "0x80060892",
        "Entity Key violated. <DuplicateAttributes><leadid>00aa0000-0000-4000-8000-000000000009</leadid></DuplicateAttributes>",
    );
    let gone = error("0x80040217", "lead Does Not Exist");
    let slow = (429, "Retry-After: 7\r\n".to_owned(), "{}");
    for (vendor, kind, parts, expected) in [
        (
            &by_key,
            Op::Upsert,
            vec![plain(201, &first), plain(400, &too_long), plain(200, &second)],
            [
                &*format!("delivered {}", IDS[0]),
                "rejected Too long.",
                &format!("delivered {}", IDS[1]),
            ],
        ),
        (
            &by_key,
            Op::Upsert,
            vec![plain(412, &double), slow, plain(500, "{}")],
            [
                "duplicate 00aa0000-0000-4000-8000-000000000009",
                "throttled 7000",
                "retry",
            ],
        ),
        // Success without an id, a status that nobody knows, a token that ended in between.
        (
            &by_key,
            Op::Upsert,
            vec![plain(200, "{}"), plain(302, ""), plain(401, "")],
            ["unknown", "unknown", "reauthorise"],
        ),
        (
            &by_id,
            Op::Upsert,
            vec![at(IDS[0]), plain(204, ""), at(IDS[2])],
            [
                &format!("delivered {}", IDS[0]),
                "unknown",
                &format!("delivered {}", IDS[2]),
            ],
        ),
        (
            &by_key,
            Op::Update,
            vec![plain(204, ""), plain(404, &gone), plain(412, "{}")],
            ["delivered -", "missing", "retry"],
        ),
        (
            &by_key,
            Op::Delete,
            vec![plain(404, &gone), plain(204, ""), plain(403, "{}")],
            ["missing", "delivered -", "denied"],
        ),
    ] {
        assert_eq!(vendor.each(kind, &batch(200, &parts)), expected, "{kind}");
    }
}

#[test]
fn what_is_looked_for_in_an_envelope_is_found_missing_or_unknown() {
    let found = json!({"value": [{"leadid": IDS[0]}]}).to_string();
    let nothing = json!({"value": []}).to_string();
    let answer = batch(200, &[plain(200, &found), plain(200, &nothing), plain(200, "{}")]);
    let expected = [format!("delivered {}", IDS[0]), "missing".into(), "unknown".into()];
    assert_eq!(of_phones().each(Op::Find, &answer), expected);
}

/// Leads that are looked for by their phone number alone, each by itself.
fn of_phones() -> Dynamics {
    let call = |key: &str| {
        let record = json!({"lastname": "A", "telephone1": format!("+1202555010{key}")});
        call_of(key, record, Known::new(None, Doubt::No))
    };
    Dynamics {
        account: account("dynamics365", prepared("dynamics365")),
        calls: ["1", "2", "3"].map(call).into(),
    }
}

#[test]
fn a_batch_that_ended_with_its_first_failure_proves_nothing_of_what_comes_behind() {
    let vendor = Dynamics::new(prepared("dynamics365"));
    let refused = error("0x80044331", "Too long.");
    let stopped = batch(400, &[plain(204, ""), plain(400, &refused)]);
    assert_eq!(
        vendor.each(Op::Update, &stopped),
        ["delivered -", "rejected Too long.", "unknown"]
    );
    // Too few without a failure, too many: nobody knows which is whose.
    let few = batch(200, &[plain(204, ""), plain(204, "")]);
    let many = batch(200, &[plain(204, ""), plain(204, ""), plain(204, ""), plain(204, "")]);
    assert_eq!(vendor.whole(Op::Update, &few), "unknown");
    assert_eq!(vendor.whole(Op::Update, &many), "unknown");
}

#[test]
fn an_answer_without_parts_is_about_all_of_them() {
    let vendor = Dynamics::new(prepared("dynamics365"));
    let slow = with_header(answer(429, json!({"error": {"message": "slow"}})), "Retry-After", "9");
    assert_eq!(vendor.whole(Op::Upsert, &slow), "throttled 9000");
    let unreadable = error("0x80048d19", "The batch cannot be read.");
    for (status, text, expected) in [
        (401, "", "reauthorise"),
        (503, "<h1>Service Unavailable</h1>", "retry"),
        (400, &*unreadable, "rejected The batch cannot be read."),
        (200, "{}", "unknown"),
        (204, "", "unknown"),
        (200, "--batchresponse_9\r\n", "unknown"),
    ] {
        let answer = Answer::new(status, HeaderMap::new(), text.to_owned());
        assert_eq!(vendor.whole(Op::Upsert, &answer), expected, "{status} {text}");
    }
    // Parts under a status that no batch has: some of it may have been done.
    assert_eq!(vendor.whole(Op::Upsert, &batch(404, &[plain(404, "{}")])), "unknown");
}

#[test]
fn how_many_go_in_one_envelope_is_a_setting() {
    let most = |settings: Value| {
        let account = account_with("dynamics365", settings, prepared("dynamics365"));
        connector("dynamics365").most_records("lead", &account)
    };
    assert_eq!((most(json!({})), most(json!({"recordsAtOnce": 1000}))), (100, 1000));
    assert_eq!(most(json!({"recordsAtOnce": 1})), 1);
}

#[test]
fn an_envelope_is_filled_up_to_its_limit_and_not_beyond() {
    let most_bytes = 4_000_000;
    let account = account("dynamics365", prepared("dynamics365"));
    let call = |at: usize| {
        let record = json!({"subject": "x", "notetext": format!("{at}{}", "\"é".repeat(25_000))});
        call_of(&format!("k-{at}"), record, Known::default())
    };
    let calls: Vec<Call> = (0..100).map(call).collect();
    let calls: Vec<&Call> = calls.iter().collect();
    let built = connector("dynamics365")
        .build_bulk("note", Op::Upsert, &account, &calls)
        .unwrap();
    let (size, each) = (built.request.body.len(), built.request.body.len() / built.taken());
    assert!(
        size <= most_bytes && size + each > most_bytes,
        "{}: {each}",
        built.taken()
    );
}

proptest! {
    #[test]
    fn what_a_cut_answer_does_not_prove_is_never_success(statuses in prop::array::uniform3(prop_oneof![Just(204_u16), Just(404), Just(400)]), cut in any::<prop::sample::Index>()) {
        let vendor = Dynamics::new(prepared("dynamics365"));
        let whole = batch(200, &statuses.map(|status| plain(status, "")));
        let text = String::from_utf8(whole.body.to_vec()).unwrap();
        let cut = &text[..cut.index(text.len() + 1)];
        let answered = match vendor.read(Op::Update, &of_parts(200, cut.to_owned())) {
            BulkAnswer::Each(outcomes) => outcomes,
            BulkAnswer::Whole(outcome) => vec![outcome; 3],
        };
        for (at, (outcome, status)) in answered.iter().zip(statuses).enumerate() {
            let whole_parts = cut.matches("\r\n--batchresponse_9").count();
            let proven = at < whole_parts;
            match outcome {
                Outcome::Delivered { .. } => prop_assert!(proven && status == 204),
                Outcome::Missing => prop_assert!(proven && status == 404),
                Outcome::Unknown { .. } => {}
                // 400 without words is none that the connector knows.
                other => prop_assert!(false, "{other:?}"),
            }
        }
        if cut.len() == text.len() {
            prop_assert_eq!(answered.iter().filter(|outcome| matches!(outcome, Outcome::Delivered { .. })).count(), statuses.iter().filter(|status| **status == 204).count());
        }
    }
}
