//! Hold a purchase for review: a purchase is told to dregs, and waits for the scores that come of it. With
//! low Authenticity it is held until a reviewer closes the escalation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use dregs::{Client, Event};
use dregs_examples::{Inbox, serve, user};
use serde_json::{Value, json};

const AUTHENTICITY_MIN: u64 = 40;

struct Shop {
    inbox: Inbox,
    dregs: Client,
    /// By id: the user and the status.
    purchases: Mutex<BTreeMap<String, (String, &'static str)>>,
}

impl Shop {
    /// Moves the purchases of a user from one status to another.
    fn settle(&self, user: &str, from: &str, to: &'static str) {
        let mut purchases = self.purchases.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, status) in purchases.values_mut().filter(|(buyer, status)| buyer == user && *status == from) {
            *status = to;
        }
    }
}

async fn webhook(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Result<(), StatusCode> {
    let Some(event) = shop.inbox.open(&headers, &body)? else { return Ok(()) };
    match event.name.as_str() {
        "IDENTITY_SCORED" => {
            let is_low = event.score("authenticity").is_some_and(|score| score < AUTHENTICITY_MIN);
            shop.settle(&event.user, "PENDING", if is_low { "HELD" } else { "APPROVED" });
        }
        "ESCALATION_CLOSED" => shop.settle(&event.user, "HELD", "APPROVED"),
        _ => {}
    }
    Ok(())
}

async fn buy(
    State(shop): State<Arc<Shop>>,
    headers: HeaderMap,
    Json(order): Json<Value>,
) -> Result<StatusCode, StatusCode> {
    let user = user(&headers);
    let id = order["id"].as_str().ok_or(StatusCode::BAD_REQUEST)?.to_owned();
    // Before it is told: the scores may come before the answer does.
    let purchase = (user.clone(), "PENDING");
    shop.purchases.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), purchase);
    let event = Event::new("purchase", user).event_id(&id).data(json!({"amount": order["amount"]}));
    shop.dregs.track(event).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::ACCEPTED)
}

async fn status(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let purchases = shop.purchases.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, status) = purchases.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({"status": status})))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dregs = Client::builder()
        .secret_key(std::env::var("DREGS_SECRET_KEY")?)
        .base_url(std::env::var("DREGS_URL")?)
        .build()?;
    let shop = Arc::new(Shop { inbox: Inbox::from_env(), dregs, purchases: Mutex::default() });
    let router = Router::new()
        .route("/purchases", post(buy))
        .route("/purchases/{id}", get(status))
        .route("/webhooks/dregs", post(webhook));
    Ok(serve(router.with_state(shop)).await?)
}
