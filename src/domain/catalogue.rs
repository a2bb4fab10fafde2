//! What can be wrong with a wish about products, variants and assets.

use super::asset::AssetStatus;
use super::ids::{ProductId, SerialNumber, Sku, VariantId};

/// A refusal by the rules of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogueProblem {
    /// No product of that id in this space.
    NoSuchProduct(ProductId),
    /// No variant of that SKU in this space.
    NoSuchVariant(Sku),
    /// No variant of that id in this space.
    NoSuchVariantId(VariantId),
    /// No asset of that serial number in this space.
    NoSuchAsset(SerialNumber),
    /// A fact that something new must have is not stated.
    Missing {
        /// Its name in the API.
        part: &'static str,
        /// The new variant that lacks it; `None` for a product or an asset.
        of: Option<Sku>,
    },
    /// A fact that is stated is not that of the SKU; its name in the API.
    OtherThanOfSku(&'static str),
    /// A fact that only a rental changes is stated otherwise; its name in the API.
    OfRental(&'static str),
    /// A variant of another product has the SKU.
    SkuTaken(Sku),
    /// Another product has the SKU.
    ProductSkuTaken(Sku),
    /// The id that is stated with the SKU is not that of its variant.
    OtherVariantId(Sku),
    /// A SKU is stated more than once.
    SkuTwice(Sku),
    /// Variants of a product that is not offered any more cannot be ordered.
    Discontinued(ProductId),
    /// The product would have more variants than it can.
    TooManyVariants,
    /// The prices of a variant do not do.
    InvalidPricing {
        /// Of which.
        sku: Sku,
        /// Why.
        fault: PricingFault,
    },
    /// Orders that are not done want the product.
    ProductOrdered(ProductId),
    /// Orders that are not done want the variant.
    VariantInUse(Sku),
    /// The variant cannot be ordered, nor can there be new assets of it.
    VariantInactive(Sku),
    /// An asset has the serial number.
    AssetExists(SerialNumber),
    /// A rental has the asset.
    AssetInUse(SerialNumber),
    /// The asset is not to be had.
    AssetNotAvailable {
        /// Which.
        serial: SerialNumber,
        /// What it is instead.
        status: AssetStatus,
    },
    /// The asset is of another SKU than is wanted.
    SkuMismatch {
        /// Which asset.
        serial: SerialNumber,
        /// The SKU that is wanted.
        wanted: Sku,
    },
    /// Nobody states that an asset is, or becomes, that.
    InvalidStatus {
        /// What it is; `None` for a new one.
        from: Option<AssetStatus>,
        /// What it was to be.
        to: AssetStatus,
    },
    /// The serial number of a phone must be an IMEI.
    NotAnImei(SerialNumber),
}

/// What is wrong with prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PricingFault {
    /// There is none.
    NoPrice,
    /// There cannot be contracts of that many months.
    Length(u32),
    /// There is more than one for that many months.
    LengthTwice(u32),
}

impl CatalogueProblem {
    /// Whether the caller can mend the same request, as for [`Problem::is_of_parameters`](super::problem::Problem).
    pub fn is_of_parameters(&self) -> bool {
        match self {
            CatalogueProblem::Missing { .. }
            | CatalogueProblem::OtherThanOfSku(_)
            | CatalogueProblem::OfRental(_)
            | CatalogueProblem::OtherVariantId(_)
            | CatalogueProblem::SkuTwice(_)
            | CatalogueProblem::InvalidPricing { .. }
            | CatalogueProblem::InvalidStatus { .. }
            | CatalogueProblem::NotAnImei(_) => true,
            CatalogueProblem::NoSuchProduct(_)
            | CatalogueProblem::NoSuchVariant(_)
            | CatalogueProblem::NoSuchVariantId(_)
            | CatalogueProblem::NoSuchAsset(_)
            | CatalogueProblem::SkuTaken(_)
            | CatalogueProblem::ProductSkuTaken(_)
            | CatalogueProblem::Discontinued(_)
            | CatalogueProblem::TooManyVariants
            | CatalogueProblem::ProductOrdered(_)
            | CatalogueProblem::VariantInUse(_)
            | CatalogueProblem::VariantInactive(_)
            | CatalogueProblem::AssetExists(_)
            | CatalogueProblem::AssetInUse(_)
            | CatalogueProblem::AssetNotAvailable { .. }
            | CatalogueProblem::SkuMismatch { .. } => false,
        }
    }
}
