//! What an OpenID provider says of somebody: who they are, their role, and by how many factors they have signed in.

use serde_json::{Map, Value};

use crate::config::SecondFactorBy;
use crate::store::users::Role;

/// Of several the first counts.
const HIGHEST_FIRST: [Role; 3] = [Role::Admin, Role::User, Role::Viewer];
/// Values of `amr` that stand for several factors, or for what a person unlocks and holds (RFC 8176; `fido` is what
/// providers say of passkeys).
const SEVERAL: [&str; 4] = ["mfa", "hwk", "sc", "fido"];
/// Of what a person knows, …
const KNOWN: [&str; 3] = ["pwd", "pin", "kba"];
/// … and of what they hold.
const HELD: [&str; 5] = ["otp", "swk", "sms", "tel", "face"];

/// Which values of a claim stand for which roles.
#[derive(Clone, Debug)]
pub struct Roles {
    pub claim: String,
    by_value: Vec<(String, Role)>,
}

/// Reads `value=ROLE`, separated by commas.
///
/// # Errors
/// A sentence for the operator that names the part that is wrong.
pub fn parse_roles(text: &str) -> Result<Vec<(String, Role)>, String> {
    let read = |part: &str| {
        let (value, role) = part.rsplit_once('=')?;
        let (value, role) = (value.trim(), Role::parse(&role.trim().to_ascii_uppercase())?);
        (!value.is_empty()).then(|| (value.to_owned(), role))
    };
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            read(part).ok_or_else(|| {
                format!("{part:?} is no value and role, such as fraud-admins=ADMIN (or USER, or VIEWER)")
            })
        })
        .collect()
}

impl Roles {
    pub fn new(claim: String, by_value: Vec<(String, Role)>) -> Self {
        Self { claim, by_value }
    }

    /// The highest role that the claim gives; `None` where it gives none.
    pub fn of(&self, claims: &Map<String, Value>) -> Option<Role> {
        let values = values(find(claims, &self.claim)?);
        let given = |role: &Role| {
            self.by_value.iter().any(|(value, stands_for)| stands_for == role && values.contains(value))
        };
        HIGHEST_FIRST.into_iter().find(given)
    }

    /// Whether the claims have the one that says the role at all.
    pub fn is_told(&self, claims: &Map<String, Value>) -> bool {
        find(claims, &self.claim).is_some()
    }
}

/// A claim by its name, or by the names on the way to it: `realm_access.roles`.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    // Names may have dots themselves, as addresses have: `https://example.com/roles`.
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// The values of a claim that has one or several.
fn values(claim: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match claim {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect(),
    }
}

/// Who somebody is at a provider.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub subject: String,
    claims: Map<String, Value>,
}

impl Claimed {
    /// `more` are claims of which those of the token are not told again.
    pub fn new(subject: String, mut claims: Map<String, Value>, more: Map<String, Value>) -> Self {
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
        Self { subject, claims }
    }

    /// The address, if the provider has seen to it that it is theirs.
    pub fn verified_email(&self) -> Result<&str, NoEmail> {
        let email = self.claims.get("email").and_then(Value::as_str).ok_or(NoEmail::Missing)?;
        let is_verified = match self.claims.get("email_verified") {
            Some(Value::Bool(is_verified)) => *is_verified,
            // As some providers have it.
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        if is_verified { Ok(email) } else { Err(NoEmail::Unverified) }
    }

    pub fn name(&self) -> Option<&str> {
        self.claims.get("name").and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty())
    }

    /// The role by the claim; `None` where there is none.
    pub fn role(&self, roles: &Roles) -> Option<Role> {
        roles.of(&self.claims)
    }

    /// Whether they have signed in by more than one factor.
    pub fn is_multi_factor(&self, by: SecondFactorBy) -> bool {
        if by == SecondFactorBy::Provider {
            return true;
        }
        let methods = self.claims.get("amr").map(values).unwrap_or_default();
        let has = |some: &[&str]| methods.iter().any(|method| some.contains(&method.as_str()));
        has(&SEVERAL) || (has(&KNOWN) && has(&HELD))
    }
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEmail {
    Missing,
    Unverified,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(claims: Value) -> Map<String, Value> {
        claims.as_object().cloned().unwrap()
    }

    fn claimed(of: Value) -> Claimed {
        Claimed::new("s".into(), claims(of), Map::new())
    }

    #[test]
    fn the_highest_role_of_a_claim_counts() {
        let roles = |claim: &str| {
            let text = "support=viewer, fraud=USER,cn=admins=ADMIN,true=USER";
            Roles::new(claim.to_owned(), parse_roles(text).unwrap())
        };
        let cases = [
            ("groups", json!({"groups": ["support", "fraud"]}), Some(Role::User)),
            ("groups", json!({"groups": ["fraud", "cn=admins", 7]}), Some(Role::Admin)),
            ("groups", json!({"groups": "support"}), Some(Role::Viewer)),
            ("groups", json!({"groups": ["Support", "fraudulent", ["fraud"]]}), None),
            ("groups", json!({"groups": []}), None),
            ("groups", json!({"roles": ["fraud"]}), None),
            ("staff", json!({"staff": true}), Some(Role::User)),
            ("realm_access.roles", json!({"realm_access": {"roles": ["fraud"]}}), Some(Role::User)),
            ("https://a.test/roles", json!({"https://a.test/roles": ["fraud"]}), Some(Role::User)),
        ];
        for (claim, of, expected) in cases {
            assert_eq!(roles(claim).of(&claims(of.clone())), expected, "{claim} {of}");
        }
    }

    #[test]
    fn a_mapping_is_read_strictly() {
        assert_eq!(parse_roles(""), Ok(vec![]));
        for text in ["admins", "=ADMIN", "admins=", "admins=OWNER"] {
            assert!(
                parse_roles(text).is_err_and(|error| error.starts_with(&format!("{text:?} is no"))),
                "{text}"
            );
        }
    }

    #[test]
    fn an_address_counts_where_the_provider_has_verified_it() {
        let cases = [
            (json!({"email": "a@b.test", "email_verified": true}), Ok("a@b.test")),
            (json!({"email": "a@b.test", "email_verified": "true"}), Ok("a@b.test")),
            (json!({"email": "a@b.test", "email_verified": false}), Err(NoEmail::Unverified)),
            (json!({"email": "a@b.test", "email_verified": "false"}), Err(NoEmail::Unverified)),
            (json!({"email": "a@b.test"}), Err(NoEmail::Unverified)),
            (json!({"email_verified": true}), Err(NoEmail::Missing)),
        ];
        for (of, expected) in cases {
            assert_eq!(claimed(of.clone()).verified_email(), expected, "{of}");
        }
    }

    #[test]
    fn several_factors_are_told_by_amr_or_by_the_operator() {
        let cases = [
            (json!({"amr": ["mfa"]}), true),
            (json!({"amr": ["pwd", "otp"]}), true),
            (json!({"amr": ["hwk"]}), true),
            (json!({"amr": ["pwd"]}), false),
            (json!({"amr": ["otp"]}), false),
            (json!({"amr": ["pwd", "pin"]}), false),
            (json!({"amr": []}), false),
            (json!({}), false),
        ];
        for (of, expected) in cases {
            let claimed = claimed(of.clone());
            assert_eq!(claimed.is_multi_factor(SecondFactorBy::Amr), expected, "{of}");
            assert!(claimed.is_multi_factor(SecondFactorBy::Provider));
        }
    }

    #[test]
    fn what_the_token_says_stands() {
        let token = claims(json!({"groups": ["a"]}));
        let more = claims(json!({"groups": ["b"], "name": " Ada "}));
        let claimed = Claimed::new("s".into(), token, more);
        let roles = Roles::new("groups".into(), parse_roles("b=ADMIN").unwrap());
        assert_eq!((claimed.role(&roles), claimed.name()), (None, Some("Ada")));
    }
}
