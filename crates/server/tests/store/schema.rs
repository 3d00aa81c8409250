//! Two folders of migrations, one shape of the tables.

use std::collections::BTreeSet;

use dregs_server::store::{MIGRATIONS, Result, Tx, pending};

use super::Ground;
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    a_store_that_was_opened_lacks_no_migration,
    tables_of_a_newer_version_are_taken_where_that_says_so,
);

/// Every column: table, name, type as PostgreSQL calls it, whether it may be null.
fn columns(tx: &mut Tx) -> Result<BTreeSet<(String, String, String, bool)>> {
    let sqlite = r#"
        select t.name, c.name,
          case lower(c.type) when 'integer' then 'bigint' when 'blob' then 'bytea' else lower(c.type) end,
          case when c."notnull" = 0 and c.pk = 0 then 1 else 0 end
        from sqlite_master t join pragma_table_info(t.name) c
        where t.type = 'table' and t.name not like 'sqlite_%'"#;
    let postgres = "
        select cast(table_name as text), cast(column_name as text), cast(data_type as text),
          cast(case is_nullable when 'YES' then 1 else 0 end as bigint)
        from information_schema.columns where table_schema = 'public'";
    let sql = tx.dialect(sqlite, postgres);
    let found = tx.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.flag(3)?)))?;
    Ok(found.into_iter().collect())
}

/// Every index that a migration names: what it is called and how it is defined, from its table on.
fn indexes(tx: &mut Tx) -> Result<BTreeSet<(String, String)>> {
    let sqlite = "select name, sql from sqlite_master where type = 'index' and sql is not null";
    let postgres = "select cast(indexname as text), indexdef from pg_indexes
        where schemaname = 'public' and indexname not like '%_pkey' and indexname not like '%_key'";
    let sql = tx.dialect(sqlite, postgres);
    let found = tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
    Ok(found.into_iter().map(|(name, definition)| (name, plain(&definition))).collect())
}

/// A definition of an index without what the engines write differently.
fn plain(definition: &str) -> String {
    let definition =
        definition.to_lowercase().replace("public.", "").replace("using btree ", "").replace('"', "");
    match definition.split_once(" where ") {
        Some((columns, condition)) => {
            format!("{columns} where {}", condition.replace(['(', ')'], "").replace("::text", ""))
        }
        None => definition,
    }
}

#[tokio::test]
async fn both_engines_have_the_same_tables_columns_and_indexes() {
    let [sqlite, postgres] = [Engine::Sqlite, Engine::Postgres].map(Ground::new);
    let shape = |tx: &mut Tx| Ok((columns(tx)?, indexes(tx)?));
    let (sqlite, postgres) = (sqlite.read(shape).await, postgres.read(shape).await);
    assert!(sqlite.0.len() > 100 && sqlite.1.len() > 5, "{sqlite:?}");
    assert_eq!(Vec::from_iter(sqlite.0.symmetric_difference(&postgres.0)), Vec::<&_>::new());
    assert_eq!(Vec::from_iter(sqlite.1.symmetric_difference(&postgres.1)), Vec::<&_>::new());
}

async fn a_store_that_was_opened_lacks_no_migration(engine: Engine) {
    let ground = Ground::new(engine);
    assert!(ground.write(pending).await.is_empty());
    let applied = ground
        .read(|tx| {
            tx.query("select version, name, applied_at from schema_migrations order by version", &[], |row| {
                Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<i64>(2)?))
            })
        })
        .await;
    assert_eq!(applied[0], (1, "0001_initial".into(), 0));
}

async fn tables_of_a_newer_version_are_taken_where_that_says_so(engine: Engine) {
    let ground = Ground::new(engine);
    let newest = MIGRATIONS.last().unwrap().version;
    let open = |works_with: Option<i64>| {
        ground.write(move |tx| {
            let sql = "insert into schema_migrations (version, name, applied_at, works_with) values (999, 'later', 0, $1)";
            tx.execute(sql, &dregs_server::values![works_with])?;
            let pending = pending(tx).map(|pending| pending.len());
            tx.execute("delete from schema_migrations where version = 999", &[])?;
            Ok(pending.map_err(|error| error.to_string()))
        })
    };
    assert_eq!(open(Some(newest)).await, Ok(0));
    for later in [None, Some(newest + 1)] {
        let refused = open(later).await.unwrap_err();
        assert!(refused.contains("newer version of dregs (its tables are of version 999"), "{refused}");
    }
}

/// What of a statement the code of before does not bear.
fn contracts(statement: &str, made_here: &[&str]) -> bool {
    let words: Vec<_> = statement.split_whitespace().collect();
    match words.as_slice() {
        [] | ["create", "table" | "index" | "sequence", ..] | ["insert" | "update", ..] => false,
        // SQLite's have statements in them, which stand apart here.
        ["end"] => false,
        ["create", "trigger", _, rest @ ..] => {
            let on = rest.windows(2).find(|pair| pair[0] == "on");
            !on.is_some_and(|pair| made_here.contains(&pair[1]))
        }
        ["create", "unique", "index", _, "on", table, ..] => !made_here.contains(table),
        ["alter", "table", _, "add", "column", ..] => {
            statement.contains("not null") && !statement.contains("default")
        }
        _ => true,
    }
}

#[test]
fn a_migration_beside_which_older_servers_work_only_adds() {
    let contracting = |sql: &str| {
        let lines: Vec<_> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        let text = lines.join("\n").to_lowercase();
        let made_here: Vec<_> =
            text.split("create table ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
        text.split(';').find(|statement| contracts(statement, &made_here)).map(str::to_owned)
    };
    for migration in MIGRATIONS.iter().filter(|migration| migration.works_with.is_some()) {
        for sql in [migration.sqlite, migration.postgres] {
            assert_eq!(contracting(sql), None, "{}", migration.name);
        }
    }
    for breaking in [
        "drop table events",
        "alter table events drop column type",
        "alter table events rename column type to kind",
        "alter table events add column kind text not null",
        "create unique index one on events (type)",
        "create trigger one after insert on events begin delete from teams",
        "create table a (b text); delete from events",
    ] {
        assert!(contracting(breaking).is_some(), "{breaking}");
    }
}
