//! See `tests/arbitrary/trials/automate.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::automate::hold(data));
