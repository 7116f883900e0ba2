//! See `tests/arbitrary/trials/rules.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::rules::hold(data));
