use dregs_core::badge::BadgeType;
use dregs_core::list::ListType;
use dregs_core::notify::message::EventType;
use dregs_core::rules::{Addition, BadgeRule, Condition, EscalationRule, Kind, Severity, Which};
use dregs_server::store::channels;
use dregs_server::store::escalations::{self, Mover, NewEscalation, Status};
use dregs_server::store::identities::{self, Decided};
use dregs_server::store::notifications;
use dregs_server::store::rule_rates::{self, Told};
use dregs_server::store::rule_versions::{self, Of, Version};
use dregs_server::store::rules::{self, Kept};

use super::{Ground, at, scores, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    rules_come_back_as_they_were_stored,
    versions_of_a_rule_are_kept_the_newest_of_them_and_one_draft,
    a_jump_is_told_of_once_in_its_time,
    who_is_undecided_is_taken_once_and_decided_unless_overtaken,
    one_escalation_of_a_rule_is_open,
    what_is_told_of_an_identity_is_numbered,
);

fn kept<R>(rule: R) -> Kept<R> {
    Kept { team_id: 1, version: 1, enabled: true, rule, created_at: at(1), updated_at: at(2) }
}

fn badge_rule() -> Kept<BadgeRule> {
    kept(BadgeRule {
        id: 0,
        revision: 0,
        name: "Grün 🦊".to_owned(),
        slug: "gruen".to_owned(),
        badge_type: BadgeType::Good,
        priority: -3,
        conditions: vec![Condition::ScoreGte { category: Which::Any, threshold: 80 }],
        apply_delay_seconds: 60,
        remove_delay_seconds: 0,
        adds_to_lists: vec![Addition {
            list: "bad".to_owned(),
            what: ListType::Device,
            for_seconds: Some(60),
        }],
    })
}

fn escalation_rule() -> Kept<EscalationRule> {
    kept(EscalationRule {
        id: 0,
        revision: 0,
        name: "Low".to_owned(),
        severity: Severity::Critical,
        channels: vec!["ops".to_owned()],
        conditions: vec![Condition::BadgeNotExists { badge: "gruen".to_owned() }],
        open_after_seconds: 1,
        close_after_seconds: 2,
        effective_at: Some(at(77)),
        adds_to_lists: vec![Addition { list: "bad".to_owned(), what: ListType::Ip, for_seconds: None }],
    })
}

async fn rules_come_back_as_they_were_stored(engine: Engine) {
    let ground = Ground::new(engine);
    let (badge, escalation) = (badge_rule(), escalation_rule());
    let (id, other) = ground
        .write(move |tx| Ok((rules::insert_badge(tx, &badge)?, rules::insert_escalation(tx, &escalation)?)))
        .await;
    let mut badge = badge_rule();
    (badge.rule.id, badge.rule.revision) = (id, 1);
    let mut escalation = escalation_rule();
    (escalation.rule.id, escalation.rule.revision) = (other, 1);
    let found = ground
        .read(move |tx| Ok((rules::find_badge(tx, 1, id)?, rules::find_escalation(tx, 1, other)?)))
        .await;
    assert_eq!(found, (Some(badge.clone()), Some(escalation.clone())));
    assert_eq!(ground.read(move |tx| rules::find_badge(tx, 2, id)).await, None, "another team's");

    for taken in ["badge", "escalation"] {
        let again = ground.store.write(move |tx| match taken {
            "badge" => rules::insert_badge(tx, &badge_rule()),
            _ => rules::insert_escalation(tx, &escalation_rule()),
        });
        assert_eq!(format!("{:?}", again.await), "Err(Conflict)", "{taken}");
    }

    badge.enabled = false;
    badge.rule.conditions = vec![Condition::IdentityAgeGt { seconds: 5 }];
    escalation.rule.effective_at = None;
    let (changed, also) = (badge.clone(), escalation.clone());
    ground
        .write(move |tx| {
            rules::update_badge(tx, &changed, true)?;
            rules::update_escalation(tx, &also, false)
        })
        .await;
    (badge.version, badge.rule.revision) = (2, 2);
    escalation.version = 2;
    let all = async || ground.read(|tx| Ok((rules::all_badges(tx)?, rules::all_escalations(tx)?))).await;
    assert_eq!(all().await, (vec![badge.clone()], vec![escalation.clone()]));
    let (changed, also) = (badge.clone(), escalation.clone());
    ground
        .write(move |tx| {
            rules::update_badge(tx, &changed, false)?;
            rules::update_escalation(tx, &also, true)
        })
        .await;
    badge.version = 3;
    (escalation.version, escalation.rule.revision) = (3, 3);
    assert_eq!(all().await, (vec![badge], vec![escalation]));
    ground
        .write(move |tx| {
            rules::delete_badge(tx, id)?;
            rules::delete_escalation(tx, other)
        })
        .await;
    let all = ground.read(|tx| Ok((rules::all_badges(tx)?.len(), rules::all_escalations(tx)?.len()))).await;
    assert_eq!(all, (0, 0));
}

async fn versions_of_a_rule_are_kept_the_newest_of_them_and_one_draft(engine: Engine) {
    let ground = Ground::new(engine);
    let of = |kind, rule_id| Of { team_id: 1, kind, rule_id };
    let (rule, other) = (of(Kind::Badge, 7), of(Kind::Escalation, 7));
    let version = |revision: Option<i64>| Version {
        revision,
        definition: format!(r#"{{"of":"{revision:?}"}}"#),
        created_at: at(5),
        created_by: revision.map(|_| "ada@example.com".to_owned()),
    };
    let kept = async |of| {
        let all = ground.read(move |tx| rule_versions::all(tx, of)).await;
        all.into_iter().map(|version| version.revision).collect::<Vec<_>>()
    };
    let all = [Some(1), Some(2), None, Some(3)];
    ground
        .write(move |tx| {
            for of in [rule, other] {
                all.into_iter().try_for_each(|revision| rule_versions::insert(tx, of, &version(revision)))?;
            }
            let again = Version { definition: "{}".into(), ..version(Some(2)) };
            rule_versions::insert(tx, rule, &again)
        })
        .await;
    assert_eq!(kept(rule).await, [None, Some(3), Some(2), Some(1)]);
    let found = ground.read(move |tx| rule_versions::find(tx, rule, Some(2))).await;
    assert_eq!(found, Some(version(Some(2))), "as it was first");
    assert_eq!(kept(Of { team_id: 2, ..rule }).await, [], "another team's");
    assert_eq!(ground.write(move |tx| rule_versions::keep_newest(tx, rule, 2)).await, 1);
    assert!(ground.write(move |tx| rule_versions::delete_draft(tx, rule)).await);
    assert!(!ground.write(move |tx| rule_versions::delete_draft(tx, rule)).await);
    assert_eq!(kept(rule).await, [Some(3), Some(2)]);
    ground.write(move |tx| rule_versions::delete(tx, rule)).await;
    assert_eq!((kept(rule).await, kept(other).await.len()), (vec![], 4));
}

async fn a_jump_is_told_of_once_in_its_time(engine: Engine) {
    let ground = Ground::new(engine);
    let rule = Of { team_id: 1, kind: Kind::Badge, rule_id: 7 };
    let told = |now| Told { at: at(now), count: now, expected_tenths: 3 };
    let tell = |now, since| ground.write(move |tx| rule_rates::tell(tx, rule, told(now), at(since)));
    assert_eq!((tell(50, 40).await, tell(60, 40).await, tell(90, 50).await), (true, false, true));
    let last = |kind| ground.read(move |tx| rule_rates::told(tx, 1, kind, 7));
    assert_eq!((last(Kind::Badge).await, last(Kind::Escalation).await), (Some(told(90)), None));
    ground
        .write(move |tx| {
            for (hour, carriers) in [(1, 10), (2, 20), (2, 30)] {
                rule_rates::note_carriers(tx, 1, 7, hour, carriers)?;
            }
            rule_rates::note_carriers(tx, 2, 8, 2, 5)
        })
        .await;
    assert_eq!(ground.read(|tx| rule_rates::carriers(tx, 1, 1)).await, [(7, 1, 10), (7, 2, 20)]);
    ground.write(|tx| rule_rates::forget(tx, 1, 2)).await;
    assert_eq!(ground.read(|tx| rule_rates::carriers(tx, 1, 0)).await, [(7, 2, 20)]);
    ground.write(move |tx| rule_rates::delete(tx, rule)).await;
    assert_eq!(
        (last(Kind::Badge).await, ground.read(|tx| rule_rates::carriers(tx, 1, 0)).await),
        (None, vec![])
    );
    assert_eq!(ground.read(|tx| rule_rates::carriers(tx, 2, 0)).await, [(8, 2, 5)]);
}

async fn who_is_undecided_is_taken_once_and_decided_unless_overtaken(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob", "eve"]).await;
    let last = ids[2];
    assert_eq!(ground.write(|tx| identities::ask_rules(tx, 1, 0, 2, at(50))).await, Some(ids[1]));
    let after = ids[1];
    assert_eq!(ground.write(move |tx| identities::ask_rules(tx, 1, after, 2, at(60))).await, Some(last));
    assert_eq!(ground.write(move |tx| identities::ask_rules(tx, 1, last, 2, at(60))).await, None);

    let claim = |now| ground.write(move |tx| identities::claim_undecided(tx, at(now), at(900), 10));
    assert_eq!(sorted(claim(50).await), ids[..2]);
    assert_eq!(claim(60).await, [last]);
    assert_eq!(claim(60).await, [0; 0], "leased");

    let overtaken = ids[1];
    ground.write(move |tx| identities::number_events(tx, overtaken, 1)).await;
    let decided = ids.clone().into_iter().map(|id| Decided {
        id,
        sequence: 0,
        events: 1,
        standing: Some("{}".to_owned()),
        decide_at: None,
    });
    let decided: Vec<_> = decided.collect();
    let taken = ground.write(move |tx| identities::save_decisions(tx, &decided)).await;
    assert_eq!(sorted(taken), [ids[0], ids[2]]);
    assert_eq!(claim(900).await, [overtaken], "again when the lease has ended");
}

async fn one_escalation_of_a_rule_is_open(engine: Engine) {
    let ground = Ground::new(engine);
    let ada = ground.identities(&["ada"]).await[0];
    let new = move |rule_id| NewEscalation {
        team_id: 1,
        identity_id: ada,
        rule_id,
        rule_name: "Low".into(),
        severity: Severity::Info,
        conditions: r#"[{"type":"BADGE_EXISTS","badge":"b"}]"#.into(),
        channels: r#"["ops"]"#.into(),
        scores: scores(12),
        explanation: None,
        event_id: None,
        opened_at: at(10),
    };
    let open = |rule| ground.write(move |tx| escalations::insert(tx, &new(rule)));
    let first = open(1).await.unwrap();
    assert_eq!(open(1).await, None);
    assert!(open(2).await.is_some());
    let found = ground.read(move |tx| escalations::open_of(tx, ada, 1)).await.unwrap();
    assert_eq!((found.id, found.channels.as_str(), found.identity_row), (first, r#"["ops"]"#, ada));
    ground
        .write(move |tx| escalations::set_status(tx, first, Status::Closed, Mover::default(), at(20)))
        .await;
    assert_eq!(ground.read(move |tx| escalations::open_of(tx, ada, 1)).await, None);
    assert!(open(1).await.is_some());
    assert_eq!(ground.read(move |tx| escalations::rules_of(tx, ada)).await, [1, 2], "each once");
}

async fn what_is_told_of_an_identity_is_numbered(engine: Engine) {
    let ground = Ground::new(engine);
    let ada = ground.identities(&["ada"]).await[0];
    assert_eq!(ground.write(move |tx| identities::number_events(tx, ada, 2)).await, 1);
    assert_eq!(ground.write(move |tx| identities::number_events(tx, ada, 1)).await, 3);
    let event = EventType::EscalationOpened;
    let id = ground.write(move |tx| notifications::insert_about(tx, 1, event, (ada, 3), at(5), "{}")).await;
    let found = ground.read(move |tx| notifications::load(tx, &[id])).await.remove(0);
    assert_eq!((found.identity_id.as_deref(), found.sequence, found.event), (Some("ada"), Some(3), event));
    assert_eq!(ground.read(move |tx| channels::subscribers(tx, 1, event)).await, []);
}
