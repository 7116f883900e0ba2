//! event_catcher
