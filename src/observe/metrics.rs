//! Every metric that Catchall shows: its name, type, labels and meaning.
//!
//! `docs/metrics.md` has one row for each, and a test holds both together. What the values are is `render`'s matter, how
//! they are written is `exposition`'s.

/// What kind of series a metric is; the same words in both text formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// `_sum` and `_count`, without quantiles.
    Summary,
    /// `_bucket`s by `le`, `_sum` and `_count`.
    Histogram,
}

impl MetricType {
    /// As the text formats write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Summary => "summary",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// As Prometheus stores it.
    pub name: &'static str,
    /// Its type.
    pub metric_type: MetricType,
    /// `seconds`, `bytes`, or empty where things are counted.
    pub unit: &'static str,
    /// Names of its labels, in the order in which they are written.
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, metric_type: MetricType::Counter, unit: "", labels, help }
}

const fn gauge(
    name: &'static str,
    unit: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, metric_type: MetricType::Gauge, unit, labels, help }
}

const fn seconds(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, metric_type: MetricType::Summary, unit: "seconds", labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, metric_type: MetricType::Histogram, unit: "seconds", labels, help }
}

const EMS: &[&str] = &["ems"];
const ACTOR: &[&str] = &["actor", "ems"];

/// New rows of `event_streams`.
pub const EVENTS: Metric = counter("catchall_events_total", EMS, "New rows of event_streams.");
/// New rows of `dead_letters`.
pub const DEAD_LETTERS: Metric = counter("catchall_dead_letters_total", EMS, "New rows of dead_letters.");
/// New rows of `folded_events`.
pub const FOLDED_EVENTS: Metric = counter(
    "catchall_folded_events_total",
    EMS,
    "Repeats that flood control folded into the row of another event.",
);
/// Events that were rows already.
pub const DUPLICATES: Metric = counter(
    "catchall_duplicates_total",
    EMS,
    "Events that came again, in the same form or in another one of the provider's.",
);
/// Rows of `event_gaps`.
pub const GAPS: Metric = counter("catchall_gaps_total", EMS, "Stretches of events lost at the provider.");
/// Well-formed messages that are no event, by reason.
pub const FILTERED: Metric =
    counter("catchall_filtered_total", &["ems", "reason"], "Messages that are no event, by reason.");
/// Refresh calls of the switchboard that made no work.
pub const REFRESH_CALLS_WITHOUT_WORK: Metric = counter(
    "catchall_refresh_calls_without_work_total",
    EMS,
    "Refresh calls that made no work, since the provider has no collector or refresh is switched off.",
);
/// Refreshes that ended.
pub const REFRESHES: Metric = counter(
    "catchall_refreshes_total",
    &["ems", "kind", "result"],
    "Refreshes that ended, `full` or `targeted`, `done` or `failed`.",
);
/// Full refreshes in place of targets.
pub const ESCALATIONS: Metric = counter(
    "catchall_refresh_escalations_total",
    EMS,
    "Full refreshes that took the place of as many targets as full_refresh_threshold.",
);
/// Rows that a full refresh had to correct.
pub const DRIFT: Metric = counter(
    "catchall_inventory_drift_rows_total",
    &["ems", "association"],
    "Rows that a full refresh after the first had to correct, which events should have brought.",
);
/// Rows of `event_actions` that came to a state.
pub const ACTIONS: Metric = counter(
    "catchall_actions_total",
    &["ems", "kind", "state"],
    "Things done for events besides refreshing, by the kind and state of their rows of event_actions.",
);
/// From an event's own time to its commit.
pub const EVENT_COMMITTED: Metric =
    histogram("catchall_event_committed_seconds", EMS, "From each new event's own time to its commit.");
/// From a commit to the end of the refresh for which it asked.
pub const EVENT_REFRESHED: Metric = histogram(
    "catchall_event_refreshed_seconds",
    EMS,
    "From the commit of the events that asked for a target to the end of its refresh.",
);
/// Targets that are done.
pub const REFRESH_TARGETS: Metric = counter(
    "catchall_refresh_targets_total",
    EMS,
    "Targets that events asked for and whose refresh is done.",
);
/// Those that were done in time.
pub const REFRESH_TARGETS_IN_TIME: Metric = counter(
    "catchall_refresh_targets_in_time_total",
    EMS,
    "Those of them that were done within 30 seconds of the commit that asked for them.",
);
/// What is usual.
pub const USUAL_RATE: Metric = gauge(
    "catchall_usual_events_per_second",
    "",
    EMS,
    "Events per second that the EMS sent over its last seven days, by their own time; read from the VMDB every hour.",
);
/// How unusual a silence is.
pub const SILENCE: Metric = gauge(
    "catchall_silence_ratio",
    "",
    EMS,
    "How many events the EMS usually sends, at these hours of the day, in the time for which it has been silent.",
);
/// An outage of the event catcher.
pub const EVENT_CATCHER_DOWN: Metric = gauge(
    "catchall_event_catcher_down_seconds",
    "seconds",
    EMS,
    "For how long the event catcher has not been running; 0 while it is, or was stopped on purpose.",
);
/// From the latest event's own time to its commit.
pub const LAG: Metric =
    gauge("catchall_lag_seconds", "seconds", EMS, "From the latest event's own time to its commit.");
/// Age of the newest event.
pub const LAST_EVENT_AGE: Metric =
    gauge("catchall_last_event_age_seconds", "seconds", EMS, "Age of the newest event, by its own time.");
/// Since the provider last answered.
pub const LAST_POLL_AGE: Metric =
    gauge("catchall_last_poll_age_seconds", "seconds", EMS, "Time since the provider last answered.");

/// What an actor is doing.
pub const ACTOR_STATE: Metric = gauge(
    "catchall_actor_state",
    "",
    ACTOR,
    "0 stopped, 1 starting, 2 running, 3 backing off, 4 throttled, 5 refused, 6 waiting for the VMDB.",
);
/// How often it was replaced.
pub const ACTOR_RESTARTS: Metric =
    counter("catchall_actor_restarts_total", ACTOR, "How often the actor was replaced by a fresh one.");
/// How many children there have been.
pub const ACTOR_GENERATION: Metric =
    gauge("catchall_actor_generation", "", ACTOR, "Generation of the actor; the first is 1.");
/// Messages, batches or work rows done.
pub const ACTOR_HANDLED: Metric =
    counter("catchall_actor_handled_total", ACTOR, "Messages, batches or work rows that were done.");
/// Those that failed.
pub const ACTOR_FAILED: Metric =
    counter("catchall_actor_failed_total", ACTOR, "Messages, batches or work rows that failed.");
/// Those under way.
pub const ACTOR_IN_FLIGHT: Metric =
    gauge("catchall_actor_in_flight", "", ACTOR, "Messages, batches or work rows that are under way.");
/// From sending to being handled.
pub const ACTOR_MAILBOX_WAIT: Metric = seconds(
    "catchall_actor_mailbox_wait_seconds",
    ACTOR,
    "Time that messages waited from being sent to being handled.",
);
/// The last message's wait.
pub const ACTOR_MAILBOX_WAIT_LAST: Metric = gauge(
    "catchall_actor_mailbox_wait_last_seconds",
    "seconds",
    ACTOR,
    "Time that the last message waited from being sent to being handled.",
);

/// How long commits took.
pub const COMMIT: Metric = histogram("catchall_commit_seconds", &[], "Time that group commits took.");
/// The last commit.
pub const COMMIT_LAST: Metric =
    gauge("catchall_commit_last_seconds", "seconds", &[], "Time that the last group commit took.");
/// Events in all commits.
pub const COMMIT_ROWS: Metric = counter("catchall_commit_rows_total", &[], "Events in all group commits.");

/// Rules that events met.
pub const RULE_FIRINGS: Metric = counter(
    "catchall_rule_firings_total",
    &["rule", "state"],
    "Events that met a rule, by what became of it: `done`, or why it was held back.",
);
/// Webhooks that were sent.
pub const WEBHOOKS: Metric = counter(
    "catchall_webhooks_total",
    &["webhook", "result"],
    "Attempts to send a webhook: `received`, `retried` later, `dead`.",
);
/// Rows that were too old.
pub const PURGED_ROWS: Metric =
    counter("catchall_purged_rows_total", &["table"], "Rows that were older than what is kept.");

/// Answers over HTTP.
pub const HTTP_REQUESTS: Metric = histogram(
    "catchall_http_request_seconds",
    &["route"],
    "Time until an answer over HTTP began, by the pattern of its path.",
);
/// Who follows.
pub const SUBSCRIBERS: Metric =
    gauge("catchall_live_subscribers", "", &[], "Clients that follow `/live` at this moment.");
/// Bytes of native events in memory.
pub const BYTE_BUDGET_USED: Metric =
    gauge("catchall_byte_budget_used_bytes", "bytes", &[], "Native events in memory.");
/// How much there may be.
pub const BYTE_BUDGET_TOTAL: Metric =
    gauge("catchall_byte_budget_total_bytes", "bytes", &[], "Native events that may be in memory at once.");
/// The version, as a label.
pub const BUILD_INFO: Metric =
    gauge("catchall_build_info", "", &["version"], "Always 1; the version is in the label.");
/// Resident memory.
pub const RESIDENT_MEMORY: Metric =
    gauge("process_resident_memory_bytes", "bytes", &[], "Resident memory of the process.");
/// Time of the processor.
pub const CPU: Metric = Metric {
    name: "process_cpu_seconds_total",
    metric_type: MetricType::Counter,
    unit: "",
    labels: &[],
    help: "Seconds for which the process kept cores busy.",
};
/// When it started.
pub const START_TIME: Metric =
    gauge("process_start_time_seconds", "seconds", &[], "When the process started, in Unix time.");
/// Open file descriptors.
pub const OPEN_FDS: Metric = gauge("process_open_fds", "", &[], "Open file descriptors of the process.");

/// All of them, in the order in which they are written.
pub const ALL: &[Metric] = &[
    EVENTS,
    DEAD_LETTERS,
    FOLDED_EVENTS,
    DUPLICATES,
    GAPS,
    FILTERED,
    REFRESH_CALLS_WITHOUT_WORK,
    REFRESHES,
    ESCALATIONS,
    DRIFT,
    ACTIONS,
    EVENT_COMMITTED,
    EVENT_REFRESHED,
    REFRESH_TARGETS,
    REFRESH_TARGETS_IN_TIME,
    USUAL_RATE,
    SILENCE,
    EVENT_CATCHER_DOWN,
    LAG,
    LAST_EVENT_AGE,
    LAST_POLL_AGE,
    ACTOR_STATE,
    ACTOR_RESTARTS,
    ACTOR_GENERATION,
    ACTOR_HANDLED,
    ACTOR_FAILED,
    ACTOR_IN_FLIGHT,
    ACTOR_MAILBOX_WAIT,
    ACTOR_MAILBOX_WAIT_LAST,
    COMMIT,
    COMMIT_LAST,
    COMMIT_ROWS,
    RULE_FIRINGS,
    WEBHOOKS,
    PURGED_ROWS,
    HTTP_REQUESTS,
    SUBSCRIBERS,
    BYTE_BUDGET_USED,
    BYTE_BUDGET_TOTAL,
    BUILD_INFO,
    RESIDENT_MEMORY,
    CPU,
    START_TIME,
    OPEN_FDS,
];
