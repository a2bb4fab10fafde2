//! The parameter tables as a page for people: what is understood, what an empty string does, since when.

use std::fmt::Write as _;

use super::params::{Empty, Field, Kind, Param, Shape, inside};
use super::routes::OPERATIONS;
use super::{
    balance_transactions, cash_balance, cli, coupons, customers, events, funding_instructions, payment_methods,
    promotion_codes, setup_params, source_objects, sources, tax_ids, tokens, versions, webhook_endpoints,
};
use crate::domain::promotion_code::MAX_CODE;

/// The most words of a choice that are listed one by one.
const MAX_LISTED_WORDS: usize = 20;

/// The generated part of docs/COMPATIBILITY.md.
pub fn page() -> String {
    let mut page = String::from(
        "## What Stripe's operations take\n\n### Operations\n\n| Operation | Permission of a restricted key |\n|---|---|\n",
    );
    for operation in OPERATIONS {
        let (resource, access) = (operation.resource.as_str(), operation.access.as_str());
        line(&mut page, format_args!("| `{} {}` | `{resource}={access}` |", operation.method, operation.path));
    }
    page.push_str("\n### Versions\n\n");
    line(&mut page, format_args!("Rendered each in its own way: {}.\n", code_list(&versions::LISTED)));
    line(
        &mut page,
        format_args!("Accepted and shown as the version before them: {}.", code_list(&versions::SAME_AS_BEFORE)),
    );
    table(&mut page, "POST /v1/customers", customers::CREATE);
    table(&mut page, "POST /v1/customers/{customer}", customers::UPDATE);
    table(&mut page, "GET /v1/customers", customers::LIST);
    table(&mut page, "GET /v1/customers/search", customers::SEARCH);
    table(&mut page, "POST /v1/customers/{customer}/cash_balance", cash_balance::UPDATE);
    table(&mut page, "GET /v1/customers/{customer}/cash_balance_transactions", cash_balance::LIST);
    table(&mut page, "POST /v1/customers/{customer}/funding_instructions", funding_instructions::CREATE);
    table(&mut page, "POST /v1/test_helpers/customers/{customer}/fund_cash_balance", cash_balance::FUND);
    table(&mut page, "POST /v1/customers/{customer}/balance_transactions", balance_transactions::CREATE);
    table(&mut page, "POST /v1/customers/{customer}/balance_transactions/{transaction}", balance_transactions::UPDATE);
    table(&mut page, "GET /v1/customers/{customer}/balance_transactions", balance_transactions::LIST);
    table(&mut page, "GET /v1/customers/{customer}/sources", sources::LIST);
    table(&mut page, "POST /v1/customers/{customer}/sources", sources::CREATE);
    table(&mut page, "POST /v1/customers/{customer}/sources/{id}", sources::UPDATE);
    table(&mut page, "POST /v1/customers/{customer}/sources/{id}/verify", sources::VERIFY);
    table(&mut page, "POST /v1/payment_methods", payment_methods::CREATE);
    table(&mut page, "POST /v1/payment_methods/{payment_method}", payment_methods::UPDATE);
    table(&mut page, "POST /v1/payment_methods/{payment_method}/attach", payment_methods::ATTACH);
    table(&mut page, "GET /v1/payment_methods", payment_methods::LIST);
    table(&mut page, "GET /v1/customers/{customer}/payment_methods", payment_methods::LIST_OF_CUSTOMER);
    table(&mut page, "GET /v1/events", events::LIST);
    table(&mut page, "POST /v1/events/{id}/retry", events::RETRY);
    table(&mut page, "POST /v1/stripecli/sessions", cli::sessions::CREATE);
    table(&mut page, "POST /v1/coupons", coupons::CREATE);
    table(&mut page, "POST /v1/coupons/{coupon}", coupons::UPDATE);
    table(&mut page, "GET /v1/coupons", coupons::LIST);
    table(&mut page, "POST /v1/promotion_codes", promotion_codes::CREATE);
    table(&mut page, "POST /v1/promotion_codes/{promotion_code}", promotion_codes::UPDATE);
    table(&mut page, "GET /v1/promotion_codes", promotion_codes::LIST);
    table(&mut page, "POST /v1/sources", source_objects::CREATE);
    table(&mut page, "GET /v1/sources/{source}", source_objects::RETRIEVE);
    table(&mut page, "POST /v1/sources/{source}", source_objects::UPDATE);
    table(&mut page, "POST /v1/test_helpers/sources/{source}/authorize", source_objects::AUTHORIZE);
    table(&mut page, "POST /v1/tokens", tokens::CREATE);
    table(&mut page, "POST /v1/setup_intents", setup_params::CREATE);
    table(&mut page, "GET /v1/setup_intents", setup_params::LIST);
    table(&mut page, "GET /v1/setup_intents/{intent}", setup_params::RETRIEVE);
    table(&mut page, "POST /v1/setup_intents/{intent}", setup_params::UPDATE);
    table(&mut page, "POST /v1/setup_intents/{intent}/confirm", setup_params::CONFIRM);
    table(&mut page, "POST /v1/setup_intents/{intent}/cancel", setup_params::CANCEL);
    table(&mut page, "POST /v1/setup_intents/{intent}/verify_microdeposits", setup_params::VERIFY);
    table(&mut page, "POST /v1/test_helpers/setup_intents/{intent}/authenticate", setup_params::AUTHENTICATE);
    table(&mut page, "GET /v1/setup_attempts", setup_params::LIST_ATTEMPTS);
    table(&mut page, "POST /v1/customers/{customer}/tax_ids", tax_ids::CREATE);
    table(&mut page, "GET /v1/customers/{customer}/tax_ids", tax_ids::LIST);
    table(&mut page, "POST /v1/tax_ids", tax_ids::CREATE_OWNED);
    table(&mut page, "GET /v1/tax_ids", tax_ids::LIST_OWNED);
    table(&mut page, "POST /v1/webhook_endpoints", webhook_endpoints::CREATE);
    table(&mut page, "POST /v1/webhook_endpoints/{webhook_endpoint}", webhook_endpoints::UPDATE);
    table(&mut page, "GET /v1/webhook_endpoints", webhook_endpoints::LIST);
    page
}

fn table<C>(page: &mut String, operation: &str, params: &[Param<C>]) {
    line(page, format_args!("\n### `{operation}`\n"));
    page.push_str("| Parameter | Value | Empty string | Versions |\n|---|---|---|---|\n");
    rows(page, "", params, "");
}

fn rows<C>(page: &mut String, prefix: &str, params: &[Param<C>], outer: &str) {
    for param in params {
        let name = inside(prefix, param.name);
        let when = when(param.added, param.removed);
        let when = if when.is_empty() { outer.to_owned() } else { when };
        match &param.kind {
            Kind::Group(inner) => rows(page, &name, inner, &when),
            Kind::Unsupported => line(page, format_args!("| `{name}` | **refused by name, 400** | | {when} |")),
            Kind::Value(shape, _) => {
                let required = if param.required { ", required" } else { "" };
                let empty = match param.empty {
                    Empty::Refused => "refused",
                    Empty::Unsets => "unsets",
                    Empty::Ignored => "ignored",
                };
                line(page, format_args!("| `{name}` | {}{required} | {empty} | {when} |", value(shape)));
            }
        }
    }
}

fn when(added: &str, removed: &str) -> String {
    match (added, removed) {
        ("", "") => String::new(),
        ("", removed) => format!("before {removed}"),
        (added, "") => format!("current on {added} or later"),
        (added, removed) => format!("current on {added} or later, before {removed}"),
    }
}

fn value(shape: &Shape) -> String {
    match shape {
        Shape::Text(most) => format!("text, at most {most} characters"),
        Shape::Id(most, noun) => format!("id of a {noun}, at most {most} characters"),
        Shape::Secret(most) => format!("secret, at most {most} characters: never kept"),
        Shape::TextGrown { max, was, on } => format!("text, at most {max} characters ({was} in versions before {on})"),
        Shape::Trimmed(most) => format!("text, at most {most} characters, trimmed"),
        Shape::Phone(most) => format!("text, at most {most} characters, trimmed"),
        Shape::Email(most) => format!("e-mail address, at most {most} characters"),
        Shape::Country(most) => format!("text, at most {most} characters, kept in upper case"),
        Shape::Url => "URL, also of an app, at most 5000 characters".to_owned(),
        Shape::Ip => "IPv4 or IPv6 address".to_owned(),
        Shape::Locale => "IETF language tag".to_owned(),
        Shape::Currency => "three-letter currency code".to_owned(),
        Shape::InvoicePrefix => "3 to 12 of `A`-`Z`, `0`-`9`, unique in the account".to_owned(),
        Shape::Integer { min: i64::MIN, max: i64::MAX } => "integer".to_owned(),
        Shape::Integer { min, max: i64::MAX } => format!("integer, at least {min}"),
        Shape::Integer { min, max } => format!("integer from {min} to {max}"),
        Shape::Percent => "percentage, more than 0 and at most 100, at most two decimal places".to_owned(),
        Shape::Moment => "Unix second".to_owned(),
        Shape::Code => format!("letters, digits and dashes, at most {MAX_CODE}"),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Choice(words @ [first, .., last]) if words.len() > MAX_LISTED_WORDS => {
            format!("one of {} words of the version, `{}` to `{}`", words.len(), first.word, last.word)
        }
        Shape::Choice(words) => code_list(&words.iter().map(|word| word.word).collect::<Vec<_>>()),
        Shape::Record(fields) => {
            let parts = fields.iter().map(|Field { name, shape, required, added }| {
                let required = if *required { ", required" } else { "" };
                let since = if added.is_empty() { String::new() } else { format!(" ({})", when(added, "")) };
                format!("`{name}`: {}{required}{since}", value(shape))
            });
            format!("replaced whole; {}", parts.collect::<Vec<_>>().join("; "))
        }
        Shape::TextOr(kinds) => {
            let words: Vec<&str> = kinds.iter().map(|(word, _)| *word).collect();
            format!("an id, or the details of a {}", words.join(" or a "))
        }
        Shape::List(element, most) => format!("list of at most {most}, replaced whole: {}", value(element)),
        Shape::Metadata => "merged by key: at most 50 keys of 40 characters, values of 500".to_owned(),
        Shape::Span => "Unix seconds, or `gt`, `gte`, `lt`, `lte` of them".to_owned(),
        Shape::Unsupported => "**refused by name, 400**".to_owned(),
        Shape::NoSuch(noun) => format!("id of an {noun}: none exist here, so any is refused"),
    }
}

fn code_list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(page, "{text}").expect("a string takes every character");
}

#[cfg(test)]
mod tests {
    /// Marks where the generated part of the page begins.
    const MARK: &str =
        "<!-- Made from the parameter tables; `CUSP_UPDATE_DOCS=1 cargo test --lib compatibility` writes it. -->\n";

    #[test]
    fn the_page_says_what_the_tables_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/COMPATIBILITY.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (by_hand, generated) = page.split_once(MARK).expect("the page has its mark");
        let fresh = super::page();
        if std::env::var_os("CUSP_UPDATE_DOCS").is_some() {
            std::fs::write(path, format!("{by_hand}{MARK}{fresh}")).unwrap();
        } else {
            assert_eq!(generated, fresh, "docs/COMPATIBILITY.md is not what the tables say");
        }
    }
}
