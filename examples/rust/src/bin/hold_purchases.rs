//! Hold a purchase for review: a purchase is told to dregs, and waits for the scores that come of it. With
//! low Authenticity it is held until a reviewer closes the escalation; without any, as where neither a name
//! nor an address is known, until there is one; of whoever is labeled as bad, while they are.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use dregs::{Client, Event};
use dregs_examples::{Inbox, Problem, Reviews, serve, text, user, variable};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const CATEGORY: &str = "authenticity";
const SCORE_MIN: u64 = 40;

/// What a purchase waits for.
#[derive(Clone, Copy, PartialEq)]
enum Waits {
    Scores,
    Profile,
    Reviewer,
    /// That the label which says BAD is withdrawn, or one that says GOOD is given.
    Label,
    Nothing,
}

impl Waits {
    /// The status of the purchase, and the name of what it waits for.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Scores => ("PENDING", "SCORES"),
            Self::Profile => ("HELD", "PROFILE"),
            Self::Reviewer => ("HELD", "REVIEWER"),
            Self::Label => ("HELD", "LABEL"),
            Self::Nothing => ("APPROVED", "NOTHING"),
        }
    }
}

struct Shop {
    inbox: Inbox,
    reviews: Reviews,
    dregs: Client,
    /// By the id of the order: the user, and what it waits for.
    purchases: Mutex<BTreeMap<String, (String, Waits)>>,
    /// The newest score of each user who was scored.
    scores: Mutex<HashMap<String, Option<u64>>>,
}

impl Shop {
    /// Has the purchases of a user that wait for one of these wait for something else.
    fn settle(&self, user: &str, before: &[Waits], after: Waits) {
        let mut purchases = self.purchases.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, waits) in
            purchases.values_mut().filter(|(buyer, waits)| buyer == user && before.contains(waits))
        {
            *waits = after;
        }
    }

    /// What a purchase of a user waits for who is not labeled as bad, by the newest score.
    fn by_score(&self, user: &str) -> Waits {
        match self.scores.lock().unwrap_or_else(PoisonError::into_inner).get(user) {
            None => Waits::Scores,
            Some(None) => Waits::Profile,
            Some(Some(score)) if *score < SCORE_MIN && !self.reviews.has_cleared(user, CATEGORY) => {
                Waits::Reviewer
            }
            Some(Some(_)) => Waits::Nothing,
        }
    }
}

async fn webhook(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Result<(), StatusCode> {
    let Some(event) = shop.inbox.open(&headers, &body)? else { return Ok(()) };
    shop.reviews.take(&event);
    let (user, is_scored) = (event.user.as_str(), event.name == "IDENTITY_SCORED");
    if is_scored {
        let score = event.score(CATEGORY);
        shop.scores.lock().unwrap_or_else(PoisonError::into_inner).insert(user.to_owned(), score);
    }
    if shop.reviews.is_bad(user) {
        shop.settle(user, &[Waits::Scores, Waits::Profile, Waits::Reviewer], Waits::Label);
        return Ok(());
    }
    shop.settle(user, &[Waits::Label], shop.by_score(user));
    if is_scored {
        shop.settle(user, &[Waits::Scores, Waits::Profile], shop.by_score(user));
    } else if shop.reviews.has_cleared(user, CATEGORY) {
        shop.settle(user, &[Waits::Reviewer], Waits::Nothing);
    }
    Ok(())
}

async fn buy(
    State(shop): State<Arc<Shop>>,
    headers: HeaderMap,
    Json(order): Json<Value>,
) -> Result<(StatusCode, Json<Value>), StatusCode> {
    let user = Some(user(&headers)).filter(|user| !user.is_empty());
    let user = user.ok_or(StatusCode::UNAUTHORIZED)?;
    let id = text(&order, "id")?;
    let amount = &order["amount"];
    let is_amount = amount.as_f64().is_some_and(|amount| (0.0..1e12).contains(&amount));
    if !is_amount || !(order["buyer"].is_null() || order["buyer"].is_object()) {
        return Err(StatusCode::BAD_REQUEST);
    }
    // Before it is told: the scores may come before the answer does.
    let is_new = {
        let mut purchases = shop.purchases.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !purchases.contains_key(id);
        let (buyer, _) = purchases.entry(id.to_owned()).or_insert_with(|| (user.clone(), Waits::Scores));
        if *buyer != user {
            return Err(StatusCode::CONFLICT);
        }
        is_new
    };
    // An order may be called anything, and an event may not. The same order is the same event, however often
    // it is sent.
    let event_id = hex::encode(Sha256::digest(id));
    let mut event =
        Event::new("purchase", user).event_id(event_id).data(json!({"order": id, "amount": amount}));
    if order["buyer"].is_object() {
        event = event.identity_data(order["buyer"].clone());
    }
    match shop.dregs.track(event).await {
        Ok(_) => Ok((StatusCode::ACCEPTED, Json(json!({})))),
        Err(error) if error.status() == Some(400) => {
            // Of what it is not told, no scores come.
            if is_new {
                shop.purchases.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
            }
            Ok((StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))))
        }
        Err(_) => Ok((StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": "Try again."})))),
    }
}

async fn status(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let purchases = shop.purchases.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, waits) = purchases.get(&id).ok_or(StatusCode::NOT_FOUND)?;
    let (status, waits_for) = waits.names();
    Ok(Json(json!({"status": status, "waitsFor": waits_for})))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Problem> {
    let dregs = Client::builder()
        .secret_key(variable("DREGS_SECRET_KEY", "a secret key of your team, sk_…")?)
        .base_url(variable("DREGS_BASE_URL", "the address of the API, such as http://127.0.0.1:8080/api")?)
        .build()?;
    let (inbox, reviews) = (Inbox::from_env()?, Reviews::default());
    let shop =
        Arc::new(Shop { inbox, reviews, dregs, purchases: Mutex::default(), scores: Mutex::default() });
    let router = Router::new()
        .route("/purchases", post(buy))
        .route("/purchases/{*id}", get(status))
        .route("/webhooks/dregs", post(webhook));
    serve(router.with_state(shop)).await
}
