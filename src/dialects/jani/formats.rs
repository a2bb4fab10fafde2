//! What texts of Jani's API look like, and the limits of its fields: where its documents are silent, those of the API that
//! it was modelled on (developer.paddle.com).

use crate::domain::secret::without_card_numbers;
use crate::rest::formats::{COUNTRY, EMAIL, MOMENT};
use crate::rest::shape::{Data, Format, Member, Text, member};
use crate::rest::{Component, Shape};

/// A name.
pub const NAME: Shape = Shape::trimmed(1, 1024);
/// An e-mail address.
pub const EMAIL_ADDRESS: Shape = Shape::of(&EMAIL, 320);
/// A phone number.
pub const PHONE_NUMBER: Shape = Shape::of(&PHONE, 64);
/// Free data.
pub const CUSTOM_DATA: Shape = Shape::Data(Data { max_bytes: 64 * 1024, max_depth: 32 });
/// A moment.
pub const TIMESTAMP: Shape = Shape::of(&MOMENT, 64);
/// An id in a path. It is never judged: whatever is nowhere is not found.
pub const ID: Shape = Shape::text(1, 1_000);
/// A part of an address.
pub const PART: Shape = Shape::trimmed(1, 1024);
/// What a customer pays with.
pub const PAYMENT_REFERENCE: Shape = Shape::Text(Text { min: 1, max: 255, trimmed: true, format: Some(&REFERENCE) });
/// A country. The documents' own samples say `Tanzania` where their text says two letters.
pub const COUNTRY_CODE: Shape =
    Shape::Leniently { strict: &Shape::of(&COUNTRY, 16), lenient: &Shape::of(&COUNTRY_OR_NAME, 200) };
/// A country as it is shown: of a record that another API wrote it can be any text.
pub const COUNTRY_SHOWN: Shape = Shape::text(0, usize::MAX);

/// A phone number: a country code and up to 15 digits (ITU-T E.164), kept without what is put between digits for the eye.
/// Numbering plans of countries are not looked at.
pub static PHONE: Format = Format {
    name: None,
    pattern: Some("^\\+[1-9][0-9]{6,14}$"),
    words: None,
    wanted: "a phone number as +255788323255",
    read: |text| {
        let kept: String =
            text.chars().filter(|letter| !letter.is_whitespace() && !"-.()[]".contains(*letter)).collect();
        let digits = kept.strip_prefix('+')?;
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        fits.then_some(kept)
    },
};

/// A reference to what a customer pays with. It is any text, but the number of a card is no reference, and is not kept.
pub static REFERENCE: Format = Format {
    name: None,
    pattern: None,
    words: None,
    wanted: "a reference, and not the number of a card",
    read: |text| (without_card_numbers(text) == text).then(|| text.to_owned()),
};

/// A country's code, or a name of it as it was written.
pub static COUNTRY_OR_NAME: Format = Format {
    name: None,
    pattern: None,
    words: None,
    wanted: "a country",
    read: |text| {
        crate::domain::country::code(text)?;
        Some((COUNTRY.read)(text).unwrap_or_else(|| text.to_owned()))
    },
};

/// The billing address of a customer, as it is sent.
pub static NEW_ADDRESS: Component = Component {
    name: "BillingAddressInput",
    doc: "A billing address, which takes the place of the one before. City and country have to be there.",
    shape: Shape::Object(&[
        member("line1", PART).nullable().doc("Street and number."),
        member("line2", PART).nullable().doc("Apartment, suite, building."),
        member("city", PART).needed().example("Dar es Salaam"),
        member("state", PART).nullable().doc("State, county, region."),
        member("postal_code", PART).nullable(),
        member("country", COUNTRY_CODE).needed().doc("Two-letter code of ISO 3166-1.").example("TZ"),
    ]),
};

/// The billing address of a customer, as it is shown: the parts that there are.
pub static ADDRESS: Component = Component {
    name: "BillingAddress",
    doc: "A billing address: the parts that were given.",
    shape: Shape::Object(&[
        member("line1", SHOWN),
        member("line2", SHOWN),
        member("city", SHOWN).example("Dar es Salaam"),
        member("state", SHOWN),
        member("postal_code", SHOWN),
        member("country", COUNTRY_SHOWN).example("TZ"),
    ]),
};

/// A text as it is shown: what another API wrote keeps other limits.
pub const SHOWN: Shape = Shape::text(0, usize::MAX);

/// When a record was made.
pub const CREATED_AT: Member =
    member("created_at", TIMESTAMP).read_only().doc("When it was made.").example("2024-09-01T15:00:00.000Z");
/// When a record last changed.
pub const UPDATED_AT: Member =
    member("updated_at", TIMESTAMP).read_only().doc("When it last changed.").example("2024-09-02T12:00:00.000Z");

#[cfg(test)]
mod tests {
    use super::{COUNTRY_OR_NAME, PHONE, REFERENCE};

    #[test]
    fn phone_numbers_are_kept_without_what_is_for_the_eye() {
        for (text, kept) in [
            ("+255788323255", Some("+255788323255")),
            ("+2557881234567", Some("+2557881234567")),
            ("+1-800-555-1234", Some("+18005551234")),
            ("+1 (800) 555.1234", Some("+18005551234")),
            ("255788323255", None),
            ("+0255788323255", None),
            ("+123456", None),
            ("+1234567890123456", None),
            ("+1800CALL", None),
            ("", None),
        ] {
            assert_eq!((PHONE.read)(text).as_deref(), kept, "{text}");
        }
    }

    #[test]
    fn a_reference_is_no_number_of_a_card() {
        for text in ["card_01h3vjs3b16yc3f9q8q9pfrb79", "momo_1", "+255788323255", "paymtd_anything at all"] {
            assert_eq!((REFERENCE.read)(text).as_deref(), Some(text));
        }
        for text in ["4242424242424242", "4242 4242-4242 4242", "card 4242424242424242"] {
            assert_eq!((REFERENCE.read)(text), None, "{text}");
        }
    }

    #[test]
    fn a_lenient_country_is_a_code_or_a_name() {
        for (text, kept) in [("tz", Some("TZ")), ("Tanzania", Some("Tanzania")), ("Atlantis", None), ("", None)] {
            assert_eq!((COUNTRY_OR_NAME.read)(text).as_deref(), kept, "{text}");
        }
    }
}
