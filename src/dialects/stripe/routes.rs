//! The operations: method, path, what a restricted key needs for them, and what reads their parameters.

use std::sync::Arc;

use hyper::Method;

use super::failure::Refusal;
use super::{
    Call, Plan, account, balance_transactions, cash_balance, cli, coupons, customers, discounts, events,
    funding_instructions, payment_methods, promotion_codes, setup_intents, source_objects, sources, tax_ids, tokens,
    webhook_endpoints,
};
use crate::domain::api_key::{Access, Resource};
use crate::domain::instrument::SourceKind;
use crate::http::routes::Route;

/// An operation of the API.
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path, variable parts in braces.
    pub path: &'static str,
    /// What a restricted key must have access to.
    pub resource: Resource,
    /// How far.
    pub access: Access,
    /// A publishable key may too: who reads the code of a page has its key, so that he may state something, and see nothing
    /// of what others stated but what he shows the secret of.
    pub for_browsers: bool,
    /// Reads the parameters.
    pub plan: fn(&Arc<Call>) -> Result<Plan, Refusal>,
}

const fn operation(
    method: Method,
    path: &'static str,
    resource: Resource,
    access: Access,
    plan: fn(&Arc<Call>) -> Result<Plan, Refusal>,
) -> Operation {
    Operation { method, path, resource, access, for_browsers: false, plan }
}

/// An operation for publishable keys too.
const fn for_browsers(mut operation: Operation) -> Operation {
    operation.for_browsers = true;
    operation
}

const ACCOUNT: &str = "/v1/account";
const BALANCE_TRANSACTIONS: &str = "/v1/customers/{customer}/balance_transactions";
const BALANCE_TRANSACTION: &str = "/v1/customers/{customer}/balance_transactions/{transaction}";
const BANK_ACCOUNT: &str = "/v1/customers/{customer}/bank_accounts/{id}";
const BANK_ACCOUNTS: &str = "/v1/customers/{customer}/bank_accounts";
const BANK_ACCOUNT_VERIFY: &str = "/v1/customers/{customer}/bank_accounts/{id}/verify";
const CARD: &str = "/v1/customers/{customer}/cards/{id}";
const CARDS: &str = "/v1/customers/{customer}/cards";
const CASH_BALANCE: &str = "/v1/customers/{customer}/cash_balance";
const CASH_TRANSACTION: &str = "/v1/customers/{customer}/cash_balance_transactions/{transaction}";
const CASH_TRANSACTIONS: &str = "/v1/customers/{customer}/cash_balance_transactions";
const COUPON: &str = "/v1/coupons/{coupon}";
const COUPONS: &str = "/v1/coupons";
const CUSTOMER: &str = "/v1/customers/{customer}";
const CUSTOMERS: &str = "/v1/customers";
const DISCOUNT: &str = "/v1/customers/{customer}/discount";
const EVENT: &str = "/v1/events/{id}";
const EVENTS: &str = "/v1/events";
const EVENT_RETRY: &str = "/v1/events/{id}/retry";
const FUND_CASH_BALANCE: &str = "/v1/test_helpers/customers/{customer}/fund_cash_balance";
const FUNDING_INSTRUCTIONS: &str = "/v1/customers/{customer}/funding_instructions";
const METHODS_OF_CUSTOMER: &str = "/v1/customers/{customer}/payment_methods";
const METHOD_OF_CUSTOMER: &str = "/v1/customers/{customer}/payment_methods/{payment_method}";
const PAYMENT_METHOD: &str = "/v1/payment_methods/{payment_method}";
const PAYMENT_METHODS: &str = "/v1/payment_methods";
const PAYMENT_METHOD_ATTACH: &str = "/v1/payment_methods/{payment_method}/attach";
const PAYMENT_METHOD_DETACH: &str = "/v1/payment_methods/{payment_method}/detach";
const PROMOTION_CODE: &str = "/v1/promotion_codes/{promotion_code}";
const PROMOTION_CODES: &str = "/v1/promotion_codes";
const SETUP_ATTEMPTS: &str = "/v1/setup_attempts";
const SETUP_INTENT: &str = "/v1/setup_intents/{intent}";
const SETUP_INTENTS: &str = "/v1/setup_intents";
const SETUP_INTENT_AUTHENTICATE: &str = "/v1/test_helpers/setup_intents/{intent}/authenticate";
const SETUP_INTENT_CANCEL: &str = "/v1/setup_intents/{intent}/cancel";
const SETUP_INTENT_CONFIRM: &str = "/v1/setup_intents/{intent}/confirm";
const SETUP_INTENT_VERIFY: &str = "/v1/setup_intents/{intent}/verify_microdeposits";
const LOOSE_SOURCE: &str = "/v1/sources/{source}";
const LOOSE_SOURCES: &str = "/v1/sources";
const LOOSE_SOURCE_AUTHORIZE: &str = "/v1/test_helpers/sources/{source}/authorize";
const LOOSE_SOURCE_CANCEL: &str = "/v1/test_helpers/sources/{source}/cancel";
const LOOSE_SOURCE_FAIL: &str = "/v1/test_helpers/sources/{source}/fail";
const SESSIONS: &str = "/v1/stripecli/sessions";
const SOURCE: &str = "/v1/customers/{customer}/sources/{id}";
const SOURCES: &str = "/v1/customers/{customer}/sources";
const SOURCE_VERIFY: &str = "/v1/customers/{customer}/sources/{id}/verify";
const CUSTOMER_TAX_ID: &str = "/v1/customers/{customer}/tax_ids/{id}";
const CUSTOMER_TAX_IDS: &str = "/v1/customers/{customer}/tax_ids";
const SEARCH: &str = "/v1/customers/search";
const TAX_ID: &str = "/v1/tax_ids/{id}";
const TAX_IDS: &str = "/v1/tax_ids";
const TOKEN: &str = "/v1/tokens/{token}";
const TOKENS: &str = "/v1/tokens";
const WEBHOOK_ENDPOINT: &str = "/v1/webhook_endpoints/{webhook_endpoint}";
const WEBHOOK_ENDPOINTS: &str = "/v1/webhook_endpoints";

/// Every operation there is.
pub static OPERATIONS: &[Operation] = &[
    operation(Method::GET, ACCOUNT, Resource::Account, Access::Read, account::retrieve),
    operation(Method::GET, CUSTOMERS, Resource::Customer, Access::Read, customers::list),
    operation(Method::POST, CUSTOMERS, Resource::Customer, Access::Write, customers::create),
    operation(Method::GET, SEARCH, Resource::Customer, Access::Read, customers::search),
    operation(Method::GET, CUSTOMER, Resource::Customer, Access::Read, customers::retrieve),
    operation(Method::POST, CUSTOMER, Resource::Customer, Access::Write, customers::update),
    operation(Method::DELETE, CUSTOMER, Resource::Customer, Access::Write, customers::delete),
    operation(Method::GET, BALANCE_TRANSACTIONS, Resource::Customer, Access::Read, balance_transactions::list),
    operation(Method::POST, BALANCE_TRANSACTIONS, Resource::Customer, Access::Write, balance_transactions::create),
    operation(Method::GET, BALANCE_TRANSACTION, Resource::Customer, Access::Read, balance_transactions::retrieve),
    operation(Method::POST, BALANCE_TRANSACTION, Resource::Customer, Access::Write, balance_transactions::update),
    operation(Method::GET, CASH_BALANCE, Resource::Customer, Access::Read, cash_balance::retrieve),
    operation(Method::POST, CASH_BALANCE, Resource::Customer, Access::Write, cash_balance::update),
    operation(Method::GET, CASH_TRANSACTIONS, Resource::Customer, Access::Read, cash_balance::list_transactions),
    operation(Method::GET, CASH_TRANSACTION, Resource::Customer, Access::Read, cash_balance::retrieve_transaction),
    operation(Method::POST, FUNDING_INSTRUCTIONS, Resource::Customer, Access::Write, funding_instructions::create),
    operation(Method::POST, FUND_CASH_BALANCE, Resource::Customer, Access::Write, cash_balance::fund),
    operation(Method::GET, DISCOUNT, Resource::Customer, Access::Read, discounts::retrieve),
    operation(Method::DELETE, DISCOUNT, Resource::Customer, Access::Write, discounts::delete),
    operation(Method::GET, SOURCES, Resource::Customer, Access::Read, |call| sources::list(call, None)),
    operation(Method::POST, SOURCES, Resource::Customer, Access::Write, |call| sources::create(call, None)),
    operation(Method::GET, SOURCE, Resource::Customer, Access::Read, |call| sources::retrieve(call, None)),
    operation(Method::POST, SOURCE, Resource::Customer, Access::Write, |call| sources::update(call, None)),
    operation(Method::DELETE, SOURCE, Resource::Customer, Access::Write, |call| sources::delete(call, None)),
    operation(Method::POST, SOURCE_VERIFY, Resource::Customer, Access::Write, sources::verify),
    operation(Method::GET, CARDS, Resource::Customer, Access::Read, |call| sources::list(call, Some(SourceKind::Card))),
    operation(Method::POST, CARDS, Resource::Customer, Access::Write, |call| {
        sources::create(call, Some(SourceKind::Card))
    }),
    operation(Method::GET, CARD, Resource::Customer, Access::Read, |call| {
        sources::retrieve(call, Some(SourceKind::Card))
    }),
    operation(Method::POST, CARD, Resource::Customer, Access::Write, |call| {
        sources::update(call, Some(SourceKind::Card))
    }),
    operation(Method::DELETE, CARD, Resource::Customer, Access::Write, |call| {
        sources::delete(call, Some(SourceKind::Card))
    }),
    operation(Method::GET, BANK_ACCOUNTS, Resource::Customer, Access::Read, |call| {
        sources::list(call, Some(SourceKind::BankAccount))
    }),
    operation(Method::POST, BANK_ACCOUNTS, Resource::Customer, Access::Write, |call| {
        sources::create(call, Some(SourceKind::BankAccount))
    }),
    operation(Method::GET, BANK_ACCOUNT, Resource::Customer, Access::Read, |call| {
        sources::retrieve(call, Some(SourceKind::BankAccount))
    }),
    operation(Method::POST, BANK_ACCOUNT, Resource::Customer, Access::Write, |call| {
        sources::update(call, Some(SourceKind::BankAccount))
    }),
    operation(Method::DELETE, BANK_ACCOUNT, Resource::Customer, Access::Write, |call| {
        sources::delete(call, Some(SourceKind::BankAccount))
    }),
    operation(Method::POST, BANK_ACCOUNT_VERIFY, Resource::Customer, Access::Write, sources::verify),
    operation(Method::GET, EVENTS, Resource::Event, Access::Read, events::list),
    operation(Method::GET, EVENT, Resource::Event, Access::Read, events::retrieve),
    operation(Method::POST, EVENT_RETRY, Resource::WebhookEndpoint, Access::Write, events::retry),
    operation(Method::POST, SESSIONS, Resource::Event, Access::Read, cli::sessions::create),
    operation(Method::GET, COUPONS, Resource::Coupon, Access::Read, coupons::list),
    operation(Method::POST, COUPONS, Resource::Coupon, Access::Write, coupons::create),
    operation(Method::GET, COUPON, Resource::Coupon, Access::Read, coupons::retrieve),
    operation(Method::POST, COUPON, Resource::Coupon, Access::Write, coupons::update),
    operation(Method::DELETE, COUPON, Resource::Coupon, Access::Write, coupons::delete),
    operation(Method::GET, PAYMENT_METHODS, Resource::PaymentMethod, Access::Read, payment_methods::list),
    for_browsers(operation(
        Method::POST,
        PAYMENT_METHODS,
        Resource::PaymentMethod,
        Access::Write,
        payment_methods::create,
    )),
    operation(Method::GET, PAYMENT_METHOD, Resource::PaymentMethod, Access::Read, payment_methods::retrieve),
    operation(Method::POST, PAYMENT_METHOD, Resource::PaymentMethod, Access::Write, payment_methods::update),
    operation(Method::POST, PAYMENT_METHOD_ATTACH, Resource::PaymentMethod, Access::Write, payment_methods::attach),
    operation(Method::POST, PAYMENT_METHOD_DETACH, Resource::PaymentMethod, Access::Write, payment_methods::detach),
    operation(
        Method::GET,
        METHODS_OF_CUSTOMER,
        Resource::PaymentMethod,
        Access::Read,
        payment_methods::list_of_customer,
    ),
    operation(
        Method::GET,
        METHOD_OF_CUSTOMER,
        Resource::PaymentMethod,
        Access::Read,
        payment_methods::retrieve_of_customer,
    ),
    operation(Method::GET, PROMOTION_CODES, Resource::PromotionCode, Access::Read, promotion_codes::list),
    operation(Method::POST, PROMOTION_CODES, Resource::PromotionCode, Access::Write, promotion_codes::create),
    operation(Method::GET, PROMOTION_CODE, Resource::PromotionCode, Access::Read, promotion_codes::retrieve),
    operation(Method::POST, PROMOTION_CODE, Resource::PromotionCode, Access::Write, promotion_codes::update),
    operation(Method::GET, SETUP_INTENTS, Resource::SetupIntent, Access::Read, setup_intents::list),
    operation(Method::POST, SETUP_INTENTS, Resource::SetupIntent, Access::Write, setup_intents::create),
    for_browsers(operation(Method::GET, SETUP_INTENT, Resource::SetupIntent, Access::Read, setup_intents::retrieve)),
    operation(Method::POST, SETUP_INTENT, Resource::SetupIntent, Access::Write, setup_intents::update),
    for_browsers(operation(
        Method::POST,
        SETUP_INTENT_CONFIRM,
        Resource::SetupIntent,
        Access::Write,
        setup_intents::confirm,
    )),
    operation(Method::POST, SETUP_INTENT_CANCEL, Resource::SetupIntent, Access::Write, setup_intents::cancel),
    for_browsers(operation(
        Method::POST,
        SETUP_INTENT_VERIFY,
        Resource::SetupIntent,
        Access::Write,
        setup_intents::verify_microdeposits,
    )),
    operation(
        Method::POST,
        SETUP_INTENT_AUTHENTICATE,
        Resource::SetupIntent,
        Access::Write,
        setup_intents::authenticate,
    ),
    operation(Method::GET, SETUP_ATTEMPTS, Resource::SetupIntent, Access::Read, setup_intents::list_attempts),
    for_browsers(operation(Method::POST, LOOSE_SOURCES, Resource::Source, Access::Write, source_objects::create)),
    for_browsers(operation(Method::GET, LOOSE_SOURCE, Resource::Source, Access::Read, source_objects::retrieve)),
    operation(Method::POST, LOOSE_SOURCE, Resource::Source, Access::Write, source_objects::update),
    operation(Method::POST, LOOSE_SOURCE_AUTHORIZE, Resource::Source, Access::Write, source_objects::authorize),
    operation(Method::POST, LOOSE_SOURCE_CANCEL, Resource::Source, Access::Write, source_objects::cancel),
    operation(Method::POST, LOOSE_SOURCE_FAIL, Resource::Source, Access::Write, source_objects::fail),
    for_browsers(operation(Method::POST, TOKENS, Resource::Token, Access::Write, tokens::create)),
    operation(Method::GET, TOKEN, Resource::Token, Access::Read, tokens::retrieve),
    operation(Method::GET, CUSTOMER_TAX_IDS, Resource::TaxId, Access::Read, tax_ids::list),
    operation(Method::POST, CUSTOMER_TAX_IDS, Resource::TaxId, Access::Write, tax_ids::create),
    operation(Method::GET, CUSTOMER_TAX_ID, Resource::TaxId, Access::Read, tax_ids::retrieve),
    operation(Method::DELETE, CUSTOMER_TAX_ID, Resource::TaxId, Access::Write, tax_ids::delete),
    operation(Method::GET, TAX_IDS, Resource::TaxId, Access::Read, tax_ids::list_owned),
    operation(Method::POST, TAX_IDS, Resource::TaxId, Access::Write, tax_ids::create_owned),
    operation(Method::GET, TAX_ID, Resource::TaxId, Access::Read, tax_ids::retrieve_owned),
    operation(Method::DELETE, TAX_ID, Resource::TaxId, Access::Write, tax_ids::delete_owned),
    operation(Method::GET, WEBHOOK_ENDPOINTS, Resource::WebhookEndpoint, Access::Read, webhook_endpoints::list),
    operation(Method::POST, WEBHOOK_ENDPOINTS, Resource::WebhookEndpoint, Access::Write, webhook_endpoints::create),
    operation(Method::GET, WEBHOOK_ENDPOINT, Resource::WebhookEndpoint, Access::Read, webhook_endpoints::retrieve),
    operation(Method::POST, WEBHOOK_ENDPOINT, Resource::WebhookEndpoint, Access::Write, webhook_endpoints::update),
    operation(Method::DELETE, WEBHOOK_ENDPOINT, Resource::WebhookEndpoint, Access::Write, webhook_endpoints::delete),
];

impl Route for Operation {
    fn method(&self) -> &Method {
        &self.method
    }

    fn path(&self) -> &'static str {
        self.path
    }
}
