use std::collections::BTreeSet;

use dregs_core::label::{Outcome, Source, Verdict};
use dregs_core::link::{KeyHasher, KeyKind, LinkKey};
use dregs_server::store::bulk_changes::{self, Item, State};
use dregs_server::store::escalations::{
    self, ClosedByHand, Filter, Mover, NewEscalation, Severity, Shares, Status,
};
use dregs_server::store::labels::{self, Found, Judgement, NewLabel};
use dregs_server::store::links::{self, HashedKey};
use dregs_server::store::{StoreError, Tx};

use super::{Ground, at, scores};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    a_change_of_many_is_done_item_by_item_and_each_once,
    escalations_are_found_by_what_their_identities_share,
    what_people_have_decided_is_told_newest_first,
);

async fn open(ground: &Ground, identity_id: i64, rule_id: i64) -> i64 {
    let new = NewEscalation {
        team_id: 1,
        identity_id,
        rule_id,
        rule_name: "Low".into(),
        severity: Severity::Info,
        conditions: "[]".into(),
        channels: "[\"ops\"]".into(),
        scores: scores(12),
        explanation: None,
        event_id: None,
        opened_at: at(rule_id),
    };
    ground.write(move |tx| escalations::insert(tx, &new)).await.unwrap()
}

async fn a_change_of_many_is_done_item_by_item_and_each_once(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada, bob] = ground.identities(&["ada", "bob"]).await[..] else { panic!("two") };
    let mut of = [(open(&ground, ada, 1).await, ada), (open(&ground, bob, 2).await, bob)];
    of.sort_unstable();
    let ids = of.map(|(id, _)| id);
    let [labeled_one, other] = of.map(|(_, who)| who);
    let id = ground.write(move |tx| bulk_changes::insert(tx, 1, ("who", "what"), &of, at(10))).await;
    assert_eq!(ground.read(move |tx| bulk_changes::find(tx, 2, id)).await, None, "of another team");
    let found = ground.read(move |tx| bulk_changes::find(tx, 1, id)).await.unwrap();
    assert_eq!((found.actor.as_str(), found.change.as_str(), found.total), ("who", "what", 2));
    assert_eq!(ground.read(|tx| bulk_changes::newest(tx, 1, 9)).await, vec![found]);

    let item = |escalation_id| Item { escalation_id, status: None, assignee: None, label_id: None };
    let waiting =
        async |limit| ground.read(move |tx| bulk_changes::items(tx, id, State::Waiting, limit)).await;
    assert_eq!(waiting(9).await, ids.map(item));
    let changed = Item {
        status: Some(Status::Acknowledged),
        assignee: Some("eve@example.com".into()),
        label_id: Some(7),
        ..item(ids[0])
    };
    let settle = async |item: Item, from, to| {
        ground.write(move |tx| Ok(bulk_changes::settle(tx, id, &item, from, to))).await
    };
    assert!(settle(changed.clone(), State::Waiting, State::Changed).await.is_ok());
    let again = settle(changed.clone(), State::Waiting, State::Changed).await;
    assert!(matches!(again, Err(StoreError::Retry)), "somebody else was faster");
    assert!(settle(item(ids[1]), State::Waiting, State::Skipped).await.is_ok());
    assert_eq!(waiting(9).await, []);
    let of_state = async |state| ground.read(move |tx| bulk_changes::items(tx, id, state, 9)).await;
    assert_eq!(of_state(State::Changed).await, [changed]);
    let labeled = async |who| ground.read(move |tx| bulk_changes::has_labeled(tx, id, who)).await;
    assert_eq!((labeled(labeled_one).await, labeled(other).await), (true, false));
    let mut tally = ground.read(move |tx| bulk_changes::tally(tx, id)).await;
    tally.sort_unstable();
    assert_eq!(tally, [(State::Changed as i64, 1), (State::Skipped as i64, 1)]);

    let unfinished = async || ground.write(bulk_changes::unfinished).await.map(|change| change.id);
    let ask = async |time| ground.write(move |tx| bulk_changes::ask_undo(tx, id, "eve", at(time))).await;
    assert_eq!((unfinished().await, ask(20).await), (Some(id), false), "it is not finished");
    let finish = async |time| {
        let change = ground.read(move |tx| bulk_changes::find(tx, 1, id)).await.unwrap();
        ground.write(move |tx| bulk_changes::finish(tx, &change, at(time))).await;
    };
    finish(30).await;
    assert_eq!(unfinished().await, None);
    assert!(ask(40).await && !ask(41).await, "once");
    assert_eq!(unfinished().await, Some(id));
    finish(50).await;
    let done = ground.read(move |tx| bulk_changes::find(tx, 1, id)).await.unwrap();
    let times = (done.finished_at, done.undo_asked_at, done.undone_by.as_deref(), done.undone_at);
    assert_eq!(times, (Some(at(30)), Some(at(40)), Some("eve"), Some(at(50))));
    assert_eq!(unfinished().await, None);

    // One that has changed with another of its identity, and one that was gone through already.
    let third = open(&ground, ada, 3).await;
    let with_it = [(third, ada, Status::Open, Some("bob".to_owned())), (ids[1], other, Status::Open, None)];
    ground.write(move |tx| bulk_changes::note_changed(tx, id, &with_it)).await;
    let noted = Item { status: Some(Status::Open), assignee: Some("bob".into()), ..item(third) };
    assert_eq!(of_state(State::Changed).await[0], noted, "before that by which a label was given");
    assert_eq!(of_state(State::Skipped).await, [item(ids[1])], "as it was");
    let active = async |of: Vec<i64>| {
        let found = ground.read(move |tx| escalations::active_of(tx, &of)).await;
        found.into_iter().map(|one| one.id).collect::<BTreeSet<_>>()
    };
    let first = of.iter().find(|(_, who)| *who == ada).unwrap().0;
    assert_eq!(active(vec![ada]).await, BTreeSet::from([first, third]));
    let newest = async |rule| ground.read(move |tx| escalations::newest_of(tx, ada, rule)).await;
    assert_eq!((newest(3).await, newest(9).await), (Some(third), None));

    let forget = async |time| ground.write(move |tx| bulk_changes::forget_some(tx, at(time), 1)).await;
    assert!(!forget(10).await, "it is not older");
    // A row at a time, and then itself.
    for _ in 0..4 {
        assert!(forget(11).await);
    }
    assert!(!forget(11).await);
    assert_eq!(ground.read(move |tx| bulk_changes::find(tx, 1, id)).await, None);
}

async fn escalations_are_found_by_what_their_identities_share(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada, bob] = ground.identities(&["ada", "bob"]).await[..] else { panic!("two") };
    let (first, second) = (open(&ground, ada, 1).await, open(&ground, bob, 2).await);
    let key = |value: &str| {
        let key = LinkKey { kind: KeyKind::Device, value: value.to_owned() };
        HashedKey::new(&KeyHasher::new([7; 16]), 1, &key)
    };
    let (shared, other) = (key("d1"), key("d2"));
    ground.write(move |tx| links::insert(tx, &[(shared, ada, at(1)), (other, bob, at(1))])).await;
    let emails = move |tx: &mut Tx| {
        tx.execute(
            "update identities set display_email = 'Bob@mail.ex_ample.com' where external_id = 'bob'",
            &[],
        )?;
        tx.execute("update identities set display_email = 'ada@exaample.com' where external_id = 'ada'", &[])
    };
    ground.write(emails).await;
    let found = async |shares: Shares| {
        let filter = Filter { shares: Some(shares), ..Filter::default() };
        let briefs = ground.read(move |tx| escalations::briefs(tx, 1, &filter, true, 9)).await;
        briefs.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(found(Shares::Keys(vec![shared])).await, [first]);
    assert_eq!(found(Shares::Keys(vec![other])).await, [second]);
    assert_eq!(found(Shares::Keys(vec![key("d3")])).await, [0; 0]);
    assert_eq!(found(Shares::email_domain("ex_ample.com")).await, [second]);
    assert_eq!(found(Shares::email_domain("ample.com")).await, [0; 0], "the whole name");
    let all = async |ascending, limit| {
        let page =
            ground.read(move |tx| escalations::briefs(tx, 1, &Filter::default(), ascending, limit)).await;
        page.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(all(false, 9).await, [first.max(second), first.min(second)]);
    assert_eq!(all(true, 1).await, [first.min(second)]);
    let of = async |team, ids: Vec<i64>| ground.read(move |tx| escalations::briefs_of(tx, team, &ids)).await;
    assert_eq!(of(2, vec![first]).await, []);
    let [brief] = &of(1, vec![first, 5]).await[..] else { panic!("one") };
    assert_eq!((brief.identity_id, brief.status, brief.opened_at), (ada, Status::Open, at(1)));
    assert_eq!((brief.rule_name.as_str(), brief.channels.as_str()), ("Low", "[\"ops\"]"));
}

async fn what_people_have_decided_is_told_newest_first(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada] = ground.identities(&["ada"]).await[..] else { panic!("one") };
    let ids = [open(&ground, ada, 1).await, open(&ground, ada, 2).await, open(&ground, ada, 3).await];
    let closed = [(ids[0], Some("eve"), 10), (ids[1], None, 20), (ids[2], Some("bob"), 30)];
    for (id, by, time) in closed {
        let by = Mover { by, reason: None };
        ground.write(move |tx| escalations::set_status(tx, id, Status::Closed, by, at(time))).await;
    }
    let told = |by: &str, opened, closed| ClosedByHand {
        by: by.to_owned(),
        opened_at: at(opened),
        closed_at: at(closed),
    };
    let by_hand =
        async |from, limit| ground.read(move |tx| escalations::closed_by_hand(tx, 1, at(from), limit)).await;
    assert_eq!(by_hand(0, 9).await, [told("bob", 3, 30), told("eve", 1, 10)]);
    assert_eq!(by_hand(11, 9).await, [told("bob", 3, 30)]);
    assert_eq!(by_hand(0, 1).await, [told("bob", 3, 30)]);

    let give = async |source, outcome, author: &'static str, time| {
        let label = move |tx: &mut Tx| {
            let new = NewLabel {
                team_id: 1,
                identity_id: ada,
                verdict: Verdict { outcome, kind: None },
                source,
                reason: None,
                note: None,
                author,
                cycle: None,
                found: &Found::default(),
                key: None,
                decided_at: at(time),
                created_at: at(time),
            };
            labels::insert(tx, &new)
        };
        ground.write(label).await.unwrap()
    };
    give(Source::Analyst, Outcome::Good, "eve", 10).await;
    give(Source::Chargeback, Outcome::Bad, "shop", 11).await;
    let taken_back = give(Source::Analyst, Outcome::Good, "joe", 12).await;
    give(Source::Analyst, Outcome::Bad, "bob", 13).await;
    ground.write(move |tx| labels::withdraw(tx, taken_back, "joe", at(14))).await;
    let judged = |author: &str, outcome, time| Judgement {
        identity_id: ada,
        author: author.to_owned(),
        outcome,
        decided_at: at(time),
    };
    let found = ground.read(|tx| labels::by_analysts(tx, 1, at(0), 9)).await;
    assert_eq!(found, [judged("bob", Outcome::Bad, 13), judged("eve", Outcome::Good, 10)]);
    assert_eq!(ground.read(|tx| labels::by_analysts(tx, 1, at(11), 9)).await.len(), 1);
}
