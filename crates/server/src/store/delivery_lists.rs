//! The delivery log of a channel: which deliveries match, and pages of them.

use dregs_core::notify::message::EventType;
use dregs_core::time::Timestamp;

use super::attempts::Trigger;
use super::deliveries::{COLUMNS, Delivery, Status, read};
use super::sql::{Sql, direction};
use super::{Result, Tx};

/// What deliveries of a channel to look at; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    /// Only those that wait for another attempt after one that failed.
    pub retrying: bool,
    /// Leaves out tests and examples.
    pub without_tests: bool,
    pub event: Option<EventType>,
    /// Row id of an identity.
    pub identity_id: Option<i64>,
    /// Created at or after.
    pub from: Option<Timestamp>,
    /// Created before.
    pub to: Option<Timestamp>,
    /// The least and the greatest status that the last attempt was answered with.
    pub http_status: Option<(i64, i64)>,
    /// How the last attempt failed, by the name of the class.
    pub error_class: Option<String>,
    /// Part of the last attempt's error message, in any case; made by [`containing`].
    pub error: Option<String>,
}

/// The pattern of text that contains `part`, of which every character stands for itself.
pub fn containing(part: &str) -> String {
    let escape = |c: char| matches!(c, '!' | '%' | '_').then_some('!').into_iter().chain([c]);
    format!("%{}%", part.to_lowercase().chars().flat_map(escape).collect::<String>())
}

/// By which index deliveries are found; what else is asked for is then looked at row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Retrying,
    HttpStatus(i64),
    ErrorClass,
    Errors,
    RareEvent,
    Status,
    Time,
}

impl Filter {
    fn lead(&self) -> Lead {
        match self {
            Self { retrying: true, .. } => Lead::Retrying,
            // Nearly all are answered with 200, so those have no index of their own.
            Self { http_status: Some((least, most)), .. } if least == most && *least != 200 => {
                Lead::HttpStatus(*least)
            }
            Self { error_class: Some(_), .. } => Lead::ErrorClass,
            Self { error: Some(_), .. } => Lead::Errors,
            // What is no success is an error.
            Self { http_status: Some((least, _)), .. } if *least >= 300 => Lead::Errors,
            Self { event: Some(event), .. } if *event != EventType::IdentityScored => Lead::RareEvent,
            Self { status: Some(_), .. } => Lead::Status,
            _ => Lead::Time,
        }
    }

    /// `select` with the conditions of a channel and this filter after it.
    pub(super) fn matching(&self, select: &str, channel_id: i64) -> Sql<'_> {
        let lead = self.lead();
        let mut sql = Sql::new(select);
        sql.bind(" where d.channel_id = ", channel_id);
        // A partial index is taken only where its own words are repeated; a plus keeps others from being taken.
        match lead {
            Lead::Retrying => sql.push(&format!(
                " and d.status = {} and d.trigger = {}",
                Status::Pending as i64,
                Trigger::Retry as i64
            )),
            Lead::HttpStatus(status) => {
                sql.push(" and d.http_status <> 200").bind(" and d.http_status = ", status)
            }
            Lead::ErrorClass => sql.push(" and d.error_class is not null"),
            Lead::Errors => sql.push(" and d.error_class is not null and d.error_class <> 'superseded'"),
            Lead::RareEvent => sql.push(" and d.event_type <> 1"),
            Lead::Status | Lead::Time => &mut sql,
        };
        if self.without_tests {
            sql.bind(" and +d.trigger <> ", Trigger::Test as i64);
        }
        let status = if lead == Lead::Status { " and d.status = " } else { " and +d.status = " };
        sql.bind_some(status, self.status.map(|status| status as i64));
        let event = match lead {
            Lead::RareEvent | Lead::Status | Lead::Time => " and d.event_type = ",
            _ => " and +d.event_type = ",
        };
        sql.bind_some(event, self.event.map(EventType::code));
        sql.bind_some(" and d.identity_id = ", self.identity_id);
        sql.bind_some(" and d.created_at >= ", self.from).bind_some(" and d.created_at < ", self.to);
        if let (Some((least, most)), false) = (self.http_status, matches!(lead, Lead::HttpStatus(_))) {
            sql.bind(" and +d.http_status >= ", least).bind(" and +d.http_status <= ", most);
        }
        sql.bind_some(" and d.error_class = ", self.error_class.as_deref());
        if let Some(pattern) = &self.error {
            sql.bind(" and lower(d.error_message) like ", pattern).push(" escape '!'");
        }
        sql
    }
}

/// How many deliveries of a channel match, counted up to `limit`.
pub fn count(tx: &mut Tx, channel_id: i64, filter: &Filter, limit: i64) -> Result<i64> {
    let mut sql = filter.matching("select 1 from deliveries d", channel_id);
    sql.bind(" limit ", limit);
    tx.get(&format!("select count(*) from ({}) found", sql.text), &sql.values, |row| row.get(0))
}

/// A page of the deliveries of a channel in the order of their creation.
pub fn page(
    tx: &mut Tx,
    channel_id: i64,
    filter: &Filter,
    ascending: bool,
    offset: i64,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let mut sql = filter.matching("select d.id, d.created_at from deliveries d", channel_id);
    if filter.identity_id.is_some() {
        // Without the fence PostgreSQL may walk all deliveries in order, hoping to meet these.
        sql.text = format!("with found as materialized ({}) select id, created_at from found d", sql.text);
    }
    let direction = direction(ascending);
    sql.push(&format!(" order by d.created_at {direction}, d.id {direction}"));
    sql.bind(" limit ", limit).bind(" offset ", offset);
    // Only then the rows themselves, so that those before the page are passed by in the index.
    let text = format!(
        "with page as materialized ({}) select {COLUMNS} from page p join deliveries d on d.id = p.id
         left join identities i on i.shard = d.shard and i.id = d.identity_id
         order by d.created_at {direction}, d.id {direction}",
        sql.text
    );
    tx.query(&text, &sql.values, read)
}
