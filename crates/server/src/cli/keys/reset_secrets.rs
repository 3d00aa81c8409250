//! `dregs keys reset-secrets`: what to do when the master key is lost.

use super::super::Failure;
use super::super::existing::Existing;
use super::super::output::{columns, line};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::ops::installation::lost_key::{self, Lost, Mended};
use crate::store::Location;
use crate::vault::{self, Vault};

/// Says what the master key in force cannot read; with `confirmed` gives it new values.
pub(super) async fn run(opened: &Existing, config: &Config, confirmed: bool) -> Result<(), Failure> {
    // A server that runs would go on with the old secrets.
    let is_file = matches!(app::location(config), Location::File(_));
    let _lock = if is_file { Some(app::lock(config)?) } else { None };
    let file = app::key_file(config);
    // A question makes no key.
    let key = match vault::master_key(config.master_key.as_deref(), &file).map_err(Failure::Misused)? {
        Some(key) => key,
        None if confirmed => vault::make_master_key(&file).map_err(Failure::Misused)?,
        None => rand::random(),
    };
    let is_there = file.exists() || config.master_key.is_some();
    let vault = Vault::new(key);
    let (fits, lost) = lost_key::find(&opened.store, &vault).await.map_err(|error| opened.failed(&error))?;
    if fits {
        line("The master key opens everything that is sealed in the database: there is nothing to reset.");
        return Ok(());
    }
    if !confirmed {
        columns(&heads(&["LOST"]).into_iter().chain(lost.iter().map(row_of_lost)).collect::<Vec<_>>())
            .iter()
            .for_each(line);
        let given = app::given_key(config, &file);
        let what = match is_there {
            true => format!("the master key, {given}, does not open what is sealed in the database"),
            false => {
                format!("there is no master key at {}, and the database has something sealed", file.display())
            }
        };
        return Err(Failure::Failed(format!(
            "{what}; nothing was changed. If the right \
             key still exists, use it. If it is lost for good, stop every server on this database, and run this again \
             with --lost-master-key: the channels above get new signing secrets, which their receivers need, and what \
             was sealed of their configuration has to be entered again; second factors of people are removed"
        )));
    }
    let now = SystemClock.now();
    let (mended, people) =
        lost_key::reset(&opened.store, &vault, now).await.map_err(|error| opened.failed(&error))?;
    columns(
        &heads(&["NEW SIGNING SECRET"])
            .into_iter()
            .chain(mended.iter().map(row_of_mended))
            .collect::<Vec<_>>(),
    )
    .iter()
    .for_each(line);
    line("");
    line("Give each receiver its new secret: it is not shown again. What waits is signed with it.");
    for channel in mended.iter().filter(|mended| mended.is_disabled).map(|mended| &mended.channel) {
        line(format_args!(
            "{} is disabled: enter again what was sealed of its configuration, and enable it.",
            channel.name
        ));
    }
    for email in people {
        line(format_args!("{email} has no second factor any more: set it up again, in Settings, Account."));
    }
    Ok(())
}

fn heads(last: &[&str; 1]) -> Vec<[String; 4]> {
    vec![["ID", "NAME", "TYPE", last[0]].map(str::to_owned)]
}

fn row_of_lost(lost: &Lost) -> [String; 4] {
    let what = match (lost.is_secret_lost, lost.is_config_lost) {
        (true, true) => "signing secret, sealed parts of its configuration",
        (true, false) => "signing secret",
        _ => "sealed parts of its configuration",
    };
    let channel = &lost.channel;
    [channel.id.to_string(), channel.name.clone(), channel.channel_type.clone(), what.to_owned()]
}

fn row_of_mended(mended: &Mended) -> [String; 4] {
    let channel = &mended.channel;
    let secret = mended.secret.as_ref().map_or_else(|| "-".to_owned(), |secret| secret.as_text().to_owned());
    [channel.id.to_string(), channel.name.clone(), channel.channel_type.clone(), secret]
}
