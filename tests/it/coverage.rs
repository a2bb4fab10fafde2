//! What the transcripts have to show: every operation answering and refusing, every parameter accepted, refused and
//! emptied, every version. What they do not show yet is listed in [`NOT_YET`], which may only shrink.

use std::collections::{BTreeMap, BTreeSet};

use cusp::dialects::stripe::params::{Empty, Field, Kind, Param, Shape};
use cusp::dialects::stripe::routes::OPERATIONS;
use cusp::dialects::stripe::versions::LISTED;
use cusp::dialects::stripe::{
    balance_transactions, cash_balance, cli, coupons, customers, events, funding_instructions, payment_methods,
    promotion_codes, setup_params, source_objects, sources, tax_ids, tokens, webhook_endpoints,
};

use crate::cases::{below, root};
use crate::documented;
use crate::json::{Json, Wish};
use crate::transcript::{Body, Exchange, ExpectedBody, What, filled_in};

/// What no transcript shows yet. Never add to it: write the transcript.
const NOT_YET: &[&str] = &[
    // Nothing on these has anything to expand.
    "GET /v1/account accepts expand",
    "GET /v1/events accepts expand",
    "GET /v1/events/{id} accepts expand",
    "GET /v1/webhook_endpoints accepts expand",
    "GET /v1/webhook_endpoints/{webhook_endpoint} accepts expand",
    "POST /v1/events/{id}/retry accepts expand",
    "POST /v1/webhook_endpoints accepts expand",
    "POST /v1/webhook_endpoints/{webhook_endpoint} accepts expand",
    // No test clock and no invoice can be made.
    "GET /v1/customers accepts test_clock",
    "GET /v1/customers/{customer}/balance_transactions accepts invoice",
];

/// The parameters of an update in either published generation of its schema.
const UPDATE_SCHEMA: [&str; 32] = [
    "address",
    "balance",
    "bank_account",
    "business_name",
    "card",
    "cash_balance[settings][reconciliation_mode]",
    "coupon",
    "default_alipay_account",
    "default_bank_account",
    "default_card",
    "default_source",
    "description",
    "email",
    "expand",
    "individual_name",
    "invoice_prefix",
    "invoice_settings[custom_fields]",
    "invoice_settings[default_payment_method]",
    "invoice_settings[footer]",
    "invoice_settings[rendering_options][amount_tax_display]",
    "invoice_settings[rendering_options][template]",
    "metadata",
    "name",
    "next_invoice_sequence",
    "phone",
    "preferred_locales",
    "promotion_code",
    "shipping",
    "source",
    "tax[ip_address]",
    "tax[validate_location]",
    "tax_exempt",
];

#[test]
fn the_transcripts_show_all_that_there_is() {
    let shown = shown();
    let missing: BTreeSet<String> = wanted().difference(&shown).cloned().collect();
    let excused: BTreeSet<String> = NOT_YET.iter().map(|name| (*name).to_owned()).collect();
    let new: Vec<&String> = missing.difference(&excused).collect();
    let done: Vec<&String> = excused.difference(&missing).collect();
    assert!(new.is_empty(), "no transcript shows:\n{new:#?}");
    assert!(done.is_empty(), "shown by now, take it off the list:\n{done:#?}");
}

#[test]
fn every_parameter_of_the_published_schema_has_its_row() {
    let rows: BTreeSet<String> = tables()["POST /v1/customers/{customer}"].iter().map(|row| row.name.clone()).collect();
    let missing: Vec<&str> = UPDATE_SCHEMA.into_iter().filter(|name| !rows.contains(*name)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}

/// A parameter as transcripts have to show it. Every index is written `[]`, every key of free data `[*]`.
struct Row {
    name: String,
    /// It can be given a value that is accepted.
    accepted: bool,
    empty: Option<Empty>,
}

/// The parameters of each operation that has any.
fn tables() -> BTreeMap<&'static str, Vec<Row>> {
    BTreeMap::from([
        ("DELETE /v1/coupons/{coupon}", Vec::new()),
        ("DELETE /v1/customers/{customer}", Vec::new()),
        ("DELETE /v1/customers/{customer}/discount", Vec::new()),
        ("DELETE /v1/customers/{customer}/tax_ids/{id}", Vec::new()),
        ("DELETE /v1/tax_ids/{id}", Vec::new()),
        ("GET /v1/account", rows("", customers::RETRIEVE)),
        ("GET /v1/coupons", rows("", coupons::LIST)),
        ("GET /v1/coupons/{coupon}", rows("", customers::RETRIEVE)),
        ("GET /v1/customers", rows("", customers::LIST)),
        ("GET /v1/customers/search", rows("", customers::SEARCH)),
        ("GET /v1/customers/{customer}", rows("", customers::RETRIEVE)),
        ("GET /v1/customers/{customer}/balance_transactions", rows("", balance_transactions::LIST)),
        ("GET /v1/customers/{customer}/balance_transactions/{transaction}", rows("", customers::RETRIEVE)),
        ("GET /v1/customers/{customer}/cash_balance", rows("", customers::RETRIEVE)),
        ("GET /v1/customers/{customer}/cash_balance_transactions", rows("", cash_balance::LIST)),
        ("GET /v1/customers/{customer}/cash_balance_transactions/{transaction}", rows("", customers::RETRIEVE)),
        ("GET /v1/customers/{customer}/discount", rows("", customers::RETRIEVE)),
        ("GET /v1/customers/{customer}/tax_ids", rows("", tax_ids::LIST)),
        ("GET /v1/customers/{customer}/tax_ids/{id}", rows("", customers::RETRIEVE)),
        ("DELETE /v1/customers/{customer}/bank_accounts/{id}", Vec::new()),
        ("DELETE /v1/customers/{customer}/cards/{id}", Vec::new()),
        ("DELETE /v1/customers/{customer}/sources/{id}", rows("", customers::RETRIEVE)),
        // The older names of the same: what they are asked for is shown under the newer one.
        ("GET /v1/customers/{customer}/bank_accounts", Vec::new()),
        ("GET /v1/customers/{customer}/bank_accounts/{id}", Vec::new()),
        ("GET /v1/customers/{customer}/cards", Vec::new()),
        ("GET /v1/customers/{customer}/cards/{id}", Vec::new()),
        ("POST /v1/customers/{customer}/bank_accounts", Vec::new()),
        ("POST /v1/customers/{customer}/bank_accounts/{id}", Vec::new()),
        ("POST /v1/customers/{customer}/bank_accounts/{id}/verify", Vec::new()),
        ("POST /v1/customers/{customer}/cards", Vec::new()),
        ("POST /v1/customers/{customer}/cards/{id}", Vec::new()),
        ("GET /v1/customers/{customer}/payment_methods", rows("", payment_methods::LIST_OF_CUSTOMER)),
        ("GET /v1/customers/{customer}/payment_methods/{payment_method}", rows("", customers::RETRIEVE)),
        ("GET /v1/customers/{customer}/sources", rows("", sources::LIST)),
        ("GET /v1/customers/{customer}/sources/{id}", rows("", customers::RETRIEVE)),
        ("GET /v1/payment_methods", rows("", payment_methods::LIST)),
        ("GET /v1/payment_methods/{payment_method}", rows("", customers::RETRIEVE)),
        ("POST /v1/customers/{customer}/sources", rows("", sources::CREATE)),
        ("POST /v1/customers/{customer}/sources/{id}", rows("", sources::UPDATE)),
        ("POST /v1/customers/{customer}/sources/{id}/verify", rows("", sources::VERIFY)),
        ("POST /v1/payment_methods", rows("", payment_methods::CREATE)),
        ("POST /v1/payment_methods/{payment_method}", rows("", payment_methods::UPDATE)),
        ("POST /v1/payment_methods/{payment_method}/attach", rows("", payment_methods::ATTACH)),
        ("POST /v1/payment_methods/{payment_method}/detach", rows("", customers::RETRIEVE)),
        ("GET /v1/events", rows("", events::LIST)),
        ("GET /v1/events/{id}", rows("", customers::RETRIEVE)),
        ("POST /v1/events/{id}/retry", rows("", events::RETRY)),
        ("POST /v1/stripecli/sessions", rows("", cli::sessions::CREATE)),
        ("DELETE /v1/webhook_endpoints/{webhook_endpoint}", Vec::new()),
        ("GET /v1/webhook_endpoints", rows("", webhook_endpoints::LIST)),
        ("GET /v1/webhook_endpoints/{webhook_endpoint}", rows("", customers::RETRIEVE)),
        ("POST /v1/webhook_endpoints", rows("", webhook_endpoints::CREATE)),
        ("POST /v1/webhook_endpoints/{webhook_endpoint}", rows("", webhook_endpoints::UPDATE)),
        ("GET /v1/promotion_codes", rows("", promotion_codes::LIST)),
        ("GET /v1/promotion_codes/{promotion_code}", rows("", customers::RETRIEVE)),
        ("GET /v1/tax_ids", rows("", tax_ids::LIST_OWNED)),
        ("GET /v1/tax_ids/{id}", rows("", customers::RETRIEVE)),
        ("POST /v1/coupons", rows("", coupons::CREATE)),
        ("POST /v1/coupons/{coupon}", rows("", coupons::UPDATE)),
        ("POST /v1/customers", rows("", customers::CREATE)),
        ("POST /v1/customers/{customer}", rows("", customers::UPDATE)),
        ("POST /v1/customers/{customer}/balance_transactions", rows("", balance_transactions::CREATE)),
        ("POST /v1/customers/{customer}/balance_transactions/{transaction}", rows("", balance_transactions::UPDATE)),
        ("POST /v1/customers/{customer}/cash_balance", rows("", cash_balance::UPDATE)),
        ("POST /v1/customers/{customer}/funding_instructions", rows("", funding_instructions::CREATE)),
        ("POST /v1/test_helpers/customers/{customer}/fund_cash_balance", rows("", cash_balance::FUND)),
        ("POST /v1/customers/{customer}/tax_ids", rows("", tax_ids::CREATE)),
        ("POST /v1/promotion_codes", rows("", promotion_codes::CREATE)),
        ("POST /v1/promotion_codes/{promotion_code}", rows("", promotion_codes::UPDATE)),
        ("POST /v1/sources", rows("", source_objects::CREATE)),
        ("GET /v1/sources/{source}", rows("", source_objects::RETRIEVE)),
        ("POST /v1/sources/{source}", rows("", source_objects::UPDATE)),
        ("POST /v1/test_helpers/sources/{source}/authorize", rows("", source_objects::AUTHORIZE)),
        ("POST /v1/test_helpers/sources/{source}/cancel", rows("", source_objects::SETTLE)),
        ("POST /v1/test_helpers/sources/{source}/fail", rows("", source_objects::SETTLE)),
        ("GET /v1/setup_attempts", rows("", setup_params::LIST_ATTEMPTS)),
        ("GET /v1/setup_intents", rows("", setup_params::LIST)),
        ("POST /v1/setup_intents", rows("", setup_params::CREATE)),
        ("GET /v1/setup_intents/{intent}", rows("", setup_params::RETRIEVE)),
        ("POST /v1/setup_intents/{intent}", rows("", setup_params::UPDATE)),
        ("POST /v1/setup_intents/{intent}/cancel", rows("", setup_params::CANCEL)),
        ("POST /v1/setup_intents/{intent}/confirm", rows("", setup_params::CONFIRM)),
        ("POST /v1/setup_intents/{intent}/verify_microdeposits", rows("", setup_params::VERIFY)),
        ("POST /v1/test_helpers/setup_intents/{intent}/authenticate", rows("", setup_params::AUTHENTICATE)),
        ("GET /v1/tokens/{token}", rows("", customers::RETRIEVE)),
        ("POST /v1/tokens", rows("", tokens::CREATE)),
        ("POST /v1/tax_ids", rows("", tax_ids::CREATE_OWNED)),
    ])
}

fn rows<C>(prefix: &str, table: &[Param<C>]) -> Vec<Row> {
    let mut found = Vec::new();
    for param in table {
        let name = inside(prefix, param.name);
        match &param.kind {
            Kind::Unsupported => found.push(Row { name, accepted: false, empty: None }),
            Kind::Group(inner) => {
                found.extend(rows(&name, inner));
                found.push(Row { name, accepted: false, empty: Some(param.empty) });
            }
            Kind::Value(shape, _) => {
                parts(&name, shape, &mut found);
                found.push(Row { name, accepted: takes_values(shape), empty: Some(param.empty) });
            }
        }
    }
    found
}

fn parts(name: &str, shape: &Shape, found: &mut Vec<Row>) {
    match shape {
        Shape::Record(fields) => fields_of(name, fields, found),
        // An id, or the fields of each kind of thing that may stand in its place.
        Shape::TextOr(kinds) => {
            found.push(Row { name: inside(name, "object"), accepted: true, empty: Some(Empty::Refused) });
            for (_, fields) in *kinds {
                fields_of(name, fields, found);
            }
        }
        Shape::List(element, _) => parts(&format!("{name}[]"), element, found),
        Shape::Metadata => found.push(Row { name: format!("{name}[*]"), accepted: true, empty: None }),
        Shape::Span => {
            let bounds = ["gt", "gte", "lt", "lte"].into_iter();
            found.extend(bounds.map(|bound| Row { name: inside(name, bound), accepted: true, empty: None }));
        }
        _ => {}
    }
}

fn fields_of(name: &str, fields: &[Field], found: &mut Vec<Row>) {
    for Field { name: field, shape, required, added: _ } in fields {
        let name = inside(name, field);
        parts(&name, shape, found);
        let empty = required.then_some(Empty::Refused);
        found.push(Row { name, accepted: takes_values(shape), empty });
    }
}

fn takes_values(shape: &Shape) -> bool {
    !matches!(shape, Shape::NoSuch(_) | Shape::Unsupported)
}

fn inside(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}[{name}]") }
}

fn wanted() -> BTreeSet<String> {
    let tables = tables();
    let mut wanted = BTreeSet::new();
    for operation in OPERATIONS {
        let name = format!("{} {}", operation.method, operation.path);
        wanted.insert(format!("{name} answers"));
        wanted.insert(format!("{name} refuses"));
        for Row { name: parameter, accepted, empty } in &tables[name.as_str()] {
            wanted.insert(format!("{name} refuses {parameter}"));
            if *accepted {
                wanted.insert(format!("{name} accepts {parameter}"));
            }
            let reaction = match empty {
                Some(Empty::Unsets | Empty::Ignored) => "accepts",
                Some(Empty::Refused) => "refuses",
                None => continue,
            };
            wanted.insert(format!("{name} {reaction} empty {parameter}"));
        }
    }
    wanted.extend(LISTED.map(|version| format!("a read in {version}")));
    wanted
}

fn shown() -> BTreeSet<String> {
    let tables = tables();
    let mut shown = BTreeSet::new();
    for (_, transcript) in below(&root()) {
        for step in transcript.iter().flat_map(|transcript| &transcript.steps) {
            if let What::Exchange(exchange) = &step.what {
                note(exchange, &tables, &mut shown);
            }
        }
    }
    shown
}

fn note(exchange: &Exchange, tables: &BTreeMap<&str, Vec<Row>>, shown: &mut BTreeSet<String>) {
    // Other APIs have some of the paths too.
    if documented::asked(&exchange.method, &exchange.target, &exchange.sent.headers).is_some() {
        return;
    }
    let (path, query) = exchange.target.split_once('?').unwrap_or((&exchange.target, ""));
    let Some(operation) = operation(&exchange.method, path) else { return };
    let sent = sent(exchange, query);
    let answered = exchange.reply.status < 400;
    shown.insert(format!("{operation} {}", if answered { "answers" } else { "refuses" }));
    if answered {
        for (name, value) in &sent {
            let empty = if value.is_empty() { "empty " } else { "" };
            let row = tables[operation.as_str()].iter().find(|row| named(&row.name, name));
            shown.extend(row.map(|row| format!("{operation} accepts {empty}{}", row.name)));
            // A list of one element shows its list, a bound of a range shows nothing of its whole.
            shown.extend(name.split_once("[]").map(|(list, _)| format!("{operation} accepts {list}")));
            for row in &tables[operation.as_str()] {
                if name.strip_prefix(&row.name).is_some_and(|rest| rest.starts_with('[')) {
                    shown.insert(format!("{operation} accepts {}", row.name));
                }
            }
        }
        if exchange.method == "GET" {
            let version = exchange.sent.headers.iter().find(|(name, _)| name == "Stripe-Version");
            shown.extend(version.map(|(_, version)| format!("a read in {version}")));
        }
        return;
    }
    let Some(blamed) = blamed(&exchange.reply.body) else { return };
    for row in &tables[operation.as_str()] {
        let is_blamed = match Wish::spelt(&blamed) {
            Ok(Some(wish)) => {
                let within = |name: &str| name.strip_prefix(&row.name).is_some_and(|rest| rest.starts_with('['));
                sent.iter().any(|(name, _)| named(&row.name, name) || within(name))
                    && wish.granted_by_text(&row.name.replace("[*]", ""))
            }
            _ => named(&row.name, &with_open_indexes(&blamed)),
        };
        if is_blamed {
            let emptied = sent.iter().any(|(name, value)| named(&row.name, name) && value.is_empty());
            shown.insert(format!("{operation} refuses {}{}", if emptied { "empty " } else { "" }, row.name));
        }
    }
}

/// Whether a parameter that was sent is that of the row.
fn named(row: &str, sent: &str) -> bool {
    match row.strip_suffix("[*]") {
        Some(free) => sent.strip_prefix(free).is_some_and(|rest| rest.starts_with('[')),
        None => row == sent.strip_suffix("[]").unwrap_or(sent),
    }
}

/// The operation with the most literal path that the target fits.
fn operation(method: &str, path: &str) -> Option<String> {
    let path = path.strip_prefix("/stripe").unwrap_or(path);
    let fits = |pattern: &str| {
        let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
        pattern.len() == path.len()
            && pattern.iter().zip(&path).all(|(wanted, there)| wanted == there || wanted.starts_with('{'))
    };
    let fitting = OPERATIONS.iter().filter(|operation| operation.method.as_str() == method && fits(operation.path));
    let best = fitting.min_by_key(|operation| operation.path.matches('{').count())?;
    Some(format!("{method} {}", best.path))
}

/// Names, with open indexes, and values of what a request sends.
fn sent(exchange: &Exchange, query: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut spread = |text: &str| {
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((name.replace("%5B", "[").replace("%5D", "]"), value.to_owned()));
        }
    };
    spread(query);
    match &exchange.sent.body {
        Body::Nothing => {}
        Body::Raw(text) | Body::Json(text) => spread(text),
        Body::Pairs(own) => pairs.extend(own.iter().cloned()),
    }
    pairs.into_iter().map(|(name, value)| (with_open_indexes(&name), value)).collect()
}

/// The name with every index in brackets taken out of them.
fn with_open_indexes(name: &str) -> String {
    let mut open = String::new();
    for part in name.split_inclusive('[') {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let index = digits > 0 && part[digits..].starts_with(']') && open.ends_with('[');
        open.push_str(if index { &part[digits..] } else { part });
    }
    open
}

/// The parameter that the expected error names.
fn blamed(expected: &ExpectedBody) -> Option<String> {
    let (ExpectedBody::Subset(text) | ExpectedBody::Exactly(text)) = expected else { return None };
    let text = filled_in(text, &|_| Ok("0".to_owned())).ok()?;
    Json::parse(&text).ok()?.at("error.param")?.text().map(str::to_owned)
}

#[test]
fn indexes_are_opened() {
    assert_eq!(with_open_indexes("a[0][b][12]"), "a[][b][]");
    assert_eq!(with_open_indexes("metadata[k1]"), "metadata[k1]");
}
