//! Lists of a team's own, and what is on them.

use dregs_core::list::{Change, ListType};
use dregs_core::time::Timestamp;
use dregs_server::store::list_sources::{self, Cause, Source};
use dregs_server::store::lists::{self, Entry, TeamList};
use dregs_server::store::{StoreError, Tx, users};

use super::{Ground, at};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    lists_are_kept_by_slug_and_counted_by_revision,
    entries_are_found_by_value_and_by_what_has_changed,
    what_was_put_at_one_revision_is_taken_back,
    what_has_ended_is_told_once,
    a_list_goes_little_by_little,
    an_entry_of_rules_has_sources_until_somebody_changes_it,
);

/// A store with a team, whose id is 1.
async fn ground(engine: Engine) -> Ground {
    let ground = Ground::new(engine);
    assert_eq!(ground.write(|tx| users::insert_team(tx, "Team", at(1))).await, 1);
    ground
}

pub fn new(slug: &str) -> TeamList {
    TeamList {
        id: 0,
        team_id: 1,
        slug: slug.into(),
        name: slug.to_uppercase(),
        description: None,
        list_type: ListType::Text,
        trusted: false,
        revision: 1,
        removals_since: 0,
        entry_count: 0,
        created_at: at(1),
        updated_at: at(1),
    }
}

fn entry(value: &str, ends_at: Option<Timestamp>, revision: i64) -> Entry {
    Entry {
        id: 0,
        value: value.into(),
        comment: Some(format!("about {value}")),
        author: "ada".into(),
        created_at: at(2),
        ends_at,
        revision,
    }
}

/// Puts entries on a list at its next revision.
fn put(tx: &mut Tx, id: i64, values: &[(&str, Option<Timestamp>)]) -> dregs_server::store::Result<i64> {
    let list = lists::next_revision(tx, 1, id, at(2))?.unwrap();
    let rows: Vec<_> = values.iter().map(|(value, end)| entry(value, *end, list.revision)).collect();
    lists::put_entries(tx, (1, id), &rows)?;
    lists::count_entries(tx, (1, id), rows.len() as i64)?;
    Ok(list.revision)
}

async fn lists_are_kept_by_slug_and_counted_by_revision(engine: Engine) {
    let ground = ground(engine).await;
    let id = ground.write(|tx| lists::insert(tx, &new("b"))).await;
    let conflict = ground.store.write(|tx| lists::insert(tx, &new("b"))).await;
    assert!(matches!(conflict, Err(StoreError::Conflict)), "{conflict:?}");
    let other = ground.write(|tx| lists::insert(tx, &new("a"))).await;
    let slugs = |lists: Vec<TeamList>| lists.into_iter().map(|list| list.slug).collect::<Vec<_>>();
    assert_eq!(slugs(ground.read(|tx| lists::of_team(tx, 1)).await), ["a", "b"]);
    assert_eq!(slugs(ground.read(|tx| lists::of_team(tx, 2)).await), Vec::<String>::new());
    assert_eq!(ground.read(lists::all).await.len(), 2);
    let changed = ground
        .write(move |tx| {
            let mut list = lists::next_revision(tx, 1, id, at(5))?.unwrap();
            (list.name, list.description, list.trusted) = ("New".into(), Some("why".into()), true);
            lists::update(tx, &list)?;
            Ok(list)
        })
        .await;
    assert_eq!((changed.revision, changed.updated_at), (2, at(5)));
    assert_eq!(ground.read(move |tx| lists::get(tx, 1, id)).await, Some(changed));
    assert_eq!(ground.read(move |tx| lists::get(tx, 2, id)).await, None, "of another team");
    assert_eq!(ground.write(move |tx| lists::next_revision(tx, 2, other, at(5))).await, None);
}

async fn entries_are_found_by_value_and_by_what_has_changed(engine: Engine) {
    let ground = ground(engine).await;
    let id = ground.write(|tx| lists::insert(tx, &new("a"))).await;
    let first =
        ground.write(move |tx| put(tx, id, &[("50%", None), ("b_c", Some(at(9))), ("bxc", None)])).await;
    let page = |term: Option<&'static str>, after: &'static str, limit| {
        move |tx: &mut Tx| lists::page(tx, (1, id), term, after, limit)
    };
    let values = |found: Vec<Entry>| found.into_iter().map(|entry| entry.value).collect::<Vec<_>>();
    for (term, after, limit, expected) in [
        (None, "", 10, vec!["50%", "b_c", "bxc"]),
        (None, "50%", 1, vec!["b_c"]),
        (Some("%"), "", 10, vec!["50%"]),
        (Some("b_"), "", 10, vec!["b_c"]),
        (Some("c"), "", 10, vec!["b_c", "bxc"]),
    ] {
        let found = ground.read(page(term, after, limit)).await;
        let mut found = values(found);
        found.sort_unstable();
        assert_eq!(found, expected, "{term:?} after {after:?}");
    }
    let found = ground
        .read(move |tx| lists::with_values(tx, (1, id), &["bxc".into(), "none".into(), "50%".into()]))
        .await;
    let mut found = values(found);
    found.sort_unstable();
    assert_eq!(found, ["50%", "bxc"]);

    let second = ground.write(move |tx| put(tx, id, &[("b_c", None)])).await;
    assert_eq!((first, second), (2, 3));
    let since = |revision| move |tx: &mut Tx| lists::changed_since(tx, (1, id), (revision, 0), 10);
    let is_in = |value: &str| Change { value: value.into(), is_in: true, ends_at: None };
    let changes = |found: Vec<(i64, Change)>| found.into_iter().map(|(_, one)| one).collect::<Vec<_>>();
    assert_eq!(changes(ground.read(since(first)).await), [is_in("b_c")]);
    let all = ground.read(since(0)).await;
    assert_eq!(changes(all.clone()), [is_in("50%"), is_in("b_c"), is_in("bxc")]);
    let after = all[0].0;
    let rest = ground.read(move |tx| lists::changed_since(tx, (1, id), (0, after), 1)).await;
    assert_eq!(changes(rest), [is_in("b_c")]);

    let gone = ground
        .write(move |tx| {
            let list = lists::next_revision(tx, 1, id, at(7))?.unwrap();
            let gone = lists::delete_entry(tx, (1, id), after, list.revision)?;
            assert_eq!(lists::delete_entry(tx, (1, id), after, list.revision)?, None);
            Ok(gone)
        })
        .await;
    assert_eq!(gone, Some(Entry { id: after, ..entry("50%", None, first) }));
    let removed = |revision| move |tx: &mut Tx| lists::removed_since(tx, (1, id), revision);
    let out = Change { value: "50%".into(), is_in: false, ends_at: None };
    assert_eq!(ground.read(removed(second)).await, [out]);
    assert_eq!(ground.read(removed(second + 1)).await, []);
    ground.write(move |tx| lists::forget_removals(tx, (1, id), second + 1)).await;
    assert_eq!(ground.read(removed(0)).await, []);
    let list = ground.read(move |tx| lists::get(tx, 1, id)).await.unwrap();
    assert_eq!((list.removals_since, list.revision), (second + 1, second + 1));
}

async fn what_was_put_at_one_revision_is_taken_back(engine: Engine) {
    let ground = ground(engine).await;
    let id = ground.write(|tx| lists::insert(tx, &new("a"))).await;
    let first = ground.write(move |tx| put(tx, id, &[("a", None), ("b", None), ("c", None)])).await;
    let second = ground.write(move |tx| put(tx, id, &[("b", None), ("d", None)])).await;
    let sorted = |mut values: Vec<String>| {
        values.sort_unstable();
        values
    };
    assert_eq!(sorted(ground.read(move |tx| lists::put_at(tx, (1, id), first)).await), ["a", "c"]);
    let taken = move |tx: &mut Tx| {
        let list = lists::next_revision(tx, 1, id, at(7))?.unwrap();
        lists::take_back(tx, (1, id), first, list.revision)
    };
    assert_eq!(sorted(ground.write(taken).await), ["a", "c"]);
    assert_eq!(sorted(ground.read(move |tx| lists::put_at(tx, (1, id), second)).await), ["b", "d"]);
    let out = ground.read(move |tx| lists::removed_since(tx, (1, id), second)).await;
    assert_eq!(sorted(out.into_iter().map(|change| change.value).collect()), ["a", "c"]);
    assert_eq!(ground.write(taken).await, Vec::<String>::new());
}

async fn what_has_ended_is_told_once(engine: Engine) {
    let ground = ground(engine).await;
    let id = ground.write(|tx| lists::insert(tx, &new("a"))).await;
    ground.write(move |tx| put(tx, id, &[("a", Some(at(10))), ("b", Some(at(20))), ("c", None)])).await;
    let has_work = |now| ground.read(move |tx| lists::has_work(tx, now));
    assert!(!has_work(at(9)).await && has_work(at(10)).await);
    let now = at(10);
    let taken = |now: Timestamp| {
        ground.write(move |tx| {
            let ended = lists::take_ended(tx, now, 5)?;
            Ok(ended.into_iter().map(|one| (one.team_id, one.list_id, one.value)).collect::<Vec<_>>())
        })
    };
    assert_eq!(taken(now).await, [(1, id, "a".to_owned())]);
    assert_eq!(taken(now).await, []);
    assert!(!has_work(at(10)).await);
    // With another end it ends anew.
    ground.write(move |tx| put(tx, id, &[("a", Some(at(15)))])).await;
    assert_eq!(taken(at(30)).await.len(), 2);
}

async fn a_list_goes_little_by_little(engine: Engine) {
    let ground = ground(engine).await;
    let id = ground.write(|tx| lists::insert(tx, &new("a"))).await;
    let kept = ground.write(|tx| lists::insert(tx, &new("b"))).await;
    for list in [id, kept] {
        ground.write(move |tx| put(tx, list, &[("a", None), ("b", None), ("c", None)])).await;
    }
    assert_eq!(ground.write(|tx| lists::purge_some(tx, 2)).await, 0);
    ground.write(move |tx| lists::delete(tx, 1, id, at(9))).await;
    assert_eq!(ground.read(move |tx| lists::get(tx, 1, id)).await, None);
    assert!(ground.read(|tx| lists::has_work(tx, at(9))).await);
    let again = ground.write(|tx| lists::insert(tx, &new("a"))).await;
    assert_ne!(again, id, "its slug is free");
    let mut removed = Vec::new();
    while removed.last() != Some(&0) {
        removed.push(ground.write(|tx| lists::purge_some(tx, 2)).await);
    }
    assert_eq!(removed, [2, 1, 1, 0], "and the list itself");
    let left = ground.read(move |tx| lists::changed_since(tx, (1, kept), (0, 0), 10)).await;
    assert_eq!(left.len(), 3);
}

/// A source of an entry of a list.
fn source(list_id: i64, entry_id: i64, revision: i64, (identity_id, cause): (i64, Cause)) -> Source {
    Source { id: 0, team_id: 1, list_id, entry_id, revision, identity_id, cause }
}

async fn an_entry_of_rules_has_sources_until_somebody_changes_it(engine: Engine) {
    let ground = ground(engine).await;
    let id = ground.write(|tx| lists::insert(tx, &new("a"))).await;
    let found = ground.read(|tx| lists::by_slug(tx, 1, "a")).await.map(|list| list.id);
    assert_eq!(found, Some(id));
    assert_eq!(ground.read(|tx| lists::by_slug(tx, 2, "a")).await, None, "of another team");
    ground.write(|tx| lists::lock(tx, &[(1, "a"), (1, "gone")].into())).await;
    let first = ground.write(move |tx| put(tx, id, &[("x", None), ("y", None), ("z", None)])).await;
    let of = |value: &'static str| {
        move |tx: &mut Tx| Ok(lists::with_values(tx, (1, id), &[value.into()])?.pop().unwrap().id)
    };
    let (x, y, z) = (ground.read(of("x")).await, ground.read(of("y")).await, ground.read(of("z")).await);
    let badge = || (7, Cause::Badge("bad".into()));
    let new = [
        source(id, x, first, badge()),
        source(id, x, first, (8, Cause::Escalation(5))),
        source(id, y, first, badge()),
        source(id, z, first, badge()),
    ];
    let expected = new.to_vec();
    ground.write(move |tx| list_sources::insert(tx, &new)).await;
    let plain = |found: Vec<Source>| -> Vec<Source> {
        let mut found: Vec<_> = found.into_iter().map(|source| Source { id: 0, ..source }).collect();
        found.sort_by_key(|source| (source.entry_id, source.identity_id));
        found
    };
    let entries = move |tx: &mut Tx| list_sources::of_entries(tx, (1, id), &[x, y, z]);
    assert_eq!(plain(ground.read(entries).await), expected);
    // An analyst changes one, and a rule another.
    ground.write(move |tx| put(tx, id, &[("y", Some(at(9)))])).await;
    ground
        .write(move |tx| {
            let revision = put(tx, id, &[("z", Some(at(9)))])?;
            list_sources::keep_up(tx, (1, id), z, (first, revision))
        })
        .await;
    let mut left = expected.clone();
    left.remove(2);
    left[2].revision = first + 2;
    assert_eq!(plain(ground.read(entries).await), left);
    let of_identity = ground.read(|tx| list_sources::of_identity(tx, 1, 7)).await;
    assert_eq!(of_identity.iter().map(|source| source.entry_id).collect::<Vec<_>>(), [x, y, z]);
    assert_eq!(ground.read(|tx| list_sources::of_identity(tx, 2, 7)).await, []);
    let ids: Vec<_> = of_identity.iter().take(2).map(|source| source.id).collect();
    ground.write(move |tx| list_sources::delete(tx, &ids)).await;
    assert_eq!(ground.read(|tx| list_sources::of_identity(tx, 1, 7)).await.len(), 1);
    // With the entry they go.
    ground.write(move |tx| lists::delete_entry(tx, (1, id), x, 9)).await;
    assert_eq!(ground.read(|tx| list_sources::of_identity(tx, 1, 8)).await, []);
    ground.write(move |tx| list_sources::delete_of_entry(tx, (1, id), z)).await;
    assert_eq!(ground.read(entries).await, []);
}
