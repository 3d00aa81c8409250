//! Teams, and those invited to them.

use dregs_core::label::Reasons;
use dregs_core::rules::DueMinutes;
use dregs_core::time::Timestamp;
use serde::de::DeserializeOwned;

use super::users::Role;
use super::{Result, Row, StoreError, Tx};
use crate::values;

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    pub id: i64,
    pub name: String,
    pub label_reasons: Reasons,
    /// Whether everybody in it has to have a second factor.
    pub second_factor_required: bool,
    pub due_minutes: DueMinutes,
    pub created_at: Timestamp,
}

pub fn get(tx: &mut Tx, id: i64) -> Result<Team> {
    let sql = "select name, created_at, label_reasons, due_minutes, second_factor_required from teams where id = $1";
    tx.get(sql, &values![id], |row| {
        Ok(Team {
            id,
            name: row.get(0)?,
            label_reasons: own(row.get(2)?)?,
            due_minutes: own(row.get(3)?)?,
            second_factor_required: row.flag(4)?,
            created_at: row.time(1)?,
        })
    })
}

/// A team as those see it who own the installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub id: i64,
    pub name: String,
    pub created_at: Timestamp,
    pub members: i64,
}

/// Every team, by name; those that were deleted left out.
pub fn all(tx: &mut Tx) -> Result<Vec<Summary>> {
    let sql = "select t.id, t.name, t.created_at, (select count(*) from members m where m.team_id = t.id)
         from teams t where t.deleted_at is null order by lower(t.name), t.id";
    tx.query(sql, &[], |row| {
        Ok(Summary { id: row.get(0)?, name: row.get(1)?, created_at: row.time(2)?, members: row.get(3)? })
    })
}

/// When the escalations of a team are due.
pub fn due_minutes(tx: &mut Tx, id: i64) -> Result<DueMinutes> {
    tx.get("select due_minutes from teams where id = $1", &values![id], |row| own(row.get(0)?))
}

/// What a team has set itself, else what ships.
fn own<T: Default + DeserializeOwned>(json: Option<String>) -> Result<T> {
    let own = json.map_or_else(|| Ok(T::default()), |json| serde_json::from_str(&json));
    own.map_err(|error| StoreError::Broken(error.to_string()))
}

/// Gives a team its name, its reasons, its due times and what it requires.
pub fn update(tx: &mut Tx, team: &Team) -> Result<()> {
    let broken = |error: serde_json::Error| StoreError::Broken(error.to_string());
    let reasons = serde_json::to_string(&team.label_reasons).map_err(broken)?;
    let due_minutes = serde_json::to_string(&team.due_minutes).map_err(broken)?;
    tx.execute(
        "update teams set name = $2, label_reasons = $3, due_minutes = $4, second_factor_required = $5 where id = $1",
        &values![team.id, team.name.as_str(), reasons.as_str(), due_minutes.as_str(), team.second_factor_required],
    )?;
    Ok(())
}

/// Makes whoever else changes the people of this team wait until this transaction has ended.
pub fn lock(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute("update teams set name = name where id = $1", &values![id])?;
    Ok(())
}

/// Somebody asked to join a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: i64,
    pub team_id: i64,
    pub email: String,
    pub role: Role,
    /// The e-mail address of whoever invited them.
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

const COLUMNS: &str = "id, team_id, email, role, invited_by, created_at, expires_at";

fn read(row: &Row) -> Result<Invitation> {
    let role: String = row.get(3)?;
    Ok(Invitation {
        id: row.get(0)?,
        team_id: row.get(1)?,
        email: row.get(2)?,
        role: Role::parse(&role).ok_or_else(|| StoreError::Broken(format!("{role} is no role")))?,
        invited_by: row.get(4)?,
        created_at: row.time(5)?,
        expires_at: row.time(6)?,
    })
}

/// Takes back an earlier invitation of somebody, and of the team whatever holds no longer.
pub fn withdraw_earlier(tx: &mut Tx, new: &Invitation) -> Result<()> {
    tx.execute(
        "delete from invitations where team_id = $1 and (email = $2 or expires_at <= $3)",
        &values![new.team_id, new.email.as_str(), new.created_at],
    )?;
    Ok(())
}

/// Invites somebody, in place of an earlier invitation.
pub fn invite(tx: &mut Tx, new: &Invitation, token_hash: &[u8]) -> Result<i64> {
    withdraw_earlier(tx, new)?;
    tx.get(
        "insert into invitations (team_id, email, role, invited_by, created_at, expires_at, token_hash)
         values ($1, $2, $3, $4, $5, $6, $7) returning id",
        &values![
            new.team_id,
            new.email.as_str(),
            new.role.as_text(),
            new.invited_by.as_str(),
            new.created_at,
            new.expires_at,
            token_hash
        ],
        |row| row.get(0),
    )
}

/// The invitations of a team that hold at `now`, newest first.
pub fn invitations(tx: &mut Tx, team_id: i64, now: Timestamp) -> Result<Vec<Invitation>> {
    let sql =
        format!("select {COLUMNS} from invitations where team_id = $1 and expires_at > $2 order by id desc");
    tx.query(&sql, &values![team_id, now], read)
}

/// Takes an invitation away; what it was, if it was there.
pub fn withdraw(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Invitation>> {
    let sql = format!("delete from invitations where team_id = $1 and id = $2 returning {COLUMNS}");
    tx.find(&sql, &values![team_id, id], read)
}

/// The invitation with this token, if it holds at `now`.
pub fn invitation(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> Result<Option<Invitation>> {
    let sql = format!("select {COLUMNS} from invitations where token_hash = $1 and expires_at > $2");
    tx.find(&sql, &values![token_hash, now], read)
}

/// Takes the invitation with this token, if it holds at `now`, which can be done once.
pub fn take(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> Result<Option<Invitation>> {
    let sql =
        format!("delete from invitations where token_hash = $1 and expires_at > $2 returning {COLUMNS}");
    tx.find(&sql, &values![token_hash, now], read)
}

/// The invitation of this person, if one holds at `now`; of several the newest.
pub fn find_of(tx: &mut Tx, email: &str, now: Timestamp) -> Result<Option<Invitation>> {
    let sql = format!(
        "select {COLUMNS} from invitations where email = $1 and expires_at > $2 order by id desc limit 1"
    );
    tx.find(&sql, &values![email, now], read)
}
