//! The vendor's Rust client, every method of it.

use dregs::{
    Client, Error, Escalation, EscalationSeverity, EscalationStatus, Event, Group, Identity, IdentityUpdate,
    ItemStream, ListDevices, ListEscalations, ListEvents, ListGroups, ListIdentities, Order, Page,
    TrackedEvent,
};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::{ADA, Scene, expected, pretty};
use crate::support::server::{SECRET_KEY, eventually};

fn connect(secret_key: &str, base_url: &str) -> Client {
    Client::builder().secret_key(secret_key).base_url(base_url).max_retries(0).build().unwrap()
}

async fn collect<T>(stream: ItemStream<T>) -> Vec<T> {
    stream.try_collect().await.unwrap()
}

fn numbers<T>(page: &Page<T>) -> Value {
    json!([
        page.items.len(),
        page.page_number,
        page.page_size,
        page.total_pages,
        page.total_elements,
        page.first,
        page.last
    ])
}

fn ids(identities: &[Identity]) -> Vec<String> {
    identities.iter().map(|identity| identity.id.clone().unwrap()).collect()
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

async fn identities(client: &Client) -> Value {
    let api = client.identities();
    let every = ids(&collect(api.list_all(by_id().page_size(2))).await);
    let page = api.list(by_id().page(1).page_size(3)).await.unwrap();
    let newest = api.list(ListIdentities::new().page_size(100)).await.unwrap();
    let updated: Vec<_> = newest.iter().map(|identity| identity.updated_at.unwrap()).collect();
    let list = async |params: ListIdentities| {
        let found = api.list(params).await.unwrap();
        json!([found.total_elements, sorted(ids(&found.items))])
    };
    let filtered = json!({
        "term": list(ListIdentities::new().term("D.USER@")).await,
        "group": list(ListIdentities::new().group("t/1").group_type("team")).await,
        "device": list(ListIdentities::new().device("f/1")).await,
        "badge": list(ListIdentities::new().badge("trusted")).await,
    });
    let of_type = api.list(ListIdentities::new().group_type("team").page_size(1)).await.unwrap();
    let (mut read, mut agree, mut scored) = (Vec::new(), true, true);
    for id in &every {
        let identity = api.get(id).await.unwrap();
        let scores = api.scores(id).await.unwrap();
        let values =
            |scores: &dregs::Scores| scores.iter().map(|s| (s.category, s.value)).collect::<Vec<_>>();
        agree &= values(&scores) == values(&identity.scores());
        scored &= !scores.is_empty();
        read.push(identity);
    }
    let analysis = api.analysis(ADA).await.unwrap();
    let before = analysis.id.unwrap();
    let history = api.history(ADA, Some(1)).await.unwrap();
    let links = api.links(ADA).await.unwrap();
    api.analyze(ADA).await.unwrap();
    let update = IdentityUpdate::new().disregarded(true).attributes(json!({"plan": "pro"}));
    let changed = api.update("a/b", update).await.unwrap();
    eventually("the cycle that was asked for", async || {
        (api.analysis(ADA).await.unwrap().id > Some(before)).then_some(())
    })
    .await;
    let review = api.review(ADA, Some("This is a customer of many years.")).await.unwrap();
    let reviews = eventually("the review", async || {
        let reviews = api.reviews(ADA).await.unwrap();
        (reviews[0].status.as_deref() != Some("PENDING")).then_some(reviews)
    })
    .await;
    let is_share = |number: Option<f64>| number.is_some_and(|number| number > 0.0 && number <= 1.0);
    json!({
        "every": every,
        "page": [numbers(&page), ids(&page.items)],
        "newestFirst": updated.is_sorted_by(|one, next| one >= next),
        "filtered": filtered,
        "ofGroupType": of_type.total_elements,
        "emails": read.iter().map(|identity| &identity.display_email).collect::<Vec<_>>(),
        "names": read.iter().map(|identity| &identity.display_name).collect::<Vec<_>>(),
        "scored": scored,
        "scoresAgree": agree,
        "analysis": [analysis.identity_id, analysis.event_count, analysis.device_count],
        "cycle": api.analysis_cycle(ADA, before).await.unwrap() == analysis,
        "observations": analysis.observations().all(|o| {
            let said = [&o.id, &o.label, &o.explanation].iter().all(|text| text.is_some());
            let numbers = [o.value, o.confidence];
            said && numbers.iter().all(|n| n.is_some_and(|n| (0.0..=1.0).contains(&n)))
        }),
        "history": history.iter().map(|entry| {
            let humanity = entry.humanity == analysis.scores.humanity();
            json!([entry.cycle_id == Some(before), entry.event_count, humanity])
        }).collect::<Vec<_>>(),
        "links": links.iter().map(|link| json!([
            link.identity_id,
            link.link_type,
            is_share(link.value),
            is_share(link.confidence),
            link.explanation.is_some(),
            link.created_at.is_some()
        ])).collect::<Vec<_>>(),
        "analyzed": null,
        "changed": [changed.id, changed.disregarded, changed.data["plan"]],
        "review": [review.identity_id, review.status, review.feedback, review.completed_at.map(|at| at.to_rfc3339())],
        "reviews": reviews.iter().map(|r| json!([
            r.id == review.id,
            r.status,
            r.summary.is_some(),
            r.raw["reviewer"],
            r.error_message
        ])).collect::<Vec<_>>(),
    })
}

fn by_id() -> ListIdentities {
    ListIdentities::new().sort("id").order(Order::Asc)
}

async fn groups(client: &Client) -> Value {
    let api = client.groups();
    let new = |data: Value| Group::new("Work Space", "g 1/%").data(data);
    let made = api.create(new(json!({"name": "Acme", "plan": "pro"}))).await.unwrap();
    let merged = api.create(new(json!({"plan": null, "seats": 5}))).await.unwrap();
    let changed = api.update("work_space", "g 1/%", json!({"seats": 6})).await.unwrap();
    api.create(Group::new("work_space", "g2")).await.unwrap();
    api.add_member("work_space", "g 1/%", "emoji 🦊").await.unwrap();
    api.add_member("work_space", "g 1/%", "emoji 🦊").await.unwrap();
    let counted = api.get("work_space", "g 1/%").await.unwrap();
    let of_identity = ListGroups::new().identity("emoji 🦊");
    let listed = api.list(of_identity.clone().sort("displayName").order(Order::Asc)).await.unwrap();
    api.remove_member("work_space", "g 1/%", "emoji 🦊").await.unwrap();
    let left = api.list(of_identity.group_type("work_space")).await.unwrap();
    let every = ListGroups::new().page_size(1).sort("id").order(Order::Asc);
    let by_term = api.list(ListGroups::new().term("acm")).await.unwrap();
    let id = |group: &dregs::TrackedGroup| group.id.clone();
    json!({
        "made": [made.group_type, made.id, made.display_name, made.identity_count, made.data],
        "merged": merged.data,
        "changed": changed.data,
        "added": [null, counted.identity_count],
        "ofIdentity": listed.iter().map(|g| json!([g.group_type, g.id, g.data])).collect::<Vec<_>>(),
        "removed": [null, left.items.len()],
        "every": collect(api.list_all(every)).await.iter().map(id).collect::<Vec<_>>(),
        "byTerm": by_term.iter().filter_map(id).collect::<std::collections::BTreeSet<_>>(),
        "ofTeam": api.get("Team", "t/1").await.unwrap().identity_count,
    })
}

async fn events(client: &Client, generated: &str) -> Value {
    let api = client.events();
    let one = api.get("order 1/%🦊").await.unwrap();
    let list = async |params: ListEvents| api.list(params).await.unwrap().into_vec();
    let of_session = list(ListEvents::new().session("s3")).await;
    let name = |event: &TrackedEvent| {
        let id = event.id.clone().unwrap();
        if id == generated { "generated".to_owned() } else { id }
    };
    let found = |events: &[TrackedEvent]| sorted(events.iter().map(name).collect());
    let every =
        collect(api.list_all(ListEvents::new().page_size(3).sort("timestamp").order(Order::Asc))).await;
    let identity = one.identity.as_ref().unwrap();
    let first = &of_session[0];
    json!({
        "one": [one.id, one.name, one.source, one.data, one.fingerprint, one.session, one.timestamp.is_some()],
        "identity": [identity.id, identity.label, identity.path],
        "groups": one.groups.iter().map(|g| json!([g.group_type, g.id, g.label, g.path])).collect::<Vec<_>>(),
        "canonical": one.canonical_type,
        "found": {
            "identity": found(&list(ListEvents::new().identity(ADA)).await),
            "group": found(&list(ListEvents::new().group("t/1").group_type("team")).await),
            "groupType": found(&list(ListEvents::new().group_type("team")).await),
            "device": found(&list(ListEvents::new().device("f/1")).await),
            "session": found(&of_session),
            "term": found(&list(ListEvents::new().term("ORDER.P")).await),
        },
        "every": every.iter().map(|event| &event.id).collect::<std::collections::BTreeSet<_>>().len(),
        "inOrder": every.is_sorted_by_key(|event| event.timestamp),
        "browser": [first.session, first.ip, first.url],
    })
}

async fn devices(client: &Client) -> Value {
    let api = client.devices();
    let one = api.get("f/1").await.unwrap();
    let print = |device: &dregs::Device| device.fingerprint.clone().unwrap();
    let list =
        async |params: ListDevices| api.list(params).await.unwrap().iter().map(print).collect::<Vec<_>>();
    json!({
        "one": [one.fingerprint, one.ip, one.user_agent, one.disregarded, one.first_seen_at <= one.last_seen_at],
        "changed": api.update("f/1", true).await.unwrap().disregarded,
        "back": api.update("f/1", false).await.unwrap().disregarded,
        "every": sorted(collect(api.list_all(ListDevices::new().page_size(2))).await.iter().map(print).collect()),
        "ofIdentity": list(ListDevices::new().identity(ADA)).await,
        "byTerm": list(ListDevices::new().term("203.0.113.4")).await,
    })
}

async fn escalations(client: &Client, scene: &Scene) -> Value {
    let api = client.escalations();
    let one = api.get(scene.escalation).await.unwrap();
    let wanted = ListEscalations::new()
        .status(EscalationStatus::Open)
        .severity(EscalationSeverity::Critical)
        .identity(ADA)
        .rule(scene.rule)
        .sort("openedAt")
        .order(Order::Desc);
    let found = api.list(wanted).await.unwrap();
    let summary = api.summary().await.unwrap();
    let changed = api.update(scene.escalation, EscalationStatus::Acknowledged).await.unwrap();
    let after = api.summary().await.unwrap();
    let status = |escalation: &Escalation| escalation.status.map(EscalationStatus::as_str);
    let (identity, rule) = (one.identity.as_ref().unwrap(), one.rule.as_ref().unwrap());
    json!({
        "one": [
            status(&one),
            one.severity.map(EscalationSeverity::as_str),
            identity.id,
            identity.path,
            rule.id,
            rule.label,
            one.scores,
            one.closed_at.map(|at| at.to_rfc3339())
        ],
        "found": found.iter().map(|escalation| escalation.id == one.id).collect::<Vec<_>>(),
        "every": collect(api.list_all(ListEscalations::new().page_size(1))).await.len(),
        "none": api.list(ListEscalations::new().status(EscalationStatus::Closed)).await.unwrap().items.len(),
        "changed": [status(&changed), changed.acknowledged_at.is_some()],
        "summaries": ([summary, after].map(|s| [s.open, s.acknowledged, s.closed])),
    })
}

/// What the client says went wrong, with the names that the Python client has for it.
fn told<T>(answer: Result<T, Error>) -> Value {
    let Err(error) = answer else { return Value::Null };
    let error = error.api_error().unwrap();
    let body = error.body.as_ref().unwrap();
    let kind = match error.kind {
        dregs::ApiErrorKind::BadRequest => "BadRequestError",
        dregs::ApiErrorKind::Authentication => "AuthenticationError",
        dregs::ApiErrorKind::QuotaExceeded => "QuotaExceededError",
        dregs::ApiErrorKind::PermissionDenied => "PermissionDeniedError",
        dregs::ApiErrorKind::NotFound => "NotFoundError",
        dregs::ApiErrorKind::RateLimited => "RateLimitError",
        dregs::ApiErrorKind::Server => "ServerError",
        other => panic!("{other:?}"),
    };
    let is_same_request = error.request_id.as_deref() == body["requestId"].as_str();
    let waits = error.retry_after.is_some_and(|wait| wait.as_secs() >= 1);
    json!([kind, error.status, body["code"], is_same_request, waits])
}

/// What is said to the first of a few events in a row that is one too many.
async fn refused(client: &Client) -> Value {
    for _ in 0..5 {
        let said = told(client.track(Event::new("t", "ada")).await);
        if !said.is_null() {
            return said;
        }
    }
    Value::Null
}

async fn errors(client: &Client, scene: &Scene) -> Value {
    let (stranger, viewer) =
        (connect("sk_unknown", &scene.base_url()), connect(&scene.viewer, &scene.base_url()));
    let [full, busy, broken] = scene.refusing().map(|base_url| connect(SECRET_KEY, &base_url));
    let identities = client.identities();
    json!({
        "badEvent": told(client.track(Event::new("x".repeat(101), "ada")).await),
        "badSort": told(identities.list(ListIdentities::new().sort("shoeSize")).await),
        "stranger": told(stranger.identities().scores(ADA).await),
        "full": told(full.track(Event::new("t", "ada")).await),
        "viewer": told(viewer.identities().update(ADA, IdentityUpdate::new().disregarded(true)).await),
        "noIdentity": told(identities.get("no/body").await),
        "noCycle": told(identities.analysis_cycle(ADA, 999).await),
        "noGroup": told(client.groups().get("team", "none").await),
        "noEvent": told(client.events().get("none").await),
        "noDevice": told(client.devices().get("none").await),
        "noEscalation": told(client.escalations().get(999).await),
        "busy": refused(&busy).await,
        "broken": told(broken.identities().links("ada").await),
    })
}

#[tokio::test]
async fn the_rust_client_can_do_all_it_can_do() {
    let scene = Scene::set().await;
    let client = connect(SECRET_KEY, &scene.base_url());
    let order = Event::new("order.placed", ADA)
        .data(json!({"total": 12, "cardNumber": "4111111111111111"}))
        .identity_data(json!({"email": "a.user@example.com"}))
        .groups([Group::organization("acme").data(json!({"name": "Acme"})), Group::new("Team", "t/1")])
        .event_id("order 1/%🦊")
        .timestamp(chrono::Utc::now())
        .source("shop");
    let tracked = client.track(order.clone()).await.unwrap();
    let again = client.track(order).await.unwrap();
    let generated = client.track(Event::new("page_viewed", ADA)).await.unwrap();
    eventually("ada's three events to be scored", async || {
        (client.identities().analysis(ADA).await.unwrap().event_count == Some(3)).then_some(())
    })
    .await;
    let said = json!({
        "tracked": [
            tracked.status,
            tracked.id,
            tracked.fingerprint,
            tracked.accepted(),
            again == tracked,
            generated.accepted()
        ],
        "identities": identities(&client).await,
        "groups": groups(&client).await,
        "events": events(&client, generated.id.as_ref().unwrap()).await,
        "devices": devices(&client).await,
        "escalations": escalations(&client, &scene).await,
        "errors": errors(&client, &scene).await,
        "notCalled": [],
    });
    assert_eq!(pretty(&said), pretty(&expected()));
}
