//! Text → value of a setting, with a sentence for the person when it does not fit.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use switchboard_hub::store::Database;

use super::table::Form;

/// A value that has its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fitting {
    /// Of [`Form::Address`].
    Address(SocketAddr),
    /// Of [`Form::Switch`].
    Switch(bool),
    /// Of [`Form::Count`].
    Count(u64),
    /// Of the forms that are text.
    Text(String),
}

/// Reads `text` as `form`.
///
/// # Errors
/// A sentence that says what is wrong and what would be right.
pub fn fit(form: Form, text: &str) -> Result<Fitting, String> {
    match form {
        Form::Address => address(text).map(Fitting::Address),
        Form::Switch => match text {
            "true" | "1" | "yes" | "on" => Ok(Fitting::Switch(true)),
            "false" | "0" | "no" | "off" | "" => Ok(Fitting::Switch(false)),
            _ => Err(format!("`{text}` is neither true nor false")),
        },
        Form::Count(least, most) => match text.parse::<u64>() {
            Ok(count) if (least..=most).contains(&count) => Ok(Fitting::Count(count)),
            Ok(count) => Err(format!("{count} is not between {least} and {most}")),
            Err(_) => Err(format!("`{text}` is no whole number between {least} and {most}")),
        },
        Form::Choice(words) if words.contains(&text) => Ok(Fitting::Text(text.to_owned())),
        Form::Choice(words) => Err(format!("`{text}` is none of: {}", words.join(", "))),
        Form::Database => match text.parse::<Database>() {
            Ok(_) => Ok(Fitting::Text(text.to_owned())),
            // The text may hold a password.
            Err(error) => Err(format!("this is no database; {error}")),
        },
        Form::Url if text.is_empty() => Ok(Fitting::Text(String::new())),
        Form::Url => base_url(text).map(Fitting::Text),
        Form::Path | Form::Text => Ok(Fitting::Text(text.to_owned())),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let host = match host {
        "" | "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        _ => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .map_err(|_| format!("`{host}` is no IP address; write for example 127.0.0.1:8080 or 0.0.0.0:8080"))?,
    };
    match port.parse::<u16>() {
        Ok(port) => Ok(SocketAddr::new(host, port)),
        Err(_) => Err(format!(
            "`{port}` is no port; ports are numbers from 0 to 65535, for example 127.0.0.1:8080"
        )),
    }
}

/// Without a slash at its end.
fn base_url(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no web address; write for example https://hub.example.org");
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
        true => Ok(url.as_str().trim_end_matches('/').to_owned()),
        false => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_in_the_usual_short_ways() {
        for (text, expected) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("localhost:80", "127.0.0.1:80"),
            ("9000", "127.0.0.1:9000"),
            (":9000", "127.0.0.1:9000"),
            ("*:9000", "0.0.0.0:9000"),
            ("[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(
                fit(Form::Address, text),
                Ok(Fitting::Address(expected.parse().unwrap())),
                "{text}"
            );
        }
    }

    #[test]
    fn the_public_address_has_no_slash_at_its_end() {
        for (text, expected) in [
            ("https://hub.example.org/", "https://hub.example.org"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://example.org/hub/", "https://example.org/hub"),
            ("", ""),
        ] {
            assert_eq!(fit(Form::Url, text), Ok(Fitting::Text(expected.into())), "{text}");
        }
    }

    #[test]
    fn a_wrong_value_gets_a_sentence_that_names_it_and_the_right_form() {
        for (form, text, words) in [
            (Form::Address, "127.0.0.1:99999", ["99999", "65535"]),
            (Form::Address, "example.org:80", ["example.org", "127.0.0.1:8080"]),
            (Form::Address, "", ["no port", "65535"]),
            (Form::Switch, "maybe", ["maybe", "true"]),
            (Form::Count(1, 9), "ten", ["ten", "between 1 and 9"]),
            (Form::Count(1, 9), "10", ["10", "between 1 and 9"]),
            (Form::Choice(&["text", "json"]), "xml", ["xml", "text, json"]),
            (Form::Url, "hub.example.org", ["hub.example.org", "https://"]),
            (Form::Url, "https://hub.example.org/?a=1", ["?a=1", "https://"]),
            (Form::Url, "ftp://hub.example.org", ["ftp", "https://"]),
        ] {
            let sentence = fit(form, text).unwrap_err();
            assert!(words.iter().all(|word| sentence.contains(word)), "{sentence}");
        }
    }
}
