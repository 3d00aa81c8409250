//! From what a provider says to a member: found, joined, given their role, or refused.

use std::net::IpAddr;

use dregs_core::time::Timestamp;
use serde_json::{Map, Value, json};

use super::claims::{Claimed, NoEmail};
use super::{Oidc, Refusal};
use crate::ops::access::sign_in::normalise_email;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::team::members;
use crate::store::users::{self, Method, Role, User};
use crate::store::{Result, Store, StoreError, Tx, members as memberships, oidc_subjects};

/// A sign-in as the store sees it.
#[derive(Clone)]
struct Entry {
    issuer: String,
    claimed: Claimed,
    /// By the claim; `None` where roles are given here.
    role: Option<Role>,
    is_provisioning: bool,
    is_multi_factor: bool,
    address: Option<IpAddr>,
    now: Timestamp,
}

type Entered = std::result::Result<User, Refusal>;

impl Oidc {
    /// Whether claims tell all that is asked here.
    pub(super) fn is_enough(&self, claims: &Map<String, Value>) -> bool {
        let has_role = self.roles.as_ref().is_none_or(|roles| roles.is_told(claims));
        has_role && claims.contains_key("email") && claims.contains_key("email_verified")
    }

    /// The member who has signed in at the provider, with the role that they have there.
    pub(super) async fn enter(
        &self,
        store: &Store,
        claimed: Claimed,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Entered> {
        let issuer = self.issuer.clone();
        let role = self.roles.as_ref().map(|roles| claimed.role(roles).ok_or_else(|| roles.claim.clone()));
        let role = match role.transpose() {
            Ok(role) => role,
            Err(claim) => {
                tracing::info!(
                    setting = "oidc_role_claim",
                    claim,
                    "somebody was refused who has no role by the claim"
                );
                let subject = claimed.subject;
                store.write(move |tx| shut_out(tx, &issuer, &subject, address, now)).await?;
                return Ok(Err(Refusal::NoRole { claim }));
            }
        };
        let is_multi_factor = claimed.is_multi_factor(self.second_factor);
        let is_provisioning = self.is_provisioning;
        let entry = Entry { issuer, claimed, role, is_provisioning, is_multi_factor, address, now };
        match store.write(move |tx| entry.enter(tx)).await {
            // Of two first sign-ins at once one is the first.
            Err(StoreError::Conflict) => Ok(Err(Refusal::Stale)),
            other => other,
        }
    }
}

impl Entry {
    fn enter(&self, tx: &mut Tx) -> Result<Entered> {
        let subject = &self.claimed.subject;
        let user = match oidc_subjects::holder(tx, &self.issuer, subject)? {
            Some(id) => users::by_id(tx, id)?,
            None => None,
        };
        let user = match user {
            Some(user) => {
                if self.lacks_second_factor(&user) {
                    return Ok(Err(Refusal::NeedsSecondFactor));
                }
                oidc_subjects::touch(tx, &self.issuer, subject, self.now)?;
                user
            }
            None => match self.first(tx)? {
                Ok(user) => user,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let signed_in_by = Method::Oidc { is_multi_factor: self.is_multi_factor };
        let user = User { signed_in_by, is_bound: true, ..user };
        let Some(role) = self.role else { return Ok(Ok(user)) };
        // In each of their teams: whoever is demoted at the provider is so everywhere.
        for other in
            memberships::of_user(tx, user.id)?.into_iter().filter(|other| other.team_id != user.team_id)
        {
            if let Some(there) = users::find(tx, other.team_id, user.id)? {
                members::follow_role(tx, there, role, self.address, self.now)?;
            }
        }
        members::follow_role(tx, user, role, self.address, self.now).map(Ok)
    }

    fn lacks_second_factor(&self, user: &User) -> bool {
        user.needs_second_factor && !self.is_multi_factor
    }

    /// Whose the verified address is, bound from now on.
    fn first(&self, tx: &mut Tx) -> Result<Entered> {
        let email = match self.claimed.verified_email() {
            Ok(email) => normalise_email(email),
            Err(NoEmail::Missing) => return Ok(Err(Refusal::NoEmail)),
            Err(NoEmail::Unverified) => return Ok(Err(Refusal::EmailUnverified)),
        };
        let subject = &self.claimed.subject;
        let known = users::find_by_email(tx, &email)?;
        let user = match known {
            Some(user) if oidc_subjects::of_user(tx, &self.issuer, user.id)?.is_some() => {
                return Ok(Err(Refusal::EmailTaken));
            }
            Some(user) if self.lacks_second_factor(&user) => return Ok(Err(Refusal::NeedsSecondFactor)),
            Some(user) => {
                let act = Act {
                    action: "member.bind",
                    target_type: "member",
                    target_id: &user.id.to_string(),
                    before: None,
                    after: Some(json!({"email": user.email, "issuer": self.issuer})),
                };
                audit::record(tx, &Actor::user(&user, self.address), &act, self.now)?;
                user
            }
            None => {
                let newcomer = members::Provided {
                    email,
                    name: self.claimed.name().map(str::to_owned),
                    role: self.role,
                    is_multi_factor: self.is_multi_factor,
                    is_provisioning: self.is_provisioning,
                    address: self.address,
                };
                match members::join_by_provider(tx, &newcomer, self.now)? {
                    Ok(user) => user,
                    Err(members::NotJoined::NotInvited) => return Ok(Err(Refusal::NotInvited)),
                    Err(members::NotJoined::NeedsSecondFactor) => {
                        return Ok(Err(Refusal::NeedsSecondFactor));
                    }
                }
            }
        };
        oidc_subjects::bind(tx, &self.issuer, subject, user.id, self.now)?;
        Ok(Ok(user))
    }
}

/// Ends all that comes in as whoever has lost the claim.
fn shut_out(tx: &mut Tx, issuer: &str, subject: &str, address: Option<IpAddr>, now: Timestamp) -> Result<()> {
    let Some(id) = oidc_subjects::holder(tx, issuer, subject)? else { return Ok(()) };
    let Some(user) = users::by_id(tx, id)? else { return Ok(()) };
    users::shut_out(tx, user.id)?;
    let act = Act {
        action: "member.shut-out",
        target_type: "member",
        target_id: &user.id.to_string(),
        before: Some(json!({"email": user.email, "role": user.role.as_text()})),
        after: None,
    };
    audit::record(tx, &Actor::user(&user, address), &act, now)
}
