//! What kind of event a body is, by its shape (reference: ManageIQ's Amazon event catcher, `event_source`), and a
//! small way into nested JSON.

use serde_json::{Map, Value};

/// A decoded body.
pub(super) type Body = Map<String, Value>;

/// The kinds of events in the order in which they are recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// AWS Config: a resource changed.
    Config,
    /// CloudTrail through EventBridge: somebody called the API.
    ApiCall,
    /// EventBridge: an instance changed its state.
    InstanceState,
    /// EventBridge: a snapshot was made or copied, or failed to.
    EbsSnapshot,
    /// A CloudWatch alarm changed its state.
    Alarm,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Config, Self::ApiCall, Self::InstanceState, Self::EbsSnapshot, Self::Alarm];

    /// The kind of `body`; `None` when it is none of ours.
    pub(super) fn recognize(body: &Body) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.fits(body))
    }

    /// The kind of a stored event: what was written beside it, else its shape.
    pub(super) fn of_full_data(full_data: &Body) -> Option<Self> {
        let source = text(full_data, &["event_source"]);
        Self::ALL
            .into_iter()
            .find(|kind| Some(kind.event_source()) == source)
            .or_else(|| Self::recognize(full_data))
    }

    /// ManageIQ's name of the kind, kept in `full_data`.
    pub(super) fn event_source(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::ApiCall => "cloud_watch_api",
            Self::InstanceState => "cloud_watch_ec2",
            Self::EbsSnapshot => "cloud_watch_ec2_ebs_snapshot",
            Self::Alarm => "cloud_watch_alarm",
        }
    }

    fn fits(self, body: &Body) -> bool {
        let is = |path: &[&str], value: &str| text(body, path) == Some(value);
        match self {
            Self::Config => is(&["messageType"], "ConfigurationItemChangeNotification"),
            Self::ApiCall => is(&["detail", "eventType"], "AwsApiCall"),
            Self::InstanceState => is(&["detail-type"], "EC2 Instance State-change Notification"),
            Self::EbsSnapshot => is(&["detail-type"], "EBS Snapshot Notification"),
            Self::Alarm => text(body, &["AlarmName"]).is_some(),
        }
    }
}

/// The value at `path`; JSON null counts as absent.
pub(super) fn at<'a>(body: &'a Body, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let mut value = body.get(*first)?;
    for key in rest {
        value = value.get(key)?;
    }
    (!value.is_null()).then_some(value)
}

/// The text at `path`, when it is one and not blank.
pub(super) fn text<'a>(body: &'a Body, path: &[&str]) -> Option<&'a str> {
    at(body, path).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
}
