//! The second factor: set up, asked for, given up, reset and required.

use std::sync::Arc;

use dregs_core::time::{SECOND_MS, Timestamp};
use dregs_server::clock::ManualClock;
use dregs_server::ops::access::sign_in;
use dregs_server::store::users::{self, Role};
use dregs_server::store::{Tx, second_factors};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use super::{SESSION_PASSWORD, refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, Ground, TestServer, answer};

on_both_engines!(
    the_vectors_of_rfc_6238_sign_in,
    a_person_sets_it_up_and_signs_in_by_it,
    a_recovery_code_works_once,
    it_is_given_up_with_the_password_or_a_code,
    a_team_can_require_it_of_everybody,
    an_admin_resets_that_of_a_member,
);

const STEP_MS: i64 = 30 * SECOND_MS;
const NEEDS_CODE: &str = "401 second_factor_required Send a code of your authenticator app as well, or a recovery code, as `code`.";
const WRONG: &str = "The code is not right, or was used before. Wait for the next one.";
const WRONG_AT_SIGN_IN: &str =
    "401 second_factor_refused The code is not right, or was used before. Wait for the next one.";
const WRONG_PASSWORD: &str = "401 unauthenticated The e-mail address or the password is wrong.";
const MISSING: &str = "403 second_factor_missing Your team requires a second factor. Set one up: in the dashboard, or with POST /api/auth/second-factor.";

/// A server whose time the test makes, and the token of its admin.
struct Desk {
    server: TestServer,
    clock: Arc<ManualClock>,
    admin: String,
}

impl Desk {
    async fn open(engine: Engine) -> Self {
        Self::open_at(engine, "2026-11-23T09:00:00Z").await
    }

    async fn open_at(engine: Engine, time: &str) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse(time).unwrap()));
        let server = TestServer::start_on(Ground::new(engine), Arc::clone(&clock) as _, |config| {
            config.login_failures_per_account = 4;
        })
        .await;
        let (_, session) = answer(login(&server, ADMIN_EMAIL, ADMIN_PASSWORD, None)).await;
        let admin = session["token"].as_str().unwrap().to_owned();
        Self { server, clock, admin }
    }

    fn request(&self, method: Method, path: &str, body: Value) -> RequestBuilder {
        let request = self.server.request(method, path).bearer_auth(&self.admin);
        if body.is_null() { request } else { request.json(&body) }
    }

    fn post(&self, path: &str, body: Value) -> RequestBuilder {
        self.request(Method::POST, &format!("/api/auth/second-factor{path}"), body)
    }

    fn login(&self, code: Option<&str>) -> RequestBuilder {
        login(&self.server, ADMIN_EMAIL, ADMIN_PASSWORD, code)
    }

    /// The code of a secret, so many steps from now.
    fn code(&self, secret: &str, steps: i64) -> String {
        let secret = Secret::try_from_base32(secret).unwrap();
        let seconds = self.server.app.clock.now().plus_millis(steps * STEP_MS).as_millis() / SECOND_MS;
        Builder::new().with_secret(secret).build_noncompliant().generate(seconds.unsigned_abs()).to_string()
    }

    /// Sets it up for the admin, and goes on to the next step; the secret and the recovery codes.
    async fn enroll(&self) -> (String, Vec<String>) {
        let (status, begun) = answer(self.post("", json!({"password": ADMIN_PASSWORD}))).await;
        assert_eq!(status, 201, "{begun}");
        let secret = begun["secret"].as_str().unwrap().to_owned();
        let code = self.code(&secret, 0);
        let (status, confirmed) = answer(self.post("/actions/confirm", json!({ "code": code }))).await;
        assert_eq!(status, 200, "{confirmed}");
        self.clock.advance(STEP_MS);
        (secret, serde_json::from_value(confirmed["recoveryCodes"].clone()).unwrap())
    }

    async fn state(&self) -> Value {
        answer(self.request(Method::GET, "/api/auth/second-factor", Value::Null)).await.1
    }
}

fn login(server: &TestServer, email: &str, password: &str, code: Option<&str>) -> RequestBuilder {
    let mut body = json!({"email": email, "password": password});
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    server.request(Method::POST, "/api/auth/login").json(&body)
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// RFC 6238, appendix B: eight digits each, of which apps show the last six.
async fn the_vectors_of_rfc_6238_sign_in(engine: Engine) {
    let desk = Desk::open_at(engine, "1970-01-01T00:00:00Z").await;
    let vault = Arc::clone(desk.server.app.kept.key.vault().unwrap());
    let put = move |tx: &mut Tx| {
        let admin = users::find_by_email(tx, ADMIN_EMAIL)?.unwrap().id;
        let sealed = sign_in::seal_second_factor(&vault, admin, b"12345678901234567890")?;
        second_factors::begin(tx, admin, &sealed, Timestamp::from_millis(0))?;
        second_factors::confirm(tx, admin, 0, Timestamp::from_millis(0))
    };
    assert!(desk.server.app.store.write(put).await.unwrap());
    let vectors = [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ];
    for (seconds, code) in vectors {
        let now = desk.server.app.clock.now().as_millis();
        desk.clock.advance(seconds * SECOND_MS - now);
        assert_eq!(refusal(desk.login(None)).await, NEEDS_CODE, "{seconds}");
        assert_eq!(status(desk.login(Some(&code[2..]))).await, 200, "{seconds}");
    }
}

async fn a_person_sets_it_up_and_signs_in_by_it(engine: Engine) {
    let desk = Desk::open(engine).await;
    let other = answer(desk.login(None)).await.1["token"].as_str().unwrap().to_owned();
    assert_eq!(desk.state().await, json!({"enabledAt": null, "recoveryCodesLeft": 0, "required": false}));
    let wrong = refusal(desk.post("", json!({"password": "wrong"}))).await;
    assert_eq!(wrong, "400 wrong_password The password is wrong.");
    let nothing = "409 wrong_state There is no second factor, or none to confirm. Begin with POST /api/auth/second-factor.";
    assert_eq!(refusal(desk.post("/actions/confirm", json!({"code": "123456"}))).await, nothing);

    let (_, first) = answer(desk.post("", json!({"password": ADMIN_PASSWORD}))).await;
    let (_, begun) = answer(desk.post("", json!({"password": ADMIN_PASSWORD}))).await;
    let secret = begun["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);
    let url = begun["url"].as_str().unwrap();
    assert!(url.starts_with("otpauth://totp/dregs:admin%40example.com?") && url.contains(secret), "{url}");
    assert_eq!(status(desk.login(None)).await, 200, "before it is confirmed, it is none");
    let confirm = |code: String| desk.post("/actions/confirm", json!({ "code": code }));
    let of_first = desk.code(first["secret"].as_str().unwrap(), 0);
    assert_eq!(
        refusal(confirm(of_first)).await,
        format!("400 second_factor_refused {WRONG}"),
        "it was begun anew"
    );
    let code = desk.code(secret, 0);
    let (status_code, confirmed) = answer(confirm(format!("{} {}", &code[..3], &code[3..]))).await;
    assert_eq!((status_code.as_u16(), confirmed["recoveryCodes"].as_array().unwrap().len()), (200, 10));
    let expected =
        json!({"enabledAt": "2026-11-23T09:00:00.000Z", "recoveryCodesLeft": 10, "required": false});
    assert_eq!(desk.state().await, expected);
    let (_, me) = answer(desk.request(Method::GET, "/api/auth/me", Value::Null)).await;
    assert_eq!((&me["secondFactor"], &me["secondFactorMissing"]), (&json!(true), &json!(false)));
    let ended = desk.server.request(Method::GET, "/api/auth/me").bearer_auth(&other);
    assert_eq!(status(ended).await, 401, "what was begun without it has ended");
    let again = refusal(desk.post("", json!({"password": ADMIN_PASSWORD}))).await;
    assert_eq!(again, "409 wrong_state You have a second factor. Disable it first.");

    // Only who knows the password hears of it.
    let guess = login(&desk.server, ADMIN_EMAIL, "wrong", Some(&desk.code(secret, 1)));
    assert_eq!(refusal(guess).await, WRONG_PASSWORD);
    assert_eq!(refusal(desk.login(None)).await, NEEDS_CODE);
    assert_eq!(refusal(desk.login(Some(&code))).await, WRONG_AT_SIGN_IN, "it has confirmed already");
    assert_eq!(status(desk.login(Some(&desk.code(secret, 1)))).await, 200, "a clock that is fast");
    assert_eq!(refusal(desk.login(Some(&desk.code(secret, 1)))).await, WRONG_AT_SIGN_IN, "twice");
    desk.clock.advance(5 * STEP_MS);
    assert_eq!(refusal(desk.login(Some(&desk.code(secret, 2)))).await, WRONG_AT_SIGN_IN, "too fast");
    assert_eq!(refusal(desk.login(Some(&desk.code(secret, -2)))).await, WRONG_AT_SIGN_IN, "too slow");
    assert_eq!(status(desk.login(Some(&desk.code(secret, -1)))).await, 200, "a clock that is slow");
    assert_eq!(status(desk.login(Some(&desk.code(secret, 0)))).await, 200);
    assert_eq!(refusal(desk.login(Some(&desk.code(secret, -1)))).await, WRONG_AT_SIGN_IN, "an earlier one");

    let app = &desk.server.app;
    let stored = app.store.read(second_factors::all).await.unwrap().remove(0).secret;
    let bare = Secret::try_from_base32(secret).unwrap();
    assert!(!stored.windows(bare.as_bytes().len()).any(|part| part == bare.as_bytes()), "it is sealed");
    let (_, log) = answer(desk.request(Method::GET, "/api/audit-log?pageSize=100", Value::Null)).await;
    let actions: Vec<_> = log["content"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert!(actions.contains(&&json!("second-factor.enable")), "{actions:?}");
    assert!(!log.to_string().contains(secret) && !log.to_string().contains(&code));
}

#[tokio::test]
async fn a_code_of_another_person_is_none() {
    let desk = Desk::open(Engine::Sqlite).await;
    let (_, codes) = desk.enroll().await;
    let other = session(&desk.server.app, team(&desk.server.app).await, Role::User).await;
    let (_, me) = answer(desk.server.request(Method::GET, "/api/auth/me").bearer_auth(&other)).await;
    let of_other = |path: &str, body: Value| {
        let path = format!("/api/auth/second-factor{path}");
        desk.server.request(Method::POST, &path).bearer_auth(&other).json(&body)
    };
    let (_, begun) = answer(of_other("", json!({"password": SESSION_PASSWORD}))).await;
    let secret = begun["secret"].as_str().unwrap();
    let confirm = of_other("/actions/confirm", json!({"code": desk.code(secret, 0)}));
    assert_eq!(status(confirm).await, 200);
    desk.clock.advance(STEP_MS);
    let email = me["email"].as_str().unwrap();
    assert_eq!(refusal(desk.login(Some(&desk.code(secret, 0)))).await, WRONG_AT_SIGN_IN);
    let login = |code: &str| login(&desk.server, email, SESSION_PASSWORD, Some(code));
    assert_eq!(refusal(login(&codes[0])).await, WRONG_AT_SIGN_IN, "a recovery code of the admin's");
    assert_eq!(status(login(&desk.code(secret, 0))).await, 200);
}

#[tokio::test]
async fn wrong_codes_are_counted_as_wrong_passwords_are() {
    let desk = Desk::open(Engine::Sqlite).await;
    let (secret, codes) = desk.enroll().await;
    for _ in 0..4 {
        assert_eq!(refusal(desk.login(Some("000000"))).await, WRONG_AT_SIGN_IN);
        // Who knows the password alone gets no more tries by it. The last is too late.
        status(desk.login(None)).await;
    }
    let throttled = "429 rate_limited Too many requests. Try again in 900 seconds.";
    for code in [None, Some("000000"), Some(codes[0].as_str()), Some(desk.code(&secret, 0).as_str())] {
        assert_eq!(refusal(desk.login(code)).await, throttled);
    }
    desk.clock.advance(15 * 60 * SECOND_MS);
    assert_eq!(status(desk.login(Some(&desk.code(&secret, 0)))).await, 200);
    for _ in 0..4 {
        let guess = desk.post("/actions/disable", json!({"code": "000000"}));
        assert_eq!(refusal(guess).await, format!("400 second_factor_refused {WRONG}"));
    }
    let guess = desk.post("/actions/disable", json!({"password": ADMIN_PASSWORD}));
    assert_eq!(status(guess).await, 429, "in a session as well");
}

async fn a_recovery_code_works_once(engine: Engine) {
    let desk = Desk::open(engine).await;
    let (_, codes) = desk.enroll().await;
    assert_eq!(status(desk.login(Some(&codes[3]))).await, 200);
    assert_eq!(refusal(desk.login(Some(&codes[3]))).await, WRONG_AT_SIGN_IN);
    assert_eq!(status(desk.login(Some(&codes[4].to_uppercase().replace('-', " ")))).await, 200);
    assert_eq!(desk.state().await["recoveryCodesLeft"], 8);
    let renew = |password: &str| desk.post("/actions/renew-recovery-codes", json!({ "password": password }));
    assert_eq!(refusal(renew("wrong")).await, "400 wrong_password The password is wrong.");
    let (_, renewed) = answer(renew(ADMIN_PASSWORD)).await;
    let renewed: Vec<String> = serde_json::from_value(renewed["recoveryCodes"].clone()).unwrap();
    assert_eq!((renewed.len(), desk.state().await["recoveryCodesLeft"].clone()), (10, json!(10)));
    assert_eq!(refusal(desk.login(Some(&codes[5]))).await, WRONG_AT_SIGN_IN, "it was replaced");
    assert_eq!(status(desk.login(Some(&renewed[0]))).await, 200);
    let path = "/api/audit-log?action=second-factor.use-recovery-code";
    let (_, log) = answer(desk.request(Method::GET, path, Value::Null)).await;
    assert_eq!(log["totalElements"], 3);
}

async fn it_is_given_up_with_the_password_or_a_code(engine: Engine) {
    let desk = Desk::open(engine).await;
    let disable = |body: Value| desk.post("/actions/disable", body);
    let (secret, _) = desk.enroll().await;
    assert_eq!(
        refusal(disable(json!({}))).await,
        "400 bad_request The body must have either password or code"
    );
    assert_eq!(
        refusal(disable(json!({"password": "wrong"}))).await,
        "400 wrong_password The password is wrong."
    );
    assert_eq!(
        refusal(disable(json!({"code": "000000"}))).await,
        format!("400 second_factor_refused {WRONG}")
    );
    assert_eq!(status(disable(json!({"code": desk.code(&secret, 0)}))).await, 204);
    assert_eq!(status(desk.login(None)).await, 200);
    let (_, codes) = desk.enroll().await;
    assert_eq!(status(disable(json!({"code": codes[0]}))).await, 204);
    desk.enroll().await;
    assert_eq!(status(disable(json!({"password": ADMIN_PASSWORD}))).await, 204);
    assert_eq!(status(desk.login(Some(&codes[1]))).await, 200, "a code that nobody asks for");
}

async fn a_team_can_require_it_of_everybody(engine: Engine) {
    let desk = Desk::open(engine).await;
    let require = |is: bool| desk.request(Method::PATCH, "/api/team", json!({ "secondFactorRequired": is }));
    let own_first = "409 wrong_state Set up a second factor of your own first, in Settings, Account.";
    assert_eq!(refusal(require(true)).await, own_first);
    desk.enroll().await;
    let team_id = team(&desk.server.app).await;
    let member = session(&desk.server.app, team_id, Role::Admin).await;
    let of_member = |method: Method, path: &str, body: Value| {
        let request = desk.server.request(method, path).bearer_auth(&member);
        if body.is_null() { request } else { request.json(&body) }
    };
    let (_, token) = answer(of_member(Method::POST, "/api/mcp-tokens", json!({"name": "Agent"}))).await;
    let ask = || {
        let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
        let request = desk.server.request(Method::POST, "/mcp").bearer_auth(token["token"].as_str().unwrap());
        request.header("Accept", "application/json, text/event-stream").json(&list)
    };
    assert_eq!(status(ask()).await, 200);
    let (_, changed) = answer(require(true)).await;
    assert_eq!(changed["secondFactorRequired"], true);

    for path in ["/api/identities", "/api/team", "/api/auth/sessions", "/api/live", "/api/oauth/connections"]
    {
        assert_eq!(refusal(of_member(Method::GET, path, Value::Null)).await, MISSING, "{path}");
    }
    let written = [
        (Method::POST, "/api/mcp-tokens", json!({"name": "Other"})),
        (Method::POST, "/api/events", json!({"type": "t", "identity": {"id": "a"}})),
        (Method::PATCH, "/api/team", json!({"secondFactorRequired": false})),
    ];
    for (method, path, body) in written {
        assert_eq!(refusal(of_member(method, path, body)).await, MISSING, "{path}");
    }
    assert_eq!(status(ask()).await, 403, "nor do their agents");
    assert_eq!(status(desk.request(Method::GET, "/api/identities", Value::Null)).await, 200);
    let (_, me) = answer(of_member(Method::GET, "/api/auth/me", Value::Null)).await;
    assert_eq!(me["secondFactorMissing"], true);
    let (_, found) = answer(of_member(Method::GET, "/api/auth/session", Value::Null)).await;
    assert_eq!(found["user"], me);

    let begin = json!({"password": SESSION_PASSWORD});
    let (_, begun) = answer(of_member(Method::POST, "/api/auth/second-factor", begin)).await;
    let code = json!({"code": desk.code(begun["secret"].as_str().unwrap(), 0)});
    let confirm = of_member(Method::POST, "/api/auth/second-factor/actions/confirm", code);
    assert_eq!(status(confirm).await, 200);
    assert_eq!(status(of_member(Method::GET, "/api/identities", Value::Null)).await, 200);
    assert_eq!(status(ask()).await, 200);

    // Whoever joins is led to it, and may leave it at that.
    let new = json!({"email": "bob@example.com", "role": "USER"});
    let (_, invitation) = answer(desk.request(Method::POST, "/api/team/invitations", new)).await;
    let body = json!({"token": invitation["token"], "password": "password of bob"});
    let accept = desk.server.request(Method::POST, "/api/auth/accept-invitation").json(&body);
    let (_, joined) = answer(accept).await;
    assert_eq!(joined["user"]["secondFactorMissing"], true);
    let bob = joined["token"].as_str().unwrap();
    let of_bob = |method, path: &str| desk.server.request(method, path).bearer_auth(bob);
    assert_eq!(refusal(of_bob(Method::GET, "/api/team")).await, MISSING);
    assert_eq!(status(of_bob(Method::POST, "/api/auth/logout")).await, 204);
    assert_eq!(status(require(false)).await, 200);
    let (_, log) = answer(desk.request(Method::GET, "/api/audit-log?pageSize=1", Value::Null)).await;
    assert_eq!(log["content"][0]["after"], json!({"secondFactorRequired": false}));
}

async fn an_admin_resets_that_of_a_member(engine: Engine) {
    let desk = Desk::open(engine).await;
    let member = session(&desk.server.app, team(&desk.server.app).await, Role::User).await;
    let of_member = |path: &str, body: Value| {
        let path = format!("/api/auth{path}");
        desk.server.request(Method::POST, &path).bearer_auth(&member).json(&body)
    };
    let (_, me) = answer(desk.server.request(Method::GET, "/api/auth/me").bearer_auth(&member)).await;
    let (_, begun) = answer(of_member("/second-factor", json!({"password": SESSION_PASSWORD}))).await;
    let code = json!({"code": desk.code(begun["secret"].as_str().unwrap(), 0)});
    assert_eq!(status(of_member("/second-factor/actions/confirm", code)).await, 200);
    let sign_in = || login(&desk.server, me["email"].as_str().unwrap(), SESSION_PASSWORD, None);
    assert_eq!(refusal(sign_in()).await, NEEDS_CODE);
    let (_, members) = answer(desk.request(Method::GET, "/api/team/members", Value::Null)).await;
    let told: Vec<_> = members.as_array().unwrap().iter().map(|member| &member["secondFactor"]).collect();
    assert_eq!(told, [&json!(false), &json!(true)]);

    let reset = |id: &Value| {
        let path = format!("/api/team/members/{id}/actions/reset-second-factor");
        desk.request(Method::POST, &path, Value::Null)
    };
    assert_eq!(refusal(reset(&json!(999))).await, "404 member_not_found There is no such member.");
    assert_eq!(status(reset(&me["id"])).await, 204);
    let ended = desk.server.request(Method::GET, "/api/auth/me").bearer_auth(&member);
    assert_eq!(status(ended).await, 401, "their sessions have ended");
    assert_eq!(status(sign_in()).await, 200, "the password alone");
    let path = "/api/audit-log?action=member.reset-second-factor";
    let (_, log) = answer(desk.request(Method::GET, path, Value::Null)).await;
    let entry = &log["content"][0];
    let before = json!({"email": me["email"], "secondFactor": true, "passkeys": 0});
    assert_eq!((&entry["before"], &entry["actor"]), (&before, &json!(ADMIN_EMAIL)));
}
