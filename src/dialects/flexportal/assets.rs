//! Assets: create, list, retrieve, update, retire.

use std::sync::Arc;

use super::catalogue_shapes::emptied;
use super::pages::{self, LIMIT, SORT_DIR, START_AFTER, sort_by};
use super::{Shown, time};
use crate::domain::asset::{Asset, AssetChange, AssetStatus, MAX_LOCATION, MAX_NOTES, MAX_SERIAL};
use crate::domain::ids::{CustomerId, ProductId, RentalId, SerialNumber, Sku, VariantId};
use crate::domain::money::MAX_AMOUNT;
use crate::domain::product::{MAX_NAME, MAX_SKU, MAX_TEXT, MAX_URL};
use crate::engine::assets::{self, AssetFilter};
use crate::engine::listing::{Sort, SortKey};
use crate::http::json::Object;
use crate::rest::formats::{DAY_OR_MOMENT, WEB_ADDRESS};
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Component, Fields, Flaw, Plan, Refusal, Shape};

const STATUS: Shape = Shape::Word(&["available", "rented_out", "returned", "sold", "unavailable"]);
const ID: Shape = Shape::text(1, 200);

const MEMBERS: [Member; 13] = [
    member("serialNumber", Shape::trimmed(1, MAX_SERIAL)).example("C02ZN1ABCD12"),
    member("tenantId", ID).doc("The business unit, which the header names."),
    member("productId", ID).doc("The product that the SKU is of."),
    member("productImageUrl", Shape::of(&WEB_ADDRESS, MAX_URL)),
    member("variantId", ID).doc("The variant that the SKU is of."),
    member("sku", Shape::trimmed(1, MAX_SKU)).doc("The SKU of a variant.").example("NOTEBOOK-16-A"),
    member("productName", Shape::text(1, MAX_NAME)).doc("That of the product otherwise."),
    member("status", STATUS),
    member("location", Shape::text(0, MAX_LOCATION)),
    member("notes", Shape::text(0, MAX_NOTES)),
    member("condition", Shape::text(0, MAX_NOTES)).example("New in box"),
    member("acquisitionCost", Shape::Money(0, MAX_AMOUNT)).doc("That of the variant otherwise.").example("1750"),
    // Guides show dates, other moments of the API are moments.
    member("acquisitionDate", Shape::of(&DAY_OR_MOMENT, 40)).doc("Today otherwise.").example("2026-01-15"),
];

const CUSTOMER: Member = member("customerId", ID).read_only().doc("Who has it. Only a subscription changes that.");
const RENTAL: Member = member("rentalId", ID).read_only().doc("Its subscription. Only that changes it.");

const NEW_MEMBERS: &[Member] = &[
    MEMBERS[0].needed(),
    MEMBERS[1],
    MEMBERS[2],
    MEMBERS[3],
    MEMBERS[4],
    MEMBERS[5].needed(),
    MEMBERS[6],
    MEMBERS[7],
    MEMBERS[8],
    CUSTOMER,
    RENTAL,
    MEMBERS[9],
    MEMBERS[10],
    MEMBERS[11],
    MEMBERS[12],
];

/// A new asset.
pub static NEW: Shape = Shape::Component(&Component {
    name: "NewAsset",
    doc: "A device. What its SKU tells need not be given.",
    shape: Shape::Object(NEW_MEMBERS),
});

const CHANGE_MEMBERS: &[Member] = &[
    MEMBERS[0].doc("That of the path."),
    MEMBERS[1],
    MEMBERS[2],
    MEMBERS[3],
    MEMBERS[4],
    MEMBERS[5],
    MEMBERS[6],
    MEMBERS[7],
    MEMBERS[8],
    CUSTOMER,
    RENTAL,
    MEMBERS[9],
    MEMBERS[10],
    MEMBERS[11],
    MEMBERS[12],
];

/// What changes of an asset.
pub static CHANGE: Shape = Shape::Component(&Component {
    name: "AssetChange",
    doc: "What changes of an asset. What is left out stays.",
    shape: Shape::Object(CHANGE_MEMBERS),
});

const SHOWN_MEMBERS: &[Member] = &[
    MEMBERS[0].needed(),
    MEMBERS[1].needed(),
    MEMBERS[2],
    member("productImageUrl", Shape::text(0, MAX_URL)),
    MEMBERS[4],
    MEMBERS[5].needed(),
    MEMBERS[6].needed(),
    MEMBERS[7].needed(),
    MEMBERS[8],
    CUSTOMER,
    RENTAL,
    MEMBERS[9],
    MEMBERS[10],
    MEMBERS[11],
    member("acquisitionDate", Shape::text(1, 40)),
    member("createdAt", Shape::text(1, 64)).needed(),
    member("updatedAt", Shape::text(1, 64)).needed(),
];

/// An asset as it is shown.
static ASSET_COMPONENT: Component =
    Component { name: "Asset", doc: "A device, by its serial number.", shape: Shape::Object(SHOWN_MEMBERS) };
/// An asset as it is shown.
pub static ASSET: Shape = Shape::Component(&ASSET_COMPONENT);

/// A page of assets.
pub static PAGE: Shape = Shape::Object(&[
    member("assets", Shape::List(&ASSET, 0, 100)).needed(),
    pages::COUNT,
    pages::LIMIT_SHOWN,
    pages::HAS_MORE,
    pages::NEXT_CURSOR,
]);

/// What became of an asset.
pub static SETTLED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", Shape::text(0, MAX_TEXT)).needed(),
    member("asset", Shape::Component(&ASSET_COMPONENT)).needed(),
]);

/// What became of an asset that is retired.
pub static RETIRED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", Shape::text(0, MAX_TEXT)).needed(),
    member("serialNumber", Shape::text(1, MAX_SERIAL)).needed(),
]);

const SORT_KEYS: &[&str] = &["createdAt", "updatedAt", "serialNumber", "status"];
const SORTS: &[(&str, Sort<Asset>)] = &[
    ("updatedAt", Sort::By(|asset| SortKey::Number(asset.updated.0))),
    ("serialNumber", Sort::By(|asset| SortKey::Text(asset.serial.0.clone()))),
    ("status", Sort::By(|asset| SortKey::Text(asset.status.as_str().to_owned()))),
];

/// The parameters of a list.
pub const LIST: &[Member] = &[
    LIMIT,
    START_AFTER,
    sort_by(SORT_KEYS),
    SORT_DIR,
    member("status", STATUS).doc("Those that are so."),
    member("sku", Shape::text(0, MAX_SKU)).doc("Those of this variant."),
    member("customerId", Shape::text(0, 200)).doc("Those that this customer has."),
    member("rentalId", Shape::text(0, 200)).doc("Those of this subscription."),
];

/// `POST /v1/assets`
pub fn create(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let mut body = asked.body();
    let serial = SerialNumber(body.needed("serialNumber"));
    let change = change(call, &mut body)?;
    Ok(Plan::write(move |call, tx, ctx| {
        let asset = assets::create(tx, ctx, serial.clone(), change.clone())?;
        Ok(settled("Asset created successfully", &asset, call).created().located(call, asset.serial.as_str()))
    }))
}

/// `GET /v1/assets`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let paging = pages::paging(&mut asked.query, SORTS);
    let filter = AssetFilter {
        status: asked.query.get::<String>("status").and_then(|word| AssetStatus::named(&word)),
        sku: asked.query.get("sku").map(Sku),
        customer: asked.query.get("customerId").map(CustomerId),
        rental: asked.query.get("rentalId").map(RentalId),
    };
    Ok(Plan::scan(move |call, read| {
        let page = assets::list(read, &call.account, &filter, &paging)?;
        let shown = Shown::of(call);
        let item = |asset: &Asset| object(asset, &shown);
        Ok(Answer::ok(pages::envelope("assets", &page, paging.limit, item, |asset| asset.serial.0.clone())))
    }))
}

/// `GET /v1/assets/{serialNumber}`
pub fn retrieve(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let serial = SerialNumber(asked.part(0));
    Ok(Plan::look(move |call, read| {
        let asset = assets::read(read, &call.account, &serial)?;
        Ok(Answer::ok(object(&asset, &Shown::of(call))))
    }))
}

/// `PUT` and `PATCH /v1/assets/{serialNumber}`, which do the same.
pub fn update(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let serial = SerialNumber(asked.part(0));
    let mut body = asked.body();
    if body.get::<String>("serialNumber").is_some_and(|given| given != serial.0) {
        return Err(other("serialNumber", "has to be that of the path"));
    }
    let change = change(call, &mut body)?;
    Ok(Plan::write(move |call, tx, ctx| {
        let asset = assets::update(tx, ctx, &serial, change.clone())?;
        Ok(settled("Asset updated successfully", &asset, call))
    }))
}

/// `DELETE /v1/assets/{serialNumber}`
pub fn retire(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let serial = SerialNumber(asked.part(0));
    Ok(Plan::write(move |_, tx, ctx| {
        let asset = assets::retire(tx, ctx, &serial)?;
        Ok(Answer::ok(
            Object::new()
                .and("success", true)
                .and("message", "Asset deleted successfully")
                .and("serialNumber", asset.serial.0),
        ))
    }))
}

fn change(call: &Call, body: &mut Fields) -> Result<AssetChange, Refusal> {
    if body.get::<String>("tenantId").is_some_and(|given| given != Shown::of(call).tenant) {
        return Err(other("tenantId", "has to be that of the `Tenant-ID` header"));
    }
    Ok(AssetChange {
        sku: body.get("sku").map(Sku),
        variant: body.get("variantId").map(VariantId),
        product: body.get("productId").map(ProductId),
        product_name: body.get("productName"),
        product_image: body.patch("productImageUrl"),
        status: body.get::<String>("status").and_then(|word| AssetStatus::named(&word)),
        location: emptied(body.patch("location")),
        notes: emptied(body.patch("notes")),
        condition: emptied(body.patch("condition")),
        acquisition_cost: body.get("acquisitionCost"),
        acquisition_date: body.get("acquisitionDate"),
        customer: body.get("customerId").map(CustomerId),
        rental: body.get("rentalId").map(RentalId),
    })
}

fn other(path: &str, why: &str) -> Refusal {
    Refusal::flaw(Flaw::rule(path, "custom", why))
}

fn settled(message: &'static str, asset: &Asset, call: &Call) -> Answer {
    Answer::ok(Object::new().and("success", true).and("message", message).and("asset", object(asset, &Shown::of(call))))
}

/// An asset as it is shown.
pub fn object(asset: &Asset, shown: &Shown) -> Object {
    let Asset {
        serial,
        created,
        updated,
        sku,
        variant,
        product,
        product_name,
        product_image,
        status,
        location,
        notes,
        condition,
        acquisition_cost,
        acquisition_date,
        customer,
        rental,
    } = asset;
    let mut object = Object::new()
        .and("serialNumber", serial.0.clone())
        .and("tenantId", shown.tenant.clone())
        .and("productId", product.0.clone());
    let text = |object: &mut Object, name: &'static str, value: Option<&String>| {
        if let Some(value) = value {
            object.add(name, value.clone());
        }
    };
    text(&mut object, "productImageUrl", product_image.as_ref());
    object.add("variantId", variant.0.clone());
    object.add("sku", sku.0.clone());
    object.add("productName", product_name.clone());
    object.add("status", status.as_str());
    text(&mut object, "location", location.as_ref());
    text(&mut object, "customerId", customer.as_ref().map(|customer| &customer.0));
    text(&mut object, "rentalId", rental.as_ref().map(|rental| &rental.0));
    text(&mut object, "notes", notes.as_ref());
    text(&mut object, "condition", condition.as_ref());
    if let Some(cost) = acquisition_cost {
        object.add("acquisitionCost", shown.money(*cost));
    }
    text(&mut object, "acquisitionDate", acquisition_date.as_ref());
    object.and("createdAt", time(*created)).and("updatedAt", time(*updated))
}
