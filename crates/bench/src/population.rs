//! A large past, written straight into the store of a server that is stopped: one identity that the
//! server has made itself, with its event, analysis and delivery, stands model for all others.

use std::path::PathBuf;

use dregs_core::shard::SHARDS;

use crate::error::{Error, Result};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    pub identities: u64,
    pub events: u64,
    pub deliveries: u64,
}

/// A store to write to.
#[derive(Clone, Debug)]
pub enum Place {
    Sqlite(PathBuf),
    /// The URL of a database.
    Postgres(String),
}

/// One identity has so many devices fewer than it has, one group so many members more, and so on.
const IDENTITIES_PER_DEVICE: u64 = 2;
/// One identity in so many is in a group beside the largest one, and one in so many in the largest.
const GROUPED: u64 = 2;
const IN_LARGEST_GROUP: u64 = 10;
const MEMBERS_PER_GROUP: u64 = 10;
/// Identities seen on the model's device.
const ON_ONE_DEVICE: u64 = 1_000;
const NAMES: u64 = 12;
const ESCALATIONS: u64 = 100_000;
const AUDIT_ENTRIES: u64 = 100_000;

/// What is filled, for which indexes are built anew.
const TABLES: [&str; 10] = [
    "analyses",
    "audit_log",
    "deliveries",
    "devices",
    "escalations",
    "event_groups",
    "events",
    "groups",
    "identities",
    "identity_keys",
];

/// Fills the store.
pub async fn fill(place: Place, amount: Amount) -> Result<()> {
    place.with(move |database| database.fill(amount)).await
}

impl Place {
    /// Runs statements; see [`Database::run`].
    pub async fn run(self, statements: Vec<String>) -> Result<()> {
        let run = move |database: &mut Database| statements.iter().try_for_each(|text| database.run(text));
        self.with(run).await
    }

    /// On a thread of its own: the PostgreSQL client brings a runtime, which must not be inside another.
    async fn with(self, run: impl FnOnce(&mut Database) -> Result<()> + Send + 'static) -> Result<()> {
        let (done, ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || done.send(Database::open(&self).and_then(|mut to| run(&mut to))));
        ended.await.map_err(|_| Error::Protocol("filling the store failed".into()))?
    }
}

enum Database {
    Sqlite(rusqlite::Connection),
    Postgres(postgres::Client),
}

impl Database {
    fn open(place: &Place) -> Result<Self> {
        match place {
            Place::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path)?;
                // What is interrupted is thrown away.
                connection.execute_batch(
                    "pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -1000000;",
                )?;
                Ok(Self::Sqlite(connection))
            }
            Place::Postgres(url) => Ok(Self::Postgres(postgres::Client::connect(url, postgres::NoTls)?)),
        }
    }

    /// Runs a statement in which `{series N}` stands for a table `s` of the numbers `i` from 1 to N,
    /// `{id TEXT}` for a stored event id, and `{given}` for what lets a statement give row ids.
    fn run(&mut self, statement: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                let text = expand(statement, "series", |last| {
                    format!(
                        "(with recursive n (i) as (select 1 union all select i + 1 from n where i < {last})
                          select i from n) s"
                    )
                });
                let text = expand(&text, "id", |id| format!("cast(x'00' || {id} as blob)"));
                connection.execute_batch(&text.replace("{given}", ""))?;
            }
            Self::Postgres(client) => {
                let text = expand(statement, "series", |last| {
                    format!("generate_series(1::bigint, {last}::bigint) s (i)")
                });
                let text = expand(&text, "id", |id| format!("'\\x00'::bytea || convert_to({id}, 'UTF8')"));
                client.batch_execute(&text.replace("{given}", "overriding system value"))?;
            }
        }
        Ok(())
    }

    /// The number that a query answers.
    fn number(&mut self, query: &str) -> Result<i64> {
        Ok(match self {
            Self::Sqlite(connection) => connection.query_row(query, [], |row| row.get(0))?,
            Self::Postgres(client) => client.query_one(query, &[])?.try_get(0)?,
        })
    }

    /// The names and the definitions of the indexes of what is filled.
    fn indexes(&mut self) -> Result<Vec<(String, String)>> {
        let tables = TABLES.map(|table| format!("'{table}'")).join(", ");
        Ok(match self {
            Self::Sqlite(connection) => {
                let query = format!(
                    "select name, sql from sqlite_master
                     where type = 'index' and sql is not null and tbl_name in ({tables})"
                );
                let mut statement = connection.prepare(&query)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
                rows.collect::<std::result::Result<_, _>>()?
            }
            Self::Postgres(client) => {
                let query = format!(
                    "select indexname::text, indexdef from pg_indexes where schemaname = current_schema()
                     and tablename in ({tables}) and indexname not in (select conname from pg_constraint)"
                );
                let rows = client.query(&query, &[])?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_>>()?
            }
        })
    }

    fn fill(&mut self, amount: Amount) -> Result<()> {
        let indexes = self.indexes()?;
        for (name, _) in &indexes {
            self.run(&format!("drop index {name}"))?;
        }
        for statement in self.statements(amount)? {
            self.run(&statement)?;
        }
        for (_, definition) in &indexes {
            self.run(definition)?;
        }
        match self {
            Self::Sqlite(_) => self.run("pragma journal_mode = wal"),
            Self::Postgres(client) => {
                client.batch_execute(
                    "select setval(pg_get_serial_sequence('audit_log', 'id'), (select max(id) from audit_log))",
                )?;
                for table in
                    ["identities", "analyses", "devices", "groups", "events", "deliveries", "escalations"]
                {
                    client.batch_execute(&format!(
                        "select setval('{table}_number', (select max(id) / {SHARDS} from {table}))"
                    ))?;
                }
                // As the server's own housekeeping would have done long ago.
                Ok(client.batch_execute("vacuum analyze")?)
            }
        }
    }

    /// In the order in which they run. The model is the one identity that is there.
    fn statements(&mut self, amount: Amount) -> Result<Vec<String>> {
        let Amount { identities, events, deliveries } = amount;
        let model = self.number("select max(id) from identities")?;
        let event = self.number("select max(id) from events")?;
        let delivery = self.number("select max(id) from deliveries")?;
        let device = self.number("select max(id) from devices")?;
        let group = self.number("select max(id) from groups")?;
        let now = self.number("select max(last_tracked_at) from identities")?;
        // The numbers in their ids; whose is the i-th, and in which shard it lies, follows from its own.
        let number = |id: i64| id / SHARDS;
        let (first, first_event, first_delivery) = (number(model), number(event), number(delivery));
        let (first_device, first_group) = (number(device), number(group));
        let group_type = -self.number("select max(id) from names where kind = 2")?;
        let name = self.number("select max(id) from names")?;
        let days = 90_i64 * 24 * 3_600 * 1_000;
        // Times of a past of 90 days: of the i-th of so many; and of the same in another order.
        let at = |count: u64| format!("{now} - {days} + i * {days} / {count}");
        let shuffled = |count: u64| format!("{now} - {days} + (i * 7919 % {count}) * {days} / {count}");
        let in_shard = |number: &str, of: &str| format!("(({number}) * {SHARDS} + ({of}) % {SHARDS})");
        let id = |number: &str| in_shard(number, number);
        let identity_number = format!("{first} + i");
        let identity_of = |i: &str| format!("{first} + 1 + ({i}) % {identities}");
        let groups = (identities / GROUPED / MEMBERS_PER_GROUP).max(1);
        let group_of = |i: &str| format!("{first_group} + 1 + ({i}) % {groups}");
        let devices = (identities / IDENTITIES_PER_DEVICE).max(1);
        let seen = shuffled(identities);
        let (grouped, largest) = (identities / GROUPED, identities / IN_LARGEST_GROUP);
        let copied = "team_id, updated_at, disregarded, version, sequence, cycle, state, data";
        let mut all = vec![
            format!(
                "insert into names (id, team_id, kind, name) {{given}}
                 select {name} + i, 1, 1, 'name.' || i from {{series {NAMES}}}"
            ),
            format!(
                "insert into identities (id, shard, external_id, created_at, first_seen_at, last_tracked_at, last_scored_at,
                   display_name, display_email, display_username, humanity, authenticity, uniqueness, behavior,
                   {copied})
                 select {id}, ({identity_number}) % {SHARDS}, 'user-' || i, {seen}, {seen}, {seen}, {seen}, 'Ada ' || (i * 7919 % {identities}),
                   'ada.' || i || '@example.com', 'ada' || i, i % 101, i % 97, i % 89, i % 83,
                   m.team_id, {seen}, 0, m.version, m.sequence, m.cycle, m.state, m.data
                 from {{series {identities}}} join identities m on m.id = {model}",
                id = id(&identity_number)
            ),
            format!(
                "insert into analyses (id, shard, identity_id, sequence, started_at, finished_at, humanity, authenticity,
                   uniqueness, behavior, event_count, device_count, detail)
                 select {id}, ({identity_number}) % {SHARDS}, {id}, m.sequence, m.started_at, m.finished_at, i % 101, i % 97, i % 89, i % 83,
                   m.event_count, m.device_count, m.detail
                 from {{series {identities}}} join analyses m on m.identity_id = {model}
                   and m.sequence = (select max(sequence) from analyses where identity_id = {model})",
                id = id(&identity_number)
            ),
            format!(
                "insert into devices (id, shard, team_id, fingerprint, first_seen_at, last_seen_at, ip, user_agent,
                   disregarded)
                 select {id}, ({first_device} + i) % {SHARDS}, 1, 'fp-' || i, {seen}, {seen}, '203.0.113.' || (i % 250), m.user_agent, 0
                 from {{series {devices}}} join devices m on m.id = {device}",
                id = id(&format!("{first_device} + i"))
            ),
            format!(
                "insert into groups (id, shard, team_id, type, external_id, created_at, updated_at, last_tracked_at,
                   data, display_name)
                 select {id}, ({first_group} + i) % {SHARDS}, 1, m.type, 'group-' || i, {seen}, {seen}, {seen}, '{{}}', 'Group ' || i
                 from {{series {groups}}} join groups m on m.id = {group}",
                id = id(&format!("{first_group} + i"))
            ),
            format!(
                "insert into group_members (shard, group_id, identity_id, created_at)
                 select {group} % {SHARDS}, {group}, {identity}, {now} from {{series {largest}}}",
                identity = id(&identity_number)
            ),
            format!(
                "insert into group_members (shard, group_id, identity_id, created_at)
                 select ({number}) % {SHARDS}, {id}, {identity}, {now} from {{series {grouped}}}",
                number = group_of("i"),
                id = id(&group_of("i")),
                identity = id(&identity_number)
            ),
            format!(
                "insert into identity_keys (shard, team_id, kind, hash, identity_id, first_seen_at)
                 select shard, 1, 1, hash, {identity}, {now} from {{series {ON_ONE_DEVICE}}}
                   join identity_keys on identity_id = {model} and kind = 1",
                identity = id(&identity_number)
            ),
        ];
        for (kind, shared_by) in [(1, IDENTITIES_PER_DEVICE), (2, 5)] {
            all.push(format!(
                "insert into identity_keys (shard, team_id, kind, hash, identity_id, first_seen_at)
                 select {hash} % {SHARDS}, 1, {kind}, {hash}, {identity}, {seen} from {{series {identities}}}",
                hash = format_args!("((i / {shared_by}) * 1000003 + {kind})"),
                identity = id(&identity_number)
            ));
        }
        let identity = identity_of("i * 7919");
        all.push(format!(
            "insert into events (id, shard, team_id, external_id, identity_id, timestamp, received_at, detail, name_id,
               device_id, session)
             select {id}, ({identity}) % {SHARDS}, 1, {{id 'event-' || i}}, {identity_id}, {at}, {at}, m.detail,
               {name} + 1 + i % {NAMES}, {device_id}, i / 3
             from {{series {events}}} join events m on m.id = {event}",
            id = in_shard(&format!("{first_event} + i"), &identity),
            identity_id = id(&identity),
            device_id = id(&format!("{first_device} + 1 + i * 7919 % {devices}")),
            at = at(events)
        ));
        for (list, of) in [
            (format!("{group}"), largest),
            (format!("{group_type}"), grouped),
            (id(&group_of(&format!("identity_id / {SHARDS} - {first}"))), grouped),
        ] {
            all.push(format!(
                "insert into event_groups (shard, group_id, timestamp, event_id, name_id)
                 select shard, {list}, timestamp, id, name_id from events
                 where id > {event} and identity_id < ({first} + {of} + 1) * {SHARDS} order by 2, 3, 4"
            ));
        }
        let identity = identity_of("i * 104729");
        let columns = [
            "failures",
            "http_status",
            "error_class",
            "error_message",
            "payload_size",
            "started_at",
            "duration",
            "remote_address",
            "detail",
        ];
        // Of 100 deliveries one waits, two have failed, and the others are made.
        all.push(format!(
            "insert into deliveries (id, shard, channel_id, event_type, identity_id, sequence, status, trigger,
               attempt_count, created_at, next_attempt_at, leased, completed_at, {into})
             select {id}, ({identity}) % {SHARDS}, m.channel_id, m.event_type, {identity_id}, m.sequence,
               case when i % 100 = 0 then 0 when i % 100 < 3 then 2 else 1 end, m.trigger, 1, {at},
               case when i % 100 = 0 then {now} + 40 * {days} end, 0,
               case when i % 100 > 0 then {at} end, {from}
             from {{series {deliveries}}} join deliveries m on m.id = {delivery}",
            id = in_shard(&format!("{first_delivery} + i"), &identity),
            identity_id = id(&identity),
            at = at(deliveries),
            into = columns.join(", "),
            from = columns.map(|column| format!("m.{column}")).join(", "),
        ));
        let identity = identity_of("i * 7919");
        all.push(format!(
            "insert into escalations (id, shard, team_id, identity_id, rule_id, rule_name, severity, status, created_at,
               opened_at, humanity)
             select {id}, ({identity}) % {SHARDS}, 1, {identity_id}, case when i % 3 = 2 then 1 + i % 7 else 100 + i end, 'Rule', i % 3, i % 3, {at}, {at}, i % 50
             from {{series {ESCALATIONS}}}",
            id = in_shard("i", &identity),
            identity_id = id(&identity),
            at = at(ESCALATIONS)
        ));
        all.push(format!(
            "insert into audit_log (team_id, at, actor_type, actor, action, target_type, target_id)
             select 1, {at}, 'USER', 'user-' || (i % 50), 'channel.change', 'channel', 'c' || (i % 10)
             from {{series {AUDIT_ENTRIES}}}",
            at = at(AUDIT_ENTRIES)
        ));
        Ok(all)
    }
}

/// Replaces every `{word argument}`.
fn expand(text: &str, word: &str, with: impl Fn(&str) -> String) -> String {
    let opening = format!("{{{word} ");
    let mut parts = text.split(&opening);
    let mut expanded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (argument, rest) = part.split_once('}').unwrap_or((part, ""));
        expanded.push_str(&with(argument));
        expanded.push_str(rest);
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_expanded_with_their_argument() {
        let text = "select {id 'e' || i} from {series 10} where {other}";
        let expanded = expand(&expand(text, "series", |n| format!("s({n})")), "id", |id| format!("b({id})"));
        assert_eq!(expanded, "select b('e' || i) from s(10) where {other}");
    }
}
