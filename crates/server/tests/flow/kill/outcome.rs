//! What is in the database and at the endpoints when all is done, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use dregs_core::state::IdentityState;
use dregs_server::ops::ingest::refold;
use dregs_server::store::deliveries::Status;
use dregs_server::store::{Result, Store, StoreError, Tx, analyses, attempts, codec, identities};
use serde_json::Value;

use super::told::{self, Heard};
use crate::support::receiver::{Received, Receiver};

/// What a channel is told: channel, identity, sequence.
type Told = (i64, String, i64);

pub struct Outcome {
    /// Every stored event with its user.
    pub events: BTreeMap<String, Option<String>>,
    /// Logged attempts by trigger, first attempts that succeeded left out: they have no row.
    pub attempts: BTreeMap<&'static str, usize>,
    /// Events that are stored more than once.
    doubles: Vec<String>,
    identities: Vec<Identity>,
    /// Cycles and decisions times channels, each due once.
    due: Vec<Told>,
    /// Deliveries as they are stored, each with its status.
    deliveries: Vec<(Told, i64)>,
    /// Whether channels are told what rules decide.
    tells_decisions: bool,
    /// What arrived, each with its event id.
    received: Vec<(Told, String)>,
    /// The same by channel and identity.
    pub heard: BTreeMap<(i64, String), Heard>,
    contradictions: Vec<Told>,
    unsigned: usize,
}

struct Identity {
    name: String,
    /// How many events of it are stored.
    event_count: i64,
    /// What its last analysis says of that.
    analysed: Option<i64>,
    is_refold: bool,
    /// The sequences of its analyses, in order.
    sequences: Vec<i64>,
    /// Those of its other events: what rules decided.
    decisions: Vec<i64>,
}

/// How many identities are to be scored, and how many deliveries to be sent.
pub fn open_work(tx: &mut Tx) -> Result<(i64, i64)> {
    let (identities, _) = identities::waiting(tx)?;
    let sql = "select count(*) from deliveries where next_attempt_at is not null";
    Ok((identities, tx.get(sql, &[], |row| row.get(0))?))
}

/// Reads everything, with the server stopped: `receivers` belong to `channels` (id and secret) in
/// their order.
pub async fn read(store: &Store, channels: &[(i64, String)], receivers: &[&Receiver]) -> Outcome {
    let channel_ids: Vec<_> = channels.iter().map(|(id, _)| *id).collect();
    let mut outcome = store.read(move |tx| stored(tx, &channel_ids)).await.unwrap();
    for ((channel_id, secret), receiver) in channels.iter().zip(receivers) {
        for request in receiver.requests() {
            if is_signed(&request, secret) {
                outcome.take(&request, *channel_id);
            } else {
                outcome.unsigned += 1;
            }
        }
    }
    outcome
}

fn stored(tx: &mut Tx, channel_ids: &[i64]) -> Result<Outcome> {
    let rows = tx.query(
        "select e.external_id, i.external_id from events e
         left join identities i on i.shard = e.shard and i.id = e.identity_id",
        &[],
        |row| Ok((codec::unpack_id(&row.get::<Vec<u8>>(0)?), row.get::<Option<String>>(1)?)),
    )?;
    let mut events = BTreeMap::new();
    let mut doubles = Vec::new();
    for (id, user) in rows {
        if events.insert(id.clone(), user).is_some() {
            doubles.push(id);
        }
    }
    let keys = tx.query("select id from identities order by id", &[], |row| row.get::<i64>(0))?;
    let identities = keys.into_iter().map(|id| identity(tx, id)).collect::<Result<Vec<_>>>()?;
    // Where one channel hears of scores only, so do all.
    let bits = "select count(*) from channels where events > 2";
    let tells_decisions = tx.get(bits, &[], |row| row.get::<i64>(0))? > 0;
    let mut due = Vec::new();
    for identity in &identities {
        let decisions = identity.decisions.iter().filter(|_| tells_decisions);
        for sequence in identity.sequences.iter().chain(decisions) {
            due.extend(channel_ids.iter().map(|channel| (*channel, identity.name.clone(), *sequence)));
        }
    }
    due.sort_unstable();
    let mut deliveries = tx.query(
        "select d.channel_id, i.external_id, d.sequence, d.status
         from deliveries d join identities i on i.shard = d.shard and i.id = d.identity_id",
        &[],
        |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?)),
    )?;
    deliveries.sort_unstable();
    let attempts = attempts_by_trigger(tx)?;
    Ok(Outcome {
        events,
        attempts,
        doubles,
        identities,
        due,
        deliveries,
        tells_decisions,
        received: Vec::new(),
        heard: BTreeMap::new(),
        contradictions: Vec::new(),
        unsigned: 0,
    })
}

fn identity(tx: &mut Tx, id: i64) -> Result<Identity> {
    let start = identities::load_cycle_starts(tx, &[id])?.pop();
    let start = start.ok_or_else(|| StoreError::Broken(format!("identity {id} is gone")))?;
    let refolded = refold::from_events(tx, id)?;
    let count = "select count(*) from events where identity_id = $1";
    let sequences = "select sequence from analyses where identity_id = $1 order by sequence";
    let decisions = "select sequence from notifications where identity_id = $1 order by sequence";
    let values = dregs_server::values![id];
    Ok(Identity {
        event_count: tx.get(count, &values, |row| row.get(0))?,
        analysed: analyses::newest(tx, id, 1)?.first().map(|analysis| analysis.event_count),
        is_refold: IdentityState::decode(&start.state) == Some(refolded.clone())
            && refolded.encode() == start.state,
        sequences: tx.query(sequences, &values, |row| row.get(0))?,
        decisions: tx.query(decisions, &values, |row| row.get(0))?,
        name: start.external_id,
    })
}

fn attempts_by_trigger(tx: &mut Tx) -> Result<BTreeMap<&'static str, usize>> {
    let with_rows = tx.query("select distinct delivery_id from attempts", &[], |row| row.get::<i64>(0))?;
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for delivery_id in with_rows {
        for attempt in attempts::of_delivery(tx, delivery_id)? {
            *counts.entry(attempt.trigger.as_text()).or_default() += 1;
        }
    }
    Ok(counts)
}

/// Whether both families of signatures verify.
fn is_signed(request: &Received, secret: &str) -> bool {
    let header = |name: &str| request.headers[name].to_str().unwrap();
    let standard = standardwebhooks::Webhook::new(secret).unwrap();
    let seconds = header("webhook-timestamp").parse().unwrap();
    let expected = standard.sign(header("webhook-id"), seconds, &request.body).unwrap();
    dregs::webhooks::verify_signature(&request.body, header("x-dregs-signature"), secret)
        && header("webhook-signature") == expected
}

impl Outcome {
    fn take(&mut self, request: &Received, channel_id: i64) {
        let mut body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["channelId"], channel_id.to_string());
        assert_eq!(request.headers["webhook-id"].to_str().unwrap(), body["id"]);
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        let (identity, id, event) = (text("identityId"), text("id"), text("event"));
        let sequence = body["sequence"].as_i64().unwrap();
        let of_identity = self.heard.entry((channel_id, identity.clone())).or_default();
        let message = (event, body["data"].take());
        // However often it was sent, it says the same.
        if of_identity.insert(sequence, message.clone()).is_some_and(|before| before != message) {
            self.contradictions.push((channel_id, identity.clone(), sequence));
        }
        self.received.push(((channel_id, identity, sequence), id));
    }

    /// How many changes rules have made.
    pub fn decided(&self) -> usize {
        self.identities.iter().map(|identity| identity.decisions.len()).sum()
    }

    /// Everything that must not be so, in words.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        complaints.extend(self.doubles.iter().map(|id| format!("event {id} is stored twice")));
        for identity in &self.identities {
            let Identity { name, event_count, analysed, is_refold, sequences, decisions } = identity;
            if *analysed != Some(*event_count) {
                complaints.push(format!("{name} has {event_count} events and is scored from {analysed:?}"));
            }
            if !is_refold {
                complaints.push(format!("the state of {name} is not the fold of its events"));
            }
            let mut events = [sequences.as_slice(), decisions].concat();
            events.sort_unstable();
            if !events.iter().copied().eq(1..=events.len() as i64) {
                complaints.push(format!(
                    "of {name} there are the analyses {sequences:?} and decisions {decisions:?}"
                ));
            }
        }
        let deliveries: Vec<_> = self.deliveries.iter().map(|(told, _)| told).collect();
        if deliveries != self.due.iter().collect::<Vec<_>>() {
            complaints.push("deliveries are not one for each cycle or decision and channel".into());
        }
        let open = self.deliveries.iter().filter(|(_, status)| *status != Status::Delivered as i64);
        complaints.extend(open.map(|(told, status)| format!("{told:?} is left with status {status}")));
        complaints.extend(self.complaints_of_receivers());
        complaints.extend(
            self.contradictions.iter().map(|told| format!("{told:?} was told twice, and not the same")),
        );
        let heard = self.heard.iter().filter(|_| self.tells_decisions);
        complaints.extend(heard.filter_map(|((_, name), heard)| told::complaint(name, heard)));
        complaints
    }

    fn complaints_of_receivers(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.unsigned > 0 {
            complaints.push(format!("{} requests do not verify", self.unsigned));
        }
        let due: BTreeSet<_> = self.due.iter().collect();
        let received: BTreeSet<_> = self.received.iter().map(|(told, _)| told).collect();
        complaints.extend(due.difference(&received).map(|told| format!("{told:?} never arrived")));
        complaints
            .extend(received.difference(&due).map(|told| format!("{told:?} arrived and is not stored")));
        // One cycle has one event id, at every attempt and on every channel.
        let pairs: BTreeSet<_> = self.received.iter().map(|((_, name, n), id)| ((name, n), id)).collect();
        let cycles: BTreeSet<_> = pairs.iter().map(|(cycle, _)| cycle).collect();
        let ids: BTreeSet<_> = pairs.iter().map(|(_, id)| id).collect();
        if (cycles.len(), ids.len()) != (pairs.len(), pairs.len()) {
            complaints.push(format!("{} event ids for {} cycles", ids.len(), cycles.len()));
        }
        complaints
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events, {} identities, {} deliveries, {} requests, attempts with a row {:?}",
            self.events.len(),
            self.identities.len(),
            self.deliveries.len(),
            self.received.len(),
            self.attempts,
        )
    }
}
