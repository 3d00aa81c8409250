//! People who sign in, each as a member of one of their teams.

use dregs_core::time::Timestamp;

use super::{Result, Row, StoreError, Tx, members};
use crate::values;

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Admin,
    User,
    Viewer,
}

impl Role {
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::User => "USER",
            Self::Viewer => "VIEWER",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Admin, Self::User, Self::Viewer].into_iter().find(|role| role.as_text() == text)
    }
}

/// By what somebody has signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// A password, and a code where there is a second factor.
    #[default]
    Password,
    /// Two factors at once.
    Passkey,
    /// An OpenID provider, which has said whether it was by more than one factor.
    Oidc { is_multi_factor: bool },
}

/// In place of the hash of a password: somebody who has none.
pub const NO_PASSWORD: &str = "";

/// A person as a member of one of their teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: i64,
    pub team_id: i64,
    pub email: String,
    pub name: Option<String>,
    pub password_hash: String,
    /// In this team.
    pub role: Role,
    /// Whether they own the installation, and so make, rename and delete its teams.
    pub is_owner: bool,
    /// When they got their account.
    pub created_at: Timestamp,
    /// When they joined this team.
    pub joined_at: Timestamp,
    /// Whether their password alone signs nobody in.
    pub has_second_factor: bool,
    /// Whether this team requires that of everybody.
    pub needs_second_factor: bool,
    pub has_passkey: bool,
    /// Whether they have signed in at an OpenID provider.
    pub is_bound: bool,
    /// By what they have signed in, where they have.
    pub signed_in_by: Method,
}

impl User {
    /// Whether they have to set up a second factor before they do anything else.
    pub fn lacks_second_factor(&self) -> bool {
        self.needs_second_factor
            && match self.signed_in_by {
                Method::Password => !self.has_second_factor && self.has_password(),
                Method::Passkey => false,
                Method::Oidc { is_multi_factor } => !is_multi_factor,
            }
    }

    /// Whether they have a password at all: whoever joined by an OpenID provider has none.
    pub fn has_password(&self) -> bool {
        self.password_hash != NO_PASSWORD
    }
}

pub(super) const COLUMNS: &str = "u.id, m.team_id, u.email, u.password_hash, m.role, u.created_at, u.name,
    (select count(*) from second_factors f where f.user_id = u.id and f.confirmed_at is not null),
    (select t.second_factor_required from teams t where t.id = m.team_id),
    (select count(*) from passkeys p where p.user_id = u.id),
    (select count(*) from oidc_subjects o where o.user_id = u.id), u.owner, m.created_at";
pub(super) const COLUMNS_COUNT: usize = 13;
/// Where they are, with a row for each team of a person.
const FROM: &str = "from users u join members m on m.user_id = u.id";
/// Of a person's teams the one that they chose last, else the one they joined first.
const CHOSEN: &str = "order by coalesce(m.chosen_at, 0) desc, m.created_at, m.team_id limit 1";

/// Whether nobody has been here yet.
pub fn is_first_start(tx: &mut Tx) -> Result<bool> {
    Ok(first_team(tx)?.is_none())
}

/// The oldest team; `None` before the first start.
pub fn first_team(tx: &mut Tx) -> Result<Option<i64>> {
    tx.find("select id from teams where deleted_at is null order by id limit 1", &[], |row| row.get(0))
}

pub fn insert_team(tx: &mut Tx, name: &str, now: Timestamp) -> Result<i64> {
    tx.get("insert into teams (name, created_at) values ($1, $2) returning id", &values![name, now], |row| {
        row.get(0)
    })
}

/// Has other transactions that hold the team wait for the end of this one: what is looked at in between stays as it is.
pub fn hold_team(tx: &mut Tx, team_id: i64) -> Result<()> {
    tx.execute("update teams set name = name where id = $1", &values![team_id]).map(drop)
}

/// Makes a person, who is a member of a team.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody has this e-mail address.
pub fn insert(
    tx: &mut Tx,
    team_id: i64,
    email: &str,
    password_hash: &str,
    role: Role,
    now: Timestamp,
) -> Result<i64> {
    let id = tx.get(
        "insert into users (email, password_hash, created_at) values ($1, $2, $3) returning id",
        &values![email, password_hash, now],
        |row| row.get(0),
    )?;
    members::insert(tx, team_id, id, role, now)?;
    Ok(id)
}

/// Makes somebody an owner of the installation, or no longer one.
pub fn set_owner(tx: &mut Tx, id: i64, is_owner: bool) -> Result<()> {
    tx.execute("update users set owner = $2 where id = $1", &values![id, is_owner])?;
    Ok(())
}

/// How many own the installation.
pub fn count_owners(tx: &mut Tx) -> Result<i64> {
    tx.get("select count(*) from users where owner = 1", &[], |row| row.get(0))
}

/// The team's person with this id.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<User>> {
    let sql = format!("select {COLUMNS} {FROM} where m.team_id = $1 and u.id = $2");
    tx.find(&sql, &values![team_id, id], read)
}

/// The person with this id, in the team that they chose last.
pub fn by_id(tx: &mut Tx, id: i64) -> Result<Option<User>> {
    tx.find(&format!("select {COLUMNS} {FROM} where u.id = $1 {CHOSEN}"), &values![id], read)
}

/// The people of a team, in the order in which they joined.
pub fn of_team(tx: &mut Tx, team_id: i64) -> Result<Vec<User>> {
    let sql = format!("select {COLUMNS} {FROM} where m.team_id = $1 order by m.created_at, u.id");
    tx.query(&sql, &values![team_id], read)
}

pub fn set_name(tx: &mut Tx, id: i64, name: Option<&str>) -> Result<()> {
    tx.execute("update users set name = $2 where id = $1", &values![id, name])?;
    Ok(())
}

pub fn set_password(tx: &mut Tx, id: i64, password_hash: &str) -> Result<()> {
    tx.execute("update users set password_hash = $2 where id = $1", &values![id, password_hash])?;
    Ok(())
}

/// By what somebody comes in, and what comes in for them.
const ACCESS: [&str; 4] = ["sessions", "mcp_tokens", "oauth_codes", "oauth_connections"];

/// Ends the sessions of a person, and takes their MCP tokens and the clients that act for them away.
pub fn shut_out(tx: &mut Tx, id: i64) -> Result<()> {
    ACCESS.into_iter().try_for_each(|owned| delete_owned(tx, owned, id))
}

fn delete_owned(tx: &mut Tx, table: &str, id: i64) -> Result<()> {
    tx.execute(&format!("delete from {table} where user_id = $1"), &values![id]).map(drop)
}

/// Removes a person, their sessions, their tokens, and the clients that act for them.
pub fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    shut_out(tx, id)?;
    for owned in [
        "members",
        "sign_in_marks",
        "second_factors",
        "recovery_codes",
        "passkeys",
        "oidc_subjects",
        "password_passes",
    ] {
        delete_owned(tx, owned, id)?;
    }
    tx.execute("delete from users where id = $1", &values![id])?;
    Ok(())
}

/// Everybody who signs in, by their addresses, once for each of their teams.
pub fn all(tx: &mut Tx) -> Result<Vec<User>> {
    tx.query(&format!("select {COLUMNS} {FROM} order by u.email, m.created_at, m.team_id"), &[], read)
}

/// The person with this address, in the team that they chose last.
pub fn find_by_email(tx: &mut Tx, email: &str) -> Result<Option<User>> {
    tx.find(&format!("select {COLUMNS} {FROM} where u.email = $1 {CHOSEN}"), &values![email], read)
}

/// A person of [`COLUMNS`].
pub(super) fn read(row: &Row) -> Result<User> {
    let role: String = row.get(4)?;
    Ok(User {
        id: row.get(0)?,
        team_id: row.get(1)?,
        email: row.get(2)?,
        password_hash: row.get(3)?,
        role: Role::parse(&role).ok_or_else(|| StoreError::Broken(format!("{role} is no role")))?,
        created_at: row.time(5)?,
        name: row.get(6)?,
        has_second_factor: row.flag(7)?,
        needs_second_factor: row.flag(8)?,
        has_passkey: row.flag(9)?,
        is_bound: row.flag(10)?,
        signed_in_by: Method::default(),
        is_owner: row.flag(11)?,
        joined_at: row.time(12)?,
    })
}
