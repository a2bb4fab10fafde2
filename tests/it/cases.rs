//! Runs transcripts: each on a server of its own, every request followed by a look at the events that happened. What is
//! not listed must not have happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::answers::{self, Count};
use crate::documents;
use crate::harness::{Keeping, Server};
use crate::http::{Reply, send};
use crate::json::{Json, Manner, Wish, differences};
use crate::transcript::{Body, Exchange, ExpectedBody, Step, Transcript, What, filled_in, parse};

/// The key that requests carry unless they say otherwise.
const KEY: &str = "sk_test_case";

/// How many transcripts of a folder run at a time.
const AT_A_TIME: usize = 4;

/// How many events are looked at after a request; more than one request can make.
const EVENTS_IN_VIEW: usize = 100;

macro_rules! folders {
    ($($test:ident: $folder:literal,)*) => {
        const FOLDERS: &[&str] = &[$($folder),*];

        mod in_a_folder {
            $(#[test]
            fn $test() {
                super::run_folder($folder, || crate::harness::Keeping::Folder);
            })*
        }

        mod in_a_database {
            $(#[test]
            fn $test() {
                super::run_folder($folder, crate::harness::Keeping::database);
            })*
        }

        mod in_memory {
            $(#[test]
            fn $test() {
                super::run_folder($folder, || crate::harness::Keeping::Memory);
            })*
        }
    };
}

folders! {
    cusp_failures_create: "cusp/failures/create",
    cusp_failures_delete: "cusp/failures/delete",
    cusp_failures_retrieve: "cusp/failures/retrieve",
    cusp_fixtures_load: "cusp/fixtures/load",
    cusp_events_resend: "cusp/events/resend",
    cusp_unit_apply: "cusp/unit/apply",
    cusp_unit_retrieve: "cusp/unit/retrieve",
    cusp_unit_update: "cusp/unit/update",
    cusp_webhook_deliveries_list: "cusp/webhook_deliveries/list",
    cusp_webhook_deliveries_retrieve: "cusp/webhook_deliveries/retrieve",
    cusp_webhook_deliveries_retry: "cusp/webhook_deliveries/retry",
    cusp_webhook_endpoints_roll_secret: "cusp/webhook_endpoints/roll_secret",
    cusp_events_stream: "cusp/events/stream",
    cusp_requests_authenticate: "cusp/requests/authenticate",
    cusp_requests_decode: "cusp/requests/decode",
    cusp_requests_route: "cusp/requests/route",
    flexportal_customers_delete: "flexportal/customers/delete",
    flexportal_customers_get: "flexportal/customers/get",
    flexportal_customers_list: "flexportal/customers/list",
    flexportal_customers_update: "flexportal/customers/update",
    flexportal_orders_cancel: "flexportal/orders/cancel",
    flexportal_orders_confirm: "flexportal/orders/confirm",
    flexportal_orders_create: "flexportal/orders/create",
    flexportal_orders_get: "flexportal/orders/get",
    flexportal_orders_list: "flexportal/orders/list",
    flexportal_orders_notes: "flexportal/orders/notes",
    flexportal_requests_enter: "flexportal/requests/enter",
    flexportal_requests_page: "flexportal/requests/page",
    flexportal_billing_groups_create: "flexportal/billing_groups/create",
    flexportal_billing_groups_delete: "flexportal/billing_groups/delete",
    flexportal_billing_groups_list: "flexportal/billing_groups/list",
    flexportal_billing_groups_retrieve: "flexportal/billing_groups/retrieve",
    flexportal_billing_groups_update: "flexportal/billing_groups/update",
    flexportal_payments_cancel: "flexportal/payments/cancel",
    flexportal_payments_list: "flexportal/payments/list",
    flexportal_payments_mark_paid: "flexportal/payments/mark_paid",
    flexportal_payments_retrieve: "flexportal/payments/retrieve",
    flexportal_subscriptions_buyout: "flexportal/subscriptions/buyout",
    flexportal_subscriptions_calculate_buyout: "flexportal/subscriptions/calculate_buyout",
    flexportal_subscriptions_calculate_early_return_fee: "flexportal/subscriptions/calculate_early_return_fee",
    flexportal_subscriptions_cancel: "flexportal/subscriptions/cancel",
    flexportal_subscriptions_create: "flexportal/subscriptions/create",
    flexportal_subscriptions_early_return: "flexportal/subscriptions/early_return",
    flexportal_subscriptions_extend: "flexportal/subscriptions/extend",
    flexportal_subscriptions_list: "flexportal/subscriptions/list",
    flexportal_subscriptions_notes: "flexportal/subscriptions/notes",
    flexportal_subscriptions_replace: "flexportal/subscriptions/replace",
    flexportal_subscriptions_retrieve: "flexportal/subscriptions/retrieve",
    flexportal_subscriptions_upgrade: "flexportal/subscriptions/upgrade",
    jani_addresses_create: "jani/addresses/create",
    jani_addresses_get: "jani/addresses/get",
    jani_addresses_list: "jani/addresses/list",
    jani_addresses_update: "jani/addresses/update",
    jani_businesses_create: "jani/businesses/create",
    jani_businesses_get: "jani/businesses/get",
    jani_businesses_list: "jani/businesses/list",
    jani_businesses_update: "jani/businesses/update",
    jani_customers_create: "jani/customers/create",
    jani_customers_get: "jani/customers/get",
    jani_customers_list: "jani/customers/list",
    jani_customers_update: "jani/customers/update",
    jani_events_list: "jani/events/list",
    jani_requests_authenticate: "jani/requests/authenticate",
    jani_requests_decode: "jani/requests/decode",
    jani_requests_retry: "jani/requests/retry",
    jani_requests_route: "jani/requests/route",
    flexportal_assets_create: "flexportal/assets/create",
    flexportal_assets_delete: "flexportal/assets/delete",
    flexportal_assets_get: "flexportal/assets/get",
    flexportal_assets_list: "flexportal/assets/list",
    flexportal_assets_update: "flexportal/assets/update",
    flexportal_products_create: "flexportal/products/create",
    flexportal_products_delete: "flexportal/products/delete",
    flexportal_products_get: "flexportal/products/get",
    flexportal_products_import: "flexportal/products/import",
    flexportal_products_list: "flexportal/products/list",
    flexportal_products_update: "flexportal/products/update",
    flexportal_variants_list: "flexportal/variants/list",
    flexportal_variants_switch: "flexportal/variants/switch",
    account_retrieve: "stripe/account/retrieve",
    balance_transactions_create: "stripe/balance_transactions/create",
    balance_transactions_list: "stripe/balance_transactions/list",
    balance_transactions_retrieve: "stripe/balance_transactions/retrieve",
    balance_transactions_update: "stripe/balance_transactions/update",
    cash_balance_retrieve: "stripe/cash_balance/retrieve",
    cash_balance_update: "stripe/cash_balance/update",
    cash_balance_fund: "stripe/cash_balance/fund",
    cash_balance_transactions_list: "stripe/cash_balance_transactions/list",
    cash_balance_transactions_retrieve: "stripe/cash_balance_transactions/retrieve",
    coupons_create: "stripe/coupons/create",
    coupons_delete: "stripe/coupons/delete",
    coupons_list: "stripe/coupons/list",
    coupons_retrieve: "stripe/coupons/retrieve",
    coupons_update: "stripe/coupons/update",
    customers_create: "stripe/customers/create",
    customers_delete: "stripe/customers/delete",
    customers_list: "stripe/customers/list",
    customers_retrieve: "stripe/customers/retrieve",
    customers_search: "stripe/customers/search",
    customers_update: "stripe/customers/update",
    discounts_delete: "stripe/discounts/delete",
    discounts_redeem: "stripe/discounts/redeem",
    discounts_retrieve: "stripe/discounts/retrieve",
    events_list: "stripe/events/list",
    events_retrieve: "stripe/events/retrieve",
    events_retry: "stripe/events/retry",
    funding_instructions_create: "stripe/funding_instructions/create",
    payment_methods_attach: "stripe/payment_methods/attach",
    payment_methods_create: "stripe/payment_methods/create",
    payment_methods_detach: "stripe/payment_methods/detach",
    payment_methods_list: "stripe/payment_methods/list",
    payment_methods_retrieve: "stripe/payment_methods/retrieve",
    payment_methods_update: "stripe/payment_methods/update",
    promotion_codes_create: "stripe/promotion_codes/create",
    promotion_codes_list: "stripe/promotion_codes/list",
    promotion_codes_retrieve: "stripe/promotion_codes/retrieve",
    promotion_codes_update: "stripe/promotion_codes/update",
    requests_authenticate: "stripe/requests/authenticate",
    requests_decode: "stripe/requests/decode",
    requests_expand: "stripe/requests/expand",
    requests_retry: "stripe/requests/retry",
    requests_route: "stripe/requests/route",
    requests_version: "stripe/requests/version",
    setup_attempts_list: "stripe/setup_attempts/list",
    setup_intents_authenticate: "stripe/setup_intents/authenticate",
    setup_intents_cancel: "stripe/setup_intents/cancel",
    setup_intents_confirm: "stripe/setup_intents/confirm",
    setup_intents_create: "stripe/setup_intents/create",
    setup_intents_list: "stripe/setup_intents/list",
    setup_intents_retrieve: "stripe/setup_intents/retrieve",
    setup_intents_update: "stripe/setup_intents/update",
    setup_intents_verify_microdeposits: "stripe/setup_intents/verify_microdeposits",
    sources_create: "stripe/sources/create",
    sources_delete: "stripe/sources/delete",
    sources_list: "stripe/sources/list",
    sources_retrieve: "stripe/sources/retrieve",
    sources_update: "stripe/sources/update",
    sources_verify: "stripe/sources/verify",
    source_objects_attach: "stripe/source_objects/attach",
    source_objects_create: "stripe/source_objects/create",
    source_objects_detach: "stripe/source_objects/detach",
    source_objects_retrieve: "stripe/source_objects/retrieve",
    source_objects_settle: "stripe/source_objects/settle",
    source_objects_update: "stripe/source_objects/update",
    tokens_create: "stripe/tokens/create",
    tokens_retrieve: "stripe/tokens/retrieve",
    stripecli_sessions_create: "stripe/stripecli/sessions/create",
    tax_ids_create: "stripe/tax_ids/create",
    tax_ids_delete: "stripe/tax_ids/delete",
    tax_ids_list: "stripe/tax_ids/list",
    tax_ids_retrieve: "stripe/tax_ids/retrieve",
    webhook_endpoints_create: "stripe/webhook_endpoints/create",
    webhook_endpoints_delete: "stripe/webhook_endpoints/delete",
    webhook_endpoints_list: "stripe/webhook_endpoints/list",
    webhook_endpoints_retrieve: "stripe/webhook_endpoints/retrieve",
    webhook_endpoints_update: "stripe/webhook_endpoints/update",
}

/// Where the transcripts are.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Every transcript below a folder with its path from the root, or why it cannot be read.
pub fn below(folder: &Path) -> Vec<(String, Result<Transcript, String>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|trouble| panic!("{}: {trouble}", folder.display())) {
        let path = entry.expect("a folder can be read to its end").path();
        if path.is_dir() {
            found.extend(below(&path));
        } else if path.extension().is_some_and(|extension| extension == "http") {
            let name = path.strip_prefix(root()).expect("it is below the root").display().to_string();
            let text = fs::read_to_string(&path).unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
            found.push((name, parse(&text)));
        }
    }
    found.sort_by(|(one, _), (two, _)| one.cmp(two));
    found
}

#[test]
fn every_transcript_is_run() {
    let known: BTreeSet<&str> = FOLDERS.iter().copied().collect();
    let mut amiss = Vec::new();
    for (name, transcript) in below(&root()) {
        let (folder, _) = name.rsplit_once('/').expect("a transcript lies in a folder");
        if !known.contains(folder) {
            amiss.push(format!("{name} lies in a folder that no test runs"));
        }
        amiss.extend(transcript.err().map(|trouble| format!("tests/cases/{name}: {trouble}")));
    }
    assert!(amiss.is_empty(), "\n{}\n", amiss.join("\n"));
}

/// Runs the transcripts of a folder; `CASE=words` in the environment leaves out those without the words in their path.
fn run_folder(folder: &str, keeping: fn() -> Keeping) {
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut cases = below(&root().join(folder));
    assert!(!cases.is_empty(), "{folder} holds no transcript");
    cases.retain(|(name, _)| name.contains(&wanted));

    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let count = Count::default();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(cases.len()) {
            scope.spawn(|| {
                let keeping = keeping();
                while let Some((name, transcript)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(report) =
                        transcript.as_ref().map_err(Clone::clone).and_then(|it| run(it, &keeping, &count))
                    {
                        let report = format!("tests/cases/{name}:{report}");
                        failures.lock().expect("no test thread panicked").push(report);
                    }
                }
            });
        }
    });
    count.line().into_iter().for_each(|line| println!("{folder}: {line}"));
    let mut failures = failures.into_inner().expect("no test thread panicked");
    failures.sort();
    assert!(failures.is_empty(), "{} of {} failed\n\n{}\n", failures.len(), cases.len(), failures.join("\n\n"));
}

/// Runs one transcript; a report begins with the line of the step that failed.
pub fn run(transcript: &Transcript, keeping: &Keeping, count: &Count) -> Result<(), String> {
    let mut run = Run { server: Server::start(keeping), captured: BTreeMap::new(), count };
    for Step { line, what } in &transcript.steps {
        let done = match what {
            What::Advance { millis } => {
                run.server.advance(*millis);
                Ok(())
            }
            What::Restart => {
                run.server.restart();
                Ok(())
            }
            What::Key { text, grant } => run.server.add_key(text, grant),
            What::Exchange(exchange) => run.exchange(exchange),
        };
        done.map_err(|trouble| format!("{line}: {trouble}"))?;
    }
    Ok(())
}

struct Run<'a> {
    server: Server,
    captured: BTreeMap<String, Reply>,
    count: &'a Count,
}

/// Whose events are looked at: a key and maybe an account below it.
type View = (String, Option<String>);

impl Run<'_> {
    fn exchange(&mut self, exchange: &Exchange) -> Result<(), String> {
        for time in 1..=exchange.times {
            let fill = |text: &str| filled_in(text, &|reference| self.look_up(reference, time));
            let request = Request::from(exchange, &fill)?;
            let views = if exchange.given { Vec::new() } else { request.views() };
            let before = self.newest_events(&views)?;
            let reply = send(self.server.address(), &request.method, &request.target, &request.headers, &request.body)
                .map_err(|trouble| format!("{} {}: {trouble}", request.method, request.target))?;

            let mut found = self.unexpected(exchange, &reply, &fill)?;
            found.extend(answers::unexpected_answer(&request.method, &request.target, &reply, self.count));
            found.extend(documents::unexpected_answer(&request.method, &request.target, &request.headers, &reply));
            if !exchange.given {
                let happened = self.events_since(&views, &before)?;
                found.extend(unexpected_events(exchange, &happened, &fill)?);
                found.extend(happened.iter().flat_map(|event| answers::unexpected_event(event, self.count)));
            }
            if !found.is_empty() {
                return Err(report(&request, &reply, &found));
            }
            if let Some(name) = &exchange.reply.capture {
                let name = if exchange.times == 1 { name.clone() } else { format!("{name}{time}") };
                self.captured.insert(name, reply);
            }
        }
        Ok(())
    }

    /// What `{$name.path}` and `{$name:Header}` stand for; `{#}` is the number of the repetition.
    fn look_up(&self, reference: &str, time: usize) -> Result<String, String> {
        if reference == "#" {
            return Ok(time.to_string());
        }
        let (name, rest) = match reference.find(['.', ':']) {
            Some(end) => reference.split_at(end),
            None => return Err(format!("{{${reference}}} names a whole reply")),
        };
        let reply = self.captured.get(name).ok_or_else(|| format!("nothing was captured as ${name}"))?;
        if let Some(header) = rest.strip_prefix(':') {
            return reply.header(header).map(str::to_owned).ok_or_else(|| format!("${name} has no header {header}"));
        }
        match Json::parse(&reply.text())?.at(&rest[1..]) {
            Some(Json::Text(text)) => Ok(text.clone()),
            Some(value) => Ok(value.to_string()),
            None => Err(format!("{{${reference}}} is not there")),
        }
    }

    fn unexpected(&self, exchange: &Exchange, reply: &Reply, fill: &Fill<'_>) -> Result<Vec<String>, String> {
        let expected = &exchange.reply;
        let mut found = Vec::new();
        if reply.status != expected.status {
            found.push(format!("status: expected {}, got {}", expected.status, reply.status));
        }
        for (name, value) in &expected.headers {
            let value = fill(value)?;
            let granted = match (Wish::spelt(&value)?, reply.header(name)) {
                (Some(Wish::Absent), there) => there.is_none(),
                (Some(wish), Some(there)) => wish.granted_by_text(there),
                (None, Some(there)) => there == value,
                (_, None) => false,
            };
            if !granted {
                found.push(format!("{name}: expected {value}, got {}", reply.header(name).unwrap_or("no such header")));
            }
        }
        match &expected.body {
            ExpectedBody::Unseen => {}
            ExpectedBody::Empty if reply.body.is_empty() => {}
            ExpectedBody::Empty => found.push("expected no body".to_owned()),
            ExpectedBody::SameAs(name) => {
                if self.captured.get(name).is_none_or(|earlier| earlier.body != reply.body) {
                    found.push(format!("expected the bytes of ${name}"));
                }
            }
            ExpectedBody::Subset(text) => found.extend(unexpected_json(&fill(text)?, reply, Manner::Subset)?),
            ExpectedBody::Exactly(text) => found.extend(unexpected_json(&fill(text)?, reply, Manner::SameOrder)?),
        }
        Ok(found)
    }

    fn events(&self, view: &View) -> Result<Vec<Json>, String> {
        let (key, account) = view;
        let mut headers = vec![("Authorization".to_owned(), format!("Bearer {key}"))];
        headers.extend(account.iter().map(|account| ("Stripe-Account".to_owned(), account.clone())));
        let target = format!("/v1/events?limit={EVENTS_IN_VIEW}");
        let reply = send(self.server.address(), "GET", &target, &headers, &[])
            .map_err(|trouble| format!("looking at events: {trouble}"))?;
        match (reply.status, Json::parse(&reply.text())?.get("data")) {
            // A key or an account that opens nothing has no events of its own.
            (401 | 403, _) if (key.as_str(), account) != (KEY, &None) => Ok(Vec::new()),
            (200, Some(Json::Array(events))) => Ok(events.clone()),
            _ => Err(format!("looking at events: {} {}", reply.status, reply.text())),
        }
    }

    fn newest_events(&self, views: &[View]) -> Result<Vec<Option<Json>>, String> {
        views.iter().map(|view| Ok(self.events(view)?.into_iter().next())).collect()
    }

    /// The events newer than `before` in each view, oldest first.
    fn events_since(&self, views: &[View], before: &[Option<Json>]) -> Result<Vec<Json>, String> {
        let mut since = Vec::new();
        for (view, newest) in views.iter().zip(before) {
            let seen = newest.as_ref().and_then(|event| event.get("id"));
            let mut fresh: Vec<Json> =
                self.events(view)?.into_iter().take_while(|event| event.get("id") != seen).collect();
            fresh.reverse();
            since.extend(fresh);
        }
        Ok(since)
    }
}

type Fill<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

fn unexpected_json(expected: &str, reply: &Reply, manner: Manner) -> Result<Vec<String>, String> {
    Ok(match Json::parse(&reply.text()) {
        Ok(actual) => differences(&Json::parse(expected)?, &actual, manner),
        Err(trouble) => vec![format!("expected JSON: {trouble}")],
    })
}

fn unexpected_events(exchange: &Exchange, happened: &[Json], fill: &Fill<'_>) -> Result<Vec<String>, String> {
    let expected = &exchange.reply.events;
    let kind = |event: &Json| event.get("type").and_then(Json::text).unwrap_or("<no type>").to_owned();
    let kinds: Vec<String> = happened.iter().map(kind).collect();
    let expected_kinds: Vec<String> = expected.iter().map(|(kind, _)| kind.clone()).collect();
    if kinds != expected_kinds {
        return Ok(vec![format!("events: expected {expected_kinds:?}, got {kinds:?}")]);
    }
    let mut found = Vec::new();
    for ((kind, about), event) in expected.iter().zip(happened) {
        let Some(about) = about else { continue };
        let about = Json::parse(&fill(about)?)?;
        let seen = lifted(event);
        found.extend(differences(&about, &seen, Manner::Subset).into_iter().map(|line| format!("{kind}: {line}")));
        if let (Some(wanted), Some(there)) = (about.get("previous_attributes"), seen.get("previous_attributes")) {
            let again = differences(wanted, there, Manner::SameKeys);
            found.extend(again.into_iter().map(|line| format!("{kind}: previous_attributes: {line}")));
        }
    }
    Ok(found)
}

/// The event as expectations see it: what `data` holds lies at the top, in place of the word that an event is one.
fn lifted(event: &Json) -> Json {
    let (Json::Object(outer), Some(Json::Object(data))) = (event, event.get("data")) else { return event.clone() };
    let rest = outer.iter().filter(|(key, _)| key != "data" && key != "object");
    Json::Object(data.iter().chain(rest).cloned().collect())
}

fn report(request: &Request, reply: &Reply, found: &[String]) -> String {
    let body = Json::parse(&reply.text()).map_or_else(|_| reply.text(), |json| json.to_string());
    let sent: String = String::from_utf8_lossy(&request.body).chars().take(500).collect();
    let target: String = request.target.chars().take(500).collect();
    let headers: String = reply.headers.iter().map(|(name, value)| format!("    {name}: {value}\n")).collect();
    format!(
        "\n  {} {target}\n  {sent}\n  - {}\n  the reply was {}\n{headers}    {}",
        request.method,
        found.join("\n  - "),
        reply.status,
        body.replace('\n', "\n    ")
    )
}

/// A request as it goes out.
struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    key: Option<String>,
}

impl Request {
    fn from(exchange: &Exchange, fill: &Fill<'_>) -> Result<Request, String> {
        let auth = fill(exchange.sent.auth.as_deref().unwrap_or(KEY))?;
        let (key, authorization) = match auth.split_once(' ') {
            None if auth == "none" => (None, None),
            None => (Some(auth.clone()), Some(format!("Bearer {auth}"))),
            Some(("Basic", key)) => (Some(key.to_owned()), Some(format!("Basic {}", base64(&format!("{key}:"))))),
            Some((_, key)) => (Some(key.to_owned()), Some(auth.clone())),
        };
        let mut headers: Vec<(String, String)> = Vec::new();
        headers.extend(authorization.map(|value| ("Authorization".to_owned(), value)));
        for (name, value) in &exchange.sent.headers {
            headers.push((name.clone(), fill(value)?));
        }

        let mut target = fill(&exchange.target)?;
        let mut body = Vec::new();
        match &exchange.sent.body {
            Body::Nothing => {}
            Body::Raw(text) | Body::Json(text) => body = unescaped(&fill(text)?)?,
            Body::Pairs(pairs) => {
                let mut encoded = Vec::new();
                for (name, value) in pairs {
                    encoded.push(format!("{}={}", url_encoded(&fill(name)?, "[]"), url_encoded(&fill(value)?, "")));
                }
                match exchange.method.as_str() {
                    "POST" | "PUT" | "PATCH" => body = encoded.join("&").into_bytes(),
                    _ => {
                        target =
                            format!("{target}{}{}", if target.contains('?') { '&' } else { '?' }, encoded.join("&"))
                    }
                }
            }
        }
        let typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
        if !body.is_empty() && !typed {
            let media = match &exchange.sent.body {
                Body::Json(_) => "application/json",
                Body::Nothing | Body::Pairs(_) | Body::Raw(_) => "application/x-www-form-urlencoded",
            };
            headers.push(("Content-Type".to_owned(), media.to_owned()));
        }
        Ok(Request { method: exchange.method.clone(), target, headers, body, key })
    }

    /// The sandbox of every transcript, and the one that the request went to when that is another.
    fn views(&self) -> Vec<View> {
        let mut views = vec![(KEY.to_owned(), None)];
        let account = self.headers.iter().find(|(name, _)| name == "Stripe-Account").map(|(_, value)| value.clone());
        let own = self.key.clone().filter(|key| key.starts_with("sk_test_")).map(|key| (key, account));
        views.extend(own.filter(|own| *own != views[0]));
        views
    }
}

fn url_encoded(text: &str, also_plain: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || also_plain.as_bytes().contains(&byte) => {
                encoded.push(byte as char);
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..start]);
        let digits = rest.get(start + 2..start + 4).ok_or_else(|| format!("{rest} ends within a byte"))?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| format!("\\x{digits} is no byte"))?);
        rest = &rest[start + 4..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * position) & 63) as usize] as char;
            encoded.push(if position <= chunk.len() { letter } else { '=' });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{base64, lifted, run, unescaped, url_encoded};
    use crate::json::Json;
    use crate::transcript::parse;

    #[test]
    fn what_is_not_as_told_fails() {
        const MADE: &str = "# A.\nPOST /v1/customers\nname=Jenny\n";
        const CHANGED: &str =
            "# A.\ngiven POST /v1/customers\n=> 200 as $c\nPOST /v1/customers/{$c.id}\nname=Jenny\nemail=a@b.co\n";
        for (start, end, why) in [
            (MADE, "=> 201\n{\"name\": \"Jenny\"}\n! customer.created", "2: \n"),
            (MADE, "=> 201\n{\"name\": \"Jenny\"}\n! customer.created", "status: expected 201, got 200"),
            (MADE, "=> 200\nETag: \"9\"\n{\"name\": \"Jenny\"}\n! customer.created", "ETag: expected \"9\", got \"1\""),
            (MADE, "=> 200\nETag: <absent>\n{\"name\": \"Jenny\"}\n! customer.created", "ETag: expected <absent>"),
            (MADE, "=> 200\nX-None: <any>\n{\"name\": \"Jenny\"}\n! customer.created", "got no such header"),
            (MADE, "=> 200\n{\"name\": \"Rosen\"}\n! customer.created", "name: expected \"Rosen\", got \"Jenny\""),
            (MADE, "=> 200\n{\"nickname\": null}\n! customer.created", "nickname: expected null, got no such key"),
            (MADE, "=> 200\nexactly {\"name\": \"Jenny\"}\n! customer.created", ".email: not expected, got null"),
            (MADE, "=> 200\nempty\n! customer.created", "expected no body"),
            (MADE, "=> 200\n{\"name\": \"Jenny\"}", "events: expected [], got [\"customer.created\"]"),
            (MADE, "=> 200\n{\"name\": \"Jenny\"}\n! customer.deleted", "events: expected [\"customer.deleted\"]"),
            (MADE, "=> 200\n{\"name\": \"Jenny\"}\n! customer.created\n! customer.created", "events: expected"),
            (
                CHANGED,
                "=> 200\nsame as $c\n! customer.updated {\"previous_attributes\": {}}",
                "expected the bytes of $c",
            ),
            (
                CHANGED,
                "=> 200\n{\"name\": \"Jenny\"}\n! customer.updated {\"previous_attributes\": {\"name\": null}}",
                "customer.updated: previous_attributes: .email: not expected",
            ),
            (CHANGED, "=> 404\n{\"name\": \"{$c.nothing}\"}", "{$c.nothing} is not there"),
        ] {
            let transcript = parse(&format!("{start}{end}\n")).expect(end);
            let report = run(&transcript, &super::Keeping::Folder, &super::Count::default()).expect_err(end);
            assert!(report.contains(why), "{end:?} is reported without {why:?}: {report}");
        }
    }

    #[test]
    fn encodings_are_those_of_the_wire() {
        assert_eq!(base64("sk_test_x:"), "c2tfdGVzdF94Og==");
        assert_eq!(base64("abc"), "YWJj");
        assert_eq!(url_encoded("a b[0]é", "[]"), "a+b[0]%C3%A9");
        assert_eq!(url_encoded("[&=", ""), "%5B%26%3D");
        assert_eq!(unescaped("a\\xffb").unwrap(), b"a\xffb");
        assert!(unescaped("a\\xf").is_err());
    }

    #[test]
    fn an_event_shows_its_data_at_the_top() {
        let event = r#"{"object": "event", "type": "t", "data": {"object": {"a": 1}, "previous_attributes": {}}}"#;
        let seen = r#"{"object": {"a": 1}, "previous_attributes": {}, "type": "t"}"#;
        assert_eq!(lifted(&Json::parse(event).unwrap()), Json::parse(seen).unwrap());
    }
}
