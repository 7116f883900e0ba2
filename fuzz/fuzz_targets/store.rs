//! See `tests/arbitrary/trials/store.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::store::hold(data));
