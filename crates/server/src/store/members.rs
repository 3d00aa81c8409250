//! Who belongs to which team, with which role.

use dregs_core::time::Timestamp;

use super::users::{self, Role};
use super::{Result, StoreError, Tx};
use crate::values;

/// One of a person's teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub team_id: i64,
    pub team: String,
    pub role: Role,
}

/// Makes a person a member of a team.
///
/// # Errors
/// [`StoreError::Conflict`] when they are.
pub fn insert(tx: &mut Tx, team_id: i64, user_id: i64, role: Role, now: Timestamp) -> Result<()> {
    tx.execute(
        "insert into members (team_id, user_id, role, created_at) values ($1, $2, $3, $4)",
        &values![team_id, user_id, role.as_text(), now],
    )?;
    Ok(())
}

/// The teams of a person, by their names.
pub fn of_user(tx: &mut Tx, user_id: i64) -> Result<Vec<Membership>> {
    let sql = "select t.id, t.name, m.role from members m join teams t on t.id = m.team_id
         where m.user_id = $1 order by lower(t.name), t.id";
    tx.query(sql, &values![user_id], |row| {
        let role: String = row.get(2)?;
        let role = Role::parse(&role).ok_or_else(|| StoreError::Broken(format!("{role} is no role")))?;
        Ok(Membership { team_id: row.get(0)?, team: row.get(1)?, role })
    })
}

pub fn set_role(tx: &mut Tx, team_id: i64, user_id: i64, role: Role) -> Result<()> {
    tx.execute(
        "update members set role = $3 where team_id = $1 and user_id = $2",
        &values![team_id, user_id, role.as_text()],
    )?;
    Ok(())
}

/// Notes that a person has chosen a team, to which they come when they sign in.
pub fn choose(tx: &mut Tx, team_id: i64, user_id: i64, now: Timestamp) -> Result<()> {
    tx.execute(
        "update members set chosen_at = $3 where team_id = $1 and user_id = $2",
        &values![team_id, user_id, now],
    )?;
    Ok(())
}

/// Removes a person from a team, with their sessions and tokens there and the clients that act for them there. Whoever is
/// in no other team is gone.
pub fn delete(tx: &mut Tx, team_id: i64, user_id: i64) -> Result<()> {
    for owned in ["members", "sessions", "mcp_tokens", "oauth_codes", "oauth_connections"] {
        let sql = format!("delete from {owned} where team_id = $1 and user_id = $2");
        tx.execute(&sql, &values![team_id, user_id])?;
    }
    if of_user(tx, user_id)?.is_empty() { users::delete(tx, user_id) } else { Ok(()) }
}
