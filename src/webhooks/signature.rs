//! The signature of a post, by the Standard Webhooks scheme: HMAC-SHA256 over `id.timestamp.body`, in base64.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What marks a key that is written in base64.
const MARK: &str = "whsec_";

/// With padding or without, as both are in use for keys.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A secret that is no key. Does not show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// After `whsec_` comes base64.
    #[error("what follows `whsec_` in the webhook's `secret` is no base64; correct it, and retry")]
    NoBase64,
}

/// The value of the header `Webhook-Signature`: `v1,` and the signature.
///
/// A `secret` that begins with `whsec_` is a key in base64; any other is the key itself.
///
/// # Errors
/// See [`SecretError`].
pub fn sign(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String, SecretError> {
    let key = match secret.strip_prefix(MARK) {
        Some(encoded) => decode(encoded).ok_or(SecretError::NoBase64)?,
        None => secret.as_bytes().to_vec(),
    };
    // invariant: HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| SecretError::NoBase64)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
}

/// No key at all is none.
fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok().filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standards_own_example() {
        let signed = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn base64_is_that_of_rfc_4648_both_ways() {
        let pairs =
            [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in pairs {
            assert_eq!(BASE64.encode(plain.as_bytes()), encoded);
            assert_eq!(decode(encoded).unwrap(), plain.as_bytes());
            assert_eq!(decode(encoded.trim_end_matches('=')).unwrap(), plain.as_bytes());
        }
        assert_eq!(BASE64.encode([0xff, 0xef, 0xfe]), "/+/+");
        assert_eq!(["", "a", "a b=", "Zm9v!", "Zm9vY"].map(decode), [None, None, None, None, None]);
    }

    #[test]
    fn a_key_that_cannot_be_read_is_told_without_it() {
        let error = sign("whsec_s3cret!", "msg_1", 0, b"").unwrap_err().to_string();
        assert!(error.contains("base64") && !error.contains("s3cret"), "{error}");
        assert_ne!(sign("a", "msg_1", 0, b"x"), sign("b", "msg_1", 0, b"x"));
    }
}
