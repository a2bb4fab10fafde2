//! Assets: the devices themselves, each with a serial number, and how one goes from one status to another. What is rented
//! out changes by its rental alone.

use super::catalogue::CatalogueProblem;
use super::ids::{CustomerId, ProductId, RentalId, SerialNumber, Sku, VariantId};
use super::patch::Patch;
use super::product::{Product, Variant};
use super::time::Time;
use super::words::words;

/// The most characters of a serial number.
pub const MAX_SERIAL: usize = 200;
/// The most characters of a place.
pub const MAX_LOCATION: usize = 500;
/// The most characters of notes, and of what is said of a condition.
pub const MAX_NOTES: usize = 5_000;

words! {
    /// Where an asset is in its life.
    pub enum AssetStatus {
        /// It can be rented out.
        Available = "available",
        /// A customer has it.
        RentedOut = "rented_out",
        /// It came back and was not looked at yet.
        Returned = "returned",
        /// A customer bought it.
        Sold = "sold",
        /// It is broken, lost or retired.
        Unavailable = "unavailable",
    }
}

/// An asset, kept by its serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its serial number, which no other asset of the account has.
    pub serial: SerialNumber,
    /// When it was made.
    pub created: Time,
    /// When it changed.
    pub updated: Time,
    /// The variant that it is one of.
    pub sku: Sku,
    /// The same variant.
    pub variant: VariantId,
    /// What that is a variant of.
    pub product: ProductId,
    /// What it is called.
    pub product_name: String,
    /// Where a picture of it is.
    pub product_image: Option<String>,
    /// Where it is in its life.
    pub status: AssetStatus,
    /// Where it is.
    pub location: Option<String>,
    /// Notes about it.
    pub notes: Option<String>,
    /// How good it is.
    pub condition: Option<String>,
    /// What it cost the account, in minor units.
    pub acquisition_cost: Option<i64>,
    /// When the account got it: a date, or a moment of one, as it was written.
    pub acquisition_date: Option<String>,
    /// Who has it, or bought it.
    pub customer: Option<CustomerId>,
    /// The rental by which a customer has it; none when that is over, though it may still be out.
    pub rental: Option<RentalId>,
}

/// What a caller states of an asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetChange {
    /// Another variant.
    pub sku: Option<Sku>,
    /// The variant, which must be that of the SKU.
    pub variant: Option<VariantId>,
    /// The product, which must be that of the SKU.
    pub product: Option<ProductId>,
    /// What it is called.
    pub product_name: Option<String>,
    /// Where a picture of it is.
    pub product_image: Patch<String>,
    /// Where it is in its life.
    pub status: Option<AssetStatus>,
    /// Where it is.
    pub location: Patch<String>,
    /// Notes about it.
    pub notes: Patch<String>,
    /// How good it is.
    pub condition: Patch<String>,
    /// What it cost the account.
    pub acquisition_cost: Option<i64>,
    /// When the account got it.
    pub acquisition_date: Option<String>,
    /// Who has it, which must be who does.
    pub customer: Option<CustomerId>,
    /// By which rental, which must be the one.
    pub rental: Option<RentalId>,
}

impl Asset {
    /// A new asset of a variant. What is not stated comes from there; the account got it `today`.
    pub fn new(
        serial: SerialNumber,
        product: &Product,
        variant: &Variant,
        change: AssetChange,
        now: Time,
        today: String,
    ) -> Result<Asset, CatalogueProblem> {
        require_imei(&serial, product)?;
        let blank = Asset {
            serial,
            created: now,
            updated: now,
            sku: variant.sku.clone(),
            variant: variant.id.clone(),
            product: product.id.clone(),
            product_name: product.name.clone(),
            product_image: variant.images.first().or(product.images.first()).cloned(),
            status: change.status.unwrap_or(AssetStatus::Available),
            location: None,
            notes: None,
            condition: None,
            acquisition_cost: variant.acquisition_cost,
            acquisition_date: Some(today),
            customer: None,
            rental: None,
        };
        if let Some(to) = change.status.filter(|status| !status.can_be_stated()) {
            return Err(CatalogueProblem::InvalidStatus { from: None, to });
        }
        blank.with(None, change)
    }

    /// The asset with the change; its moment is not changed. `becomes` is what it is one of when it becomes one of another
    /// SKU.
    pub fn with(&self, becomes: Option<(&Product, &Variant)>, change: AssetChange) -> Result<Asset, CatalogueProblem> {
        let AssetChange {
            sku: _,
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
        } = change;
        let mut after = self.clone();
        if let Some((product, variant)) = becomes.filter(|(_, variant)| variant.sku != self.sku) {
            if self.rental.is_some() {
                return Err(CatalogueProblem::AssetInUse(self.serial.clone()));
            }
            require_imei(&self.serial, product)?;
            after.sku.clone_from(&variant.sku);
            after.variant.clone_from(&variant.id);
            after.product.clone_from(&product.id);
            after.product_name.clone_from(&product.name);
            after.product_image = variant.images.first().or(product.images.first()).cloned();
        }
        if variant.is_some_and(|variant| variant != after.variant) {
            return Err(CatalogueProblem::OtherThanOfSku("variantId"));
        }
        if product.is_some_and(|product| product != after.product) {
            return Err(CatalogueProblem::OtherThanOfSku("productId"));
        }
        if customer.is_some_and(|customer| Some(customer) != self.customer) {
            return Err(CatalogueProblem::OfRental("customerId"));
        }
        if rental.is_some_and(|rental| Some(rental) != self.rental) {
            return Err(CatalogueProblem::OfRental("rentalId"));
        }
        after.product_name = product_name.unwrap_or(after.product_name);
        product_image.onto(&mut after.product_image);
        location.onto(&mut after.location);
        notes.onto(&mut after.notes);
        condition.onto(&mut after.condition);
        after.acquisition_cost = acquisition_cost.or(after.acquisition_cost);
        after.acquisition_date = acquisition_date.or(after.acquisition_date);
        match status {
            Some(status) => after.stated(status),
            None => Ok(after),
        }
    }

    /// Goes to a customer by a rental of that SKU.
    pub fn rented_out(
        &self,
        wanted: &Sku,
        customer: &CustomerId,
        rental: &RentalId,
    ) -> Result<Asset, CatalogueProblem> {
        if self.status != AssetStatus::Available {
            return Err(CatalogueProblem::AssetNotAvailable { serial: self.serial.clone(), status: self.status });
        }
        if self.sku != *wanted {
            return Err(CatalogueProblem::SkuMismatch { serial: self.serial.clone(), wanted: wanted.clone() });
        }
        let (customer, rental) = (Some(customer.clone()), Some(rental.clone()));
        Ok(Asset { status: AssetStatus::RentedOut, customer, rental, ..self.clone() })
    }

    /// Came back.
    pub fn returned(&self) -> Asset {
        Asset { status: AssetStatus::Returned, customer: None, rental: None, ..self.clone() }
    }

    /// Was bought by who has it.
    pub fn sold(&self) -> Asset {
        Asset { status: AssetStatus::Sold, rental: None, ..self.clone() }
    }

    /// Is not to be had any more.
    pub fn unavailable(&self) -> Asset {
        Asset { status: AssetStatus::Unavailable, customer: None, rental: None, ..self.clone() }
    }

    /// Is still with the customer, though the rental is over: from now on somebody states what becomes of it.
    pub fn released(&self) -> Asset {
        Asset { rental: None, ..self.clone() }
    }

    /// Becomes what somebody states.
    fn stated(self, to: AssetStatus) -> Result<Asset, CatalogueProblem> {
        if to == self.status {
            return Ok(self);
        }
        if self.rental.is_some() {
            return Err(CatalogueProblem::AssetInUse(self.serial));
        }
        if !to.can_be_stated() || !self.status.becomes(to) {
            return Err(CatalogueProblem::InvalidStatus { from: Some(self.status), to });
        }
        Ok(Asset { status: to, customer: None, ..self })
    }
}

impl AssetStatus {
    /// Whether somebody states it: renting out and selling are done by rentals.
    fn can_be_stated(self) -> bool {
        match self {
            AssetStatus::Available | AssetStatus::Returned | AssetStatus::Unavailable => true,
            AssetStatus::RentedOut | AssetStatus::Sold => false,
        }
    }

    /// What an asset that no rental has can become. What was sold is its buyer's for good, and what nobody had does not come
    /// back.
    fn becomes(self, to: AssetStatus) -> bool {
        use AssetStatus::{Available, RentedOut, Returned, Sold, Unavailable};
        match self {
            Available => to == Unavailable,
            Unavailable => to == Available,
            Returned => matches!(to, Available | Unavailable),
            // Out without a rental: the rental was cancelled, and the device is waited for.
            RentedOut => matches!(to, Available | Returned | Unavailable),
            Sold => false,
        }
    }
}

/// Phones have an IMEI, fifteen digits, for a serial number: FlexPortal's guide to assets. Other things have what they have.
fn require_imei(serial: &SerialNumber, product: &Product) -> Result<(), CatalogueProblem> {
    let number = serial.as_str();
    let is_imei = number.len() == 15 && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_imei && is_of_phones(&product.category) {
        return Err(CatalogueProblem::NotAnImei(serial.clone()));
    }
    Ok(())
}

/// Whether a category is of phones, by its words.
fn is_of_phones(category: &str) -> bool {
    let lower = category.to_lowercase();
    let mut words = lower.split(|letter: char| !letter.is_alphanumeric());
    words.any(|word| matches!(word, "phone" | "phones" | "smartphone" | "smartphones" | "iphone" | "iphones"))
        || lower.contains("mobile device")
}
