//! All that a database holds of a team, row by row.

use std::collections::BTreeMap;
use std::sync::Arc;

use dregs_server::app::App;
use dregs_server::store::{Result, Tx};

/// How rows of tables without a team are found.
const THROUGH: [(&str, &str); 11] = [
    ("channel_secrets", "channel_id in (select id from channels where team_id = {team})"),
    ("channel_health", "channel_id in (select id from channels where team_id = {team})"),
    ("channel_left_out", "channel_id in (select id from channels where team_id = {team})"),
    ("deliveries", "channel_id in (select id from channels where team_id = {team})"),
    (
        "attempts",
        "delivery_id in (select d.id from deliveries d join channels c on c.id = d.channel_id where c.team_id = {team})",
    ),
    ("bulk_change_items", "bulk_change_id in (select id from bulk_changes where team_id = {team})"),
    ("analyses", "identity_id in (select id from identities where team_id = {team})"),
    ("folded_events", "identity_id in (select id from identities where team_id = {team})"),
    ("group_members", "group_id in (select id from groups where team_id = {team})"),
    ("event_groups", "event_id in (select id from events where team_id = {team})"),
    ("teams", "id = {team}"),
];

/// The rows of a team by table, as texts; tables without any are left out.
pub async fn rows(app: &Arc<App>, team_id: i64) -> BTreeMap<String, Vec<String>> {
    app.store.read(move |tx| read(tx, team_id)).await.unwrap()
}

fn read(tx: &mut Tx, team_id: i64) -> Result<BTreeMap<String, Vec<String>>> {
    let columns = tx.dialect(
        "select t.name, c.name from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table'",
        "select cast(table_name as text), cast(column_name as text) from information_schema.columns
         where table_schema = 'public'",
    );
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in tx.query(columns, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))? {
        tables.entry(table).or_default().push(column);
    }
    let mut found = BTreeMap::new();
    for (table, columns) in tables {
        let through = THROUGH.iter().find(|(name, _)| *name == table).map(|(_, condition)| *condition);
        let has_team = columns.iter().any(|column| column == "team_id");
        let Some(condition) = through.or(has_team.then_some("team_id = {team}")) else { continue };
        let condition = condition.replace("{team}", &team_id.to_string());
        let quoted: Vec<_> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let text = quoted.join(" || ',' || ");
        let text = tx.dialect(&text, "cast(x as text)");
        let sql = format!("select {text} from {table} x where {condition}");
        let mut rows = tx.query(&sql, &[], |row| row.get::<String>(0))?;
        rows.sort_unstable();
        if !rows.is_empty() {
            found.insert(table, rows);
        }
    }
    Ok(found)
}
