//! Lines that come in, and lines that are refused, by their field.

use super::read;
use crate::domain::account::{Account, Mode};
use crate::domain::coupon::CouponDuration;
use crate::domain::ids::AccountId;
use crate::domain::instrument::Instrument;
use crate::domain::time::Time;
use crate::engine::imports::Import;
use crate::identity;

const NOW: Time = Time(1_800_000_000_000);

fn account() -> Account {
    identity::fresh_account(AccountId("acct_1".into()), None, Mode::Test, NOW, "2022-11-15")
}

fn import(text: &str) -> Import {
    read(text.as_bytes(), &account(), NOW).unwrap_or_else(|words| panic!("{text}: {words}"))
}

#[track_caller]
fn refused(text: &str, words: &str) {
    let told = read(text.as_bytes(), &account(), NOW).expect_err(text);
    assert!(told.starts_with(words), "{text} is refused with: {told}");
}

/// A customer with one more field.
fn customer(field: &str) -> String {
    format!(r#"{{"object":"customer","id":"cus_1",{field}}}"#)
}

#[test]
fn objects_come_one_after_the_other_or_in_lists() {
    let (one, two) = (r#"{"object":"customer","id":"cus_1"}"#, r#"{"object":"customer","id":"cus_2"}"#);
    for text in [
        format!("{one}\n{two}\n"),
        format!("\u{feff}{one}\r\n\r\n{two}"),
        format!("{one}{two}"),
        format!("[{one},\n{two}]"),
        format!(r#"{{"object":"list","data":[{one},{two}],"has_more":true,"url":"/v1/customers"}}"#),
    ] {
        let ids: Vec<String> = import(&text).customers.into_iter().map(|customer| customer.what.id.0).collect();
        assert_eq!(ids, ["cus_1", "cus_2"], "{text}");
    }
    assert_eq!(import(" \n"), Import::default());
    let spread = format!("{{\n\"object\": \"customer\",\n\"id\": \"cus_1\"\n}}\n\n{two}");
    let lines: Vec<usize> = import(&spread).customers.iter().map(|customer| customer.line).collect();
    assert_eq!(lines, [1, 6]);
}

#[test]
fn what_is_no_object_is_refused_by_its_line() {
    for (text, words) in [
        ("{\"object\":\"customer\",\"id\":\"cus_1\"}\n{\"id\"", "line 2: this is no JSON: EOF"),
        ("\n\n7", "line 3: an object is expected"),
        ("{}", "line 1: object: it is missing"),
        (r#"{"object":"charge","id":"ch_1"}"#, "line 1: object: objects of the kind charge cannot"),
        (r#"{"object":"coupon","id":"A","deleted":true}"#, "line 1: deleted: Received unknown parameter"),
        (r#"{"object":"card","id":"card_1","brand":"Visa"}"#, "line 1: exp_month: Missing required param"),
        (
            r#"{"object":"payment_method","id":"pm_1","type":"card","customer":"cus_9","card":{"brand":"visa","last4":"4242","exp_month":1,"exp_year":2040}}"#,
            "line 1: customer: the customer cus_9 is not in this file",
        ),
    ] {
        refused(text, words);
    }
}

#[test]
fn fields_of_customers_follow_the_rules_of_parameters() {
    for (field, words) in [
        (r#""nam":"Ada""#, "line 1: nam: "),
        (r#""email":"none""#, "line 1: email: Invalid email address"),
        (r#""address":{"planet":"Earth"}"#, "line 1: address[planet]: "),
        (r#""invoice_prefix":"lower""#, "line 1: invoice_prefix: "),
        (r#""balance":"much""#, "line 1: balance: "),
        (r#""created":"today""#, "line 1: created: a whole number"),
        (r#""currency":"xyz""#, "line 1: currency: there is no currency xyz"),
        (r#""delinquent":true"#, "line 1: delinquent: it can only be false"),
        (r#""livemode":true"#, "line 1: livemode: it can only be false"),
        (r#""test_clock":"clock_1""#, "line 1: test_clock: it cannot be brought in"),
        (r#""subscriptions":{"object":"list","data":[{"id":"sub_1"}]}"#, "line 1: subscriptions[data][0]: it cannot"),
        (
            r#""sources":{"object":"list","data":[{"object":"source","id":"src_1"}]}"#,
            "line 1: sources[data][0][object]: ",
        ),
        (r#""sources":{"object":"list","data":[],"has_more":true}"#, "line 1: sources[has_more]: it can only be false"),
        (r#""default_source":"card_9""#, "line 1: id: No such source: 'card_9'"),
        (r#""cash_balance":{"available":{"chf":5}}"#, "line 1: cash_balance[available][chf]: nobody can send"),
        (
            r#""cash_balance":{"settings":{"reconciliation_mode":"odd"}}"#,
            "line 1: cash_balance[settings][reconciliation_mode]: ",
        ),
        (r#""discount":{"id":"di_1"}"#, "line 1: discount[source]: its coupon is missing"),
        (
            r#""discount":{"id":"di_1","coupon":"A","subscription":"sub_1"}"#,
            "line 1: discount[subscription]: it cannot",
        ),
        (r#""metadata":{"a":{"b":1}}"#, "line 1: metadata[a]: "),
        (r#""deleted":false"#, "line 1: deleted: it can only be true"),
        (r#""deleted":true,"name":"Ada""#, "line 1: name: it is not known here"),
        (
            r#""tax_ids":{"object":"list","data":[{"object":"tax_id","id":"txi_1","type":"eu_vat","value":"1"}]}"#,
            "line 1: tax_ids[data][0][value]: it is no number of the type eu_vat",
        ),
    ] {
        refused(&customer(field), words);
    }
    refused(r#"{"object":"customer","id":"a b"}"#, "line 1: id: an id has");
}

#[test]
fn nothing_is_left_of_what_is_null_or_empty() {
    let text =
        customer(r#""address":null,"name":null,"metadata":{},"preferred_locales":[],"shipping":null,"sources":null"#);
    let found = &import(&text).customers[0].what;
    assert_eq!((&found.name, &found.address, found.created), (&None, &None, NOW));
    let emptied = customer(r#""invoice_settings":{"custom_fields":[],"default_payment_method":null,"footer":null}"#);
    assert_eq!(import(&emptied).customers[0].what.invoice_settings.custom_fields, Some(Vec::new()));
}

#[test]
fn what_was_over_long_ago_comes_in() {
    let text = r#"{"object":"coupon","id":"OLD","amount_off":500,"currency":"eur","duration":"once","redeem_by":1600000000,
                   "times_redeemed":3,"valid":false,"created":1500000000,"livemode":false,"max_redemptions":3}"#;
    let coupon = &import(text).coupons[0].what;
    assert_eq!((coupon.times_redeemed, coupon.duration), (3, CouponDuration::Once));
    assert!(!coupon.is_valid(NOW));
    refused(r#"{"object":"coupon","id":"A","percent_off":200,"duration":"once"}"#, "line 1: percent_off: ");
    refused(r#"{"object":"coupon","id":"A","percent_off":5,"applies_to":{"products":["p"]}}"#, "line 1: applies_to: ");
    refused(r#"{"object":"promotion_code","id":"promo_1","coupon":"A"}"#, "line 1: code: it is missing");
    refused(r#"{"object":"promotion_code","id":"promo_1","coupon":"A","code":"no spaces"}"#, "line 1: code: ");
}

#[test]
fn a_customer_holds_what_is_on_lines_of_its_own() {
    let text = r#"
        {"object":"payment_method","id":"pm_1","type":"us_bank_account","customer":"cus_1","created":1700000002,
         "billing_details":{"name":"Ada"},"us_bank_account":{"account_holder_type":"company","account_type":"savings",
         "bank_name":"B","last4":"6789","routing_number":"110000000","networks":{"preferred":"ach"}}}
        {"object":"customer","id":"cus_1","created":1700000000,"default_source":"card_1",
         "invoice_settings":{"default_payment_method":"card_1"}}
        {"object":"card","id":"card_1","brand":"MasterCard","last4":"4444","exp_month":2,"exp_year":2039,"customer":"cus_1",
         "created":1700000001}
        {"object":"bank_account","id":"ba_1","customer":"cus_1","last4":"6789","status":"verified","country":"US",
         "currency":"usd","routing_number":"110000000","created":1700000003}
        {"object":"tax_id","id":"txi_1","type":"eu_vat","value":"DE123456789","owner":{"type":"customer","customer":"cus_1"}}
    "#;
    let found = &import(text).customers[0].what;
    let ids: Vec<&str> = found.instruments.iter().map(|instrument| instrument.id().as_str()).collect();
    assert_eq!(ids, ["card_1", "pm_1", "ba_1"]);
    assert_eq!(found.default_source.as_ref().map(|id| id.as_str()), Some("card_1"));
    assert_eq!(found.tax_ids.len(), 1);
    let Instrument::Card(card) = &found.instruments[0] else { panic!("a card") };
    assert_eq!(card.facts.reference.0, "mastercard");
    assert!(!card.facts.fingerprint.0.is_empty());
    let loose = r#"{"object":"payment_method","id":"pm_1","type":"card","customer":null,
                    "card":{"brand":"visa","last4":"4242","exp_month":1,"exp_year":2040,"wallet":null}}"#;
    assert_eq!(import(loose).payment_methods.len(), 1);
    refused(&loose.replace("\"wallet\":null", "\"wallet\":{\"type\":\"link\"}"), "line 1: card[wallet]: it cannot");
    refused(&loose.replace("\"visa\"", "\"visas\""), "line 1: card[brand]: ");
}
