//! `cusp serve`: nothing is open but what an operator opened.

use std::num::NonZeroU32;

use cusp::domain::account::{Account, Mode};
use cusp::domain::api_key::{Access, KeyKind, Resource};
use cusp::domain::ids::AccountId;
use cusp::domain::time::Time;
use cusp::ids::Ids;
use cusp::settings::Openness;
use cusp::store::Tx;
use cusp::{engine, identity};

use crate::client::{Client, error, json};
use crate::harness::{Keeping, Server, in_every_store};

in_every_store! {
    only_keys_that_were_made_open_anything,
    the_two_modes_do_not_see_each_other,
    there_is_no_test_money_in_live_mode,
    a_restricted_key_does_what_it_is_allowed,
    only_linked_accounts_are_acted_for,
    a_caller_that_is_too_fast_is_told_so,
    health_is_not_on_the_address_of_clients,
    webhooks_of_live_mode_are_sent_with_tls_and_to_public_addresses,
}

/// A server with one account in both modes, and a way to make keys for it.
struct Kept {
    server: Server,
    test: Account,
    live: Account,
    ids: Ids,
}

impl Kept {
    fn start(keeping: &Keeping) -> Kept {
        Kept::start_with(keeping, None)
    }

    fn start_with(keeping: &Keeping, rate_limit: Option<NonZeroU32>) -> Kept {
        let server = Server::start_as(keeping, Openness::Serve, None, |settings| settings.rate_limit = rate_limit);
        let ids = Ids::seeded(99);
        let test =
            identity::fresh_account(AccountId::mint(&ids, Time(1)), None, Mode::Test, Time(1), "2026-10-28.endive");
        let live = identity::other_mode(&test);
        let made = test.clone();
        server.beside(move |tx| made_in_both_modes(tx, &made));
        Kept { server, test, live, ids }
    }

    fn key(&self, mode: Mode, kind: KeyKind) -> String {
        let account = if mode == Mode::Test { &self.test } else { &self.live };
        let (text, key) = identity::fresh_key(&self.ids, Time(1), account, kind, None);
        let space = account.space;
        self.server.beside(move |tx| engine::keys::create(tx, space, &key));
        text
    }

    fn client(&self, key: &str) -> Client {
        Client::new(self.server.address(), key)
    }
}

fn made_in_both_modes(tx: &mut dyn Tx, account: &Account) -> cusp::store::Kept<()> {
    engine::accounts::find_or_create(tx, account)?;
    engine::accounts::find_or_create(tx, &identity::other_mode(account)).map(drop)
}

fn only_keys_that_were_made_open_anything(keeping: &Keeping) {
    let kept = Kept::start(keeping);
    let key = kept.key(Mode::Test, KeyKind::Secret);
    assert_eq!(kept.client(&key).get("/v1/customers").status, 200);
    let mut other = key.clone();
    other.pop();
    other.push(if key.ends_with('0') { '1' } else { '0' });
    for stranger in ["sk_test_anything", other.as_str(), &key.replace("sk_test", "sk_live")] {
        let problem = error(&kept.client(stranger).get("/v1/customers"), 401);
        let message = problem["message"].as_str().unwrap();
        assert!(message.starts_with("Invalid API Key provided: sk_"), "{message}");
        assert!(!message.contains(&stranger[8..stranger.len() - 4]), "the key is hidden: {message}");
    }
}

fn the_two_modes_do_not_see_each_other(keeping: &Keeping) {
    let kept = Kept::start(keeping);
    let test = kept.client(&kept.key(Mode::Test, KeyKind::Secret));
    let live = kept.client(&kept.key(Mode::Live, KeyKind::Secret));
    let id = test.customer("name=Test");
    assert_eq!(json(&live.post("/v1/customers", "name=Live"))["livemode"], true);
    assert_eq!(json(&test.post("/v1/coupons", "id=25OFF&percent_off=25"))["livemode"], false);
    let code = json(&test.post("/v1/promotion_codes", "promotion[type]=coupon&promotion[coupon]=25OFF"));
    let code = code["id"].as_str().unwrap();
    for (path, noun, id) in [
        (format!("/v1/customers/{id}"), "customer", id.as_str()),
        ("/v1/coupons/25OFF".to_owned(), "coupon", "25OFF"),
        (format!("/v1/promotion_codes/{code}"), "promotion code", code),
    ] {
        let message = error(&live.get(&path), 404)["message"].as_str().unwrap().to_owned();
        assert_eq!(
            message,
            format!(
                "No such {noun}: '{id}'; a similar object exists in test mode, but a live mode key was used to make \
                 this request."
            )
        );
    }
    assert_eq!(json(&test.get("/v1/customers"))["data"].as_array().unwrap().len(), 1);
}

fn there_is_no_test_money_in_live_mode(keeping: &Keeping) {
    let kept = Kept::start(keeping);
    let live = kept.client(&kept.key(Mode::Live, KeyKind::Secret));
    let id = live.customer("name=Live");
    let path = format!("/v1/test_helpers/customers/{id}/fund_cash_balance");
    let message = error(&live.post(&path, "amount=5&currency=eur"), 400)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("You can only use it in test mode"), "{message}");
    let path = format!("/v1/customers/{id}/funding_instructions");
    let asked = "funding_type=bank_transfer&currency=usd&bank_transfer[type]=us_bank_transfer";
    let message = error(&live.post(&path, asked), 400)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("no bank that could receive money in live mode"), "{message}");
    let message = error(&live.post("/v1/sources", "type=wechat&amount=5&currency=usd"), 400)["message"].to_string();
    assert!(message.contains("can be made in test mode only"), "{message}");
    let message = error(&live.post("/v1/test_helpers/sources/src_1/fail", ""), 400)["message"].to_string();
    assert!(message.contains("You can only use it in test mode"), "{message}");
    let path = "/v1/test_helpers/setup_intents/seti_1/authenticate";
    let message = error(&live.post(path, ""), 400)["message"].to_string();
    assert!(message.contains("You can only use it in test mode"), "{message}");
    let balance = json(&live.get(&format!("/v1/customers/{id}/cash_balance")));
    assert_eq!((&balance["available"], &balance["livemode"]), (&serde_json::Value::Null, &true.into()));

    let test = kept.client(&kept.key(Mode::Test, KeyKind::Secret));
    let id = test.customer("name=Test");
    let path = format!("/v1/test_helpers/customers/{id}/fund_cash_balance");
    assert_eq!(test.post(&path, "amount=5&currency=eur").status, 200);
    let listed = error(&live.get(&format!("/v1/customers/{id}/cash_balance_transactions")), 404);
    assert!(listed["message"].as_str().unwrap().contains("a similar object exists in test mode"), "{listed}");
}

fn a_restricted_key_does_what_it_is_allowed(keeping: &Keeping) {
    let kept = Kept::start(keeping);
    let allowed = [(Resource::Customer, Access::Read), (Resource::Event, Access::None)];
    let reader = kept.client(&kept.key(Mode::Test, KeyKind::Restricted(allowed.into_iter().collect())));
    assert_eq!(reader.get("/v1/customers").status, 200);
    let problem = error(&reader.post("/v1/customers", "name=x"), 403);
    let message = problem["message"].as_str().unwrap();
    assert!(message.contains("Having the 'rak_customer_write' permission would allow"), "{message}");
    assert!(message.contains(kept.test.id.as_str()), "{message}");
    assert_eq!(reader.get("/v1/events").status, 403);
    assert_eq!(reader.get("/v1/account").status, 403);
    let publishable = kept.client(&kept.key(Mode::Test, KeyKind::Publishable));
    assert_eq!(error(&publishable.get("/v1/customers"), 401)["code"], "secret_key_required");
}

fn only_linked_accounts_are_acted_for(keeping: &Keeping) {
    let kept = Kept::start(keeping);
    let client = kept.client(&kept.key(Mode::Test, KeyKind::Secret));
    let child = identity::fresh_account(
        AccountId("acct_child".to_owned()),
        Some(kept.test.id.clone()),
        Mode::Test,
        Time(1),
        "2026-10-28.endive",
    );
    let as_child = [("Stripe-Account", "acct_child")];
    let problem = error(&client.exchange("GET", "/v1/customers", "", &as_child), 403);
    assert_eq!(problem["code"], "account_invalid");
    kept.server.beside(move |tx| made_in_both_modes(tx, &child));
    let made = json(&client.exchange("POST", "/v1/customers", "name=Child", &as_child));
    let path = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    assert_eq!(client.get(&path).status, 404, "the parent's own space is another one");
    assert_eq!(client.exchange("GET", &path, "", &as_child).status, 200);
    assert_eq!(json(&client.exchange("GET", "/v1/account", "", &as_child))["id"], "acct_child");
    assert_eq!(json(&client.get("/v1/account"))["id"], kept.test.id.as_str());
}

fn a_caller_that_is_too_fast_is_told_so(keeping: &Keeping) {
    let kept = Kept::start_with(keeping, NonZeroU32::new(3));
    let client = kept.client(&kept.key(Mode::Test, KeyKind::Secret));
    let replies: Vec<_> = (0..40).map(|_| client.get("/v1/customers")).collect();
    let refused = replies.iter().find(|reply| reply.status != 200).expect("forty at once are too many");
    assert_eq!(error(refused, 429)["code"], "rate_limit");
    assert_eq!(refused.header("Stripe-Rate-Limited-Reason"), Some("global-rate"));
    assert!(refused.header("Retry-After").is_some());
    let live = kept.client(&kept.key(Mode::Live, KeyKind::Secret));
    assert_eq!(live.get("/v1/customers").status, 200, "another space has a rate of its own");
}

fn health_is_not_on_the_address_of_clients(keeping: &Keeping) {
    let kept = Kept::start(keeping);
    let client = kept.client(&kept.key(Mode::Test, KeyKind::Secret));
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(client.get(path).status, 404);
        assert_eq!(Client::new(kept.server.admin_address(), "").get(path).status, 200);
    }
}

fn webhooks_of_live_mode_are_sent_with_tls_and_to_public_addresses(keeping: &Keeping) {
    let kept = Kept::start(keeping);
    let key = kept.key(Mode::Live, KeyKind::Secret);
    let live = kept.client(&key);
    let make = |url: &str| live.post("/v1/webhook_endpoints", &format!("url={url}&enabled_events[]=sku.created"));
    let message = |url: &str| error(&make(url), 400)["message"].as_str().unwrap().to_owned();
    assert!(message("http://example.com/hook").contains("TLS"), "{}", message("http://example.com/hook"));
    for private in ["https://127.0.0.1/hook", "https://10.0.0.1/hook", "https://[::1]/hook"] {
        assert!(message(private).starts_with("Invalid URL: "), "{}", message(private));
        assert_eq!(error(&make(private), 400)["code"], "url_invalid");
    }
    let test = kept.client(&kept.key(Mode::Test, KeyKind::Secret));
    let plain = test.post("/v1/webhook_endpoints", "url=http://example.com/hook&enabled_events[]=sku.created");
    match keeping {
        Keeping::Folder | Keeping::Memory => {
            assert_eq!(json(&make("https://example.com/hook"))["livemode"], true);
            assert_eq!(json(&plain)["livemode"], false);
        }
        // Servers that share a database have no folder in common in which a key could be.
        Keeping::Database(_) => {
            assert!(message("https://example.com/hook").contains("--secrets-key-file"));
            assert_eq!(plain.status, 400);
        }
    }
}
