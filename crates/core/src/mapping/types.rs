//! The canonical types of events, and the usual names of each.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::words::snake;

macro_rules! canonical_types {
    ($($variant:ident $name:literal: $($phrase:literal)*;)*) => {
        /// What an event is, whatever a team calls it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CanonicalType { $($variant),* }

        /// Every canonical type.
        pub const TYPES: &[CanonicalType] = &[$(CanonicalType::$variant),*];

        impl CanonicalType {
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The usual names, in words as [`normalised`] has them.
            pub const fn phrases(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($phrase),*]),* }
            }
        }
    };
}

canonical_types! {
    Registration "REGISTRATION": "sign up" "register" "registration" "create account" "create user"
        "create customer" "create member" "new user" "new account" "onboard" "account registration" "open account";
    Login "LOGIN": "log in" "sign in" "authenticate" "start session" "create session" "authentication";
    LoginFailed "LOGIN_FAILED": "fail log in" "fail sign in" "fail authentication" "fail authenticate" "bad password"
        "invalid password" "invalid credentials" "deny log in" "reject log in" "wrong password" "incorrect password";
    Logout "LOGOUT": "log out" "sign out" "sign off" "log off" "end session" "destroy session" "expire session";
    PasswordReset "PASSWORD_RESET": "password reset" "password recover" "recover account" "account recovery"
        "password recovery" "reset link password use";
    PasswordResetRequest "PASSWORD_RESET_REQUEST": "password request reset" "forgot password" "forget password"
        "password send reset" "email password reset send" "password start reset" "password request recovery";
    PasswordChange "PASSWORD_CHANGE": "password change" "password update" "password set" "change credentials";
    EmailConfirmation "EMAIL_CONFIRMATION": "email confirm" "email verify" "email confirmation" "email verification"
        "confirm account" "verify account" "activate account";
    EmailChange "EMAIL_CHANGE": "email change" "email update" "address change email" "address email update";
    PhoneConfirmation "PHONE_CONFIRMATION": "phone confirm" "phone verify" "phone verification" "number phone verify";
    PhoneChange "PHONE_CHANGE": "phone change" "phone update" "change number phone" "number phone update";
    MfaChange "MFA_CHANGE": "mfa enable" "mfa disable" "mfa change" "mfa add" "mfa remove" "mfa reset" "mfa enroll"
        "mfa update" "mfa set up" "mfa setup" "mfa activate" "deactivate mfa" "mfa register";
    ProfileUpdate "PROFILE_UPDATE": "profile update" "profile change" "profile edit" "account update" "user update"
        "settings update" "profile complete" "customer update" "avatar update" "change username" "username update";
    AccountDeleted "ACCOUNT_DELETED": "account delete" "user delete" "account close" "account remove" "account cancel"
        "customer delete" "account deactivate" "delete profile";
    Purchase "PURCHASE": "purchase" "check out" "order" "order place" "order create" "order complete" "order pay"
        "order confirm" "buy" "payment" "pay" "payment succeed" "payment complete" "payment make" "charge"
        "charge succeed" "invoice pay" "payment receive" "complete purchase" "make purchase" "order submit"
        "sale" "transaction" "complete transaction" "capture payment" "complete check out" "create payment";
    PaymentFailed "PAYMENT_FAILED": "fail payment" "decline payment" "card decline" "charge fail" "fail purchase"
        "fail transaction" "deny payment" "payment reject" "fail order" "invoice fail payment" "fail check out";
    PaymentMethodAdded "PAYMENT_METHOD_ADDED": "add method payment" "add card" "attach method payment" "add card credit"
        "create method payment" "method payment update" "change method payment" "card update";
    Refund "REFUND": "refund" "payment refund" "order refund" "charge refund" "issue refund" "request refund"
        "create refund" "purchase refund";
    Chargeback "CHARGEBACK": "chargeback" "create dispute" "charge dispute" "open dispute" "dispute payment" "charge back";
    SubscriptionStarted "SUBSCRIPTION_STARTED": "start subscription" "create subscription" "subscribe" "start trial"
        "activate subscription" "subscription" "new subscription" "plan upgrade" "subscription upgrade" "upgrade";
    SubscriptionCanceled "SUBSCRIPTION_CANCELED": "cancel subscription" "unsubscribe" "end subscription"
        "delete subscription" "expire subscription" "end trial" "expire trial" "downgrade plan";
    PromoRedeem "PROMO_REDEEM": "promo redeem" "apply promo" "promo use" "promo" "add promo" "enter promo"
        "card gift redeem" "redeem reward" "claim reward" "bonus claim" "credit redeem" "redeem";
    Referral "REFERRAL": "referral" "refer" "complete referral" "create referral" "friend refer" "convert referral"
        "referral sign up" "accept referral" "referral register" "referral use";
    InviteSent "INVITE_SENT": "invite" "invite send" "create invite" "friend invite" "invite member" "invite user"
        "invite people" "invite team" "contact invite" "invite teammate";
    InviteAccepted "INVITE_ACCEPTED": "accept invite" "invite redeem" "invite use" "join team" "join organization";
    ContentCreated "CONTENT_CREATED": "content create" "create post" "post" "post publish" "comment create" "comment"
        "article publish" "create listing" "listing publish" "create review" "review submit" "post review" "upload"
        "file upload" "image upload" "photo upload" "upload video" "create topic" "create thread" "comment post"
        "create project" "create document" "create page" "publish" "content publish" "comment add" "question post";
    MessageSent "MESSAGE_SENT": "message send" "message" "create message" "chat send" "dm send" "direct message send"
        "reply send" "email send" "send sms" "chat message send" "post message";
    ApiKeyCreated "API_KEY_CREATED": "api create key" "api generate key" "api issue key" "api create token" "create token"
        "generate token" "access create token" "api key rotate" "add api key" "access personal token create";
    DataExported "DATA_EXPORTED": "export" "data export" "download" "download file" "create export" "export report"
        "data download" "backup download" "download report";
    PageView "PAGE_VIEW": "page view" "screen view" "pageview" "page visit" "page" "screen" "page load";
    TrackerStarted "TRACKER_STARTED": "dregs init";
}

impl CanonicalType {
    /// The type with this name.
    pub fn parse(name: &str) -> Option<Self> {
        TYPES.iter().copied().find(|canonical| canonical.name() == name)
    }
}

/// Forms of words, and how the phrases above have them.
const FORMS: &[(&str, &str)] = &[
    ("signup", "sign up"),
    ("signin", "sign in"),
    ("signout", "sign out"),
    ("signoff", "sign off"),
    ("signon", "sign in"),
    ("login", "log in"),
    ("logon", "log in"),
    ("logout", "log out"),
    ("logoff", "log off"),
    ("logins", "log in"),
    ("signed", "sign"),
    ("logged", "log"),
    ("signing", "sign"),
    ("logging", "log"),
    ("on", "on"),
    ("registered", "register"),
    ("registering", "register"),
    ("onboarded", "onboard"),
    ("authenticated", "authenticate"),
    ("created", "create"),
    ("creation", "create"),
    ("create", "create"),
    ("opened", "open"),
    ("made", "make"),
    ("failed", "fail"),
    ("failure", "fail"),
    ("failing", "fail"),
    ("error", "fail"),
    ("unsuccessful", "fail"),
    ("denied", "deny"),
    ("rejected", "reject"),
    ("declined", "decline"),
    ("changed", "change"),
    ("updated", "update"),
    ("updating", "update"),
    ("edited", "edit"),
    ("modified", "update"),
    ("deleted", "delete"),
    ("deletion", "delete"),
    ("removed", "remove"),
    ("closed", "close"),
    ("confirmed", "confirm"),
    ("verified", "verify"),
    ("validated", "verify"),
    ("activated", "activate"),
    ("deactivated", "deactivate"),
    ("enabled", "enable"),
    ("disabled", "disable"),
    ("enrolled", "enroll"),
    ("requested", "request"),
    ("recovered", "recover"),
    ("forgotten", "forget"),
    ("started", "start"),
    ("ended", "end"),
    ("expired", "expire"),
    ("canceled", "cancel"),
    ("cancelled", "cancel"),
    ("cancellation", "cancel"),
    ("purchased", "purchase"),
    ("purchases", "purchase"),
    ("bought", "buy"),
    ("paid", "pay"),
    ("payed", "pay"),
    ("placed", "place"),
    ("completed", "complete"),
    ("finished", "complete"),
    ("done", "complete"),
    ("submitted", "submit"),
    ("checkout", "check out"),
    ("checked", "check"),
    ("charged", "charge"),
    ("captured", "capture"),
    ("succeeded", "succeed"),
    ("success", "succeed"),
    ("successful", "succeed"),
    ("successfully", "succeed"),
    ("received", "receive"),
    ("refunded", "refund"),
    ("disputed", "dispute"),
    ("issued", "issue"),
    ("added", "add"),
    ("attached", "attach"),
    ("subscribed", "subscribe"),
    ("unsubscribed", "unsubscribe"),
    ("upgraded", "upgrade"),
    ("downgraded", "downgrade"),
    ("redeemed", "redeem"),
    ("redemption", "redeem"),
    ("applied", "apply"),
    ("used", "use"),
    ("claimed", "claim"),
    ("entered", "enter"),
    ("coupon", "promo"),
    ("voucher", "promo"),
    ("promocode", "promo"),
    ("promotion", "promo"),
    ("discount", "promo"),
    ("referred", "refer"),
    ("referrals", "referral"),
    ("converted", "convert"),
    ("invited", "invite"),
    ("invitation", "invite"),
    ("invitations", "invite"),
    ("invites", "invite"),
    ("sent", "send"),
    ("accepted", "accept"),
    ("joined", "join"),
    ("posted", "post"),
    ("published", "publish"),
    ("uploaded", "upload"),
    ("commented", "comment"),
    ("messaged", "message"),
    ("generated", "generate"),
    ("rotated", "rotate"),
    ("apikey", "api key"),
    ("exported", "export"),
    ("downloaded", "download"),
    ("viewed", "view"),
    ("visited", "visit"),
    ("loaded", "load"),
    ("recieved", "receive"),
    ("restored", "recover"),
    ("set", "set"),
    ("resetted", "reset"),
    ("2fa", "mfa"),
    ("otp", "mfa"),
    ("totp", "mfa"),
    ("twofactor", "mfa"),
    ("pwd", "password"),
    ("passwd", "password"),
    ("passphrase", "password"),
    ("mobile", "phone"),
    ("telephone", "phone"),
    ("emails", "email"),
    ("acct", "account"),
    ("organisation", "organization"),
    ("org", "organization"),
];
/// Phrases of more than one word that stand for one, and have no sense of their own.
const COMPOUNDS: &[(&str, &str)] = &[
    ("e mail", "email"),
    ("two factor", "mfa"),
    ("multi factor", "mfa"),
    ("2 factor", "mfa"),
    ("promo code", "promo"),
    ("user name", "username"),
    ("charge back", "chargeback"),
];
/// Words that say only where an event comes from.
const CONTEXT: &[&str] = &[
    "user",
    "customer",
    "member",
    "client",
    "identity",
    "auth",
    "app",
    "web",
    "site",
    "frontend",
    "backend",
    "event",
    "the",
    "a",
    "track",
    "ecommerce",
    "shop",
    "store",
    "billing",
    "stripe",
    "account",
];
/// Words that say only that it went well.
const OUTCOME: &[&str] = &["succeed", "complete"];

static BY_WORDS: LazyLock<HashMap<String, CanonicalType>> = LazyLock::new(|| {
    let phrases =
        TYPES.iter().flat_map(|canonical| canonical.phrases().iter().map(|phrase| (*phrase, *canonical)));
    phrases.map(|(phrase, canonical)| (key(phrase.split(' ').collect()), canonical)).collect()
});
static BY_FORM: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| FORMS.iter().copied().collect());

/// What the shipped table says that an event of this name is: all its words must be known, in any
/// order; nothing is guessed from a part.
pub fn global_type(name: &str) -> Option<CanonicalType> {
    let words = normalised(name);
    let find = |dropped: &dyn Fn(&str) -> bool| {
        let left: Vec<_> = words.split(' ').filter(|word| !dropped(word)).collect();
        (!left.is_empty()).then(|| key(left)).and_then(|key| BY_WORDS.get(&key).copied())
    };
    find(&|_| false)
        .or_else(|| find(&|word| OUTCOME.contains(&word)))
        .or_else(|| find(&|word| CONTEXT.contains(&word)))
        .or_else(|| find(&|word| CONTEXT.contains(&word) || OUTCOME.contains(&word)))
}

/// The words of a name in their plain forms.
fn normalised(name: &str) -> String {
    let snake = snake(name);
    let words: Vec<_> = snake.split('_').map(|word| BY_FORM.get(word).copied().unwrap_or(word)).collect();
    let mut text = format!(" {} ", words.join(" "));
    for (phrase, word) in COMPOUNDS {
        if text.contains(&format!(" {phrase} ")) {
            text = text.replace(&format!(" {phrase} "), &format!(" {word} "));
        }
    }
    text.trim().to_owned()
}

/// Words in an order that does not depend on theirs.
fn key(mut words: Vec<&str>) -> String {
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_the_usual_names_in_any_style() {
        let cases = [
            (
                "REGISTRATION",
                "user.signup user.signed_up User_Signed_Up userSignedUp sign-up account_created createAccount registration new_user user.registered USER_REGISTRATION_COMPLETED account.registration",
            ),
            (
                "LOGIN",
                "login user.login logged_in signIn session.created auth:login:success LOGIN_SUCCESSFUL user-logged-in logon",
            ),
            (
                "LOGIN_FAILED",
                "login_failed login.failure auth:login:failure failedLogin sign_in_failed user.login.failed invalid_password",
            ),
            ("LOGOUT", "logout user.signed_out session.ended log-off"),
            (
                "PASSWORD_RESET",
                "password_reset user.password.reset resetPassword password_reset_completed account_recovery",
            ),
            ("PASSWORD_RESET_REQUEST", "password_reset_requested forgot_password"),
            ("PASSWORD_CHANGE", "password_changed changePassword user.password.updated pwd_change"),
            ("EMAIL_CONFIRMATION", "email_confirmed e-mail.verified verifyEmail account_activated"),
            ("EMAIL_CHANGE", "email_changed user.email.updated"),
            ("MFA_CHANGE", "mfa_enabled 2fa.disabled two_factor_enabled mfa.reset"),
            ("PROFILE_UPDATE", "profile_updated user.updated customer.updated"),
            ("ACCOUNT_DELETED", "account_deleted user.deleted"),
            (
                "PURCHASE",
                "purchase order.placed order_completed checkout payment_succeeded invoice.paid OrderCreated checkout.completed purchase_completed charge.succeeded",
            ),
            ("PAYMENT_FAILED", "payment_failed card_declined charge.failed invoice.payment_failed"),
            ("PAYMENT_METHOD_ADDED", "payment_method_added payment_method.attached card_added"),
            ("REFUND", "refund order.refunded charge.refunded"),
            ("SUBSCRIPTION_STARTED", "subscription_created trial_started subscribed"),
            ("SUBSCRIPTION_CANCELED", "subscription.cancelled unsubscribe"),
            ("PROMO_REDEEM", "promo_redeemed coupon_applied promo_code_used redeemVoucher"),
            ("REFERRAL", "referral referral_completed friend_referred"),
            ("INVITE_SENT", "invite_sent invitation.created user_invited"),
            ("CONTENT_CREATED", "content_created post.created comment_posted review_submitted file_uploaded"),
            ("MESSAGE_SENT", "message_sent message.created chat.message.sent"),
            ("API_KEY_CREATED", "api_key_created apiKeyGenerated access_token.created"),
            ("PAGE_VIEW", "page_view pageViewed screen_viewed"),
            ("TRACKER_STARTED", "dregs_init"),
        ];
        for (expected, names) in cases {
            for name in names.split(' ') {
                assert_eq!(global_type(name).map(CanonicalType::name), Some(expected), "{name}");
            }
        }
    }

    #[test]
    fn guesses_nothing_from_a_part() {
        let names = "login_page_viewed order_viewed signup_button_clicked checkout_started payment_page password \
            user account success completed cart_updated order_canceled email_opened login_attempt_blocked_by_captcha \
            payment_method_removed unsigned_up refund_policy_viewed post_viewed _ 会社 message_deleted";
        for name in names.split_whitespace() {
            assert_eq!(global_type(name), None, "{name}");
        }
        assert_eq!(global_type(""), None);
    }

    #[test]
    fn no_phrase_has_two_meanings_and_each_is_in_plain_words() {
        let mut seen = HashMap::new();
        for canonical in TYPES {
            assert_eq!(CanonicalType::parse(canonical.name()), Some(*canonical));
            for phrase in canonical.phrases() {
                let key = key(phrase.split(' ').collect());
                assert_eq!(seen.insert(key, *canonical), None, "{phrase}");
                assert_eq!(global_type(phrase), Some(*canonical), "{phrase}");
            }
        }
    }
}
