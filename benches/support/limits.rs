//! Figures beside their limits, and how much of the limit each takes.

/// A figure that is to stay at its limit or below.
pub struct Limited {
    name: &'static str,
    figure: f64,
    limit: f64,
}

impl Limited {
    pub fn new(name: &'static str, figure: f64, limit: f64) -> Self {
        Self { name, figure, limit }
    }
}

/// One line each: figure, limit, ratio, verdict.
pub fn print(all: &[Limited]) {
    println!("  {:<46} {:>10} {:>8} {:>7}", "", "figure", "limit", "ratio");
    for Limited { name, figure, limit } in all {
        let verdict = if figure <= limit { "within" } else { "BEYOND" };
        println!("  {name:<46} {figure:>10.3} {limit:>8} {:>7.2} {verdict}", figure / limit);
    }
}
