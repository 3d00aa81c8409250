//! Signing in at an OpenID provider: with a real one, and with one that lies.

mod browser;
mod liar;

use std::process::Stdio;
use std::sync::Arc;

use dregs_core::time::{MINUTE_MS, Timestamp};
use dregs_server::clock::{Clock, ManualClock};
use dregs_server::config::{Config, SecondFactorBy};
use dregs_server::ops::access::sign_in;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, Ground, TestServer, answer};
use browser::Browser;

use super::refusal;

on_both_engines!(
    members_come_from_a_real_provider_with_the_role_that_they_have_there,
    who_has_lost_the_claim_is_refused_and_nothing_comes_in_for_them,
    an_address_leads_to_a_member_once_and_another_subject_with_it_to_nobody,
    who_is_no_member_is_invited_or_made_one,
    a_second_factor_that_the_team_requires_is_the_providers_to_tell,
    with_passwords_off_the_command_line_is_the_way_back,
);

const PUBLIC_URL: &str = "https://dregs.example.com";
const REDIRECT: &str = "https://dregs.example.com/sign-in/oidc";
const BEGIN: &str = "/api/auth/login/oidc/actions/begin";
const LOGIN: &str = "/api/auth/login/oidc";
const CLIENT_ID: &str = "dregs";
const CLIENT_SECRET: &str = "the secret that both have";
const NO_ROLE: &str = "401 oidc_refused You have no role here: the claim \"groups\" of your account at the provider gives none. Have whoever runs the provider give you one.";
const NEEDS_SECOND_FACTOR: &str = "401 oidc_refused Your team requires a second factor, and the provider does not say that you used one. Set one up there, then sign in again with it.";

/// `oidc-provider`, in a process of its own.
struct RealProvider {
    _process: Child,
    /// It goes on telling of itself, and ends where nobody listens.
    _told: Lines<BufReader<ChildStdout>>,
    people: NamedTempFile,
    issuer: String,
}

impl RealProvider {
    /// `None` where the machine has no Node.js, or not what the workspace installs.
    #[expect(clippy::print_stdout, reason = "whoever runs the tests is to see what was not run")]
    async fn start(people: Value) -> Option<Self> {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let module = format!("{root}/web/node_modules/oidc-provider/package.json");
        if !std::path::Path::new(&module).exists() {
            println!("NOT RUN: there is no oidc-provider: (cd web && npm ci) installs it");
            return None;
        }
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), people.to_string()).unwrap();
        let mut process = Command::new("node")
            .arg(format!("{root}/web/tests/provider.js"))
            .arg(REDIRECT)
            .arg(file.path())
            .env("NODE_NO_WARNINGS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = loop {
            let line = lines.next_line().await.unwrap().expect("the provider starts");
            if line.starts_with("http://") {
                break line;
            }
        };
        Some(Self { _process: process, _told: lines, people: file, issuer })
    }

    fn knows(&self, people: Value) {
        std::fs::write(self.people.path(), people.to_string()).unwrap();
    }

    fn set(&self, config: &mut Config) {
        set(config, &self.issuer);
    }
}

/// Has people sign in at this provider.
fn set(config: &mut Config, issuer: &str) {
    config.egress_allow = String::new();
    config.public_url = Some(PUBLIC_URL.to_owned());
    config.oidc_issuer = Some(issuer.to_owned());
    config.oidc_client_id = Some(CLIENT_ID.to_owned());
    config.oidc_client_secret = Some(CLIENT_SECRET.to_owned());
    config.oidc_scopes = "openid email profile groups".to_owned();
    config.oidc_role_claim = Some("groups".to_owned());
    config.oidc_roles = "fraud-admins=ADMIN,fraud=USER,support=VIEWER".to_owned();
}

fn person(email: &str, groups: &[&str]) -> Value {
    json!({"email": email, "email_verified": true, "name": "Ada", "groups": groups})
}

fn post(server: &TestServer, path: &str, body: &Value) -> RequestBuilder {
    server.request(Method::POST, path).json(body)
}

/// A second half, as a browser brings it that was at the provider as `subject`.
async fn callback(server: &TestServer, subject: &str) -> Value {
    let (status, begun) = answer(server.request(Method::POST, BEGIN)).await;
    assert_eq!(status, 200, "{begun}");
    let mut callback = Browser::default().sign_in(begun["url"].as_str().unwrap(), subject).await;
    callback["ceremony"] = begun["ceremony"].clone();
    callback
}

/// Who is signed in as `subject`, and their session.
async fn sign_in(server: &TestServer, subject: &str) -> (Value, String) {
    let (status, session) = answer(post(server, LOGIN, &callback(server, subject).await)).await;
    assert_eq!(status, 200, "{session}");
    (session["user"].clone(), session["token"].as_str().unwrap().to_owned())
}

async fn refused(server: &TestServer, subject: &str) -> String {
    refusal(post(server, LOGIN, &callback(server, subject).await)).await
}

async fn me(server: &TestServer, token: &str) -> (u16, Value) {
    let (status, body) = answer(server.request(Method::GET, "/api/auth/me").bearer_auth(token)).await;
    (status.as_u16(), body["role"].clone())
}

async fn admin(server: &TestServer) -> String {
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let (status, session) = answer(post(server, "/api/auth/login", &login)).await;
    assert_eq!(status, 200, "{session}");
    session["token"].as_str().unwrap().to_owned()
}

async fn invite(server: &TestServer, admin: &str, email: &str, role: &str) -> String {
    let request = post(server, "/api/team/invitations", &json!({"email": email, "role": role}));
    let (status, made) = answer(request.bearer_auth(admin)).await;
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

async fn members_come_from_a_real_provider_with_the_role_that_they_have_there(engine: Engine) {
    let people = |groups: &[&str]| json!({"ada": person("ada@example.com", groups)});
    let Some(provider) = RealProvider::start(people(&["support", "fraud"])).await else { return };
    let server = TestServer::start_with(engine, |config| {
        provider.set(config);
        config.oidc_provisioning = true;
    })
    .await;
    let methods = server.get("/api/auth/sign-in-methods").await;
    assert_eq!(methods, json!({"local": true, "oidc": {"name": null}}));

    let (ada, first) = sign_in(&server, "ada").await;
    assert_eq!(
        json!([ada["email"], ada["name"], ada["role"], ada["hasPassword"], ada["fromProvider"]]),
        json!(["ada@example.com", "Ada", "USER", false, true]),
        "of several roles the highest counts"
    );
    assert_eq!(me(&server, &first).await, (200, json!("USER")));

    provider.knows(people(&["fraud-admins"]));
    let (again, _) = sign_in(&server, "ada").await;
    assert_eq!((&again["id"], &again["role"]), (&ada["id"], &json!("ADMIN")));
    assert_eq!(
        me(&server, &first).await,
        (200, json!("ADMIN")),
        "sessions go by the role that they have now"
    );
    provider.knows(people(&["support"]));
    assert_eq!(sign_in(&server, "ada").await.0["role"], "VIEWER");

    // What they would need a password for is not theirs, and says so.
    let body = json!({"password": ""});
    let request = post(&server, "/api/auth/second-factor", &body).bearer_auth(&first);
    let said = "409 wrong_state You have no password here: you sign in at a provider, which keeps what you sign in with.";
    assert_eq!(refusal(request).await, said);
    let login = json!({"email": "ada@example.com", "password": ""});
    let said = "401 unauthenticated The e-mail address or the password is wrong.";
    assert_eq!(refusal(post(&server, "/api/auth/login", &login)).await, said);

    let log = server.request(Method::GET, "/api/audit-log?pageSize=100").bearer_auth(admin(&server).await);
    let (_, log) = answer(log).await;
    let told = |action: &str| {
        let entries = log["content"].as_array().unwrap().iter().rev();
        let found = entries.filter(|entry| entry["action"] == action);
        found.map(|entry| json!([entry["actor"], entry["after"]["role"]])).collect::<Vec<_>>()
    };
    assert_eq!(told("member.join"), [json!(["ada@example.com", "USER"])]);
    assert_eq!(
        told("member.change"),
        [json!(["OpenID provider", "ADMIN"]), json!(["OpenID provider", "VIEWER"])]
    );
}

async fn who_has_lost_the_claim_is_refused_and_nothing_comes_in_for_them(engine: Engine) {
    let people = |groups: Value| {
        let mut people =
            json!({"ada": person(ADMIN_EMAIL, &[]), "bob": person("bob@example.com", &["fraud"])});
        people["ada"]["groups"] = groups;
        people
    };
    let Some(provider) = RealProvider::start(people(json!(["fraud-admins"]))).await else { return };
    let server = TestServer::start_with(engine, |config| {
        provider.set(config);
        config.oidc_provisioning = true;
    })
    .await;
    let by_password = admin(&server).await;
    let (_, token) = sign_in(&server, "ada").await;
    let (_, of_bob) = sign_in(&server, "bob").await;
    let new = post(&server, "/api/mcp-tokens", &json!({"name": "Assistant"})).bearer_auth(&token);
    let agent = answer(new).await.1["token"].as_str().unwrap().to_owned();
    let asked = || {
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let request = post(&server, "/mcp", &ping).header("Accept", "application/json, text/event-stream");
        answer(request.bearer_auth(&agent))
    };
    assert_eq!(asked().await.0, 200);

    for lost in [json!(["janitors"]), json!([]), Value::Null] {
        provider.knows(people(lost));
        assert_eq!(refused(&server, "ada").await, NO_ROLE);
    }
    assert_eq!((me(&server, &token).await.0, me(&server, &by_password).await.0), (401, 401));
    assert_eq!(me(&server, &of_bob).await.0, 200, "of others nothing ends");
    assert_eq!(asked().await.0, 401);

    // The last admin who has another role stays one.
    provider.knows(people(json!(["support"])));
    assert_eq!(sign_in(&server, "ada").await.0["role"], "ADMIN");
    assert_eq!(me(&server, &admin(&server).await).await, (200, json!("ADMIN")), "a password goes on working");
}

async fn an_address_leads_to_a_member_once_and_another_subject_with_it_to_nobody(engine: Engine) {
    let mut people = json!({
        "ada": person("Admin@Example.com", &["fraud-admins"]),
        "eve": person(ADMIN_EMAIL, &["fraud-admins"]),
        "mallory": person(ADMIN_EMAIL, &["fraud-admins"]),
        "nobody": person("x", &["fraud-admins"]),
    });
    people["mallory"]["email_verified"] = json!(false);
    people["nobody"].as_object_mut().unwrap().remove("email");
    let Some(provider) = RealProvider::start(people.clone()).await else { return };
    let server = TestServer::start_with(engine, |config| provider.set(config)).await;
    let unverified = "401 oidc_refused The provider has not verified your e-mail address. Verify it there, then sign in again.";
    assert_eq!(refused(&server, "mallory").await, unverified, "who is not bound yet");
    let missing = "401 oidc_refused The provider does not tell your e-mail address. Have whoever runs this server ask it for that, by oidc_scopes.";
    assert_eq!(refused(&server, "nobody").await, missing);
    let (ada, _) = sign_in(&server, "ada").await;
    assert_eq!((&ada["email"], &ada["hasPassword"]), (&json!(ADMIN_EMAIL), &json!(true)));
    let taken = "401 oidc_refused Somebody else at the provider has joined with your e-mail address. Have an admin remove that member, then sign in again.";
    assert_eq!(refused(&server, "eve").await, taken);
    assert_eq!(refused(&server, "mallory").await, unverified);

    // From now on it is the subject that counts, whatever becomes of the address.
    people["ada"]["email"] = json!("ada@elsewhere.example");
    people["ada"]["email_verified"] = json!(false);
    provider.knows(people);
    let (again, _) = sign_in(&server, "ada").await;
    assert_eq!((&again["id"], &again["email"]), (&ada["id"], &json!(ADMIN_EMAIL)));
}

async fn who_is_no_member_is_invited_or_made_one(engine: Engine) {
    let people = json!({"bob": person("bob@example.com", &["support"])});
    let Some(provider) = RealProvider::start(people).await else { return };
    let server = TestServer::start_with(engine, |config| {
        provider.set(config);
        config.oidc_role_claim = None;
        config.oidc_roles = String::new();
    })
    .await;
    let stranger = "401 oidc_refused You are no member here. Have an admin invite you by the e-mail address that you have at the provider.";
    assert_eq!(refused(&server, "bob").await, stranger);
    let admin = admin(&server).await;
    invite(&server, &admin, "Bob@example.com", "USER").await;
    let (bob, _) = sign_in(&server, "bob").await;
    assert_eq!(
        json!([bob["email"], bob["role"]]),
        json!(["bob@example.com", "USER"]),
        "as they were invited"
    );
    let invited = server.request(Method::GET, "/api/team/invitations").bearer_auth(&admin);
    assert_eq!(answer(invited).await.1, json!([]), "it can be taken once");

    // Without a claim roles are given here, and stay.
    let path = format!("/api/team/members/{}", bob["id"]);
    let change = server.request(Method::PATCH, &path).bearer_auth(&admin).json(&json!({"role": "VIEWER"}));
    assert_eq!(answer(change).await.0, 200);
    assert_eq!(sign_in(&server, "bob").await.0["role"], "VIEWER");
    let remove = server.request(Method::DELETE, &path).bearer_auth(&admin);
    assert_eq!(answer(remove).await.0, 204);
    assert_eq!(refused(&server, "bob").await, stranger, "who was removed is no member");
}

async fn a_second_factor_that_the_team_requires_is_the_providers_to_tell(engine: Engine) {
    let people = |amr: Value| {
        let mut people = json!({"ada": person("ada@example.com", &["fraud-admins"])});
        people["ada"]["amr"] = amr;
        people
    };
    let Some(provider) = RealProvider::start(people(json!(["pwd"]))).await else { return };
    let set = |config: &mut Config| {
        provider.set(config);
        config.oidc_provisioning = true;
    };
    let server = TestServer::start_with(engine, set).await;
    let (_, weak) = sign_in(&server, "ada").await;
    let require = |token: &str| {
        let change = json!({"secondFactorRequired": true});
        server.request(Method::PATCH, "/api/team").bearer_auth(token).json(&change)
    };
    let said = "409 wrong_state The provider does not say that you signed in with a second factor. Set one up there first, and sign in again with it.";
    assert_eq!(refusal(require(&weak)).await, said);
    provider.knows(people(json!(["pwd", "otp"])));
    let (_, strong) = sign_in(&server, "ada").await;
    assert_eq!(answer(require(&strong)).await.0, 200);
    assert_eq!((me(&server, &weak).await.0, me(&server, &strong).await.0), (401, 200));
    provider.knows(people(json!(["pwd"])));
    assert_eq!(refused(&server, "ada").await, NEEDS_SECOND_FACTOR);
    let mut both = people(json!(["mfa"]));
    both["bob"] = person("bob@example.com", &["fraud"]);
    provider.knows(both.clone());
    assert_eq!(refused(&server, "bob").await, NEEDS_SECOND_FACTOR, "at a first sign-in as well");
    let members = server.request(Method::GET, "/api/team/members").bearer_auth(&strong);
    assert_eq!(answer(members).await.1.as_array().unwrap().len(), 2, "who was refused is no member");

    // Where the operator says that the provider sees to it, nothing has to be told.
    let clock = Arc::clone(&server.app.clock);
    let trusting = |config: &mut Config| {
        set(config);
        config.oidc_second_factor = SecondFactorBy::Provider;
    };
    let server = TestServer::start_on(server.stop(), clock, trusting).await;
    assert_eq!(sign_in(&server, "bob").await.0["secondFactorMissing"], false);
}

async fn with_passwords_off_the_command_line_is_the_way_back(engine: Engine) {
    let people = json!({"ada": person("ada@example.com", &["fraud-admins"])});
    let Some(provider) = RealProvider::start(people).await else { return };
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_800_000_000_000)));
    let set = |config: &mut Config| {
        provider.set(config);
        config.oidc_name = Some("Example login".to_owned());
        config.local_sign_in = false;
    };
    let held: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let server = TestServer::start_on(Ground::new(engine), held, set).await;
    let methods = server.get("/api/auth/sign-in-methods").await;
    assert_eq!(methods, json!({"local": false, "oidc": {"name": "Example login"}}));
    let off = "403 local_sign_in_off Passwords and passkeys sign nobody in here: sign in with the provider. Whoever runs the server gets in all the same, by `dregs users reset-password`.";
    for (email, password) in [(ADMIN_EMAIL, ADMIN_PASSWORD), (ADMIN_EMAIL, "wrong"), ("no@b.test", "wrong")] {
        let login = json!({"email": email, "password": password});
        assert_eq!(refusal(post(&server, "/api/auth/login", &login)).await, off, "{email} {password}");
    }
    let passkey = server.request(Method::POST, "/api/auth/login/passkey/actions/begin");
    assert_eq!(refusal(passkey).await, off);
    let passkey = json!({"ceremony": "x", "credential": {}});
    assert_eq!(refusal(post(&server, "/api/auth/login/passkey", &passkey)).await, off);

    let reset = async |password: &str| {
        let hash = sign_in::hash_password(password).unwrap();
        sign_in::reset_password(&server.app.store, ADMIN_EMAIL, hash, clock.now()).await.unwrap()
    };
    assert!(reset("the way back in").await);
    let login = json!({"email": ADMIN_EMAIL, "password": "the way back in"});
    let (status, session) = answer(post(&server, "/api/auth/login", &login)).await;
    assert_eq!(status, 200, "{session}");
    let invitation = invite(&server, session["token"].as_str().unwrap(), "bob@example.com", "USER").await;
    let accept = json!({"token": invitation, "password": "password of bob"});
    assert_eq!(refusal(post(&server, "/api/auth/accept-invitation", &accept)).await, off);
    clock.advance(24 * 60 * MINUTE_MS);
    assert_eq!(refusal(post(&server, "/api/auth/login", &login)).await, off, "it works for a day");
}

#[tokio::test]
async fn where_no_provider_is_set_nobody_is_sent_to_one() {
    let server = TestServer::start(Engine::Sqlite).await;
    let said = "409 wrong_state Nobody signs in at an OpenID provider here: DREGS_OIDC_ISSUER names none.";
    assert_eq!(refusal(server.request(Method::POST, BEGIN)).await, said);
    let callback = json!({"ceremony": "x", "code": "x", "state": "x"});
    assert_eq!(refusal(post(&server, LOGIN, &callback)).await, said);
    assert_eq!(server.get("/api/auth/sign-in-methods").await, json!({"local": true, "oidc": null}));
    let long = json!({"ceremony": "x".repeat(4_097), "code": "x".repeat(4_097), "state": "x".repeat(4_097)});
    let said = "400 bad_request ceremony: must have at most 4096 bytes; code: must have at most 4096 bytes; state: must have at most 4096 bytes";
    assert_eq!(refusal(post(&server, LOGIN, &long)).await, said);
}
