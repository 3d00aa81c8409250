//! Many at one place or on one device, and the rings that look like them.

use super::*;

#[test]
fn a_class_a_conference_an_onboarding_on_devices_of_their_own_is_ordinary() {
    for (count, every) in [(14, 42.0), (28, 21.0), (36, 16.0), (40, 15.0), (40, 90.0)] {
        let crowd = with(people(count, every, free), |n, person| {
            own_device(n, person);
            lives(n, person, 6);
        });
        acquitted(&format!("{count}, one every {every} s"), &crowd, LOW);
        let coded = with(crowd, |_, person| person.code = Some("AUTUMN"));
        acquitted(&format!("{count} with one code"), &coded, LOW);
    }
    let bare = with(people(28, 21.0, free), |_, person| person.agent = None);
    acquitted("28, of whose devices nothing is known", &bare, SUSPICIOUS);
    let campus = with(people(40, 15.0, free), |n, person| {
        person.agent = None;
        person.ip = Some(CAMPUS[n]);
    });
    acquitted("40 at addresses of their own in one network", &campus, SUSPICIOUS);
    let lecture = with(people(100, 6.0, free), own_device);
    acquitted("a lecture", &lecture, SUSPICIOUS);
}

#[test]
fn hundreds_at_one_address_are_a_burst_without_devices_and_on_one() {
    convicted("no devices", &people(200, 3.0, free), SUSPICIOUS);
    convicted("one device", &with(people(200, 3.0, free), one_device), SUSPICIOUS);
}

#[test]
fn a_desk_a_tablet_and_a_parents_mailbox_are_shared() {
    for (count, every, domain) in
        [(6, 480.0, "praxis-sommer.de"), (9, 360.0, "kanzlei-berger.at"), (3, 60.0, "bloom.co.uk")]
    {
        for place in [one_device, one_session] {
            let desk = with(people(count, every, |n| at(n, domain)), place);
            acquitted(domain, &desk, SUSPICIOUS);
        }
    }
    let families: [&[(&str, &str)]; 9] = [
        &[
            ("Jiří Hájek", "jhajek@seznam.cz"),
            ("Marie Hájková", "majka.h@gmail.com"),
            ("Petr Hájek", "petrh99@gmail.com"),
            ("Lucie Hájková", "lucinka@email.cz"),
        ],
        &[
            ("Γιώργος Κωνσταντινίδης", "giorgos.k@gmail.com"),
            ("Eleni Konstantinidou", "elenik@yahoo.gr"),
            ("Nikos Konstantinidis", "nkon@otenet.gr"),
        ],
        &[
            ("Jonas Kazlauskas", "jonas@inbox.lt"),
            ("Rasa Kazlauskienė", "rasak@gmail.com"),
            ("Ona Kazlauskaitė", "onute@gmail.com"),
        ],
        &[
            ("Lev Tolstoy", "lev@mail.ru"),
            ("Софья Толстая", "sofia.t@yandex.ru"),
            ("Anna Tolstaya", "annat@gmail.com"),
            ("Пётр Толстой", "petr.t@gmail.com"),
        ],
        &[
            ("Sabine Weber", "sabine.weber@web.de"),
            ("Tom Weber", "tom.w@gmail.com"),
            ("Lea Weber", "leaweber@gmx.de"),
            ("Max Weber", "maxi08@gmail.com"),
        ],
        &[
            ("Sabine Weber", "sabine@weber-net.de"),
            ("Tom Weber", "sabine+tom@weber-net.de"),
            ("Lea Weber", "sabine+lea@weber-net.de"),
        ],
        &[
            ("Tom", "sabine.weber+tom@gmail.com"),
            ("Lea", "sabine.weber+lea@gmail.com"),
            ("Maximilian", "sabine.weber+max@gmail.com"),
        ],
        &[
            ("", "sabine.weber+tom@gmail.com"),
            ("", "sabine.weber+lea@gmail.com"),
            ("", "sabine.weber+max@gmail.com"),
        ],
        &[
            ("Дмитрий Иванов", "dima@mail.ru"),
            ("Anna Ivanova", "anna.i@gmail.com"),
            ("Мария Иванова", "masha77@yandex.ru"),
            ("Oleg Ivanov", "oleg@gmail.com"),
        ],
    ];
    for family in families {
        for place in [one_device, one_session] {
            let family = with(people(family.len(), 380.0, |n| family[n].1.to_owned()), |n, person| {
                person.name = family[n].0.to_owned();
                place(n, person);
            });
            acquitted(family[0].email.as_str(), &family, SUSPICIOUS);
        }
    }
    let flat = with(people(4, 600.0, free), one_device);
    acquitted("four in one flat", &flat, SUSPICIOUS);
}

#[test]
fn a_ring_on_one_device_is_caught() {
    for place in [one_device, one_session] {
        convicted("five strangers", &with(people(5, 700.0, free), place), SUSPICIOUS);
        convicted("ten strangers", &with(people(10, 300.0, free), place), SUSPICIOUS);
    }
    let one_name = with(people(5, 700.0, free), |n, person| {
        one_device(n, person);
        person.name = "Jo Weber".to_owned();
    });
    convicted("one name", &one_name, SUSPICIOUS);
    let numbered = with(people(5, 700.0, |n| format!("user{n}@fresh-goods.de")), one_device);
    convicted("numbered mailboxes at a domain of their own", &numbered, SUSPICIOUS);
    let random = ["xk7q2v9z", "b4t9w1m8", "qqz81xk4", "w0p5n7r2", "zz93kq1x"];
    let random = with(people(5, 700.0, |n| format!("{}@fresh-goods.de", random[n])), one_device);
    convicted("random mailboxes at a domain of their own", &random, SUSPICIOUS);
    let disposable = with(people(6, 480.0, |n| at(n, "mailinator.com")), one_device);
    convicted("names at a disposable service", &disposable, SUSPICIOUS);
    let hundred = with(people(100, 30.0, |n| format!("{}{}", n, at(n, "fresh-goods.de"))), one_device);
    convicted("a hundred names at a domain of their own", &hundred, SUSPICIOUS);
    let strangers_with_a_code = with(people(5, 700.0, free), |n, person| {
        one_device(n, person);
        person.code = Some("REFER-1");
    });
    convicted("with one code", &strangers_with_a_code, SUSPICIOUS);
}

/// Managed laptops and tablets have one fingerprint.
#[test]
fn a_class_on_one_model_is_no_ring() {
    for (count, every) in [(28, 21.0), (28, 90.0), (12, 60.0), (35, 10.0)] {
        let class = |email: fn(usize) -> String| {
            with(people(count, every, email), |n, person| {
                one_device(n, person);
                lives(n, person, 14);
            })
        };
        acquitted(
            &format!("a school's {count}, one every {every} s"),
            &class(|n| at(n, "gymnasium-nord.de")),
            LOW,
        );
        acquitted(&format!("{count} at free providers, one every {every} s"), &class(free), LOW);
        let coded = with(class(|n| at(n, "gymnasium-nord.de")), |_, person| person.code = Some("CLASS-7B"));
        acquitted("with one code of their teacher", &coded, LOW);
    }
    let signed_up_only = with(people(28, 60.0, |n| at(n, "gymnasium-nord.de")), one_device);
    acquitted("a school's 28 that only sign up", &signed_up_only, SUSPICIOUS);
}

/// Of whom so much has happened within so many seconds.
fn until(seconds: f64, people: &[Person]) -> Vec<Person> {
    let mut people = people.to_vec();
    people.iter_mut().for_each(|person| person.acts.retain(|at| *at <= seconds));
    people.retain(|person| !person.acts.is_empty());
    people
}

#[test]
fn a_class_on_one_model_is_not_called_bombing_while_it_arrives() {
    for every in [21.0, 10.0] {
        let class = with(people(28, every, free), |n, person| {
            one_device(n, person);
            lives(n, person, 14);
        });
        for seconds in (20..900).step_by(20) {
            let so_far = until(f64::from(seconds), &class);
            let story = format!("one every {every} s, after {seconds} s");
            // Once some have stayed for a while, whoever comes is one of them.
            acquitted(&story, &so_far, if so_far.len() > 20 { LOW } else { 0 });
        }
    }
}

/// One machine that makes accounts, however it goes about it.
#[test]
fn a_machine_that_makes_accounts_is_no_class() {
    let one_after_the_other = with(people(28, 120.0, free), |n, person| {
        one_device(n, person);
        let begun = person.acts[0];
        person.acts.extend((1..8).map(|step| begun + f64::from(step) * 13.0 + (step * step % 5) as f64));
    });
    convicted("one after the other", &one_after_the_other, SUSPICIOUS);
    let revisited = with(one_after_the_other, |n, person| {
        let again = 3_400.0 + n as f64 * 4.0;
        person.acts.extend([again, again + 2.0]);
    });
    convicted("one after the other, and then each once more", &revisited, SUSPICIOUS);
    let by_turns = with(people(28, 2.0, free), |n, person| {
        one_device(n, person);
        let begun = person.acts[0];
        person.acts.extend((1..15).map(|turn| begun + f64::from(turn) * 56.0));
    });
    convicted("by turns, like a clock", &by_turns, SUSPICIOUS);
    let few_turns = with(by_turns, |_, person| person.acts.truncate(5));
    convicted("by a few turns", &few_turns, SUSPICIOUS);
    let hand_to_hand = with(people(28, 60.0, free), |n, person| {
        one_device(n, person);
        lives(n, person, 14);
        let (begun, last) = (person.acts[0], *person.acts.last().unwrap());
        person.acts.iter_mut().for_each(|at| *at = begun + (*at - begun) / (last - begun) * 59.0);
    });
    convicted("one after the other, without a pause between them", &hand_to_hand, SUSPICIOUS);
    let in_one_browser = with(people(28, 21.0, free), |n, person| {
        one_session(n, person);
        lives(n, person, 14);
    });
    convicted("all in one browser", &in_one_browser, SUSPICIOUS);
    let script = with(people(28, 21.0, free), |n, person| {
        one_device(n, person);
        lives(n, person, 14);
        person.agent = Some("python-requests/2.32.5");
    });
    convicted("a script", &script, SUSPICIOUS);
    let behind_a_class = with(people(68, 15.0, free), |n, person| {
        one_device(n, person);
        lives(n, person, if n < 8 { 14 } else { 0 });
    });
    let found = told(&behind_a_class);
    let flood = &found[8..48];
    assert!(flood.iter().all(|one| lowest(one, &ONE_OF_MANY) < SUSPICIOUS), "{}", why(&flood[0]));
    let few = with(people(6, 30.0, free), |n, person| {
        one_device(n, person);
        lives(n, person, 14);
    });
    convicted("six windows of one person", &few, SUSPICIOUS);
}

/// A library, an internet café, a shop's till: many strangers on one device, in a day.
#[test]
fn a_kiosk_is_told_once_it_has_been_used_for_a_day() {
    let kiosk = with(people(30, 1_100.0, free), one_device);
    let all = told(&kiosk);
    let late: Vec<_> = all[12..18].iter().map(|analysis| lowest(analysis, &ONE_OF_MANY)).collect();
    assert!(late.iter().all(|lowest| *lowest >= SUSPICIOUS), "{late:?} {}", why(&all[15]));
}
