//! Proof Key for Code Exchange (RFC 7636), with S256 alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The method that there is.
pub const METHOD: &str = "S256";
const CHALLENGE_CHARS: usize = 43;
const VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;

/// Whether this is a SHA-256 digest in base64url.
pub fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE_CHARS && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// Whether this is what the challenge was made of. Only who asked for the code knows it.
pub fn proves(verifier: &str, challenge: &str) -> bool {
    VERIFIER_CHARS.contains(&verifier.len())
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_example_of_rfc_7636_and_nothing_else() {
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_challenge(challenge) && proves(verifier, challenge));
        assert!(!proves(challenge, challenge), "the method plain");
        assert!(
            !proves(&verifier[..42], &URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier[..42]))),
            "too short"
        );
        for wrong in
            ["", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"]
        {
            assert!(!is_challenge(wrong), "{wrong}");
        }
    }
}
