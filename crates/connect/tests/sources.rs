//! Every ready source against its samples: what is published of the pusher's signatures passes, and every bit that is turned over fails.

#![expect(clippy::unwrap_used, reason = "what cannot be read fails the test that reads it")]

use std::fmt::Write;

use serde_json::{Map, Value, json};
use switchboard_connect::{
    document::Document,
    form,
    source::{
        MadeEvent, MadeRecord, Missing, NoLists, Received, Request, Source, SourceSpec,
        ready::{self, Ready},
        sample::{Expectation, ExpectedAnswer, SAMPLES_SCHEMA, Sample, Samples},
    },
};

/// When a sample says nothing of the time: 2026-11-24T09:36:40Z.
const NOW_S: i64 = 1_795_513_000;
const DAY_MS: i64 = 86_400_000;

#[test]
fn every_ready_source_loads() {
    let told: Vec<String> = ready::faults().iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(ready::ready().count() >= 12);
    for ready in ready::ready() {
        assert!(ready.guide.lines().count() > 5, "{} has no guide", ready.slug);
        assert!(
            ready::file(&ready.slug, "samples.yaml").is_some(),
            "{} has no samples",
            ready.slug
        );
    }
}

#[test]
fn every_sample_becomes_what_it_must() {
    let mut faults = String::new();
    each_sample(|ready, sample| {
        if let Err(why) = play(ready, sample) {
            let _ = writeln!(faults, "{}: {}: {why}", ready.slug, sample.name);
        }
    });
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn every_bit_of_a_signed_request_counts() {
    let mut faults = String::new();
    let mut tried = 0;
    each_sample(|ready, sample| {
        if sample.signed {
            tried += 1;
            for why in turned_over(ready, sample) {
                let _ = writeln!(faults, "{}: {}: {why}", ready.slug, sample.name);
            }
        }
    });
    assert!(faults.is_empty(), "\n{faults}");
    assert!(tried >= 8, "only {tried} samples are signed");
}

#[test]
fn what_is_signed_with_its_time_is_refused_when_it_is_stale() {
    let mut timed = Vec::new();
    each_sample(|ready, sample| {
        let checks = serde_json::to_string(&sent(ready, sample).0.headers).unwrap();
        let has_time = checks.to_lowercase().contains("timestamp") || checks.contains("t=");
        if !(sample.signed && has_time) {
            return;
        }
        let (request, source, now_ms) = sent(ready, sample);
        for off in [-DAY_MS, -400_000, 400_000, DAY_MS] {
            assert!(
                is_refused(&source, &request, now_ms + off),
                "{}: {} is good {off} ms off",
                ready.slug,
                sample.name
            );
        }
        timed.push(ready.slug.clone());
    });
    timed.dedup();
    for slug in ["calendly", "hubspot", "slack", "zendesk"] {
        assert!(timed.iter().any(|known| known == slug), "{slug} has no timed sample");
    }
}

fn each_sample(mut look: impl FnMut(&Ready, &Sample)) {
    for ready in ready::ready() {
        let Some(text) = ready::file(&ready.slug, "samples.yaml") else {
            continue;
        };
        let name = format!("{}/samples.yaml", ready.slug);
        let document = Document::parse(text, &name).unwrap();
        let faults = form::faults(&document, SAMPLES_SCHEMA, "See sources/samples.schema.json.");
        assert!(faults.is_empty(), "{faults:#?}");
        let samples: Samples = serde_json::from_value(document.into_value()).unwrap();
        samples.samples.iter().for_each(|sample| look(ready, sample));
    }
}

fn source(ready: &Ready, settings: &Map<String, Value>, secrets: &Map<String, Value>) -> Source {
    let spec = SourceSpec {
        settings: settings.clone(),
        secrets: secrets.clone(),
        ..ready.plain()
    };
    Source::compile(&spec, ready).unwrap()
}

/// The request as it comes, the source, and our clock.
fn sent(ready: &Ready, sample: &Sample) -> (Request, Source, i64) {
    let check = ready.check(&sample.settings, &sample.secrets);
    assert!(check.problems.is_empty(), "{}: {:?}", ready.slug, check.problems);
    let source = source(ready, &sample.settings, &sample.secrets);
    let mut request = sample.request.request(&ready.slug).unwrap();
    let now_ms = sample.at.unwrap_or(NOW_S) * 1000;
    if sample.sign {
        let headers = source.sign(&request, now_ms);
        assert!(
            !headers.is_empty(),
            "{}: {} cannot be signed here",
            ready.slug,
            sample.name
        );
        request.headers.extend(headers);
    }
    (request, source, now_ms)
}

fn is_refused(source: &Source, request: &Request, now_ms: i64) -> bool {
    matches!(source.receive(request, &NoLists, now_ms), Received::Refused { .. })
}

fn play(ready: &Ready, sample: &Sample) -> Result<(), String> {
    let (request, source, now_ms) = sent(ready, sample);
    let expect = &sample.expect;
    let (verdict, reply, reason) = match source.receive(&request, &NoLists, now_ms) {
        Received::Refused { reason, reply } => ("refused", reply, Some(reason)),
        Received::Handshake(reply) => ("handshake", reply, None),
        Received::Callback {
            delivery, test, reply, ..
        } => {
            if let Some(expected) = &expect.delivery
                && *expected != delivery
            {
                return Err(format!("delivery {delivery:?} instead of {expected:?}"));
            }
            (if test { "test" } else { "accepted" }, reply, None)
        }
    };
    if let Some(answer) = &expect.answer {
        compare_answer(answer, reply.status, &reply.headers, &reply.body)?;
    }
    let (verdict, reason) = match verdict {
        "accepted" => process(&source, &request, now_ms, sample)?,
        other => (other, reason),
    };
    if verdict != expect.verdict {
        return Err(format!("it is {verdict} ({reason:?}) instead of {}", expect.verdict));
    }
    match &expect.reason {
        Some(part) if !reason.as_deref().unwrap_or_default().contains(part.as_str()) => {
            Err(format!("the reason is {reason:?}"))
        }
        _ => Ok(()),
    }
}

type Processed = (&'static str, Option<String>);

fn process(source: &Source, request: &Request, now_ms: i64, sample: &Sample) -> Result<Processed, String> {
    let mut reading = match source.read(request, &NoLists, now_ms) {
        Ok(reading) => reading,
        Err(problem) => return Ok(("unreadable", Some(problem.detail))),
    };
    if let Some(reason) = reading.ignored {
        return Ok(("ignored", Some(reason)));
    }
    let offered = sample
        .fetched
        .as_ref()
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let mut asked = Vec::new();
    for item in &mut reading.items {
        let call = match source.fetch(item, &NoLists) {
            Ok(call) => call,
            Err(problem) => return Ok(("unreadable", Some(problem.detail))),
        };
        let Some(call) = call else { continue };
        let known = offered.iter().find(|(path, _)| call.address.ends_with(path.as_str()));
        let (path, body) = known.ok_or_else(|| format!("{} is asked for", call.address))?;
        asked.push(path.clone());
        match body {
            Value::Null if call.missing == Missing::Skip => {}
            Value::Null => return Ok(("unreadable", Some(format!("{path} is not there")))),
            body => item.complete(&body.clone().into()),
        }
    }
    if let Some(path) = offered.keys().find(|path| !asked.contains(path)) {
        return Err(format!("{path} is not asked for"));
    }
    let made = source.make(&reading, &NoLists).map_err(|problem| problem.to_string())?;
    compare_events(&sample.expect, &made.events)?;
    compare_records(&sample.expect, &made.records)?;
    Ok(("accepted", None))
}

fn compare_answer(
    expected: &ExpectedAnswer,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<(), String> {
    let text = String::from_utf8_lossy(body);
    if expected.status.is_some_and(|expected| expected != status) {
        return Err(format!("the answer has status {status}"));
    }
    if expected.body.as_ref().is_some_and(|expected| *expected != text) {
        return Err(format!("the answer is {text}"));
    }
    if let Some(expected) = &expected.body_json
        && serde_json::from_slice::<Value>(body).ok().as_ref() != Some(expected)
    {
        return Err(format!("the answer is {text}"));
    }
    for (name, value) in &expected.headers {
        let has = headers
            .iter()
            .any(|(known, sent)| known.eq_ignore_ascii_case(name) && sent == value);
        if !has {
            return Err(format!("the answer lacks {name}: {value}, it has {headers:?}"));
        }
    }
    Ok(())
}

fn compare_events(expect: &Expectation, made: &[MadeEvent]) -> Result<(), String> {
    let Some(expected) = &expect.events else { return Ok(()) };
    let told = || {
        made.iter()
            .map(|event| json!({event.kind.name(): event.data, "id": event.id}))
            .collect::<Vec<_>>()
    };
    if expected.len() != made.len() {
        return Err(format!(
            "{} events instead of {}: {}",
            made.len(),
            expected.len(),
            json!(told())
        ));
    }
    for (expected, made) in expected.iter().zip(made) {
        let kind = made.kind.name();
        if expected.kind != kind || expected.id.is_some() && expected.id != made.id {
            return Err(format!(
                "the event {kind} {:?} instead of {} {:?}",
                made.id, expected.kind, expected.id
            ));
        }
        compare_members(kind, &expected.data, &made.data)?;
    }
    Ok(())
}

fn compare_records(expect: &Expectation, made: &[MadeRecord]) -> Result<(), String> {
    let Some(expected) = &expect.records else { return Ok(()) };
    if expected.len() != made.len() {
        return Err(format!(
            "{} records instead of {}: {made:?}",
            made.len(),
            expected.len()
        ));
    }
    for (expected, made) in expected.iter().zip(made) {
        let name = expected.object.as_ref().or(expected.table.as_ref());
        let mode = serde_json::to_value(made.mode).unwrap();
        let same = name == Some(&made.object)
            && expected.table.is_some() == made.is_table
            && expected.mode.as_ref().is_none_or(|expected| mode == json!(expected))
            && expected.keys.as_ref().is_none_or(|expected| *expected == made.keys);
        if !same {
            return Err(format!("the record {made:?}"));
        }
        compare_members(&made.object, &expected.fields, &made.fields)?;
    }
    Ok(())
}

/// A member that is expected to be `null` must be absent.
fn compare_members(of: &str, expected: &Map<String, Value>, made: &Map<String, Value>) -> Result<(), String> {
    for (name, value) in expected {
        let found = made.get(name);
        if found.unwrap_or(&Value::Null) != value {
            return Err(format!(
                "{of}: `{name}` is {} instead of {value}",
                found.unwrap_or(&Value::Null)
            ));
        }
    }
    Ok(())
}

/// What still passes although a bit of it was turned over.
fn turned_over(ready: &Ready, sample: &Sample) -> Vec<String> {
    let (request, source, now_ms) = sent(ready, sample);
    if is_refused(&source, &request, now_ms) {
        return vec!["it is refused as it is".into()];
    }
    let mut passing = Vec::new();
    let mut check = |what: String, changed: &Request, source: &Source| {
        if !is_refused(source, changed, now_ms) {
            passing.push(format!("{what} turned over passes"));
        }
    };
    for (at, (name, value)) in request.headers.iter().enumerate() {
        let mut without = request.clone();
        without.headers.remove(at);
        // What the request passes without is no part of the proof.
        if !is_refused(&source, &without, now_ms) {
            continue;
        }
        for (bit, changed) in flips(value.as_bytes()) {
            let mut request = request.clone();
            request.headers[at].1 = String::from_utf8_lossy(&changed).into_owned();
            check(format!("bit {bit} of {name}"), &request, &source);
        }
    }
    for (bit, body) in flips(&request.body) {
        let changed = Request {
            body,
            ..request.clone()
        };
        check(format!("bit {bit} of the body"), &changed, &source);
    }
    for (name, value) in &sample.secrets {
        let mut secrets = sample.secrets.clone();
        secrets.remove(name);
        if !is_refused(&self::source(ready, &sample.settings, &secrets), &request, now_ms) {
            continue;
        }
        for (bit, changed) in flips(value.as_str().unwrap_or_default().as_bytes()) {
            let changed = String::from_utf8_lossy(&changed).into_owned();
            secrets.insert(name.clone(), changed.into());
            let source = self::source(ready, &sample.settings, &secrets);
            check(format!("bit {bit} of the secret {name}"), &request, &source);
        }
    }
    passing
}

fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        (bit, changed)
    })
}
