//! See `tests/arbitrary/trials/json_text.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::json_text::hold(data));
