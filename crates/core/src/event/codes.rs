//! Promotion and referral codes in the data of an event.

use serde_json::{Map, Value};

use super::nothing::ties_nobody;

/// What keys are called that hold one, in lower case, letters only.
const KEYS: [&str; 18] = [
    "promo",
    "promocode",
    "promotioncode",
    "coupon",
    "couponcode",
    "voucher",
    "vouchercode",
    "discountcode",
    "referralcode",
    "referrercode",
    "referrerid",
    "referredby",
    "refcode",
    "invitecode",
    "invitationcode",
    "inviterid",
    "invitedby",
    "affiliatecode",
];
/// Longer ones are no codes.
const CODE_MAX_BYTES: usize = 64;

/// The codes in `data`, in lower case; those that stand for none are none.
pub fn codes(data: &Map<String, Value>) -> impl Iterator<Item = String> {
    data.iter().filter(|(key, _)| is_of_code(key)).filter_map(|(_, value)| {
        let code = match value {
            Value::String(code) => code.trim().to_owned(),
            Value::Number(code) => code.to_string(),
            _ => return None,
        };
        let is_one = (1..=CODE_MAX_BYTES).contains(&code.len()) && !ties_nobody(&code);
        is_one.then(|| code.to_lowercase())
    })
}

fn is_of_code(key: &str) -> bool {
    let letters = || key.bytes().filter(u8::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase());
    KEYS.iter().any(|known| known.bytes().eq(letters()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn codes_are_found_by_what_their_keys_are_called() {
        let data = json!({
            "promoCode": " WELCOME10 ", "referred_by": 4711, "Coupon-Code": "x", "code": "not one",
            "voucher": {"id": 1}, "inviteCode": "", "promo": "y".repeat(65),
            "referralCode": "undefined", "invitedBy": 0, "inviterId": "null", "refCode": "N/A", "referrerId": "guest",
        });
        let mut found: Vec<_> = codes(data.as_object().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, ["4711", "welcome10", "x"]);
    }
}
