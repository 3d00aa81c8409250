//! How a body is signed, in both header families at once.
//!
//! - `x-dregs-signature`, as the vendor's clients check it: HMAC-SHA256 of the body in hex, keyed
//!   with the text of the secret, `whsec_` included.
//! - `webhook-signature`, as Standard Webhooks 1.0.0 says: HMAC-SHA256 of `id.timestamp.body` in
//!   base64, keyed with the 32 bytes that text stands for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::time::Timestamp;

/// The names of the headers of a webhook, in lower case.
pub mod header {
    /// The hexadecimal HMAC-SHA256 of the raw body; the key is the whole newest secret as text, `whsec_` included.
    pub const DREGS_SIGNATURE: &str = "x-dregs-signature";
    /// When this attempt was sent, as RFC 3339 has it: the `timestamp` of the body.
    pub const DREGS_TIMESTAMP: &str = "x-dregs-timestamp";
    /// The event type.
    pub const DREGS_EVENT: &str = "x-dregs-event";
    /// The id of the delivery in the log; it tells deliveries apart, and counts nothing.
    pub const DREGS_DELIVERY: &str = "x-dregs-delivery";
    /// The `id` of the body.
    pub const WEBHOOK_ID: &str = "webhook-id";
    /// When this attempt was sent, in seconds since 1970.
    pub const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
    /// `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`; the key is the 32 bytes that the base64 after
    /// `whsec_` stands for. One for each secret that holds, separated by spaces.
    pub const WEBHOOK_SIGNATURE: &str = "webhook-signature";
}

/// What every signing secret starts with.
pub const SECRET_PREFIX: &str = "whsec_";
/// How many random bytes a secret stands for.
pub const SECRET_BYTES: usize = 32;
/// What a signature in `webhook-signature` starts with.
pub(super) const STANDARD_VERSION: &str = "v1,";

pub(super) type HmacSha256 = Hmac<Sha256>;

/// A channel's signing secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    bytes: [u8; SECRET_BYTES],
    text: Box<str>,
}

/// Why a text is not a signing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("it does not start with {SECRET_PREFIX}")]
    Prefix,
    #[error("it has a space or a line break in it")]
    Whitespace,
    #[error("what follows {SECRET_PREFIX} is not standard base64")]
    Base64,
    #[error("it stands for {0} bytes instead of {SECRET_BYTES}")]
    Length(usize),
}

impl Secret {
    /// The secret that 32 random bytes make.
    pub fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
        Self { bytes, text: format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)).into() }
    }

    /// Reads `whsec_` and the base64 of 32 bytes, exactly as [`Secret::as_text`] writes it.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        if text.contains(char::is_whitespace) {
            return Err(SecretError::Whitespace);
        }
        let encoded = text.strip_prefix(SECRET_PREFIX).ok_or(SecretError::Prefix)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretError::Base64)?;
        let bytes =
            <[u8; SECRET_BYTES]>::try_from(bytes).map_err(|bytes| SecretError::Length(bytes.len()))?;
        Ok(Self { bytes, text: text.into() })
    }

    /// The secret as its owner sees it, the one time it is shown.
    pub fn as_text(&self) -> &str {
        &self.text
    }

    /// The bytes to be encrypted and stored.
    pub fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.bytes
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(whsec_…)")
    }
}

/// The values of the two signature headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// For `x-dregs-signature`: 64 hex digits.
    pub dregs: String,
    /// For `webhook-signature`: `v1,<base64>` for each secret, separated by spaces.
    pub standard: String,
}

/// Signs the bytes of `body` as they will be sent at `timestamp`. `secrets` are all that are valid
/// now, the newest first; there is always at least one (without any, both values come out empty
/// and no receiver accepts them).
pub fn sign(secrets: &[Secret], message_id: &str, timestamp: Timestamp, body: &[u8]) -> Signatures {
    let seconds = timestamp.as_seconds().to_string();
    let dregs = secrets.first().map(|newest| hex::encode(code(dregs_hmac(newest.as_text(), body))));
    let mut standard = String::with_capacity(secrets.len() * 48);
    for secret in secrets {
        if !standard.is_empty() {
            standard.push(' ');
        }
        standard.push_str(STANDARD_VERSION);
        let mac = standard_hmac(&secret.bytes, message_id, &seconds, body);
        STANDARD.encode_string(code(mac), &mut standard);
    }
    Signatures { dregs: dregs.unwrap_or_default(), standard }
}

fn code(mac: HmacSha256) -> [u8; 32] {
    mac.finalize().into_bytes().into()
}

/// What `x-dregs-signature` authenticates: the body, keyed with the text of the secret.
pub(super) fn dregs_hmac(secret: &str, body: &[u8]) -> HmacSha256 {
    keyed(secret.as_bytes()).chain_update(body)
}

/// What `webhook-signature` authenticates: `id.seconds.body`.
pub(super) fn standard_hmac(key: &[u8], message_id: &str, seconds: &str, body: &[u8]) -> HmacSha256 {
    let parts = [message_id.as_bytes(), b".", seconds.as_bytes(), b".", body];
    parts.into_iter().fold(keyed(key), |mac, part| mac.chain_update(part))
}

/// HMAC-SHA256 keyed with bytes of any number. The key is padded to a block here, as RFC 2104
/// section 2 says, because the constructor that does so cannot fail but is typed as if it could.
pub(super) fn keyed(key: &[u8]) -> HmacSha256 {
    const BLOCK_BYTES: usize = 64;
    let hashed;
    let key = if key.len() > BLOCK_BYTES {
        hashed = Sha256::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    let mut block = [0; BLOCK_BYTES];
    block[..key.len()].copy_from_slice(key);
    HmacSha256::new(&block.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 32 bytes 0, 1, 2 … 31.
    fn counting() -> Secret {
        Secret::from_bytes(std::array::from_fn(|index| index as u8))
    }

    const COUNTING: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_secret_is_read_as_it_is_written() {
        assert_eq!(counting().as_text(), COUNTING);
        assert_eq!(Secret::parse(COUNTING), Ok(counting()));
        assert_eq!(format!("{:?}", counting()), "Secret(whsec_…)");
    }

    #[test]
    fn what_is_not_a_secret_is_refused_with_the_reason() {
        let cases = [
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", SecretError::Prefix),
            ("WHSEC_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", SecretError::Prefix),
            ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", SecretError::Whitespace),
            ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", SecretError::Base64),
            ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", SecretError::Base64),
            ("whsec_AAEC", SecretError::Length(3)),
            ("", SecretError::Prefix),
        ];
        for (text, error) in cases {
            assert_eq!(Secret::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn both_signatures_are_what_any_hmac_gives() {
        // With openssl: printf %s '{"a":1}' | openssl dgst -sha256 -hmac "$COUNTING", and
        // printf %s 'evt_1.1795426200.{"a":1}' | openssl dgst -sha256 -mac HMAC -macopt
        // hexkey:000102…1f -binary | base64
        let timestamp = Timestamp::from_millis(1_795_426_200_999);
        let older = Secret::from_bytes([7; SECRET_BYTES]);
        let signed = sign(&[counting(), older], "evt_1", timestamp, br#"{"a":1}"#);
        let expected = Signatures {
            dregs: "d3f1ea16147b8b8d0304fe2a9559b4b4b84d057af19b132191df3378cbd1234a".to_owned(),
            standard: "v1,fKF9FkYaw4f4qdOgw4h9mNIAOXujDZE8ydsy+hZdFIw= v1,M7llBA+JlRe2BkZ5EoSZbhSvNISdom9ZhP/MyuQZsts=".to_owned(),
        };
        assert_eq!(signed, expected);
    }

    #[test]
    fn a_long_key_is_hashed_first() {
        // RFC 4231, test case 6: a key of 131 bytes.
        let mac = keyed(&[0xaa; 131]).chain_update("Test Using Larger Than Block-Size Key - Hash Key First");
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(hex::encode(mac.finalize().into_bytes()), expected);
    }
}
