//! What ties identities together, through a running server.

use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, event, eventually};

on_both_engines!(
    a_cluster_goes_from_device_to_device_and_has_an_end,
    a_device_that_has_changed_in_one_part_links_while_it_counts,
    a_ring_that_uses_one_code_in_one_rhythm_is_found
);

fn on_device(id: &str, user: &str, device: &str, ip: &str) -> Value {
    let mut event = event(id, user);
    event["device"] = json!({ "fingerprint": device });
    event["ip"] = json!(ip);
    event["identity"]["data"] = json!({});
    event
}

async fn cluster(server: &TestServer, user: &str) -> (Vec<String>, usize, bool) {
    let cluster = server.get(&format!("/api/identities/{user}/cluster")).await;
    let members = cluster["members"].as_array().unwrap().iter();
    (
        members.map(|member| member["id"].as_str().unwrap().to_owned()).collect(),
        cluster["links"].as_array().unwrap().len(),
        cluster["isWhole"].as_bool().unwrap(),
    )
}

async fn a_cluster_goes_from_device_to_device_and_has_an_end(engine: Engine) {
    let server = TestServer::start(engine).await;
    let ring = json!([
        on_device("e1", "ada", "d1", "203.0.113.1"),
        on_device("e2", "bob", "d1", "203.0.113.2"),
        on_device("e3", "bob", "d2", "203.0.113.2"),
        on_device("e4", "eve", "d2", "203.0.113.3"),
        on_device("e5", "neighbour", "d3", "203.0.113.3"),
        on_device("e6", "staff", "d2", "203.0.113.9"),
    ]);
    server.post("/api/events/batch", ring).await;
    server.patch("/api/identities/staff", json!({"disregarded": true})).await;
    let whole = ["ada", "bob", "eve"].map(str::to_owned).to_vec();
    assert_eq!(cluster(&server, "ada").await, (whole, 2, true));
    assert_eq!(cluster(&server, "neighbour").await, (vec!["neighbour".to_owned()], 0, true));
    let read = server.get("/api/identities/ada/cluster").await;
    let link = &read["links"][0];
    assert_eq!(
        json!([link["sourceIdentityId"], link["targetIdentityId"], link["type"]]),
        json!(["ada", "bob", "SAME_DEVICE"])
    );

    let chain: Vec<_> = (0..120_u32)
        .map(|n| {
            on_device(
                &format!("c{n}"),
                &format!("c{}", n / 2),
                &format!("chain{}", n.div_ceil(2)),
                "10.0.0.1",
            )
        })
        .collect();
    server.post("/api/events/batch", json!(chain)).await;
    let (members, links, is_whole) = cluster(&server, "c0").await;
    assert_eq!((members.len(), links, is_whole), (50, 49, false));
    assert_eq!(members[..3], ["c0", "c1", "c2"]);
}

async fn a_device_that_has_changed_in_one_part_links_while_it_counts(engine: Engine) {
    let server = TestServer::start(engine).await;
    let told = async |user: &str, canvas: &str, cores: u8| {
        let mut told = event(user, user);
        told["identity"]["data"] = json!({});
        told["device"] = json!({"components": {
            "canvas": canvas, "audio": 124.04, "screenResolution": "[1920,1080]", "hardwareConcurrency": cores,
        }});
        server.post("/api/events", told).await["fingerprint"].as_str().unwrap().to_owned()
    };
    let first = told("ada", "before", 8).await;
    told("bob", "after", 8).await;
    told("eve", "another", 4).await;
    let linked = async |user: &str| {
        let links = server.get(&format!("/api/identities/{user}/links")).await;
        let links = links.as_array().unwrap().iter();
        let shown = links
            .map(|link| json!([link["targetIdentityId"], link["type"], link["value"], link["confidence"]]));
        shown.collect::<Vec<_>>()
    };
    assert_eq!(linked("ada").await, [json!(["bob", "SAME_DEVICE", 0.6, 0.5])]);
    assert_eq!(linked("eve").await, [] as [Value; 0]);
    let said = async |user: &str, words: &str| {
        eventually(words, async || server.analysis(user).await.to_string().contains(words).then_some(()))
            .await;
    };
    said("bob", "2 accounts appeared on nearly the same device").await;
    server.post("/api/identities/ada/actions/analyze", json!({})).await;
    said("ada", "2 accounts appeared on nearly the same device").await;
    server.patch(&format!("/api/devices/{first}"), json!({"disregarded": true})).await;
    assert_eq!(linked("ada").await, [] as [Value; 0], "who leaves out a device leaves out those near to it");
    said("ada", "No other account was seen on its 1 device.").await;
}

async fn a_ring_that_uses_one_code_in_one_rhythm_is_found(engine: Engine) {
    const STEPS: [(&str, &str); 8] = [
        ("signup", "08:00:00"),
        ("page_view", "08:00:03"),
        ("page_view", "08:00:08"),
        ("search", "08:00:40"),
        ("page_view", "08:00:42"),
        ("cart_updated", "08:01:40"),
        ("promo_redeemed", "08:06:40"),
        ("purchase", "08:06:41"),
    ];
    let server = TestServer::start(engine).await;
    for member in ["one", "two", "three", "four"] {
        let steps = STEPS.iter().enumerate().map(|(n, (name, time))| {
            let mut event = event(&format!("{member}-{n}"), member);
            event["type"] = json!(name);
            event["timestamp"] = json!(format!("2026-11-01T{time}Z"));
            event["identity"]["data"] = json!({});
            event["session"] = json!(member);
            if *name == "promo_redeemed" {
                event["data"] = json!({"promoCode": "FRIEND-1"});
            }
            event
        });
        server.post("/api/events/batch", json!(steps.collect::<Vec<_>>())).await;
    }
    let links = server.get("/api/identities/four/links").await;
    let types: Vec<_> = links.as_array().unwrap().iter().map(|link| &link["type"]).collect();
    assert_eq!(types, ["SIMILAR_BEHAVIOR"; 3], "{links}");
    for words in [
        "3 other accounts took the same first 8 steps at the same pace",
        "3 other accounts used the same promotion or referral code",
    ] {
        eventually(words, async || server.analysis("four").await.to_string().contains(words).then_some(()))
            .await;
    }
}
