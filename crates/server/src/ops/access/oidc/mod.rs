//! Signing in at an OpenID provider: the authorization code flow with PKCE, and what follows for members.
//!
//! What is decided here:
//!
//! - **Who somebody is** say issuer and subject. An address that the provider has verified says it once, at the first sign-in:
//!   it leads to the member who has it, to an invitation, or to a new member where that is switched on. Later another
//!   subject with the same address is refused.
//! - **Roles** follow the claim at each sign-in, in both directions, where a claim is set. Whoever has no value that stands
//!   for one is refused; their sessions end, and what acts for them goes. The last admin of a team stays admin while they
//!   have any role: a team needs one.
//! - **Second factor.** Where a team requires one, a sign-in counts if `amr` says so, or if the operator says that the
//!   provider sees to it. The second factor that somebody has here belongs to their password, and is not asked for.
//! - **The issuer's host** may be anywhere, private addresses included: the operator names it in a setting. Other hosts that
//!   its discovery document names are held against the egress policy, and an https issuer leads to https alone.
//! - What has to be remembered between the two halves goes to the browser and back, sealed, as with passkeys: any node
//!   completes what another has begun.

mod claims;
mod entry;
mod provider;
mod sign_in;

use openidconnect::{ClientId, ClientSecret, IssuerUrl};

use crate::channels::fetch::Fetcher;
use crate::channels::http::EgressConfig;
use crate::config::{Config, SecondFactorBy};
use crate::text_file;

pub use claims::parse_roles;
pub use provider::EXCHANGES_MAX;
pub use sign_in::{Begun, CEREMONY_MAX_BYTES, CEREMONY_MINUTES, CODE_MAX_BYTES, Callback};

use claims::Roles;
use provider::Provider;

/// Why nobody is signed in.
#[derive(Debug)]
pub enum Refusal {
    /// The provider cannot be asked, or its answers make no sense.
    Unavailable,
    /// As many sign-ins are under way as there may be.
    Busy,
    /// It was begun too long ago, elsewhere, or was completed.
    Stale,
    /// What the provider says is not right.
    Unverified,
    /// There is no address of theirs, and one is needed at a first sign-in.
    NoEmail,
    /// The provider has not verified their address.
    EmailUnverified,
    /// Somebody else at the provider has joined by their address.
    EmailTaken,
    /// Nobody has made them a member.
    NotInvited,
    /// They have no role by this claim.
    NoRole { claim: String },
    /// Their team requires a second factor, and the provider does not say that there was one.
    NeedsSecondFactor,
}

/// What the operator says of the provider and of who comes in by it.
pub struct Oidc {
    pub name: Option<String>,
    pub provider: Provider,
    issuer: String,
    roles: Option<Roles>,
    is_provisioning: bool,
    second_factor: SecondFactorBy,
}

impl Oidc {
    /// As the configuration has it; `None` where it names no provider.
    ///
    /// # Errors
    /// A sentence for the operator that begins with the setting that is wrong.
    pub fn read(config: &Config, egress: EgressConfig) -> Result<Option<Self>, String> {
        let Some(issuer) = &config.oidc_issuer else {
            return if config.local_sign_in { Ok(None) } else { Err(NOBODY_COMES_IN.to_owned()) };
        };
        let url = IssuerUrl::new(issuer.clone()).map_err(|error| format!("oidc_issuer: {error}"))?;
        let client_id =
            config.oidc_client_id.clone().ok_or("oidc_client_id: set it, as oidc_issuer is set")?;
        let roles = roles(config)?;
        if config.oidc_provisioning && roles.is_none() {
            return Err(ANYBODY_COMES_IN.to_owned());
        }
        let fetcher = Fetcher::new(url.url(), egress)?;
        let client_secret = client_secret(config)?.map(ClientSecret::new);
        Ok(Some(Self {
            name: config.oidc_name.clone(),
            provider: Provider::new(
                url,
                ClientId::new(client_id),
                client_secret,
                &config.oidc_scopes,
                fetcher,
            ),
            issuer: issuer.clone(),
            roles,
            is_provisioning: config.oidc_provisioning,
            second_factor: config.oidc_second_factor,
        }))
    }
}

const NOBODY_COMES_IN: &str =
    "local_sign_in: nobody could sign in any more: set oidc_issuer, or leave local_sign_in as it is";
const ANYBODY_COMES_IN: &str = "oidc_provisioning: whoever has an account at the provider would become a member: say by oidc_role_claim and \
     oidc_roles who may";

fn roles(config: &Config) -> Result<Option<Roles>, String> {
    let by_value = parse_roles(&config.oidc_roles).map_err(|error| format!("oidc_roles: {error}"))?;
    match &config.oidc_role_claim {
        Some(_) if by_value.is_empty() => {
            Err("oidc_roles: nobody would have a role: say which values of the claim stand for which"
                .to_owned())
        }
        Some(claim) => Ok(Some(Roles::new(claim.clone(), by_value))),
        None if by_value.is_empty() => Ok(None),
        None => Err("oidc_role_claim: say which claim has the values of oidc_roles".to_owned()),
    }
}

fn client_secret(config: &Config) -> Result<Option<String>, String> {
    let Some(path) = config.oidc_client_secret_file.as_ref().filter(|_| config.oidc_client_secret.is_none())
    else {
        return Ok(config.oidc_client_secret.clone());
    };
    let text = text_file::read(path);
    let text = text.map_err(|error| format!("oidc_client_secret_file: {}: {error}", path.display()))?;
    Ok(Some(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_let_anybody_in_or_nobody_is_no_configuration() {
        type Change = fn(&mut Config);
        let read = |change: Change| {
            let mut config = Config {
                oidc_issuer: Some("https://login.example.com".into()),
                oidc_client_id: Some("dregs".into()),
                oidc_role_claim: Some("groups".into()),
                oidc_roles: "a=ADMIN".into(),
                ..Config::default()
            };
            change(&mut config);
            Oidc::read(&config, EgressConfig::default()).map(|read| read.is_some())
        };
        assert_eq!(read(|_| {}), Ok(true));
        assert_eq!(read(|config| config.oidc_provisioning = true), Ok(true));
        assert_eq!(read(|config| config.oidc_issuer = None), Ok(false));
        let cases: [(&str, Change); 6] = [
            ("local_sign_in: ", |config| (config.oidc_issuer, config.local_sign_in) = (None, false)),
            ("oidc_client_id: ", |config| config.oidc_client_id = None),
            ("oidc_roles: ", |config| config.oidc_roles = String::new()),
            ("oidc_role_claim: ", |config| config.oidc_role_claim = None),
            ("oidc_client_secret_file: ", |config| config.oidc_client_secret_file = Some("/nowhere".into())),
            ("oidc_provisioning: ", |config| {
                (config.oidc_role_claim, config.oidc_roles, config.oidc_provisioning) =
                    (None, String::new(), true);
            }),
        ];
        for (setting, change) in cases {
            assert!(read(change).is_err_and(|error| error.starts_with(setting)), "{setting}");
        }
    }
}
