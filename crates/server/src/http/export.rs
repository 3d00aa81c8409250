//! Everything that is kept of a person, as one document. It is written a page at a time, so that its
//! size costs no memory.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use serde_json::json;

use super::auth::{Caller, Manager};
use super::deliveries::{AttemptBody, DeliveryBody};
use super::devices::DeviceBody;
use super::elsewhere::elsewhere;
use super::error::ApiError;
use super::escalation_history::ExportedEntry;
use super::escalations::EscalationBody;
use super::event_lists::TrackedEventBody;
use super::groups::GroupBody;
use super::identities::{AnalysisBody, IdentityBody, find};
use super::identity_actions::ReviewBody;
use super::labels::LabelBody;
use super::links::LinkBody;
use super::listed::ListedBody;
use super::params::Path;
use crate::app::App;
use crate::ops::identities::{devices as device_ops, links, listed};
use crate::ops::lists::event_lists as event_ops;
use crate::store::identities::Identity;
use crate::store::{
    Result, StoreError, analyses, deliveries, devices, escalation_history, escalations, event_lists, events,
    groups, labels, reviews, teams,
};

const GROUPS_PAGE: usize = 500;
const DEVICES_PAGE: usize = 500;
const EVENTS_PAGE: i64 = 50;
const ANALYSES_PAGE: i64 = 50;
const DELIVERIES_PAGE: i64 = 50;
/// Of what is little, more than there is.
const FEW_MAX: i64 = 10_000;

/// Export all data of an identity
///
/// One JSON document with `identity`, `links`, `reviews`, `escalations`, `labels`, `groups`, `devices`, `events`, `analyses`
/// and `deliveries`.
#[utoipa::path(get, operation_id = "exportIdentity", path = "/identities/{id}/export", tag = "identities",
    params(("id" = String, Path)),
    responses((status = 200, body = serde_json::Map<String, Value>, content_type = "application/json")))]
pub async fn export(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    Path(id): Path<String>,
) -> std::result::Result<Response, ApiError> {
    let identity = find(&app, &caller, id).await?;
    let export = Export { app, caller, identity, part: Part::Head };
    let parts = stream::unfold(Some(export), |export| async move {
        let export = export?;
        Some(match export.next().await {
            Ok((bytes, next)) => (Ok(bytes), next),
            // The document ends before its end, which its reader sees.
            Err(error) => {
                tracing::error!(?error, "an export broke off");
                (Err(std::io::Error::other("the export broke off")), None)
            }
        })
    });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, Body::from_stream(parts)).into_response())
}

/// How far the document has come.
struct Export {
    app: Arc<App>,
    caller: Caller,
    identity: Identity,
    part: Part,
}

/// Writes what was read, on another thread.
type Items = Box<dyn FnOnce() -> Vec<String> + Send>;

fn all(bodies: impl Iterator<Item: Serialize>) -> Vec<String> {
    bodies.map(|body| json!(body).to_string()).collect()
}

enum Part {
    Head,
    /// These, and after as many of them; then these devices.
    Groups(Vec<i64>, usize, Vec<i64>),
    /// These, and after as many of them.
    Devices(Vec<i64>, usize),
    /// After this row.
    Events(i64),
    /// After this cycle.
    Analyses(i64),
    /// After this delivery.
    Deliveries(i64),
}

impl Export {
    /// The next piece of the document, and where to go on; nowhere after the last.
    async fn next(mut self) -> std::result::Result<(Bytes, Option<Self>), ApiError> {
        let row_id = self.identity.row_id;
        let (items, last, is_first, name, following): (Items, _, _, _, _) = match self.part {
            Part::Head => {
                let (head, group_ids, device_ids) = self.head().await?;
                return Ok((head, Some(Self { part: Part::Groups(group_ids, 0, device_ids), ..self })));
            }
            Part::Groups(ref mut ids, after, ref mut device_ids) => {
                let (ids, device_ids) = (std::mem::take(ids), std::mem::take(device_ids));
                let page: Vec<_> = ids.iter().skip(after).take(GROUPS_PAGE).copied().collect();
                let (read, is_last) = (after + page.len(), page.is_empty());
                let rows = self.read(move |tx| groups::load_rows(tx, &page)).await?;
                let items = Box::new(move || all(rows.into_iter().map(GroupBody::listed)));
                let (last, following) = if is_last {
                    (None, Some(Part::Devices(device_ids, 0)))
                } else {
                    (Some(Part::Groups(ids, read, device_ids)), None)
                };
                (items, last, after == 0, "groups", following)
            }
            Part::Devices(ref mut ids, after) => {
                let ids = std::mem::take(ids);
                let page: Vec<_> = ids.iter().skip(after).take(DEVICES_PAGE).copied().collect();
                let last = (!page.is_empty()).then(|| Part::Devices(ids, after + page.len()));
                let rows = self.read(move |tx| devices::load(tx, &page)).await?;
                let items = Box::new(move || all(rows.into_iter().map(DeviceBody::from)));
                (items, last, after == 0, "devices", Some(Part::Events(0)))
            }
            Part::Events(after) => {
                let rows = self.read(move |tx| events::of_identity(tx, row_id, after, EVENTS_PAGE)).await?;
                let ids: Vec<_> = rows.iter().map(|(id, _)| *id).collect();
                let last = ids.last().copied();
                let found = self.read(move |tx| event_lists::load(tx, &ids)).await?;
                let (store, mappings) = (&self.app.store, self.app.kept.mappings.current());
                let shown = event_ops::show(store, &mappings, self.caller.team_id(), found).await?;
                let items = Box::new(move || all(shown.into_iter().map(TrackedEventBody::new)));
                (items, last.map(Part::Events), after == 0, "events", Some(Part::Analyses(0)))
            }
            Part::Analyses(after) => {
                let rows = self.read(move |tx| analyses::after(tx, row_id, after, ANALYSES_PAGE)).await?;
                let last = rows.last().map(|analysis| Part::Analyses(analysis.sequence));
                let id = self.identity.id.clone();
                let items =
                    Box::new(move || all(rows.into_iter().map(|row| AnalysisBody::new(row, &id, None))));
                (items, last, after == 0, "analyses", Some(Part::Deliveries(0)))
            }
            Part::Deliveries(after) => {
                let rows =
                    self.read(move |tx| deliveries::of_identity(tx, row_id, after, DELIVERIES_PAGE)).await?;
                let last = rows.last().map(|delivery| Part::Deliveries(delivery.id));
                let rows = self.deliveries(rows).await?;
                let items = Box::new(move || all(rows.into_iter()));
                (items, last, after == 0, "deliveries", None)
            }
        };
        let end = match (&last, &following) {
            (Some(_), _) => "",
            (None, Some(_)) => "]",
            (None, None) => "]}",
        };
        let text = elsewhere(move || {
            let mut text = if is_first { format!(",\"{name}\":[") } else { String::new() };
            for (index, item) in items().into_iter().enumerate() {
                text.push_str(if is_first && index == 0 { "" } else { "," });
                text.push_str(&item);
            }
            text + end
        });
        let text = text.await?;
        Ok((Bytes::from(text), last.or(following).map(|part| Self { part, ..self })))
    }

    async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&mut crate::store::Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.app.long_reads.read(read).await
    }

    /// Everything that is little, without the closing brace; and the row ids of the groups and of the devices.
    async fn head(&self) -> std::result::Result<(Bytes, Vec<i64>, Vec<i64>), ApiError> {
        let (row_id, team_id) = (self.identity.row_id, self.caller.team_id());
        let (group_ids, device_ids, reviews, escalations, labels, due, history) = self
            .read(move |tx| {
                let group_ids = groups::of_identity(tx, row_id)?;
                let device_ids = device_ops::of_identity(tx, team_id, row_id)?;
                let filter = escalations::Filter { identity_id: Some(row_id), ..Default::default() };
                let sort = escalations::Sort::OpenedAt;
                let of_identity = labels::Filter { identity_id: Some(row_id), ..Default::default() };
                Ok((
                    group_ids,
                    device_ids,
                    reviews::of_identity(tx, row_id, FEW_MAX)?,
                    escalations::page(tx, team_id, &filter, sort, true, 0, FEW_MAX)?,
                    labels::page(tx, team_id, &of_identity, 0, FEW_MAX)?,
                    teams::due_minutes(tx, team_id)?,
                    escalation_history::of_identity(tx, row_id, FEW_MAX)?,
                ))
            })
            .await?;
        let (app, id) = (&self.app, self.identity.id.clone());
        let links = links::links(&app.long_reads, &app.kept, app.key_hasher, team_id, id).await?;
        let of = (team_id, self.identity.id.clone());
        let listed = listed::find(&app.long_reads, app.seen(), of, app.clock.now()).await?;
        let identity = IdentityBody::new(self.identity.clone())?;
        let review = |review| ReviewBody::new(review, &self.identity.id);
        let now = app.clock.now();
        let escalation = |escalation| EscalationBody::new(escalation, due, now);
        let head = json!({
            "identity": identity,
            "links": links.into_iter().flatten().map(LinkBody::from).collect::<Vec<_>>(),
            "reviews": reviews.into_iter().map(review).collect::<Vec<_>>(),
            "escalations": escalations.into_iter().map(escalation).collect::<Vec<_>>(),
            "escalationHistory": history.into_iter().map(ExportedEntry::from).collect::<Vec<_>>(),
            "listEntries": listed.into_iter().flatten().map(ListedBody::from).collect::<Vec<_>>(),
            "labels": labels.into_iter().map(LabelBody::from).collect::<Vec<_>>(),
        });
        let mut text = head.to_string();
        text.pop();
        Ok((Bytes::from(text), group_ids, device_ids))
    }

    async fn deliveries(
        &self,
        rows: Vec<deliveries::Delivery>,
    ) -> std::result::Result<Vec<WithAttempts>, StoreError> {
        let mut shown = Vec::with_capacity(rows.len());
        for row in rows {
            let attempts = self.app.delivery_log()?.attempts(self.caller.team_id(), row.id).await?;
            let attempts = attempts.into_iter().map(AttemptBody::from).collect();
            shown.push(WithAttempts { delivery: DeliveryBody::new(&self.app, &row), attempts });
        }
        Ok(shown)
    }
}

#[derive(Serialize)]
struct WithAttempts {
    #[serde(flatten)]
    delivery: DeliveryBody,
    attempts: Vec<AttemptBody>,
}
