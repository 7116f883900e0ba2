//! Writes metrics in Prometheus' text format 0.0.4 and in OpenMetrics 1.0.
//!
//! The two differ in how a counter's family is named, in `# UNIT` and in the end mark. Both are so small that a library
//! which knows only one of them would be the longer way.

use super::histogram::{BOUNDS, Distribution};
use super::metrics::{Metric, MetricType};
use std::fmt::Write;

/// Which text format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `text/plain; version=0.0.4`
    Prometheus,
    /// `application/openmetrics-text; version=1.0.0`
    OpenMetrics,
}

/// The value of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// Counts, exact up to 64 bits.
    Whole(i128),
    /// Seconds, or a ratio.
    Seconds(f64),
    /// Of a summary: how many, and their sum.
    Summary(u64, f64),
    /// Of a histogram.
    Histogram(Distribution),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Whole(value.into())
    }
}

/// One series: its label values, in the order of [`Metric::labels`], and its value.
pub(super) type Series<'a> = (Vec<&'a str>, Value);

/// Grows by one family at a time.
pub(super) struct Exposition {
    format: Format,
    text: String,
}

impl Exposition {
    pub(super) fn new(format: Format) -> Self {
        Self { format, text: String::with_capacity(8 << 10) }
    }

    /// A family with its series; nothing at all when it has none.
    pub(super) fn family<'a>(&mut self, metric: &Metric, series: impl IntoIterator<Item = Series<'a>>) {
        let mut series = series.into_iter().peekable();
        if series.peek().is_none() {
            return;
        }
        self.head(metric);
        for (labels, value) in series {
            let labels = label_set(metric.labels, &labels);
            match value {
                Value::Whole(whole) => self.line(metric.name, "", &labels, format_args!("{whole}")),
                Value::Seconds(seconds) => self.line(metric.name, "", &labels, format_args!("{seconds}")),
                Value::Histogram(distribution) => self.histogram(metric.name, &labels, &distribution),
                Value::Summary(count, sum) => {
                    self.line(metric.name, "_sum", &labels, format_args!("{sum}"));
                    self.line(metric.name, "_count", &labels, format_args!("{count}"));
                }
            }
        }
    }

    fn histogram(&mut self, name: &str, labels: &str, distribution: &Distribution) {
        let begin = match labels.strip_suffix('}') {
            Some(labels) => format!("{labels},"),
            None => "{".to_owned(),
        };
        let bounds = BOUNDS.iter().map(|(seconds, _)| *seconds).chain(["+Inf"]);
        for (bound, count) in bounds.zip(distribution.up_to) {
            self.line(name, "_bucket", &format!("{begin}le=\"{bound}\"}}"), format_args!("{count}"));
        }
        let count = distribution.up_to.last().copied().unwrap_or_default();
        self.line(name, "_sum", labels, format_args!("{}", distribution.sum));
        self.line(name, "_count", labels, format_args!("{count}"));
    }

    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn head(&mut self, metric: &Metric) {
        let family = match (self.format, metric.metric_type) {
            (Format::OpenMetrics, MetricType::Counter) => {
                metric.name.strip_suffix("_total").unwrap_or(metric.name)
            }
            _ => metric.name,
        };
        let _ = writeln!(self.text, "# HELP {family} {}", metric.help);
        let _ = writeln!(self.text, "# TYPE {family} {}", metric.metric_type.label());
        if self.format == Format::OpenMetrics && !metric.unit.is_empty() {
            let _ = writeln!(self.text, "# UNIT {family} {}", metric.unit);
        }
    }

    fn line(&mut self, name: &str, suffix: &str, labels: &str, value: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{name}{suffix}{labels} {value}");
    }
}

/// `{ems="demo cloud",reason="ping"}`; an empty label value means that there is no such label.
fn label_set(names: &[&str], values: &[&str]) -> String {
    let mut text = String::new();
    for (name, value) in names.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
        text.push(if text.is_empty() { '{' } else { ',' });
        let _ = write!(text, "{name}=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    if !text.is_empty() {
        text.push('}');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::metrics;

    #[test]
    fn a_label_value_cannot_break_out_of_its_quotes() {
        assert_eq!(label_set(&["ems"], &["a\\b\"c\nd"]), r#"{ems="a\\b\"c\nd"}"#);
        assert_eq!(label_set(&["actor", "ems"], &["supervisor", ""]), r#"{actor="supervisor"}"#);
        assert_eq!(label_set(&[], &[]), "");
    }

    #[test]
    fn a_counter_family_is_named_as_each_format_wants_it() {
        let write = |format| {
            let mut exposition = Exposition::new(format);
            exposition.family(&metrics::EVENTS, [(vec!["demo"], Value::from(3_u64))]);
            exposition.finish()
        };
        assert_eq!(
            write(Format::Prometheus),
            "# HELP catchall_events_total New rows of event_streams.\n# TYPE catchall_events_total counter\n\
             catchall_events_total{ems=\"demo\"} 3\n"
        );
        assert_eq!(
            write(Format::OpenMetrics),
            "# HELP catchall_events New rows of event_streams.\n# TYPE catchall_events counter\n\
             catchall_events_total{ems=\"demo\"} 3\n# EOF\n"
        );
    }
}
