//! Who may read: the token of `http.token`, as `Authorization: Bearer TOKEN`, or as the password of Basic
//! authentication, which is what a browser can ask a person for.
//!
//! Probes need no token; what they tell without one is in `probes`.

use super::refusal::Hosts;
use crate::provider::Secret;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use subtle::ConstantTimeEq;

/// Paths that answer without a token.
pub(super) const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Padded or not: clients differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The check that a request passes.
#[derive(Clone)]
pub(super) struct Access {
    /// Only the digest is kept: all digests are of one length, whatever is presented.
    token: Option<[u8; 32]>,
    loopback: bool,
    hosts: Hosts,
}

impl Access {
    pub(super) fn new(token: Option<&Secret>, listen: SocketAddr) -> Self {
        let token = token.map(|token| digest(token.expose().as_bytes()));
        let hosts = if token.is_some() { Hosts::Any } else { Hosts::without_token(listen) };
        Self { token, loopback: listen.ip().to_canonical().is_loopback(), hosts }
    }

    /// Under which names it is served.
    pub(super) fn hosts(&self) -> Hosts {
        self.hosts
    }

    /// Whether the request may read `path`.
    pub(super) fn allows(&self, path: &str, headers: &HeaderMap) -> bool {
        self.token.is_none() || PROBES.contains(&path) || self.bears_token(headers)
    }

    /// Whether a probe may name what it found, instead of only counting it.
    pub(super) fn may_name(&self, headers: &HeaderMap) -> bool {
        self.loopback || self.bears_token(headers)
    }

    fn bears_token(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = self.token else { return false };
        presented(headers).is_some_and(|token| digest(&token).ct_eq(&expected).into())
    }
}

fn presented(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Some(credentials.trim().as_bytes().to_vec())
    } else if scheme.eq_ignore_ascii_case("basic") {
        let user_and_password = BASE64.decode(credentials.trim()).ok()?;
        let colon = user_and_password.iter().position(|byte| *byte == b':')?;
        Some(user_and_password[colon + 1..].to_vec())
    } else {
        None
    }
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        headers
    }

    fn access(listen: &str) -> Access {
        Access::new(Some(&Secret::new("s3cret")), listen.parse().unwrap())
    }

    #[test]
    fn a_token_is_taken_as_bearer_or_as_the_password_of_basic() {
        let access = access("0.0.0.0:8484");
        assert!(access.allows("/", &headers("Bearer s3cret")));
        assert!(access.allows("/", &headers("bearer  s3cret")));
        // operator:s3cret
        assert!(access.allows("/", &headers("Basic b3BlcmF0b3I6czNjcmV0")));
        for wrong in
            ["Bearer s3cre", "Bearer s3cret2", "Bearer", "Basic czNjcmV0", "Basic %%%", "Digest s3cret"]
        {
            assert!(!access.allows("/", &headers(wrong)), "{wrong}");
        }
        assert!(!access.allows("/metrics", &HeaderMap::new()));
    }

    #[test]
    fn probes_answer_without_a_token_but_name_nothing_off_loopback() {
        let outside = access("0.0.0.0:8484");
        assert!(outside.allows("/readyz", &HeaderMap::new()));
        assert!(!outside.may_name(&HeaderMap::new()));
        assert!(outside.may_name(&headers("Bearer s3cret")));
        assert!(access("127.0.0.1:8484").may_name(&HeaderMap::new()));
        assert!(access("[::1]:8484").may_name(&HeaderMap::new()));
    }

    #[test]
    fn base64_is_read_at_every_length() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Zm9vYmE=", "fooba")]
        {
            assert_eq!(BASE64.decode(text).unwrap(), bytes.as_bytes());
        }
        assert!(BASE64.decode("Zm9v!").is_err());
    }
}
