//! See `tests/arbitrary/trials/events.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::events::hold(data));
