//! Every list of the API over a large store: each filter with each order on its first, its eleventh and its
//! ten-thousandth page.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::clock;
use crate::error::{Error, Result};
use crate::http::Connection;
use crate::latency::Latencies;
use crate::load::{head_as, write_request};
use crate::population::{self, Amount, Place};
use crate::report::{Report, Row, Target, Unit, progress};
use crate::rig::{Rig, Setting, Store, call};
use crate::server::{ADMIN_EMAIL, ADMIN_PASSWORD};

/// What the targets are for.
pub const TARGET: Amount = Amount { identities: 1_000_000, events: 10_000_000, deliveries: 5_000_000 };
const FIRST_TARGET: Target = Target::MostAndAim(1_000.0, 300.0);
const LIST_TARGET_MS: f64 = 100.0;
const SCORES_TARGET_MS: f64 = 5.0;

const PAGES: [u32; 3] = [0, 10, 10_000];
/// How often each call is made.
const TIMES: usize = 3;
const TIMES_IN_DOUBT: usize = 37;
const SCORE_CALLS: u64 = 5_000;

/// Words for `term`: one that is in everything, one in a few, one in nothing.
const TERMS: [&str; 3] = ["ada", "ada.4242", "zebra"];
const CATEGORIES: [&str; 4] = ["humanity", "authenticity", "uniqueness", "behavior"];

/// Fills a store and walks the lists of a server on it.
pub async fn run(setting: &Setting, store: Store<'_>, amount: Amount, report: &mut Report) -> Result<()> {
    let scenario = match store {
        Store::Sqlite => "lists",
        Store::Postgres(_) => "lists-postgres",
    };
    let rig = Rig::start(setting, store, &[]).await?;
    model(&rig).await?;
    progress("lists: filling the store");
    let rig = rig.refilled(setting, async |place: Place| population::fill(place, amount).await).await?;
    let mut caller = Caller::sign_in(rig.address()).await?;
    progress("lists: walking");
    let begun = clock::now();
    caller.get("/api/identities").await?;
    let first = (clock::now() - begun).as_secs_f64() * 1_000.0;
    let row = Row::new(scenario, "identities, the first call after a start", first, Unit::Milliseconds);
    report.add(if amount == TARGET { row.target(FIRST_TARGET) } else { row });
    for (path, calls) in calls(&mut caller).await? {
        // Lists that are kept in memory are read at their first call, which stands above for the largest.
        caller.get(calls.first().map_or(path.as_str(), String::as_str)).await?;
        let (mut all, mut worst) = (Latencies::default(), (0.0, String::new()));
        for call in calls {
            let mut one = caller.measure(&call, TIMES).await?;
            if one.clone().percentiles().p95 > LIST_TARGET_MS {
                // Of three, the slowest stands for the slowest twentieth: a call in doubt is made more often.
                one.merge(caller.measure(&call, TIMES_IN_DOUBT).await?);
            }
            let p95 = one.clone().percentiles().p95;
            if p95 > LIST_TARGET_MS {
                progress(&format!("{p95:.0} ms: {call}"));
            }
            if p95 > worst.0 {
                worst = (p95, call);
            }
            all.merge(one);
        }
        let target = |row: Row| if amount == TARGET { row.target(Target::Most(LIST_TARGET_MS)) } else { row };
        let row = |what: String, value| target(Row::new(scenario, what, value, Unit::Milliseconds));
        report.add(row(format!("{path}, p95"), all.percentiles().p95));
        let worst_call = worst.1.split_once('?').map_or("", |(_, query)| query).to_owned();
        report.add(row(format!("{path}, worst: {worst_call}"), worst.0));
    }
    let mut scores = Latencies::default();
    for number in 0..SCORE_CALLS {
        let identity = 1 + number * 7_919 % amount.identities;
        let begun = clock::now();
        caller.get(&format!("/api/identities/user-{identity}/scores")).await?;
        scores.add(clock::now() - begun);
    }
    let row = Row::new(scenario, "scores of an identity, p99", scores.percentiles().p99, Unit::Milliseconds);
    report.add(if amount == TARGET { row.target(Target::Most(SCORES_TARGET_MS)) } else { row });
    let memory = rig.bare.server.memory()?;
    report.add(Row::new(scenario, "resident at its peak", memory.resident_peak as f64, Unit::Bytes));
    Ok(())
}

/// One identity with all that can be filtered by, scored and told about.
pub async fn model(rig: &Rig) -> Result<()> {
    let event = json!({
        "id": "model", "type": "user.registration", "session": "model-session",
        "identity": {"id": "model", "data": {"email": "model@posteo.de", "name": "Mo Del", "username": "mo"}},
        "groups": [{"type": "organization", "id": "acme", "data": {"name": "Acme"}}],
        "device": {"fingerprint": "model-device"}, "ip": "203.0.113.9", "url": "https://shop.test/",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "data": {"plan": "pro", "referrer": "https://search.test/", "total": 12},
    });
    call(rig.address(), "POST", "/api/events", &event.to_string()).await?;
    for _ in 0..200 {
        let deliveries =
            call(rig.address(), "GET", "/api/channels/1/deliveries?status=DELIVERED", "").await?;
        if deliveries["totalElements"] == 1 {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Err(Error::Protocol("the model was not delivered".into()))
}

/// Somebody who may read every list.
struct Caller {
    connection: Connection,
    address: SocketAddr,
    token: String,
}

impl Caller {
    async fn sign_in(address: SocketAddr) -> Result<Self> {
        let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}).to_string();
        let session = call(address, "POST", "/api/auth/login", &login).await?;
        let token = session["token"].as_str().unwrap_or_default().to_owned();
        Ok(Self { connection: Connection::open(address).await?, address, token })
    }

    async fn ask(&mut self, path: &str) -> Result<(u16, Value)> {
        let mut request = Vec::new();
        let head = head_as(&self.token, self.address, "GET", path);
        write_request(&mut request, &head, b"");
        let answer = self.connection.exchange(&request).await?;
        let body = serde_json::from_slice(answer.body).unwrap_or_default();
        Ok((answer.status, body))
    }

    /// How long a call takes, each time.
    async fn measure(&mut self, path: &str, times: usize) -> Result<Latencies> {
        let mut measured = Latencies::default();
        for _ in 0..times {
            let begun = clock::now();
            self.get(path).await?;
            measured.add(clock::now() - begun);
        }
        Ok(measured)
    }

    async fn get(&mut self, path: &str) -> Result<Value> {
        match self.ask(path).await? {
            (200, body) => Ok(body),
            (status, body) => {
                Err(Error::Refused { request: format!("GET {path}"), status, body: body.to_string() })
            }
        }
    }
}

/// Every call of every list in the server's own document, by path.
async fn calls(caller: &mut Caller) -> Result<BTreeMap<String, Vec<String>>> {
    let document = caller.get("/api/openapi.json").await?;
    let mut all = BTreeMap::new();
    for (path, names) in lists(&document) {
        let slug = path.replace("{slug}", "disposable-email-domains");
        let place = if path.contains("/identities/") {
            slug.replace("{id}", "model")
        } else {
            slug.replace("{id}", "1")
        };
        let mut filters = vec![String::new()];
        for name in &names {
            filters.extend(values(path, name)?.iter().map(|value| format!("&{name}={value}")));
        }
        // Two filters at once, each pair of neighbours.
        let pairs: Vec<_> = filters.windows(2).skip(1).map(|pair| pair.concat()).collect();
        filters.extend(pairs.into_iter().filter(|pair| is_one_of_each(pair)));
        let mut calls = Vec::new();
        let sorts = if names.contains(&"sort") { sorts(caller, &place).await? } else { vec![String::new()] };
        for sort in sorts {
            for filter in &filters {
                for page in PAGES {
                    for order in ["ASC", "DESC"] {
                        calls.push(format!(
                            "{place}?pageNumber={page}{}&order={order}{filter}",
                            sorted_by(&sort)
                        ));
                    }
                }
            }
        }
        all.insert(path.clone(), calls);
    }
    Ok(all)
}

/// The path of each list in a document, and what it may be asked by.
fn lists(document: &Value) -> impl Iterator<Item = (&String, Vec<&str>)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let asked_by = paths.map(|(path, item)| {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let in_query = parameters.filter(|parameter| parameter["in"] == "query");
        (path, in_query.filter_map(|parameter| parameter["name"].as_str()).collect::<Vec<_>>())
    });
    asked_by.filter(|(_, names)| names.contains(&"pageNumber"))
}

fn is_one_of_each(filters: &str) -> bool {
    let mut names: Vec<_> = filters.split('&').filter_map(|filter| filter.split('=').next()).collect();
    let count = names.len();
    names.dedup();
    names.len() == count
}

/// What a list can be sorted by, as it says itself when it is asked for something else.
async fn sorts(caller: &mut Caller, path: &str) -> Result<Vec<String>> {
    let (_, refusal) = caller.ask(&format!("{path}?sort=none")).await?;
    let message = refusal["details"][0]["message"].as_str().unwrap_or_default();
    let names = message
        .strip_prefix("must be one of ")
        .ok_or_else(|| Error::Protocol(format!("{path} does not say what it can be sorted by: {refusal}")))?;
    Ok(names.split(", ").map(str::to_owned).collect())
}

/// What goes into a query for a sort; a list that has but one order has no name for it.
fn sorted_by(sort: &str) -> String {
    if sort.is_empty() { String::new() } else { format!("&sort={sort}") }
}

/// What to filter by: something that is there in numbers, something rare, nothing.
fn values(path: &str, name: &str) -> Result<Vec<String>> {
    let some = |values: &[&str]| Ok(values.iter().map(|value| (*value).to_owned()).collect());
    match (path, name) {
        (_, "pageNumber" | "pageSize" | "order" | "sort") => some(&[]),
        (
            "/api/devices" | "/api/datasets/{slug}/entries" | "/api/mappings" | "/api/mappings/seen",
            "term",
        ) => some(&["203.0", "mail", "zebra"]),
        ("/api/events", "term") => some(&["name.3", "name", "event-77", "zebra"]),
        (_, "term") => some(&TERMS),
        (_, "group") => some(&["acme", "group-7", "none"]),
        (_, "groupType" | "type") => some(&["organization", "none"]),
        (_, "device") => some(&["model-device", "fp-7", "none"]),
        (_, "session") => some(&["model-session", "none"]),
        (_, "identity") => some(&["model", "user-4242", "none"]),
        (_, "badge") => some(&["suspicious", "bot"]),
        (_, "disregarded" | "withdrawn") => some(&["true", "false"]),
        (_, "canonicalType") => some(&["REGISTRATION", "LOGIN"]),
        (_, "from") => some(&["2020-01-01T00:00:00Z", "2400-01-01T00:00:00Z"]),
        (_, "to") => some(&["2500-01-01T00:00:00Z"]),
        ("/api/escalations", "status") => some(&["OPEN", "ACKNOWLEDGED", "ACTIVE", "CLOSED"]),
        (_, "assignee") => some(&["me", "none"]),
        (_, "mentioned") => some(&["me"]),
        (_, "overdue") => some(&["true"]),
        (_, "shares") => some(&["IP:203.0.113.7", "EMAIL_DOMAIN:example.com"]),
        (_, "status") => some(&["PENDING", "DELIVERED", "FAILED", "PAUSED"]),
        (_, "severity") => some(&["INFO", "WARNING", "CRITICAL"]),
        (_, "rule") => some(&["1", "4"]),
        (_, "source") => some(&["ANALYST", "CHARGEBACK"]),
        ("/api/escalations", "outcome") => some(&["NONE", "GOOD", "BAD"]),
        (_, "outcome") => some(&["GOOD", "BAD"]),
        (_, "httpStatus") => some(&["204", "503", "5xx"]),
        (_, "errorClass") => some(&["timeout"]),
        (_, "error") => some(&["refused"]),
        (_, "unmapped") => some(&["true", "false"]),
        (_, "event") => some(&["IDENTITY_SCORED", "CHANNEL_TEST"]),
        (_, "scope") => some(&["GLOBAL", "CUSTOMER"]),
        (_, "kind") => some(&["EVENT_TYPE", "IDENTITY_FIELD"]),
        (_, "actor") => some(&["user-7", "none"]),
        (_, "action") => some(&["channel.change", "none"]),
        (_, "targetType") => some(&["channel", "none"]),
        ("/api/audit-log", "id") => some(&["7", "1000000"]),
        (_, "targetId") => some(&["c7", "none"]),
        (_, score) if CATEGORIES.iter().any(|category| score.starts_with(category)) => some(&["5", "50"]),
        _ => Err(Error::Protocol(format!("{path} can be filtered by {name}: say here by what"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_something_to_filter_each_list_by() {
        let document = serde_json::from_str(include_str!("../../../../openapi.json")).expect("a document");
        let mut filters = 0;
        for (path, names) in lists(&document) {
            for name in names {
                filters += values(path, name).expect("values").len();
            }
        }
        assert!(filters > 50, "{filters}");
    }
}
