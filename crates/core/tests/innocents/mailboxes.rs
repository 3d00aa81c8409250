//! Mailboxes and details that are alike by their role, by a name or by a form, and not by an owner.

use super::*;

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
