//! Supervisor
