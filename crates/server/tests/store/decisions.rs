use dregs_server::store::analyses::{self, Analysis, Detail};
use dregs_server::store::decisions::{self, Stands};
use dregs_server::store::events::{self, NewEvent};
use dregs_server::store::identities::{self, CycleEnd};
use dregs_server::store::{Tx, codec};

use super::{Ground, at, keys, scores, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(an_identity_is_read_with_what_its_newest_cycle_has_seen);

fn stands(identity_id: i64, name: &str) -> Stands {
    Stands {
        identity_id,
        team_id: 1,
        external_id: name.into(),
        first_seen_at: at(100),
        scores: Default::default(),
        disregarded: false,
        cycle: None,
        seen_events: 0,
        is_due: true,
        standing: None,
    }
}

async fn an_identity_is_read_with_what_its_newest_cycle_has_seen(engine: Engine) {
    let ground = Ground::new(engine);
    let [ada, bob] = ground.identities(&["ada", "bob"]).await[..] else { panic!("two") };
    let read = async || {
        let loaded = ground.read(move |tx| decisions::load(tx, &[ada, bob, 77])).await;
        let found = ground.read(|tx| decisions::find(tx, &keys(&["ada", "bob", "nobody"]))).await;
        let order = |all: Vec<Stands>| {
            sorted(all.into_iter().map(|one| (one.external_id.clone(), format!("{one:?}"))))
        };
        let (loaded, found) = (order(loaded), order(found));
        assert_eq!(loaded, found);
        loaded.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>()
    };
    let shown = |one: &Stands| format!("{one:?}");
    assert_eq!(read().await, [shown(&stands(ada, "ada")), shown(&stands(bob, "bob"))]);
    assert_eq!(ground.read(|tx| decisions::load(tx, &[])).await, []);

    let end = move |tx: &mut Tx| {
        let end = CycleEnd {
            id: ada,
            version: 1,
            sequence: 0,
            scores: scores(12),
            finished_at: at(300),
            events: 2,
            standing: Some("{}".into()),
            decide_at: None,
            next_at: at(400),
            trace: Default::default(),
            decide_trace: None,
        };
        identities::save_cycles(tx, &[end])?;
        let detail = Detail::default();
        let analysis = Analysis {
            identity_id: ada,
            sequence: 1,
            started_at: at(200),
            finished_at: at(300),
            scores: scores(12),
            event_count: 4,
            device_count: 0,
            detail,
        };
        let packed = codec::pack(codec::Kind::Analysis, &analysis.detail)?;
        analyses::insert(tx, &[(&analysis, &packed)])
    };
    ground.write(end).await;
    let scored = Stands {
        scores: scores(12),
        cycle: Some(1),
        seen_events: 4,
        is_due: false,
        standing: Some("{}".into()),
        ..stands(ada, "ada")
    };
    assert_eq!(read().await, [shown(&scored), shown(&stands(bob, "bob"))]);

    let event = move |name: &str, identity_id| NewEvent {
        shard: 7,
        team_id: 1,
        identity_id,
        external_id: codec::pack_id(name),
        timestamp: at(100),
        received_at: at(100),
        name_id: Some(1),
        device_id: None,
        session: None,
        detail: vec![],
    };
    ground.write(move |tx| events::insert(tx, &[event("of-ada", Some(ada)), event("of-none", None)])).await;
    let of = async |team_id, name: &'static str| {
        ground.read(move |tx| decisions::of_event(tx, team_id, &codec::pack_id(name))).await
    };
    assert_eq!(
        [of(1, "of-ada").await, of(1, "of-none").await, of(1, "none").await, of(2, "of-ada").await],
        [Some(Some(ada)), Some(None), None, None]
    );
}
