//! Products: make or change by SKU, list, retrieve, update, discontinue.

use std::sync::Arc;

use super::Shown;
use super::catalogue_shapes::{product_change, settled_object, whole_object};
use super::failure::at;
use super::pages::{self, LIMIT, SORT_DIR, START_AFTER, sort_by};
use crate::domain::catalogue::CatalogueProblem;
use crate::domain::ids::ProductId;
use crate::domain::problem::Problem;
use crate::domain::product::{MAX_NAME, Product, ProductChange, ProductStatus};
use crate::engine::Stop;
use crate::engine::listing::{Sort, SortKey};
use crate::engine::products::{self, ProductFilter, WithVariants};
use crate::http::json::Object;
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Halt, Plan, Refusal, Shape};

const SORT_KEYS: &[&str] = &["createdAt", "updatedAt", "name", "productSku"];
const SORTS: &[(&str, Sort<Product>)] = &[
    ("updatedAt", Sort::By(|product| SortKey::Number(product.updated.0))),
    ("name", Sort::By(|product| SortKey::Text(product.name.clone()))),
    ("productSku", Sort::By(|product| SortKey::Text(product.sku.0.clone()))),
];

/// The parameters of a list.
pub const LIST: &[Member] = &[
    LIMIT,
    START_AFTER,
    sort_by(SORT_KEYS),
    SORT_DIR,
    member("status", Shape::Word(&["active", "discontinued"])).doc("Those that are so."),
    member("category", Shape::text(0, MAX_NAME)).doc("Those of this category."),
    member("brand", Shape::text(0, MAX_NAME)).doc("Those of this brand."),
];

/// `POST /v1/products`
pub fn upsert(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let change = product_change(&mut asked.body(), call.account.default_currency.decimals())?;
    // 201 for a product that was there as well: no other status is documented.
    Ok(Plan::write(move |_, tx, ctx| {
        let settled = products::upsert(tx, ctx, change.clone()).map_err(|stop| named_in_body(&change, stop))?;
        Ok(Answer::later(move || settled_object(&settled)).created())
    }))
}

/// `GET /v1/products`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let paging = pages::paging(&mut asked.query, SORTS);
    let filter = ProductFilter {
        status: asked.query.get::<String>("status").and_then(|word| ProductStatus::named(&word)),
        category: asked.query.get("category"),
        brand: asked.query.get("brand"),
    };
    Ok(Plan::scan(move |call, read| {
        let page = products::list(read, &call.account, &filter, &paging)?;
        let shown = Shown::of(call);
        let item = |product: &WithVariants| whole_object(product, &shown);
        Ok(Answer::ok(pages::envelope("products", &page, paging.limit, item, |product| product.product.id.0.clone())))
    }))
}

/// `GET /v1/products/{productId}`
pub fn retrieve(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = ProductId(asked.part(0));
    Ok(Plan::scan(move |call, read| {
        let product = products::read(read, &call.account, &id)?;
        Ok(Answer::ok(whole_object(&product, &Shown::of(call))))
    }))
}

/// `PUT /v1/products/{productId}`
pub fn update(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = ProductId(asked.part(0));
    let change = product_change(&mut asked.body(), call.account.default_currency.decimals())?;
    Ok(Plan::write(move |_, tx, ctx| {
        let settled = products::update(tx, ctx, &id, change.clone()).map_err(|stop| named_in_body(&change, stop))?;
        Ok(Answer::later(move || settled_object(&settled)))
    }))
}

/// A problem of a variant, named by the place at which the body has the variant.
fn named_in_body(change: &ProductChange, stop: Stop) -> Halt {
    let (part, sku) = match &stop {
        Stop::Problem(Problem::Catalogue(CatalogueProblem::Missing { part, of: Some(sku) })) => (*part, sku),
        Stop::Problem(Problem::Catalogue(CatalogueProblem::InvalidPricing { sku, .. })) => ("pricing", sku),
        Stop::Problem(Problem::Catalogue(CatalogueProblem::OtherVariantId(sku))) => ("variantId", sku),
        Stop::Problem(Problem::Catalogue(CatalogueProblem::SkuTaken(sku))) => ("variantSku", sku),
        Stop::Problem(_) | Stop::Failure(_) => return stop.into(),
    };
    let place = change.variants.iter().position(|variant| variant.sku == *sku);
    match (place, stop) {
        (Some(place), Stop::Problem(problem)) => at(&format!("variants.{place}.{part}"), problem),
        (_, stop) => stop.into(),
    }
}

/// `DELETE /v1/products/{productId}`
pub fn discontinue(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = ProductId(asked.part(0));
    Ok(Plan::write(move |_, tx, ctx| {
        let product = products::discontinue(tx, ctx, &id)?;
        Ok(Answer::ok(
            Object::new()
                .and("success", true)
                .and("message", "Product discontinued successfully")
                .and("productId", product.id.0)
                .and("productSku", product.sku.0),
        ))
    }))
}
