//! Rules that ask about events: what each event and its identity say decides, live as in the past told again.

use dregs_core::time::{MINUTE_MS, Timestamp};
use dregs_server::store::Tx;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, event, eventually, settled};

on_both_engines!(
    a_rule_is_asked_at_the_events_it_names,
    a_rule_about_what_is_known_holds_at_once,
    a_rule_asks_how_long_an_email_address_has_been_known,
    a_rule_asks_for_lists_and_counters,
    a_rule_that_is_made_later_begins_with_the_newest_event,
    a_rule_that_is_changed_keeps_those_whom_it_still_means,
    what_has_happened_opens_nothing_whatever_has_everybody_scored_again,
    a_counter_that_two_rules_ask_for_counts_once_in_their_comparison,
    who_is_labeled_good_is_left_alone_until_it_happens_again,
    what_cannot_be_asked_is_refused_by_its_place,
    the_past_told_again_opens_what_was_opened_live,
);

const WAIT: &str = "/api/events?wait=10000";
const RULES: &str = "/api/escalation-rules";

fn rule(name: &str, conditions: Value) -> Value {
    json!({"name": name, "severity": "INFO", "conditions": conditions})
}

fn purchase(id: &str, user: &str, amount: f64) -> Value {
    let mut bought = event(id, user);
    bought["type"] = json!("checkout.completed");
    bought["data"] = json!({"amount": amount, "items": [{"sku": "a"}, {"sku": "gift-card"}]});
    bought
}

/// The names of the escalations that are open after an event.
async fn open_after(server: &TestServer, event: Value) -> Vec<String> {
    let answer = server.post(WAIT, event).await;
    assert_eq!(answer["decision"]["pending"], false, "{answer}");
    let open = answer["decision"]["openEscalations"].as_array().unwrap().iter();
    let mut names: Vec<_> =
        open.map(|one| one["rule"]["label"].as_str().unwrap_or_default().to_owned()).collect();
    names.retain(|name| !name.starts_with("Probably") && !name.starts_with("Very"));
    names.sort();
    names
}

/// Without the rules a team begins with.
async fn bare(engine: Engine) -> TestServer {
    let server = TestServer::start(engine).await;
    for rules in ["/api/badge-rules", RULES] {
        let path = format!("{rules}?pageSize=100");
        for rule in server.get(&path).await["content"].as_array().unwrap() {
            let path = format!("{rules}/{}?force=true", rule["id"]);
            let path = if rules == RULES { path.replace("?force=true", "") } else { path };
            assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
        }
    }
    server
}

async fn a_rule_is_asked_at_the_events_it_names(engine: Engine) {
    let server = bare(engine).await;
    let large = json!([
        {"type": "EVENT_IS", "events": ["PURCHASE"]},
        {"type": "FACT_GT", "fact": "event.data.amount", "value": 500},
    ]);
    server.post(RULES, rule("Large", large.clone())).await;
    let badge = json!({"name": "Gifts", "type": "NEUTRAL", "priority": 1, "conditions": [
        {"type": "EVENT_IS", "events": ["checkout.completed"]},
        {"type": "FACT_CONTAINS", "fact": "event.data.items.sku", "value": "GIFT"},
        {"type": "NOT", "condition": {"type": "FACT_EQ", "fact": "email.domain", "value": "example.org"}},
    ]});
    server.post("/api/badge-rules", badge).await;
    assert_eq!(open_after(&server, event("e1", "ada")).await, [] as [&str; 0]);
    assert_eq!(open_after(&server, purchase("e2", "ada", 700.0)).await, ["Large"]);
    let badges = server.get("/api/identities/ada").await["badges"].clone();
    let gifts = badges.as_array().unwrap().iter().find(|badge| badge["slug"] == "gifts").unwrap();
    let why = "The event is checkout.completed; the event's \"items.sku\" is \"a\", \"gift-card\", with \"GIFT\" in it; \
               not: the e-mail domain is \"example.org\".";
    assert_eq!(gifts["explanation"], why);
    // Others have nothing to do with it.
    assert_eq!(open_after(&server, event("e3", "ada")).await, ["Large"]);
    assert_eq!(open_after(&server, event("e4", "bob")).await, [] as [&str; 0]);
    let asked = json!({"conditions": large});
    let preview = server.post(&format!("{RULES}/actions/preview"), asked.clone()).await;
    assert_eq!((&preview["matching"], &preview["sample"][0]["id"]), (&json!(1), &json!("ada")));
    assert_eq!(open_after(&server, purchase("e5", "ada", 500.0)).await, [] as [&str; 0]);
    let preview = server.post(&format!("{RULES}/actions/preview"), asked.clone()).await;
    assert_eq!(preview["matching"], 0);
    let past = server.post(&format!("{RULES}/actions/backtest"), asked).await;
    assert_eq!((&past["opened"], &past["identities"]), (&json!(1), &json!(1)));
}

/// What happened before a person said that it is fine accuses nobody, whatever is asked once more.
async fn who_is_labeled_good_is_left_alone_until_it_happens_again(engine: Engine) {
    let server = bare(engine).await;
    let large = json!([{"type": "EVENT_IS", "events": ["PURCHASE"]}, {"type": "FACT_GT", "fact": "event.data.amount", "value": 500}]);
    let rules = [
        (RULES, rule("Large", large.clone())),
        ("/api/badge-rules", json!({"name": "Spender", "type": "BAD", "conditions": large})),
    ];
    let mut made = Vec::new();
    for (path, rule) in rules {
        made.push((format!("{path}/{}", server.post(path, rule.clone()).await["id"]), rule));
    }
    let slugs = async || {
        let badges = server.get("/api/identities/ada").await["badges"].clone();
        let slugs = badges.as_array().unwrap().iter().map(|badge| badge["slug"].as_str().unwrap().to_owned());
        slugs.filter(|slug| slug == "spender").collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    let mut of_a_fast_clock = purchase("e1", "ada", 700.0);
    of_a_fast_clock["timestamp"] = json!(server.app.clock.now().plus_millis(MINUTE_MS).to_string());
    assert_eq!(open_after(&server, of_a_fast_clock).await, ["Large"]);
    assert_eq!(slugs().await, ["spender"]);
    server.post("/api/identities/ada/actions/label", json!({"outcome": "GOOD"})).await;
    settled(&server).await;
    assert_eq!(slugs().await, none);
    let open = server.get("/api/escalations?status=OPEN&identity=ada").await;
    assert_eq!(open["totalElements"], 0, "the label closes it");
    for enabled in [false, true] {
        for (path, rule) in &mut made {
            rule["enabled"] = json!(enabled);
            assert_eq!(server.call(Method::PUT, path, Some(rule.clone())).await.0, 200);
        }
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        settled(&server).await;
    }
    assert_eq!(open_after(&server, event("e2", "ada")).await, none);
    assert_eq!(open_after(&server, purchase("e3", "ada", 7.0)).await, none);
    assert_eq!(slugs().await, none);
    assert_eq!(open_after(&server, purchase("e4", "ada", 800.0)).await, ["Large"]);
    assert_eq!(slugs().await, ["spender"]);
    server.post("/api/identities/ada/actions/label", json!({"outcome": "GOOD"})).await;
    assert_eq!(
        open_after(&server, purchase("e5", "ada", 900.0)).await,
        ["Large"],
        "without any that is small between"
    );
    assert_eq!(slugs().await, ["spender"]);
}

async fn a_rule_about_what_is_known_holds_at_once(engine: Engine) {
    let server = bare(engine).await;
    let mut known = event("e1", "ada");
    known["identity"]["data"]["plan"] = json!("Free");
    open_after(&server, known).await;
    open_after(&server, event("e2", "bob")).await;
    let free = json!([{"type": "FACT_EQ", "fact": "identity.data.plan", "value": "free"}]);
    server.post(RULES, rule("Free", free)).await;
    // Nobody has to do anything.
    let open = eventually("an escalation", async || {
        let open = server.get("/api/escalations").await["content"].clone();
        (open.as_array()?.len() == 1).then_some(open)
    })
    .await;
    assert_eq!(open[0]["identity"]["id"], "ada");
}

async fn a_rule_asks_how_long_an_email_address_has_been_known(engine: Engine) {
    let server = bare(engine).await;
    let new = json!([{"type": "FACT_LT", "fact": "email.ageSeconds", "value": 3_600}]);
    server.post(RULES, rule("New address", new.clone())).await;
    let at = |id: &str, hours: i64, email: Option<&str>| {
        let mut step = event(id, "ada");
        step["timestamp"] = json!(server.app.clock.now().plus_millis(-hours * 60 * MINUTE_MS).to_string());
        step["identity"]["data"] = email.map_or(json!({}), |email| json!({"email": email}));
        step
    };
    let none: [&str; 0] = [];
    assert_eq!(open_after(&server, at("e1", 9, None)).await, none, "there is none");
    assert_eq!(open_after(&server, at("e2", 8, Some("ada@example.com"))).await, ["New address"]);
    assert_eq!(open_after(&server, at("e3", 3, None)).await, none, "since five hours");
    assert_eq!(open_after(&server, at("e4", 2, Some("ADA@example.com "))).await, none, "it is the same");
    assert_eq!(open_after(&server, at("e5", 1, Some("lovelace@example.com"))).await, ["New address"]);
    let preview = server.post(&format!("{RULES}/actions/preview"), json!({"conditions": new})).await;
    assert_eq!(preview["matching"], 1);
    assert_eq!(open_after(&server, at("e6", 0, None)).await, none);
    let past = server.post(&format!("{RULES}/actions/backtest"), json!({"conditions": new})).await;
    assert_eq!(past["opened"], 2);
    let preview = server.post(&format!("{RULES}/actions/preview"), json!({"conditions": new})).await;
    assert_eq!(preview["matching"], 0);
}

async fn a_rule_asks_for_lists_and_counters(engine: Engine) {
    let server = bare(engine).await;
    for (name, list_type) in [("Office", "NETWORK"), ("Banned", "IDENTITY")] {
        server.post("/api/lists", json!({"name": name, "type": list_type})).await;
    }
    let lists = server.get("/api/lists").await;
    let id = |slug: &str| {
        let mut all = lists.as_array().unwrap().iter();
        all.find(|list| list["slug"] == slug).unwrap()["id"].as_i64().unwrap()
    };
    let counter = json!({"name": "On an address", "function": "DISTINCT", "of": "identity.id", "per": "ip", "windowSeconds": 3_600});
    server.post("/api/counters", counter).await;
    // What it asks for is not ready yet: then it is asked again.
    let many = json!([{"type": "COUNTER_GT", "counter": "on-an-address", "value": 2}]);
    server.post(RULES, rule("Many", many)).await;
    let listed = json!([{"type": "IN_LIST", "fact": "identity.id", "list": "banned"}]);
    server.post(RULES, rule("Banned", listed)).await;
    let abroad = json!([{"type": "NOT_IN_LIST", "fact": "ip", "list": "office"}]);
    server.post(RULES, rule("Abroad", abroad)).await;
    let at = |id: &str, user: &str, ip: &str| {
        let mut login = event(id, user);
        login["ip"] = json!(ip);
        login
    };
    server
        .post(
            &format!("/api/lists/{}/entries", id("office")),
            json!({"entries": [{"value": "203.0.113.0/24"}]}),
        )
        .await;
    assert_eq!(open_after(&server, at("e1", "ada", "203.0.113.7")).await, [] as [&str; 0]);
    assert_eq!(open_after(&server, at("e2", "bob", "198.51.100.7")).await, ["Abroad"]);
    let open = async |rule: &'static str, user: &'static str| {
        let path = format!("/api/escalations?status=OPEN&identity={user}");
        let open = server.get(&path).await["content"].clone();
        open.as_array().unwrap().iter().any(|one| one["escalationRule"]["label"] == rule)
    };
    // Whoever is put on a list is looked at again.
    server
        .post(&format!("/api/lists/{}/entries", id("banned")), json!({"entries": [{"value": "ada"}]}))
        .await;
    eventually("ada to be found", async || open("Banned", "ada").await.then_some(())).await;
    for (number, user) in ["kim", "eve"].into_iter().enumerate() {
        server.post(WAIT, at(&format!("f{number}"), user, "203.0.113.7")).await;
    }
    eventually("many on one address", async || {
        server.post("/api/identities/eve/actions/analyze", Value::Null).await;
        open("Many", "eve").await.then_some(())
    })
    .await;
    // The office may share its address once it is trusted.
    server.patch(&format!("/api/lists/{}", id("office")), json!({"trusted": true})).await;
    eventually("the office to be trusted", async || (!open("Many", "eve").await).then_some(())).await;
    // Of a list that is gone nothing is said of anybody.
    server.patch(&format!("/api/lists/{}", id("office")), json!({"trusted": false})).await;
    assert_eq!(server.call(Method::DELETE, &format!("/api/lists/{}", id("office")), None).await.0, 204);
    eventually("nobody to be abroad", async || {
        server.post("/api/identities/bob/actions/analyze", Value::Null).await;
        (!open("Abroad", "bob").await).then_some(())
    })
    .await;
}

async fn a_rule_that_is_made_later_begins_with_the_newest_event(engine: Engine) {
    let server = bare(engine).await;
    let large = json!([
        {"type": "EVENT_IS", "events": ["PURCHASE"]},
        {"type": "FACT_GT", "fact": "event.data.amount", "value": 500},
    ]);
    let first = server.post(RULES, rule("Large", large.clone())).await;
    assert_eq!(open_after(&server, event("e1", "ada")).await, [] as [&str; 0]);
    let path = format!("{RULES}/{}", first["id"]);
    assert_eq!(server.call(Method::DELETE, &path, None).await.0, 204);
    // Nobody asks about these.
    assert_eq!(open_after(&server, purchase("e2", "ada", 700.0)).await, [] as [&str; 0]);
    assert_eq!(open_after(&server, event("e3", "ada")).await, [] as [&str; 0]);
    server.post(RULES, rule("Large", large)).await;
    assert_eq!(open_after(&server, event("e4", "ada")).await, [] as [&str; 0], "it is long past");
    assert_eq!(open_after(&server, purchase("e5", "ada", 700.0)).await, ["Large"]);
}

async fn what_has_happened_opens_nothing_whatever_has_everybody_scored_again(engine: Engine) {
    let server = bare(engine).await;
    for (n, user) in ["ada", "bob"].into_iter().enumerate() {
        assert_eq!(open_after(&server, purchase(&format!("p{n}"), user, 700.0)).await, [] as [&str; 0]);
    }
    let large = json!([
        {"type": "EVENT_IS", "events": ["PURCHASE"]},
        {"type": "FACT_GT", "fact": "event.data.amount", "value": 500},
    ]);
    let above = |amount: u32| json!([{"type": "FACT_GT", "fact": "event.data.amount", "value": amount}]);
    let spender = |amount| json!({"name": "Spender", "type": "NEUTRAL", "conditions": above(amount)});
    server.post(RULES, rule("Large", large)).await;
    // The first event of somebody who was scored before any rule asked about events.
    assert_eq!(open_after(&server, purchase("first", "bob", 600.0)).await, ["Large"]);
    // This one asks about the newest event of everybody.
    let made = server.post("/api/badge-rules", spender(100)).await;
    settled(&server).await;
    let ada = server.get("/api/identities/ada/decision").await;
    assert_eq!(
        (&ada["openEscalations"], &ada["badges"][0]["slug"]),
        (&json!([]), &json!("spender")),
        "{ada}"
    );
    let change =
        server.call(Method::PUT, &format!("/api/badge-rules/{}", made["id"]), Some(spender(5_000))).await;
    assert_eq!(change.0, 200);
    settled(&server).await;
    let ada = server.get("/api/identities/ada/decision").await;
    assert_eq!((&ada["openEscalations"], &ada["badges"]), (&json!([]), &json!([])), "{ada}");
    assert_eq!(open_after(&server, purchase("next", "ada", 600.0)).await, ["Large"]);
}

async fn a_rule_that_is_changed_keeps_those_whom_it_still_means(engine: Engine) {
    let server = bare(engine).await;
    let above = |amount: u32| {
        json!([
            {"type": "EVENT_IS", "events": ["PURCHASE"]},
            {"type": "FACT_GT", "fact": "event.data.amount", "value": amount},
        ])
    };
    let badge = |name: &str, amount| json!({"name": name, "type": "BAD", "conditions": above(amount)});
    let made = server.post(RULES, rule("Large", above(500))).await;
    let escalations = format!("{RULES}/{}", made["id"]);
    let made = server.post("/api/badge-rules", badge("Spender", 500)).await;
    let badges = format!("/api/badge-rules/{}", made["id"]);
    for (n, (user, amount)) in
        [("ada", 700.0), ("bob", 9_000.0), ("eve", 9_000.0), ("joe", 200.0)].into_iter().enumerate()
    {
        open_after(&server, purchase(&format!("p{n}"), user, amount)).await;
        // The purchase is not the newest event.
        open_after(&server, event(&format!("e{n}"), user)).await;
    }
    let dismissed = server
        .call(Method::POST, "/api/identities/eve/actions/dismiss-badge", Some(json!({"badge": "spender"})))
        .await;
    assert_eq!(dismissed.0, 200, "{dismissed:?}");
    let stands = async || {
        settled(&server).await;
        let mut all = Vec::new();
        for user in ["ada", "bob", "eve", "joe"] {
            let stand = server.get(&format!("/api/identities/{user}/decision")).await;
            let count = |list: &str| stand[list].as_array().unwrap().len();
            all.push((user, count("openEscalations"), count("badges"), count("matchedRules")));
        }
        all
    };
    let change = async |name: &str, amount| {
        for (path, body) in [(&escalations, rule(name, above(amount))), (&badges, badge(name, amount))] {
            assert_eq!(server.call(Method::PUT, path, Some(body)).await.0, 200);
        }
    };
    let all = [("ada", 1, 1, 2), ("bob", 1, 1, 2), ("eve", 1, 0, 1), ("joe", 0, 0, 0)];
    assert_eq!(stands().await, all);
    change("Renamed", 500).await;
    assert_eq!(stands().await, all);
    change("Renamed", 600).await;
    // Who has had a badge dismissed is asked by other conditions again.
    assert_eq!(stands().await, [("ada", 1, 1, 2), ("bob", 1, 1, 2), ("eve", 1, 1, 2), ("joe", 0, 0, 0)]);
    change("Renamed", 800).await;
    assert_eq!(stands().await, [("ada", 0, 0, 0), ("bob", 1, 1, 2), ("eve", 1, 1, 2), ("joe", 0, 0, 0)]);
    let opened = server.get("/api/escalations?pageSize=100").await;
    assert_eq!(opened["content"].as_array().unwrap().len(), 3, "nobody's was opened twice: {opened}");
    // What has happened opens nothing.
    change("Renamed", 100).await;
    assert_eq!(stands().await, [("ada", 0, 0, 0), ("bob", 1, 1, 2), ("eve", 1, 1, 2), ("joe", 0, 0, 0)]);
    assert_eq!(open_after(&server, purchase("again", "joe", 200.0)).await, ["Renamed"]);
}

async fn a_counter_that_two_rules_ask_for_counts_once_in_their_comparison(engine: Engine) {
    let server = bare(engine).await;
    make_counters(&server).await;
    let more_than = |count: u8| json!([{"type": "COUNTER_GT", "counter": SLUGS[0], "value": count}]);
    let made = server.post(RULES, rule("Two", more_than(1))).await;
    let path = format!("{RULES}/{}", made["id"]);
    assert_eq!(open_after(&server, event("e1", "ada")).await, [] as [&str; 0]);
    assert_eq!(open_after(&server, event("e2", "ada")).await, ["Two"]);
    let draft = rule("Three", more_than(2));
    assert_eq!(server.call(Method::PUT, &format!("{path}/draft"), Some(draft)).await.0, 200);
    let found = server.get(&format!("{path}/comparison")).await;
    let concerned = |of: &str| found[of]["concerned"]["identities"].clone();
    assert_eq!((concerned("rule"), concerned("other")), (json!(1), json!(0)), "{found}");
}

async fn what_cannot_be_asked_is_refused_by_its_place(engine: Engine) {
    let server = bare(engine).await;
    let deep = |levels: usize| {
        let leaf = json!({"type": "EVENT_IS", "events": ["LOGIN"]});
        (0..levels).fold(leaf, |inner, _| json!({"type": "NOT", "condition": inner}))
    };
    for (conditions, field) in [
        (json!([{"type": "FACT_GT", "fact": "event.data.amount", "value": "much"}]), "conditions[0].value"),
        (json!([{"type": "FACT_EQ", "fact": "event.amount", "value": 1}]), "conditions[0].fact"),
        (json!([{"type": "FACT_MATCHES", "fact": "ip", "pattern": "("}]), "conditions[0].pattern"),
        (
            json!([{"type": "ANY", "conditions": [
                {"type": "EVENT_IS", "events": ["LOGIN"]}, {"type": "BADGE_EXISTS", "badge": "nobody-gives-it"},
            ]}]),
            "conditions[0].conditions[1].badge",
        ),
        (
            json!([{"type": "NOT", "condition": {"type": "EVENT_IS", "events": []}}]),
            "conditions[0].condition.events",
        ),
        (json!([deep(4)]), "conditions"),
        (json!([{"type": "COUNTER_GT", "counter": "nobody-counts", "value": 1}]), "conditions[0].counter"),
        (
            json!([{"type": "ANY", "conditions": [{"type": "IN_LIST", "fact": "ip", "list": "none"}]}]),
            "conditions[0].conditions[0].list",
        ),
    ] {
        let (status, body) = server.call(Method::POST, RULES, Some(rule("Wrong", conditions.clone()))).await;
        assert_eq!(
            (status.as_u16(), &body["details"][0]["field"]),
            (400, &json!(field)),
            "{conditions}: {body}"
        );
    }
    // No e-mail address is on a list of networks.
    server.post("/api/lists", json!({"name": "Office", "type": "NETWORK"})).await;
    let email = json!([{"type": "NOT_IN_LIST", "fact": "email", "list": "office"}]);
    let (status, body) = server.call(Method::POST, RULES, Some(rule("Wrong", email))).await;
    assert_eq!(
        (status.as_u16(), &body["details"][0]),
        (
            400,
            &json!({"field": "conditions[0].list", "message":
            "must be of type EMAIL or EMAIL_DOMAIN or TEXT for the fact `email`; `office` is of type NETWORK"})
        )
    );
    for fact in ["ip", "ip.network", "event.data.address"] {
        let fits = rule(fact, json!([{"type": "IN_LIST", "fact": fact, "list": "office"}]));
        assert_eq!(server.call(Method::POST, RULES, Some(fits)).await.0, 201, "{fact}");
    }
    let right = rule("Right", json!([deep(3)]));
    assert_eq!(server.call(Method::POST, RULES, Some(right)).await.0, 201);
    let channel = json!({"type": "WEBHOOK", "name": "x", "events": ["IDENTITY_SCORED"],
        "config": {"url": "http://127.0.0.1:9/"}, "conditions": [{"type": "IN_LIST", "fact": "ip", "list": "none"}]});
    let (status, body) = server.call(Method::POST, "/api/channels", Some(channel)).await;
    assert_eq!(
        (status.as_u16(), &body["details"][0]["field"]),
        (400, &json!("conditions[0].list")),
        "{body}"
    );
}

/// Histories that are tried; `DREGS_TEST_CASES` has others tried.
const CASES: u32 = 12;

/// What happens in a history: by whom, what, with which amount and plan, and whether a cycle is waited for.
type Step = (u8, u8, u16, u8, bool);

fn condition(depth: u32) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        (0..3_u8).prop_map(|kind| json!({"type": "EVENT_IS", "events": [name(kind)]})),
        (0..1_000_u16)
            .prop_map(|value| json!({"type": "FACT_GT", "fact": "event.data.amount", "value": value})),
        (0..1_000_u16)
            .prop_map(|value| json!({"type": "FACT_LT", "fact": "event.data.amount", "value": value})),
        (0..3_u8).prop_map(|plan| json!({"type": "FACT_EQ", "fact": "identity.data.plan", "value": plan})),
        (0..3_u8).prop_map(|plan| json!({"type": "FACT_NE", "fact": "identity.data.plan", "value": plan})),
        (0..3_u8)
            .prop_map(|kind| json!({"type": "FACT_MATCHES", "fact": "event.type", "pattern": name(kind)})),
        (0..180_i64).prop_map(|minutes| {
            json!({"type": "FACT_LT", "fact": "email.ageSeconds", "value": minutes * 60})
        }),
        (0..3_u8).prop_map(|links| json!({"type": "FACT_GT", "fact": "identity.links", "value": links})),
        (0..100_u8)
            .prop_map(|score| json!({"type": "SCORE_LT", "category": "UNIQUENESS", "threshold": score})),
        (0..100_u8).prop_map(|score| json!({"type": "FACT_GT", "fact": "score.behavior", "value": score})),
        (0..3_usize, 0..6_u8)
            .prop_map(|(of, value)| json!({"type": "COUNTER_GT", "counter": SLUGS[of], "value": value})),
        (0..2_000_u16).prop_map(|value| json!({"type": "COUNTER_LT", "counter": SLUGS[2], "value": value})),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = || prop::collection::vec(condition(depth - 1), 1..3);
    prop_oneof![
        6 => leaf,
        1 => inner().prop_map(|conditions| json!({"type": "ALL", "conditions": conditions})),
        1 => inner().prop_map(|conditions| json!({"type": "ANY", "conditions": conditions})),
        1 => condition(depth - 1).prop_map(|condition| json!({"type": "NOT", "condition": condition})),
    ]
    .boxed()
}

/// Counters that rules ask for.
const SLUGS: [&str; 3] = ["events", "accounts", "spent"];

async fn make_counters(server: &TestServer) {
    let purchases = json!([{"type": "EVENT_IS", "events": ["PURCHASE"]}]);
    for body in [
        json!({"name": SLUGS[0], "function": "COUNT", "per": "identity.id", "windowSeconds": 3_600}),
        json!({"name": SLUGS[1], "function": "DISTINCT", "of": "identity.id", "per": "device", "windowSeconds": 3_600}),
        json!({"name": SLUGS[2], "function": "SUM", "of": "event.data.amount", "per": "identity.id",
            "windowSeconds": 7_200, "conditions": purchases}),
    ] {
        server.post("/api/counters", body).await;
    }
    eventually("counters to be ready", async || {
        let counters = server.get("/api/counters").await["content"].clone();
        counters.as_array()?.iter().all(|one| one["status"] == "READY").then_some(())
    })
    .await;
}

fn name(kind: u8) -> &'static str {
    ["login", "checkout.completed", "page.view"][usize::from(kind % 3)]
}

/// How many escalations a rule has opened.
async fn opened(server: &TestServer, rule: i64) -> i64 {
    let count = move |tx: &mut Tx| {
        tx.find(&format!("select count(*) from escalations where rule_id = {rule}"), &[], |row| row.get(0))
    };
    server.app.store.read(count).await.unwrap().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "it is no setting of the product")]
#[expect(clippy::print_stdout, reason = "how many were tried is a figure")]
async fn the_past_told_again_opens_what_was_opened_live(engine: Engine) {
    let cases = std::env::var("DREGS_TEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let mut runner = TestRunner::default();
    let histories = (
        prop::collection::vec(prop::collection::vec(condition(2), 1..4), 1..4),
        prop::collection::vec(any::<Step>(), 1..14),
    );
    let (mut tried, mut took_hold) = (0, 0);
    while tried < cases {
        // The past grows with each: another one begins with none.
        let server = bare(engine).await;
        make_counters(&server).await;
        let now = server.app.clock.now();
        for case in 0..25.min(cases - tried) {
            let (rules, steps) = histories.new_tree(&mut runner).unwrap().current();
            took_hold += agree(&server, &format!("case-{case}-"), &rules, (&steps, now)).await;
        }
        tried += 25.min(cases - tried);
    }
    println!(
        "{engine:?}: {tried} histories; their rules opened {took_hold} escalations, live as in the past told again"
    );
    assert!(took_hold > 0);
}

/// Plays a history and tells it again; answers how many escalations it opened.
async fn agree(
    server: &TestServer,
    of: &str,
    rules: &[Vec<Value>],
    (steps, now): (&[Step], Timestamp),
) -> i64 {
    let mut made = Vec::new();
    for (number, conditions) in rules.iter().enumerate() {
        let mut conditions = conditions.clone();
        // Of this history alone.
        conditions.push(json!({"type": "FACT_CONTAINS", "fact": "identity.id", "value": of}));
        let body = rule(&format!("{of}{number}"), json!(conditions));
        made.push((server.post(RULES, body).await["id"].as_i64().unwrap(), conditions));
    }
    for (number, (user, kind, amount, plan, waits)) in steps.iter().enumerate() {
        let is_last = number + 1 == steps.len();
        let mut step = event(&format!("{of}{number}"), &format!("{of}{}", user % 3));
        // Up to three hours ago, in any order.
        step["timestamp"] = json!(now.plus_millis(-i64::from(*amount) % 180 * MINUTE_MS).to_string());
        step["type"] = json!(name(*kind));
        step["data"] = json!({"amount": amount % 1_000});
        step["identity"]["data"]["plan"] = json!(plan % 3);
        step["identity"]["data"]["email"] = json!(format!("{}@example.com", user / 3 % 3));
        step["device"] = json!({"fingerprint": format!("{of}{}", plan % 2)});
        server.post(if *waits || is_last { WAIT } else { "/api/events" }, step).await;
    }
    eventually("nobody to wait", async || {
        let due = |tx: &mut Tx| {
            tx.find("select count(*) from identities where evaluate_at is not null", &[], |row| {
                row.get::<i64>(0)
            })
        };
        (server.app.store.read(due).await.unwrap() == Some(0)).then_some(())
    })
    .await;
    let mut took_hold = 0;
    for (id, conditions) in &made {
        let past = server.post(&format!("{RULES}/actions/backtest"), json!({"conditions": conditions})).await;
        let live = opened(server, *id).await;
        assert_eq!(past["opened"], live, "{of}: {} after {steps:?}", json!(conditions));
        took_hold += live;
        assert_eq!(server.call(Method::DELETE, &format!("{RULES}/{id}"), None).await.0, 204);
    }
    took_hold
}
