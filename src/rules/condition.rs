//! `when`: a CEL expression, compiled once, asked within bounds. What cannot be said is not met, and says why.

use super::condition_check;
use super::condition_cost::Cost;
use super::scene::{ENVIRONMENT, Scene};
use cel::{ExecutionError, Program, Value};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A longer text is a program, and no condition.
const MOST_BYTES: usize = 4 * 1024;
/// Macros in macros in macros take too long.
const MOST_NESTED: usize = 2;
/// The longest list that a condition with two nested macros goes through: 90,000 steps.
const MOST_ITEMS_SQUARED: usize = 300;

/// The longest list that a condition goes through in one macro.
const MOST_ITEMS: usize = 100_000;
/// Bytes that a condition may go through, or make, while it is asked.
const MOST_WORK: usize = 64 << 20;
/// The compiler and the interpreter call themselves for each level.
const MOST_LEVELS: usize = 48;
/// Brackets within brackets; the compiler takes much more of the stack for each of these.
const MOST_BRACKETS: usize = 32;
/// For the compiler, which takes some 150 kB for each bracket in a debug build.
const STACK: usize = 64 << 20;

/// A compiled condition. Cheap to clone.
#[derive(Clone)]
pub struct Condition(Arc<Compiled>);

struct Compiled {
    text: String,
    program: Program,
    /// How deep macros that go through a list are nested.
    nested: usize,
    cost: Cost,
    names: Vec<Vec<String>>,
}

/// What a condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is met.
    Met,
    /// It is not met.
    NotMet,
    /// It cannot be told, and counts as not met; why.
    Cannot(String),
}

impl Condition {
    /// Compiles `text`.
    ///
    /// # Errors
    /// Says what is wrong and draws where; over several lines.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err(
                "nothing was found; wanted a condition such as vm.name.startsWith('prod-')".to_owned()
            );
        }
        if text.len() > MOST_BYTES {
            return Err(format!("it is {} bytes long; wanted at most {MOST_BYTES}", text.len()));
        }
        if brackets(text) > MOST_BRACKETS {
            return Err(format!(
                "it is nested too deep; wanted at most {MOST_BRACKETS} brackets within brackets"
            ));
        }
        // On a stack of its own: how deep the compiler goes is the text's doing, and no stack overflow can be caught.
        let compiler = std::thread::Builder::new().name("condition".to_owned()).stack_size(STACK);
        std::thread::scope(|scope| match compiler.spawn_scoped(scope, || Self::compile(text)) {
            Ok(compiling) => compiling.join().unwrap_or_else(|_| {
                Err("it cannot be compiled: the CEL compiler panicked, which is a bug".to_owned())
            }),
            Err(error) => Err(format!("it cannot be compiled: no thread for it: {error}")),
        })
    }

    fn compile(text: &str) -> Result<Self, String> {
        let program = ENVIRONMENT.compile(text).map_err(|errors| {
            let drawn = errors.to_string().replace("ERROR: <input>:", "");
            format!("no CEL expression was found; line:column: {drawn}")
        })?;
        let cost = Cost::of(&program);
        if cost.depth > MOST_LEVELS {
            return Err(format!("it is nested {} levels deep; wanted at most {MOST_LEVELS}", cost.depth));
        }
        let checked = condition_check::check(&program)?;
        if checked.nested > MOST_NESTED {
            return Err(format!(
                "macros such as exists and all are nested {} deep; wanted at most {MOST_NESTED}",
                checked.nested
            ));
        }
        Ok(Self(Arc::new(Compiled {
            text: text.to_owned(),
            program,
            nested: checked.nested,
            cost,
            names: checked.names,
        })))
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What it looks at, such as `["vm", "name"]`.
    pub fn names(&self) -> &[Vec<String>] {
        &self.0.names
    }

    /// Asks it.
    pub fn ask(&self, scene: &Scene) -> Verdict {
        if let Some(reason) = self.too_much(scene) {
            return Verdict::Cannot(reason);
        }
        // The scene is only read, so that a panic leaves nothing half done.
        let answer = catch_unwind(AssertUnwindSafe(|| self.0.program.execute(&scene.context)));
        match answer {
            Ok(Ok(Value::Bool(true))) => Verdict::Met,
            Ok(Ok(Value::Bool(false))) => Verdict::NotMet,
            Ok(Ok(other)) => {
                Verdict::Cannot(format!("it says {:?}, which is neither true nor false", other.type_of()))
            }
            Ok(Err(error)) => Verdict::Cannot(reason(&error, scene)),
            Err(_) => Verdict::Cannot("asking it panicked, which is a bug".to_owned()),
        }
    }

    /// Why it is not asked about this event at all.
    fn too_much(&self, scene: &Scene) -> Option<String> {
        let Compiled { nested, cost, .. } = &*self.0;
        let longest = cost.longest(scene.longest);
        if *nested == MOST_NESTED && longest > MOST_ITEMS_SQUARED {
            return Some(format!(
                "full_data holds a list of {}, and a condition with two nested macros goes through at most {MOST_ITEMS_SQUARED}",
                scene.longest
            ));
        }
        if *nested > 0 && longest > MOST_ITEMS {
            return Some(format!("it goes through a list of {longest}, and at most {MOST_ITEMS} may be"));
        }
        let work = cost.bytes(scene.longest, scene.longest_text);
        (work > MOST_WORK).then(|| {
            format!(
                "full_data holds a list of {} and a text of {} bytes: within macros this condition may go through {work} \
                 bytes, and at most {MOST_WORK} may be; look at less, or compare with startsWith",
                scene.longest, scene.longest_text
            )
        })
    }
}

/// How many brackets stand within each other at most, those in texts too.
fn brackets(text: &str) -> usize {
    let (mut deepest, mut open) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            // The other branch of `a ? b : c` may be another such choice, and so on; it has no end that could be seen.
            b'(' | b'[' | b'{' | b'?' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

fn reason(error: &ExecutionError, scene: &Scene) -> String {
    match error {
        ExecutionError::NoSuchKey(name) => match &scene.without_full_data {
            Some(why) if name.as_str() == "full_data" => why.clone(),
            _ => format!("there is no {name}"),
        },
        other => other.to_string(),
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.text.fmt(f)
    }
}

#[cfg(test)]
mod tests;
