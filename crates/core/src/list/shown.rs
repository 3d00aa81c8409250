//! What an identity shows that can be on a list.

use std::net::IpAddr;

use super::ListType;
use crate::identity::Profile;
use crate::state::IdentityState;

/// The values of a type that an identity shows, as far as they are remembered, as lists spell them: of networks its
/// addresses, of domains that of its e-mail address. A text is what rules make of it, and nobody shows one.
pub fn shown(list_type: ListType, id: &str, state: &IdentityState, profile: &Profile) -> Vec<String> {
    let texts: Vec<String> = match list_type {
        ListType::Email => profile.email.iter().cloned().collect(),
        ListType::EmailDomain => {
            let domain = profile.email.as_deref().and_then(|email| email.rsplit_once('@'));
            domain.into_iter().map(|(_, domain)| domain.to_owned()).collect()
        }
        ListType::Ip | ListType::Network => {
            let addresses = state.addresses().iter().map(|seen| seen.value.to_canonical());
            addresses.map(|ip: IpAddr| ip.to_string()).collect()
        }
        ListType::Asn => state.places().iter().filter_map(|seen| Some(seen.value.asn?.to_string())).collect(),
        ListType::Country => {
            let places = state.places().iter().filter_map(|seen| seen.value.country);
            places.map(|country| country.code().to_owned()).collect()
        }
        ListType::Device => state.devices().iter().map(|seen| seen.value.clone()).collect(),
        ListType::Identity => vec![id.to_owned()],
        ListType::Phone => profile.phone.iter().cloned().collect(),
        ListType::Text => Vec::new(),
    };
    let mut values: Vec<_> = texts.iter().filter_map(|text| list_type.value(text)).collect();
    values.sort_unstable();
    values.dedup();
    values
}
