use std::collections::HashMap;

use serde_json::Value;

use super::*;
use crate::ops::agent_keys::key::tests::{DRAFTS, read_any};

/// Bytes of a signature.
const SIGNATURE: &str =
    "sig1=:+NA/cssf4Y2bQTMTkyvTGRCaVzp9quyUevdwwMtMOWhhOOZ2T1subBj0BtvdnrpDEuwSAbiTeElXDzHL3WWKCw==:";

/// The keys of the drafts, which are those of RFC 9421, by their thumbprints.
fn keys() -> HashMap<String, PublicKey> {
    let drafts: Value = serde_json::from_str(DRAFTS).unwrap();
    drafts["keys"].as_object().unwrap().values().filter_map(read_any).collect()
}

/// The first signature of a request that was aimed at this authority.
fn read(request: &Request, authority: &str) -> Option<Signature> {
    let mut request = request.clone();
    if request.url.as_ref().is_some_and(|url| url.starts_with("https:")) {
        request.url = None;
    }
    request.headers.insert("host", authority.to_owned());
    signatures(&request).into_iter().next()?.into_iter().next()
}

fn request(url: &str, headers: &[(&'static str, &str)]) -> Request {
    Request {
        method: Some("POST".to_owned()),
        url: Some(url.to_owned()),
        headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
    }
}

#[test]
fn the_vectors_of_the_drafts_verify_and_fail_where_a_part_is_changed() {
    let drafts: Value = serde_json::from_str(DRAFTS).unwrap();
    let keys = keys();
    let vectors = drafts["requests"].as_array().unwrap();
    for vector in vectors {
        let part = |name: &str| vector[name].as_str();
        let input = part("signatureInput").unwrap();
        let mut headers = vec![("signature-input", input), ("signature", part("signature").unwrap())];
        headers.extend(part("signatureAgent").map(|agent| ("signature-agent", agent)));
        let mut request = request("https://Example.com:443/path/to/resource", &headers);
        let authorities = authorities(&request);
        assert_eq!(authorities, ["example.com"]);
        let found = read(&request, "example.com").unwrap();
        let signer = part("signatureAgent").map(|_| "https://signature-agent.test".to_owned());
        assert_eq!(found.signer, signer, "{input}");
        assert_eq!(claimed_signer(&request), signer);
        // By the key whose thumbprint it names, and by no other.
        for (key_id, key) in &keys {
            let is_its = *key_id == found.key_id;
            assert_eq!((found.is_for(key), found.is_by(key)), (is_its, is_its), "{input} {key_id}");
        }
        let key = &keys[&found.key_id];
        assert!(!read(&request, "example.org").unwrap().is_by(key), "{input}");
        let later = input.replace("created=1735689600", "created=1735689601");
        request.headers.insert("signature-input", later);
        assert!(!read(&request, "example.com").unwrap().is_by(key), "{input}");
    }
    let of = |algorithm: &str| vectors.iter().filter(|vector| vector.to_string().contains(algorithm)).count();
    assert_eq!((of("rsa-pss-sha512"), of("ed25519")), (4, 4));
}

/// RFC 9421, appendix B.2.2 and B.2.6: the signature, who made it, and the URL for which it is wrong.
const OF_STANDARD: [(&str, &str, &str, &str); 2] = [
    (
        r#"sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example""#,
        "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:",
        "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA",
        "/foo?Pet=cat",
    ),
    (
        r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
        "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",
        "/bar?param=Value&Pet=dog",
    ),
];

#[test]
fn the_vectors_of_the_standard_for_these_algorithms_verify() {
    let headers = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
        ("content-length", "18"),
    ];
    for (input, signature, key_id, other) in OF_STANDARD {
        let verifies = |url: &str| {
            let inputs = dictionary(input).unwrap();
            let (label, ListEntry::InnerList(input)) = inputs.first().unwrap() else { panic!("no input") };
            let base = Message::new(&request(url, &headers), "example.com").base(input).unwrap();
            let bytes = dictionary(signature).unwrap();
            keys()[key_id].has_signed(base.as_bytes(), super::bytes(&bytes, label.as_str()).unwrap())
        };
        assert!(verifies("https://example.com/foo?param=Value&Pet=dog"), "{input}");
        assert!(verifies("/foo?param=Value&Pet=dog"), "{input}");
        assert!(!verifies(&format!("https://example.com{other}")), "{input}");
    }
}

/// The examples of RFC 9421, section 2.2.8, and more.
#[test]
fn a_parameter_of_the_query_is_encoded_in_one_way() {
    let of = |query: &str, name: &str| {
        let inputs = dictionary(&format!(r#"a=("@query-param";name="{name}")"#)).unwrap();
        let ListEntry::InnerList(input) = &inputs["a"] else { panic!("no input") };
        let request = request(&format!("https://www.example.com/parameters?{query}"), &[]);
        Message::new(&request, "www.example.com").component(&input.items[0])
    };
    let query =
        "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something";
    let cases = [
        (query, "var", Some("this%20is%20a%20big%0Amultiline%20value")),
        (query, "bar", Some("with%20plus%20whitespace")),
        (query, "fa%C3%A7ade%22%3A%20", Some("something")),
        (query, "none", None),
        ("a=1&b=2&a=3", "a", None),
        ("a=1&b=2&a=3", "b", Some("2")),
        ("a=&b", "a", Some("")),
        ("a=&b", "b", Some("")),
        ("a=*-._~", "a", Some("*-._%7E")),
        ("a=%E9", "a", None),
        ("a=1", "%E9", None),
    ];
    for (query, name, expected) in cases {
        assert_eq!(of(query, name).as_deref(), expected, "{name} of {query}");
    }
}

#[test]
fn what_is_not_at_hand_or_of_another_kind_is_no_signature() {
    let of = |input: &str| {
        let headers = [("signature-input", input), ("signature", SIGNATURE)];
        let mut request = request("/path", &headers);
        request.method = None;
        read(&request, "example.com").is_some()
    };
    let end = r#";created=1;expires=2;keyid="k";tag="web-bot-auth""#;
    assert!(of(&format!(r#"sig1=("@authority"){end}"#)));
    for covered in [
        r#""@authority" "@method""#,
        r#""@authority" "@scheme""#,
        r#""@authority" "cookie""#,
        r#""@authority" "@status""#,
        r#""@authority" "@query-param""#,
        r#""@authority" "@query-param";name="a";req"#,
        r#""@path""#,
        r#""@authority" "@authority""#,
        r#""@authority";req"#,
    ] {
        assert!(!of(&format!("sig1=({covered}){end}")), "{covered}");
    }
    for other in [
        r#"sig1=("@authority");created=1;expires=2;keyid="k";alg="hmac-sha256";tag="web-bot-auth""#,
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
        let request = request("/", &[("signature-input", &input), ("signature", SIGNATURE)]);
        read(&request, "example.com").unwrap().holds_at(Timestamp::from_millis(at * 1_000))
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

/// The vectors of the drafts' list of `Signature-Agent`, and more.
#[test]
fn a_member_names_the_origin_whose_directory_has_the_keys() {
    let drafts: Value = serde_json::from_str(DRAFTS).unwrap();
    let vectors = drafts["signatureAgents"].as_array().unwrap();
    assert_eq!(vectors.len(), 3);
    let claimed = |header: &str| claimed_signer(&request("/", &[("signature-agent", header)]));
    for vector in vectors {
        let expected = (vector["type"] == "directory").then(|| vector["uri"].as_str().unwrap());
        assert_eq!(claimed(vector["header"].as_str().unwrap()).as_deref(), expected, "{vector}");
    }
    let own = Some("https://a.example");
    let cases = [
        (r#"sig1="https://a.example/""#, own),
        (r#"sig1="https://a.example";type=directory"#, own),
        (r#""https://a.example""#, own),
        (r#""https://a.example/.well-known/http-message-signatures-directory""#, own),
        (r#"sig1="https://a.example/keys""#, None),
        (r#"sig1="https://a.example?x""#, None),
        (r#"sig1="https://you@a.example""#, None),
        (r#"sig1="https://a.example";type="directory""#, None),
        (r#"sig1="https://a.example";type=other"#, None),
        (r#"sig1="data:application/json,x""#, None),
        ("sig1=7", None),
        ("sig1=(\"https://a.example\")", None),
    ];
    for (header, expected) in cases {
        assert_eq!(claimed(header).as_deref(), expected, "{header}");
    }
}

#[test]
fn a_signature_is_of_the_member_that_it_covers() {
    let agents =
        r#"one="https://one.example", two="https://two.example", keys="https://one.example";type=cimd"#;
    let of = |label: &str, covered: &str| {
        let input =
            format!(r#"{label}=("@authority" {covered});created=1;expires=2;keyid="k";tag="web-bot-auth""#);
        let bytes = SIGNATURE.replace("sig1=", &format!("{label}="));
        let headers =
            [("signature-input", input.as_str()), ("signature", bytes.as_str()), ("signature-agent", agents)];
        read(&request("/", &headers), "example.com").map(|found| found.signer.unwrap())
    };
    let (one, two) = (r#""signature-agent";key="one""#, r#""signature-agent";key="two""#);
    let both = format!("{one} {two}");
    assert_eq!(of("one", one).as_deref(), Some("https://one.example"));
    assert_eq!(of("other", two).as_deref(), Some("https://two.example"), "the only one");
    assert_eq!(of("two", &both).as_deref(), Some("https://two.example"));
    assert_eq!(of("other", &both), None, "it may be of either");
    assert_eq!(of("one", ""), None, "it covers none");
    assert_eq!(of("one", r#""signature-agent""#), None, "it is no string");
    assert_eq!(of("keys", r#""signature-agent";key="keys""#), None);
    assert_eq!(of("none", r#""signature-agent";key="none""#), None);
}
