//! Attacks, each at three levels of effort.

use serde_json::json;

use crate::stage::{BEGIN, DAY, HOUR, Level, MINUTE, Person, SECOND, Stage, Truth};

const HEADLESS: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                        HeadlessChrome/141.0.0.0 Safari/537.36";

/// Five accounts of one person.
pub const RING: &str = "promo ring of five";

pub fn enter(stage: &mut Stage) {
    for level in Level::ALL {
        bombing(stage, level);
        hasty_purchase(stage, level);
        guessing(stage, level);
        takeover(stage, level);
        rings(stage, level);
        scripted_journeys(stage, level);
        repetition(stage, level);
        card_testing(stage, level);
        spam(stage, level);
        dormancy(stage, level);
    }
}

/// Those in which each account acts alone.
pub fn of_single_accounts(stage: &mut Stage, level: Level) {
    hasty_purchase(stage, level);
    scripted_journeys(stage, level);
    repetition(stage, level);
    card_testing(stage, level);
    spam(stage, level);
}

/// The agent of somebody who does, or does not, care what it says.
fn agent(stage: &mut Stage, level: Level) -> Option<String> {
    Some(match level {
        Level::Naive => "python-requests/2.32.3".to_owned(),
        _ => stage.agent(),
    })
}

fn moment(stage: &mut Stage) -> i64 {
    BEGIN + stage.rng.i64(5 * DAY..25 * DAY)
}

/// Hundreds of accounts, made by a script.
fn bombing(stage: &mut Stage, level: Level) {
    for _ in 0..3 {
        let begun = moment(stage);
        let (device, ip) = (stage.device(), Some(stage.address()));
        let mut devices = Vec::new();
        for n in 0..100 {
            let mut bot = stage.person(Truth::Attacker("registration bombing", level));
            bot.agent = agent(stage, level);
            let (span, letters) = match level {
                Level::Naive => {
                    (bot.device, bot.ip) = (Some(device.clone()), ip);
                    (30 * MINUTE, format!("user{n}@mailinator.com"))
                }
                Level::Hidden => {
                    if n % 10 == 0 {
                        devices.push(stage.device());
                    }
                    (bot.device, bot.ip) = (devices.last().cloned(), Some(stage.exit()));
                    let letters: String = std::iter::repeat_with(|| stage.rng.lowercase()).take(9).collect();
                    (2 * HOUR, format!("{letters}@gmail.com"))
                }
                Level::Targeted => {
                    (bot.device, bot.ip) = (Some(stage.device()), Some(stage.address()));
                    let name = stage.name();
                    (DAY, format!("{}.{}{n}@gmail.com", name.first, name.last))
                }
            };
            bot.data.insert("email".to_owned(), json!(letters));
            let at = begun + stage.rng.i64(0..span);
            stage.act(&bot, "signup", at);
        }
    }
}

/// Signs up and buys, or redeems a code, with what is not its own.
fn hasty_purchase(stage: &mut Stage, level: Level) {
    for n in 0..150 {
        let mut thief = stage.person(Truth::Attacker("sign-up to purchase", level));
        let at = moment(stage);
        if level == Level::Hidden {
            thief.ip = Some(stage.exit());
        }
        stage.act(&thief, "signup", at);
        let after = match level {
            Level::Naive => stage.rng.i64(SECOND..4 * SECOND),
            Level::Hidden => stage.rng.i64(10 * SECOND..30 * SECOND),
            Level::Targeted => {
                let next = at + stage.think();
                stage.browse(&mut thief, next, 6) - at
            }
        };
        stage.act(&thief, if n % 2 == 0 { "purchase" } else { "promo_redeemed" }, at + after);
    }
}

/// Somebody with two weeks of ordinary use.
fn victim(stage: &mut Stage, attack: &'static str, level: Level) -> (Person, i64) {
    let mut person = stage.person(Truth::Attacker(attack, level));
    let at = stage.moment(8);
    stage.live(&mut person, at, 14);
    (person, at + 15 * DAY)
}

/// Passwords are tried, fast, from many addresses, or slowly.
fn guessing(stage: &mut Stage, level: Level) {
    let ip = Some(stage.address());
    for _ in 0..100 {
        let (mut person, begun) = victim(stage, "credential stuffing", level);
        person.agent = agent(stage, level);
        (person.device, person.ip) = (None, ip);
        let (tries, gap) = match level {
            Level::Naive => (30, 2 * SECOND),
            Level::Hidden => (15, 30 * SECOND),
            Level::Targeted => (12, 40 * MINUTE),
        };
        let begun = begun + stage.rng.i64(0..5 * DAY);
        for n in 0..tries {
            if level != Level::Naive {
                person.ip = Some(stage.exit());
            }
            stage.act(&person, "login_failed", begun + n * gap);
        }
    }
}

/// Somebody else gets in, and shuts the owner out.
fn takeover(stage: &mut Stage, level: Level) {
    for _ in 0..100 {
        let (mut person, at) = victim(stage, "account takeover", level);
        let home = person.place;
        (person.device, person.agent) = (Some(stage.device()), Some(stage.agent()));
        person.session = Some(stage.rng.u64(..));
        match level {
            Level::Naive => {
                (person.ip, person.place) = (Some(stage.address()), Some(stage.place(None)));
                while person.place.and_then(|place| place.country) == home.and_then(|home| home.country) {
                    person.place = Some(stage.place(None));
                }
                for n in 0..4 {
                    stage.act(&person, "login_failed", at - MINUTE + n * 5 * SECOND);
                }
            }
            Level::Hidden => (person.ip, person.place) = (Some(stage.exit()), home),
            Level::Targeted => (person.ip, person.place) = (Some(stage.address()), home),
        }
        stage.act(&person, "login", at);
        stage.act(&person, "password_changed", at + 50 * SECOND);
        if level != Level::Targeted {
            stage.act(&person, "email_changed", at + 80 * SECOND);
        }
        stage.act(&person, "purchase", at + 200 * SECOND);
    }
}

/// Rings of five, for the bonus of new customers.
fn rings(stage: &mut Stage, level: Level) {
    for _ in 0..40 {
        let begun = moment(stage);
        let (device, ip, place) = (stage.device(), Some(stage.address()), stage.place(None));
        let name = stage.name();
        let (first, last) = (&name.first, &name.last);
        for n in 0..5_i64 {
            let mut member = stage.person(Truth::Attacker(RING, level));
            (member.place, member.code) = (Some(place), format!("REFER-{first}-{begun}"));
            let mut at = begun + n * stage.rng.i64(5 * MINUTE..30 * MINUTE);
            match level {
                Level::Naive => {
                    (member.device, member.ip) = (Some(device.clone()), ip);
                    member.data.insert("email".to_owned(), json!(format!("{first}.{last}+{n}@gmail.com")));
                }
                Level::Hidden => (member.device, member.ip) = (Some(device.clone()), Some(stage.exit())),
                Level::Targeted => {
                    (member.device, member.ip) = (Some(stage.device()), ip);
                    member.rename(name.clone(), format!("{first}{last}{}@gmail.com", n * 7));
                    at = begun + n * stage.rng.i64(3 * HOUR..20 * HOUR);
                }
            }
            stage.act(&member, "signup", at);
            let next = at + stage.think();
            let after = stage.browse(&mut member, next, 3);
            stage.act(&member, "promo_redeemed", after);
            stage.act(&member, "purchase", after + 40 * SECOND);
        }
    }
}

/// The same steps again and again.
fn scripted_journeys(stage: &mut Stage, level: Level) {
    const STEPS: [&str; 6] =
        ["page_view", "search", "item_viewed", "cart_updated", "cart_updated", "page_view"];
    for _ in 0..100 {
        let mut bot = stage.person(Truth::Attacker("scripted journeys", level));
        let mut at = moment(stage);
        if level == Level::Naive {
            bot.agent = Some(HEADLESS.to_owned());
        }
        stage.act(&bot, "signup", at);
        for _ in 0..8 {
            for step in STEPS {
                at += match level {
                    Level::Naive => 2 * SECOND,
                    Level::Hidden => stage.rng.i64(SECOND..3 * SECOND),
                    Level::Targeted => stage.think(),
                };
                stage.act(&bot, step, at);
            }
        }
    }
}

/// One act, over and over.
fn repetition(stage: &mut Stage, level: Level) {
    for _ in 0..100 {
        let mut bot = stage.person(Truth::Attacker("repetition", level));
        let mut at = moment(stage);
        stage.act(&bot, "signup", at);
        for n in 0..150 {
            at += match level {
                Level::Naive => 3 * SECOND,
                Level::Hidden => stage.rng.i64(5 * SECOND..MINUTE),
                Level::Targeted => stage.think(),
            };
            let mixed = level == Level::Targeted && n % 3 == 0;
            if mixed {
                at = stage.browse(&mut bot, at, 1);
            }
            stage.act(&bot, "vote_cast", at);
        }
    }
}

/// Stolen cards are tried.
fn card_testing(stage: &mut Stage, level: Level) {
    for _ in 0..100 {
        let bot = stage.person(Truth::Attacker("card testing", level));
        let mut at = moment(stage);
        stage.act(&bot, "signup", at);
        let (tries, gap) = match level {
            Level::Naive => (40, 15 * SECOND),
            Level::Hidden => (10, 5 * MINUTE),
            Level::Targeted => (6, 8 * HOUR),
        };
        for n in 0..tries {
            at += gap;
            let name = if n % 9 == 8 { "purchase" } else { "payment_failed" };
            stage.act(&bot, name, at);
        }
    }
}

/// Invitations and posts that nobody asked for.
fn spam(stage: &mut Stage, level: Level) {
    for _ in 0..100 {
        let mut bot = stage.person(Truth::Attacker("invitation and content spam", level));
        let mut at = moment(stage);
        stage.act(&bot, "signup", at);
        at += stage.think();
        at = stage.browse(&mut bot, at, 3);
        let (count, gap) = match level {
            Level::Naive => (60, 5 * SECOND),
            Level::Hidden => (25, 25 * SECOND),
            Level::Targeted => (25, 4 * MINUTE),
        };
        for n in 0..count {
            at += gap / 2 + stage.rng.i64(0..gap);
            stage.act(&bot, if n % 2 == 0 { "invite_sent" } else { "post_created" }, at);
        }
    }
}

/// Made long ago, silent since, and then suddenly busy.
fn dormancy(stage: &mut Stage, level: Level) {
    for _ in 0..100 {
        let mut bot = stage.person(Truth::Attacker("dormancy, then burst", level));
        let at = moment(stage);
        stage.act(&bot, "signup", at - 90 * DAY);
        if level == Level::Naive {
            (bot.ip, bot.device) = (Some(stage.address()), Some(stage.device()));
        }
        let (count, gap) = match level {
            Level::Naive => (60, 4 * SECOND),
            Level::Hidden => (30, 15 * SECOND),
            Level::Targeted => (15, 50 * SECOND),
        };
        for n in 0..count {
            let name = ["login", "message_sent", "invite_sent", "page_view"][n % 4];
            let late = stage.rng.i64(0..gap);
            stage.act(&bot, name, at + n as i64 * gap + late);
        }
    }
}
