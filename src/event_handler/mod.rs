//! event_handler
