//! Words for what is wrong with products, variants and assets.

use super::Said;
use crate::domain::catalogue::{CatalogueProblem, PricingFault};
use crate::domain::product::{MAX_MONTHS, MAX_VARIANTS};

/// What a rule about the catalogue says.
pub(super) fn said(problem: &CatalogueProblem) -> Said {
    let (status, code, about) = match problem {
        CatalogueProblem::NoSuchProduct(_)
        | CatalogueProblem::NoSuchVariantId(_)
        | CatalogueProblem::NoSuchAsset(_) => (404, "NOT_FOUND", None),
        CatalogueProblem::NoSuchVariant(_) => (404, "VARIANT_NOT_FOUND", Some(("sku", "not_found"))),
        CatalogueProblem::Missing { part, .. } => (400, "VALIDATION_ERROR", Some((*part, "invalid_type"))),
        CatalogueProblem::OtherThanOfSku(part) | CatalogueProblem::OfRental(part) => {
            (400, "VALIDATION_ERROR", Some((*part, "custom")))
        }
        CatalogueProblem::SkuTwice(_) => (400, "VALIDATION_ERROR", Some(("variants", "custom"))),
        CatalogueProblem::TooManyVariants => (400, "VALIDATION_ERROR", Some(("variants", "too_big"))),
        CatalogueProblem::NotAnImei(_) => (400, "VALIDATION_ERROR", Some(("serialNumber", "invalid_string"))),
        CatalogueProblem::SkuTaken(_) => (409, "DUPLICATE_SKU", Some(("variantSku", "custom"))),
        CatalogueProblem::ProductSkuTaken(_) => (409, "DUPLICATE_SKU", Some(("productSku", "custom"))),
        CatalogueProblem::OtherVariantId(_) => (400, "VALIDATION_ERROR", Some(("variantId", "custom"))),
        CatalogueProblem::Discontinued(_) | CatalogueProblem::InvalidStatus { .. } => {
            (400, "INVALID_STATUS", Some(("status", "custom")))
        }
        CatalogueProblem::InvalidPricing { .. } => (400, "INVALID_PRICING", Some(("pricing", "custom"))),
        CatalogueProblem::ProductOrdered(_) => (409, "PRODUCT_HAS_ACTIVE_ORDERS", None),
        CatalogueProblem::VariantInUse(_) => (409, "VARIANT_IN_USE", None),
        CatalogueProblem::VariantInactive(_) => (400, "VARIANT_INACTIVE", Some(("sku", "custom"))),
        CatalogueProblem::AssetExists(_) => (409, "ASSET_EXISTS", None),
        CatalogueProblem::AssetInUse(_) => (409, "ASSET_IN_USE", None),
        CatalogueProblem::AssetNotAvailable { .. } => (400, "ASSET_NOT_AVAILABLE", None),
        CatalogueProblem::SkuMismatch { .. } => (400, "SKU_MISMATCH", None),
    };
    let said = Said::new(status, code, sentence(problem));
    match about {
        Some((path, code)) => said.about(path, code),
        None => said,
    }
}

/// The code of something that is not there where a body refers to it.
pub(super) fn referred(problem: &CatalogueProblem) -> Option<&'static str> {
    match problem {
        CatalogueProblem::NoSuchAsset(_) => Some("ASSET_NOT_FOUND"),
        CatalogueProblem::NoSuchVariant(_) => Some("VARIANT_NOT_FOUND"),
        _ => None,
    }
}

/// The same for people.
pub fn sentence(problem: &CatalogueProblem) -> String {
    match problem {
        CatalogueProblem::NoSuchProduct(id) => format!("There is no product {id}."),
        CatalogueProblem::NoSuchVariant(sku) => format!("There is no variant {sku}."),
        CatalogueProblem::NoSuchVariantId(id) => format!("There is no variant {id}."),
        CatalogueProblem::NoSuchAsset(serial) => format!("There is no asset {serial}."),
        CatalogueProblem::Missing { part, of: None } => format!("`{part}` has to be given."),
        CatalogueProblem::Missing { part, of: Some(sku) } => {
            format!("`{part}` has to be given: there is no variant {sku} yet.")
        }
        CatalogueProblem::OtherThanOfSku(part) => format!("`{part}` is not that of the SKU."),
        CatalogueProblem::OfRental(part) => format!("`{part}` is changed by a subscription only."),
        CatalogueProblem::OtherVariantId(sku) => format!("`variantId` is not that of the variant {sku}."),
        CatalogueProblem::SkuTaken(sku) | CatalogueProblem::ProductSkuTaken(sku) => {
            format!("The SKU {sku} belongs to another product.")
        }
        CatalogueProblem::SkuTwice(sku) => format!("The variant {sku} is given twice."),
        CatalogueProblem::Discontinued(id) => {
            format!("The product {id} is discontinued, so no variant of it can be active.")
        }
        CatalogueProblem::TooManyVariants => format!("A product can have at most {MAX_VARIANTS} variants."),
        CatalogueProblem::InvalidPricing { sku, fault } => match fault {
            PricingFault::NoPrice => format!("The variant {sku} has to have a price."),
            PricingFault::Length(months) => {
                format!("The variant {sku} cannot have a price for {months} months: contracts have 1 to {MAX_MONTHS}.")
            }
            PricingFault::LengthTwice(months) => format!("The variant {sku} has two prices for {months} months."),
        },
        CatalogueProblem::ProductOrdered(id) => {
            format!("Orders that are not fulfilled ask for the product {id}: fulfil or cancel them first.")
        }
        CatalogueProblem::VariantInUse(sku) => {
            format!("Orders that are not fulfilled ask for the variant {sku}: fulfil or cancel them first.")
        }
        CatalogueProblem::VariantInactive(sku) => format!("The variant {sku} is inactive."),
        CatalogueProblem::AssetExists(serial) => format!("There is an asset {serial} already."),
        CatalogueProblem::AssetInUse(serial) => format!("The asset {serial} is in a subscription: end that first."),
        CatalogueProblem::AssetNotAvailable { serial, status } => {
            format!("The asset {serial} is {}, not available.", status.as_str())
        }
        CatalogueProblem::SkuMismatch { serial, wanted } => format!("The asset {serial} is no {wanted}."),
        CatalogueProblem::InvalidStatus { from: None, to } => {
            format!("A new asset cannot be {}.", to.as_str())
        }
        CatalogueProblem::InvalidStatus { from: Some(from), to } => {
            format!("An asset that is {} cannot be made {}.", from.as_str(), to.as_str())
        }
        CatalogueProblem::NotAnImei(serial) => {
            format!("The serial number of a phone is its IMEI, 15 digits; {serial} is none.")
        }
    }
}
