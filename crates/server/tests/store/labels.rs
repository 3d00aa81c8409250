use dregs_core::label::{LabelKind, Outcome, Source, Verdict};
use dregs_server::store::escalations::{self, NewEscalation, Severity};
use dregs_server::store::labels::{self, Filter, Found, FoundObservation, NewLabel};
use dregs_server::store::{badges, draws, erasure, identities, links, users};

use super::{Ground, at, scores};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(the_newest_decision_counts_until_it_is_withdrawn);

const GOOD: Verdict = Verdict { outcome: Outcome::Good, kind: None };
const BOT: Verdict = Verdict { outcome: Outcome::Bad, kind: Some(LabelKind::Bot) };

async fn the_newest_decision_counts_until_it_is_withdrawn(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada, bob] = ground.identities(&["ada", "bob"]).await[..] else { panic!("two") };
    let found = Found {
        observations: vec![FoundObservation {
            id: "humanity.timing".into(),
            value: 0.1,
            confidence: 0.8,
            weight: 1.0,
        }],
        badges: vec!["suspected-bot".into()],
        rules: vec![7],
        ..Found::default()
    };
    let insert = async |identity_id, verdict, key: Option<&'static str>, decided_at| {
        let found = found.clone();
        let give = move |tx: &mut dregs_server::store::Tx| {
            let new = NewLabel {
                team_id: 1,
                identity_id,
                verdict,
                source: Source::Chargeback,
                reason: Some("Stolen card"),
                note: None,
                author: "ada@example.com",
                cycle: Some(3),
                found: &found,
                key,
                decided_at: at(decided_at),
                created_at: at(50),
            };
            labels::insert(tx, &new)
        };
        ground.write(give).await
    };
    let first = insert(ada, BOT, Some("k"), 20).await.unwrap();
    assert_eq!(insert(ada, GOOD, Some("k"), 30).await, None, "the key is known");
    assert_eq!(ground.read(move |tx| labels::find_key(tx, ada, "k")).await, Some(first));
    assert_eq!(ground.read(move |tx| labels::find_key(tx, bob, "k")).await, None);
    let older = insert(ada, GOOD, None, 10).await.unwrap();
    let other = insert(bob, GOOD, Some("k"), 20).await.unwrap();
    let in_force = async |id| {
        let in_force = ground.read(move |tx| labels::in_force(tx, id, None)).await;
        in_force.map(|(label, found)| (label.id, found))
    };
    assert_eq!(in_force(ada).await, Some((first, found.clone())));
    let but = ground.read(move |tx| labels::in_force(tx, ada, Some(first))).await;
    assert_eq!(but.map(|(label, _)| label.id), Some(older));
    let judged = ground.read(|tx| labels::judged(tx, 1, 9)).await;
    let told: Vec<_> = judged.iter().map(|one| (one.identity_id, one.verdict, one.source)).collect();
    assert_eq!(
        told,
        [(bob, GOOD, Source::Chargeback), (ada, GOOD, Source::Chargeback), (ada, BOT, Source::Chargeback)]
    );
    assert_eq!(judged[0].found, found);

    ground.write(move |tx| labels::withdraw(tx, first, "bob@example.com", at(60))).await;
    ground.write(move |tx| labels::withdraw(tx, first, "eve@example.com", at(70))).await;
    assert_eq!(in_force(ada).await.map(|(id, _)| id), Some(older));
    let label = ground.read(move |tx| labels::find(tx, 1, first)).await.unwrap();
    let told = (label.withdrawn_at, label.withdrawn_by.as_deref(), label.identity.as_str(), label.verdict);
    assert_eq!(told, (Some(at(60)), Some("bob@example.com"), "ada", BOT), "withdrawn once");
    assert_eq!(ground.read(move |tx| labels::find(tx, 2, first)).await, None, "of another team");

    let ids = async |filter: Filter| {
        let (count, page) = ground
            .read(move |tx| Ok((labels::count(tx, 1, &filter, 9)?, labels::page(tx, 1, &filter, 0, 9)?)))
            .await;
        assert_eq!(count, page.len() as i64);
        page.iter().map(|label| label.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Filter::default()).await, [other, older, first]);
    assert_eq!(ids(Filter { identity_id: Some(ada), ..Filter::default() }).await, [older, first]);
    assert_eq!(ids(Filter { outcome: Some(Outcome::Bad), ..Filter::default() }).await, [first]);
    assert_eq!(ids(Filter { withdrawn: Some(false), ..Filter::default() }).await, [other, older]);
    assert_eq!(ids(Filter { source: Some(Source::Appeal), ..Filter::default() }).await, [0; 0]);

    // Who is not labelled is counted by rule and by badge.
    let new = move |identity_id, rule_id| NewEscalation {
        team_id: 1,
        identity_id,
        rule_id,
        rule_name: "Low".into(),
        severity: Severity::Info,
        conditions: "[]".into(),
        channels: "[]".into(),
        scores: scores(12),
        explanation: None,
        event_id: None,
        opened_at: at(10),
    };
    ground
        .write(move |tx| {
            for (identity_id, rule) in [(ada, 7), (ada, 8), (bob, 7)] {
                escalations::insert(tx, &new(identity_id, rule))?;
            }
            let carried = [(1, "bot".to_owned(), ada), (1, "bot".to_owned(), bob)];
            badges::change(tx, &carried, &[])
        })
        .await;
    let unlabelled = async || {
        ground.read(|tx| Ok((labels::unlabelled_by_rule(tx, 1)?, labels::unlabelled_by_badge(tx, 1)?))).await
    };
    let (mut rules, badges) = unlabelled().await;
    rules.sort_unstable();
    assert_eq!((rules, badges), (vec![(7, 2), (8, 1)], vec![("bot".to_owned(), 2)]));

    // What a rule has concerned, with which others, and when.
    let concerned = ground
        .read(move |tx| {
            Ok((
                escalations::identities_of(tx, 1, 7, 9)?,
                escalations::identities_of(tx, 2, 7, 9)?,
                escalations::rules_of_all(tx, &[ada, bob])?.len(),
                escalations::of_rule_by_span(tx, 1, 7, at(9), 1)?,
                escalations::of_rule_by_span(tx, 1, 7, at(11), 1)?,
                identities::standings(tx, &[ada, bob])?,
            ))
        })
        .await;
    let mut both = vec![ada, bob];
    both.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(concerned, (both, vec![], 3, vec![(1, 2)], vec![], vec![]));

    // What counts stands with the identity, where those who share a key with it see it.
    ground.write(move |tx| identities::set_verdict(tx, bob, Some(BOT), at(80))).await;
    let described = ground.read(move |tx| links::describe(tx, &[ada, bob])).await;
    let mut told: Vec<_> = described.iter().map(|one| (one.id.as_str(), one.verdict)).collect();
    told.sort_by_key(|(id, _)| *id);
    assert_eq!(told, [("ada", None), ("bob", Some(BOT))]);
    assert_eq!(ground.read(|tx| labels::outcomes(tx, 1)).await, [(bob, Outcome::Bad)]);
    assert_eq!(ground.read(|tx| labels::outcomes(tx, 2)).await, []);
    assert_eq!(unlabelled().await.1, [("bot".to_owned(), 1)]);
    // Who was drawn at random.
    ground
        .write(move |tx| {
            draws::insert(tx, 1, 7, ada, 2_000)?;
            draws::insert(tx, 1, 8, bob, 3_000)?;
            draws::insert(tx, 1, 8, bob, 9_000)
        })
        .await;
    let drawn = |week| ground.read(move |tx| Ok((draws::is_made(tx, 1, week)?, draws::since(tx, 1, week)?)));
    assert_eq!((drawn(8).await, drawn(9).await), ((true, vec![(bob, 3_000)]), (false, vec![])));
    assert_eq!(ground.read(draws::last_labels).await, []);
    assert_eq!(ground.write(|tx| users::insert_team(tx, "Shop", at(1))).await, 1);
    assert_eq!(ground.read(draws::last_labels).await, [(1, at(50))]);
    ground.write(move |tx| erasure::begin(tx, 1, ada, at(90))).await;
    assert_eq!(drawn(7).await, (false, vec![(bob, 3_000)]));
    assert_eq!(ids(Filter::default()).await, [other]);
}
