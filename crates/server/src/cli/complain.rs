//! Problems for a person at a terminal.

use std::fmt::Write;

use switchboard_model::problem::{Fault, Problem};

/// One paragraph per problem: what, where, whose fault, what to do.
pub fn paragraph(problem: &Problem) -> String {
    let mut text = String::new();
    for (at, one) in std::iter::once(problem).chain(&problem.others).enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let _ = write!(text, "error: {} [{}]", sentence(&one.detail), one.code.code());
        if let Some(place) = &one.place {
            let _ = write!(text, "\n  where:      {place}");
        }
        let _ = write!(
            text,
            "\n  whose:      {}\n  what to do: {}\n",
            whose(one.code.fault()),
            one.next
        );
    }
    text.trim_end().to_owned()
}

fn whose(fault: Fault) -> &'static str {
    match fault {
        Fault::Sender => "the request",
        Fault::Configuration => "the configuration",
        Fault::Vendor => "the external system",
        Fault::Hub => "the hub or its machine",
    }
}

/// Details are written as parts of sentences or as whole ones; at the beginning of a line they are whole.
fn sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let text = format!("{first}{}", letters.as_str());
    if text.ends_with(['.', '?', '!']) {
        text
    } else {
        text + "."
    }
}

#[cfg(test)]
mod tests {
    use switchboard_model::problem::Code;

    use super::*;

    #[test]
    fn a_problem_says_what_where_whose_and_what_to_do() {
        let mut problem = Problem::new(Code::WrongSetting, "the port is wrong", "Take another one.").at("--listen");
        problem.others.push(Problem::new(
            Code::AlreadyRunning,
            "Another hub is at work.",
            "Stop it.",
        ));
        let expected = "error: The port is wrong. [SWB-CFG-009]\n  where:      --listen\n  whose:      the configuration\n  \
                        what to do: Take another one.\n\nerror: Another hub is at work. [SWB-HUB-003]\n  \
                        whose:      the hub or its machine\n  what to do: Stop it.";
        assert_eq!(paragraph(&problem), expected);
    }
}
