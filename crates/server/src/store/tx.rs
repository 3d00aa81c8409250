//! The layer that makes the two clients look alike: values in, rows out, one text of SQL.
//!
//! Parameters are written `$1`, `$2` … and a statement over many rows has one `{rows}` where the
//! rows of `values` go. PostgreSQL runs such a statement for up to [`ROWS_MAX`] rows at once;
//! SQLite, which has no round trip to save, runs it row by row, and is faster that way. A
//! statement must therefore mean the same either way.
//!
//! Where PostgreSQL's tables are spread over machines, rows are cut by `v.shard`, their first value, and each statement
//! is about one shard.

use std::collections::BTreeMap;

use dregs_core::shard::SHARDS;
use dregs_core::time::Timestamp;
use tokio_postgres::types::{ToSql, Type};

use super::error::StoreError;
use super::pg_client::{Asked, Connection as PostgresConnection, Later};
use super::tally;

/// Rows of one multi-row statement: more gain nothing and cost the planner time. A power of two.
pub const ROWS_MAX: usize = 128;

/// A parameter. Each variant is one column type on both engines, null included.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Int(Option<i64>),
    Text(Option<&'a str>),
    Blob(Option<&'a [u8]>),
}

macro_rules! value_from {
    ($($from:ty, $value:ident => $to:expr;)*) => {$(
        impl<'a> From<$from> for Value<'a> {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )*};
}

value_from! {
    i64, v => Self::Int(Some(v));
    Option<i64>, v => Self::Int(v);
    u8, v => Self::Int(Some(v.into()));
    Option<u8>, v => Self::Int(v.map(i64::from));
    u32, v => Self::Int(Some(v.into()));
    bool, v => Self::Int(Some(v.into()));
    Timestamp, v => Self::Int(Some(v.as_millis()));
    Option<Timestamp>, v => Self::Int(v.map(Timestamp::as_millis));
    &'a str, v => Self::Text(Some(v));
    &'a String, v => Self::Text(Some(v));
    Option<&'a str>, v => Self::Text(v);
    &'a Option<String>, v => Self::Text(v.as_deref());
    &'a [u8], v => Self::Blob(Some(v));
    &'a Vec<u8>, v => Self::Blob(Some(v));
    Option<&'a [u8]>, v => Self::Blob(v);
}

/// The parameters of a statement, each turned into a [`Value`].
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::store::Value::from($value)),*] };
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Int(v) => rusqlite::ToSql::to_sql(v),
            Self::Text(v) => rusqlite::ToSql::to_sql(v),
            Self::Blob(v) => rusqlite::ToSql::to_sql(v),
        }
    }
}

/// A parameter that outlives what it was made of.
pub enum Kept {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

impl Kept {
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Int(v) => Value::Int(*v),
            Self::Text(v) => Value::Text(v.as_deref()),
            Self::Blob(v) => Value::Blob(v.as_deref()),
        }
    }
}

impl Value<'_> {
    fn kept(&self) -> Kept {
        match self {
            Self::Int(v) => Kept::Int(*v),
            Self::Text(v) => Kept::Text(v.map(str::to_owned)),
            Self::Blob(v) => Kept::Blob(v.map(<[u8]>::to_owned)),
        }
    }

    pub fn postgres_type(&self) -> Type {
        match self {
            Self::Int(_) => Type::INT8,
            Self::Text(_) => Type::TEXT,
            Self::Blob(_) => Type::BYTEA,
        }
    }

    pub fn as_postgres(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int(v) => v,
            Self::Text(v) => v,
            Self::Blob(v) => v,
        }
    }
}

/// A row of a result, valid while it is looked at.
pub enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// A type both engines can read from a column: `i64`, `String`, `Vec<u8>` and options of them.
pub trait Column: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a> {}
impl<T: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>> Column for T {}

impl Row<'_> {
    /// The value of the column at `index`, from 0.
    pub fn get<T: Column>(&self, index: usize) -> Result<T, StoreError> {
        match self {
            Self::Sqlite(row) => Ok(row.get(index)?),
            Self::Postgres(row) => Ok(row.try_get(index)?),
        }
    }

    pub fn time(&self, index: usize) -> Result<Timestamp, StoreError> {
        self.get(index).map(Timestamp::from_millis)
    }

    pub fn optional_time(&self, index: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(index)?.map(Timestamp::from_millis))
    }

    pub fn flag(&self, index: usize) -> Result<bool, StoreError> {
        Ok(self.get::<i64>(index)? != 0)
    }

    /// A number that fits in a `u8`, such as a score or a stored enum.
    pub fn small(&self, index: usize) -> Result<Option<u8>, StoreError> {
        let number: Option<i64> = self.get(index)?;
        number
            .map(|n| u8::try_from(n).map_err(|_| StoreError::Broken(format!("{n} is not from 0 to 255"))))
            .transpose()
    }
}

/// An open transaction on either engine.
pub enum Tx<'t> {
    Sqlite(&'t rusqlite::Connection),
    Postgres(&'t mut PostgresConnection),
}

impl Tx<'_> {
    /// Runs a statement; the answer is the number of rows it changed.
    pub fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let changed = match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&sqlite_text(sql))?;
                bind(&mut statement, values)?;
                statement.raw_execute()? as u64
            }
            Self::Postgres(connection) => connection.execute_each(&[asked(sql, values)])?,
        };
        tally::add(sql, 1, changed);
        Ok(changed)
    }

    /// Runs a query and maps each of its rows.
    pub fn query<T>(
        &mut self,
        sql: &str,
        values: &[Value],
        mut map: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(&sqlite_text(sql))?;
                collect(&mut statement, values, &mut map, &mut found)?;
            }
            Self::Postgres(connection) => {
                for row in connection.query_each(&[asked(sql, values)])? {
                    found.push(map(&Row::Postgres(&row))?);
                }
            }
        }
        tally::add(sql, 1, found.len() as u64);
        Ok(found)
    }

    /// Runs a query that finds at most one row.
    pub fn find<T>(
        &mut self,
        sql: &str,
        values: &[Value],
        map: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.query(sql, values, map)?.pop())
    }

    /// Runs a query that always has exactly one row, such as `returning` after one insert.
    pub fn get<T>(
        &mut self,
        sql: &str,
        values: &[Value],
        map: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.find(sql, values, map)?.ok_or_else(missing)
    }

    /// The same of a `{new rows}` statement over one row.
    pub fn get_new<T, const N: usize>(
        &mut self,
        sql: &str,
        row: [Value; N],
        map: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.query_rows(sql, &[row], map)?.pop().ok_or_else(missing)
    }

    /// Runs a `{rows}` statement over `rows`; the answer is the number of rows changed.
    pub fn execute_rows<const N: usize>(
        &mut self,
        sql: &str,
        rows: &[[Value; N]],
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        match self {
            Self::Sqlite(connection) if !rows.is_empty() => {
                let mut statement =
                    connection.prepare_cached(&sqlite_text(&with_rows(sql, 1, N, sqlite_number)))?;
                for row in rows {
                    bind(&mut statement, row)?;
                    changed += statement.raw_execute()? as u64;
                }
            }
            Self::Sqlite(_) => {}
            Self::Postgres(connection) => {
                changed += connection.execute_each(&statements(sql, rows, connection.is_spread))?;
            }
        }
        tally::add(sql, self.runs(rows.len()), changed);
        Ok(changed)
    }

    /// Runs a `{rows}` statement over `rows` without asking how many rows it changed. PostgreSQL is sent it with whatever
    /// is asked next, or with the commit, which spares a round trip; what is wrong with it is said there.
    pub fn execute_rows_later<const N: usize>(
        &mut self,
        sql: &str,
        rows: &[[Value; N]],
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => self.execute_rows(sql, rows).map(drop),
            Self::Postgres(connection) => {
                let kept = |one: Asked| Later {
                    sql: one.sql.into_owned(),
                    values: one.values.iter().map(Value::kept).collect(),
                };
                connection.execute_later(statements(sql, rows, connection.is_spread).into_iter().map(kept));
                tally::add(sql, self.runs(rows.len()), rows.len() as u64);
                Ok(())
            }
        }
    }

    /// Runs a `{rows}` query over `rows` and maps every row it finds, in no order.
    pub fn query_rows<T, const N: usize>(
        &mut self,
        sql: &str,
        rows: &[[Value; N]],
        mut map: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        match self {
            Self::Sqlite(connection) if !rows.is_empty() => {
                let mut statement =
                    connection.prepare_cached(&sqlite_text(&with_rows(sql, 1, N, sqlite_number)))?;
                for row in rows {
                    collect(&mut statement, row, &mut map, &mut found)?;
                }
            }
            Self::Sqlite(_) => {}
            Self::Postgres(connection) => {
                for row in connection.query_each(&statements(sql, rows, connection.is_spread))? {
                    found.push(map(&Row::Postgres(&row))?);
                }
            }
        }
        tally::add(sql, self.runs(rows.len()), found.len() as u64);
        Ok(found)
    }

    /// How often a `{rows}` statement is run for so many rows.
    fn runs(&self, rows: usize) -> usize {
        match self {
            Self::Sqlite(_) => rows,
            Self::Postgres(_) => sizes(rows).count(),
        }
    }

    /// Runs statements that take no parameters and answer nothing.
    pub fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(connection) => Ok(connection.batch(sql)?),
        }
    }

    /// Whether another transaction was faster the last time, which PostgreSQL alone lets happen. What is to be written may
    /// be locked then before it is read; not in a cluster, which locks in one place after the other.
    pub fn is_again(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(connection) => connection.is_again && !connection.is_spread,
        }
    }

    /// Whether the tables are spread over machines.
    pub fn is_spread(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(connection) => connection.is_spread,
        }
    }

    /// The end of a `select` inside a claim, so that claims of several nodes pass each other by.
    pub fn skip_locked(&self) -> &'static str {
        self.dialect("", " for update skip locked")
    }

    /// The text for the engine at hand, for the few statements that have no common form.
    pub fn dialect<'s>(&self, sqlite: &'s str, postgres: &'s str) -> &'s str {
        match self {
            Self::Sqlite(_) => sqlite,
            Self::Postgres(_) => postgres,
        }
    }
}

fn missing() -> StoreError {
    StoreError::Broken("a row that must be there is not".into())
}

/// The text as SQLite takes it best.
///
/// It counts `$1` by first appearance and `?1` by number. And a statement that may fail midway
/// copies every page it changes so that it can be undone alone, unless it says `or fail`; here a
/// failed statement undoes the whole job anyway, so there is nothing to copy for.
fn sqlite_text(sql: &str) -> String {
    let sql = without_rows(sql).replace('$', "?");
    if sql.starts_with("insert into") {
        sql.replacen("insert into", "insert or fail into", 1)
    } else {
        sql.replacen("update ", "update or fail ", 1)
    }
}

/// The last number in the ids of a table; ids are numbers that grow times the number of shards, plus the shard.
type LastNumber = fn(table: &str) -> String;

fn sqlite_number(table: &str) -> String {
    format!("(coalesce((select seq from sqlite_sequence where name = '{table}'), 0) / {SHARDS} + 1)")
}

fn postgres_number(table: &str) -> String {
    format!("nextval('{table}_number')")
}

/// `sql` with `{rows}` replaced by `count` rows of `width` parameters: `($1, $2), ($3, $4)`. With `{new rows}` an id
/// comes before each row's first parameter, which is the shard.
fn with_rows(sql: &str, count: usize, width: usize, number: LastNumber) -> String {
    use std::fmt::Write;
    let table =
        sql.strip_prefix("insert into ").and_then(|rest| rest.split_once(' ')).map(|(table, _)| table);
    let number = table.filter(|_| sql.contains("{new rows}")).map(number);
    let mut rows = String::with_capacity(count * width * 5);
    for index in 0..count * width {
        let before = match (index, index % width) {
            (0, _) => "(",
            (_, 0) => "), (",
            _ => ", ",
        };
        let place = index + 1;
        // Writing to a string cannot fail.
        let _ = match &number {
            Some(number) if index % width == 0 => {
                write!(rows, "{before}{number} * {SHARDS} + ${place}, ${place}")
            }
            _ => write!(rows, "{before}${place}"),
        };
    }
    rows.push(')');
    sql.replace(if number.is_some() { "{new rows}" } else { "{rows}" }, &rows)
}

/// An update from `v`, which is one row here, with the row's parameters in place of its columns:
/// `with v (id, x) as (values ($1, $2)) update t set x = v.x from v where t.id = v.id` becomes
/// `update t set x = $2 where t.id = $1`, which needs no table for `v`. Other texts stay.
fn without_rows(sql: &str) -> String {
    let Some((names, rest)) = sql.strip_prefix("with v (").and_then(|rest| rest.split_once(") as (values"))
    else {
        return sql.to_owned();
    };
    let Some((_, update)) =
        rest.split_once(")\n").filter(|(_, text)| text.trim_start().starts_with("update"))
    else {
        return sql.to_owned();
    };
    let mut text = update.trim_start().replace("from v where", "where");
    for (index, name) in names.split(',').map(str::trim).enumerate() {
        text = replace_word(&text, &format!("v.{name}"), &format!("${}", index + 1));
    }
    text
}

/// `text` with `word` replaced where it is not part of a longer one.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(word) {
        let is_whole = !before.ends_with(is_part) && !after.starts_with(is_part);
        replaced.push_str(before);
        replaced.push_str(if is_whole { by } else { word });
        rest = after;
    }
    replaced + rest
}

fn bind(statement: &mut rusqlite::Statement, values: &[Value]) -> Result<(), StoreError> {
    for (index, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

fn collect<T>(
    statement: &mut rusqlite::Statement,
    values: &[Value],
    map: &mut impl FnMut(&Row) -> Result<T, StoreError>,
    found: &mut Vec<T>,
) -> Result<(), StoreError> {
    bind(statement, values)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        match map(&Row::Sqlite(row)) {
            Ok(one) => found.push(one),
            Err(error) => {
                // A value for which there was no memory reads as empty; SQLite says so at the next step.
                rows.next()?;
                return Err(error);
            }
        }
    }
    Ok(())
}

fn asked<'v>(sql: &'v str, values: &'v [Value<'v>]) -> Asked<'v> {
    Asked { sql: sql.into(), values: values.to_vec() }
}

/// The statements that together are `sql` over all `rows`. Their sizes are powers of two, so that there are few texts
/// of each: a text is parsed and planned once, and 128 of each would push one another out of the server's memory.
/// Where tables are spread, each is about one shard, which is the first parameter of a row, and says so.
fn statements<'v, const N: usize>(sql: &str, rows: &'v [[Value<'v>; N]], is_spread: bool) -> Vec<Asked<'v>> {
    if !is_spread || !sql.contains("shard") {
        return sized(sql, rows.iter().collect());
    }
    let mut of_shards: BTreeMap<Option<i64>, Vec<&[Value; N]>> = BTreeMap::new();
    for row in rows {
        let shard = if let Some(Value::Int(shard)) = row.first() { *shard } else { None };
        of_shards.entry(shard).or_default().push(row);
    }
    let sql = replace_word(sql, "v.shard", "$1");
    of_shards.into_values().flat_map(|rows| sized(&sql, rows)).collect()
}

fn sized<'v, const N: usize>(sql: &str, rows: Vec<&'v [Value<'v>; N]>) -> Vec<Asked<'v>> {
    let mut rest = rows.as_slice();
    let of_size = |size| {
        let (chunk, later) = rest.split_at(size);
        rest = later;
        Asked {
            sql: with_rows(sql, size, N, postgres_number).into(),
            values: chunk.iter().flat_map(|row| row.iter().copied()).collect(),
        }
    };
    sizes(rows.len()).map(of_size).collect()
}

/// How many rows each statement over `rows` takes.
fn sizes(mut rows: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let size = 1 << rows.checked_ilog2()?;
        let size = ROWS_MAX.min(size);
        rows -= size;
        Some(size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_are_numbered_through() {
        assert_eq!(
            with_rows("insert into t (a, b) values {rows}", 2, 2, postgres_number),
            "insert into t (a, b) values ($1, $2), ($3, $4)"
        );
    }

    #[test]
    fn a_new_row_has_an_id_that_carries_its_shard() {
        assert_eq!(
            with_rows("insert into t (id, shard, a) values {new rows}", 2, 2, postgres_number),
            "insert into t (id, shard, a) values (nextval('t_number') * 1024 + $1, $1, $2), \
             (nextval('t_number') * 1024 + $3, $3, $4)"
        );
    }

    #[test]
    fn where_tables_are_spread_each_statement_names_one_shard() {
        let rows = [[3_i64, 10], [5, 11], [3, 12]].map(|[shard, id]| values![shard, id]);
        let sql = "with v (shard, id) as (values {rows}) select t.a from v join t on t.shard = v.shard and t.id = v.id";
        let texts = |is_spread| {
            statements(sql, &rows, is_spread).into_iter().map(|asked| asked.sql).collect::<Vec<_>>()
        };
        assert_eq!(
            texts(true),
            [
                "with v (shard, id) as (values ($1, $2), ($3, $4)) select t.a from v join t on t.shard = $1 and t.id = v.id",
                "with v (shard, id) as (values ($1, $2)) select t.a from v join t on t.shard = $1 and t.id = v.id",
            ]
        );
        assert_eq!(texts(false).len(), 2);
    }

    #[test]
    fn many_rows_take_few_statements_of_few_sizes() {
        let cases = [(0, vec![]), (1, vec![1]), (13, vec![8, 4, 1]), (300, vec![128, 128, 32, 8, 4])];
        for (rows, expected) in cases {
            assert_eq!(sizes(rows).collect::<Vec<_>>(), expected, "{rows}");
        }
    }

    #[test]
    fn sqlite_gets_a_text_for_one_row() {
        let cases = [
            ("select a from t where b = $1", "select a from t where b = ?1"),
            ("insert into t (a) values ($1)", "insert or fail into t (a) values (?1)"),
            ("update t set a = $2 where id = $1", "update or fail t set a = ?2 where id = ?1"),
            (
                "with v (id, a, ab) as (values ($1, $2, $3))
                 update t set a = v.ab, b = case when t.rev.id = v.a then v.id end from v where t.id = v.id",
                "update or fail t set a = ?3, b = case when t.rev.id = ?2 then ?1 end where t.id = ?1",
            ),
            (
                "with v (id) as (values ($1))\nselect t.a from v join t on t.id = v.id",
                "with v (id) as (values (?1))\nselect t.a from v join t on t.id = v.id",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(sqlite_text(text), expected);
        }
    }
}
