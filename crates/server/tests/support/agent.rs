//! An AI agent that signs its requests (Web Bot Auth), by the standard's own words and without our code.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub struct SigningAgent {
    key: Ed25519KeyPair,
    /// The origin that has its keys.
    pub signer: String,
}

/// A request that it makes, and when.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    pub authority: &'a str,
    pub path: &'a str,
    pub created: i64,
    pub expires: i64,
}

impl SigningAgent {
    pub fn new(seed: u8, signer: &str) -> Self {
        Self { key: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(), signer: signer.to_owned() }
    }

    fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.public_key())
    }

    /// RFC 7638 of RFC 8037.
    pub fn key_id(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.public_key());
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// What its directory answers.
    pub fn directory(&self) -> Value {
        let (key_id, x) = (self.key_id(), self.public_key());
        json!({"keys": [{"kid": key_id, "kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig"}]})
    }

    /// The same over HTTP.
    pub fn answer(&self) -> String {
        self.answer_with("")
    }

    fn answer_with(&self, headers: &str) -> String {
        let body = self.directory().to_string();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/http-message-signatures-directory+json\r\n\
             cache-control: max-age=86400\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// The same, signed by the key for whoever asked for it at this authority.
    pub fn signed_answer(&self, authority: &str, created: i64) -> String {
        let digest = STANDARD.encode(Sha256::digest(self.directory().to_string()));
        let digest = format!("sha-256=:{digest}:");
        let params = format!(
            r#"("@authority";req "content-digest");created={created};expires={};keyid="{}";tag="http-message-signatures-directory""#,
            created + 300,
            self.key_id()
        );
        let base = format!(
            "\"@authority\";req: {authority}\n\"content-digest\": {digest}\n\"@signature-params\": {params}"
        );
        let signature = STANDARD.encode(self.key.sign(base.as_bytes()));
        self.answer_with(&format!(
            "Content-Digest: {digest}\r\nSignature-Input: own={params}\r\nSignature: own=:{signature}:\r\n"
        ))
    }

    /// The headers of a request that names nobody, signed with the key.
    pub fn nameless_headers(&self, visit: Visit) -> Value {
        let Visit { authority, created, expires, .. } = visit;
        let key_id = self.key_id();
        let params = format!(
            r#"("@authority");created={created};keyid="{key_id}";expires={expires};tag="web-bot-auth""#
        );
        let base = format!("\"@authority\": {authority}\n\"@signature-params\": {params}");
        let signature = STANDARD.encode(self.key.sign(base.as_bytes()));
        json!({"Signature": format!("own=:{signature}:"), "Signature-Input": format!("own={params}")})
    }

    /// The headers of a POST, signed with the key, which is called `key_id`.
    pub fn headers(&self, visit: Visit, key_id: &str) -> Value {
        let Visit { authority, path, created, expires } = visit;
        let signer = &self.signer;
        let params = format!(
            r#"("@authority" "@method" "@path" "signature-agent");created={created};keyid="{key_id}";expires={expires};nonce="bm9uY2U=";tag="web-bot-auth";alg="ed25519""#
        );
        let base = [
            format!("\"@authority\": {authority}"),
            "\"@method\": POST".to_owned(),
            format!("\"@path\": {path}"),
            format!("\"signature-agent\": \"{signer}\""),
            format!("\"@signature-params\": {params}"),
        ]
        .join("\n");
        let signature = STANDARD.encode(self.key.sign(base.as_bytes()));
        json!({
            "Signature": format!("sig1=:{signature}:"),
            "Signature-Input": format!("sig1={params}"),
            "Signature-Agent": format!("\"{signer}\""),
        })
    }
}
