use dregs_server::store::escalation_history::{self, Entry, Kind, NewEntry};
use dregs_server::store::escalations::{self, Filter, Mover, NewEscalation, Severity, Status};
use dregs_server::store::{Tx, backup, codec, erasure, events, identities};
use dregs_server::values;

use super::events::{full_event, new_event};
use super::{Ground, at, scores};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    who_works_on_what_is_kept,
    what_has_happened_is_kept_in_order_and_erased_with_its_identity,
    what_opened_one_is_kept_and_its_event_as_long_as_there_is_one,
    whoever_was_put_back_goes_on_with_numbers_that_nobody_was_given,
);

fn opened(identity_id: i64, rule_id: i64, severity: Severity) -> NewEscalation {
    NewEscalation {
        team_id: 1,
        identity_id,
        rule_id,
        rule_name: "Low".into(),
        severity,
        conditions: "[]".into(),
        channels: "[]".into(),
        scores: scores(12),
        explanation: None,
        event_id: None,
        opened_at: at(rule_id),
    }
}

async fn open(ground: &Ground, identity_id: i64, rule_id: i64, severity: Severity) -> i64 {
    let new = opened(identity_id, rule_id, severity);
    ground.write(move |tx| escalations::insert(tx, &new)).await.unwrap()
}

async fn what_opened_one_is_kept_and_its_event_as_long_as_there_is_one(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada, bob] = ground.identities(&["ada", "bob"]).await[..] else { panic!("two") };
    let rows = [new_event(1, Some(ada), &full_event("e1")), new_event(1, Some(bob), &full_event("e2"))];
    ground.write(move |tx| events::insert(tx, &rows)).await;
    let plain = open(&ground, ada, 1, Severity::Info).await;
    let new = NewEscalation {
        explanation: Some("The event is PURCHASE.".into()),
        event_id: Some(codec::pack_id("e1")),
        ..opened(ada, 2, Severity::Info)
    };
    let by_event = ground.write(move |tx| escalations::insert(tx, &new)).await.unwrap();
    let told = async || {
        ground
            .read(move |tx| {
                let sort = escalations::Sort::OpenedAt;
                let listed = escalations::page(tx, 1, &Filter::default(), sort, true, 0, 9)?;
                let alone = [escalations::find(tx, 1, plain)?, escalations::find(tx, 1, by_event)?];
                let open = [escalations::open_of(tx, ada, 1)?, escalations::open_of(tx, ada, 2)?];
                assert_eq!(listed, alone.into_iter().flatten().collect::<Vec<_>>());
                assert_eq!(listed, open.into_iter().flatten().collect::<Vec<_>>());
                Ok(listed.into_iter().map(|one| (one.id, one.explanation, one.event_id)).collect::<Vec<_>>())
            })
            .await
    };
    let words = Some("The event is PURCHASE.".to_owned());
    let event_id = Some("e1".to_owned());
    assert_eq!(told().await, [(plain, None, None), (by_event, words.clone(), event_id)]);
    ground.write(move |tx| tx.execute("delete from events where identity_id = $1", &values![ada])).await;
    assert_eq!(told().await, [(plain, None, None), (by_event, words, None)]);
}

async fn who_works_on_what_is_kept(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada, bob] = ground.identities(&["ada", "bob"]).await[..] else { panic!("two") };
    let mild = open(&ground, ada, 1, Severity::Info).await;
    let worst = open(&ground, bob, 2, Severity::Critical).await;
    let next = open(&ground, ada, 3, Severity::Critical).await;
    let ids = async |filter: Filter| {
        let listed = ground.read(move |tx| {
            let page = escalations::page(tx, 1, &filter, escalations::Sort::OpenedAt, true, 0, 9)?;
            assert_eq!(escalations::count(tx, 1, &filter, 9)?, page.len() as i64);
            Ok(page.into_iter().map(|escalation| escalation.id).collect::<Vec<_>>())
        });
        listed.await
    };
    let free = async |filter: Filter| ground.read(move |tx| escalations::free(tx, 1, &filter, 9)).await;
    assert_eq!(free(Filter::default()).await, [worst, next, mild], "the worst first, of those the oldest");
    let info = Filter { severity: Some(Severity::Info), ..Filter::default() };
    assert_eq!(free(info).await, [mild]);

    let take = async |id, member| ground.write(move |tx| escalations::take(tx, id, member)).await;
    assert!(take(worst, "eve@example.com").await);
    assert!(!take(worst, "bob@example.com").await, "somebody has it");
    let assign = async |id, from, to| ground.write(move |tx| escalations::assign(tx, id, from, to)).await;
    assert!(assign(mild, None, Some("eve@example.com")).await);
    assert!(!assign(mild, None, Some("bob@example.com")).await, "it is not nobody's any more");
    assert!(assign(mild, Some("eve@example.com"), Some("bob@example.com")).await);
    assert_eq!(free(Filter::default()).await, [next]);

    let of = |member: Option<&str>| Filter { assignee: Some(member.map(str::to_owned)), ..Filter::default() };
    assert_eq!(ids(of(Some("bob@example.com"))).await, [mild]);
    assert_eq!(ids(of(None)).await, [next]);
    let found = ground.read(move |tx| escalations::find(tx, 1, mild)).await.unwrap();
    assert_eq!(found.assignee.as_deref(), Some("bob@example.com"));

    let late = |is_late| {
        let before = vec![(Severity::Info, at(2)), (Severity::Critical, at(3))];
        Filter { overdue: Some((is_late, before)), ..Filter::default() }
    };
    assert_eq!(ids(late(true)).await, [mild, worst]);
    assert_eq!(ids(late(false)).await, [next]);
    let close = |tx: &mut Tx, id| escalations::set_status(tx, id, Status::Closed, Mover::default(), at(9));
    ground.write(move |tx| close(tx, mild)).await;
    assert_eq!(ids(late(true)).await, [worst], "what is closed is not overdue");
    assert_eq!(ids(late(false)).await, [mild, next]);
    assert_eq!(ids(Filter { is_active: true, ..Filter::default() }).await, [worst, next]);
    assert!(!assign(mild, Some("bob@example.com"), None).await, "what is closed stays as it was");
    assert!(!take(mild, "eve@example.com").await);

    let let_go = async |team, member| ground.write(move |tx| escalations::let_go(tx, team, member)).await;
    assert_eq!(let_go(2, "eve@example.com").await, [], "of another team");
    assert_eq!(let_go(1, "eve@example.com").await, [(worst, bob)]);
    assert_eq!(let_go(1, "bob@example.com").await, []);
    assert_eq!(free(Filter::default()).await, [worst, next]);
}

async fn what_has_happened_is_kept_in_order_and_erased_with_its_identity(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada, bob] = ground.identities(&["ada", "bob"]).await[..] else { panic!("two") };
    let of_ada = open(&ground, ada, 1, Severity::Info).await;
    let of_bob = open(&ground, bob, 1, Severity::Info).await;
    let write = async |of, kind, actor: Option<&'static str>, text: Option<&'static str>, time| {
        let new = NewEntry { team_id: 1, of, kind, actor, text, at: at(time) };
        ground.write(move |tx| escalation_history::insert(tx, &[new])).await[0]
    };
    let eve = Some("eve@example.com");
    let given = write((ada, of_ada), Kind::Assigned, eve, Some("bob@example.com"), 20).await;
    let noted = write((ada, of_ada), Kind::Note, eve, Some("Looks odd"), 30).await;
    write((bob, of_bob), Kind::Acknowledged, eve, None, 40).await;
    let entries = async |id| ground.read(move |tx| escalation_history::of_escalation(tx, id, 9)).await;
    let entry = |id, kind, text: &str, time| Entry {
        id,
        escalation_id: of_ada,
        kind,
        actor: eve.map(str::to_owned),
        text: Some(text.to_owned()),
        at: at(time),
    };
    let kept =
        [entry(noted, Kind::Note, "Looks odd", 30), entry(given, Kind::Assigned, "bob@example.com", 20)];
    assert_eq!(entries(of_ada).await, kept);

    let by = Mover { by: None, reason: Some("Ceased") };
    ground.write(move |tx| escalations::set_status(tx, of_bob, Status::Closed, by, at(50))).await;
    let found = ground.read(move |tx| escalations::find(tx, 1, of_bob)).await.unwrap();
    let unwritten = escalation_history::unwritten(&found, &entries(of_bob).await);
    assert_eq!(unwritten, [(Kind::Closed, None, Some("Ceased"), at(50))], "only its row says so");

    let note = async |id| ground.read(move |tx| escalation_history::find_note(tx, of_ada, id)).await;
    assert_eq!(
        (note(noted).await, note(given).await),
        (Some(kept[0].clone()), None),
        "not every entry is a note"
    );
    assert_eq!(ground.read(move |tx| escalation_history::count_notes(tx, of_ada)).await, 1);
    let second = write((ada, of_ada), Kind::Note, eve, Some("@bob"), 35).await;
    for (id, member) in [(noted, "bob@example.com"), (second, "bob@example.com"), (second, "eve@example.com")]
    {
        ground.write(move |tx| escalation_history::mention(tx, 1, (ada, of_ada), id, member)).await;
    }
    let mentions = async || ground.read(move |tx| escalation_history::mentions(tx, ada, of_ada)).await;
    let mentioning = async |member: &str| {
        let filter = Filter { mentioned: Some(member.to_owned()), ..Filter::default() };
        ground.read(move |tx| escalations::count(tx, 1, &filter, 9)).await
    };
    assert_eq!((mentions().await.len(), mentioning("bob@example.com").await), (3, 1));
    ground.write(move |tx| escalation_history::remove_note(tx, second)).await;
    assert_eq!(mentions().await, [(noted, "bob@example.com".to_owned())]);
    assert_eq!(mentioning("eve@example.com").await, 0);
    let of_identity = ground.read(move |tx| escalation_history::of_identity(tx, ada, 9)).await;
    assert_eq!(of_identity.iter().map(|entry| entry.id).collect::<Vec<_>>(), [given, noted]);

    ground.write(move |tx| erasure::begin(tx, 1, ada, at(60))).await;
    assert_eq!((mentions().await, mentioning("bob@example.com").await), (vec![], 0));
    assert_eq!(entries(of_ada).await, []);
    assert_eq!(entries(of_bob).await.len(), 1);
}

async fn whoever_was_put_back_goes_on_with_numbers_that_nobody_was_given(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada] = ground.identities(&["ada"]).await[..] else { panic!("one") };
    let first = open(&ground, ada, 1, Severity::Info).await;
    let sequence = async || {
        let load = move |tx: &mut Tx| Ok(identities::load_cycle_starts(tx, &[ada])?[0].sequence);
        ground.read(load).await
    };
    let before = sequence().await;
    assert_eq!(ground.read(backup::restored).await, (None, None));
    ground.write(|tx| backup::resume(tx, at(1_000))).await;
    assert_eq!(ground.read(backup::restored).await.1, Some(at(1_000)));
    assert_eq!(sequence().await, before + 1_000_000);
    let next = open(&ground, ada, 2, Severity::Info).await;
    assert!(next >> 10 > (first >> 10) + 1_000_000_000, "{first} {next}");
    // What was never numbered goes ahead as well.
    let new = NewEntry { team_id: 1, of: (ada, first), kind: Kind::Note, actor: None, text: None, at: at(1) };
    let entry = ground.write(move |tx| escalation_history::insert(tx, &[new])).await[0];
    assert!(entry >> 10 > 1_000_000_000, "{entry}");
}
