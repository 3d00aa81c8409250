//! Who else has a value: where somebody trusted is among them, or very many are, it is nobody's own.

use std::collections::HashMap;

use dregs_core::identity::Profile;
use dregs_core::list::{ListType, Listed, Lists};
use dregs_core::mapping::Mapping;
use dregs_core::rules::NotOwn;
use dregs_core::time::Timestamp;

use crate::store::{Result, StoreError, Tx, identities};

/// Identities that are read at once.
const READ_AT_ONCE: usize = 500;

/// By what the others of a team are read.
#[derive(Clone, Copy)]
pub struct By<'a> {
    pub mapping: &'a Mapping,
    pub lists: &'a Lists,
    pub now: Timestamp,
}

/// Somebody who may have a value.
pub struct Other {
    email: Option<String>,
    phone: Option<String>,
    trusted: Option<Listed>,
}

impl Other {
    /// Whether who has the key of a value has the value: of mailboxes and numbers, keys stand for several.
    pub fn has(&self, list_type: ListType, value: &str) -> bool {
        match list_type {
            ListType::Email => self.email.as_deref() == Some(value),
            ListType::Phone => self.phone.as_deref() == Some(value),
            _ => true,
        }
    }
}

/// Those of these identities that are still there, by their rows.
///
/// # Errors
/// Those of the store.
pub fn read(tx: &mut Tx, ids: &[i64], by: By<'_>) -> Result<HashMap<i64, Other>> {
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(READ_AT_ONCE) {
        for identity in identities::load(tx, ids)? {
            let data = serde_json::from_str(&identity.data)
                .map_err(|error| StoreError::Broken(error.to_string()))?;
            let profile = Profile::from_data(&data, by.mapping);
            let spelled =
                |list_type: ListType, text: Option<String>| text.and_then(|text| list_type.value(&text));
            let other = Other {
                email: spelled(ListType::Email, profile.email),
                phone: spelled(ListType::Phone, profile.phone),
                trusted: by.lists.trusted(ListType::Identity, &identity.id, by.now),
            };
            found.insert(identity.row_id, other);
        }
    }
    Ok(found)
}

/// Why a value of this type is nobody's own when these others have it, if it is not.
pub fn not_own(list_type: ListType, others: &[&Other]) -> Option<NotOwn> {
    let trusted = others.iter().find_map(|other| other.trusted.clone());
    trusted.map(NotOwn::WithTrusted).or_else(|| NotOwn::by_many(list_type, others.len()))
}
