//! Reads a query from its words.

use super::super::trouble::Trouble;
use super::lexer::{Token, tokens};
use super::{Expr, Literal, Op, Order, Query, malformed};

/// Reads a query.
///
/// # Errors
/// `MALFORMED_QUERY`.
pub fn parse(text: &str) -> Result<Query, Trouble> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
    };
    let query = parser.query()?;
    match parser.tokens.get(parser.at) {
        None => Ok(query),
        Some(token) => Err(unexpected(Some(token))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn query(&mut self) -> Result<Query, Trouble> {
        self.expect_word("SELECT")?;
        let fields = self.fields()?;
        self.expect_word("FROM")?;
        let object = self.name()?;
        let filter = if self.word("WHERE") {
            Some(self.condition()?)
        } else {
            None
        };
        let mut order = Vec::new();
        if self.word("ORDER") {
            self.expect_word("BY")?;
            order.push(self.order()?);
            while self.sign(",") {
                order.push(self.order()?);
            }
        }
        let limit = if self.word("LIMIT") { Some(self.count()?) } else { None };
        let offset = if self.word("OFFSET") { self.count()? } else { 0 };
        Ok(Query {
            fields,
            object,
            filter,
            order,
            limit,
            offset,
        })
    }

    fn fields(&mut self) -> Result<Vec<String>, Trouble> {
        let first = self.name()?;
        if first.eq_ignore_ascii_case("COUNT") && self.sign("(") {
            self.expect_sign(")")?;
            return Ok(Vec::new());
        }
        let mut fields = vec![first];
        while self.sign(",") {
            fields.push(self.name()?);
        }
        Ok(fields)
    }

    /// `AND` and `OR` may not be mixed without parentheses.
    fn condition(&mut self) -> Result<Expr, Trouble> {
        let first = self.part()?;
        let mut parts = vec![first];
        let word = ["AND", "OR"].into_iter().find(|word| self.word(word));
        let Some(word) = word else {
            return Ok(parts.remove(0));
        };
        parts.push(self.part()?);
        while self.word(word) {
            parts.push(self.part()?);
        }
        Ok(if word == "AND" {
            Expr::And(parts)
        } else {
            Expr::Or(parts)
        })
    }

    fn part(&mut self) -> Result<Expr, Trouble> {
        if self.word("NOT") {
            return Ok(Expr::Not(Box::new(self.part()?)));
        }
        if self.sign("(") {
            let inner = self.condition()?;
            self.expect_sign(")")?;
            return Ok(inner);
        }
        let field = self.name()?;
        if self.word("NOT") {
            self.expect_word("IN")?;
            return Ok(Expr::In(field, true, self.values()?));
        }
        if self.word("IN") {
            return Ok(Expr::In(field, false, self.values()?));
        }
        let op = self.op()?;
        Ok(Expr::Compare(field, op, self.value()?))
    }

    fn op(&mut self) -> Result<Op, Trouble> {
        const OPS: [(&str, Op); 6] = [
            ("=", Op::Equal),
            ("!=", Op::NotEqual),
            ("<", Op::Less),
            ("<=", Op::LessOrEqual),
            (">", Op::Greater),
            (">=", Op::GreaterOrEqual),
        ];
        if self.word("LIKE") {
            return Ok(Op::Like);
        }
        let found = OPS.into_iter().find(|(sign, _)| self.sign(sign));
        found
            .map(|(_, op)| op)
            .ok_or_else(|| unexpected(self.tokens.get(self.at)))
    }

    fn values(&mut self) -> Result<Vec<Literal>, Trouble> {
        self.expect_sign("(")?;
        let mut values = vec![self.value()?];
        while self.sign(",") {
            values.push(self.value()?);
        }
        self.expect_sign(")")?;
        Ok(values)
    }

    fn value(&mut self) -> Result<Literal, Trouble> {
        for (word, value) in [
            ("null", Literal::Null),
            ("true", Literal::Bool(true)),
            ("false", Literal::Bool(false)),
        ] {
            if self.word(word) {
                return Ok(value);
            }
        }
        match self.tokens.get(self.at) {
            Some(Token::Value(value)) => {
                self.at += 1;
                Ok(value.clone())
            }
            other => Err(unexpected(other)),
        }
    }

    fn order(&mut self) -> Result<Order, Trouble> {
        let field = self.name()?;
        let descending = self.word("DESC");
        if !descending {
            self.word("ASC");
        }
        let mut nulls_last = None;
        if self.word("NULLS") {
            let last = self.word("LAST");
            if !last {
                self.expect_word("FIRST")?;
            }
            nulls_last = Some(last);
        }
        Ok(Order {
            field,
            descending,
            nulls_last,
        })
    }

    fn count(&mut self) -> Result<usize, Trouble> {
        match self.value()? {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be small and whole"
            )]
            Literal::Number(number) if (0.0..=1e9).contains(&number) && number.fract() == 0.0 => Ok(number as usize),
            _ => Err(malformed("unexpected token: a whole number is needed")),
        }
    }

    fn name(&mut self) -> Result<String, Trouble> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => {
                self.at += 1;
                Ok(word.clone())
            }
            other => Err(unexpected(other)),
        }
    }

    fn word(&mut self, wanted: &str) -> bool {
        let here = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(here);
        here
    }

    fn sign(&mut self, wanted: &str) -> bool {
        let here = matches!(self.tokens.get(self.at), Some(Token::Sign(sign)) if *sign == wanted);
        self.at += usize::from(here);
        here
    }

    fn expect_word(&mut self, wanted: &str) -> Result<(), Trouble> {
        if self.word(wanted) {
            Ok(())
        } else {
            Err(unexpected(self.tokens.get(self.at)))
        }
    }

    fn expect_sign(&mut self, wanted: &str) -> Result<(), Trouble> {
        if self.sign(wanted) {
            Ok(())
        } else {
            Err(unexpected(self.tokens.get(self.at)))
        }
    }
}

fn unexpected(token: Option<&Token>) -> Trouble {
    let shown = match token {
        None => "<EOF>".to_owned(),
        Some(Token::Word(word)) => word.clone(),
        Some(Token::Sign(sign)) => (*sign).to_owned(),
        Some(Token::Value(Literal::Text(text))) => text.clone(),
        Some(Token::Value(Literal::Day(text) | Literal::Moment(text))) => text.clone(),
        Some(Token::Value(Literal::Number(number))) => number.to_string(),
        Some(Token::Value(Literal::Bool(_) | Literal::Null)) => "literal".to_owned(),
    };
    malformed(format!("unexpected token: '{shown}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_query_is_read() {
        let text = r"select Id, Email from Lead where Email = 'O\'Neil\\x@example.org' and IsConverted=false
            AND (SystemModstamp >= 2026-11-01T10:00:00Z OR NOT LastName LIKE 'Пет%')
            order by SystemModstamp asc nulls last, Id desc limit 10 offset 2";
        let query = parse(text).unwrap();
        assert_eq!(
            (query.fields.as_slice(), query.object.as_str()),
            (["Id".to_owned(), "Email".into()].as_slice(), "Lead")
        );
        assert_eq!((query.limit, query.offset), (Some(10), 2));
        assert_eq!(
            (query.order[0].nulls_last, query.order[1].descending),
            (Some(true), true)
        );
        let Some(Expr::And(parts)) = query.filter else {
            panic!("three parts joined with AND");
        };
        assert_eq!(
            parts[0],
            Expr::Compare("Email".into(), Op::Equal, Literal::Text(r"O'Neil\x@example.org".into()))
        );
        let Expr::Or(either) = &parts[2] else {
            panic!("two parts joined with OR");
        };
        let since = Literal::Moment("2026-11-01T10:00:00.000+0000".into());
        assert_eq!(
            either[0],
            Expr::Compare("SystemModstamp".into(), Op::GreaterOrEqual, since)
        );
        assert!(matches!(either[1], Expr::Not(_)));
    }

    #[test]
    fn what_the_language_does_not_have_is_malformed() {
        for text in [
            "",
            "SELECT FROM Lead",
            "SELECT Id Lead",
            "SELECT Id FROM Lead WHERE",
            "SELECT Id FROM Lead WHERE Email = ana@example.org",
            "SELECT Id FROM Lead WHERE Email = 'O'Neil'",
            r"SELECT Id FROM Lead WHERE Email = 'a\d'",
            "SELECT Id FROM Lead WHERE Email = 'open",
            "SELECT Id FROM Lead WHERE A = 1 AND B = 2 OR C = 3",
            "SELECT Id FROM Lead WHERE CreatedDate > 2026-11-01 10:00:00",
            "SELECT Id FROM Lead WHERE CreatedDate > 2026-11-01T10:00:00",
            "SELECT Id FROM Lead LIMIT -1",
            "SELECT Id FROM Lead; DELETE",
            "SELECT * FROM Lead",
        ] {
            assert_eq!(
                parse(text).map_err(|trouble| trouble.code),
                Err("MALFORMED_QUERY"),
                "{text}"
            );
        }
    }
}
