//! Passkeys, as far as no authenticator is needed: a browser's signs in `web/tests/passkeys.test.js`.

use dregs_server::limit::Limit;
use dregs_server::ops::bounds::PASSKEYS;
use dregs_server::store::passkeys::{self, Passkey};
use dregs_server::store::{Tx, users};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::refusal;
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, TestServer, answer};

on_both_engines!(ceremonies_begin_where_the_server_has_a_name);

const NO_PARTY: &str = "409 wrong_state Passkeys need a name: set DREGS_PUBLIC_URL to the https address by which browsers reach this server, or to its address at http://localhost; where it is not set, open http://localhost.";

async fn start(engine: Engine, url: Option<&str>) -> (TestServer, String) {
    let server = TestServer::start_with(engine, |config| config.public_url = url.map(str::to_owned)).await;
    let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let (_, session) = answer(server.request(Method::POST, "/api/auth/login").json(&body)).await;
    let token = session["token"].as_str().unwrap().to_owned();
    (server, token)
}

fn post(server: &TestServer, token: &str, path: &str, body: Value) -> RequestBuilder {
    server.request(Method::POST, &format!("/api/auth/{path}")).bearer_auth(token).json(&body)
}

async fn ceremonies_begin_where_the_server_has_a_name(engine: Engine) {
    let (server, token) = start(engine, Some("https://dregs.example.com/")).await;
    let begin =
        |password: &str| post(&server, &token, "passkeys/actions/begin", json!({ "password": password }));
    assert_eq!(refusal(begin("wrong")).await, "400 wrong_password The password is wrong.");
    let (status, begun) = answer(begin(ADMIN_PASSWORD)).await;
    assert_eq!(status, 200, "{begun}");
    let options = &begun["options"];
    assert_eq!(
        json!([
            options["rp"]["id"],
            options["user"]["name"],
            options["authenticatorSelection"]["residentKey"]
        ]),
        json!(["dregs.example.com", ADMIN_EMAIL, "required"])
    );
    let sign_in = || server.request(Method::POST, "/api/auth/login/passkey/actions/begin");
    let (_, asked) = answer(sign_in()).await;
    assert_eq!(
        json!([asked["options"]["rpId"], asked["options"]["userVerification"]]),
        json!(["dregs.example.com", "required"])
    );
    assert_ne!(asked["options"]["challenge"], answer(sign_in()).await.1["options"]["challenge"]);

    let unverified =
        "400 passkey_refused The passkey could not be verified, or was begun too long ago. Begin again.";
    for ceremony in [&begun["ceremony"], &asked["ceremony"], &json!("nonsense")] {
        let new = json!({"name": "Laptop", "ceremony": ceremony, "credential": {"id": "x"}});
        assert_eq!(refusal(post(&server, &token, "passkeys", new)).await, unverified);
    }
    let nobody =
        "401 passkey_refused This passkey signs nobody in: it was removed, or took longer than five minutes.";
    for ceremony in [&begun["ceremony"], &asked["ceremony"], &json!("nonsense")] {
        let signed = json!({"ceremony": ceremony, "credential": {"id": "x"}});
        let request = server.request(Method::POST, "/api/auth/login/passkey").json(&signed);
        assert_eq!(refusal(request).await, nobody);
    }
    let wrong = post(
        &server,
        &token,
        "passkeys",
        json!({"name": " ", "ceremony": "x".repeat(1_025), "credential": 1}),
    );
    let said =
        "400 bad_request name: must have from 1 to 100 characters; ceremony: must have at most 1024 bytes";
    assert_eq!(refusal(wrong).await, said);

    let (without, token) = start(engine, None).await;
    let begin = post(&without, &token, "passkeys/actions/begin", json!({"password": ADMIN_PASSWORD}));
    assert_eq!(refusal(begin).await, NO_PARTY, "an address of numbers");
    let sign_in = without.request(Method::POST, "/api/auth/login/passkey/actions/begin");
    assert_eq!(refusal(sign_in).await, NO_PARTY);
}

#[tokio::test]
async fn a_person_has_as_many_passkeys_as_there_may_be() {
    let (server, token) = start(Engine::Sqlite, Some("https://dregs.example.com")).await;
    let fill = move |tx: &mut Tx| {
        let user = users::find_by_email(tx, ADMIN_EMAIL)?.unwrap();
        for n in 0..PASSKEYS.max {
            let passkey = Passkey {
                id: 0,
                user_id: user.id,
                name: format!("Key {n}"),
                credential_id: vec![u8::try_from(n).unwrap(); 16],
                public_key: vec![0],
                state: vec![0; 7],
                created_at: user.created_at,
                last_used_at: None,
            };
            passkeys::insert(tx, &passkey)?;
        }
        Ok(())
    };
    server.app.store.write(fill).await.unwrap();
    let begin = post(&server, &token, "passkeys/actions/begin", json!({"password": ADMIN_PASSWORD}));
    let refused = refusal(begin).await;
    assert!(refused.starts_with("400 bad_request ") && refused.contains("20 passkeys"), "{refused}");
    assert_eq!(server.reached(Limit::Passkeys), 1);
    let listed = answer(server.request(Method::GET, "/api/auth/passkeys").bearer_auth(&token)).await.1;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (20, &json!("Key 19")));
    let id = &listed[0]["id"];
    let remove = || server.request(Method::DELETE, &format!("/api/auth/passkeys/{id}")).bearer_auth(&token);
    assert_eq!(answer(remove()).await.0, 204);
    assert_eq!(refusal(remove()).await, "404 passkey_not_found There is no such passkey.");
    let begin = post(&server, &token, "passkeys/actions/begin", json!({"password": ADMIN_PASSWORD}));
    assert_eq!(answer(begin).await.0, 200);
}
