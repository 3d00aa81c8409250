//! What is said of a name that is no fact: which is meant, or where to find one.

use super::{EVENT_DATA, Fact, IDENTITY_DATA, is_path};

/// Facts that are told of one name.
const TOLD_MAX: usize = 3;
/// Longer names are no misspelling of a fact; what is shown of a name ends here, too.
const NAME_MAX_CHARS: usize = 60;

/// What to do about `name`, which is no fact.
pub fn unknown(name: &str) -> String {
    if name.trim().is_empty() {
        return "enter a fact, such as device".to_owned();
    }
    let shown: String = name.chars().take(NAME_MAX_CHARS).collect();
    let cut = if shown.len() < name.len() { "…" } else { "" };
    let meant = if cut.is_empty() { near(name.trim()) } else { Vec::new() };
    let choice = match meant.as_slice() {
        [] => "choose one of the list of facts, or a field of data such as event.data.amount".to_owned(),
        [one] => format!("did you mean {one}?"),
        [others @ .., last] => format!("did you mean {} or {last}?", others.join(", ")),
    };
    format!("\"{shown}{cut}\" is no fact: {choice}")
}

/// Facts whose names are nearly this, or end with it; else fields of data of this name.
fn near(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    // One letter in four may be wrong, and one of a short name.
    let wrong_max = (lower.chars().count() / 4).max(1);
    let is_near = |known: &str| {
        let known = known.to_lowercase();
        let ends_so = known.rsplit_once('.').is_some_and(|(_, last)| last == lower);
        ends_so || strsim::osa_distance(&known, &lower) <= wrong_max
    };
    let plain = Fact::PLAIN.iter().map(|(known, _)| *known);
    let mut found: Vec<_> = plain.filter(|known| is_near(known)).map(str::to_owned).collect();
    if found.is_empty() && is_path(name) && !name.contains(char::is_whitespace) {
        let path = ["data.", "event.", "identity."].into_iter().find_map(|start| name.strip_prefix(start));
        let path = path.unwrap_or(name);
        let of_event = (!name.starts_with("identity.")).then(|| format!("{EVENT_DATA}{path}"));
        let of_identity = (!name.starts_with("event.")).then(|| format!("{IDENTITY_DATA}{path}"));
        found.extend(of_event.into_iter().chain(of_identity));
        found.retain(|name| Fact::parse(name).is_some());
    }
    found.truncate(TOLD_MAX);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_no_fact_is_told_which_there_are() {
        let check = |name: &str, expected: &str| assert_eq!(unknown(name), expected);
        check("", "enter a fact, such as device");
        check(" ", "enter a fact, such as device");
        check("devise", "\"devise\" is no fact: did you mean device?");
        check("Event.Type", "\"Event.Type\" is no fact: did you mean event.type?");
        check("country", "\"country\" is no fact: did you mean ip.country?");
        check("kind", "\"kind\" is no fact: did you mean ip.kind, email.kind or device.kind?");
        check("amount", "\"amount\" is no fact: did you mean event.data.amount or identity.data.amount?");
        check("identity.plan", "\"identity.plan\" is no fact: did you mean identity.data.plan?");
        check("event.cart.total", "\"event.cart.total\" is no fact: did you mean event.data.cart.total?");
        let none =
            "is no fact: choose one of the list of facts, or a field of data such as event.data.amount";
        check("what they paid", &format!("\"what they paid\" {none}"));
        check("event..", &format!("\"event..\" {none}"));
        check(&"é".repeat(61), &format!("\"{}…\" {none}", "é".repeat(60)));
    }

    #[test]
    fn what_is_told_is_a_fact() {
        for name in ["amount", "data.amount", "event.data", "identity.data.", "group", "score.any", "e"] {
            assert!(near(name).iter().all(|fact| Fact::parse(fact).is_some()), "{name}: {:?}", near(name));
        }
    }
}
