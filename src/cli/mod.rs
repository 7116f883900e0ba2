//! cli

pub mod parse;
