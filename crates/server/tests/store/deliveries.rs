use dregs_core::notify::filter::ChannelFilter;
use dregs_core::notify::message::EventType;
use dregs_server::store::attempts::Trigger;
use dregs_server::store::channels::{self, Channel};
use dregs_server::store::deliveries::{self, Delivery, Filter, Lease, NewDelivery, Status, Subject};
use dregs_server::store::{notifications, users};

use super::{Ground, MANY, at, set, sorted};
use crate::on_both_engines;
use crate::support::engine::Engine;

on_both_engines!(
    deliveries_come_back_as_they_were_stored,
    many_deliveries_are_stored_at_once,
    a_delivery_goes_with_its_attempts,
    a_filter_lets_through_what_matches_all_of_it,
    deliveries_of_an_identity_come_from_every_channel,
);

/// A team with two channels.
pub struct Channels {
    pub ground: Ground,
    pub team: i64,
    pub first: i64,
    pub second: i64,
}

impl Channels {
    pub async fn new(engine: Engine) -> Self {
        let ground = Ground::new(engine);
        let (team, ids) = ground
            .write(|tx| {
                let team = users::insert_team(tx, "Team", at(1))?;
                let channel = |slug: &str| Channel {
                    id: 0,
                    team_id: team,
                    channel_type: "WEBHOOK".into(),
                    name: slug.into(),
                    slug: slug.into(),
                    enabled: true,
                    events: [EventType::IdentityScored].into_iter().collect(),
                    config: "{}".into(),
                    by_identity: false,
                    filter: ChannelFilter::default(),
                    left_out: 0,
                    disabled_reason: None,
                    created_at: at(1),
                    updated_at: at(1),
                };
                Ok((team, [channels::insert(tx, &channel("one"))?, channels::insert(tx, &channel("two"))?]))
            })
            .await;
        Self { ground, team, first: ids[0], second: ids[1] }
    }

    /// Stores deliveries; the answer is their ids, in the order of `rows`.
    pub async fn insert(&self, rows: Vec<NewDelivery>) -> Vec<i64> {
        let keys: Vec<_> = rows.iter().map(|row| (row.channel_id, row.subject)).collect();
        let inserted = self.ground.write(move |tx| deliveries::insert(tx, &rows)).await;
        let id = |key: &(i64, Subject)| inserted.iter().find(|(c, s, _)| (*c, *s) == *key).unwrap().2;
        keys.iter().map(id).collect()
    }

    /// Stores deliveries of the first channel that are due at these times.
    pub async fn due_at(&self, times: &[i64]) -> Vec<i64> {
        let rows = (1..).zip(times).map(|(sequence, time)| of_cycle(self.first, sequence, *time)).collect();
        self.insert(rows).await
    }

    pub async fn find(&self, id: i64) -> Delivery {
        let team = self.team;
        self.ground.read(move |tx| deliveries::find(tx, team, id)).await.unwrap()
    }
}

/// Node 7 takes it on.
pub fn lease(from: i64, until: i64) -> Lease {
    Lease { node: 7, from: at(from), until: at(until) }
}

/// A delivery about a cycle of identity 1, created and due at `due_at`.
pub fn of_cycle(channel_id: i64, sequence: i64, due_at: i64) -> NewDelivery {
    NewDelivery {
        channel_id,
        event: EventType::IdentityScored,
        subject: Subject::Cycle { identity_id: 1, sequence },
        about: None,
        trigger: Trigger::Initial,
        created_at: at(due_at),
        next_attempt_at: at(due_at),
        leased_to: None,
        by_identity: false,
        trace: None,
    }
}

async fn deliveries_come_back_as_they_were_stored(engine: Engine) {
    let channels = Channels::new(engine).await;
    let ada = channels.ground.identities(&["ada"]).await[0];
    let notification =
        channels.ground.write(|tx| notifications::insert(tx, 1, EventType::ChannelTest, at(5), "{}")).await;
    let cycle = NewDelivery {
        subject: Subject::Cycle { identity_id: ada, sequence: 3 },
        ..of_cycle(channels.first, 0, 10)
    };
    let test = NewDelivery {
        event: EventType::ChannelTest,
        subject: Subject::Notification { id: notification },
        trigger: Trigger::Test,
        next_attempt_at: at(90_010),
        leased_to: Some(7),
        ..of_cycle(channels.second, 0, 10)
    };
    let ids = channels.insert(vec![cycle.clone(), test.clone()]).await;
    let fresh = |id, row: &NewDelivery, identity_id: Option<&str>| Delivery {
        id,
        channel_id: row.channel_id,
        event: row.event,
        subject: row.subject,
        identity_id: identity_id.map(str::to_owned),
        status: Status::Pending,
        trigger: row.trigger,
        attempt_count: 0,
        created_at: row.created_at,
        next_attempt_at: Some(row.next_attempt_at),
        leased: row.leased_to.is_some(),
        completed_at: None,
        http_status: None,
        error_class: None,
        error_message: None,
        payload_size: None,
    };
    assert_eq!(channels.find(ids[0]).await, fresh(ids[0], &cycle, Some("ada")));
    assert_eq!(channels.find(ids[1]).await, fresh(ids[1], &test, None));
    let (team, id) = (channels.team, ids[0]);
    let none = channels
        .ground
        .read(move |tx| Ok([deliveries::find(tx, team + 1, id)?, deliveries::find(tx, team, id + 100)?]));
    assert_eq!(none.await, [None, None]);
}

async fn many_deliveries_are_stored_at_once(engine: Engine) {
    let channels = Channels::new(engine).await;
    let ids = channels.due_at(&[5; MANY]).await;
    assert_eq!(set(ids.iter().copied()).len(), MANY);
    assert_eq!(channels.ground.read(deliveries::waiting).await, (MANY as i64, Some(at(5))));
    let (first, filter) = (channels.first, Filter::default());
    let pages = channels.ground.read(move |tx| {
        let page = |tx: &mut _, offset, limit| deliveries::page(tx, first, &filter, false, offset, limit);
        Ok([page(tx, 0, 2)?, page(tx, 298, 25)?, page(tx, 300, 25)?])
    });
    let newest_first = Vec::from_iter(sorted(ids).into_iter().rev());
    let found = pages.await.map(|page| page.into_iter().map(|d| d.id).collect::<Vec<_>>());
    assert_eq!(found, [newest_first[..2].to_vec(), newest_first[298..].to_vec(), vec![]]);
}

async fn a_delivery_goes_with_its_attempts(engine: Engine) {
    let channels = Channels::new(engine).await;
    let ids = channels.insert(vec![of_cycle(channels.first, 1, 10), of_cycle(channels.first, 2, 20)]).await;
    let gone = [ids[0], 999];
    assert_eq!(channels.ground.write(move |tx| deliveries::delete(tx, &gone)).await, 1);
    let first = channels.first;
    let left =
        channels.ground.read(move |tx| deliveries::page(tx, first, &Filter::default(), true, 0, 9)).await;
    assert_eq!(left.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), [ids[1]]);
}

async fn deliveries_of_an_identity_come_from_every_channel(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (first, second) = (channels.first, channels.second);
    let of_other =
        NewDelivery { subject: Subject::Cycle { identity_id: 2, sequence: 1 }, ..of_cycle(first, 1, 10) };
    let rows = vec![of_cycle(first, 1, 10), of_other, of_cycle(second, 1, 10), of_cycle(first, 2, 20)];
    let ids = channels.insert(rows).await;
    let page = async |ascending, range| {
        let (page, count) =
            channels.ground.read(move |tx| deliveries::page_of_identity(tx, 1, ascending, range)).await;
        (page.into_iter().map(|delivery| delivery.id).collect::<Vec<_>>(), count)
    };
    assert_eq!(page(false, (0, 9, 9)).await, (vec![ids[3], ids[2], ids[0]], 3));
    assert_eq!(page(true, (1, 1, 2)).await, (vec![ids[2]], 2));
}

async fn a_filter_lets_through_what_matches_all_of_it(engine: Engine) {
    let channels = Channels::new(engine).await;
    let (first, second) = (channels.first, channels.second);
    let of_other =
        NewDelivery { subject: Subject::Cycle { identity_id: 2, sequence: 1 }, ..of_cycle(first, 1, 20) };
    let test = NewDelivery { event: EventType::ChannelTest, ..of_cycle(first, 3, 30) };
    let ids = channels.insert(vec![of_cycle(first, 1, 10), of_other, test, of_cycle(second, 1, 10)]).await;
    let failed = ids[1];
    channels.ground.write(move |tx| deliveries::give_up(tx, &[failed], "gone", at(40))).await;
    let any = Filter::default;
    let cases = [
        (any(), vec![2, 1, 0]),
        (Filter { status: Some(Status::Failed), ..any() }, vec![1]),
        (Filter { status: Some(Status::Delivered), ..any() }, vec![]),
        (Filter { event: Some(EventType::ChannelTest), ..any() }, vec![2]),
        (Filter { identity_id: Some(1), ..any() }, vec![2, 0]),
        (Filter { from: Some(at(20)), ..any() }, vec![2, 1]),
        (Filter { to: Some(at(20)), ..any() }, vec![0]),
        (Filter { from: Some(at(10)), to: Some(at(30)), status: Some(Status::Pending), ..any() }, vec![0]),
    ];
    for (filter, expected) in cases {
        let what = format!("{filter:?}");
        let (count, page) = channels
            .ground
            .read(move |tx| {
                let page = deliveries::page(tx, first, &filter, false, 0, 9)?;
                assert_eq!(deliveries::count(tx, first, &filter, 1)?, 1.min(page.len() as i64));
                Ok((deliveries::count(tx, first, &filter, 9)?, page))
            })
            .await;
        let found: Vec<_> = page.iter().map(|delivery| delivery.id).collect();
        assert_eq!(found, expected.iter().map(|index| ids[*index]).collect::<Vec<_>>(), "{what}");
        assert_eq!(count, expected.len() as i64, "{what}");
    }
}
