use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dregs_core::time::MINUTE_MS;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256, Sha512};

use dregs_core::agent::AgentSignature;
use dregs_core::event::Request;

use super::*;

const AT: Timestamp = Timestamp::from_millis(1_795_426_200_000);
const OPENAI: &str = "https://chatgpt.com";

struct Agent(Ed25519KeyPair);

impl Agent {
    fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key())
    }

    fn key_id(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    fn key(&self) -> String {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, self.x())
    }

    fn keys(&self) -> String {
        format!(r#"{{"keys":[{}]}}"#, self.key())
    }

    /// A request to `authority`, of which the backend says that it was one to `told`.
    fn request(&self, authority: &str, told: &str) -> Request {
        let covered = [
            ("\"@authority\"", authority.to_owned()),
            ("\"@path\"", "/buy".to_owned()),
            ("\"signature-agent\"", format!("\"{OPENAI}\"")),
        ];
        let (input, signature) = self.sign("sig", &covered);
        let headers = [
            ("signature-input", input),
            ("signature", signature),
            ("signature-agent", format!("\"{OPENAI}\"")),
        ];
        Request { method: None, url: Some(format!("https://{told}/buy")), headers: headers.into() }
    }

    /// What is in `Signature-Input` and in `Signature`.
    fn sign(&self, label: &str, covered: &[(&str, String)]) -> (String, String) {
        self.sign_for("web-bot-auth", label, covered)
    }

    fn sign_for(&self, tag: &str, label: &str, covered: &[(&str, String)]) -> (String, String) {
        let created = AT.as_millis() / 1_000;
        let names: Vec<_> = covered.iter().map(|(name, _)| *name).collect();
        let params = format!(
            r#"({});created={created};expires={};keyid="{}";tag="{tag}""#,
            names.join(" "),
            created + 60,
            self.key_id()
        );
        let lines: String = covered.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let base = format!("{lines}\"@signature-params\": {params}");
        let signature = STANDARD.encode(self.0.sign(base.as_bytes()));
        (format!("{label}={params}"), format!("{label}=:{signature}:"))
    }
}

fn knowing(agent: &Agent) -> AgentKeys {
    let keys = AgentKeys::new("known", None).unwrap();
    keys.learn(OPENAI, Some((Keys::pinned(agent.keys().as_bytes()).unwrap(), 5 * MINUTE_MS)), AT);
    keys
}

fn judge(
    keys: &AgentKeys,
    team_id: i64,
    request: &Request,
    at: Timestamp,
    now: Timestamp,
) -> Option<AgentSignature> {
    keys.judge(Signed { team_id, request, identity: Some("ada"), at, now })
}

fn verified(keys: &AgentKeys, request: &Request) -> Option<bool> {
    judge(keys, 1, request, AT, AT).unwrap().verified
}

#[test]
fn a_false_signature_is_false_only_where_a_right_one_has_been() {
    let (agent, other) = (Agent::new(1), Agent::new(2));
    let keys = knowing(&agent);
    let right = agent.request("shop.example", "shop.example");
    let mut forged = other.request("shop.example", "shop.example");
    let input = forged.headers["signature-input"].replace(&other.key_id(), &agent.key_id());
    forged.headers.insert("signature-input", input);
    assert_eq!(verified(&keys, &forged), None, "nothing has been right here yet");
    assert_eq!(verified(&keys, &right), Some(true));
    assert_eq!(verified(&keys, &forged), Some(false));
    assert_eq!(
        judge(&keys, 2, &forged, AT, AT).unwrap().verified,
        None,
        "another team's backend may tell it otherwise"
    );
    forged.headers.insert("signature", "sig=:AAAA:".to_owned());
    assert_eq!(verified(&keys, &forged), Some(false));
}

/// A request of the same that OpenSSL has signed by a key of RSA.
fn of_rsa(bits: u64) -> (AgentKeys, Request) {
    let all: Vec<Value> = serde_json::from_str(key::tests::RSA).unwrap();
    let case = all.into_iter().find(|case| case["bits"] == bits).unwrap();
    let text = |name: &str| case[name].as_str().unwrap().to_owned();
    let headers = [
        ("signature-input", text("signatureInput")),
        ("signature", text("signature")),
        ("signature-agent", format!("sig1=\"{OPENAI}\"")),
    ];
    let keys = AgentKeys::new("known", None).unwrap();
    let set = serde_json::json!({"keys": [case["key"]]}).to_string();
    keys.learn(OPENAI, Some((Keys::pinned(set.as_bytes()).unwrap(), 5 * MINUTE_MS)), AT);
    let url = Some("https://shop.example/buy".to_owned());
    (keys, Request { method: None, url, headers: headers.into() })
}

#[test]
fn keys_of_rsa_verify_and_what_they_cannot_tell_is_not_told() {
    for (bits, expected) in [(2_048, Some(true)), (3_072, Some(true)), (4_096, Some(true)), (8_192, None)] {
        let (keys, request) = of_rsa(bits);
        assert_eq!(verified(&keys, &request), expected, "{bits} bits");
    }
    let (keys, right) = of_rsa(2_048);
    let said = |from: &str, to: &str| {
        let mut request = right.clone();
        let input = request.headers["signature-input"].replace(from, to);
        request.headers.insert("signature-input", input);
        verified(&keys, &request)
    };
    assert_eq!(said("created=1795426200", "created=1795426201"), None, "nothing has been right here yet");
    assert_eq!(verified(&keys, &right), Some(true));
    assert_eq!(said("created=1795426200", "created=1795426201"), Some(false));
    for other in ["alg=\"ed25519\"", "alg=\"rsa-v1_5-sha256\"", "odd=\"\""] {
        assert_eq!(said("alg=\"rsa-pss-sha512\"", other), None, "{other}");
    }
}

#[test]
fn a_key_that_has_not_verified_yet_accuses_nobody() {
    let (old, new) = (Agent::new(1), Agent::new(2));
    let keys = AgentKeys::new("known", None).unwrap();
    let both = format!(r#"{{"keys":[{},{}]}}"#, old.key(), new.key());
    keys.learn(OPENAI, Some((Keys::pinned(both.as_bytes()).unwrap(), 5 * MINUTE_MS)), AT);
    let forged = |agent: &Agent| {
        let mut request = agent.request("shop.example", "shop.example");
        request.headers.insert("signature", "sig=:AAAA:".to_owned());
        request
    };
    assert_eq!(verified(&keys, &old.request("shop.example", "shop.example")), Some(true));
    assert_eq!(verified(&keys, &forged(&old)), Some(false));
    assert_eq!(verified(&keys, &forged(&new)), None, "it may sign in another way");
}

#[test]
fn a_signature_that_comes_under_many_identities_tells_nothing_of_the_later_ones() {
    let agent = Agent::new(1);
    let keys = knowing(&agent);
    let request = agent.request("shop.example", "shop.example");
    let of = |team_id: i64, identity: Option<&str>, request: &Request| {
        keys.judge(Signed { team_id, request, identity, at: AT, now: AT }).unwrap().verified
    };
    let right = Some(true);
    // Several events of one request, of who was anonymous, has signed up, and was invited.
    for identity in [None, Some("visitor-7"), Some("ada"), Some("bob"), Some("ada"), None] {
        assert_eq!(of(1, identity, &request), right, "{identity:?}");
    }
    assert_eq!([of(1, Some("mallory"), &request), of(1, Some("trudy"), &request)], [None; 2]);
    assert_eq!((of(1, Some("ada"), &request), of(2, Some("mallory"), &request)), (right, right));
    // Of another request all is told, a forgery of this one too: a copy takes nothing from others.
    assert_eq!(of(1, Some("mallory"), &agent.request("api.shop.example", "api.shop.example")), right);
    let forged = Request { url: Some("https://shop.example/other".to_owned()), ..request };
    assert_eq!(of(1, Some("ada"), &forged), Some(false));
}

#[test]
fn innocents_are_not_accused() {
    let agent = Agent::new(1);
    let keys = knowing(&agent);
    assert_eq!(verified(&keys, &agent.request("shop.example", "shop.example")), Some(true));
    // A proxy that changes the authority.
    assert_eq!(verified(&keys, &agent.request("shop.example", "app.internal:3000")), None);
    // One whose backend knows the host that was asked for all the same.
    let mut behind = agent.request("shop.example", "app.internal:3000");
    behind.headers.insert("host", "shop.example".to_owned());
    assert_eq!(verified(&keys, &behind), Some(true));
    // A key that is new.
    assert_eq!(verified(&keys, &Agent::new(3).request("shop.example", "shop.example")), None);
    // A clock that is wrong, a request that was sent long ago.
    let forged =
        |request: &Request| Request { url: Some("https://shop.example/other".to_owned()), ..request.clone() };
    let late = forged(&agent.request("shop.example", "shop.example"));
    assert_eq!(judge(&keys, 1, &late, AT, AT).unwrap().verified, Some(false));
    for minutes in [-2, 3] {
        let at = AT.plus_millis(minutes * MINUTE_MS);
        assert_eq!(judge(&keys, 1, &late, at, at).unwrap().verified, None, "{minutes} min");
    }
    // A method or a path that the backend does not tell.
    let untold = Request { url: None, ..agent.request("shop.example", "shop.example") };
    assert_eq!(verified(&keys, &untold), None);
}

#[test]
fn who_is_not_among_the_signers_is_nobody() {
    let agent = Agent::new(1);
    let request = agent.request("shop.example", "shop.example");
    let keys = AgentKeys::new("https://agents.example.com", None).unwrap();
    assert_eq!(
        keys.next_due(AT).as_deref(),
        Some("https://agents.example.com"),
        "who is named is asked at once"
    );
    assert_eq!(judge(&keys, 1, &request, AT, AT), None);
    let unsigned = Request { headers: BTreeMap::new(), ..request };
    assert_eq!(judge(&knowing(&agent), 1, &unsigned, AT, AT), None);
}

/// The directory of a signer with these keys, and proofs by some of them.
fn directory(authority: &str, keys: &[&Agent], signing: &[&Agent]) -> Keys {
    let of_each: Vec<_> = keys.iter().map(|agent| agent.key()).collect();
    let body = format!(r#"{{"keys":[{}]}}"#, of_each.join(","));
    let lines: Vec<_> = signing
        .iter()
        .enumerate()
        .map(|(n, agent)| {
            let covered = [("\"@authority\";req", authority.to_owned())];
            agent.sign_for("http-message-signatures-directory", &format!("binding{n}"), &covered)
        })
        .collect();
    // Fields may come in several lines.
    let inputs = lines.iter().map(|(input, _)| ("signature-input".to_owned(), input.clone()));
    let signatures = lines.iter().map(|(_, signature)| ("Signature".to_owned(), signature.clone()));
    let headers: Vec<_> = inputs.chain(signatures).collect();
    Keys::read(&Answer { authority, headers: &headers, body: body.as_bytes() }, AT).unwrap()
}

#[test]
fn who_signs_without_a_name_is_known_by_a_key_whose_holder_says_whose_it_is() {
    const OTHER: &str = "https://agents.example";
    let (agent, older) = (Agent::new(1), Agent::new(2));
    let mut request = agent.request("shop.example", "shop.example");
    request.headers.remove("signature-agent");
    let (input, signature) = agent.sign("a", &[("\"@authority\"", "shop.example".to_owned())]);
    request.headers.insert("signature-input", input);
    request.headers.insert("signature", signature);
    let told = |openai: Option<Keys>, other: Option<Keys>| {
        let keys = AgentKeys::new("known, https://agents.example", None).unwrap();
        for (signer, of) in [(OPENAI, openai), (OTHER, other)] {
            keys.learn(signer, of.map(|keys| (keys, 5 * MINUTE_MS)), AT);
        }
        judge(&keys, 1, &request, AT, AT).map(|found| (found.signer, found.verified))
    };
    let said = |signer: &str| Some((signer.to_owned(), Some(true)));
    let proven = |authority: &str| Some(directory(authority, &[&older, &agent], &[&older, &agent]));
    let unproven = || Some(directory("chatgpt.com", &[&older, &agent], &[&older]));
    assert_eq!(told(proven("chatgpt.com"), None), said(OPENAI));
    assert_eq!(told(unproven(), None), None, "it may be copied");
    assert_eq!(told(Some(directory("agents.example", &[&older], &[&older])), None), None, "another key");
    // A mirror, which may come first by its name, has the keys and not the proofs.
    let mirror = || Some(directory("agents.example", &[&older, &agent], &[]));
    assert_eq!(told(proven("chatgpt.com"), mirror()), said(OPENAI));
    assert_eq!(told(None, mirror()), None);
    assert_eq!(told(proven("chatgpt.com"), proven("agents.example")), None, "it may be of either");
    // What the customer has pinned is the customer's word.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, r#"{{"{OTHER}":{}}}"#, agent.keys()).unwrap();
    let keys = AgentKeys::new("known", Some(file.path())).unwrap();
    let expected = AgentSignature { signer: OTHER.to_owned(), verified: Some(true) };
    assert_eq!(judge(&keys, 1, &request, AT, AT), Some(expected));
}

#[test]
fn a_proof_is_for_the_directory_of_one_authority() {
    let agent = Agent::new(1);
    let own = ("\"@authority\";req", "chatgpt.com".to_owned());
    let proof = "http-message-signatures-directory";
    let cases = [
        (proof, vec![own.clone()], true),
        (proof, vec![("\"@status\"", "200".to_owned()), own.clone()], true),
        (proof, vec![("\"@path\";req", DIRECTORY_PATH.to_owned()), own.clone()], true),
        (proof, vec![("\"@method\";req", "GET".to_owned()), own.clone()], true),
        (proof, vec![("\"x-more\"", "of, both".to_owned()), own.clone()], true),
        // Right for any authority, for another, for another purpose, and of what is not there.
        (proof, vec![("\"@status\"", "200".to_owned())], false),
        (proof, vec![("\"@authority\";req", "mirror.example".to_owned())], false),
        ("web-bot-auth", vec![own.clone()], false),
        (proof, vec![own.clone(), ("\"@status\";req", "200".to_owned())], false),
        (proof, vec![own.clone(), ("\"x-none\"", String::new())], false),
        (proof, vec![own.clone(), own], false),
    ];
    for (tag, covered, expected) in cases {
        let (input, signature) = agent.sign_for(tag, "own", &covered);
        let headers = [("signature-input", input), ("signature", signature), ("x-more", "of".to_owned())];
        let more = ("X-More".to_owned(), " both ".to_owned());
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.to_owned(), value)).into_iter().chain([more]).collect();
        let body = agent.keys();
        let answer = Answer { authority: "chatgpt.com", headers: &headers, body: body.as_bytes() };
        let keys = Keys::read(&answer, AT).unwrap();
        assert_eq!(keys.is_proven(&agent.key_id()), expected, "{tag} {covered:?}");
    }
}

#[test]
fn a_digest_that_a_proof_covers_is_one_of_the_keys() {
    let agent = Agent::new(1);
    let body = agent.keys();
    let sha256 = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&body)));
    let sha512 = format!("sha-512=:{}:", STANDARD.encode(Sha512::digest(&body)));
    let cases = [
        (sha256.clone(), true),
        (sha512.clone(), true),
        (format!("{sha256}, {sha512}, other=:AAAA:"), true),
        (format!("{sha256}, sha-512=:AAAA:"), false),
        ("sha-256=:AAAA:".to_owned(), false),
        ("sha-256=7".to_owned(), false),
        ("other=:AAAA:".to_owned(), false),
        (String::new(), false),
    ];
    for (digest, expected) in cases {
        let covered =
            [("\"@authority\";req", "chatgpt.com".to_owned()), ("\"content-digest\"", digest.clone())];
        let (input, signature) = agent.sign_for("http-message-signatures-directory", "own", &covered);
        let headers =
            [("signature-input", input), ("signature", signature), ("content-digest", digest.clone())];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        let answer = Answer { authority: "chatgpt.com", headers: &headers, body: body.as_bytes() };
        let keys = Keys::read(&answer, AT).unwrap();
        assert_eq!(keys.is_proven(&agent.key_id()), expected, "{digest}");
    }
}

/// An agent whose requests go through a browser far away, which signs what it passes on.
#[test]
fn of_several_signatures_each_counts_by_itself() {
    const BROWSER: &str = "https://browser.example";
    let (agent, browser) = (Agent::new(1), Agent::new(2));
    let keys = AgentKeys::new("known, https://browser.example", None).unwrap();
    let learn = |signer: &str, of: &Agent| {
        keys.learn(signer, Some((Keys::pinned(of.keys().as_bytes()).unwrap(), 5 * MINUTE_MS)), AT);
    };
    learn(OPENAI, &agent);
    learn(BROWSER, &browser);
    let place = [("\"@authority\"", "shop.example".to_owned()), ("\"@path\"", "/buy".to_owned())];
    let own = ("\"signature-agent\";key=\"agent\"", format!("\"{OPENAI}\""));
    let (input, signature) = agent.sign("agent", &[place.as_slice(), std::slice::from_ref(&own)].concat());
    let passed_on = [
        own,
        ("\"signature-agent\";key=\"browser\"", format!("\"{BROWSER}\"")),
        ("\"signature-input\";key=\"agent\"", input.trim_start_matches("agent=").to_owned()),
        ("\"signature\";key=\"agent\"", signature.trim_start_matches("agent=").to_owned()),
    ];
    let (outer_input, outer) = browser.sign("browser", &[place.as_slice(), &passed_on].concat());
    let request = |path: &str, inputs: &[&String], signatures: &[&String]| {
        let joined = |all: &[&String]| all.iter().map(|text| text.as_str()).collect::<Vec<_>>().join(", ");
        let headers = [
            ("signature-input", joined(inputs)),
            ("signature", joined(signatures)),
            ("signature-agent", format!("agent=\"{OPENAI}\", browser=\"{BROWSER}\"")),
        ];
        Request { method: None, url: Some(format!("https://shop.example{path}")), headers: headers.into() }
    };
    let told =
        |request: &Request| judge(&keys, 1, request, AT, AT).map(|found| (found.signer, found.verified));
    let said = |signer: &str, verified| Some((signer.to_owned(), verified));
    let both = request("/buy", &[&input, &outer_input], &[&signature, &outer]);
    assert_eq!(told(&both), said(OPENAI, Some(true)), "the first that is right");
    let alone = request("/buy", &[&outer_input], &[&signature, &outer]);
    assert_eq!(told(&alone), said(OPENAI, None), "what it covers is not there");
    // The agent's fails, and the browser's, which covers it, is right.
    let spoilt = input.replace("\"@path\" ", "");
    let passed_on = passed_on.map(|(name, value)| (name, value.replace("\"@path\" ", "")));
    let (outer_input, outer) = browser.sign("browser", &[place.as_slice(), &passed_on].concat());
    let outer_only = request("/buy", &[&spoilt, &outer_input], &[&signature, &outer]);
    assert_eq!(told(&outer_only), said(BROWSER, Some(true)));
    // Neither is right any more where the path is another. Both have been before, and still none is false: the browser may
    // have changed what the agent has signed.
    let moved = request("/other", &[&input, &outer_input], &[&signature, &outer]);
    assert_eq!(told(&moved), said(OPENAI, None));
    assert_eq!(told(&request("/buy", &[&input], &[&signature])), said(OPENAI, Some(true)));
    assert_eq!(told(&request("/other", &[&input], &[&signature])), said(OPENAI, Some(false)), "alone it is");
}

#[test]
fn directories_are_fetched_when_they_are_wanted_and_kept_fresh() {
    let agent = Agent::new(1);
    let request = agent.request("shop.example", "shop.example");
    let keys = AgentKeys::new("known", None).unwrap();
    assert_eq!(keys.next_due(AT), None, "nobody has asked");
    assert_eq!(verified(&keys, &request), None);
    assert_eq!(keys.next_due(AT).as_deref(), Some(OPENAI));
    // What cannot be fetched is tried again, ever later, and told of once.
    assert!(keys.learn(OPENAI, None, AT));
    assert_eq!(keys.next_due(AT.plus_millis(RETRY_MIN_MS - 1)), None);
    assert_eq!(verified(&keys, &request), None);
    assert_eq!(keys.next_due(AT), None, "asking does not shorten the pause");
    let again = AT.plus_millis(RETRY_MIN_MS);
    assert!(keys.next_due(again).is_some());
    assert!(!keys.learn(OPENAI, None, again));
    assert_eq!(keys.next_due(again.plus_millis(2 * RETRY_MIN_MS - 1)), None);
    // What is there is asked again after its time, and sooner for a key that it lacks, but not at once.
    let read = || Keys::pinned(agent.keys().as_bytes()).unwrap();
    keys.learn(OPENAI, Some((read(), HOUR_MS)), again);
    assert_eq!(keys.next_due(again.plus_millis(HOUR_MS - 1)), None);
    assert!(keys.next_due(again.plus_millis(HOUR_MS)).is_some());
    judge(&keys, 1, &Agent::new(2).request("shop.example", "shop.example"), AT, again);
    assert_eq!(keys.next_due(again.plus_millis(LIFETIME_MIN_MS - 1)), None);
    assert!(keys.next_due(again.plus_millis(LIFETIME_MIN_MS)).is_some());
    // Keys that cannot be fetched again count for two days.
    let after = |millis: i64| judge(&keys, 1, &request, AT, again.plus_millis(millis)).unwrap().verified;
    assert_eq!((after(KEPT_MAX_MS), after(KEPT_MAX_MS + 1)), (Some(true), None));
    // Nobody asks for what nobody has used for a week.
    assert_eq!(keys.next_due(again.plus_millis(KEPT_MAX_MS + 1 + WANTED_MAX_MS + 1)), None);
}

#[test]
fn pinned_keys_count_and_are_never_fetched() {
    let agent = Agent::new(1);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, r#"{{"{OPENAI}/":{}}}"#, agent.keys()).unwrap();
    let keys = AgentKeys::new("", Some(file.path())).unwrap();
    assert_eq!(verified(&keys, &agent.request("shop.example", "shop.example")), Some(true));
    assert_eq!(verified(&keys, &Agent::new(2).request("shop.example", "shop.example")), None);
    assert_eq!(keys.next_due(AT.plus_millis(DAY_MS)), None);
    for (text, expected) in
        [("{", "EOF"), (r#"{"x":{"keys":[]}}"#, "x is no origin"), (r#"{"https://a.example":7}"#, "key set")]
    {
        std::fs::write(file.path(), text).unwrap();
        let error = AgentKeys::new("known", Some(file.path())).err().unwrap();
        assert!(error.starts_with("agent_keys_file ") && error.contains(expected), "{error}");
    }
}

#[test]
fn signers_are_origins() {
    let known: Vec<_> = agent::signers().map(str::to_owned).collect();
    assert_eq!(parse_signers("known"), Ok(known.clone()));
    assert_eq!(parse_signers(""), Ok(vec![]));
    let both = [known, vec!["http://127.0.0.1:9000".to_owned()]].concat();
    assert_eq!(parse_signers("known, http://127.0.0.1:9000/"), Ok(both));
    for wrong in ["chatgpt.com", "https://a.example/path", "ftp://a.example", "data:,x"] {
        assert!(parse_signers(wrong).is_err(), "{wrong}");
    }
    let many = (0..=SIGNERS_MAX).map(|n| format!("https://a{n}.example")).collect::<Vec<_>>().join(",");
    assert!(parse_signers(&many).is_err());
}
