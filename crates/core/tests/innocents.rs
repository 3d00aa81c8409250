//! People who do nothing wrong and look as if one of them had many accounts, and beside each a ring that does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use dregs_core::badge;
use dregs_core::event::{Event, EventIdentity, OfBackend};
use dregs_core::score::{Analysis, Category, Weights};
use dregs_core::time::Timestamp;
use dregs_core::world::World;
use serde_json::{Map, json};

#[path = "support/told.rs"]
mod truth;

/// 2026-11-23T09:30:00Z.
const START: Timestamp = Timestamp::from_millis(1_795_426_200_000);
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

/// What the rules of a new team go by: below it somebody is called suspicious, and below that it is critical.
const SUSPICIOUS: u8 = 40;
const LOW: u8 = 60;

const FIRST: [&str; 16] = [
    "Anna", "Ben", "Carla", "David", "Elif", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leon",
    "Mira", "Noah", "Olga", "Paul",
];
const LAST: [&str; 17] = [
    "Keller", "Brandt", "Yilmaz", "Novak", "Fischer", "Okafor", "Lindner", "Santos", "Wagner", "Petrov",
    "Hoffmann", "Rossi", "Schulz", "Nguyen", "Krause", "Dubois", "Albrecht",
];

/// Somebody of a story.
#[derive(Clone, Default)]
struct Person {
    name: String,
    email: String,
    device: Option<String>,
    ip: Option<&'static str>,
    session: Option<String>,
    agent: Option<&'static str>,
    code: Option<&'static str>,
    phone: Option<&'static str>,
    /// Which of this is the backend's own.
    of_backend: OfBackend,
    /// In seconds from the start; the first is the sign-up.
    acts: Vec<f64>,
}

fn name(n: usize) -> (&'static str, &'static str) {
    (FIRST[n % FIRST.len()], LAST[n % LAST.len()])
}

fn called(n: usize) -> String {
    let (first, last) = name(n);
    format!("{first} {last}")
}

fn at(n: usize, domain: &str) -> String {
    let (first, last) = name(n);
    format!("{first}.{last}@{domain}").to_lowercase()
}

/// An address at one of the providers where everybody gets one.
fn free(n: usize) -> String {
    const PROVIDERS: [&str; 6] = ["gmail.com", "web.de", "outlook.com", "gmx.de", "posteo.de", "yahoo.fr"];
    let (first, last) = name(n);
    let number = 60 + n * 7 % 39;
    format!("{first}{}{last}{number}@{}", [".", "", "_"][n % 3], PROVIDERS[n % PROVIDERS.len()])
        .to_lowercase()
}

/// People on ordinary browsers who sign up `every` seconds apart.
fn people(count: usize, every: f64, email: impl Fn(usize) -> String) -> Vec<Person> {
    (0..count)
        .map(|n| Person {
            name: called(n),
            email: email(n),
            ip: Some("203.0.113.7"),
            agent: Some(CHROME),
            acts: vec![n as f64 * every],
            ..Person::default()
        })
        .collect()
}

fn with(mut people: Vec<Person>, change: impl Fn(usize, &mut Person)) -> Vec<Person> {
    people.iter_mut().enumerate().for_each(|(n, person)| change(n, person));
    people
}

/// Goes on after the sign-up as people do, with pauses of seconds to minutes.
fn lives(n: usize, person: &mut Person, acts: usize) {
    let mut seed = 88_172_645_463_325_252_u64 ^ (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut last = person.acts[0];
    for _ in 0..acts {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let part = (seed >> 11) as f64 / (1_u64 << 53) as f64;
        last += 3.0 * 40_f64.powf(part);
        person.acts.push(last);
    }
}

fn event(person: &Person, id: &str, n: usize, at: f64) -> Event {
    const NAMES: [&str; 6] =
        ["user.signup", "page.viewed", "task.opened", "page.viewed", "answer.saved", "search"];
    let mut data = Map::new();
    let given = |text: &str| Some(json!(text)).filter(|_| !text.is_empty());
    data.extend(given(&person.name).map(|name| ("name".to_owned(), name)));
    data.extend(given(&person.email).map(|email| ("email".to_owned(), email)));
    data.extend(person.phone.map(|phone| ("phone".to_owned(), json!(phone))));
    let code = person.code.filter(|_| n == 0).map(|code| ("promoCode".to_owned(), json!(code)));
    Event {
        id: format!("{id}-{n}"),
        name: if n == 0 { NAMES[0] } else { NAMES[1 + (n * 7 + id.len()) % 5] }.to_owned(),
        timestamp: START.plus_millis((at * 1_000.0) as i64),
        source: None,
        identity: Some(EventIdentity { id: id.to_owned(), data }),
        groups: Vec::new(),
        data: code.into_iter().collect(),
        fingerprint: person.device.clone(),
        components: None,
        interaction: None,
        session: person.session.clone(),
        url: None,
        ip: person.ip.map(|ip| ip.parse().unwrap()),
        user_agent: person.agent.map(str::to_owned),
        place: None,
        of_backend: person.of_backend,
        signature: None,
    }
}

/// Users of the team who have nothing to do with a story. What a whole new team has in common would be taken for
/// its backend's, see [`dregs_core::common`].
const REGULARS: usize = 30;

fn regulars() -> impl Iterator<Item = Event> {
    const DAYS_AGO: f64 = -3.0 * 86_400.0;
    (0..REGULARS).flat_map(|n| {
        let regular = Person { acts: vec![DAYS_AGO + n as f64, n as f64 - 600.0], ..Person::default() };
        let id = format!("regular-{n}");
        (0..2).map(move |act| event(&regular, &id, act, regular.acts[act]))
    })
}

/// What is found of everybody at the end.
fn told(people: &[Person]) -> Vec<Analysis> {
    told_beside(regulars(), people)
}

fn told_beside(others: impl Iterator<Item = Event>, people: &[Person]) -> Vec<Analysis> {
    let ids: Vec<String> = (0..people.len()).map(|n| format!("u{n}")).collect();
    let mut events: Vec<Event> = others.collect();
    for (person, id) in people.iter().zip(&ids) {
        events.extend(person.acts.iter().enumerate().map(|(n, at)| event(person, id, n, *at)));
    }
    events.sort_by_key(|event| event.timestamp);
    let mut world = World::default();
    events.iter().for_each(|event| drop(world.take(event)));
    let analyses: Vec<_> = ids.iter().map(|id| world.analyze(id, &Weights::default()).unwrap()).collect();
    for found in analyses.iter().flat_map(|analysis| &analysis.observations) {
        assert_eq!(truth::untold(&found.explanation, &found.metadata), None, "{found:#?}");
    }
    analyses
}

fn lowest(analysis: &Analysis, categories: &[Category]) -> u8 {
    categories.iter().filter_map(|category| analysis.scores.get(*category)).min().unwrap_or(70)
}

const ONE_OF_MANY: [Category; 2] = [Category::Uniqueness, Category::Behavior];

/// Why the first of them scores as it does.
fn why(analysis: &Analysis) -> String {
    let said = analysis.observations.iter().filter(|seen| ONE_OF_MANY.contains(&seen.category));
    let said = said.map(|seen| format!("{} {} {}", seen.id, seen.value, seen.explanation));
    format!("{:?}\n{}", analysis.scores, said.collect::<Vec<_>>().join("\n"))
}

/// Nobody is below `min`, and nobody carries a badge.
fn acquitted(story: &str, people: &[Person], min: u8) {
    for (n, analysis) in told(people).iter().enumerate() {
        let badges: Vec<_> = badge::of_analyzers(&analysis.observations).map(|badge| badge.slug).collect();
        let is_fine = lowest(analysis, &ONE_OF_MANY) >= min && badges.is_empty();
        assert!(is_fine, "{story}: number {n} {badges:?} {}", why(analysis));
    }
}

/// All but one in ten are below `max` in Uniqueness or Behavior.
fn convicted(story: &str, people: &[Person], max: u8) {
    let all = told(people);
    let below = all.iter().filter(|analysis| lowest(analysis, &ONE_OF_MANY) < max).count();
    assert!(below * 10 >= all.len() * 9, "{story}: {below} of {} {}", all.len(), why(&all[0]));
}

/// Addresses of one network.
const CAMPUS: [&str; 40] = [
    "203.0.113.10",
    "203.0.113.11",
    "203.0.113.12",
    "203.0.113.13",
    "203.0.113.14",
    "203.0.113.15",
    "203.0.113.16",
    "203.0.113.17",
    "203.0.113.18",
    "203.0.113.19",
    "203.0.113.20",
    "203.0.113.21",
    "203.0.113.22",
    "203.0.113.23",
    "203.0.113.24",
    "203.0.113.25",
    "203.0.113.26",
    "203.0.113.27",
    "203.0.113.28",
    "203.0.113.29",
    "203.0.113.30",
    "203.0.113.31",
    "203.0.113.32",
    "203.0.113.33",
    "203.0.113.34",
    "203.0.113.35",
    "203.0.113.36",
    "203.0.113.37",
    "203.0.113.38",
    "203.0.113.39",
    "203.0.113.40",
    "203.0.113.41",
    "203.0.113.42",
    "203.0.113.43",
    "203.0.113.44",
    "203.0.113.45",
    "203.0.113.46",
    "203.0.113.47",
    "203.0.113.48",
    "203.0.113.49",
];

fn own_device(n: usize, person: &mut Person) {
    person.device = Some(format!("{:032x}", 7_919 * (n + 1)));
    person.session = Some(format!("s-{n}"));
}

fn one_device(n: usize, person: &mut Person) {
    person.device = Some("one".to_owned());
    person.session = Some(format!("s-{n}"));
}

fn one_session(_: usize, person: &mut Person) {
    person.device = Some("one".to_owned());
    person.session = Some("s".to_owned());
}

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

#[test]
fn role_mailboxes_and_first_names_at_own_domains_are_no_burst() {
    let words = [
        "info",
        "office",
        "sales",
        "hello",
        "admin",
        "support",
        "billing",
        "contact",
        "kontakt",
        "buero",
        "rechnung",
        "ventas",
        "contacto",
        "vendas",
        "commercial",
        "secretariat",
        "biuro",
        "noreply",
        "team",
        "hr",
        "jobs",
        "anna",
        "peter",
        "post",
        "zentrale",
        "j.smith",
        "max.mustermann",
    ];
    for word in words {
        let domains = [
            "firm-a-bau.de",
            "kanzlei-berger.at",
            "bloom.co.uk",
            "praxis-sommer.de",
            "acme.io",
            "lopez.es",
            "nord.dk",
            "lumiere.fr",
        ];
        let mailboxes = with(people(8, 420.0, |n| format!("{word}@{}", domains[n])), |_, person| {
            (person.ip, person.agent, person.name) = (None, None, String::new());
        });
        for analysis in told(&mailboxes) {
            let said: Vec<_> = analysis.observations.iter().map(|seen| seen.id.as_str()).collect();
            assert!(
                !said.contains(&"behavior.sign-up-burst") && !said.contains(&"uniqueness.similar-email"),
                "{word}"
            );
        }
        acquitted(word, &mailboxes, LOW);
    }
}

/// Nothing is said of their addresses.
fn unlike(story: &str, people: &[Person]) {
    for analysis in told(people) {
        let accuses = |id: &str| analysis.observations.iter().any(|seen| seen.id == id);
        let is_said = accuses("behavior.sign-up-burst") || accuses("uniqueness.similar-email");
        assert!(!is_said, "{story}: {}", why(&analysis));
    }
}

#[test]
fn role_mailboxes_are_alike_at_every_provider() {
    let roles = [
        "kundenservice",
        "administration",
        "comptabilite",
        "customer-service",
        "no-reply",
        "buchhaltung",
        "service-client",
        "atencion.cliente",
        "amministrazione",
        "ugyfelszolgalat",
        "asiakaspalvelu",
        "klantenservice",
        "obslugaklienta",
        "musterihizmetleri",
        "front-desk",
    ];
    const LARGE: [&str; 8] = [
        "gmail.com",
        "gmx.de",
        "outlook.com",
        "yahoo.com",
        "aol.com",
        "icloud.com",
        "hotmail.com",
        "proton.me",
    ];
    for role in roles {
        let firms = with(people(8, 420.0, |n| format!("{role}@{}", LARGE[n])), |_, person| {
            (person.ip, person.agent, person.name) = (None, None, String::new());
        });
        unlike(role, &firms);
    }
}

#[test]
fn numbered_places_of_a_firm_are_no_variants_of_one_mailbox() {
    let places = [
        "filiale",
        "branch",
        "agence",
        "sucursal",
        "kiosk",
        "terminal",
        "myynti",
        "salg",
        "kundtjanst",
        "ugyfelszolgalat",
        "prodaja",
        "vanzari",
        "kasse",
        "till",
        "caisse",
        "caja",
        "platz",
        "seat",
        "raum",
        "store",
        "pokladna",
        "sklep",
        "station",
        "lager",
        "butik",
        "salle",
        "sportello",
        "register",
        "schalter",
        "empfang",
        "klasse",
        "praxis",
    ];
    for place in places {
        for write in [
            |place: &str, n: usize| format!("{place}{n}@firm-a.de"),
            |place: &str, n: usize| format!("{place}-{n:02}@firm-a.de"),
        ] {
            let email = |n: usize| write(place, n + 1);
            let seats = with(people(8, 420.0, email), |_, person| {
                (person.ip, person.agent, person.name) = (None, None, String::new());
            });
            acquitted(place, &seats, LOW);
        }
    }
}

#[test]
fn namesakes_with_numbers_are_no_variants_of_one_mailbox() {
    for name in [
        "anna", "maria", "mohammed", "ali", "mueller", "smith", "jose", "wang", "fatima", "olga", "linh",
        "yuki",
    ] {
        for (domain, at) in [("gmail.com", 84), ("web.de", 1)] {
            let email = |n: usize| format!("{name}{}@{domain}", at + n);
            let people =
                with(people(8, 420.0, email), |_, person| (person.ip, person.name) = (None, String::new()));
            // Too short to be looked for.
            if name.len() > 3 {
                unlike(name, &people);
            }
            acquitted(name, &people, LOW);
        }
    }
}

#[test]
fn variants_of_one_mailbox_are_caught_at_whatever_domain() {
    type Email = fn(usize) -> String;
    let variants: [(&str, Email); 7] = [
        ("numbered, at the largest provider", |n| format!("promo{}@gmail.com", n + 1)),
        ("numbered, at a provider", |n| format!("promo{}@web.de", n + 1)),
        ("numbered, at a domain of their own", |n| format!("promo{}@fresh-goods.de", n + 1)),
        ("numbered, below it", |n| format!("promo{n}@m{n}.fresh-goods.de")),
        ("tagged", |n| format!("ada+{n}@gmail.com")),
        ("tagged with words", |n| {
            format!("ada+{}@gmail.com", ["shop", "promo", "deals", "news", "test", "spam", "dev", "new"][n])
        }),
        ("dotted", |n| {
            ["a.da.b", "ada.b", "adab", "a.dab", "a.d.ab", "a.d.a.b", "ad.ab", "ad.a.b"][n].to_owned()
                + "@gmail.com"
        }),
    ];
    for (story, email) in variants {
        let ring =
            with(people(8, 420.0, email), |_, person| (person.ip, person.name) = (None, String::new()));
        convicted(story, &ring, SUSPICIOUS);
    }
}

#[test]
fn what_forms_and_programs_put_in_place_of_a_value_ties_nobody() {
    type Change = fn(&mut Person);
    let values: [(&str, Change); 8] = [
        ("a phone of zeros", |person| person.phone = Some("(000) 000-0000")),
        ("a phone of zeros in a country", |person| person.phone = Some("+1 000 000 0000")),
        ("a phone of ones", |person| person.phone = Some("1111111111")),
        ("a phone that counts", |person| person.phone = Some("+1 234 567 890")),
        ("a name that a program made of none", |person| person.name = "undefined undefined".to_owned()),
        ("a name of none", |person| person.name = "null null".to_owned()),
        ("a form's example", |person| person.name = "First Last".to_owned()),
        ("an address of none", |person| person.email = "null@null.com".to_owned()),
    ];
    for (story, change) in values {
        let people = with(people(8, 900.0, free), |n, person| {
            own_device(n, person);
            lives(n, person, 6);
            change(person);
        });
        acquitted(story, &people, LOW);
    }
    for code in ["undefined", "null", "0", "N/A", "-", "none", "{promoCode}"] {
        let siblings = with(people(3, 900.0, free), |n, person| {
            one_device(n, person);
            person.code = Some(code);
        });
        for analysis in told(&siblings) {
            assert!(analysis.observations.iter().all(|seen| seen.id != "behavior.code-ring"), "{code}");
        }
    }
}

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
    let throwaway = with(people(6, 480.0, |n| at(n, "mailinator.com")), one_device);
    convicted("names at a throwaway service", &throwaway, SUSPICIOUS);
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
