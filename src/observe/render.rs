//! Prometheus text of the figures.
