//! Tax ids of customers: docs.stripe.com/api/customer_tax_ids, and docs.stripe.com/api/tax_ids for the same by their owner.
//! An account's own tax ids are not kept here, so that it has none.

use std::sync::Arc;

use super::customers::{RETRIEVE, Retrieve};
use super::discounts::Shown;
use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal};
use super::lists::{self, Paged, Paging, TEXT, row};
use super::params::{self, Kind, Param, Shape, word};
use super::tax_id_types::TYPE;
use super::versions::{self, Version};
use super::{Answer, Call, Plan};
use crate::domain::account::{Account, Mode};
use crate::domain::api_key::{Access, Resource};
use crate::domain::customer::Customer;
use crate::domain::ids::{CustomerId, TaxIdId};
use crate::domain::tax_id::{NewTaxId, TaxId};
use crate::domain::tax_id_kind::TaxIdKind;
use crate::domain::time::Time;
use crate::engine::{customers, tax_ids};
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::store::{Kept, Read};

/// What a create or a list asks for.
#[derive(Default)]
pub struct Input {
    paging: Paging,
    owner_type: Option<String>,
    owner_customer: Option<CustomerId>,
    kind: String,
    value: String,
}

impl Paged for Input {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

const TYPE_ROW: Param<Input> =
    Param { required: true, ..row("type", Kind::Value(&TYPE, |input, value| input.kind = value.text())) };
const VALUE_ROW: Param<Input> =
    Param { required: true, ..row("value", Kind::Value(&TEXT, |input, value| input.value = value.text())) };

const OWNER_TYPE: Shape = Shape::Choice(&[word("account"), word("application"), word("customer"), word("self")]);
const OWNER_ROW: Param<Input> = row(
    "owner",
    Kind::Group(&[
        row("account", Kind::Unsupported),
        row("customer", Kind::Value(&TEXT, |input, value| input.owner_customer = Some(CustomerId(value.text())))),
        Param { added: "2025-12-16", ..row("customer_account", Kind::Unsupported) },
        Param {
            required: true,
            ..row("type", Kind::Value(&OWNER_TYPE, |input, value| input.owner_type = Some(value.text())))
        },
    ]),
);

/// The parameters of `POST /v1/customers/{customer}/tax_ids`.
pub const CREATE: &[Param<Input>] = &[lists::expand(), TYPE_ROW, VALUE_ROW];

/// The parameters of `POST /v1/tax_ids`.
pub const CREATE_OWNED: &[Param<Input>] = &[lists::expand(), OWNER_ROW, TYPE_ROW, VALUE_ROW];

/// The parameters of `GET /v1/customers/{customer}/tax_ids`.
pub const LIST: &[Param<Input>] = &[lists::ending_before(), lists::expand(), lists::limit(), lists::starting_after()];

/// The parameters of `GET /v1/tax_ids`.
pub const LIST_OWNED: &[Param<Input>] =
    &[lists::ending_before(), lists::expand(), lists::limit(), OWNER_ROW, lists::starting_after()];

const NO_PARAMETERS: &[Param<()>] = &[];

/// What the operations under a customer call it.
const OF_CUSTOMER: Names = Names::CUSTOMER_BY_PATH;
/// What the operations that name an owner call it.
const OF_OWNER: Names = Names { customer: Named::by("owner[customer]"), ..Names::BY_PATH };

/// `POST /v1/customers/{customer}/tax_ids`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(CREATE, &call.given, &call.version)?;
    let customer = CustomerId(call.part(0)?);
    creation(call, input, customer, OF_CUSTOMER)
}

/// `POST /v1/tax_ids`
pub fn create_owned(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(CREATE_OWNED, &call.given, &call.version)?;
    match owner(&input)? {
        Some(customer) => creation(call, input, customer, OF_OWNER),
        None => Err(Refusal::tax_id_owner(if input.owner_type.is_some() { "owner[type]" } else { "owner" })),
    }
}

fn creation(call: &Arc<Call>, input: Input, customer: CustomerId, names: Names) -> Result<Plan, Refusal> {
    let expansions = expansions(call, &input.paging.expand)?;
    let wish = wish(call, &input.kind, &input.value, "value")?;
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(names, move |call, tx, ctx| {
        let (customer, made) = tax_ids::create(tx, ctx, &customer, &insists, wish.clone())?;
        Ok(shown(call, tx, customer, &made, &expansions, ctx.now)?)
    }))
}

/// `GET /v1/customers/{customer}/tax_ids/{id}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    let expansions = expansions(call, &input.expand)?;
    let (customer, id) = (CustomerId(call.part(0)?), TaxIdId(call.part(1)?));
    Ok(Plan::look(OF_CUSTOMER, move |call, read| {
        let (customer, tax_id) = tax_ids::read(read, &call.account, &customer, &id)?;
        Ok(shown(call, read, customer, &tax_id, &expansions, call.now)?)
    }))
}

/// `GET /v1/tax_ids/{id}`
pub fn retrieve_owned(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    let expansions = expansions(call, &input.expand)?;
    let id = TaxIdId(call.part(0)?);
    Ok(Plan::look(OF_OWNER, move |call, read| {
        let (customer, tax_id) = tax_ids::find(read, &call.account, &id)?;
        Ok(shown(call, read, customer, &tax_id, &expansions, call.now)?)
    }))
}

/// `DELETE /v1/customers/{customer}/tax_ids/{id}`
pub fn delete(call: &Arc<Call>) -> Result<Plan, Refusal> {
    params::read(NO_PARAMETERS, &call.given, &call.version)?;
    let (customer, id) = (CustomerId(call.part(0)?), TaxIdId(call.part(1)?));
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(OF_CUSTOMER, move |_, tx, ctx| Ok(deleted(&tax_ids::delete(tx, ctx, &customer, &insists, &id)?))))
}

/// `DELETE /v1/tax_ids/{id}`
pub fn delete_owned(call: &Arc<Call>) -> Result<Plan, Refusal> {
    params::read(NO_PARAMETERS, &call.given, &call.version)?;
    let id = TaxIdId(call.part(0)?);
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(OF_OWNER, move |call, tx, ctx| {
        let (customer, _) = tax_ids::find(tx, &call.account, &id)?;
        Ok(deleted(&tax_ids::delete(tx, ctx, &customer.id, &insists, &id)?))
    }))
}

/// `GET /v1/customers/{customer}/tax_ids`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Input { paging, .. } = params::read(LIST, &call.given, &call.version)?;
    let customer = CustomerId(call.part(0)?);
    let url = format!("/v1/customers/{customer}/tax_ids");
    listing(call, &paging, Some(customer), url, OF_CUSTOMER)
}

/// `GET /v1/tax_ids`
pub fn list_owned(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(LIST_OWNED, &call.given, &call.version)?;
    let customer = owner(&input)?;
    listing(call, &input.paging, customer, "/v1/tax_ids".to_owned(), OF_OWNER)
}

/// A list of the tax ids of a customer, or of the account itself, which has none.
fn listing(
    call: &Arc<Call>,
    paging: &Paging,
    customer: Option<CustomerId>,
    url: String,
    names: Names,
) -> Result<Plan, Refusal> {
    let (anchor, limit) = (paging.anchor()?, paging.limit());
    let (expansions, _) = Expansions::of_list(&paging.expand, expand::TAX_ID, false, &call.version)?;
    require_sight(call, &expansions)?;
    Ok(Plan::look(names, move |call, read| {
        let customer = match &customer {
            Some(id) => Some(customers::live(read, &call.account, id)?),
            None => None,
        };
        let holder = customer.map(|customer| holder(call, read, customer, &expansions, call.now)).transpose()?;
        let held = |holder: &'_ Shown| holder.customer.tax_ids_newest_first().cloned().collect::<Vec<_>>();
        let newest = holder.iter().flat_map(|holder| held(holder).into_iter().map(move |tax_id| (holder, tax_id)));
        let newest: Vec<(&Shown, TaxId)> = newest.collect();
        let page = lists::page_of(newest, &anchor, limit, |(_, tax_id), id| tax_id.id.as_str() == id, NOUN)?;
        let item = |(holder, tax_id): &(&Shown, TaxId)| {
            filled(tax_id, holder, &call.account, &call.version, &expansions).into()
        };
        Ok(Answer::of(lists::envelope(&page, url.clone(), item)))
    }))
}

/// The noun of what is not there.
const NOUN: &str = "tax_id";

/// The customer that is meant; `None` for the account itself, which is also meant when no owner is named.
fn owner(input: &Input) -> Result<Option<CustomerId>, Refusal> {
    match (input.owner_type.as_deref(), &input.owner_customer) {
        (Some("customer"), Some(customer)) => Ok(Some(customer.clone())),
        (Some("customer"), None) => Err(Refusal::missing_parameter("owner[customer]")),
        (None | Some("self"), None) => Ok(None),
        (_, Some(_)) => {
            let words = "You can only specify `owner[customer]` when `owner[type]` is `customer`.";
            Err(Refusal::invalid("owner[customer]", words))
        }
        (Some(_), None) => Err(Refusal::tax_id_owner("owner[type]")),
    }
}

/// The tax id that is wished for by these parameters, the value by the name of its own.
pub fn wish(call: &Call, kind: &str, value: &str, param: &str) -> Result<NewTaxId, Refusal> {
    let kind = TaxIdKind::named(kind).expect("the types of the table are kinds");
    NewTaxId::parse(kind, value, call.account.mode).ok_or_else(|| Refusal::tax_id(param, kind.as_str()))
}

fn expansions(call: &Call, paths: &[String]) -> Result<Expansions, Refusal> {
    let expansions = Expansions::of_object(paths, expand::TAX_ID, &call.version)?;
    require_sight(call, &expansions)?;
    Ok(expansions)
}

/// A key has to be allowed to read what is filled in.
fn require_sight(call: &Call, expansions: &Expansions) -> Result<(), Refusal> {
    let shown = expansions.has("customer") || expansions.below("owner").has("customer");
    if shown { call.require(Resource::Customer, Access::Read) } else { Ok(()) }
}

fn shown(
    call: &Call,
    read: &mut dyn Read,
    customer: Customer,
    tax_id: &TaxId,
    expansions: &Expansions,
    now: Time,
) -> Kept<Answer> {
    let holder = holder(call, read, customer, expansions, now)?;
    Ok(Answer::of(filled(tax_id, &holder, &call.account, &call.version, expansions).into()))
}

/// The customer with what is filled in of it, by either of its names.
fn holder(call: &Call, read: &mut dyn Read, customer: Customer, expansions: &Expansions, now: Time) -> Kept<Shown> {
    let of_owner = expansions.below("owner");
    let expansions = if expansions.has("customer") { expansions } else { &of_owner };
    Shown::holder(read, &call.account, customer, expansions, now)
}

fn deleted(gone: &TaxId) -> Answer {
    let object = Object::new().and("id", gone.id.as_str().to_owned()).and("object", "tax_id").and("deleted", true);
    Answer::of(object.into())
}

/// The tax id with what is to be filled in.
pub fn filled(tax_id: &TaxId, holder: &Shown, account: &Account, version: &Version, expansions: &Expansions) -> Object {
    let shown = |within: &Expansions| match within.has("customer") {
        true => expand::customer(holder, account, version, &within.below("customer")),
        false => holder.customer.id.as_str().to_owned().into(),
    };
    rendered(tax_id, shown(expansions), shown(&expansions.below("owner")), account, version)
}

/// The tax id of that customer, with nothing filled in.
pub fn object(tax_id: &TaxId, customer: &CustomerId, account: &Account, version: &Version) -> Object {
    let customer = || customer.as_str().to_owned().into();
    rendered(tax_id, customer(), customer(), account, version)
}

fn rendered(tax_id: &TaxId, customer: Json, owner: Json, account: &Account, version: &Version) -> Object {
    let TaxId { id, created, kind, value, verification } = tax_id;
    // Accounts are no customers here.
    let owner = Object::new().and("customer", owner).and("customer_account", Json::Null).and("type", "customer");
    let verification = Object::new()
        .and("status", verification.as_str())
        // No tax office is asked, so that none has told whose number it is.
        .and("verified_address", Json::Null)
        .and("verified_name", Json::Null);
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "tax_id")
        .and("country", tax_id.country())
        .and("created", created.seconds())
        .and("customer", customer)
        .and("customer_account", Json::Null)
        .and("livemode", account.mode == Mode::Live)
        .and("owner", owner)
        .and("type", kind.as_str())
        .and("value", value)
        .and("verification", verification);
    versions::down(&mut object, versions::TAX_ID, &(), version);
    object
}

#[cfg(test)]
mod tests {
    use super::{CREATE, CREATE_OWNED, LIST, LIST_OWNED};

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        for table in [CREATE, CREATE_OWNED, LIST, LIST_OWNED] {
            assert!(table.is_sorted_by_key(|param| param.name));
        }
    }
}
