//! The canonical fields of identities, and the usual keys of each.

use std::collections::HashMap;
use std::sync::LazyLock;

macro_rules! identity_fields {
    ($($variant:ident $name:literal: $($key:literal)*;)*) => {
        /// What a field of an identity's data holds, whatever a team calls it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum IdentityField { $($variant),* }

        /// Every canonical field.
        pub const FIELDS: &[IdentityField] = &[$(IdentityField::$variant),*];

        impl IdentityField {
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The usual keys in lower_snake_case, the most telling first: with several in one
            /// identity the earliest counts.
            pub const fn keys(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($key),*]),* }
            }
        }
    };
}

identity_fields! {
    Email "EMAIL": "email" "e_mail" "email_address" "e_mail_address" "emailaddress" "mail" "user_email" "useremail"
        "primary_email" "account_email" "customer_email" "contact_email" "login_email" "mail_address";
    FullName "FULL_NAME": "name" "full_name" "fullname" "display_name" "displayname" "real_name" "realname"
        "user_full_name" "customer_name" "contact_name";
    FirstName "FIRST_NAME": "first_name" "firstname" "given_name" "givenname" "forename" "fname";
    LastName "LAST_NAME": "last_name" "lastname" "family_name" "familyname" "surname" "second_name" "lname";
    Username "USERNAME": "username" "user_name" "login" "login_name" "handle" "nickname" "nick_name" "nick"
        "screen_name" "account_name";
    Phone "PHONE": "phone" "phone_number" "phonenumber" "mobile" "mobile_phone" "mobile_number" "cell" "cell_phone"
        "cellphone" "tel" "telephone" "telephone_number" "user_phone" "contact_phone";
    OrganizationName "ORGANIZATION_NAME": "organization_name" "organization" "organisation_name" "organisation" "company"
        "company_name" "org_name" "business_name" "employer";
    Country "COUNTRY": "country" "country_code" "country_name" "country_iso" "billing_country" "residence_country";
    Timezone "TIMEZONE": "timezone" "time_zone" "tz";
    Language "LANGUAGE": "language" "locale" "lang" "preferred_language" "language_code";
    Address "ADDRESS": "address" "street_address" "billing_address" "shipping_address" "postal_address";
    DateOfBirth "DATE_OF_BIRTH": "date_of_birth" "birth_date" "birthdate" "birthday" "dob";
}

impl IdentityField {
    /// The field with this name.
    pub fn parse(name: &str) -> Option<Self> {
        FIELDS.iter().copied().find(|field| field.name() == name)
    }
}

static BY_KEY: LazyLock<HashMap<&str, (IdentityField, usize)>> = LazyLock::new(|| {
    let keys = FIELDS
        .iter()
        .flat_map(|field| field.keys().iter().enumerate().map(|(rank, key)| (*key, (*field, rank))));
    keys.collect()
});

/// What the shipped table says of a key, and its rank among the keys of the same meaning.
pub(super) fn global_field(key_in_snake: &str) -> Option<(IdentityField, usize)> {
    BY_KEY.get(key_in_snake).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::snake;

    #[test]
    fn every_key_has_one_meaning_and_is_in_lower_snake_case() {
        let count: usize = FIELDS.iter().map(|field| field.keys().len()).sum();
        assert_eq!(BY_KEY.len(), count);
        for field in FIELDS {
            assert_eq!(IdentityField::parse(field.name()), Some(*field));
            for key in field.keys() {
                assert_eq!(snake(key), *key);
            }
        }
    }
}
