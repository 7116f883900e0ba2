//! See `tests/arbitrary/trials/settings.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::settings::hold(data));
