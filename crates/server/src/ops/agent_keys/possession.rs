//! Whether the holder of a key has signed the answer with which a directory was fetched.
//!
//! The drafts recommend that it is ("Possession Proof on the Directory Response"), and say what it is good for: that a key
//! stands in a directory is the word of the directory, which may have copied it. That a signature by the key covers the
//! directory's authority is the word of the key's holder.
//!
//! What is decided here:
//!
//! - A request that **names its signer**, under its signature, needs no proof. TLS says whose directory it is, and the
//!   signature says by whose directory it is to be judged, so that whoever mirrors a key gains nothing by it: the draft lets
//!   a verifier use a key "whether or not it has valid proof". Not all operators sign their directories, and to refuse
//!   theirs would leave their agents to be taken for the people who sent them.
//! - A request that **names nobody** is attributed to a signer only by such a proof, or by keys that the customer has pinned:
//!   here nothing else speaks against a mirror. Where two directories have proofs for one key, it is nobody's.
//! - A proof that fails is none, and accuses nobody: a cache may have served it for too long, or rewritten the answer.
//!
//! Older versions of the draft do not have the digest of the body covered. It is not asked for, since each key has a
//! signature of its own: what the body says beside it does not matter. Where it is covered it must be right.

use dregs_core::time::Timestamp;
use sfv::{BareItem, Dictionary, InnerList, Item, ListEntry};
use sha2::{Digest as _, Sha256, Sha512};

use super::DIRECTORY_PATH;
use super::key::{Algorithm, PublicKey};
use super::signature_base::{
    bytes, dictionary, is_between, is_covered, seconds, signature_base, tagged, text,
};

const TAG: &str = "http-message-signatures-directory";
/// The authority of the request: the answer has none of its own.
const AUTHORITY: &str = "\"@authority\";req";

/// An answer with which a directory was fetched.
pub struct Answer<'a> {
    /// Of the request, as [`super::authority_of`] has it.
    pub authority: &'a str,
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

/// The signatures of an answer.
pub struct Proofs<'a> {
    answer: &'a Answer<'a>,
    inputs: Dictionary,
    signatures: Dictionary,
}

impl<'a> Proofs<'a> {
    /// `None` where the answer has none.
    pub fn of(answer: &'a Answer<'a>) -> Option<Self> {
        let inputs = dictionary(&answer.field("signature-input")?)?;
        let signatures = dictionary(&answer.field("signature")?)?;
        Some(Self { answer, inputs, signatures })
    }

    /// Whether there is one by this key that counts now. One is tried for each key.
    pub fn are_by(&self, key_id: &str, key: &PublicKey, now: Timestamp) -> bool {
        let counts = |input: &InnerList| {
            let (created, expires) = (seconds(input, "created"), seconds(input, "expires"));
            let holds = created.zip(expires).is_some_and(|(from, until)| is_between(from, now, until));
            holds && text(input, "keyid") == Some(key_id) && is_covered(input, AUTHORITY)
        };
        let own = tagged(&self.inputs, TAG).find(|(_, input)| counts(input));
        own.is_some_and(|(label, input)| self.is_right(label, input, key).unwrap_or_default())
    }

    fn is_right(&self, label: &str, input: &InnerList, key: &PublicKey) -> Option<bool> {
        let algorithm = match text(input, "alg") {
            Some(name) => Some(Algorithm::called(name)?),
            None => None,
        };
        let base = signature_base(input, |item| self.answer.component(item))?;
        let bytes = bytes(&self.signatures, label)?;
        Some(key.takes(algorithm) && key.has_signed(base.as_bytes(), bytes))
    }
}

impl Answer<'_> {
    /// A field that may have come in several lines.
    fn field(&self, name: &str) -> Option<String> {
        let lines = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        let lines: Vec<_> = lines.map(|(_, value)| value.trim()).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// The value of a component; `None` where it is not at hand, or is not what it says.
    fn component(&self, item: &Item) -> Option<String> {
        let name = item.bare_item.as_string()?.as_str();
        let is_of_request = item.params.get("req") == Some(&BareItem::Boolean(true));
        match (name, item.params.len(), is_of_request) {
            ("@authority", 1, true) => Some(self.authority.to_owned()),
            ("@method", 1, true) => Some("GET".to_owned()),
            ("@path", 1, true) => Some(DIRECTORY_PATH.to_owned()),
            ("@status", 0, _) => Some("200".to_owned()),
            ("content-digest", 0, _) => self.field(name).filter(|digests| self.is_digest(digests)),
            (name, 0, _) if !name.starts_with('@') => self.field(name),
            _ => None,
        }
    }

    /// Whether these are digests of the body (RFC 9530): one that is known at least, and none that is wrong.
    fn is_digest(&self, digests: &str) -> bool {
        let is_right = |(algorithm, value): (&str, &ListEntry)| {
            let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(stated), .. }) = value else {
                return Some(false);
            };
            match algorithm {
                "sha-256" => Some(stated == Sha256::digest(self.body).as_slice()),
                "sha-512" => Some(stated == Sha512::digest(self.body).as_slice()),
                _ => None,
            }
        };
        let Some(digests) = dictionary(digests) else { return false };
        let known: Vec<_> =
            digests.iter().filter_map(|(algorithm, value)| is_right((algorithm.as_str(), value))).collect();
        !known.is_empty() && known.iter().all(|is_right| *is_right)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::ops::agent_keys::key::tests::{DRAFTS, read_any};

    const AT: Timestamp = Timestamp::from_millis(1_735_700_000_000);

    struct Vector {
        authority: String,
        headers: Vec<(String, String)>,
        body: String,
        key_id: String,
        key: PublicKey,
    }

    impl Vector {
        /// The draft's own.
        fn of_draft() -> Self {
            let drafts: Value = serde_json::from_str(DRAFTS).unwrap();
            let text = |name: &str| drafts["directory"][name].as_str().unwrap().to_owned();
            let set: Value = serde_json::from_str(&text("body")).unwrap();
            let (key_id, key) = read_any(&set["keys"][0]).unwrap();
            let headers = [
                ("Content-Digest", text("contentDigest")),
                ("Signature-Input", text("signatureInput")),
                ("Signature", text("signature")),
            ];
            let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
            Self { authority: text("authority"), headers, body: text("body"), key_id, key }
        }

        fn is_proven_at(&self, now: Timestamp) -> bool {
            let Self { authority, headers, body, key_id, key } = self;
            let answer = Answer { authority, headers, body: body.as_bytes() };
            Proofs::of(&answer).is_some_and(|proofs| proofs.are_by(key_id, key, now))
        }

        fn is_proven(&self) -> bool {
            self.is_proven_at(AT)
        }
    }

    #[test]
    fn the_vector_of_the_draft_is_a_proof_and_is_none_where_a_part_is_changed() {
        let changed = |change: fn(&mut Vector)| {
            let mut vector = Vector::of_draft();
            change(&mut vector);
            vector.is_proven()
        };
        assert!(changed(|_| {}));
        // A mirror has another name; whoever changes what is in it has another digest.
        assert!(!changed(|vector| vector.authority = "mirror.test".into()));
        assert!(!changed(|vector| vector.body.push(' ')));
        assert!(!changed(|vector| vector.headers[0].1 = "sha-256=:AAAA:".into()));
        assert!(!changed(|vector| vector.headers[0].1 = "sha-1=:AAAA:".into()));
        assert!(!changed(|vector| _ = vector.headers.remove(0)));
        assert!(!changed(|vector| _ = vector.headers.remove(1)));
        assert!(!changed(|vector| _ = vector.headers.remove(2)));
        assert!(!changed(|vector| vector.key_id = "another".into()));
        for (from, to) in [
            ("created=1735689600", "created=1735689601"),
            ("expires=4889289600", "odd=4889289600"),
            ("tag=\"http-message-signatures-directory\"", "tag=\"web-bot-auth\""),
            ("\"@authority\";req", "\"@authority\""),
            ("\"@authority\";req ", ""),
            ("\"content-digest\"", "\"content-digest\" \"@scheme\";req"),
            (";tag=", ";alg=\"rsa-pss-sha512\";tag="),
        ] {
            let mut vector = Vector::of_draft();
            let input = &mut vector.headers[1].1;
            assert!(input.contains(from), "{from}");
            *input = input.replace(from, to);
            assert!(!vector.is_proven(), "{to}");
        }
    }

    #[test]
    fn a_proof_counts_from_when_it_was_made_until_it_expires() {
        let vector = Vector::of_draft();
        let at = |seconds: i64| vector.is_proven_at(Timestamp::from_millis(seconds * 1_000));
        // With a minute for clocks.
        assert_eq!([1_735_689_539, 1_735_689_540].map(at), [false, true]);
        assert_eq!([4_889_289_659, 4_889_289_660].map(at), [true, false]);
    }
}
