//! Holdings: what a customer holds is kept in its own record, so that it is changed with it and shown with it.

use super::discount::Redeemed;
use super::instrument::Instrument;
use super::tax_id::TaxId;

/// Something that a customer holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Holding {
    /// What it pays with.
    Instrument(Instrument),
    /// What it redeemed, with the coupon as it was then.
    Discount(Box<Redeemed>),
    /// A number under which a tax office knows it.
    TaxId(TaxId),
}

impl Holding {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Holding::Instrument(instrument) => instrument.id().as_str(),
            Holding::Discount(redeemed) => redeemed.discount.id.as_str(),
            Holding::TaxId(tax_id) => tax_id.id.as_str(),
        }
    }
}

impl From<Instrument> for Holding {
    fn from(instrument: Instrument) -> Holding {
        Holding::Instrument(instrument)
    }
}

impl From<Redeemed> for Holding {
    fn from(redeemed: Redeemed) -> Holding {
        Holding::Discount(Box::new(redeemed))
    }
}

impl From<TaxId> for Holding {
    fn from(tax_id: TaxId) -> Holding {
        Holding::TaxId(tax_id)
    }
}
