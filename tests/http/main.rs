//! The HTTP server as an operator meets it: a real server on a free port, asked by a real client.

mod probes;
mod site;
