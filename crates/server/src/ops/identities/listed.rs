//! The team's lists that an identity is on, by what it shows.

use std::net::IpAddr;

use dregs_core::identity::Profile;
use dregs_core::time::Timestamp;
use serde_json::{Map, Value};

use super::ring::asked_by;
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::ingest::refold;
use crate::ops::long_reads::LongReads;
use crate::ops::team::list_undo;
use crate::store::identities;
use crate::store::lists::{self, Entry, TeamList};
use crate::store::{Result, StoreError};

/// An entry that an identity falls under.
pub struct Listed {
    pub list: TeamList,
    pub entry: Entry,
    /// What the identity shows that falls under it, as the list spells it.
    pub shown: Vec<String>,
    /// The names of rules that are on and ask for the list.
    pub rules: Vec<String>,
    /// The entry in the audit log by which a ban of a ring put it there, if one did and can be undone.
    pub ban: Option<i64>,
}

/// Finds the entries that an identity falls under at the moment `now`, by the lists' slugs; `None` when there is no such
/// identity.
///
/// # Errors
/// Those of the store.
pub async fn find(
    long_reads: &LongReads,
    seen: Seen,
    (team_id, external_id): (i64, String),
    now: Timestamp,
) -> Result<Option<Vec<Listed>>> {
    long_reads
        .read(move |tx| {
            let Some(row) = identities::tracked(tx, team_id, &external_id)? else { return Ok(None) };
            let data: Map<String, Value> =
                serde_json::from_str(&row.data).map_err(|error| StoreError::Broken(error.to_string()))?;
            let profile = Profile::from_data(&data, seen.mappings.of(team_id));
            let state = refold::decode(tx, row.id, &row.state)?;
            let mut found = Vec::new();
            for (slug, of_list) in seen.lists.of(team_id).entries_of((&external_id, &state, &profile), now) {
                // Lists and entries that are gone since they were last looked at are on nothing.
                let Some(list) = lists::by_slug(tx, team_id, slug)? else { continue };
                let values: Vec<_> = of_list.keys().cloned().collect();
                for entry in lists::with_values(tx, (team_id, list.id), &values)? {
                    let shown =
                        of_list.get(&entry.value).into_iter().flatten().map(|value| plain(value)).collect();
                    let ban = list_undo::ban_of(tx, &list, &entry)?;
                    let rules = asked_by(seen.rules.of(team_id), slug);
                    found.push(Listed { list: list.clone(), entry, shown, rules, ban });
                }
            }
            Ok(Some(found))
        })
        .await
}

/// Of a network of one address the address.
fn plain(value: &str) -> String {
    let of_one = value.strip_suffix("/32").or_else(|| value.strip_suffix("/128"));
    of_one.filter(|address| address.parse::<IpAddr>().is_ok()).unwrap_or(value).to_owned()
}
