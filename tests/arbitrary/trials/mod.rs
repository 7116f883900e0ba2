//! What must hold whatever comes in, one file for each way in. Each takes any bytes: the fuzz targets bring them as a
//! fuzzer thinks them out, the suite around this folder as a person does.

pub mod automate;
pub mod cloud;
pub mod events;
pub mod http;
pub mod json_text;
pub mod rules;
pub mod settings;
pub mod simulator;
pub mod store;
pub mod wire;
