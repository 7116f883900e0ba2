//! event_catcher

pub mod prepare;
mod storable;
