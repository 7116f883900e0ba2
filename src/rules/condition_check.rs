//! What can be told of a condition before any event: names that there are not, expressions that are none, how deep macros
//! are nested.

use super::facts::{OF_EVENT, SECTIONS};
use crate::settings::nearest;
use cel::Program;
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

/// CEL's functions; macros are no longer there when a condition is looked at.
const FUNCTIONS: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "hasValue",
    "int",
    "matches",
    "none",
    "of",
    "ofNonZeroValue",
    "or",
    "orValue",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
    "value",
    "has",
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "optMap",
    "optFlatMap",
    "existsOne",
];
/// Names of types, which are values in CEL.
const TYPES: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
    "optional",
    "google",
    "optional_type",
];

/// What was found.
pub(super) struct Checked {
    /// How deep macros are nested.
    pub(super) nested: usize,
    /// What it looks at, such as `event.full_data.reason`, each once.
    pub(super) names: Vec<Vec<String>>,
}

/// Looks at a compiled condition.
pub(super) fn check(program: &Program) -> Result<Checked, String> {
    let mut walk = Walk { program, names: Vec::new(), looked_at: Vec::new(), wrong: None };
    let nested = walk.expression(program.expression());
    match walk.wrong {
        Some(wrong) => Err(wrong),
        None => Ok(Checked { nested, names: walk.looked_at }),
    }
}

struct Walk<'a> {
    program: &'a Program,
    /// Variables of the macros around.
    names: Vec<&'a str>,
    looked_at: Vec<Vec<String>>,
    /// What was wrong first.
    wrong: Option<String>,
}

impl<'a> Walk<'a> {
    /// How deep macros are nested in it.
    fn expression(&mut self, expression: &'a IdedExpr) -> usize {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => 0,
            Expr::Ident(name) => {
                self.name(name, expression.id);
                0
            }
            Expr::Select(select) => {
                if let Expr::Ident(section) = &select.operand.expr
                    && !self.names.contains(&section.as_str())
                {
                    self.column(section, &select.field, expression.id);
                }
                self.look_at(expression);
                self.expression(&select.operand)
            }
            Expr::Call(call) => {
                self.call(call, expression.id);
                self.deepest(call.target.as_deref().into_iter().chain(&call.args))
            }
            Expr::List(list) => self.deepest(&list.elements),
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(structure) => self.entries(structure.entries.iter().map(|entry| &entry.expr)),
            Expr::Comprehension(comprehension) => {
                // What a list is made of comes before its loop, and is not within it.
                let before = self.expression(&comprehension.iter_range);
                let known = self.names.len();
                self.names.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
                self.names.extend(comprehension.iter_var2.as_deref());
                let within = self.deepest([
                    &comprehension.accu_init,
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ]);
                self.names.truncate(known);
                before.max(within + 1)
            }
        }
    }

    /// Remembers the whole of `event.full_data.reason`, and not its beginnings.
    fn look_at(&mut self, expression: &IdedExpr) {
        let Some(path) = path(expression) else { return };
        let is_section = SECTIONS.iter().any(|(section, _)| *section == path[0]);
        if is_section
            && !self.names.contains(&path[0].as_str())
            && !self.looked_at.iter().any(|known| known.starts_with(&path))
        {
            self.looked_at.push(path);
        }
    }

    fn deepest(&mut self, expressions: impl IntoIterator<Item = &'a IdedExpr>) -> usize {
        expressions.into_iter().map(|expression| self.expression(expression)).max().unwrap_or(0)
    }

    fn entries(&mut self, entries: impl Iterator<Item = &'a EntryExpr>) -> usize {
        let deepest = entries.map(|entry| match entry {
            EntryExpr::StructField(field) => self.expression(&field.value),
            EntryExpr::MapEntry(entry) => self.expression(&entry.key).max(self.expression(&entry.value)),
        });
        deepest.max().unwrap_or(0)
    }

    fn name(&mut self, name: &str, id: u64) {
        let mut sections = SECTIONS.iter().map(|(section, _)| *section);
        let is_known = sections.clone().any(|section| section == name)
            || self.names.contains(&name)
            || TYPES.contains(&name)
            || name.starts_with('@');
        if !is_known {
            let hint = match nearest::within_two_edits(name, sections.by_ref()) {
                Some(near) => format!("did you mean {near}?"),
                None => "known are event, ems, vm, host, dest_vm and dest_host".to_owned(),
            };
            self.found(id, format!("nothing is called {name}; {hint}"));
        }
    }

    fn column(&mut self, section: &str, column: &str, id: u64) {
        let Some((_, known)) = SECTIONS.iter().find(|(name, _)| *name == section) else { return };
        let more: &[&str] = if section == "event" { &OF_EVENT } else { &[] };
        if !known.contains(&column) && !more.contains(&column) {
            let hint = match nearest::within_two_edits(column, known.iter().chain(more).copied()) {
                Some(near) => format!("did you mean {section}.{near}?"),
                None if section == "event" => {
                    "what the provider sent is in event.full_data, the rest are columns of event_streams"
                        .to_owned()
                }
                None => format!("known are {}", known.join(", ")),
            };
            self.found(id, format!("there is no {section}.{column}; {hint}"));
        }
    }

    fn call(&mut self, call: &CallExpr, id: u64) {
        let name = call.func_name.as_str();
        let is_word = name.starts_with(|first: char| first.is_ascii_alphabetic());
        if is_word && !FUNCTIONS.contains(&name) {
            let hint = match nearest::within_two_edits(name, FUNCTIONS.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => "CEL's standard functions are known".to_owned(),
            };
            self.found(id, format!("no function is called {name}; {hint}"));
        }
        let Some(IdedExpr { expr: Expr::Literal(LiteralValue::String(text)), .. }) = call.args.last() else {
            if name == "matches" && !self.names.is_empty() {
                self.found(id, "matches within a macro wants its regular expression written out".to_owned());
            }
            return;
        };
        if name == "matches"
            && let Err(error) = self.pattern(text.inner())
        {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or(&text).trim().trim_start_matches("error: ");
            self.found(id, format!("matches is given no regular expression: {last}"));
        }
    }

    /// Within a macro it is compiled again for every item, so that it must be small.
    fn pattern(&self, text: &str) -> Result<(), regex::Error> {
        const LARGEST_WITHIN: usize = 256 << 10;
        let mut builder = regex::RegexBuilder::new(text);
        if !self.names.is_empty() {
            builder.size_limit(LARGEST_WITHIN);
        }
        builder.build().map(drop)
    }

    /// Only the first is told; the place is drawn as the compiler draws its own.
    fn found(&mut self, id: u64, message: String) {
        if self.wrong.is_some() {
            return;
        }
        let source = self.program.source_info();
        let drawn =
            source.offset_for(id).map(|(start, _)| draw(&source.source, start as usize)).unwrap_or_default();
        self.wrong = Some(format!("{message}{drawn}"));
    }
}

/// The names of a selection of a selection of a name.
fn path(expression: &IdedExpr) -> Option<Vec<String>> {
    match &expression.expr {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) => {
            let mut names = path(&select.operand)?;
            names.push(select.field.clone());
            Some(names)
        }
        _ => None,
    }
}

/// The line in which the byte at `start` stands, with a caret below it.
fn draw(source: &str, start: usize) -> String {
    let before = source.get(..start).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let line = source.lines().nth(before.matches('\n').count()).unwrap_or_default();
    format!("\n| {line}\n| {}^", ".".repeat(column))
}
