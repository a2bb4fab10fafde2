//! Variants of all products: list them, and switch one on or off.

use std::sync::Arc;

use super::Shown;
use super::catalogue_shapes::{MAX_VARIANTS_OF_PAGE, variant_object};
use super::pages::{self, SORT_DIR, START_AFTER, sort_by};
use crate::domain::ids::{Sku, VariantId};
use crate::domain::product::{MAX_NAME, MAX_SKU, Variant, VariantStatus};
use crate::engine::listing::{Sort, SortKey};
use crate::engine::products::{self, VariantFilter};
use crate::http::json::Object;
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Plan, Refusal, Shape};

const SORT_KEYS: &[&str] = &["createdAt", "updatedAt", "variantSku", "variantName"];
const SORTS: &[(&str, Sort<Variant>)] = &[
    ("updatedAt", Sort::By(|variant| SortKey::Number(variant.updated.0))),
    ("variantSku", Sort::By(|variant| SortKey::Text(variant.sku.0.clone()))),
    ("variantName", Sort::By(|variant| SortKey::Text(variant.name.clone()))),
];

/// The parameters of a list.
pub const LIST: &[Member] = &[
    // QUIRK: 5000 by the specification, 50 by the guide.
    member("limit", Shape::Whole(1, MAX_VARIANTS_OF_PAGE as i64)).doc("How many at most; 5000 otherwise."),
    START_AFTER,
    sort_by(SORT_KEYS),
    SORT_DIR,
    member("status", Shape::Word(&["active", "inactive"])).doc("Those that are so."),
    member("productSku", Shape::trimmed(0, MAX_SKU)).doc("Those of this product."),
    member("grade", Shape::text(0, MAX_NAME)).doc("Those of this grade."),
];

/// `GET /v1/products/variants`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let limit =
        asked.query.get::<i64>("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_VARIANTS_OF_PAGE);
    let mut paging = pages::paging(&mut asked.query, SORTS);
    paging.limit = limit;
    let filter = VariantFilter {
        status: asked.query.get::<String>("status").and_then(|word| VariantStatus::named(&word)),
        product_sku: asked.query.get("productSku").map(Sku),
        grade: asked.query.get("grade"),
    };
    Ok(Plan::scan(move |call, read| {
        let page = products::variants(read, &call.account, &filter, &paging)?;
        let shown = Shown::of(call);
        let item = |variant: &Variant| variant_object(variant, &shown);
        Ok(Answer::ok(pages::envelope("variants", &page, paging.limit, item, |variant| variant.id.0.clone())))
    }))
}

/// `PATCH /v1/products/variants/{variantId}/status`, which guides tell of and the specification does not.
pub fn switch(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = VariantId(asked.part(0));
    let status = asked.body().get::<String>("status").and_then(|word| VariantStatus::named(&word));
    let status = status.unwrap_or(VariantStatus::Active);
    Ok(Plan::write(move |call, tx, ctx| {
        let variant = products::set_variant_status(tx, ctx, &id, status)?;
        Ok(Answer::ok(
            Object::new()
                .and("success", true)
                .and("message", "Variant status updated successfully")
                .and("variant", variant_object(&variant, &Shown::of(call))),
        ))
    }))
}
