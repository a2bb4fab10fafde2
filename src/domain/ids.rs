//! Names of things. An id is a prefix, `_`, and 26 lower-case Crockford base32 characters of a time-ordered 128-bit
//! number when we make it; any text when it came from an import. It is never decoded on the way in.

use std::fmt;

/// Hands out time-ordered 128-bit numbers, each larger than the one before within one process.
pub trait IdSource: Send + Sync {
    /// The next number for a thing made at `now_millis`.
    fn next(&self, now_millis: i64) -> u128;
    /// Fills `bytes` with unpredictable bytes (repeatable when the source is seeded).
    fn random(&self, bytes: &mut [u8]);
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes 128 bits as 26 lower-case Crockford base32 characters, most significant first.
pub fn crockford(number: u128) -> String {
    let mut text = String::with_capacity(26);
    for position in (0..26).rev() {
        text.push(ALPHABET[((number >> (position * 5)) & 31) as usize] as char);
    }
    text
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        name!($(#[$doc])* $name);

        impl $name {
            /// A new id for a thing made at `now`.
            pub fn mint(ids: &dyn IdSource, now: super::time::Time) -> $name {
                $name::numbered(ids.next(now.0))
            }

            /// The id with that number.
            pub fn numbered(number: u128) -> $name {
                $name(format!(concat!($prefix, "_{}"), crockford(number)))
            }
        }
    };
}

id!(
    /// A customer, `cus_…`.
    CustomerId, "cus"
);
id!(
    /// A balance transaction of a customer, `cbtxn_…`.
    BalanceTransactionId, "cbtxn"
);
id!(
    /// What tells coupons from each other that had the same id one after the other, `coupon_…`. Callers do not see it.
    CouponSerial, "coupon"
);
id!(
    /// A promotion code, `promo_…`.
    PromotionCodeId, "promo"
);
id!(
    /// A discount of a customer, `di_…`.
    DiscountId, "di"
);
id!(
    /// A movement of a customer's cash balance, `ccsbtxn_…`.
    CashTransactionId, "ccsbtxn"
);
id!(
    /// A tax id of a customer, `txi_…`.
    TaxIdId, "txi"
);
id!(
    /// A setup intent, `seti_…`.
    SetupIntentId, "seti"
);
id!(
    /// An attempt of a setup intent, `setatt_…`.
    SetupAttemptId, "setatt"
);
id!(
    /// A webhook endpoint, `we_…`, or another one that is told of events.
    WebhookEndpointId, "we"
);
id!(
    /// An order, `ord_…`.
    OrderId, "ord"
);
id!(
    /// A rental of one device, `sub_…`: FlexPortal calls it a subscription.
    RentalId, "sub"
);
id!(
    /// A payment for a rental or a billing group, `pay_…`.
    RentalPaymentId, "pay"
);
id!(
    /// A billing group, `bg_…`.
    BillingGroupId, "bg"
);
id!(
    /// A product, `prod_…`.
    ProductId, "prod"
);
id!(
    /// A variant of a product, `var_…`.
    VariantId, "var"
);
id!(
    /// A delivery of an event to an endpoint, `whd_…`.
    DeliveryId, "whd"
);
name!(
    /// A snapshot of a sandbox, `snap_…`.
    SnapshotId
);
id!(
    /// An address of a customer beside its billing address, `add_…`.
    CustomerAddressId, "add"
);
id!(
    /// A business of a customer, `biz_…`.
    BusinessId, "biz"
);
id!(
    /// An event, `evt_…`.
    EventId, "evt"
);
id!(
    /// A request, `req_…`.
    RequestId, "req"
);
id!(
    /// An account, `acct_…`.
    AccountId, "acct"
);

name!(
    /// What an account calls a product or a variant: whatever it chose.
    Sku
);
name!(
    /// The serial number of an asset.
    SerialNumber
);
name!(
    /// A coupon: whatever its maker chose.
    CouponId
);
name!(
    /// A token. The beginning says what it stands for: `tok_…`, `btok_…`, `pii_…`, `cvctok_…`.
    TokenId
);
name!(
    /// What a customer pays with. The beginning says in which API it was made: `card_…`, `ba_…`, `pm_…`, `src_…`.
    InstrumentId
);

impl TokenId {
    /// A new id for a thing made at `now` that begins like that.
    pub fn mint(beginning: &str, ids: &dyn IdSource, now: super::time::Time) -> TokenId {
        TokenId(format!("{beginning}_{}", crockford(ids.next(now.0))))
    }
}

impl InstrumentId {
    /// A new id for a thing made at `now` that begins like that.
    pub fn mint(beginning: &str, ids: &dyn IdSource, now: super::time::Time) -> InstrumentId {
        InstrumentId(format!("{beginning}_{}", crockford(ids.next(now.0))))
    }
}

impl SnapshotId {
    /// A new id. Where a snapshot is kept follows from it, so it must be the same each time that its making is run again:
    /// unlike other ids it says nothing of the moment.
    pub fn mint(ids: &dyn IdSource) -> SnapshotId {
        let mut bytes = [0; 16];
        ids.random(&mut bytes);
        SnapshotId(format!("snap_{}", crockford(u128::from_be_bytes(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::crockford;

    #[test]
    fn twenty_six_characters_keep_the_order_of_numbers() {
        assert_eq!(crockford(0), "0".repeat(26));
        assert_eq!(crockford(u128::MAX), format!("7{}", "z".repeat(25)));
        assert!(crockford(31) < crockford(32));
    }
}
