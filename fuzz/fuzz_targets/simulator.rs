//! See `tests/arbitrary/trials/simulator.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| catchall_fuzz::trials::simulator::hold(data));
