//! See `tests/arbitrary/trials/http.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::http::hold(data));
