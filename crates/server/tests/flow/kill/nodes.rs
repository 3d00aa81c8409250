//! Several nodes on one PostgreSQL, of which one is killed or stands still again and again.

use std::time::Duration;

use dregs_core::common::HOLDERS_MIN;
use dregs_server::clock::{Clock as _, SystemClock};
use dregs_server::store::Tx;
use dregs_server::store::credentials::{self, Change};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::judge::set_rules;
use super::traffic::{Moods, Traffic};
use super::{
    ALL_EVENTS, QUIET_PATIENCE, SETTINGS, call, create_channel, end_leases, outcome, quiet, seed, show,
};
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::receiver::Receiver;
use crate::support::server::{ADMIN_EMAIL, ADMIN_PASSWORD, SECRET_KEY, answer, event, eventually};

const NODES: usize = 3;
const PEOPLE: usize = 60;
const FAULTS: usize = 6;
/// At once, over all nodes, each with so many batches of an event of each of the same people.
const SENDERS: usize = 24;
const BATCHES: usize = 12;
const SHARED: usize = 20;
/// A node stands still for longer than its share of work may wait in memory, and is not dead.
const STANDS_STILL: Duration = Duration::from_secs(3);
/// What one node changes holds on every other within this.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);

/// Nodes share what they seal with.
pub const MASTER_KEY: (&str, &str) =
    ("DREGS_MASTER_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

async fn start(site: &Site) -> Process {
    let mut node = site.start(None, &[SETTINGS[0], SETTINGS[1], MASTER_KEY]);
    assert!(node.is_ready().await);
    node
}

pub fn sites() -> [Site; NODES] {
    let first = Site::new(Engine::Postgres);
    let others = [first.beside(), first.beside()];
    let [second, third] = others;
    [first, second, third]
}

#[tokio::test]
async fn nodes_that_are_killed_or_stand_still_lose_nothing_and_do_no_harm() {
    let mut rng = StdRng::seed_from_u64(seed());
    let sites = sites();
    let receivers = [Moods::quick(rng.random()).await, Moods::quick(rng.random()).await];
    let mut nodes = Vec::new();
    for site in &sites {
        nodes.push(start(site).await);
    }
    let channels = [
        create_channel(&sites[0], "First", &receivers[0], &ALL_EVENTS).await,
        create_channel(&sites[0], "Second", &receivers[1], &ALL_EVENTS).await,
    ];
    set_rules(sites[0].address).await;

    let traffic = Traffic::default();
    let mut senders: Vec<_> = sites.iter().map(|site| traffic.start(site.address, &mut rng)).collect();
    for _ in 0..FAULTS {
        let victim = rng.random_range(0..NODES);
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..600))).await;
        if rng.random() {
            nodes.remove(victim).kill();
            nodes.insert(victim, start(&sites[victim]).await);
            senders[victim] = traffic.start(sites[victim].address, &mut rng);
        } else {
            nodes[victim].stop();
            tokio::time::sleep(STANDS_STILL).await;
            nodes[victim].go_on();
        }
    }
    drop(senders);
    end_leases(&sites[0], Engine::Postgres).await;
    let store = sites[0].open_store();
    quiet(&store, QUIET_PATIENCE).await;
    nodes.into_iter().for_each(Process::kill);

    let found = outcome::read(&store, &channels, &[&receivers[0], &receivers[1]]).await;
    show(&found.to_string());
    let mut complaints = traffic.ledger().compare(&found.events);
    complaints.extend(found.complaints());
    assert_eq!(complaints, Vec::<String>::new());
    assert!(found.decided() > 0, "no rule has decided anything");
}

/// Each of them locks what all of them write: no event is refused since others were faster.
#[tokio::test]
async fn nodes_that_are_told_of_the_same_people_at_once_take_every_event() {
    let sites = sites();
    let mut nodes = Vec::new();
    for site in &sites {
        nodes.push(start(site).await);
    }
    let senders = (0..SENDERS).map(|sender| {
        let url = format!("http://{}/api/events/batch", sites[sender % NODES].address);
        async move {
            let client = reqwest::Client::new();
            for batch in 0..BATCHES {
                let event = |n| event(&format!("event-{sender}-{batch}-{n}"), &format!("person-{n}"));
                let events: Vec<_> = (0..SHARED).map(event).collect();
                let answer = client.post(&url).bearer_auth(SECRET_KEY).json(&events).send().await.unwrap();
                let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
                assert_eq!(status, 200, "{body}");
                for one in body.as_array().unwrap() {
                    assert_eq!(one["status"], "success", "{one}");
                }
            }
        }
    });
    join_all(senders).await;
    let store = sites[0].open_store();
    let stored = store.read(|tx| tx.find("select count(*) from events", &[], |row| row.get(0))).await;
    assert_eq!(stored.unwrap(), Some((SENDERS * BATCHES * SHARED) as i64));
}

/// Who scores was told of nobody, and learns what the customer's backend sends for everybody no later than a server would
/// that is told of all.
#[tokio::test]
async fn a_node_learns_what_is_common_from_what_others_were_told() {
    let [site, other_site, _] = sites();
    let receiver = Receiver::answering(super::traffic::OK).await;
    let start_with = async |site: &Site, roles| {
        let mut node = site.start(None, &[SETTINGS[0], MASTER_KEY, ("DREGS_ROLES", roles)]);
        assert!(node.is_ready().await, "{}", node.log());
        node
    };
    let _api = start_with(&site, "api").await;
    let _rest = start_with(&other_site, "evaluate,deliver").await;
    create_channel(&site, "First", &receiver, &ALL_EVENTS).await;
    create_channel(&site, "Second", &receiver, &ALL_EVENTS).await;
    set_rules(site.address).await;
    tokio::time::sleep(KNOWN_WITHIN).await;
    for n in 0..PEOPLE {
        let sign_up = json!({
            "id": format!("signup-{n}"), "type": "user.signup", "userAgent": "python-requests/2.32.5",
            "ip": "203.0.113.7", "identity": {"id": format!("person-{n}")},
        });
        call(site.address, Method::POST, "/events", sign_up).await;
    }
    eventually("everybody to be set right", async || {
        let path = format!("/identities/person-{}", PEOPLE - 1);
        let last = call(site.address, Method::GET, &path, Value::Null).await;
        let open = call(site.address, Method::GET, "/escalations?status=OPEN", Value::Null).await;
        (last["lastScoredAt"].is_string() && open["totalElements"] == 0).then_some(())
    })
    .await;
    let store = site.open_store();
    let accused = store.read(|tx| {
        tx.get("select count(distinct identity_id) from escalations", &[], |row| row.get::<i64>(0))
    });
    let accused = usize::try_from(accused.await.unwrap()).unwrap();
    show(&format!("{accused} of {PEOPLE} were accused before it was known"));
    assert!((1..HOLDERS_MIN).contains(&accused), "{accused}");
}

#[tokio::test]
async fn what_one_node_takes_away_is_gone_on_every_node() {
    let sites = sites();
    let receiver = Receiver::answering(super::traffic::OK).await;
    let mut nodes = Vec::new();
    for site in &sites {
        nodes.push(start(site).await);
    }
    let (channel_id, _) = create_channel(&sites[0], "App", &receiver, &ALL_EVENTS[..1]).await;
    tokio::time::sleep(KNOWN_WITHIN).await;
    for (n, site) in sites.iter().enumerate() {
        call(site.address, Method::POST, "/events", event(&format!("before-{n}"), &format!("user-{n}")))
            .await;
    }
    let store = sites[0].open_store();
    quiet(&store, QUIET_PATIENCE).await;
    assert_eq!(receiver.requests().len(), NODES, "a new channel hears of what each node is told");

    call(sites[1].address, Method::PATCH, &format!("/channels/{channel_id}"), json!({"enabled": false}))
        .await;
    tokio::time::sleep(KNOWN_WITHIN).await;
    for (n, site) in sites.iter().enumerate() {
        call(site.address, Method::POST, "/events", event(&format!("after-{n}"), &format!("user-{n}"))).await;
    }
    let waits = |tx: &mut Tx| {
        tx.get("select count(*) from identities where evaluate_at is not null", &[], |row| row.get::<i64>(0))
    };
    while store.read(waits).await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(receiver.requests().len(), NODES, "one that is disabled hears of nothing");

    // A member who is signed in at one node, and demoted at another.
    let ask = async |site: &Site, method: Method, path: &str, token: &str, body: Value| {
        let request = reqwest::Client::new().request(method, format!("http://{}/api{path}", site.address));
        answer(request.bearer_auth(token).json(&body)).await
    };
    let sign_in = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let admin = call(sites[0].address, Method::POST, "/auth/login", sign_in).await["token"].clone();
    let admin = admin.as_str().unwrap();
    let invitation = json!({"email": "eve@example.com", "role": "ADMIN"});
    let (_, invited) = ask(&sites[0], Method::POST, "/team/invitations", admin, invitation).await;
    let accepting = json!({"token": invited["token"], "name": "Eve", "password": ADMIN_PASSWORD});
    let eve = call(sites[1].address, Method::POST, "/auth/accept-invitation", accepting).await;
    let (token, id) = (eve["token"].as_str().unwrap(), &eve["user"]["id"]);
    let rename =
        async |site: &Site| ask(site, Method::PATCH, "/team", token, json!({"name": "Eve's"})).await.0;
    assert_eq!(rename(&sites[1]).await, StatusCode::OK);
    let path = format!("/team/members/{id}");
    let (status, said) = ask(&sites[0], Method::PATCH, &path, admin, json!({"role": "VIEWER"})).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    tokio::time::sleep(KNOWN_WITHIN).await;
    for site in &sites {
        assert_eq!(rename(site).await, StatusCode::FORBIDDEN);
    }

    let now = SystemClock.now();
    let revoke = move |tx: &mut Tx| {
        let own = credentials::all(tx)?.remove(0);
        let off = Change { enabled: Some(false), ..Change::default() };
        credentials::update(tx, own.team_id, own.id, &off, now)
    };
    store.write(revoke).await.unwrap();
    tokio::time::sleep(KNOWN_WITHIN).await;
    for site in &sites {
        let request = reqwest::Client::new().post(format!("http://{}/api/events", site.address));
        let answer = request.bearer_auth(SECRET_KEY).json(&Value::Null).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
}
