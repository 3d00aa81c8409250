//! A look at the store: what has changed since the last one, for each team.

use std::collections::{BTreeSet, HashMap};

use dregs_core::time::Timestamp;

use super::{Audience, News, Pass, Topic};
use crate::ops::lists::tail::Tail;
use crate::ops::team::credentials::Directory;
use crate::store::live::{self, Added, Source};
use crate::store::rosters::Kind;
use crate::store::{Result, Store, Tx, changes, sessions};

/// Rows of one table that a look goes through. Where there are more, everybody is told that everything has
/// changed, which with so much going on is about right.
const ROWS_MAX: usize = 500;
/// Waiting deliveries of one channel that are looked at.
const WAITING_MAX: i64 = 1_000;

/// How far the store has been looked at.
#[derive(Clone)]
pub struct Watch {
    changes: Tail,
    sources: Vec<(Source, Tail)>,
    /// What waits in the channels of each team, as numbers.
    waiting: HashMap<i64, Vec<(i64, i64)>>,
}

/// What a look has found.
#[derive(Default)]
struct Found {
    of_teams: HashMap<i64, News>,
    identities: BTreeSet<i64>,
    groups: BTreeSet<i64>,
    devices: BTreeSet<i64>,
    is_too_much: bool,
}

/// Looks at the store and tells everybody who listens what has changed since the last look, which `watch`
/// remembers; `false` where nobody listens.
///
/// # Errors
/// Those of the store. The next look finds what this one would have.
pub async fn look(
    store: &Store,
    audience: &Audience,
    credentials: &Directory,
    watch: &mut Option<Watch>,
    now: Timestamp,
) -> Result<bool> {
    let mut present = audience.present();
    if present.is_empty() {
        *watch = None;
        return Ok(false);
    }
    let before = watch.clone();
    let teams: BTreeSet<_> = present.iter().map(|ear| ear.team_id).collect();
    let listening: Vec<_> = present.iter().filter_map(|ear| ear.session()).collect();
    let look = move |tx: &mut Tx| {
        let holding = sessions::holding(tx, &listening, now)?;
        match before {
            Some(mut watch) => {
                let found = watch.advance(tx, &teams, now)?;
                Ok((holding, watch, found))
            }
            None => Ok((holding, Watch::begin(tx, &teams)?, Found::default())),
        }
    };
    let (holding, seen, found) = store.read(look).await?;
    *watch = Some(seen);
    // Whoever was signed out, has gone to another team, or has lost the key, hears no more.
    present.retain(|ear| {
        let may_listen = match &ear.pass {
            Pass::Session { token_hash, .. } => holding.get(token_hash) == Some(&Some(ear.team_id)),
            Pass::Credential(id) => credentials.is_enabled(*id),
        };
        if !may_listen {
            ear.end();
        }
        may_listen
    });
    let everything = News { topics: Topic::ALL.into(), ..News::default() };
    for ear in present {
        ear.tell(if found.is_too_much { Some(&everything) } else { found.of_teams.get(&ear.team_id) });
    }
    Ok(true)
}

impl Watch {
    fn begin(tx: &mut Tx, teams: &BTreeSet<i64>) -> Result<Self> {
        let mut sources = Vec::new();
        for source in Source::ALL {
            sources.push((source, Tail::at(live::last(tx, source)?)));
        }
        Ok(Self { changes: Tail::at(changes::last(tx)?), sources, waiting: waiting(tx, teams)? })
    }

    /// Goes on to where the store is now.
    fn advance(&mut self, tx: &mut Tx, teams: &BTreeSet<i64>, now: Timestamp) -> Result<Found> {
        let mut found = Found::default();
        let mut new = changes::with_ids(tx, &self.changes.gaps())?;
        new.extend(changes::after(tx, self.changes.seen, ROWS_MAX as i64)?);
        self.changes.note(new.iter().map(|(id, _)| *id), now);
        catch_up(&mut self.changes, new.len(), &mut found, || changes::last(tx))?;
        for (_, touched) in new {
            found.identities.extend(touched.identities);
            found.groups.extend(touched.groups);
            found.devices.extend(touched.devices);
        }
        for (source, tail) in &mut self.sources {
            let mut new = live::numbered(tx, *source, &tail.gaps())?;
            new.extend(live::after(tx, *source, tail.seen, ROWS_MAX as i64)?);
            tail.note(new.iter().map(|row| row.number), now);
            catch_up(tail, new.len(), &mut found, || live::last(tx, *source))?;
            new.iter().for_each(|row| found.take(*source, row));
        }
        let waiting = waiting(tx, teams)?;
        for (team_id, waits) in &waiting {
            // Of a team whose first listener has just come nothing is known yet.
            if self.waiting.get(team_id).is_some_and(|before| before != waits) {
                found.add(*team_id, Topic::Deliveries);
            }
        }
        self.waiting = waiting;
        found.resolve(tx)?;
        Ok(found)
    }
}

/// Goes to the end of a table of which too much is left to go through.
fn catch_up(
    tail: &mut Tail,
    read: usize,
    found: &mut Found,
    last: impl FnOnce() -> Result<i64>,
) -> Result<()> {
    if read >= ROWS_MAX || tail.gaps().len() >= ROWS_MAX {
        *tail = Tail::at(last()?);
        found.is_too_much = true;
    }
    Ok(())
}

fn waiting(tx: &mut Tx, teams: &BTreeSet<i64>) -> Result<HashMap<i64, Vec<(i64, i64)>>> {
    teams.iter().map(|team_id| Ok((*team_id, live::waiting(tx, *team_id, WAITING_MAX)?))).collect()
}

impl Found {
    fn add(&mut self, team_id: i64, topic: Topic) {
        self.of_teams.entry(team_id).or_default().topics.insert(topic);
    }

    /// What a row says by itself.
    fn take(&mut self, source: Source, row: &Added) {
        self.identities.extend(row.identity_id);
        let Some(team_id) = row.team_id else { return };
        match source {
            Source::Events => self.add(team_id, Topic::Events),
            Source::Deliveries => self.add(team_id, Topic::Deliveries),
            Source::Notifications | Source::AuditLog if row.is_of_escalation => {
                self.add(team_id, Topic::Escalations);
            }
            Source::Notifications | Source::AuditLog => {}
        }
    }

    /// Asks whose the things are that were touched.
    fn resolve(&mut self, tx: &mut Tx) -> Result<()> {
        let touched = [&self.identities, &self.groups, &self.devices];
        self.is_too_much |= touched.iter().any(|ids| ids.len() > ROWS_MAX);
        if self.is_too_much {
            return Ok(());
        }
        let ids: Vec<_> = self.identities.iter().copied().collect();
        for (team_id, identity) in live::identities(tx, &ids)? {
            self.add(team_id, Topic::Identities);
            if let (Some(identity), Some(news)) = (identity, self.of_teams.get_mut(&team_id)) {
                news.name(identity);
            }
        }
        for team_id in live::teams(tx, Kind::Groups, &self.groups)? {
            self.add(team_id, Topic::Groups);
        }
        for team_id in live::teams(tx, Kind::Devices, &self.devices)? {
            self.add(team_id, Topic::Devices);
        }
        Ok(())
    }
}
