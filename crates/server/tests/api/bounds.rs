//! How much a team can make: all that it can, and then no more.

use dregs_core::counter::{Counter, Function};
use dregs_core::fact::Fact;
use dregs_core::list::ListType;
use dregs_core::mapping::MappingKind;
use dregs_server::app::App;
use dregs_server::ops::bounds;
use dregs_server::store::bounds::Thing;
use dregs_server::store::credentials::{self, NewCredential};
use dregs_server::store::lists::{self, TeamList};
use dregs_server::store::rules::{self, Kept};
use dregs_server::store::teams::{self, Invitation};
use dregs_server::store::users::{self, Role};
use dregs_server::store::{Result, Tx, counters, mappings, mcp_tokens};
use dregs_server::values;
use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, session, team};
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer};

/// Makes the n-th of something for a team, of which the person is.
type Make = fn(&mut Tx, i64, i64, i64) -> Result<()>;

const NOW: dregs_core::time::Timestamp = dregs_core::time::Timestamp::from_millis(1_000_000_000_000);

fn invitation(team_id: i64, n: i64) -> Invitation {
    Invitation {
        id: 0,
        team_id,
        email: format!("{n}@example.com"),
        role: Role::User,
        invited_by: "ada@example.com".into(),
        created_at: NOW,
        expires_at: dregs_core::time::Timestamp::from_millis(i64::MAX / 2),
    }
}

fn credential(tx: &mut Tx, team_id: i64, _: i64, n: i64) -> Result<()> {
    let (public_key, secret_hash) = (format!("pk_{n}"), n.to_be_bytes().to_vec());
    let (name, allowed_origins) = ("More".into(), Vec::new());
    let new = NewCredential { name, public_key, secret_hash, allowed_origins, rate_per_second: None };
    credentials::insert(tx, team_id, &new, NOW).map(drop)
}

fn badge_rule(tx: &mut Tx, team_id: i64, _: i64, n: i64) -> Result<()> {
    let mut rule = dregs_core::rules::starter_rules().badges.remove(0);
    (rule.name, rule.slug) = (format!("Rule {n}"), format!("rule-{n}"));
    rules::insert_badge(
        tx,
        &Kept { team_id, version: 1, enabled: false, rule, created_at: NOW, updated_at: NOW },
    )
    .map(drop)
}

fn escalation_rule(tx: &mut Tx, team_id: i64, _: i64, n: i64) -> Result<()> {
    let mut rule = dregs_core::rules::starter_rules().escalations.remove(0);
    rule.name = format!("Rule {n}");
    rules::insert_escalation(
        tx,
        &Kept { team_id, version: 1, enabled: false, rule, created_at: NOW, updated_at: NOW },
    )
    .map(drop)
}

fn list(tx: &mut Tx, team_id: i64, _: i64, n: i64) -> Result<()> {
    let list = TeamList {
        id: 0,
        team_id,
        slug: format!("list-{n}"),
        name: format!("List {n}"),
        description: None,
        list_type: ListType::Text,
        trusted: false,
        revision: 1,
        removals_since: 0,
        entry_count: 0,
        created_at: NOW,
        updated_at: NOW,
    };
    lists::insert(tx, &list).map(drop)
}

/// Makes all that are missing up to and with the n-th at once: they are many.
fn entries(tx: &mut Tx, team_id: i64, _: i64, n: i64) -> Result<()> {
    tx.execute(
        "insert into dataset_entries (team_id, dataset, value, included, created_at)
         with recursive n (x) as (select 0 union all select x + 1 from n where x < $2)
         select $1, 'disposable-email-domains', x || '.example', 1, 0 from n where true on conflict do nothing",
        &values![team_id, n],
    )?;
    Ok(())
}

/// Every route that makes one more, with a body that would; and what fills what it makes. Channels have a test of
/// their own, so have labels, and views another message.
fn cases() -> Vec<(&'static str, Value, bounds::Bound, Make)> {
    let condition = json!([{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}]);
    let mapping: Make = |tx, team_id, _, n| {
        mappings::insert(tx, team_id, MappingKind::EventType, &format!("event_{n}"), None, NOW).map(drop)
    };
    let counter: Make = |tx, team_id, _, n| {
        let counter = Counter {
            id: 0,
            revision: 0,
            slug: format!("counter-{n}"),
            name: format!("Counter {n}"),
            function: Function::Count,
            per: Fact::Device,
            conditions: Vec::new(),
            window_seconds: 60,
            counts_from: NOW,
            is_ready: false,
        };
        counters::insert(tx, &counters::Kept { team_id, counter, created_at: NOW, updated_at: NOW }).map(drop)
    };
    let token: Make = |tx, team_id, user_id, n| {
        mcp_tokens::insert(tx, team_id, user_id, "More", &n.to_be_bytes(), NOW).map(drop)
    };
    let invited: Make =
        |tx, team_id, _, n| teams::invite(tx, &invitation(team_id, n), &n.to_be_bytes()).map(drop);
    let badge = json!({"name": "One more", "type": "BAD", "conditions": condition});
    let escalation = json!({"name": "One more", "severity": "INFO", "conditions": condition});
    let event_type = json!({"kind": "EVENT_TYPE", "source": "one_more", "target": null});
    vec![
        ("/api/credentials", json!({"name": "One more"}), bounds::CREDENTIALS, credential),
        ("/api/mcp-tokens", json!({"name": "One more"}), bounds::MCP_TOKENS, token),
        (
            "/api/team/invitations",
            json!({"email": "more@example.com", "role": "USER"}),
            bounds::INVITATIONS,
            invited,
        ),
        ("/api/badge-rules", badge, bounds::BADGE_RULES, badge_rule),
        ("/api/escalation-rules", escalation, bounds::ESCALATION_RULES, escalation_rule),
        ("/api/mappings", event_type, bounds::MAPPINGS, mapping),
        ("/api/lists", json!({"name": "One more", "type": "TEXT"}), bounds::LISTS, list),
        (
            "/api/counters",
            json!({"name": "One more", "function": "COUNT", "per": "device", "windowSeconds": 60}),
            bounds::COUNTERS,
            counter,
        ),
        (
            "/api/datasets/common-email-domains/entries",
            json!({"value": "more.example", "included": true}),
            bounds::DATASET_ENTRIES,
            entries,
        ),
    ]
}

/// Fills what there is of something up to `left` below its bound.
async fn fill(app: &App, bound: bounds::Bound, (team_id, user_id): (i64, i64), make: Make, left: i64) {
    let owner = if bound.owner == "team" { team_id } else { user_id };
    let fill = move |tx: &mut Tx| {
        let there = dregs_server::store::bounds::count(tx, bound.thing, owner)?;
        let missing = there..bound.max - left;
        let missing = if bound.thing == Thing::DatasetEntry { missing.end - 1..missing.end } else { missing };
        missing.into_iter().try_for_each(|n| make(tx, team_id, user_id, n))
    };
    app.store.write(fill).await.unwrap();
}

#[tokio::test]
async fn everything_that_is_made_has_a_limit() {
    let server = TestServer::start(Engine::Sqlite).await;
    let team = team(&server.app).await;
    let admin = session(&server.app, team, Role::Admin).await;
    let as_admin = |path: &str| server.request(Method::POST, path).bearer_auth(&admin);
    let (_, me) = answer(server.request(Method::GET, "/api/auth/me").bearer_auth(&admin)).await;
    let owners = (team, me["id"].as_i64().unwrap());
    for (path, body, bound, make) in cases() {
        fill(&server.app, bound, owners, make, 1).await;
        let (status, answer) = answer(as_admin(path).json(&body)).await;
        assert_eq!(status, 201, "there is room for the last of {}: {answer}", bound.what);
        let other = |key: &str| body[key].as_str().map(|text| json!(format!("other{text}")));
        let mut another = body.clone();
        for key in ["name", "email", "source", "value"] {
            if let Some(value) = other(key) {
                another[key] = value;
            }
        }
        let said = refusal(as_admin(path).json(&another)).await;
        assert_eq!(
            said,
            format!("400 bad_request A {} has at most {} {}.", bound.owner, bound.max, bound.what)
        );
        assert!(server.reached(bound.limit) > 0, "{}", bound.what);
    }
    // Somebody who is invited takes a place as well.
    let token = "inv_last";
    let join =
        move |tx: &mut Tx| teams::invite(tx, &invitation(team, -1), &dregs_server::vault::token_hash(token));
    server.app.store.write(join).await.unwrap();
    let person: Make = |tx, team_id, _, n| {
        users::insert(tx, team_id, &format!("m{n}@example.com"), "", Role::Viewer, NOW).map(drop)
    };
    fill(&server.app, bounds::MEMBERS, owners, person, 0).await;
    let accept = server.request(Method::POST, "/api/auth/accept-invitation");
    let said = refusal(accept.json(&json!({"token": token, "password": "long enough a password"}))).await;
    assert_eq!(said, "400 bad_request A team has at most 1000 members.");
    assert!(server.reached(bounds::MEMBERS.limit) > 0);
}

#[test]
fn every_route_that_makes_something_is_in_the_table() {
    let document = serde_json::to_value(dregs_server::http::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut makes: Vec<_> = paths
        .iter()
        .filter(|(_, item)| item["post"]["responses"]["201"].is_object())
        .map(|(path, _)| path.as_str())
        .collect();
    let mut known: Vec<_> =
        cases().into_iter().map(|(path, ..)| path.replace("common-email-domains", "{slug}")).collect();
    // Of a person or a case: the table of limits names their tests.
    let others = ["/api/auth/passkeys", "/api/auth/second-factor", "/api/escalations/{id}/notes"];
    known.extend(others.map(str::to_owned));
    known.extend(
        ["/api/channels", "/api/teams", "/api/views", "/api/identities/{id}/actions/label"]
            .map(str::to_owned),
    );
    makes.sort_unstable();
    known.sort_unstable();
    assert_eq!(makes, known);
}
