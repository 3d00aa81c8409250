//! Events as a customer's backend would post them: about 500 bytes, different every time, and the
//! same again for the same seed.

/// How many addresses the events come from: few people share one, as in life.
const IP_POOL: u64 = 1 << 20;
/// One identity in so many uses a device of the shared pool instead of its own.
const SHARED_DEVICE_ONE_IN: u64 = 200;
/// How many devices are shared.
const SHARED_DEVICE_POOL: u64 = 10_000;

const FIRST_NAMES: [&str; 24] = [
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Radia",
    "Ken",
    "Margaret",
    "Dennis",
    "Frances",
    "John",
    "Hedy",
    "Tim",
    "Katherine",
    "Claude",
    "Sophie",
    "Niklaus",
    "Joan",
    "Linus",
    "Adele",
    "Guido",
    "Shafi",
    "Leslie",
];
const LAST_NAMES: [&str; 24] = [
    "Lovelace",
    "Hopper",
    "Turing",
    "Dijkstra",
    "Liskov",
    "Knuth",
    "Perlman",
    "Thompson",
    "Hamilton",
    "Ritchie",
    "Allen",
    "McCarthy",
    "Lamarr",
    "Berners",
    "Johnson",
    "Shannon",
    "Wilson",
    "Wirth",
    "Clarke",
    "Torvalds",
    "Goldberg",
    "Rossum",
    "Goldwasser",
    "Lamport",
];
const MAIL_DOMAINS: [&str; 8] = [
    "gmail.com",
    "outlook.com",
    "icloud.com",
    "proton.me",
    "yahoo.com",
    "fastmail.com",
    "example.org",
    "mailinator.com",
];
const EVENT_TYPES: [&str; 8] = [
    "user.signup",
    "user.login",
    "page.view",
    "cart.add",
    "order.placed",
    "payment.added",
    "profile.update",
    "message.sent",
];
const PAGES: [&str; 6] = ["/pricing", "/signup", "/checkout", "/account", "/search", "/products/42"];
const PLANS: [&str; 4] = ["free", "starter", "pro", "enterprise"];
const USER_AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:129.0) Gecko/20100101 Firefox/129.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36 Edg/127.0.0.0",
];

/// What an identity's id begins with.
const IDENTITY_PREFIX: &str = "usr_";
/// Odd, so that multiplying by it loses nothing: SplitMix64's second multiplier.
const SPREAD: u64 = 0x94d0_49bb_1331_11eb;
/// `SPREAD * SPREAD_INVERSE == 1` in 64 bits.
const SPREAD_INVERSE: u64 = inverse(SPREAD);

/// Writes events.
#[derive(Clone, Copy, Debug)]
pub struct Generator {
    seed: u64,
    /// All events come from one address.
    at_one_address: bool,
}

impl Generator {
    /// The events of one seed. Two runs against one store need two seeds, or the ids repeat.
    pub fn new(seed: u64) -> Self {
        Self { seed, at_one_address: false }
    }

    /// The same events, all from one address.
    pub fn at_one_address(self) -> Self {
        Self { at_one_address: true, ..self }
    }

    /// Appends the `number`th event of the seed, which is about the `identity`th identity, as JSON.
    pub fn write(self, number: u64, identity: u64, out: &mut Vec<u8>) {
        let chance = mix(self.seed ^ mix(number));
        let person = mix(identity);
        push(out, "{\"id\":\"");
        push_hex(out, chance);
        push_hex(out, mix(chance));
        push(out, "\",\"type\":\"");
        push(out, pick(&EVENT_TYPES, chance));
        push(out, "\",\"source\":\"python-sdk\",\"identity\":{\"id\":\"");
        push_identity(out, identity);
        push_person(out, person);
        push(out, "},\"data\":{\"page\":\"");
        push(out, pick(&PAGES, chance >> 8));
        push(out, "\",\"plan\":\"");
        push(out, pick(&PLANS, person >> 8));
        push(out, "\",\"amount\":");
        push_number(out, (chance >> 16) % 500);
        push(out, ".5,\"currency\":\"EUR\",\"items\":");
        push_number(out, (chance >> 24) % 9);
        push(out, "},\"device\":{\"fingerprint\":\"");
        push_device(out, person);
        push(out, "\"},\"session\":\"");
        push_hex(out, mix(person ^ (number >> 18)));
        push(out, "\",\"ip\":\"");
        push_ip(
            out,
            match chance.is_multiple_of(5) {
                _ if self.at_one_address => 0,
                true => chance >> 32,
                false => person >> 32,
            },
        );
        push(out, "\",\"userAgent\":\"");
        push(out, pick(&USER_AGENTS, person >> 16));
        push(out, "\"}");
    }
}

/// Appends the id of the `index`th identity.
///
/// Ids look random, so that a store gets no credit for keys that arrive in order; but they are the
/// index multiplied by an odd number, so that [`identity_index`] reads it back.
pub fn push_identity(out: &mut Vec<u8>, index: u64) {
    push(out, IDENTITY_PREFIX);
    push_hex(out, index.wrapping_add(1).wrapping_mul(SPREAD));
}

/// The id of an identity.
pub fn identity(index: u64) -> String {
    written(|out| push_identity(out, index))
}

/// The fingerprint of an identity's device.
pub fn device(index: u64) -> String {
    written(|out| push_device(out, mix(index)))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut text = Vec::new();
    write(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Which identity has this id; nothing for an id that [`push_identity`] does not write.
pub fn identity_index(id: &[u8]) -> Option<u64> {
    let digits = id.strip_prefix(IDENTITY_PREFIX.as_bytes())?;
    let mut bytes = [0; 8];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    u64::from_be_bytes(bytes).wrapping_mul(SPREAD_INVERSE).checked_sub(1)
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of the answer depends on every
/// bit of `value`.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(SPREAD);
    value ^ (value >> 31)
}

/// The inverse of an odd number in 64 bits, by Newton's iteration: each step doubles the right bits.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut right_bits = 3;
    while right_bits < u64::BITS {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        right_bits *= 2;
    }
    inverse
}

fn push_person(out: &mut Vec<u8>, person: u64) {
    let (first, last) = (pick(&FIRST_NAMES, person >> 24), pick(&LAST_NAMES, person >> 40));
    push(out, "\",\"data\":{\"email\":\"");
    out.extend(first.bytes().map(|byte| byte.to_ascii_lowercase()));
    push(out, ".");
    out.extend(last.bytes().map(|byte| byte.to_ascii_lowercase()));
    push_number(out, person % 100_000);
    push(out, "@");
    push(out, pick(&MAIL_DOMAINS, person >> 48));
    push(out, "\",\"name\":\"");
    push(out, first);
    push(out, " ");
    push(out, last);
    push(out, "\"}");
}

fn push_device(out: &mut Vec<u8>, person: u64) {
    let device = match person % SHARED_DEVICE_ONE_IN {
        0 => (person >> 8) % SHARED_DEVICE_POOL,
        _ => person,
    };
    push_hex(out, mix(device ^ 1));
    push_hex(out, mix(device ^ 2));
}

/// One of the pool's addresses, spread over public unicast ranges.
fn push_ip(out: &mut Vec<u8>, choice: u64) {
    let host = mix(choice % IP_POOL);
    push_number(out, 80 + host % 8);
    for shift in [8, 16, 24] {
        push(out, ".");
        push_number(out, (host >> shift) & 0xff);
    }
}

fn pick<const N: usize>(from: &[&'static str; N], chance: u64) -> &'static str {
    from[(chance % N as u64) as usize]
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn push_hex(out: &mut Vec<u8>, value: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend((0..16).rev().map(|digit| DIGITS[((value >> (digit * 4)) & 0xf) as usize]));
}

/// Appends `value` in decimal.
pub fn push_number(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out[start..].reverse();
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::scenario::ceilings::BATCH_EVENTS;

    fn event(number: u64, identity: u64) -> serde_json::Value {
        let mut out = Vec::new();
        Generator::new(7).write(number, identity, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn an_event_is_what_the_contract_takes() {
        assert_eq!(
            event(1, 41),
            serde_json::json!({
                "id": "7716da39cba275b2f7a96fa7e40e81b5",
                "type": "page.view",
                "source": "python-sdk",
                "identity": {
                    "id": "usr_6a2c18b1260cf08e",
                    "data": {"email": "dennis.lamarr24713@example.org", "name": "Dennis Lamarr"},
                },
                "data": {"page": "/signup", "plan": "starter", "amount": 126.5, "currency": "EUR", "items": 7},
                "device": {"fingerprint": "996d3ae28b787a43b6748e3c2ec3654e"},
                "session": "814ad4c64cdb5328",
                "ip": "85.104.191.213",
                "userAgent": USER_AGENTS[5],
            })
        );
    }

    #[test]
    fn the_same_number_is_the_same_event_and_another_is_another() {
        assert_eq!(event(5, 9), event(5, 9));
        let ids: HashSet<String> =
            (0..10_000).map(|number| event(number, number)["id"].to_string()).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn events_are_as_long_as_real_ones_and_a_batch_of_them_fits_into_a_body() {
        const BODY_MAX_BYTES: usize = 256 * 1024;
        let length = |number| {
            let mut out = Vec::new();
            Generator::new(7).write(number, number, &mut out);
            out.len()
        };
        let lengths: Vec<usize> = (0..100_000).map(length).collect();
        let mean = lengths.iter().sum::<usize>() / lengths.len();
        assert!((450..=550).contains(&mean), "{mean} bytes");
        let longest = lengths.into_iter().max().unwrap();
        assert!((longest + 1) * (BATCH_EVENTS as usize) < BODY_MAX_BYTES, "{longest} bytes");
    }

    #[test]
    fn an_identity_is_read_back_from_its_id() {
        for index in [0, 1, 2, 199_999, 1_000_000, u64::from(u32::MAX)] {
            let mut id = Vec::new();
            push_identity(&mut id, index);
            assert_eq!((id.len(), identity_index(&id)), (20, Some(index)));
        }
    }

    #[test]
    fn a_foreign_id_is_nobody() {
        for id in
            ["", "usr_", "user_12345", "usr_0123456789abcde", "usr_0123456789abcdeg", "usr_0000000000000000"]
        {
            assert_eq!(identity_index(id.as_bytes()), None, "{id}");
        }
    }
}
