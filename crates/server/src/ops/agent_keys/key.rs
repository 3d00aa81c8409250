//! The public key of an agent: what it is called, and what it has signed.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, RSA_PSS_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Keys of RSA that are read. Shorter ones are weak, and each signature by a longer one takes its time.
pub const RSA_MIN_BITS: usize = 2_048;
pub const RSA_MAX_BITS: usize = 4_096;
/// The largest exponent with which the library verifies: 33 bits.
const RSA_EXPONENT_MAX: u64 = (1 << 33) - 1;

/// Keys whose private parts everybody has (RFC 9421, appendix B.1: `test-key-rsa`, `test-key-rsa-pss`,
/// `test-key-ed25519`; RFC 8037, appendix A): whoever signs by them proves nothing. A directory has them by mistake, and
/// the draft wants them rejected ("Test and Demonstration Keys").
const TEST_KEYS: [&str; 4] = [
    "BHj8s0GPnMEQtkaULIM-PLgEhLBbuGUQ1vMxmBWZzEo",
    "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA",
    "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",
    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
];

/// How a signature is made (IANA's registry for RFC 9421). The drafts have vectors for these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Ed25519,
    /// With a salt of 64 bytes, as long as the digest (RFC 9421, section 3.3.1).
    RsaPssSha512,
}

impl Algorithm {
    /// By the name that a signature has for it.
    pub fn called(name: &str) -> Option<Self> {
        match name {
            "ed25519" => Some(Self::Ed25519),
            "rsa-pss-sha512" => Some(Self::RsaPssSha512),
            _ => None,
        }
    }
}

/// What verifies a signature. That takes 31 µs for Ed25519, and for RSA 18 µs with 2,048 bits and 63 µs with 4,096, or
/// 193 µs with the largest exponent that is read (ring 0.17, optimised, on a core of 2026). A signature names its key,
/// so that one is tried, however many a directory has: for two authorities, and four signatures of a request, at most.
#[derive(Clone, Debug)]
pub struct PublicKey {
    material: Material,
    /// What the key is for. One of RSA need not say it, and then the signature has to.
    algorithm: Option<Algorithm>,
}

#[derive(Clone, Debug)]
enum Material {
    Ed25519([u8; 32]),
    Rsa(Arc<RsaPublicKeyComponents<Vec<u8>>>),
}

impl PublicKey {
    /// Whether it can tell of a signature that says that it was made so: by what it is for itself (RFC 9421, section 3.2).
    pub fn takes(&self, algorithm: Option<Algorithm>) -> bool {
        match (self.algorithm, algorithm) {
            (Some(own), Some(stated)) => own == stated,
            (Some(_), None) => true,
            (None, stated) => stated == Some(Algorithm::RsaPssSha512),
        }
    }

    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.material {
            Material::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Material::Rsa(key) => key.verify(&RSA_PSS_2048_8192_SHA512, message, signature),
        };
        verified.is_ok()
    }
}

/// A key as a directory has it (RFC 7517, RFC 8037); drafts on directories say when it is good.
#[derive(Deserialize)]
pub struct WebKey {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    n: Option<String>,
    e: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    pub nbf: Option<f64>,
    pub exp: Option<f64>,
}

impl WebKey {
    /// The key and its thumbprint (RFC 7638). `None` where it is of a kind that is not known, is not for signatures, or
    /// is one of the examples of standards.
    pub fn read(&self) -> Option<(String, PublicKey)> {
        let (thumbprint, key) = self.read_any()?;
        (!TEST_KEYS.contains(&thumbprint.as_str())).then_some((thumbprint, key))
    }

    /// The same, be it one of the examples.
    pub fn read_any(&self) -> Option<(String, PublicKey)> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => self.ed25519(),
            ("RSA", _) => self.rsa(),
            _ => None,
        }
    }

    fn ed25519(&self) -> Option<(String, PublicKey)> {
        let x = self.x.as_deref()?;
        let key = URL_SAFE_NO_PAD.decode(x).ok()?.try_into().ok()?;
        let public = PublicKey { material: Material::Ed25519(key), algorithm: Some(Algorithm::Ed25519) };
        Some((thumbprint(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)), public))
    }

    fn rsa(&self) -> Option<(String, PublicKey)> {
        // The name of the algorithm among web keys, and the one that the drafts want.
        let algorithm = match self.alg.as_deref() {
            None => None,
            Some("PS512" | "rsa-pss-sha512") => Some(Algorithm::RsaPssSha512),
            Some(_) => return None,
        };
        let (n, e) = (self.n.as_deref()?, self.e.as_deref()?);
        let components =
            RsaPublicKeyComponents { n: URL_SAFE_NO_PAD.decode(n).ok()?, e: URL_SAFE_NO_PAD.decode(e).ok()? };
        is_usable(&components).then(|| {
            let public = PublicKey { material: Material::Rsa(Arc::new(components)), algorithm };
            (thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)), public)
        })
    }
}

/// Whether the library verifies by this key: with one by which it never does, whatever is right would be taken for false.
fn is_usable(key: &RsaPublicKeyComponents<Vec<u8>>) -> bool {
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let leads = |number: &[u8]| number.first().copied().unwrap_or_default();
    let bits = (key.n.len() * 8).saturating_sub(leads(&key.n).leading_zeros() as usize);
    let exponent = key.e.iter().try_fold(0_u64, |sum, byte| Some(sum.checked_mul(256)? + u64::from(*byte)));
    leads(&key.n) != 0
        && leads(&key.e) != 0
        && (RSA_MIN_BITS..=RSA_MAX_BITS).contains(&bits)
        && exponent.is_some_and(|exponent| (3..=RSA_EXPONENT_MAX).contains(&exponent))
        && is_odd(&key.n)
        && is_odd(&key.e)
}

fn thumbprint(canonical: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

#[cfg(test)]
pub mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Keys and signatures of OpenSSL 3.0, by bits: of a GET of `/buy` at `shop.example`, at the time that the tests of
    /// this folder have, by ChatGPT's word.
    pub const RSA: &str = include_str!("cases/rsa.json");
    /// The vectors of the drafts: where they are from is in the file.
    pub const DRAFTS: &str = include_str!("cases/drafts.json");

    /// Reads a key, be it one of the examples.
    pub fn read_any(key: &Value) -> Option<(String, PublicKey)> {
        serde_json::from_value::<WebKey>(key.clone()).ok()?.read_any()
    }

    fn own(bits: u64) -> (String, Value) {
        let all: Vec<Value> = serde_json::from_str(RSA).unwrap();
        let found = all.into_iter().find(|case| case["bits"] == bits).unwrap();
        (found["keyId"].as_str().unwrap().to_owned(), found["key"].clone())
    }

    #[test]
    fn keys_of_rsa_have_from_2048_to_4096_bits() {
        for (bits, expected) in
            [(2_040, false), (2_048, true), (3_072, true), (4_096, true), (4_104, false), (8_192, false)]
        {
            let (key_id, key) = own(bits);
            let found = read_any(&key).map(|(thumbprint, _)| thumbprint);
            assert_eq!(found, expected.then_some(key_id), "{bits} bits");
        }
    }

    #[test]
    fn a_key_says_what_it_is_for_or_its_signatures_do() {
        let (_, key) = own(2_048);
        let (rsa, ed25519) = (Some(Algorithm::RsaPssSha512), Some(Algorithm::Ed25519));
        // Whether it takes signatures of RSA, of Ed25519, and those that do not say.
        let cases = [
            (json!({}), Some([true, false, false])),
            (json!({"alg": "PS512"}), Some([true, false, true])),
            (json!({"alg": "rsa-pss-sha512", "use": "sig"}), Some([true, false, true])),
            (json!({"alg": "PS256"}), None),
            (json!({"alg": "RS512"}), None),
            (json!({"alg": "rsa-v1_5-sha256"}), None),
            (json!({"use": "enc"}), None),
        ];
        for (more, expected) in cases {
            let mut key = key.clone();
            key.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
            let found = read_any(&key).map(|(_, key)| [rsa, ed25519, None].map(|stated| key.takes(stated)));
            assert_eq!(found, expected, "{more}");
        }
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"});
        let key = read_any(&key).unwrap().1;
        assert_eq!([rsa, ed25519, None].map(|stated| key.takes(stated)), [false, true, true]);
    }

    #[test]
    fn a_key_by_which_nothing_could_verify_is_none() {
        let (_, right) = own(2_048);
        let n = URL_SAFE_NO_PAD.decode(right["n"].as_str().unwrap()).unwrap();
        let even = [&n[..255], &[n[255] & 0xfe]].concat();
        let padded = [&[0], n.as_slice()].concat();
        let text = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
        let wrong = [
            ("n", text(&even)),
            ("n", text(&padded)),
            ("n", json!("?")),
            ("n", json!("")),
            ("n", Value::Null),
            ("e", text(&[1])),
            ("e", text(&[1, 0, 0])),
            ("e", text(&[0, 1, 0, 1])),
            ("e", text(&[2, 0, 0, 0, 1])),
            ("e", text(&[1, 0, 0, 0, 0, 0, 0, 0, 1])),
            ("e", json!("")),
            ("e", Value::Null),
        ];
        assert!(read_any(&right).is_some());
        for (part, value) in wrong {
            let mut key = right.clone();
            key[part] = value.clone();
            assert!(read_any(&key).is_none(), "{part}: {value}");
        }
        let mut large = right;
        large["e"] = text(&[1, 0xff, 0xff, 0xff, 0xff]);
        assert!(read_any(&large).is_some());
        for key in [
            json!({"kty": "EC", "crv": "P-256"}),
            json!({"kty": "OKP", "crv": "X25519", "x": "AA"}),
            json!({}),
        ] {
            assert!(read_any(&key).is_none(), "{key}");
        }
    }

    #[test]
    fn keys_that_everybody_has_are_none() {
        let drafts: Value = serde_json::from_str(DRAFTS).unwrap();
        let rfc8037 =
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let examples: Vec<_> = drafts["keys"].as_object().unwrap().values().chain([&rfc8037]).collect();
        assert_eq!(examples.len(), 3);
        for key in examples {
            let read: WebKey = serde_json::from_value(key.clone()).unwrap();
            assert!(read.read_any().is_some() && read.read().is_none(), "{key}");
        }
    }
}
