use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::ops::agent_keys::directory::Keys;

const KEY: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}]}"#;
const THUMBPRINT: &str = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";

fn key() -> PublicKey {
    Keys::parse(KEY.as_bytes()).unwrap().get(THUMBPRINT, Timestamp::default()).unwrap()
}

fn request(url: &str, headers: &[(&'static str, &str)]) -> Request {
    Request {
        method: Some("POST".to_owned()),
        url: Some(url.to_owned()),
        headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
    }
}

/// Of `draft-meunier-web-bot-auth-architecture`, appendix "Test Vectors": versions 03 and 05, those of Ed25519.
const VECTORS: [(&str, &str, Option<&str>); 4] = [
    (
        r#"sig1=("@authority");created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=1735693200;nonce="mYotfW3CUjI68sbGw6oKd7kyXqPjZEtU8xFPGWFrqOAf5qC6MDe3pys3SWWCudB0MvwslHy32WXUpkR7u0lt/w==";tag="web-bot-auth""#,
        "sig1=:+NA/cssf4Y2bQTMTkyvTGRCaVzp9quyUevdwwMtMOWhhOOZ2T1subBj0BtvdnrpDEuwSAbiTeElXDzHL3WWKCw==:",
        None,
    ),
    (
        r#"sig2=("@authority" "signature-agent");created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=1735693200;nonce="e8N7S2MFd/qrd6T2R3tdfAuuANngKI7LFtKYI/vowzk4lAZYadIX6wW25MwG7DCT9RUKAJ0qVkU0mEeLElW1qg==";tag="web-bot-auth""#,
        "sig2=:jdq0SqOwHdyHr9+r5jw3iYZH6aNGKijYp/EstF4RQTQdi5N5YYKrD+mCT1HA1nZDsi6nJKuHxUi/5Syp3rLWBA==:",
        Some(r#""https://signature-agent.test""#),
    ),
    (
        r#"sig1=("@authority");created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=4889289600;nonce="zIW8+cdmA3vdYagbxojpONwa/l0EKJ/O3/wD486VvsQjO/RxPaSt6ZxvQaMcQzNnqKN/mQ6hpGiFro2L2qkz5A==";tag="web-bot-auth""#,
        "sig1=:QKN4fTdIYfh82fvoZCQiQA1weuozfCS/Led2zTMbewMMqH8PI2Wsy/5c4ao6B6D09nraNQdBNOADg8aM1MqfCg==:",
        None,
    ),
    (
        r#"sig2=("@authority" "signature-agent";key="agent2");created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=4889289600;nonce="n9p433xm+NJ3ph3upfBIGmsuwHw387YV7Q/F+6BSpGCVjYCqQw6rznNA8PVVLySrAWsv0hQtFioQb6E1YsauiA==";tag="web-bot-auth""#,
        "sig2=:RdNFx5Bj6au3YgAMQL/RzmUlZE8QZLIaXGRpw985hWnwPfMxT228NMk6ehRS1PSl4e8PhbNZACSanGdhEwYCCg==:",
        Some(r#"agent2="https://signature-agent.test""#),
    ),
];

#[test]
fn the_vectors_of_the_drafts_verify_and_fail_where_a_part_is_changed() {
    let key = key();
    for (input, signature, agent) in VECTORS {
        let mut headers = vec![("signature-input", input), ("signature", signature)];
        headers.extend(agent.map(|agent| ("signature-agent", agent)));
        let request = request("https://Example.com:443/path/to/resource", &headers);
        let authorities = authorities(&request);
        assert_eq!(authorities, ["example.com"]);
        let read = |authority: &str| Signature::read(&request, authority).unwrap();
        let found = read("example.com");
        let signer = agent.map(|_| "https://signature-agent.test".to_owned());
        assert_eq!((&found.signer, found.key_id.as_str()), (&signer, THUMBPRINT));
        assert_eq!(claimed_signer(&request), signer);
        assert!(found.is_by(&key), "{input}");
        assert!(!read("example.org").is_by(&key), "{input}");
    }
}

/// RFC 9421, appendix B.2.6.
#[test]
fn the_vector_of_the_standard_for_this_algorithm_verifies() {
    let headers = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-length", "18"),
        (
            "signature-input",
            r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
        ),
        (
            "signature",
            "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
        ),
    ];
    let verifies = |url: &str| {
        let request = request(url, &headers);
        let (label, signature) = request.headers["signature"].split_once('=').unwrap();
        let inputs = dictionary(&request.headers["signature-input"]).unwrap();
        let ListEntry::InnerList(input) = &inputs[label] else { panic!("no input") };
        let base = Message::new(&request, "example.com").base(input).unwrap();
        let signature = STANDARD.decode(signature.trim_matches(':')).unwrap();
        UnparsedPublicKey::new(&ED25519, key()).verify(base.as_bytes(), &signature).is_ok()
    };
    assert!(verifies("https://example.com/foo?param=Value&Pet=dog"));
    assert!(verifies("/foo?param=Value&Pet=dog"));
    assert!(!verifies("https://example.com/bar"));
}

#[test]
fn what_is_not_at_hand_or_of_another_kind_is_no_signature() {
    let of = |input: &str| {
        let headers = [("signature-input", input), ("signature", VECTORS[0].1)];
        let mut request = request("/path", &headers);
        request.method = None;
        Signature::read(&request, "example.com").is_some()
    };
    let end = r#";created=1;expires=2;keyid="k";tag="web-bot-auth""#;
    assert!(of(&format!(r#"sig1=("@authority"){end}"#)));
    for covered in [
        r#""@authority" "@method""#,
        r#""@authority" "@scheme""#,
        r#""@authority" "cookie""#,
        r#""@authority" "@status""#,
        r#""@path""#,
        r#""@authority" "@authority""#,
        r#""@authority";req"#,
    ] {
        assert!(!of(&format!("sig1=({covered}){end}")), "{covered}");
    }
    for other in [
        r#"sig1=("@authority");created=1;expires=2;keyid="k";alg="rsa-pss-sha512";tag="web-bot-auth""#,
        r#"sig1=("@authority");created=1;keyid="k";tag="web-bot-auth""#,
        r#"sig2=("@authority");created=1;expires=2;keyid="k";tag="web-bot-auth""#,
        r#"sig1=("@authority");created=1;expires=2;keyid="k";tag="other""#,
        "sig1=7",
        "",
        "\u{7f}",
    ] {
        assert!(!of(other), "{other}");
    }
}

#[test]
fn a_signature_holds_between_its_times_with_room_for_clocks() {
    let holds = |created: i64, expires: i64, at: i64| {
        let input = format!(
            r#"sig1=("@authority");created={created};expires={expires};keyid="k";tag="web-bot-auth""#
        );
        let request = request("/", &[("signature-input", &input), ("signature", VECTORS[0].1)]);
        Signature::read(&request, "example.com").unwrap().holds_at(Timestamp::from_millis(at * 1_000))
    };
    assert_eq!(
        [939, 940, 1_000, 1_300, 1_359, 1_360].map(|at| holds(1_000, 1_300, at)),
        [false, true, true, true, true, false]
    );
    assert!(holds(1_000, 1_000 + 86_400, 1_000));
    assert!(!holds(1_000, 1_000 + 86_401, 1_000));
    assert!(!holds(1_000, 999, 1_000));
}

#[test]
fn the_parts_of_a_url_are_those_that_were_sent() {
    let parts = |url: &'static str| {
        let place = Place::of(url);
        (place.authority(), place.path, place.query)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(parts("https://a.example/x%2Fy?b=%20#c"), (some("a.example"), "/x%2Fy", Some("b=%20")));
    assert_eq!(parts("http://A.example:80"), (some("a.example"), "/", None));
    assert_eq!(parts("https://a.example:80?q"), (some("a.example:80"), "/", Some("q")));
    assert_eq!(parts("/x/?"), (None, "/x/", Some("")));
}
