//! Key directories of agents: JSON Web Key Sets.

use std::collections::HashMap;

use dregs_core::json::unmarked;
use dregs_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::key::{PublicKey, WebKey};
use super::possession::{Answer, Proofs};

/// Keys of one directory that are read.
pub const KEYS_MAX: usize = 64;

/// A directory that says for how long it is good is asked again after that, but not sooner or later than these.
pub const LIFETIME_MIN_MS: i64 = 5 * MINUTE_MS;
pub const LIFETIME_MAX_MS: i64 = DAY_MS;
/// After so long where it does not say.
const LIFETIME_DEFAULT_MS: i64 = HOUR_MS;

/// The keys of one signer, by their thumbprints (RFC 7638).
#[derive(Debug, Default)]
pub struct Keys(HashMap<String, Key>);

#[derive(Debug)]
struct Key {
    public: PublicKey,
    /// From when until when it is good, in seconds.
    from: Option<f64>,
    until: Option<f64>,
    /// Whoever holds it says that it is this signer's.
    is_proven: bool,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Keys {
    /// Reads the answer with which a directory was fetched, and its [proofs](super::possession).
    ///
    /// # Errors
    /// A sentence, where it is no key set.
    pub fn read(answer: &Answer, now: Timestamp) -> Result<Self, String> {
        let mut keys = Self::parse(answer.body, WebKey::read)?;
        if let Some(proofs) = Proofs::of(answer) {
            for (key_id, key) in &mut keys.0 {
                key.is_proven = proofs.are_by(key_id, &key.public, now);
            }
        }
        Ok(keys)
    }

    /// Reads the keys that an operator has pinned: who pins one of the standards' examples means it, to try things out.
    ///
    /// # Errors
    /// A sentence, where it is no key set.
    pub fn pinned(body: &[u8]) -> Result<Self, String> {
        Self::parse(body, WebKey::read_any)
    }

    /// Reads a directory. Keys of kinds that are not known are passed over.
    fn parse(body: &[u8], read: fn(&WebKey) -> Option<(String, PublicKey)>) -> Result<Self, String> {
        let set: KeySet =
            serde_json::from_slice(unmarked(body)).map_err(|error| format!("it is no key set: {error}"))?;
        if set.keys.len() > KEYS_MAX {
            return Err(format!("it has more than {KEYS_MAX} keys"));
        }
        let read = |value| {
            let key: WebKey = serde_json::from_value(value).ok()?;
            let (thumbprint, public) = read(&key)?;
            Some((thumbprint, Key { public, from: key.nbf, until: key.exp, is_proven: false }))
        };
        Ok(Self(set.keys.into_iter().filter_map(read).collect()))
    }

    /// The key that is called so, if it is good at this time.
    pub fn get(&self, key_id: &str, at: Timestamp) -> Option<PublicKey> {
        let key = self.0.get(key_id)?;
        let at = at.as_millis() as f64 / 1_000.0;
        let is_good = key.from.is_none_or(|from| from <= at) && key.until.is_none_or(|until| at < until);
        is_good.then(|| key.public.clone())
    }

    /// Whether whoever holds the key that is called so has said that it is this signer's.
    pub fn is_proven(&self, key_id: &str) -> bool {
        self.0.get(key_id).is_some_and(|key| key.is_proven)
    }
}

/// For how long an answer is good, by its `Cache-Control` (RFC 9111), within bounds.
pub fn lifetime_ms(headers: &[(String, String)]) -> i64 {
    let values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cache-control"));
    let directives: Vec<_> =
        values.flat_map(|(_, value)| value.split(',')).map(|part| part.trim().to_ascii_lowercase()).collect();
    let max_age = directives.iter().find_map(|part| part.strip_prefix("max-age=")?.parse::<i64>().ok());
    let is_kept_nowhere = directives.iter().any(|part| part == "no-store" || part == "no-cache");
    let lifetime = match (is_kept_nowhere, max_age) {
        (true, _) => 0,
        (false, Some(seconds)) => seconds.saturating_mul(1_000),
        (false, None) => LIFETIME_DEFAULT_MS,
    };
    lifetime.clamp(LIFETIME_MIN_MS, LIFETIME_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"pU-TwFrCf6_RaiOZhDQNw271yku_SH2yrW2A3Qg_vz0"}"#;
    const THUMBPRINT: &str = "ZEsCoqPWYm4go5W7T89ZuQkTont17r-TIlSDM0u1WUA";

    #[test]
    fn keys_go_by_their_thumbprints_and_only_while_they_are_good() {
        let at = Timestamp::from_millis(1_000_000);
        let with = |more: &str| KEY.replace('}', &format!("{more}}}"));
        let cases = [
            ("", true),
            (r#","nbf":1000,"exp":1001"#, true),
            (r#","exp":1000"#, false),
            (r#","nbf":1001"#, false),
            (r#","kid":"another","use":"sig""#, true),
            (r#","use":"enc""#, false),
        ];
        for (more, expected) in cases {
            let rsa = r#"{"kty":"RSA","e":"AQAB","n":"AQ"}"#;
            let body = format!(r#"{{"keys":[{rsa},{{"kty":"odd"}},7,{}],"purpose":"ai"}}"#, with(more));
            let keys = Keys::pinned(body.as_bytes()).unwrap();
            let found = [THUMBPRINT, "another"].map(|key_id| keys.get(key_id, at).is_some());
            assert_eq!(found, [expected, false], "{more}");
        }
    }

    #[test]
    fn a_standards_example_counts_where_it_is_pinned() {
        let drafts: Value = serde_json::from_str(crate::ops::agent_keys::key::tests::DRAFTS).unwrap();
        let keys: Vec<_> = drafts["keys"].as_object().unwrap().values().cloned().collect();
        let body = serde_json::json!({ "keys": keys }).to_string();
        assert_eq!(Keys::pinned(body.as_bytes()).unwrap().0.len(), keys.len());
        assert!(Keys::parse(body.as_bytes(), WebKey::read).unwrap().0.is_empty());
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        let many = format!(r#"{{"keys":[{}]}}"#, vec![KEY; KEYS_MAX + 1].join(","));
        for body in ["", "<html>", "[]", r#"{"keys":7}"#, many.as_str()] {
            assert!(Keys::pinned(body.as_bytes()).is_err(), "{body:.40}");
        }
    }

    #[test]
    fn a_lifetime_has_bounds() {
        let of = |value: &str| lifetime_ms(&[("Cache-Control".to_owned(), value.to_owned())]);
        assert_eq!(lifetime_ms(&[]), LIFETIME_DEFAULT_MS);
        assert_eq!(of("public, max-age=7200"), 7_200_000);
        assert_eq!(of("max-age=1"), LIFETIME_MIN_MS);
        assert_eq!(of("no-store"), LIFETIME_MIN_MS);
        assert_eq!(of("max-age=99999999999999"), LIFETIME_MAX_MS);
    }
}
