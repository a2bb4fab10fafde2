//! The caller's account: what clients ask for to show a name.

use std::sync::Arc;

use super::customer_object::code;
use super::customers::{RETRIEVE, Retrieve};
use super::expand::{self, Expansions};
use super::failure::{Names, Refusal};
use super::{Answer, Call, Plan, params};
use crate::domain::account::Account;
use crate::http::json::{Json, Object};

/// `GET /v1/account`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::NOTHING, &call.version)?;
    Ok(Plan::look(Names::BY_PATH, move |call, _| Ok(Answer::of(object(&call.account)))))
}

fn object(account: &Account) -> Json {
    let Account { space: _, other_space: _, id, parent: _, mode: _, created, display_name, .. } = account;
    let dashboard = Object::new().and("display_name", display_name.as_ref()).and("timezone", "Etc/UTC");
    // Nothing is printed here, neither on pages nor on statements.
    let branding = Object::new()
        .and("icon", Json::Null)
        .and("logo", Json::Null)
        .and("primary_color", Json::Null)
        .and("secondary_color", Json::Null);
    let payments = Object::new()
        .and("statement_descriptor", Json::Null)
        .and("statement_descriptor_kana", Json::Null)
        .and("statement_descriptor_kanji", Json::Null);
    let settings = Object::new()
        .and("branding", branding)
        .and("card_payments", Object::new().and("statement_descriptor_prefix", Json::Null))
        .and("dashboard", dashboard)
        .and("payments", payments);
    let profile = Object::new()
        .and("mcc", Json::Null)
        .and("name", display_name.as_ref())
        .and("product_description", Json::Null)
        .and("support_address", Json::Null)
        .and("support_email", Json::Null)
        .and("support_phone", Json::Null)
        .and("support_url", Json::Null)
        .and("url", Json::Null);
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "account")
        .and("business_profile", profile)
        .and("business_type", Json::Null)
        .and("capabilities", Object::new())
        // No money moves here.
        .and("charges_enabled", false)
        .and("controller", Object::new().and("type", "account"))
        .and("country", &account.country)
        .and("created", created.seconds())
        .and("default_currency", code(&account.default_currency))
        .and("details_submitted", true)
        .and("email", Json::Null)
        .and("metadata", Object::new())
        .and("payouts_enabled", false)
        .and("settings", settings)
        .and("type", "standard")
        .into()
}
