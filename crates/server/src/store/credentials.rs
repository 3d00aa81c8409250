//! Credentials: the pairs of keys an application calls with.

use dregs_core::time::Timestamp;

use super::{Result, Row, Tx};
use crate::values;

/// A credential as it is stored: of the secret key only a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub id: i64,
    pub team_id: i64,
    pub name: String,
    pub public_key: String,
    pub secret_hash: Vec<u8>,
    pub allowed_origins: Vec<String>,
    pub enabled: bool,
    /// Events it may send in a second; `None` is the configured number.
    pub rate_per_second: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Credential {
    /// Whether a browser on a page of `origin` may use the public key.
    pub fn allows(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))
    }
}

/// What a new credential consists of.
pub struct NewCredential {
    pub name: String,
    pub public_key: String,
    pub secret_hash: Vec<u8>,
    pub allowed_origins: Vec<String>,
    /// As of [`Credential`].
    pub rate_per_second: Option<i64>,
}

const COLUMNS: &str = "id, team_id, name, public_key, secret_hash, allowed_origins, enabled, rate_per_second, created_at, updated_at";

pub fn insert(tx: &mut Tx, team_id: i64, new: &NewCredential, now: Timestamp) -> Result<Credential> {
    tx.get(
        &format!(
            "insert into credentials
               (team_id, name, public_key, secret_hash, allowed_origins, rate_per_second, enabled, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, 1, $7, $8) returning {COLUMNS}"
        ),
        &values![
            team_id,
            &new.name,
            &new.public_key,
            &new.secret_hash,
            &join_origins(&new.allowed_origins),
            new.rate_per_second,
            now,
            now
        ],
        read,
    )
}

/// Every credential of every team: few rows, kept in memory by whoever authenticates.
pub fn all(tx: &mut Tx) -> Result<Vec<Credential>> {
    tx.query(&format!("select {COLUMNS} from credentials order by id"), &[], read)
}

pub fn of_team(tx: &mut Tx, team_id: i64) -> Result<Vec<Credential>> {
    tx.query(
        &format!("select {COLUMNS} from credentials where team_id = $1 order by id"),
        &values![team_id],
        read,
    )
}

/// What to change about a credential; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub name: Option<String>,
    pub allowed_origins: Option<Vec<String>>,
    pub enabled: Option<bool>,
    /// The inner `None` goes back to the configured number.
    pub rate_per_second: Option<Option<i64>>,
}

/// Changes a credential; the answer is the row, if the team has it.
pub fn update(
    tx: &mut Tx,
    team_id: i64,
    id: i64,
    change: &Change,
    now: Timestamp,
) -> Result<Option<Credential>> {
    let origins = change.allowed_origins.as_deref().map(join_origins);
    tx.find(
        &format!(
            "update credentials set name = coalesce($3, name),
               allowed_origins = coalesce($4, allowed_origins), enabled = coalesce($5, enabled),
               updated_at = $6, rate_per_second = case when $7 = 1 then $8 else rate_per_second end
             where team_id = $1 and id = $2 returning {COLUMNS}"
        ),
        &values![
            team_id,
            id,
            &change.name,
            &origins,
            change.enabled.map(i64::from),
            now,
            change.rate_per_second.is_some(),
            change.rate_per_second.flatten()
        ],
        read,
    )
}

pub fn delete(tx: &mut Tx, team_id: i64, id: i64) -> Result<bool> {
    Ok(tx.execute("delete from credentials where team_id = $1 and id = $2", &values![team_id, id])? > 0)
}

/// Origins hold no white space, so lines keep them apart.
fn join_origins(origins: &[String]) -> String {
    origins.join("\n")
}

fn read(row: &Row) -> Result<Credential> {
    Ok(Credential {
        id: row.get(0)?,
        team_id: row.get(1)?,
        name: row.get(2)?,
        public_key: row.get(3)?,
        secret_hash: row.get(4)?,
        allowed_origins: row.get::<String>(5)?.lines().map(str::to_owned).collect(),
        enabled: row.flag(6)?,
        rate_per_second: row.get(7)?,
        created_at: row.time(8)?,
        updated_at: row.time(9)?,
    })
}
