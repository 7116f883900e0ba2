//! The contract that a provider author meets: five small traits and the values they exchange.
//!
//! It knows neither actix nor diesel, and no other module of the house. A provider is one folder below
//! `src/providers/` and one line in [`crate::providers::PROVIDERS`]; `docs/provider-guide.md` tells how to write one.

pub mod budget;
pub mod ems;
pub mod event;
pub mod event_uid;
pub mod flood_key;
pub mod http;
pub mod inventory;
pub mod json_text;
pub mod seen;
pub mod stream;
pub mod target;
pub mod tls;

pub use budget::{ByteBudget, BytePermit};
pub use ems::{Authentication, CatcherSettings, Ems, EmsId, Endpoint, InitialHistory, ProviderError, Secret};
pub use event::{EmsEvent, Filtered, FullData, NativeEvent, ParseError, Parsed, ParsedEvent};
pub use flood_key::{FloodKey, flood_key};
pub use inventory::{
    Attribute, CollectionScope, Collector, Inventory, InventoryCollection, RefreshError, RefreshScope, Row,
};
pub use stream::{Ack, Cursor, EventBatch, Gap, Stream, StreamError};
pub use target::{Target, TargetCollection, TargetRequest};

use std::borrow::Cow;

/// One kind of cloud manager (EMS): what it is called, and where its five parts are.
pub trait Provider: Send + Sync + 'static {
    /// The name users write as `type:` in the settings, such as `awesome_cloud`.
    fn ems_type(&self) -> &'static str;

    /// ManageIQ's Ruby class of the manager, `ext_management_systems.type`, such as
    /// `ManageIQ::Providers::AwesomeCloud::CloudManager`. Accepted as `type:` too.
    fn class_name(&self) -> &'static str;

    /// `event_streams.source` of its events, which is also the name of its switchboard class: `AWESOME_CLOUD`.
    fn event_source(&self) -> &'static str;

    /// Its default settings as YAML, in the shape of ManageIQ's `config/settings.yml`: blacklist, event groups, poll.
    fn default_settings(&self) -> &'static str;

    /// Its part of the built-in automate domain: (path below the domain, text) of each file.
    fn automate(&self) -> Vec<(String, Cow<'static, [u8]>)>;

    /// Keys of an endpoint that only this provider knows (they arrive in [`Endpoint::options`]).
    fn endpoint_options(&self) -> &'static [&'static str] {
        &[]
    }

    /// Native event → [`EmsEvent`].
    fn event_parser(&self) -> &dyn EventParser;

    /// Stored [`EmsEvent`] → what to refresh.
    fn event_target_parser(&self) -> &dyn EventTargetParser;

    /// Talks to the provider's events API. Reads settings, opens no connection yet.
    fn stream(&self, ems: &Ems) -> Result<Box<dyn Stream>, ProviderError>;

    /// Asks the provider for inventory; `None` while the provider has no collector: its refresh calls make no work.
    fn collector(&self, ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError>;

    /// Whether [`Provider::collector`] gives one. Asked for every event, so it is a constant.
    fn has_collector(&self) -> bool;

    /// The role of the endpoint that inventory comes from, where an EMS may be without: it has events only then, and its
    /// refresh calls make no work. `None`: every EMS has inventory.
    fn inventory_endpoint(&self) -> Option<&'static str> {
        None
    }
}

/// Native event → events of the VMDB. Pure: no I/O, no clock, the same answer for the same text.
pub trait EventParser: Send + Sync {
    /// One native message is usually one event; it may hold several, or none of ours ([`Parsed::Filtered`]).
    ///
    /// # Errors
    /// Concerns this native event alone: it is kept as a dead letter and the stream goes on.
    fn parse(&self, native: &NativeEvent) -> Result<Parsed, ParseError>;

    /// What makes an event the repeat of another one, for flood control; Ruby: `event_dedup_key`. All but reference, time,
    /// chain and payload, unless a provider knows better: such as a message that holds a counter.
    fn flood_key<'e>(&self, event: &'e EmsEvent) -> FloodKey<'e> {
        flood_key::flood_key(event)
    }
}

/// Stored event → targets of a refresh. Pure; Ruby: `EventTargetParser#parse`.
pub trait EventTargetParser: Send + Sync {
    /// An empty list means: this event changes nothing that we inventory.
    ///
    /// # Errors
    /// Concerns this event alone, as in [`EventParser::parse`].
    fn parse(&self, ems_event: &EmsEvent) -> Result<Vec<Target>, ParseError>;
}

/// The files of a [`rust_embed::Embed`] folder in the form that [`Provider::automate`] returns.
pub fn embedded_files<F: rust_embed::Embed>() -> Vec<(String, Cow<'static, [u8]>)> {
    F::iter().filter_map(|path| F::get(&path).map(|file| (path.into_owned(), file.data))).collect()
}
