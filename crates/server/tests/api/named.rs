//! Filters of lists that name what does not exist: what the team has is known, whom events tell of need not be.

use dregs_server::channels::outcome::ErrorClass;
use dregs_server::store::badges;
use dregs_server::store::escalations::Severity;
use dregs_server::store::identities;
use reqwest::Method;
use serde_json::{Value, json};

use super::{RULE, escalation, refusal, team, with_json};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::TestServer;

on_both_engines!(a_filter_names_what_there_is_or_was);

async fn a_filter_names_what_there_is_or_was(engine: Engine) {
    let server = TestServer::start(engine).await;
    let (channel, _) = server.channel("App", json!({"url": "http://127.0.0.1:9/"})).await;
    server.track("e1", "ada").await;
    let badge = json!({"name": "Night owl", "type": "NEUTRAL",
        "conditions": [{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 1}]});
    server.post("/api/badge-rules", badge).await;
    let rules = server.get("/api/escalation-rules").await;
    let first = &rules["content"][0];
    let (first_id, first_name) = (first["id"].as_i64().unwrap(), first["name"].as_str().unwrap());
    // Of a rule that is gone, one escalation is left; and one badge.
    escalation(&server.app, "ada", Severity::Info).await;
    let team_id = team(&server.app).await;
    let carried = move |tx: &mut dregs_server::store::Tx| {
        let ada = identities::find(tx, team_id, "ada")?.unwrap().row_id;
        badges::change(tx, &[(team_id, "once-given".to_owned(), ada)], &[])
    };
    server.app.store.write(carried).await.unwrap();

    let log = format!("/api/channels/{channel}/deliveries");
    let total = async |path: &str| server.get(path).await["totalElements"].clone();
    let log_of = |query: &str| format!("{log}?{query}");
    for (path, expected) in [
        ("/api/identities?badge=night-owl".to_owned(), 0),
        ("/api/identities?badge=card-testing".to_owned(), 0),
        ("/api/identities?badge=once-given".to_owned(), 1),
        (format!("/api/escalations?rule={first_id}"), 0),
        (format!("/api/escalations?rule={RULE}"), 1),
        (log_of("errorClass=smtp_reply"), 0),
        (log_of("errorClass=SKIPPED"), 0),
        (log_of("errorClass=held"), 0),
        // Whom and what events tell of may come yet.
        ("/api/identities?device=never-seen".to_owned(), 0),
        ("/api/identities?group=never-seen&groupType=never".to_owned(), 0),
        ("/api/events?identity=never-seen&device=never-seen&session=never-seen".to_owned(), 0),
        ("/api/devices?identity=never-seen".to_owned(), 0),
        ("/api/groups?identity=never-seen&type=never".to_owned(), 0),
        ("/api/escalations?identity=never-seen".to_owned(), 0),
        (log_of("identity=never-seen"), 0),
        // Forms send what nobody filled in: it filters nothing.
        ("/api/identities?badge=&term=&group=&groupType=&device=&disregarded=&humanityMin=&sort=&pageSize=".to_owned(), 1),
        ("/api/identities?badge".to_owned(), 1),
        ("/api/identities?badge=&badge=card-testing".to_owned(), 0),
        ("/api/escalations?rule=".to_owned(), 1),
        ("/api/escalations?rule=&status=&severity=&identity=&order=&pageNumber=".to_owned(), 1),
        ("/api/events?identity=&device=&session=&from=&to=".to_owned(), 1),
        ("/api/devices?term=&identity=&disregarded=".to_owned(), 0),
        ("/api/groups?term=&type=&identity=".to_owned(), 0),
        (log_of("errorClass=&status=&identity=never-seen&from=&to="), 0),
    ] {
        assert_eq!(total(&path).await, expected, "{path}");
    }

    for class in ErrorClass::ALL.map(ErrorClass::code) {
        assert!(total(&log_of(&format!("errorClass={class}"))).await.is_u64(), "{class}");
    }

    let slugs = "night-owl, account-takeover-suspected, registration-bombing, card-testing, confirmed-bad";
    for (path, message) in [
        (
            "/api/identities?badge=night-oll".to_owned(),
            "badge: is the slug of no badge; did you mean night-owl?".to_owned(),
        ),
        (
            "/api/identities.csv?badge=card_testing".to_owned(),
            "badge: is the slug of no badge; did you mean card-testing?".to_owned(),
        ),
        (
            format!("/api/escalations?rule={}", first_name.to_lowercase().replace(' ', "%20")),
            format!("rule: is the number of no escalation rule; did you mean {first_id} ({first_name})?"),
        ),
        (log_of("errorClass=timout"), "errorClass: is no class of errors; did you mean timeout?".to_owned()),
    ] {
        assert_eq!(refused(&server, &path).await, format!("400 bad_request {message}"), "{path}");
    }
    for (path, start, end) in [
        ("/api/identities?badge=xyz", "badge: is the slug of no badge; there are ", slugs),
        ("/api/escalations?rule=999", "rule: is the number of no escalation rule; there are ", ""),
        (
            &log_of("errorClass=xyz"),
            "errorClass: is no class of errors; there are dns, ",
            "held, skipped, superseded",
        ),
    ] {
        let said = refused(&server, path).await;
        assert!(
            said.starts_with(&format!("400 bad_request {start}")) && said.ends_with(end),
            "{path}: {said}"
        );
    }
}

async fn refused(server: &TestServer, path: &str) -> String {
    refusal(with_json(server, Method::GET, path, &Value::Null)).await
}
