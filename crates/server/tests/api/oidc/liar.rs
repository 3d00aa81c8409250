//! A provider that says what no right one would, on a real socket.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post as on_post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dregs_core::time::{MINUTE_MS, SECOND_MS, Timestamp};
use dregs_server::clock::{Clock, ManualClock};
use dregs_server::limit::Limit;
use dregs_server::ops::access::oidc::EXCHANGES_MAX;
use reqwest::Method;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use url::Url;

use super::{BEGIN, CLIENT_ID, LOGIN, PUBLIC_URL, person, post, set};
use crate::api::refusal;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, Ground, TestServer, answer, eventually};

const AT: i64 = 1_800_000_000_000;
const UNVERIFIED: &str = "401 oidc_refused What the sign-in provider said could not be verified. Begin again; if it stays so, the server's log says why.";
const STALE: &str =
    "401 oidc_refused This sign-in took too long, or was begun in another browser. Begin again.";
const UNAVAILABLE: &str = "503 unavailable The sign-in provider cannot be asked right now. Try again; if it stays so, the server's log says why.";

/// By what a token is signed.
#[derive(Clone, Copy, Debug, Default)]
enum Signed {
    #[default]
    ItsKey,
    /// By a key that it does not tell of, under the name of the one that it tells of.
    AnotherKey,
    Nothing,
    /// With its public key for a secret, as though that was one.
    PublicKey,
    /// With the secret that the client has as well.
    ClientSecret,
}

/// What it says when it is asked.
#[derive(Default)]
struct Says {
    claims: Value,
    signed: Signed,
    user_info: Value,
    /// In place of an answer with a token.
    instead: Option<Value>,
    /// How many codes it was sent.
    exchanged: usize,
    /// Of the last of these requests.
    asked: String,
    authorization: String,
    /// What is added to the name of its key.
    generation: u32,
    fetched: u32,
}

struct Liar {
    issuer: String,
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
    says: Mutex<Says>,
    /// Taken by each exchange before it is answered.
    may_answer: Semaphore,
    task: Mutex<Option<AbortHandle>>,
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap()
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Liar {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let liar = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: key(),
            other: key(),
            says: Mutex::default(),
            may_answer: Semaphore::new(Semaphore::MAX_PERMITS),
            task: Mutex::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", on_post(token))
            .route("/me", get(user_info))
            .with_state(Arc::clone(&liar));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        *liar.task.lock().unwrap() = Some(task.abort_handle());
        liar
    }

    fn key_id(&self) -> String {
        format!("key {}", self.says.lock().unwrap().generation)
    }

    fn public_key(&self) -> Value {
        let point = self.key.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.key_id(),
            "x": encoded(&point[1..33]), "y": encoded(&point[33..])})
    }

    fn token(&self) -> String {
        let kid = self.key_id();
        let says = self.says.lock().unwrap();
        let name = match says.signed {
            Signed::ItsKey | Signed::AnotherKey => "ES256",
            Signed::Nothing => "none",
            Signed::PublicKey | Signed::ClientSecret => "HS256",
        };
        let head = json!({"alg": name, "kid": kid}).to_string();
        let text = format!("{}.{}", encoded(head), encoded(says.claims.to_string()));
        let by =
            |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec();
        let hmac = |secret: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes()).as_ref().to_vec()
        };
        let signature = match says.signed {
            Signed::ItsKey => by(&self.key),
            Signed::AnotherKey => by(&self.other),
            Signed::Nothing => Vec::new(),
            Signed::PublicKey => hmac(self.key.public_key().as_ref()),
            Signed::ClientSecret => hmac(super::CLIENT_SECRET.as_bytes()),
        };
        format!("{text}.{}", encoded(signature))
    }

    fn says(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }
}

async fn discovery(State(liar): State<Arc<Liar>>) -> Json<Value> {
    liar.says(|says| says.fetched += 1);
    let at = |path: &str| format!("{}{path}", liar.issuer);
    Json(json!({
        "issuer": liar.issuer,
        "authorization_endpoint": at("/auth"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"),
        "userinfo_endpoint": at("/me"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    }))
}

async fn keys(State(liar): State<Arc<Liar>>) -> Json<Value> {
    Json(json!({"keys": [liar.public_key()]}))
}

async fn token(State(liar): State<Arc<Liar>>, headers: HeaderMap, body: String) -> Json<Value> {
    liar.says(|says| {
        says.exchanged += 1;
        says.asked = body;
        says.authorization = headers["authorization"].to_str().unwrap().to_owned();
    });
    liar.may_answer.acquire().await.unwrap().forget();
    if let Some(instead) = liar.says.lock().unwrap().instead.clone() {
        return Json(instead);
    }
    Json(json!({"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": liar.token()}))
}

async fn user_info(State(liar): State<Arc<Liar>>) -> Json<Value> {
    Json(liar.says.lock().unwrap().user_info.clone())
}

/// A first half, and what the provider says in answer to it unless it lies.
struct Begun {
    ceremony: String,
    url: Url,
    claims: Value,
}

impl Begun {
    fn parameter(&self, name: &str) -> String {
        self.url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap()
    }

    fn callback(&self) -> Value {
        json!({"ceremony": self.ceremony, "code": "the code", "state": self.parameter("state")})
    }
}

async fn begin(server: &TestServer, liar: &Liar) -> Begun {
    let (status, begun) = answer(server.request(Method::POST, BEGIN)).await;
    assert_eq!(status, 200, "{begun}");
    let url = Url::parse(begun["url"].as_str().unwrap()).unwrap();
    let ceremony = begun["ceremony"].as_str().unwrap().to_owned();
    let mut begun = Begun { ceremony, url, claims: Value::Null };
    let seconds = server.app.clock.now().as_millis() / SECOND_MS;
    let mut claims = person(ADMIN_EMAIL, &["fraud-admins"]);
    for (name, value) in [
        ("iss", json!(liar.issuer)),
        ("sub", json!("ada")),
        ("aud", json!(CLIENT_ID)),
        ("iat", json!(seconds)),
        ("exp", json!(seconds + 300)),
        ("nonce", json!(begun.parameter("nonce"))),
    ] {
        claims[name] = value;
    }
    begun.claims = claims;
    begun
}

async fn start(engine: Engine) -> (TestServer, Arc<Liar>, Arc<ManualClock>) {
    let liar = Liar::start().await;
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(AT)));
    let held: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let server = TestServer::start_on(Ground::new(engine), held, |config| set(config, &liar.issuer)).await;
    (server, liar, clock)
}

/// What comes of a sign-in with these claims in place of the right ones.
async fn outcome(server: &TestServer, liar: &Liar, signed: Signed, lie: &Value) -> String {
    let begun = begin(server, liar).await;
    let mut claims = begun.claims.clone();
    for (name, value) in lie.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    liar.says(|says| (says.claims, says.signed) = (claims, signed));
    let request = post(server, LOGIN, &begun.callback());
    let (status, body) = answer(request).await;
    if status == 200 {
        return format!("200 {}", body["user"]["email"].as_str().unwrap());
    }
    format!("{} {} {}", status.as_u16(), body["code"].as_str().unwrap(), body["message"].as_str().unwrap())
}

#[tokio::test]
async fn a_sign_in_asks_as_the_standard_has_it() {
    let (server, liar, _) = start(Engine::Sqlite).await;
    let begun = begin(&server, &liar).await;
    assert_eq!(
        ["response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"]
            .map(|name| begun.parameter(name)),
        ["code", CLIENT_ID, &format!("{PUBLIC_URL}/sign-in/oidc"), "openid email profile groups", "S256"]
    );
    liar.says(|says| says.claims = begun.claims.clone());
    let (status, body) = answer(post(&server, LOGIN, &begun.callback())).await;
    assert_eq!(status, 200, "{body}");
    let says = liar.says.lock().unwrap();
    let asked = url::form_urlencoded::parse(says.asked.as_bytes()).into_owned();
    let asked: std::collections::BTreeMap<String, String> = asked.collect();
    let proof = ring::digest::digest(&ring::digest::SHA256, asked["code_verifier"].as_bytes());
    assert_eq!(
        encoded(proof),
        begun.parameter("code_challenge"),
        "the verifier goes to the token endpoint alone"
    );
    assert_eq!(
        (asked["grant_type"].as_str(), asked["code"].as_str(), says.authorization.starts_with("Basic ")),
        ("authorization_code", "the code", true)
    );
    assert!(!begun.url.as_str().contains(asked["code_verifier"].as_str()));
    assert!(!begun.ceremony.contains(asked["code_verifier"].as_str()));
}

#[tokio::test]
async fn a_token_that_is_not_right_signs_nobody_in() {
    let (server, liar, _) = start(Engine::Sqlite).await;
    let seconds = AT / SECOND_MS;
    let cases = [
        ("a wrong nonce", Signed::ItsKey, json!({"nonce": "another"})),
        ("no nonce", Signed::ItsKey, json!({"nonce": null})),
        ("another audience", Signed::ItsKey, json!({"aud": "another"})),
        ("a further audience", Signed::ItsKey, json!({"aud": [CLIENT_ID, "another"]})),
        ("no audience", Signed::ItsKey, json!({"aud": []})),
        ("another authorized party", Signed::ItsKey, json!({"azp": "another"})),
        ("another issuer", Signed::ItsKey, json!({"iss": "https://login.example.com"})),
        ("its time is over", Signed::ItsKey, json!({"exp": seconds - 61})),
        ("a foreign key", Signed::AnotherKey, json!({})),
        ("no signature", Signed::Nothing, json!({})),
        ("the public key as a secret", Signed::PublicKey, json!({})),
        ("the client's secret", Signed::ClientSecret, json!({})),
    ];
    for (name, signed, lie) in cases {
        assert_eq!(outcome(&server, &liar, signed, &lie).await, UNVERIFIED, "{name}");
    }
    let signed_in = format!("200 {ADMIN_EMAIL}");
    for right in
        [json!({}), json!({"azp": CLIENT_ID}), json!({"aud": [CLIENT_ID]}), json!({"exp": seconds - 30})]
    {
        assert_eq!(outcome(&server, &liar, Signed::ItsKey, &right).await, signed_in, "{right}");
    }
}

#[tokio::test]
async fn a_second_half_that_does_not_belong_to_a_first_one_is_refused() {
    let (server, liar, clock) = start(Engine::Sqlite).await;
    let (one, other) = (begin(&server, &liar).await, begin(&server, &liar).await);
    let with = |change: Value| {
        liar.says(|says| says.claims = one.claims.clone());
        let mut callback = one.callback();
        callback.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        callback
    };
    let cases = [
        ("another state", json!({"state": other.parameter("state")})),
        ("another ceremony", json!({"ceremony": other.ceremony})),
        ("nonsense", json!({"ceremony": "nonsense"})),
        ("what another provider sends", json!({"iss": "https://login.example.com"})),
    ];
    for (name, change) in cases {
        assert_eq!(refusal(post(&server, LOGIN, &with(change))).await, STALE, "{name}");
    }
    assert_eq!(liar.says.lock().unwrap().asked, "", "no code goes out for it");
    let mut swapped = one.callback();
    (swapped["ceremony"], swapped["state"]) = (json!(other.ceremony), json!(other.parameter("state")));
    assert_eq!(refusal(post(&server, LOGIN, &swapped)).await, UNVERIFIED, "the nonce is of another ceremony");

    liar.says(|says| says.instead = Some(json!({"access_token": "a", "token_type": "Bearer"})));
    assert_eq!(refusal(post(&server, LOGIN, &with(json!({})))).await, UNVERIFIED, "no id_token");
    liar.says(|says| says.instead = None);
    clock.advance(15 * MINUTE_MS);
    assert_eq!(refusal(post(&server, LOGIN, &with(json!({})))).await, STALE, "it took too long");
}

#[tokio::test]
async fn more_is_asked_where_the_token_says_too_little_and_of_the_same_person() {
    let (server, liar, _) = start(Engine::Sqlite).await;
    let little = json!({"email": null, "email_verified": null, "groups": null});
    let mut told = person(ADMIN_EMAIL, &["fraud-admins"]);
    told["sub"] = json!("eve");
    liar.says(|says| says.user_info = told.clone());
    assert_eq!(outcome(&server, &liar, Signed::ItsKey, &little).await, UNAVAILABLE, "of somebody else");
    told["sub"] = json!("ada");
    liar.says(|says| says.user_info = told.clone());
    assert_eq!(outcome(&server, &liar, Signed::ItsKey, &little).await, format!("200 {ADMIN_EMAIL}"));
    // What the token says stands.
    let janitor = json!({"email": null, "groups": ["janitors"]});
    assert_eq!(outcome(&server, &liar, Signed::ItsKey, &janitor).await, super::NO_ROLE);
}

#[tokio::test]
async fn a_key_that_is_new_is_fetched_once_a_minute() {
    let (server, liar, clock) = start(Engine::Sqlite).await;
    let signed_in = format!("200 {ADMIN_EMAIL}");
    assert_eq!(outcome(&server, &liar, Signed::ItsKey, &json!({})).await, signed_in);
    let fetched = || liar.says.lock().unwrap().fetched;
    assert_eq!(fetched(), 1, "what it says of itself is kept");
    liar.says(|says| says.generation += 1);
    assert_eq!(outcome(&server, &liar, Signed::ItsKey, &json!({})).await, UNVERIFIED);
    assert_eq!(fetched(), 1);
    clock.advance(MINUTE_MS);
    assert_eq!(outcome(&server, &liar, Signed::ItsKey, &json!({})).await, signed_in);
    assert_eq!(fetched(), 2);
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_is_left_alone_for_a_while() {
    let (server, liar, clock) = start(Engine::Sqlite).await;
    let task = liar.task.lock().unwrap().take().unwrap();
    task.abort();
    for _ in 0..2 {
        assert_eq!(refusal(server.request(Method::POST, BEGIN)).await, UNAVAILABLE);
    }
    clock.advance(5 * SECOND_MS);
    assert_eq!(refusal(server.request(Method::POST, BEGIN)).await, UNAVAILABLE);
}

#[tokio::test]
async fn so_many_codes_are_exchanged_at_a_time() {
    let (server, liar, _) = start(Engine::Sqlite).await;
    let begun = begin(&server, &liar).await;
    liar.says(|says| says.claims = begun.claims.clone());
    liar.may_answer.forget_permits(Semaphore::MAX_PERMITS);
    let waiting = (0..EXCHANGES_MAX).map(|_| tokio::spawn(post(&server, LOGIN, &begun.callback()).send()));
    let waiting: Vec<_> = waiting.collect();
    let busy = "503 unavailable Too many people are signing in. Try again in a moment.";
    eventually("all of them to wait", async || {
        (liar.says.lock().unwrap().exchanged == EXCHANGES_MAX).then_some(())
    })
    .await;
    assert_eq!(refusal(post(&server, LOGIN, &begun.callback())).await, busy);
    assert_eq!(server.reached(Limit::OidcExchanges), 1);
    liar.may_answer.add_permits(EXCHANGES_MAX);
    for one in waiting {
        assert_eq!(one.await.unwrap().unwrap().status(), 200);
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_never_comes_is_no_answer() {
    let (server, liar, _) = start(Engine::Sqlite).await;
    let begun = begin(&server, &liar).await;
    liar.says(|says| says.claims = begun.claims.clone());
    let callback = begun.callback();
    let padded = |bytes: usize| json!({"access_token": "a", "token_type": "Bearer", "x": "x".repeat(bytes)});
    liar.says(|says| says.instead = Some(padded(60 * 1024)));
    assert_eq!(refusal(post(&server, LOGIN, &callback)).await, UNVERIFIED, "it is read, and has no id_token");
    liar.says(|says| says.instead = Some(padded(64 * 1024)));
    assert_eq!(refusal(post(&server, LOGIN, &callback)).await, UNAVAILABLE);
    liar.says(|says| says.instead = None);
    liar.may_answer.forget_permits(Semaphore::MAX_PERMITS);
    let asked = tokio::time::Instant::now();
    assert_eq!(refusal(post(&server, LOGIN, &callback)).await, UNAVAILABLE);
    assert!((9..20).contains(&asked.elapsed().as_secs()), "{:?}", asked.elapsed());
}
