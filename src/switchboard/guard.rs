//! Guards: the small part of Ruby's expressions that an assertion may use here.
//!
//! `true`, `false`, `nil`, quoted texts, numbers, `== != < <= > >= =~ !~`, `! && || not and or`, parentheses, `.nil?` and
//! `.empty?`. Anything else is an error, which counts as a failed guard and is reported at load.

use regex::RegexBuilder;

/// What an expression can come to.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(String),
    Pattern(String, bool),
}

impl Operand {
    fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Boolean(false))
    }
}

/// Whether the guard holds.
///
/// # Errors
/// When it is beyond the subset.
pub(super) fn holds(text: &str) -> Result<bool, String> {
    let mut parser = Parser { rest: text };
    let result = parser.expression()?;
    parser.skip_blanks();
    if parser.rest.is_empty() {
        Ok(result.is_true())
    } else {
        Err(format!("`{}` is beyond what guards can say here", parser.rest))
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_blanks();
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        let is_word = token.ends_with(|c: char| c.is_ascii_alphanumeric());
        if is_word && rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return false;
        }
        self.rest = rest;
        true
    }

    /// `and` and `or` bind alike and weakest, then `not`, then `||`, then `&&`, as in Ruby.
    fn expression(&mut self) -> Result<Operand, String> {
        let mut left = self.negation()?;
        loop {
            if self.take("and") {
                let right = self.negation()?;
                left = if left.is_true() { right } else { left };
            } else if self.take("or") {
                let right = self.negation()?;
                left = if left.is_true() { left } else { right };
            } else {
                return Ok(left);
            }
        }
    }

    fn negation(&mut self) -> Result<Operand, String> {
        if self.take("not") {
            return Ok(Operand::Boolean(!self.negation()?.is_true()));
        }
        self.either()
    }

    fn either(&mut self) -> Result<Operand, String> {
        let mut left = self.both()?;
        while self.take("||") {
            let right = self.both()?;
            left = if left.is_true() { left } else { right };
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Operand, String> {
        let mut left = self.comparison()?;
        while self.take("&&") {
            let right = self.comparison()?;
            left = if left.is_true() { right } else { left };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Operand, String> {
        let left = self.unary()?;
        for operator in ["==", "!=", "=~", "!~", "<=", ">=", "<", ">"] {
            if self.take(operator) {
                let right = self.unary()?;
                return compare(&left, operator, &right).map(Operand::Boolean);
            }
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Operand, String> {
        self.skip_blanks();
        if self.rest.starts_with('!') && !self.rest.starts_with("!=") && !self.rest.starts_with("!~") {
            self.rest = &self.rest[1..];
            return Ok(Operand::Boolean(!self.unary()?.is_true()));
        }
        let mut operand = self.primary()?;
        loop {
            if self.take(".nil?") {
                operand = Operand::Boolean(operand == Operand::Nil);
            } else if self.take(".empty?") {
                let Operand::Text(text) = &operand else { return Err("`.empty?` needs a text".to_owned()) };
                operand = Operand::Boolean(text.is_empty());
            } else {
                return Ok(operand);
            }
        }
    }

    fn primary(&mut self) -> Result<Operand, String> {
        for (word, operand) in
            [("true", Operand::Boolean(true)), ("false", Operand::Boolean(false)), ("nil", Operand::Nil)]
        {
            if self.take(word) {
                return Ok(operand);
            }
        }
        if self.take("(") {
            let inner = self.expression()?;
            return if self.take(")") { Ok(inner) } else { Err("a `)` is missing".to_owned()) };
        }
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote).map(Operand::Text),
            Some('/') => {
                let pattern = self.quoted('/')?;
                Ok(Operand::Pattern(pattern, self.take("i")))
            }
            Some(first) if first.is_ascii_digit() || first == '-' => self.number(),
            _ => Err(format!("`{}` is beyond what guards can say here; texts need quotes", self.rest)),
        }
    }

    fn number(&mut self) -> Result<Operand, String> {
        let end = self.rest[1..]
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .map_or(self.rest.len(), |position| position + 1);
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().map(Operand::Number).map_err(|_| format!("`{digits}` is no number"))
    }

    /// What stands up to the closing `quote`. In patterns a backslash stays, save before `/`; between double quotes it
    /// makes a line break of `n` and a tab of `t`; between single quotes it is itself, save before a quote or backslash.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((position, character)) = characters.next() {
            if character == quote {
                self.rest = &self.rest[position + character.len_utf8()..];
                return Ok(text);
            }
            if character == '#' && quote != '\'' && matches!(characters.peek(), Some((_, '{'))) {
                return Err("`#{` is beyond what guards can say here".to_owned());
            }
            if character != '\\' {
                text.push(character);
            } else if let Some((_, next)) = characters.next() {
                match (quote, next) {
                    ('"', 'n') => text.push('\n'),
                    ('"', 't') => text.push('\t'),
                    ('"', _) if next.is_ascii_alphanumeric() => {
                        return Err(format!("`\\{next}` is beyond what guards can say here"));
                    }
                    ('/', '/') | ('\'', '\'' | '\\') | ('"', _) => text.push(next),
                    _ => text.extend(['\\', next]),
                }
            }
        }
        Err(format!("a closing {quote} is missing"))
    }
}

fn compare(left: &Operand, operator: &str, right: &Operand) -> Result<bool, String> {
    use Operand::{Number, Pattern, Text};
    match (left, operator, right) {
        (_, "==", _) => Ok(left == right),
        (_, "!=", _) => Ok(left != right),
        (Operand::Nil, "=~" | "!~", Pattern(..)) => Ok(operator == "!~"),
        (Text(text), "=~" | "!~", Pattern(pattern, ignore_case))
        | (Pattern(pattern, ignore_case), "=~" | "!~", Text(text)) => {
            // In Ruby `^` and `$` are the ends of a line.
            let pattern = RegexBuilder::new(pattern).case_insensitive(*ignore_case).multi_line(true).build();
            let found = pattern.map_err(|error| error.to_string())?.is_match(text);
            Ok(found == (operator == "=~"))
        }
        (Number(a), _, Number(b)) => ordered(a.partial_cmp(b), operator),
        (Text(a), _, Text(b)) => ordered(Some(a.cmp(b)), operator),
        _ => Err(format!("`{operator}` cannot compare these two")),
    }
}

fn ordered(order: Option<std::cmp::Ordering>, operator: &str) -> Result<bool, String> {
    let order = order.ok_or("these two have no order")?;
    match operator {
        "<" => Ok(order.is_lt()),
        "<=" => Ok(order.is_le()),
        ">" => Ok(order.is_gt()),
        ">=" => Ok(order.is_ge()),
        _ => Err(format!("`{operator}` cannot compare these two")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_of_literals_are_decided_as_ruby_does() {
        for (text, expected) in [
            ("true", true),
            ("false", false),
            ("nil", false),
            ("0", true),
            ("'a' == \"a\"", true),
            ("'a' != 'a'", false),
            ("!('a' == 'b') && 2 < 10", true),
            ("'10' < '9' or false", true),
            ("not true || true", false),
            ("'vm-12' =~ /^VM-\\d+$/i", true),
            ("'vm' !~ /x/", true),
            ("nil.nil? and ''.empty?", true),
            ("/^b$/ =~ \"a\\nb\"", true),
            ("nil =~ /x/ or nil !~ /x/", true),
            ("'a\\b' == \"a\\\\b\" && 'it\\'s' == \"it's\"", true),
            ("'/a/' =~ /\\/a\\//", true),
        ] {
            assert_eq!(holds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_an_error() {
        for text in [
            "$evm.root",
            "system('x')",
            "abc == 'abc'",
            "1 +",
            "'a",
            "'a' < 1",
            "(true",
            "\"#{exit}\" == 'x'",
            "\"\\x41\" == 'A'",
            "",
        ] {
            assert!(holds(text).is_err(), "{text}");
        }
    }
}
