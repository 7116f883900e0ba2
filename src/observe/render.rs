//! The figures as metrics: which figure is which series. Written as Prometheus' text format 0.0.4, or as OpenMetrics.

use super::actor::{ActorFigures, ActorKind};
use super::ems::EmsFigures;
use super::exposition::{Exposition, Format, Series, Value};
use super::figures::Observe;
use super::fold;
use super::histogram::Histogram;
use super::metrics::{self, Metric};
use super::process;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

impl Observe {
    /// Prometheus' text format 0.0.4.
    pub fn prometheus(&self) -> String {
        self.write(Format::Prometheus, crate::clock::now())
    }

    /// OpenMetrics 1.0.
    pub fn openmetrics(&self) -> String {
        self.write(Format::OpenMetrics, crate::clock::now())
    }

    fn write(&self, format: Format, now: DateTime<Utc>) -> String {
        let mut out = Exposition::new(format);
        let all_ems = fold::ems(self.all_ems(), fold::MOST_EMS);
        let actors = fold::actors(self.actors(), &all_ems, fold::MOST_EMS);
        per_ems(&mut out, &all_ems, now);
        down(&mut out, &actors, now);
        per_actor(&mut out, &actors);
        self.per_process(&mut out);
        out.finish()
    }

    fn per_process(&self, out: &mut Exposition) {
        let commit = self.commit();
        out.family(&metrics::COMMIT, commit.time.get().map(|time| (vec![], Value::Histogram(time))));
        out.family(&metrics::COMMIT_LAST, [(vec![], Value::Seconds(commit.last().as_secs_f64()))]);
        out.family(&metrics::COMMIT_ROWS, [(vec![], commit.rows().into())]);
        let counts = self.counts();
        by_two_labels(out, &metrics::RULE_FIRINGS, &counts.rule_firings.all());
        by_two_labels(out, &metrics::WEBHOOKS, &counts.webhooks.all());
        let purged = counts.purged.all();
        out.family(
            &metrics::PURGED_ROWS,
            purged.iter().map(|(table, rows)| (vec![&**table], (*rows).into())),
        );
        let requests = self.web().requests();
        let requests = requests.iter().map(|(route, time)| (vec![&**route], Value::Histogram(*time)));
        out.family(&metrics::HTTP_REQUESTS, requests);
        out.family(&metrics::SUBSCRIBERS, [(vec![], self.web().subscribers().into())]);
        self.of_the_system(out);
    }

    fn of_the_system(&self, out: &mut Exposition) {
        let budget = self.byte_budget();
        let bytes = |bytes: usize| (vec![], Value::from(bytes as u64));
        out.family(&metrics::BYTE_BUDGET_USED, budget.iter().map(|budget| bytes(budget.used())));
        out.family(&metrics::BYTE_BUDGET_TOTAL, budget.iter().map(|budget| bytes(budget.total())));
        out.family(&metrics::BUILD_INFO, [(vec![env!("CARGO_PKG_VERSION")], Value::from(1_u64))]);
        out.family(&metrics::RESIDENT_MEMORY, process::resident_memory().map(|bytes| (vec![], bytes.into())));
        out.family(&metrics::CPU, process::cpu_seconds().map(|time| (vec![], Value::Seconds(time))));
        out.family(&metrics::START_TIME, process::start_time().map(|time| (vec![], Value::Seconds(time))));
        out.family(&metrics::OPEN_FDS, process::open_fds().map(|count| (vec![], count.into())));
    }
}

type NamedEms = [(String, Arc<EmsFigures>)];

fn per_ems(out: &mut Exposition, all: &NamedEms, now: DateTime<Utc>) {
    let mut count = |metric: &Metric, figure: fn(&EmsFigures) -> &AtomicU64| {
        out.family(
            metric,
            all.iter().map(|(ems, figures)| (vec![&**ems], figure(figures).load(Relaxed).into())),
        );
    };
    count(&metrics::EVENTS, |ems| &ems.events);
    count(&metrics::DEAD_LETTERS, |ems| &ems.dead_letters);
    count(&metrics::FOLDED_EVENTS, |ems| &ems.folded_events);
    count(&metrics::DUPLICATES, |ems| &ems.duplicates);
    count(&metrics::GAPS, |ems| &ems.gaps);
    count(&metrics::REFRESH_CALLS_WITHOUT_WORK, |ems| &ems.refresh_calls_without_work);
    count(&metrics::ESCALATIONS, |ems| &ems.escalations);
    count(&metrics::REFRESH_TARGETS, |ems| &ems.refresh_targets);
    count(&metrics::REFRESH_TARGETS_IN_TIME, |ems| &ems.refresh_targets_in_time);
    let mut by_labels = |metric: &Metric, counts: fn(&EmsFigures) -> Vec<Counted>| {
        let counted: Vec<_> = all
            .iter()
            .flat_map(|(ems, figures)| counts(figures).into_iter().map(move |(labels, n)| (ems, labels, n)))
            .collect();
        out.family(
            metric,
            counted.iter().map(|(ems, labels, count)| {
                (std::iter::once(*ems).chain(labels).map(String::as_str).collect(), (*count).into())
            }),
        );
    };
    by_labels(&metrics::FILTERED, |ems| {
        ems.filtered_by_reason().into_iter().map(|(reason, n)| (vec![reason], n)).collect()
    });
    by_labels(&metrics::REFRESHES, |ems| ems.refreshes.all().into_iter().map(two).collect());
    by_labels(&metrics::DRIFT, |ems| ems.drift.all().into_iter().map(|(name, n)| (vec![name], n)).collect());
    by_labels(&metrics::ACTIONS, |ems| ems.actions.all().into_iter().map(two).collect());
    histograms(out, all);
    ages(out, all, now);
}

/// Label values behind the EMS's name, and how often.
type Counted = (Vec<String>, u64);

fn two<L: Into<String>>(((first, second), count): ((L, L), u64)) -> Counted {
    (vec![first.into(), second.into()], count)
}

fn by_two_labels(out: &mut Exposition, metric: &Metric, counted: &[((String, String), u64)]) {
    out.family(
        metric,
        counted.iter().map(|((first, second), count)| (vec![&**first, &**second], (*count).into())),
    );
}

fn histograms(out: &mut Exposition, all: &NamedEms) {
    let mut histogram = |metric: &Metric, of: fn(&EmsFigures) -> &Histogram| {
        let series = all
            .iter()
            .filter_map(|(ems, figures)| Some((vec![&**ems], Value::Histogram(of(figures).get()?))));
        out.family(metric, series);
    };
    histogram(&metrics::EVENT_COMMITTED, |ems| &ems.committed);
    histogram(&metrics::EVENT_REFRESHED, |ems| &ems.refreshed);
}

/// What never happened yet has no age: its series begins with the first event, or the first answer.
fn ages(out: &mut Exposition, all: &NamedEms, now: DateTime<Utc>) {
    out.family(
        &metrics::LAG,
        all.iter().filter_map(|(ems, figures)| {
            let (count, _, last) = figures.lag.get();
            (count > 0).then(|| (vec![&**ems], Value::Seconds(last)))
        }),
    );
    let mut age = |metric: &Metric, since: fn(&EmsFigures) -> Option<DateTime<Utc>>| {
        let series =
            all.iter().filter_map(|(ems, figures)| Some((vec![&**ems], seconds(now - since(figures)?))));
        out.family(metric, series);
    };
    age(&metrics::LAST_EVENT_AGE, EmsFigures::last_event);
    age(&metrics::LAST_POLL_AGE, EmsFigures::last_poll);
    let mut gauge = |metric: &Metric, value: &dyn Fn(&EmsFigures) -> Option<f64>| {
        let series =
            all.iter().filter_map(|(ems, figures)| Some((vec![&**ems], Value::Seconds(value(figures)?))));
        out.family(metric, series);
    };
    gauge(&metrics::USUAL_RATE, &|ems| Some(ems.usual()?.per_second()));
    gauge(&metrics::SILENCE, &|ems| ems.silence_ratio(now));
}

fn seconds(age: chrono::TimeDelta) -> Value {
    Value::Seconds(age.num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6)
}

/// For how long each event catcher has not been running.
fn down(out: &mut Exposition, actors: &NamedActors, now: DateTime<Utc>) {
    let catchers = actors.iter().filter(|(kind, ..)| *kind == ActorKind::EventCatcher);
    let series = catchers.filter_map(|(_, ems, figures)| {
        Some((
            vec![ems.as_deref()?],
            figures.unwell_since().map_or(Value::Seconds(0.0), |since| seconds(now - since)),
        ))
    });
    out.family(&metrics::EVENT_CATCHER_DOWN, series);
}

type NamedActors = [(ActorKind, Option<String>, Arc<ActorFigures>)];

fn per_actor(out: &mut Exposition, actors: &NamedActors) {
    let mut each = |metric: &Metric, value: fn(&ActorFigures) -> Value| {
        let series = actors.iter().map(|(kind, ems, figures)| -> Series<'_> {
            (vec![kind.label(), ems.as_deref().unwrap_or_default()], value(figures))
        });
        out.family(metric, series);
    };
    each(&metrics::ACTOR_STATE, |actor| Value::Whole(actor.state() as i128));
    each(&metrics::ACTOR_RESTARTS, |actor| actor.restarts().into());
    each(&metrics::ACTOR_GENERATION, |actor| actor.generation().into());
    each(&metrics::ACTOR_HANDLED, |actor| actor.handled.load(Relaxed).into());
    each(&metrics::ACTOR_FAILED, |actor| actor.failed.load(Relaxed).into());
    each(&metrics::ACTOR_IN_FLIGHT, |actor| actor.in_flight.load(Relaxed).into());
    each(&metrics::ACTOR_MAILBOX_WAIT, |actor| {
        let (count, sum, _) = actor.mailbox_wait.get();
        Value::Summary(count, sum)
    });
    each(&metrics::ACTOR_MAILBOX_WAIT_LAST, |actor| Value::Seconds(actor.mailbox_wait.get().2));
}

#[cfg(test)]
mod tests;
