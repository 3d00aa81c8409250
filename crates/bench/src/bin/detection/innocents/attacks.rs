//! Attacks hidden among innocents: how well they are told from those around them, and what that costs those.

use dregs_core::device::Interaction;
use dregs_core::event::Event;
use serde_json::json;

use super::cast::join;
use super::run::{Fate, LOW_BELOW};
use super::scenario::Scenario;
use super::tally::Tally;
use super::{backends, devices, people, places};
use crate::accused::{Scene, lowest};
use crate::figures::auc;
use crate::stage::{HOUR, Level, MINUTE, Person, SECOND, Stage, Truth};

const RING: &str = "a ring of five strangers on one device";
const PROMO: &str = "a promo ring of five, tagged addresses, one laptop";
const APP_BOTS: &str = "bots that take the agent of the app";
const BEHIND_BACKEND: &str = "bots that sign up through the backend";
const LIKE_BACKEND: &str = "bots with the agent of the backend";
const BARE: &str = "bots that call themselves Mozilla/5.0 and no more";
const RULER: &str = "bots that move the pointer along a ruler, 0.3 s apart";
const BOMBING: &str = "registration bombing by a browser";

/// Accounts of a ring, and of a wave of bots.
const RING_ACCOUNTS: i64 = 5;
const WAVE_ACCOUNTS: i64 = 40;

const APP: &str = "AcmeShop/3.2";
const LIBRARY: &str = "okhttp/4.12.0";
const REQUESTS: &str = "python-requests/2.32.5";

/// The row is the attack, the variant those among whom it hides.
pub fn scenes() -> Vec<Scenario> {
    type Enter = fn(&mut Stage, usize);
    let scenes: [(&'static str, &str, &[usize], Enter); 10] = [
        (RING, "a class on its own devices", &[28], |stage, n| {
            places::lesson(stage, n, false);
            ring(stage, RING, |_| {});
        }),
        (RING, "a class with one fingerprint, theirs too", &[28], |stage, n| {
            devices::class(stage, n);
            wear_the_same(stage, RING);
        }),
        (PROMO, "an office in its first day", &[50], |stage, n| {
            places::office(stage, n, true);
            ring(stage, PROMO, |member| {
                let email = format!("win+{}@gmail.com", &member.id);
                member.data.insert("email".to_owned(), json!(email));
            });
        }),
        (APP_BOTS, "people who use it, too", &[40], |stage, n| {
            people_with(stage, n, APP);
            wave(stage, APP_BOTS, |stage, bot| {
                (bot.agent, bot.ip) = (Some(APP.to_owned()), Some(stage.exit()))
            });
        }),
        (APP_BOTS, "people whose app names its library alone", &[40], |stage, n| {
            people_with(stage, n, LIBRARY);
            wave(stage, APP_BOTS, |_, bot| bot.agent = Some(LIBRARY.to_owned()));
        }),
        (BEHIND_BACKEND, "people of whom it tells with its own address", &[100], |stage, n| {
            let backend = backends::own_address(stage, backends::ADDRESS, n, None);
            wave(stage, BEHIND_BACKEND, |_, bot| (bot.agent, bot.backend) = (None, backend.connection()));
        }),
        (LIKE_BACKEND, "people it has imported", &[100], |stage, n| {
            backends::import(stage, "imported", n, Some(REQUESTS), 14);
            wave(stage, LIKE_BACKEND, |stage, bot| {
                (bot.agent, bot.ip) = (Some(REQUESTS.to_owned()), Some(stage.exit()))
            });
        }),
        (BARE, "ordinary people", &[100], |stage, n| {
            people::ordinary(stage, n);
            wave(stage, BARE, |stage, bot| {
                (bot.agent, bot.ip) = (Some("Mozilla/5.0".to_owned()), Some(stage.exit()));
            });
        }),
        (RULER, "ordinary people", &[100], |stage, n| {
            people::ordinary(stage, n);
            along_a_ruler(stage);
        }),
        (BOMBING, "a conference, on its Wi-Fi", &[100], |stage, n| {
            places::conference(stage, n, HOUR);
            let device = stage.device();
            wave(stage, BOMBING, |_, bot| bot.device = Some(device.clone()));
        }),
    ];
    let scene = |(attack, among, sizes, enter): (_, &str, _, Enter)| {
        Scenario::new(attack, sizes, enter).variant(among)
    };
    scenes.into_iter().map(scene).collect()
}

/// Somebody else, at the same address as whoever came first, and when that was.
fn insider(stage: &mut Stage, attack: &'static str) -> (Person, i64) {
    let mut person = stage.person(Truth::Attacker(attack, Level::Hidden));
    let first = stage.first().cloned();
    (person.ip, person.place) = first.as_ref().map(|first| (first.ip, first.place)).unwrap_or_default();
    (person, first.map_or(0, |Event { timestamp, .. }| timestamp.as_millis()))
}

/// Accounts of one person, a few minutes apart, each of which takes the bonus of new customers.
fn ring(stage: &mut Stage, attack: &'static str, dress: impl Fn(&mut Person)) {
    let (device, agent) = (stage.device(), stage.agent());
    for n in 0..RING_ACCOUNTS {
        let (mut member, begun) = insider(stage, attack);
        (member.device, member.agent) = (Some(device.clone()), Some(agent.clone()));
        dress(&mut member);
        let after = join(stage, &mut member, begun + n * 3 * MINUTE, 4);
        stage.act(&member, "promo_redeemed", after);
    }
}

/// Likewise, on a device that looks like everybody's.
fn wear_the_same(stage: &mut Stage, attack: &'static str) {
    let first = stage.first().cloned();
    ring(stage, attack, |member| {
        if let Some(first) = &first {
            (member.device, member.agent) = (first.fingerprint.clone(), first.user_agent.clone());
        }
    });
}

/// Accounts that a script makes, a few seconds apart, with mailboxes of random letters and without a device.
fn wave(stage: &mut Stage, attack: &'static str, dress: impl Fn(&mut Stage, &mut Person)) {
    let mut later = 0;
    for _ in 0..WAVE_ACCOUNTS {
        let (mut bot, begun) = insider(stage, attack);
        let letters: String = std::iter::repeat_with(|| stage.rng.lowercase()).take(9).collect();
        bot.data.shift_remove("name");
        bot.data.insert("email".to_owned(), json!(format!("{letters}@gmail.com")));
        (bot.device, bot.session) = (None, None);
        dress(stage, &mut bot);
        later += stage.rng.i64(SECOND..8 * SECOND);
        stage.act(&bot, "signup", begun + later);
        stage.act(&bot, "promo_redeemed", begun + later + 2 * SECOND);
    }
}

/// By ordinary browsers on devices of their own, from their own addresses.
fn along_a_ruler(stage: &mut Stage) {
    for _ in 0..WAVE_ACCOUNTS {
        let mut bot = stage.person(Truth::Attacker(RULER, Level::Hidden));
        let strokes = vec![people::RULED];
        bot.hand = Some(Interaction { moves: 6, clicks: 1, strokes, ..Interaction::default() });
        let at = stage.moment(20);
        stage.act(&bot, "signup", at);
        for n in 1..6 {
            stage.act(&bot, "page_view", at + n * 300);
        }
    }
}

fn people_with(stage: &mut Stage, people: usize, agent: &str) {
    for _ in 0..people {
        let mut person = stage.person(Truth::Innocent("people with an app"));
        person.agent = Some(agent.to_owned());
        let at = stage.moment(2);
        stage.live(&mut person, at, 14);
    }
}

/// What has come of a scene.
pub fn told(scene: &Scenario, team: &'static str, fates: &[Fate]) -> Scene {
    let badness = |fate: &Fate| (1.0 - f64::from(lowest(&fate.scores)) / 100.0, !fate.truth.is_innocent());
    let scored: Vec<_> = fates.iter().map(badness).collect();
    let attackers: Vec<_> = fates.iter().filter(|fate| !fate.truth.is_innocent()).collect();
    let part = |holds: fn(&Fate) -> bool| {
        attackers.iter().filter(|fate| holds(fate)).count() as f64 / attackers.len() as f64
    };
    Scene {
        attack: scene.row,
        among: format!("{}, in {team}", scene.variant),
        accounts: attackers.len(),
        auc: auc(&scored),
        below_60: part(|fate| lowest(&fate.scores) < LOW_BELOW),
        not_unique: part(|fate| fate.scores.uniqueness.is_some_and(|score| score < 40)),
        flagged: part(|fate| fate.badged || fate.escalated),
        innocents: Tally::of(fates.iter().filter(|fate| fate.truth.is_innocent())).counts(),
    }
}
