//! `--target`: the same load for a hub that runs elsewhere, or for another product that takes posts.

use switchboard_model::problem::{Code, Problem};
use url::Url;

use super::{
    arguments::BenchArguments,
    connection::Destination,
    figures::Section,
    scenario::{STEADY, measure_at, measure_at_rate, tell_answers, tell_measured, tell_times},
    sink::Sink,
};

/// Full load, then a fixed rate.
///
/// # Errors
/// When the address is wrong or takes nothing.
pub async fn measure(url: &str, arguments: &BenchArguments) -> Result<Vec<Section>, Problem> {
    let to = resolve(url, arguments.key.as_deref()).await?;
    let sink = Sink::start(arguments.sink)?;
    eprintln!(
        "The simulated vendor listens at {}; what arrives there is measured, too.",
        sink.url()
    );
    let mut full = Section::new("full-load".into(), "As fast as the answers come".into());
    let measured = measure_at(arguments, to.clone(), &sink, &sink.ledger()).await?;
    tell_measured(&mut full, &measured, 0.0);
    let mut steady = Section::new("steady".into(), "300 events per second".into());
    let (times, answers, _) = measure_at_rate(arguments, to, &sink.ledger(), STEADY).await?;
    tell_times(&mut steady, &times);
    tell_answers(&mut steady, &answers);
    Ok(vec![full, steady])
}

async fn resolve(url: &str, key: Option<&str>) -> Result<Destination, Problem> {
    let (host, port, path) = parts(url)?;
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let address = found.ok().and_then(|mut addresses| addresses.next());
    let address = address.ok_or_else(|| wrong(url, "its host is not known"))?;
    Destination::new(address, &format!("{host}:{port}"), &path, key)
}

/// Host, port and path. An address without a path is that of a hub.
fn parts(url: &str) -> Result<(String, u16, String), Problem> {
    let parsed = Url::parse(url).map_err(|error| wrong(url, &error.to_string()))?;
    if parsed.scheme() != "http" {
        return Err(wrong(url, "the load generator speaks http only"));
    }
    let host = parsed.host_str().ok_or_else(|| wrong(url, "it has no host"))?;
    let path = match (parsed.path(), parsed.query()) {
        ("/", None) => "/v1/events".to_owned(),
        (path, None) => path.to_owned(),
        (path, Some(query)) => format!("{path}?{query}"),
    };
    Ok((host.to_owned(), parsed.port_or_known_default().unwrap_or(80), path))
}

fn wrong(url: &str, why: &str) -> Problem {
    let next = "Give for example --target http://127.0.0.1:8080.";
    Problem::new(Code::WrongSetting, format!("{url} cannot be measured: {why}"), next).at("--target")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_is_that_of_a_hub() {
        let found = |url| parts(url).unwrap();
        assert_eq!(
            found("http://127.0.0.1:8080"),
            ("127.0.0.1".into(), 8080, "/v1/events".into())
        );
        assert_eq!(
            found("http://example.org/in?a=1"),
            ("example.org".into(), 80, "/in?a=1".into())
        );
        assert!(parts("https://example.org/").is_err() && parts("example").is_err());
    }
}
