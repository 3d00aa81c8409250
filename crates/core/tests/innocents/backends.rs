//! What a backend sends for everybody: its address, its names, its rhythm.

use super::*;

#[test]
fn an_address_that_is_the_backends_own_is_no_place_of_anybody() {
    let import = |of_backend| {
        with(people(200, 1.0, free), |_, person| {
            person.agent = Some("Go-http-client/2.0");
            person.of_backend = of_backend;
        })
    };
    convicted("from one address that is somebody's", &import(OfBackend::default()), LOW);
    acquitted("from the backend's own", &import(OfBackend { ip: true, user_agent: true }), LOW);
}

/// In a team of which nothing is known yet.
#[test]
fn what_a_backend_sends_for_everybody_says_nothing_of_anybody() {
    type Change = fn(usize, &mut Person);
    const WAYS_OUT: [&str; 3] = ["203.0.113.7", "198.51.100.7", "192.0.2.7"];
    let bare = |change: fn(usize, &mut Person)| {
        with(people(150, 20.0, free), |n, person| {
            (person.ip, person.agent) = (None, None);
            change(n, person);
        })
    };
    let constants: [(&str, Change); 4] = [
        ("a device", |_, person| person.device = Some("server".to_owned())),
        ("a session", |_, person| person.session = Some("backend".to_owned())),
        ("one address", |_, person| person.ip = Some(WAYS_OUT[0])),
        ("one of three addresses", |n, person| person.ip = Some(WAYS_OUT[n % 3])),
    ];
    for (story, change) in constants {
        let imported = bare(change);
        for (n, analysis) in told_beside(std::iter::empty(), &imported).iter().enumerate() {
            assert!(lowest(analysis, &ONE_OF_MANY) >= LOW, "{story}: number {n} {}", why(analysis));
        }
        // Where others have none of it, it is theirs.
        let beside = told(&imported);
        let is_known = |analysis: &Analysis| lowest(analysis, &ONE_OF_MANY) < LOW;
        assert!(beside.iter().any(is_known), "{story}: {}", why(&beside[0]));
    }
}

#[test]
fn what_a_backend_tells_has_no_rhythm_whatever_it_calls_itself() {
    let agents = [
        "okhttp/4.12.0",
        "ktor-client",
        "needle/3.2.0 (Node.js v18; linux x64)",
        "acme-orders/4 (Linux; Java 21)",
        "Dart/3.9 (dart:io)",
        "Apache-HttpClient/5.4.1 (Java/21.0.4)",
        "WordPress/6.7.1; https://shop.example",
        "AppEngine-Google; (+http://code.google.com/appengine; appid: s~acme)",
        "AcmeBackend/2.1 (+https://acme.example)",
        "Mozilla/5.0",
        "FitBot/3.3",
    ];
    for agent in agents {
        for pause in [0.04, 1.0] {
            let provisioned = with(people(8, 7.0 * pause, free), |_, person| {
                (person.ip, person.agent) = (None, Some(agent));
                let begun = person.acts[0];
                person.acts.extend((1..7).map(|step| begun + f64::from(step) * pause));
            });
            for analysis in told(&provisioned) {
                let humanity = analysis.scores.humanity;
                assert!(
                    humanity.is_none_or(|humanity| humanity >= LOW),
                    "{agent}, {pause} s: {}",
                    why(&analysis)
                );
            }
        }
    }
    // A browser, or an app on a phone, is somebody's.
    let clockwork = |agent| {
        with(people(8, 7.0, free), |_, person| {
            (person.ip, person.agent) = (None, Some(agent));
            let begun = person.acts[0];
            person.acts.extend((1..20).map(|step| begun + f64::from(step)));
        })
    };
    for agent in [CHROME, "AcmeApp/3.2 (iPhone; iOS 19.1)"] {
        let found = told(&clockwork(agent));
        assert!(found.iter().all(|one| one.scores.humanity < Some(LOW)), "{agent}: {:?}", found[0].scores);
    }
}
