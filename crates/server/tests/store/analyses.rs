use dregs_core::agent;
use dregs_core::badge;
use dregs_core::fact::Linked;
use dregs_core::score::{Category, Observation};
use dregs_server::store::analyses::{self, Analysis, Detail};
use dregs_server::store::codec;

use super::{Ground, MANY, at, scores, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(analyses_come_back_as_they_were_stored);

fn analysis(identity_id: i64, sequence: i64) -> Analysis {
    let observation = Observation {
        category: Category::Behavior,
        id: "behavior.failed-payments".into(),
        label: "Failed payments".into(),
        explanation: "Grüße 🦀".into(),
        value: 0.1,
        confidence: 1.0 / 3.0,
        weight: 2.0,
        metadata: serde_json::from_str(r#"{"count": 3}"#).unwrap(),
    };
    Analysis {
        identity_id,
        sequence,
        started_at: at(sequence),
        finished_at: at(sequence + 5),
        scores: scores(12),
        event_count: sequence * 2,
        device_count: 1,
        detail: Detail {
            previous_scores: (sequence > 1).then(|| scores(90)),
            badges: badge::of_analyzers(std::slice::from_ref(&observation)).collect(),
            observations: vec![observation],
            agent: agent::known_agent("ChatGPT-User/1.0").cloned(),
            linked: Linked { all: 3, bad: 1 },
            as_of: Some(9),
        },
    }
}

async fn analyses_come_back_as_they_were_stored(engine: Engine) {
    let ground = Ground::new(engine);
    let ids = ground.identities(&["ada", "bob"]).await;
    let (ada, bob) = (ids[0], ids[1]);
    ground
        .write(move |tx| {
            let all = (1..=MANY as i64).map(|sequence| analysis(ada, sequence)).chain([analysis(bob, 7)]);
            let packed: Vec<_> =
                all.map(|a| (codec::pack(codec::Kind::Analysis, &a.detail).unwrap(), a)).collect();
            let rows: Vec<_> = packed.iter().map(|(detail, a)| (a, detail.as_slice())).collect();
            analyses::insert(tx, &rows)
        })
        .await;

    let pages = ground.read(move |tx| {
        let first = analyses::past(tx, 0, 2)?;
        let (last, second) = (analyses::last_number(tx)?, analyses::past(tx, first[0].id, 1)?);
        Ok((first, last, second, analyses::past(tx, last, 9)?))
    });
    let (first, last, second, none) = pages.await;
    assert_eq!((second, none), (vec![first[1].clone()], vec![]));
    assert_eq!((first[0].identity_id, first[0].finished_at, first[0].scores), (ada, at(6), scores(12)));
    assert_eq!(codec::unpack::<Detail>(&first[1].detail).unwrap(), analysis(ada, 2).detail);
    assert!(last > first[1].id);
    let newest_at = ground.read(move |tx| {
        Ok((
            analyses::newest_at(tx, ada, 2)?,
            analyses::newest_at(tx, bob, 6)?,
            analyses::newest_at(tx, bob, 9)?,
        ))
    });
    assert_eq!(newest_at.await, (Some(analysis(ada, 2)), None, Some(analysis(bob, 7))));
    let (found, missing, newest, loaded) = ground
        .read(move |tx| {
            Ok((
                analyses::find(tx, ada, 2)?,
                analyses::find(tx, bob, 2)?,
                analyses::newest(tx, ada, 2)?,
                analyses::load(tx, &[(ada, 1), (bob, 7), (bob, 8)])?,
            ))
        })
        .await;
    assert_eq!((found, missing), (Some(analysis(ada, 2)), None));
    assert_eq!(newest, [analysis(ada, MANY as i64), analysis(ada, MANY as i64 - 1)]);
    let mut loaded = loaded;
    loaded.sort_by_key(|(a, _)| a.identity_id);
    assert_eq!(loaded, [(analysis(ada, 1), "ada".to_owned()), (analysis(bob, 7), "bob".to_owned())]);

    let many = ground
        .read(move |tx| {
            let keys: Vec<_> = (1..=MANY as i64).map(|sequence| (ada, sequence)).collect();
            Ok(analyses::load(tx, &keys)?.into_iter().map(|(a, _)| a.sequence).collect::<Vec<_>>())
        })
        .await;
    assert_eq!(sorted(many), Vec::from_iter(1..=MANY as i64));

    let again = ground.store.write(move |tx| {
        let analysis = analysis(bob, 7);
        analyses::insert(tx, &[(&analysis, &codec::pack(codec::Kind::Analysis, &analysis.detail)?)])
    });
    assert_eq!(format!("{:?}", again.await), "Err(Conflict)");
}
