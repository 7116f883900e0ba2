//! `when`: a CEL expression, compiled once, asked within bounds. What cannot be said is not met, and says why.

use super::condition_check;
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

/// A compiled condition. Cheap to clone.
#[derive(Clone)]
pub struct Condition(Arc<Compiled>);

struct Compiled {
    text: String,
    program: Program,
    /// How deep macros that go through a list are nested.
    nested: usize,
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
        let compiled = catch_unwind(|| ENVIRONMENT.compile(text))
            .map_err(|_| "it cannot be compiled: the CEL compiler panicked, which is a bug".to_owned())?;
        let program = compiled.map_err(|errors| {
            let drawn = errors.to_string().replace("ERROR: <input>:", "");
            format!("no CEL expression was found; line:column: {drawn}")
        })?;
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
        if self.0.nested == MOST_NESTED && scene.longest > MOST_ITEMS_SQUARED {
            return Verdict::Cannot(format!(
                "full_data holds a list of {}, and a condition with two nested macros goes through at most {MOST_ITEMS_SQUARED}",
                scene.longest
            ));
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
