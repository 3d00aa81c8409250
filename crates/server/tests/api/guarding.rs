//! Guesses at passwords: whom they make wait, and whom they do not.

use std::sync::Arc;

use dregs_core::time::{DAY_MS, Timestamp};
use dregs_server::clock::ManualClock;
use dregs_server::config::Config;
use dregs_server::limit::Limit;
use dregs_server::store::tally::{self, Count};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};

use super::refusal;
use crate::support::engine::Engine;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, Ground, TestServer, answer};

fn behind_a_proxy(config: &mut Config) {
    config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
}

async fn start(change: impl FnOnce(&mut Config)) -> (TestServer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-23T09:00:00Z").unwrap()));
    let change = |config: &mut Config| {
        behind_a_proxy(config);
        change(config);
    };
    (TestServer::start_on(Ground::new(Engine::Sqlite), Arc::clone(&clock) as _, change).await, clock)
}

fn login(server: &TestServer, address: &str, email: &str, password: &str) -> RequestBuilder {
    let body = json!({"email": email, "password": password});
    server.request(Method::POST, "/api/auth/login").header("X-Forwarded-For", address).json(&body)
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// The cookie by which a browser is recognised, as it is sent back.
async fn browser(request: RequestBuilder) -> String {
    let answer = request.send().await.unwrap();
    let cookies = answer.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let cookie = cookies.into_iter().find(|cookie| cookie.starts_with("dregs_browser=br_")).unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/api/auth; HttpOnly; SameSite=Strict; Max-Age=7776000");
    pair.to_owned()
}

#[tokio::test]
async fn an_owner_gets_in_however_many_guesses_strangers_make() {
    let (server, clock) = start(|_| {}).await;
    let (home, cafe, strange) = ("198.51.100.1", "203.0.113.5", "2001:db8:0:1::1");
    let cookie = browser(login(&server, home, ADMIN_EMAIL, ADMIN_PASSWORD)).await;
    let guess = async |address: &str| status(login(&server, address, ADMIN_EMAIL, "wrong")).await;
    let mut guesses = Vec::new();
    for n in 0..12 {
        // Any address of one network is the same.
        guesses.push(guess(&format!("2001:db8:0:1::{n:x}")).await);
    }
    assert_eq!(guesses, [&[401; 10][..], &[429; 2]].concat());
    let try_in = async |address: &str, cookie: Option<&str>| {
        let request = login(&server, address, ADMIN_EMAIL, ADMIN_PASSWORD);
        status(cookie.into_iter().fold(request, |request, cookie| request.header("Cookie", cookie))).await
    };
    assert_eq!(try_in(cafe, None).await, 429, "a stranger cannot be told from another");
    assert_eq!(try_in(home, None).await, 200, "from an earlier address");
    assert_eq!(try_in(cafe, Some(&cookie)).await, 200, "with an earlier browser");
    assert_eq!(try_in(strange, Some(&cookie)).await, 200, "even from where the guesses come");
    assert_eq!(try_in(cafe, Some("dregs_browser=br_made_up")).await, 200, "the cafe is known by now");
    // Whoever has the browser, or sits at the address, may guess no more often than others.
    guesses.clear();
    for _ in 0..11 {
        guesses.push(guess(home).await);
    }
    assert_eq!(guesses, [&[401; 10][..], &[429; 1]].concat());
    assert_eq!(try_in(home, Some(&cookie)).await, 200);
    assert_eq!(try_in(cafe, None).await, 200);
    // After three months nobody is known any more.
    clock.advance(91 * DAY_MS);
    for _ in 0..10 {
        guess(strange).await;
    }
    assert_eq!((try_in(home, None).await, try_in(home, Some(&cookie)).await), (429, 429));
}

#[tokio::test]
async fn guesses_are_counted_on_all_nodes() {
    let first = TestServer::start_with(Engine::Postgres, |config| {
        behind_a_proxy(config);
        config.login_failures_per_account = 3;
    })
    .await;
    let (url, key) = (first.app.config.database_url.clone(), first.app.config.data_dir.join("master.key"));
    let second = TestServer::start_with(Engine::Sqlite, |config| {
        behind_a_proxy(config);
        config.login_failures_per_account = 3;
        (config.database_url, config.master_key_file) = (url, Some(key));
    })
    .await;
    assert_eq!(status(login(&first, "198.51.100.1", ADMIN_EMAIL, ADMIN_PASSWORD)).await, 200);
    let mut guesses = Vec::new();
    for server in [&first, &second, &first, &second, &first] {
        guesses.push(status(login(server, "203.0.113.5", ADMIN_EMAIL, "wrong")).await);
    }
    assert_eq!(guesses, [401, 401, 401, 429, 429]);
    assert_eq!(status(login(&second, "198.51.100.1", ADMIN_EMAIL, ADMIN_PASSWORD)).await, 200);
}

#[tokio::test]
async fn of_many_at_once_most_are_told_to_come_again_and_the_owner_gets_in() {
    let (server, _) = start(|config| {
        config.login_failures_per_account = 0;
        config.login_failures_per_address = 0;
    })
    .await;
    assert_eq!(status(login(&server, "198.51.100.1", ADMIN_EMAIL, ADMIN_PASSWORD)).await, 200);
    let server = Arc::new(server);
    let mut crowd = JoinSet::new();
    for n in 0..200 {
        let server = Arc::clone(&server);
        crowd.spawn(async move {
            let address = format!("203.0.113.{}", n % 4);
            let answer = login(&server, &address, &format!("{n}@example.com"), "wrong").send().await.unwrap();
            let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().to_owned());
            (answer.status().as_u16(), wait)
        });
    }
    // The owner comes when the queue of strangers has no place left.
    let mut answers = Vec::new();
    while answers.last().is_none_or(|(status, _)| *status != 429) {
        answers.push(crowd.join_next().await.expect("somebody is told to come again").unwrap());
    }
    let owner = status(login(&server, "198.51.100.1", ADMIN_EMAIL, ADMIN_PASSWORD)).await;
    assert_eq!(owner, 200);
    answers.extend(crowd.join_all().await);
    let refused = answers.iter().filter(|answer| **answer == (429, Some("2".to_owned()))).count();
    let wrong = answers.iter().filter(|answer| **answer == (401, None)).count();
    assert_eq!(refused + wrong, 200, "{answers:?}");
    assert!(refused >= 100 && wrong >= 8, "{refused} of 200 were told to come again");
    assert!(server.reached(Limit::LoginQueueOfAddress) > 0);
}

#[tokio::test]
async fn how_long_it_took_does_not_say_whether_somebody_exists() {
    let (server, _) = start(|_| {}).await;
    tally::begin();
    // How often something was written, and into which of the two tables.
    let mut written = Vec::new();
    for email in [ADMIN_EMAIL, "nobody@example.com"] {
        tally::take();
        let begun = Instant::now();
        assert_eq!(status(login(&server, "203.0.113.5", email, "wrong")).await, 401);
        assert!(begun.elapsed() >= Duration::from_millis(195), "{email}: {:?}", begun.elapsed());
        let inserts = |(sql, count): (String, Count)| {
            let into = sql.trim_start().strip_prefix("insert into ")?;
            ["audit_log", "sign_in_failures"]
                .iter()
                .any(|table| into.starts_with(table))
                .then_some(count.runs)
        };
        written.push(tally::take().into_iter().filter_map(inserts).sum::<u64>());
    }
    assert_eq!(written, [3, 3], "by the account, by the address, and the refusal");
}

#[tokio::test]
async fn pages_of_other_sites_sign_nobody_in() {
    let (server, _) = start(|_| {}).await;
    let body = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).to_string();
    let post = |path: &str, headers: &[(&str, &str)]| {
        let request = server.request(Method::POST, path).body(body.clone());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let json = ("Content-Type", "application/json");
    let no_json =
        "415 unsupported_media_type The body must be JSON, sent with \"Content-Type: application/json\".";
    let foreign = "403 csrf_refused A page of another site may not do this in somebody's browser.";
    let refused: [(&[(&str, &str)], &str); 8] = [
        (&[], no_json),
        (&[("Content-Type", "text/plain")], no_json),
        (&[("Content-Type", "application/x-www-form-urlencoded")], no_json),
        (&[("Content-Type", "text/plain"), ("Sec-Fetch-Site", "same-origin")], no_json),
        (&[json, ("Sec-Fetch-Site", "cross-site")], foreign),
        (&[json, ("Sec-Fetch-Site", "same-site")], foreign),
        (&[json, ("Origin", "https://evil.example")], foreign),
        (&[json, ("Origin", "null")], foreign),
    ];
    for path in ["/api/auth/login", "/api/auth/accept-invitation", "/api/auth/check-invitation"] {
        for (headers, expected) in refused {
            assert_eq!(refusal(post(path, headers)).await, expected, "{path} {headers:?}");
            let answer = post(path, headers).send().await.unwrap();
            assert!(answer.headers().get("set-cookie").is_none());
        }
    }
    let own = server.url("");
    let taken: [&[(&str, &str)]; 3] =
        [&[json], &[json, ("Sec-Fetch-Site", "same-origin")], &[json, ("Origin", &own)]];
    for headers in taken {
        assert_eq!(answer(post("/api/auth/login", headers)).await.0, 200, "{headers:?}");
    }
    let padded = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "x": "x".repeat(16 * 1024)});
    let large = server.request(Method::POST, "/api/auth/login").json(&padded);
    assert_eq!(refusal(large).await, "413 body_too_large The body is larger than 16 KiB.");
}
