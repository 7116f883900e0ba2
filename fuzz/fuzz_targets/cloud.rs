//! See `tests/arbitrary/trials/cloud.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::cloud::hold(data));
