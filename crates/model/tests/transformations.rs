//! Telephone numbers, moments, currencies, types: what is brought from one form into another, and the laws that this keeps.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard_model::template::{Kind, Lookups, RenderError, Scope, Template};

/// Lists as a user makes them.
struct Lists(Value);

impl Lookups for Lists {
    fn find(&self, table: &str, key: &str) -> Option<Value> {
        self.0.get(table)?.get(key).cloned()
    }
}

fn lists() -> Lists {
    Lists(json!({
        "rates": {"VND/USD": "0.00004", "EUR/USD": 1.08, "BAD/USD": "soon", "ZER/USD": 0},
        "units": {"USD": 1, "VND": 25_000, "EUR": 0.92, "JPY": 150}
    }))
}

fn try_render(source: &str, data: &Value) -> Result<Option<Value>, RenderError> {
    let lists = lists();
    let template = Template::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    template.render(&Scope::new(data).lookups(&lists).country("VN"))
}

fn render(source: &str, data: &Value) -> Option<Value> {
    try_render(source, data).unwrap_or_else(|error| panic!("{source}: {error}"))
}

fn check(data: &Value, cases: &[(&str, Value)]) {
    for (source, expected) in cases {
        assert_eq!(render(source, data).unwrap_or_default(), *expected, "{source}");
    }
}

#[test]
fn a_number_without_a_country_belongs_to_the_one_that_is_named_or_to_that_of_the_connection() {
    let data =
        json!({"phone": "0912 345 678", "country": "by", "local": "8 (029) 000-00-00", "wide": "０９１２３４５６７８"});
    check(
        &data,
        &[
            ("{{phone | phone_e164}}", json!("+84912345678")),
            ("{{phone | phone_e164: 'VN'}}", json!("+84912345678")),
            ("{{phone | phone_e164: missing}}", json!("+84912345678")),
            ("{{local | phone_e164: country}}", json!("+375290000000")),
            ("{{wide | phone_e164}}", json!("+84912345678")),
            ("{{'+1 202-555-0143' | phone_e164}}", json!("+12025550143")),
        ],
    );
}

#[test]
fn a_moment_is_read_in_one_zone_and_shown_in_another() {
    let data = json!({"local": "2026-11-24 17:30:00", "unix": 1_795_512_600, "text": "tomorrow"});
    check(
        &data,
        &[
            (
                "{{local | date: 'iso', from: 'Asia/Shanghai', zone: 'UTC'}}",
                json!("2026-11-24T09:30:00Z"),
            ),
            ("{{local | date: 'unix', from: 'Asia/Shanghai'}}", json!(1_795_512_600)),
            (
                "{{local | timezone: 'Europe/Minsk', from: 'Asia/Shanghai'}}",
                json!("2026-11-24T12:30:00+03:00"),
            ),
            (
                "{{unix | timezone: 'Asia/Ho_Chi_Minh'}}",
                json!("2026-11-24T16:30:00+07:00"),
            ),
            ("{{unix | timezone: 'UTC'}}", json!("2026-11-24T09:30:00+00:00")),
            ("{{text | timezone: 'UTC'}}", json!("tomorrow")),
        ],
    );
}

#[test]
fn an_amount_is_converted_by_the_rates_of_the_user() {
    let data = json!({"amount": 1_250_000, "from": "vnd", "own": {"BYN/USD": 0.3}});
    check(
        &data,
        &[
            ("{{amount | currency: 'VND', 'USD'}}", json!(50.0)),
            ("{{amount | currency: from, 'USD'}}", json!(50.0)),
            ("{{50 | currency: 'USD', 'VND'}}", json!(1_250_000)),
            ("{{'10.50' | currency: 'EUR', 'USD'}}", json!(11.34)),
            ("{{amount | currency: 'VND', 'EUR', rates: 'units'}}", json!(46.0)),
            ("{{10 | currency: 'EUR', 'JPY', rates: 'units'}}", json!(1_630)),
            ("{{10 | currency: 'BYN', 'USD', rates: own}}", json!(3.0)),
            ("{{amount | currency: 'USD', 'USD'}}", json!(1_250_000.0)),
            ("{{missing | currency: 'VND', 'USD'}}", Value::Null),
        ],
    );
}

#[test]
fn what_cannot_be_converted_is_an_error_that_says_why_and_no_wrong_amount() {
    let data = json!({"amount": 10, "word": "many", "list": [1]});
    for (source, part) in [
        (
            "{{amount | currency: 'USD', 'GBP'}}",
            "the list `rates` has no rate from USD to GBP",
        ),
        (
            "{{amount | currency: 'USD', 'GBP', rates: 'other'}}",
            "the list `other` has no rate",
        ),
        (
            "{{amount | currency: 'BAD', 'USD'}}",
            "`soon` in the list `rates` is no rate",
        ),
        ("{{amount | currency: 'ZER', 'USD'}}", "must be a number above 0"),
        ("{{amount | currency: missing, 'USD'}}", "the currency is not known"),
        ("{{amount | currency: word, 'USD'}}", "`many` is no currency"),
        (
            "{{amount | currency: 'USD', 'EUR', rates: list}}",
            "`rates` is a list of rates, not",
        ),
        (
            "{{amount | currency: 'USD', 'EUR', rates: missing}}",
            "the rates are not there",
        ),
        ("{{word | currency: 'EUR', 'USD'}}", "`many` is no number"),
    ] {
        let error = try_render(source, &data).unwrap_err().to_string();
        assert!(error.contains(part), "{source}: {error}");
    }
}

#[test]
fn arguments_that_cannot_be_right_are_refused_when_the_template_is_saved() {
    for (source, part) in [
        ("{{a | currency: 'VND'}}", "takes 2 arguments, not 1"),
        ("{{a | currency: 'dong', 'USD'}}", "`dong` is no currency"),
        (
            "{{a | currency: 'VND', 'USD', rates: 5}}",
            "`rates` is the name of a list",
        ),
        ("{{a | currency: 'VND', 'USD', rate: 'x'}}", "no argument `rate`"),
        ("{{a | timezone: 'Asia/Hanoi'}}", "there is no time zone `Asia/Hanoi`"),
        ("{{a | date: 'iso', from: 'Mars'}}", "there is no time zone `Mars`"),
        ("{{a | date: 'iso', from: 7}}", "7 is no time zone"),
        ("{{a | lookup: 'list', otherwise: 'x'}}", "no argument `otherwise`"),
        ("{{a | phone_e164: 'Vietnam'}}", "is no country code"),
        ("{{a | integer: 2}}", "takes no argument"),
    ] {
        let error = Template::parse(source).unwrap_err().to_string();
        assert!(error.contains(part), "{source}: {error}");
    }
}

#[test]
fn a_value_gets_the_type_that_is_asked_for_or_goes() {
    let data =
        json!({"n": 7, "f": 2.5, "neg": "-2.5", "t": " 12 ", "word": "много", "yes": "Да", "no": "Không", "list": [1]});
    check(
        &data,
        &[
            ("{{f | integer}}", json!(3)),
            ("{{neg | integer}}", json!(-3)),
            ("{{t | integer}}", json!(12)),
            ("{{n | integer}}", json!(7)),
            ("{{word | integer}}", Value::Null),
            ("{{list | integer}}", Value::Null),
            ("{{word | number | default: 0}}", json!(0)),
            ("{{n | text}}", json!("7")),
            ("{{yes | boolean}}", json!(true)),
            ("{{no | boolean}}", json!(false)),
            ("{{word | boolean}}", Value::Null),
        ],
    );
}

#[test]
fn the_kind_of_a_result_is_known_where_it_can_be() {
    for (source, kind) in [
        ("{{a}}", Kind::Any),
        ("{{a}} and {{b}}", Kind::Text),
        ("plain", Kind::Text),
        ("{{a | truncate: 5}}", Kind::Text),
        ("{{a | number}}", Kind::Number),
        ("{{a | number | default: 0}}", Kind::Number),
        ("{{a | integer | default: 'none'}}", Kind::Any),
        ("{{a | boolean}}", Kind::Boolean),
        ("{{a | split: ','}}", Kind::List),
        ("{{a | split: ',' | first}}", Kind::Any),
        ("{{a | adf}}", Kind::Object),
        ("{{ 5 }}", Kind::Integer),
    ] {
        assert_eq!(Template::parse(source).unwrap().kind(), kind, "{source}");
    }
}

/// Of every continent and of the countries that our users write from.
const COUNTRIES: [&str; 10] = ["VN", "CN", "RU", "BY", "US", "DE", "BR", "NG", "AU", "IN"];
const ZONES: [&str; 6] = [
    "UTC",
    "Asia/Shanghai",
    "Asia/Ho_Chi_Minh",
    "Europe/Minsk",
    "America/New_York",
    "Australia/Lord_Howe",
];

proptest! {
    #[test]
    fn a_number_in_e164_is_the_same_number_in_every_country(
        digits in "[0-9 ()-]{5,16}", country in prop::sample::select(&COUNTRIES), other in prop::sample::select(&COUNTRIES)
    ) {
        let data = json!({"v": digits, "c": country, "o": other});
        let once = render("{{ v | phone_e164: c }}", &data).unwrap_or_default();
        let once_text = once.as_str().unwrap_or_default();
        if let Some(digits) = once_text.strip_prefix('+') {
            prop_assert!(digits.bytes().all(|digit| digit.is_ascii_digit()) && (8..=16).contains(&once_text.len()));
            let twice = render("{{ v | phone_e164: o }}", &json!({"v": once, "o": other})).unwrap_or_default();
            prop_assert_eq!(&twice, &once);
            let parts = render("{{ v | phone_calling_code }}{{ v | phone_national }}", &json!({"v": once}));
            // Zeros at the front of a national number (Italy) are not kept by the part.
            prop_assert!(parts.unwrap_or_default().as_str().unwrap_or_default().len() <= once_text.len());
        } else {
            prop_assert_eq!(once, json!(digits));
        }
    }

    #[test]
    fn showing_a_moment_in_another_zone_leaves_the_moment(
        seconds in 1_i64..4_000_000_000, zone in prop::sample::select(&ZONES), other in prop::sample::select(&ZONES)
    ) {
        let data = json!({"v": seconds});
        let there = render(&format!("{{{{ v | timezone: '{zone}' | timezone: '{other}' | date: 'unix' }}}}"), &data);
        prop_assert_eq!(there, Some(json!(seconds)));
        // There and back as a time of day without an offset, but for the hour that comes twice when clocks are set back.
        let form = "%Y-%m-%d %H:%M:%S";
        let back = format!("{{{{ v | date: '{form}', zone: '{zone}' | date: 'unix', from: '{zone}' }}}}");
        let back = render(&back, &data).and_then(|value| value.as_i64()).unwrap_or_default();
        prop_assert!(back == seconds || (back - seconds).abs() <= 3_600, "{} {} {}", zone, seconds, back);
    }

    #[test]
    fn an_amount_there_and_back_is_off_by_no_more_than_the_rounding(cents in 1_i64..100_000_000) {
        let data = json!({"v": cents as f64 / 100.0});
        let back = render("{{ v | currency: 'USD', 'VND', rates: 'units' | currency: 'VND', 'USD', rates: 'units' }}", &data);
        let back = back.and_then(|value| value.as_f64()).unwrap_or_default();
        prop_assert!((back - cents as f64 / 100.0).abs() < 0.011, "{cents} {back}");
    }

    #[test]
    fn a_larger_amount_is_never_worth_less(a in 0_i64..1_000_000_000, more in 0_i64..1_000_000) {
        let worth = |amount: i64| {
            let data = json!({"v": amount});
            render("{{ v | currency: 'VND', 'EUR', rates: 'units' }}", &data).and_then(|value| value.as_f64())
        };
        prop_assert!(worth(a + more) >= worth(a));
    }

    #[test]
    fn an_amount_in_its_own_currency_only_gets_its_decimals(cents in -100_000_000_i64..100_000_000) {
        let data = json!({"v": cents as f64 / 100.0});
        let same = render("{{ v | currency: 'EUR', 'EUR' }}", &data).and_then(|value| value.as_f64());
        prop_assert_eq!(same, Some(cents as f64 / 100.0));
    }

    #[test]
    fn bringing_a_value_into_a_type_twice_is_as_good_as_once(text in "[0-9.+-]{0,12}|\\PC{0,12}", number in any::<f64>()) {
        for value in [json!(text), json!(number)] {
            for filter in ["integer", "number", "boolean", "text"] {
                let once = render(&format!("{{{{ v | {filter} }}}}"), &json!({"v": value}));
                let twice = render(&format!("{{{{ v | {filter} | {filter} }}}}"), &json!({"v": value}));
                prop_assert_eq!(once, twice, "{} of {}", filter, value);
            }
        }
    }

    #[test]
    fn what_a_list_does_not_have_stays_as_text_unless_a_default_is_given(key in "[a-z]{1,8}") {
        let data = json!({"v": key});
        prop_assert_eq!(render("{{ v | lookup: 'units' }}", &data), Some(json!(key)));
        prop_assert_eq!(render("{{ v | lookup: 'units', default: 'x' }}", &data), Some(json!("x")));
    }
}
