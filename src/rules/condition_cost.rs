//! What asking a condition may cost, told from its shape before any event: the event brings the lengths.
//!
//! CEL itself counts nothing while it runs, so that what is too much has to be refused before.

use cel::Program;
use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

/// Calls that take time and room with the length of what they are given.
const HEAVY: &[&str] =
    &["_+_", "@in", "_==_", "_!=_", "contains", "matches", "string", "bytes", "timestamp", "duration"];
/// What compiling a regular expression counts, in bytes: it is done anew each time.
const OF_PATTERN: usize = 64 << 10;

/// The shape of a condition, as far as it costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// How deep its parts are nested.
    pub(super) depth: usize,
    /// How deep in macros the deepest call stands whose cost grows with what it is given.
    heavy: u32,
    /// Whether one of these is `matches`.
    matches: bool,
    /// The longest list that is written out.
    longest: usize,
    /// Additions: lists may grow by each.
    additions: usize,
}

impl Cost {
    /// Of a compiled condition.
    pub(super) fn of(program: &Program) -> Self {
        let mut cost = Self::default();
        cost.look(program.expression(), 1, 0);
        cost
    }

    /// The longest list that a macro may go through, where the event's own longest is so long.
    pub(super) fn longest(&self, of_event: usize) -> usize {
        of_event.max(self.longest).saturating_mul(1 + self.additions)
    }

    /// Bytes that are gone through at most, when the event's longest list and text are so long.
    pub(super) fn bytes(&self, list: usize, text: usize) -> usize {
        let list = self.longest(list);
        let pattern = if self.matches { OF_PATTERN } else { 0 };
        let each = text.saturating_add(pattern).saturating_add(list.saturating_mul(size_of::<usize>()));
        if self.heavy == 0 { 0 } else { list.saturating_pow(self.heavy).saturating_mul(each) }
    }

    fn look(&mut self, expression: &IdedExpr, depth: usize, loops: u32) {
        self.depth = self.depth.max(depth);
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Select(select) => self.look(&select.operand, depth + 1, loops),
            Expr::Call(call) => {
                self.call(call, loops);
                for part in call.target.as_deref().into_iter().chain(&call.args) {
                    self.look(part, depth + 1, loops);
                }
            }
            Expr::List(list) => {
                self.longest = self.longest.max(list.elements.len());
                list.elements.iter().for_each(|element| self.look(element, depth + 1, loops));
            }
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr), depth, loops),
            Expr::Struct(parts) => self.entries(parts.entries.iter().map(|entry| &entry.expr), depth, loops),
            Expr::Comprehension(comprehension) => {
                self.look(&comprehension.iter_range, depth + 1, loops);
                for part in [
                    &comprehension.accu_init,
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ] {
                    self.look(part, depth + 1, loops + 1);
                }
            }
        }
    }

    fn entries<'a>(&mut self, entries: impl Iterator<Item = &'a EntryExpr>, depth: usize, loops: u32) {
        for entry in entries {
            match entry {
                EntryExpr::StructField(field) => self.look(&field.value, depth + 1, loops),
                EntryExpr::MapEntry(entry) => {
                    self.longest += 1;
                    self.look(&entry.key, depth + 1, loops);
                    self.look(&entry.value, depth + 1, loops);
                }
            }
        }
    }

    fn call(&mut self, call: &CallExpr, loops: u32) {
        let name = call.func_name.as_str();
        // What a macro itself adds to its result is one value; and what is compared with a text or number that is written
        // out is read no further than that.
        let is_of_macro = matches!(call.args.first(), Some(IdedExpr { expr: Expr::Ident(name), .. }) if name.starts_with('@'));
        let is_comparison = matches!(name, "_==_" | "_!=_");
        let with_literal = call.args.iter().any(|arg| matches!(arg.expr, Expr::Literal(_)));
        let adds_number = name == "_+_"
            && call.args.iter().any(|arg| {
                matches!(
                    arg.expr,
                    Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_))
                )
            });
        if !HEAVY.contains(&name) || is_of_macro || (is_comparison && with_literal) || adds_number {
            return;
        }
        self.additions += usize::from(name == "_+_");
        self.matches |= name == "matches" && loops > 0;
        self.heavy = self.heavy.max(loops);
    }
}
