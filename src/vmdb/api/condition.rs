//! A condition over the columns of one table, as SQL that both databases understand.

use crate::vmdb::Value;
use chrono::{DateTime, Utc};

/// How a column and a value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth.
    Boolean(bool),
    /// A time.
    Time(DateTime<Utc>),
}

/// Which rows are meant. SQL's NULL meets no comparison, as everywhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of these; of none, every row.
    All(Vec<Condition>),
    /// One of these at least; of none, no row.
    Any(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// A column and a value.
    Is(&'static str, Comparison, Operand),
    /// One of these texts.
    OneOf(&'static str, Vec<String>),
    /// One of these numbers.
    OneOfIds(&'static str, Vec<i64>),
    /// A text in which `%` stands for anything and `\` takes the next character as it is; upper and lower case are the same.
    Like(&'static str, String),
    /// No value.
    Missing(&'static str),
    /// The row of another table, whose id is in this column, meets its condition.
    Related {
        /// The column.
        column: &'static str,
        /// The other table.
        table: &'static str,
        /// On that one's columns.
        condition: Box<Condition>,
    },
}

impl Comparison {
    fn sql(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Condition {
    /// Every row.
    pub fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Writes itself with a `?` for each value.
    pub(super) fn write<'c>(&'c self, sql: &mut String, values: &mut Vec<Value<'c>>) {
        match self {
            Self::All(parts) => joined(parts, (" AND ", "1 = 1"), sql, values),
            Self::Any(parts) => joined(parts, (" OR ", "1 = 0"), sql, values),
            Self::Not(inner) => {
                sql.push_str("NOT (");
                inner.write(sql, values);
                sql.push(')');
            }
            Self::Is(column, comparison, operand) => {
                sql.push_str(&format!("{column} {} ?", comparison.sql()));
                values.push(match operand {
                    Operand::Text(text) => text.into(),
                    Operand::Integer(number) => (*number).into(),
                    Operand::Boolean(truth) => (*truth).into(),
                    Operand::Time(time) => (*time).into(),
                });
            }
            Self::OneOf(column, texts) => {
                sql.push_str(&format!("{column} ?"));
                values.push(Value::Texts(texts.iter().map(String::as_str).collect()));
            }
            Self::OneOfIds(column, ids) => {
                sql.push_str(&format!("{column} ?"));
                values.push(Value::Integers(ids.clone()));
            }
            Self::Like(column, pattern) => {
                sql.push_str(&format!("lower({column}) LIKE lower(?) ESCAPE '\\'"));
                values.push(pattern.into());
            }
            Self::Missing(column) => sql.push_str(&format!("{column} IS NULL")),
            Self::Related { column, table, condition } => {
                sql.push_str(&format!("{column} IN (SELECT id FROM {table} WHERE "));
                condition.write(sql, values);
                sql.push(')');
            }
        }
    }

    /// The columns of its own table that it looks at.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::columns).collect(),
            Self::Not(inner) => inner.columns(),
            Self::Is(column, ..)
            | Self::OneOf(column, _)
            | Self::OneOfIds(column, _)
            | Self::Like(column, _)
            | Self::Missing(column)
            | Self::Related { column, .. } => vec![column],
        }
    }
}

fn joined<'c>(
    parts: &'c [Condition],
    (between, empty): (&str, &str),
    sql: &mut String,
    values: &mut Vec<Value<'c>>,
) {
    if parts.is_empty() {
        sql.push_str(empty);
        return;
    }
    sql.push('(');
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            sql.push_str(between);
        }
        part.write(sql, values);
    }
    sql.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bound_in_the_order_in_which_they_are_written() {
        let related = Condition::Is("name", Comparison::NotEqual, Operand::Text("x".to_owned()));
        let condition = Condition::All(vec![
            Condition::Is("id", Comparison::Greater, Operand::Integer(3)),
            Condition::Any(vec![
                Condition::Missing("host_id"),
                Condition::Not(Box::new(Condition::Like("name", "a%".to_owned()))),
            ]),
            Condition::Related { column: "ems_id", table: "emss", condition: Box::new(related) },
        ]);
        let (mut sql, mut values) = (String::new(), Vec::new());
        condition.write(&mut sql, &mut values);
        assert_eq!(
            sql,
            "(id > ? AND (host_id IS NULL OR NOT (lower(name) LIKE lower(?) ESCAPE '\\')) \
             AND ems_id IN (SELECT id FROM emss WHERE name <> ?))"
        );
        assert_eq!(values.len(), 3);
        assert_eq!(condition.columns(), ["id", "host_id", "name", "ems_id"]);
        let (mut every, mut none) = (String::new(), String::new());
        Condition::always().write(&mut every, &mut Vec::new());
        Condition::Any(vec![]).write(&mut none, &mut Vec::new());
        assert_eq!([every, none], ["1 = 1", "1 = 0"]);
    }
}
