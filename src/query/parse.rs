//! Reading questions. Whatever is wrong is told with its column.

use super::{Comparison, Condition, Direction, Order, Query, Test, Value};

/// How deep conditions may be nested.
const DEEPEST: usize = 64;

/// Why a text is no question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {what}")]
pub struct NoQuery {
    /// Where, in characters from one on.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// Reads a question: `LIST [WHERE …] [ORDER BY FIELD [ASC|DESC], …] [LIMIT N] [OFFSET N]`; without the list where a condition or
/// an order comes first.
///
/// # Errors
/// When it is none.
pub fn parse(text: &str) -> Result<Query, NoQuery> {
    let mut parser = Parser::new(text)?;
    let query = parser.query()?;
    parser.end()?;
    Ok(query)
}

/// Reads a condition alone: `status = 'pending' AND priority > 2`.
///
/// # Errors
/// When it is none.
pub fn parse_condition(text: &str) -> Result<Condition, NoQuery> {
    let mut parser = Parser::new(text)?;
    let condition = parser.any(0)?;
    parser.end()?;
    Ok(condition)
}

/// A piece of the text.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A bare word: a keyword, a name or a value.
    Word(String),
    /// What stood in quotes: a value, or in backquotes a name.
    Quoted(String),
    Name(String),
    /// An operator or bracket.
    Sign(&'static str),
}

const SIGNS: [&str; 11] = ["<=", ">=", "!=", "<>", "==", "=", "<", ">", "(", ")", ","];

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    /// The column behind the last token.
    length: usize,
}

impl Parser {
    fn new(text: &str) -> Result<Self, NoQuery> {
        Ok(Self {
            tokens: tokens(text)?,
            at: 0,
            length: text.chars().count() + 1,
        })
    }

    fn column(&self) -> usize {
        self.tokens
            .get(self.at)
            .map_or(self.length, |(column, _)| *column)
    }

    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, NoQuery> {
        Err(NoQuery {
            column: self.column(),
            what: what.into(),
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is_it);
        is_it
    }

    fn is_keyword(&self, ahead: usize, keyword: &str) -> bool {
        let token = self.tokens.get(self.at + ahead).map(|(_, token)| token);
        matches!(token, Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let is_it = self.is_keyword(0, keyword);
        self.at += usize::from(is_it);
        is_it
    }

    fn query(&mut self) -> Result<Query, NoQuery> {
        let mut query = Query::default();
        let begins = ["where", "order", "limit", "offset"];
        if !begins.iter().any(|keyword| self.is_keyword(0, keyword)) && self.peek().is_some() {
            query.from = Some(self.name("the name of a list")?);
        }
        if self.take_keyword("where") {
            query.condition = self.any(0)?;
        }
        if self.take_keyword("order") {
            if !self.take_keyword("by") {
                return self.wrong("expected BY behind ORDER");
            }
            loop {
                let field = self.name("the name of a field")?;
                let direction = match (self.take_keyword("desc"), self.take_keyword("asc")) {
                    (true, _) => Direction::Descending,
                    (false, _) => Direction::Ascending,
                };
                query.order.push(Order { field, direction });
                if !self.take_sign(",") {
                    break;
                }
            }
        }
        if self.take_keyword("limit") {
            query.limit = Some(self.number()?);
        }
        if self.take_keyword("offset") {
            query.offset = self.number()?;
        }
        Ok(query)
    }

    fn end(&self) -> Result<(), NoQuery> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.wrong("expected AND, OR, ORDER BY, LIMIT, OFFSET or the end"),
        }
    }

    fn any(&mut self, depth: usize) -> Result<Condition, NoQuery> {
        let mut conditions = vec![self.all(depth)?];
        while self.take_keyword("or") {
            conditions.push(self.all(depth)?);
        }
        Ok(only(conditions, Condition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, NoQuery> {
        let mut conditions = vec![self.one(depth)?];
        while self.take_keyword("and") {
            conditions.push(self.one(depth)?);
        }
        Ok(only(conditions, Condition::All))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, NoQuery> {
        if depth > DEEPEST {
            return self.wrong(format!("conditions are nested more than {DEEPEST} deep"));
        }
        if self.is_keyword(0, "not") {
            self.at += 1;
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take_sign("(") {
            let condition = self.any(depth + 1)?;
            return match self.take_sign(")") {
                true => Ok(condition),
                false => self.wrong("expected `)`"),
            };
        }
        self.test()
    }

    fn test(&mut self) -> Result<Condition, NoQuery> {
        let name = self.name("the name of a field")?;
        let field = |test| Condition::Field { name, test };
        if self.take_keyword("is") {
            let is_not = self.take_keyword("not");
            if !self.take_keyword("null") {
                return self.wrong("expected NULL or NOT NULL behind IS");
            }
            return Ok(negated(field(Test::IsNull), is_not));
        }
        let is_not = self.take_keyword("not");
        if self.take_keyword("like") {
            return match self.value()? {
                Value::Text(form) => Ok(negated(field(Test::Like(form)), is_not)),
                _ => self.wrong("expected a text behind LIKE"),
            };
        }
        if self.take_keyword("contains") {
            let part = self.value()?;
            return Ok(negated(field(Test::Contains(part)), is_not));
        }
        if self.take_keyword("in") {
            let values = self.values()?;
            return Ok(negated(field(Test::In(values)), is_not));
        }
        if is_not {
            return self.wrong("expected LIKE, CONTAINS or IN behind NOT");
        }
        let comparison = match self.peek() {
            Some(Token::Sign("=" | "==")) => Comparison::Equal,
            Some(Token::Sign("!=" | "<>")) => Comparison::Unequal,
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign("<=")) => Comparison::LessOrEqual,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Sign(">=")) => Comparison::GreaterOrEqual,
            _ => {
                return self.wrong(
                    "expected =, !=, <, <=, >, >=, LIKE, IN, CONTAINS, IS NULL or IS NOT NULL",
                );
            }
        };
        self.at += 1;
        let value = self.value()?;
        Ok(field(Test::Compares(comparison, value)))
    }

    fn values(&mut self) -> Result<Vec<Value>, NoQuery> {
        if !self.take_sign("(") {
            return self.wrong("expected `(` behind IN");
        }
        let mut values = Vec::new();
        if self.take_sign(")") {
            return Ok(values);
        }
        loop {
            values.push(self.value()?);
            if self.take_sign(")") {
                return Ok(values);
            }
            if !self.take_sign(",") {
                return self.wrong("expected `,` or `)`");
            }
        }
    }

    fn name(&mut self, what: &str) -> Result<String, NoQuery> {
        match self.peek() {
            Some(Token::Word(name) | Token::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => self.wrong(format!("expected {what}")),
        }
    }

    fn number(&mut self) -> Result<usize, NoQuery> {
        let number = match self.peek() {
            Some(Token::Word(word)) => word.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => {
                self.at += 1;
                Ok(number)
            }
            None => self.wrong("expected a whole number"),
        }
    }

    fn value(&mut self) -> Result<Value, NoQuery> {
        let value =
            match self.peek() {
                Some(Token::Quoted(text)) => Value::Text(text.clone()),
                Some(Token::Word(word)) => bare(word),
                _ => return self.wrong(
                    "expected a value: a number, true, false, null, a word, or a text in quotes",
                ),
            };
        self.at += 1;
        Ok(value)
    }
}

/// A bare word as YAML reads it.
fn bare(word: &str) -> Value {
    use crate::yaml::{Document, Limits};
    let document = Document::from_text(word.to_owned(), &Limits::default());
    let value = document
        .ok()
        .and_then(|document| document.root().map(Value::of));
    value.unwrap_or_else(|| Value::Text(word.to_owned()))
}

fn only(mut conditions: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    match conditions.pop() {
        Some(last) if conditions.is_empty() => last,
        last => {
            conditions.extend(last);
            several(conditions)
        }
    }
}

fn negated(condition: Condition, is_not: bool) -> Condition {
    match is_not {
        true => Condition::Not(Box::new(condition)),
        false => condition,
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, NoQuery> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        if letter.is_whitespace() {
            at += 1;
            continue;
        }
        let column = at + 1;
        let rest = letters.get(at..).unwrap_or_default();
        let sign = SIGNS.into_iter().find(|sign| {
            let mut given = rest.iter();
            sign.chars().all(|letter| given.next() == Some(&letter))
        });
        if let Some(sign) = sign {
            at += sign.len();
            tokens.push((column, Token::Sign(sign)));
            continue;
        }
        if matches!(letter, '\'' | '"' | '`') {
            let (inside, length) = quoted(rest, *letter).ok_or_else(|| NoQuery {
                column,
                what: format!("{letter} is not closed"),
            })?;
            at += length;
            tokens.push((
                column,
                match letter {
                    '`' => Token::Name(inside),
                    _ => Token::Quoted(inside),
                },
            ));
            continue;
        }
        let is_end = |letter: &char| {
            letter.is_whitespace()
                || matches!(
                    letter,
                    '(' | ')' | ',' | '=' | '<' | '>' | '!' | '\'' | '"' | '`'
                )
        };
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        if length == 0 {
            return Err(NoQuery {
                column,
                what: format!("`{letter}` means nothing here"),
            });
        }
        tokens.push((column, Token::Word(rest.iter().take(length).collect())));
        at += length;
    }
    Ok(tokens)
}

/// What stands in quotes, in which two of them stand for one, and how many characters that is with the quotes.
fn quoted(rest: &[char], quote: char) -> Option<(String, usize)> {
    let mut inside = String::new();
    let mut at = 1;
    loop {
        match (rest.get(at)?, rest.get(at + 1)) {
            (letter, Some(next)) if *letter == quote && *next == quote => {
                inside.push(quote);
                at += 2;
            }
            (letter, _) if *letter == quote => return Some((inside, at + 1)),
            (letter, _) => {
                inside.push(*letter);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_question_is_read_with_all_its_parts() {
        let query = parse(
            "todos WHERE status = 'it''s' AND NOT n >= -2.5 ORDER BY created_at DESC, `order by` LIMIT 10 OFFSET 3",
        )
        .unwrap();
        assert_eq!(query.from.as_deref(), Some("todos"));
        assert_eq!(query.limit, Some(10));
        assert_eq!(query.offset, 3);
        assert_eq!(query.order.len(), 2);
        assert_eq!(query.order[1].field, "order by");
        let Condition::All(conditions) = query.condition else {
            panic!()
        };
        let Condition::Field { name, test } = &conditions[0] else {
            panic!()
        };
        assert_eq!(name, "status");
        let text = Value::Text("it's".to_owned());
        assert_eq!(*test, Test::Compares(Comparison::Equal, text));
    }

    #[test]
    fn bare_words_are_what_yaml_takes_them_for() {
        for (word, value) in [
            ("3", Value::Int(3)),
            ("true", Value::Bool(true)),
            ("null", Value::Null),
            ("pending", Value::Text("pending".to_owned())),
            (
                "2026-01-01T00:00:00Z",
                Value::Text("2026-01-01T00:00:00Z".to_owned()),
            ),
            ("'3'", Value::Text("3".to_owned())),
        ] {
            let condition = parse_condition(&format!("a = {word}")).unwrap();
            let Condition::Field { test, .. } = condition else {
                panic!()
            };
            assert_eq!(test, Test::Compares(Comparison::Equal, value), "{word}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_column() {
        for (text, told) in [
            ("todos WHERE", "column 12: expected the name of a field"),
            (
                "todos WHERE a",
                "column 14: expected =, !=, <, <=, >, >=, LIKE, IN, CONTAINS, IS NULL or IS NOT NULL",
            ),
            ("todos WHERE a = 'x", "column 17: ' is not closed"),
            ("todos WHERE (a = 1", "column 19: expected `)`"),
            (
                "todos WHERE a = 1 b",
                "column 19: expected AND, OR, ORDER BY, LIMIT, OFFSET or the end",
            ),
            ("todos ORDER a", "column 13: expected BY behind ORDER"),
            ("todos LIMIT many", "column 13: expected a whole number"),
            ("todos WHERE a IN 3", "column 18: expected `(` behind IN"),
            ("todos WHERE a IN (3", "column 20: expected `,` or `)`"),
            (
                "todos WHERE a NOT 3",
                "column 19: expected LIKE, CONTAINS or IN behind NOT",
            ),
            (
                "todos WHERE a IS 3",
                "column 18: expected NULL or NOT NULL behind IS",
            ),
            ("todos WHERE a ! 3", "column 15: `!` means nothing here"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), told, "{text}");
        }
        let deep = format!("a WHERE {}a = 1{}", "(".repeat(1_000), ")".repeat(1_000));
        assert!(parse(&deep).unwrap_err().what.contains("nested"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(todos|WHERE|AND|OR|NOT|IN|LIKE|[a-z'\"`=<>!(),. %0-9]){0,40}") {
            let _ = parse(&text);
            let _ = parse_condition(&text);
        }
    }
}
