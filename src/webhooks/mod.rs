//! Webhooks and CloudEvents over HTTP: rows of `miq_queue` that are posted, retried with back-off, and kept when they cannot be
//! delivered.
