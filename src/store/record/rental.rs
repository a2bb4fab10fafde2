//! The shape of a rental.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::customer::read_currency;
use super::{Text, Unreadable, borrowed, is_default, owned, word};
use crate::domain::ids::{BillingGroupId, CustomerId, OrderId, ProductId, RentalId, SerialNumber, Sku, VariantId};
use crate::domain::money::Currency;
use crate::domain::period::Period;
use crate::domain::rental::{
    BuyoutParts, BuyoutReason, CancellationReason, CapturedPrice, Ended, Ending, Extension, Membership, PriceSource,
    Rental, Replacement, ReplacementReason, ReturnCondition, ReturnMethod, ReturnParts,
};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct RentalShape<'a> {
    id: Text<'a>,
    created: i64,
    updated: i64,
    created_by: Text<'a>,
    customer: Text<'a>,
    customer_email: Text<'a>,
    customer_name: Text<'a>,
    order: Text<'a>,
    serial: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<Text<'a>>,
    sku: Text<'a>,
    product_name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Text<'a>>,
    monthly: i64,
    currency: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_price: Option<PriceShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquisition_cost: Option<PriceShape<'a>>,
    original_months: u32,
    months: u32,
    start: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<EndedShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<MembershipShape<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    collected: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    billed: Vec<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    extensions: Vec<ExtensionShape<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replacements: Vec<ReplacementShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgraded_from: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct PriceShape<'a> {
    amount: i64,
    source: Text<'a>,
    captured: i64,
}

#[derive(Serialize, Deserialize)]
struct MembershipShape<'a> {
    group: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<u8>,
    since: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    except: Vec<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct ExtensionShape<'a> {
    months: u32,
    old_months: u32,
    old_monthly: i64,
    new_monthly: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Text<'a>>,
    by: Text<'a>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct ReplacementShape<'a> {
    old_serial: Text<'a>,
    new_serial: Text<'a>,
    reason: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage_assessment: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    insurance_claim: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Text<'a>>,
    by: Text<'a>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct EndedShape<'a> {
    at: i64,
    by: Text<'a>,
    how: EndingShape<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndingShape<'a> {
    Buyout {
        price: i64,
        #[serde(default, skip_serializing_if = "is_default")]
        manual: bool,
        remaining_months: u32,
        #[serde(default, skip_serializing_if = "is_default")]
        remaining: i64,
        #[serde(default, skip_serializing_if = "is_default")]
        list_hundredths: i64,
        #[serde(default, skip_serializing_if = "is_default")]
        list_part: i64,
        #[serde(default, skip_serializing_if = "is_default")]
        flat: i64,
        reason: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        words: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        notes: Option<Text<'a>>,
    },
    Return {
        fee: i64,
        #[serde(default, skip_serializing_if = "is_default")]
        waived: bool,
        #[serde(default, skip_serializing_if = "is_default")]
        manual: bool,
        method: Text<'a>,
        remaining_months: u32,
        #[serde(default, skip_serializing_if = "is_default")]
        part_hundredths: i64,
        #[serde(default, skip_serializing_if = "is_default")]
        grace: bool,
        days: u32,
        condition: Text<'a>,
        reason: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        damage_assessment: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        notes: Option<Text<'a>>,
    },
    Upgrade {
        to: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Text<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        notes: Option<Text<'a>>,
    },
    Cancellation {
        reason: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        notes: Option<Text<'a>>,
    },
}

impl<'a> From<&'a Rental> for RentalShape<'a> {
    fn from(rental: &'a Rental) -> RentalShape<'a> {
        let Rental {
            id: RentalId(id),
            created,
            updated,
            created_by,
            customer: CustomerId(customer),
            customer_email,
            customer_name,
            order: OrderId(order),
            serial,
            product,
            variant,
            sku,
            product_name,
            image,
            monthly,
            currency,
            list_price,
            acquisition_cost,
            original_months,
            months,
            start,
            ended,
            group,
            collected,
            billed,
            extensions,
            replacements,
            upgraded_from,
            notes,
        } = rental;
        RentalShape {
            id: Cow::Borrowed(id),
            created: created.0,
            updated: updated.0,
            created_by: Cow::Borrowed(created_by),
            customer: Cow::Borrowed(customer),
            customer_email: Cow::Borrowed(customer_email),
            customer_name: Cow::Borrowed(customer_name),
            order: Cow::Borrowed(order),
            serial: Cow::Borrowed(serial.as_str()),
            product: product.as_ref().map(|ProductId(id)| Cow::Borrowed(id.as_str())),
            variant: variant.as_ref().map(|VariantId(id)| Cow::Borrowed(id.as_str())),
            sku: Cow::Borrowed(sku.as_str()),
            product_name: Cow::Borrowed(product_name),
            image: borrowed(image),
            monthly: *monthly,
            currency: Cow::Borrowed(Currency::as_str(currency)),
            list_price: list_price.as_ref().map(PriceShape::from),
            acquisition_cost: acquisition_cost.as_ref().map(PriceShape::from),
            original_months: *original_months,
            months: *months,
            start: start.0,
            ended: ended.as_ref().map(EndedShape::from),
            group: group.as_ref().map(MembershipShape::from),
            collected: *collected,
            billed: billed.iter().map(|period| Cow::Owned(period.to_string())).collect(),
            extensions: extensions.iter().map(ExtensionShape::from).collect(),
            replacements: replacements.iter().map(ReplacementShape::from).collect(),
            upgraded_from: upgraded_from.as_ref().map(|RentalId(id)| Cow::Borrowed(id.as_str())),
            notes: borrowed(notes),
        }
    }
}

impl TryFrom<RentalShape<'_>> for Rental {
    type Error = Unreadable;

    fn try_from(shape: RentalShape<'_>) -> Result<Rental, Unreadable> {
        let RentalShape {
            id,
            created,
            updated,
            created_by,
            customer,
            customer_email,
            customer_name,
            order,
            serial,
            product,
            variant,
            sku,
            product_name,
            image,
            monthly,
            currency,
            list_price,
            acquisition_cost,
            original_months,
            months,
            start,
            ended,
            group,
            collected,
            billed,
            extensions,
            replacements,
            upgraded_from,
            notes,
        } = shape;
        Ok(Rental {
            id: RentalId(id.into_owned()),
            created: Time(created),
            updated: Time(updated),
            created_by: created_by.into_owned(),
            customer: CustomerId(customer.into_owned()),
            customer_email: customer_email.into_owned(),
            customer_name: customer_name.into_owned(),
            order: OrderId(order.into_owned()),
            serial: SerialNumber(serial.into_owned()),
            product: owned(product).map(ProductId),
            variant: owned(variant).map(VariantId),
            sku: Sku(sku.into_owned()),
            product_name: product_name.into_owned(),
            image: owned(image),
            monthly,
            currency: read_currency(&currency)?,
            list_price: list_price.map(CapturedPrice::try_from).transpose()?,
            acquisition_cost: acquisition_cost.map(CapturedPrice::try_from).transpose()?,
            original_months,
            months,
            start: Time(start),
            ended: ended.map(Ended::try_from).transpose()?,
            group: group.map(Membership::try_from).transpose()?,
            collected,
            billed: billed.iter().map(|text| word("period", text, Period::parse)).collect::<Result<_, _>>()?,
            extensions: extensions.into_iter().map(Extension::from).collect(),
            replacements: replacements.into_iter().map(Replacement::try_from).collect::<Result<_, _>>()?,
            upgraded_from: owned(upgraded_from).map(RentalId),
            notes: owned(notes),
        })
    }
}

impl From<&CapturedPrice> for PriceShape<'_> {
    fn from(price: &CapturedPrice) -> PriceShape<'static> {
        let CapturedPrice { amount, source, captured } = price;
        PriceShape { amount: *amount, source: Cow::Borrowed(source.as_str()), captured: captured.0 }
    }
}

impl TryFrom<PriceShape<'_>> for CapturedPrice {
    type Error = Unreadable;

    fn try_from(shape: PriceShape<'_>) -> Result<CapturedPrice, Unreadable> {
        let PriceShape { amount, source, captured } = shape;
        Ok(CapturedPrice { amount, source: word("source", &source, PriceSource::named)?, captured: Time(captured) })
    }
}

impl<'a> From<&'a Membership> for MembershipShape<'a> {
    fn from(membership: &'a Membership) -> MembershipShape<'a> {
        let Membership { group: BillingGroupId(group), day, since, except } = membership;
        let except = except.iter().map(|period| Cow::Owned(period.to_string())).collect();
        MembershipShape { group: Cow::Borrowed(group), day: *day, since: since.0, except }
    }
}

impl TryFrom<MembershipShape<'_>> for Membership {
    type Error = Unreadable;

    fn try_from(shape: MembershipShape<'_>) -> Result<Membership, Unreadable> {
        let MembershipShape { group, day, since, except } = shape;
        let except = except.iter().map(|text| word("period", text, Period::parse)).collect::<Result<_, _>>()?;
        Ok(Membership { group: BillingGroupId(group.into_owned()), day, since: Time(since), except })
    }
}

impl<'a> From<&'a Extension> for ExtensionShape<'a> {
    fn from(extension: &'a Extension) -> ExtensionShape<'a> {
        let Extension { months, old_months, old_monthly, new_monthly, reason, notes, by, at } = extension;
        ExtensionShape {
            months: *months,
            old_months: *old_months,
            old_monthly: *old_monthly,
            new_monthly: *new_monthly,
            reason: borrowed(reason),
            notes: borrowed(notes),
            by: Cow::Borrowed(by),
            at: at.0,
        }
    }
}

impl From<ExtensionShape<'_>> for Extension {
    fn from(shape: ExtensionShape<'_>) -> Extension {
        let ExtensionShape { months, old_months, old_monthly, new_monthly, reason, notes, by, at } = shape;
        Extension {
            months,
            old_months,
            old_monthly,
            new_monthly,
            reason: owned(reason),
            notes: owned(notes),
            by: by.into_owned(),
            at: Time(at),
        }
    }
}

impl<'a> From<&'a Replacement> for ReplacementShape<'a> {
    fn from(replacement: &'a Replacement) -> ReplacementShape<'a> {
        let Replacement { old_serial, new_serial, reason, words, damage_assessment, insurance_claim, notes, by, at } =
            replacement;
        ReplacementShape {
            old_serial: Cow::Borrowed(old_serial.as_str()),
            new_serial: Cow::Borrowed(new_serial.as_str()),
            reason: Cow::Borrowed(reason.as_str()),
            words: borrowed(words),
            damage_assessment: borrowed(damage_assessment),
            insurance_claim: *insurance_claim,
            notes: borrowed(notes),
            by: Cow::Borrowed(by),
            at: at.0,
        }
    }
}

impl TryFrom<ReplacementShape<'_>> for Replacement {
    type Error = Unreadable;

    fn try_from(shape: ReplacementShape<'_>) -> Result<Replacement, Unreadable> {
        let ReplacementShape {
            old_serial,
            new_serial,
            reason,
            words,
            damage_assessment,
            insurance_claim,
            notes,
            by,
            at,
        } = shape;
        Ok(Replacement {
            old_serial: SerialNumber(old_serial.into_owned()),
            new_serial: SerialNumber(new_serial.into_owned()),
            reason: word("reason", &reason, ReplacementReason::named)?,
            words: owned(words),
            damage_assessment: owned(damage_assessment),
            insurance_claim,
            notes: owned(notes),
            by: by.into_owned(),
            at: Time(at),
        })
    }
}

impl<'a> From<&'a Ended> for EndedShape<'a> {
    fn from(ended: &'a Ended) -> EndedShape<'a> {
        let Ended { at, by, how } = ended;
        let how = match how {
            Ending::Buyout { price, manual, parts, reason, words, notes } => {
                let BuyoutParts { remaining_months, remaining, list_hundredths, list_part, flat } = *parts;
                EndingShape::Buyout {
                    price: *price,
                    manual: *manual,
                    remaining_months,
                    remaining,
                    list_hundredths,
                    list_part,
                    flat,
                    reason: Cow::Borrowed(reason.as_str()),
                    words: borrowed(words),
                    notes: borrowed(notes),
                }
            }
            Ending::Return { fee, waived, manual, parts, condition, reason, damage_assessment, notes } => {
                let ReturnParts { method, remaining_months, part_hundredths, grace, days } = *parts;
                EndingShape::Return {
                    fee: *fee,
                    waived: *waived,
                    manual: *manual,
                    method: Cow::Borrowed(method.as_str()),
                    remaining_months,
                    part_hundredths,
                    grace,
                    days,
                    condition: Cow::Borrowed(condition.as_str()),
                    reason: Cow::Borrowed(reason),
                    damage_assessment: borrowed(damage_assessment),
                    notes: borrowed(notes),
                }
            }
            Ending::Upgrade { to: RentalId(to), reason, notes } => {
                EndingShape::Upgrade { to: Cow::Borrowed(to), reason: borrowed(reason), notes: borrowed(notes) }
            }
            Ending::Cancellation { reason, notes } => {
                EndingShape::Cancellation { reason: Cow::Borrowed(reason.as_str()), notes: borrowed(notes) }
            }
        };
        EndedShape { at: at.0, by: Cow::Borrowed(by), how }
    }
}

impl TryFrom<EndedShape<'_>> for Ended {
    type Error = Unreadable;

    fn try_from(shape: EndedShape<'_>) -> Result<Ended, Unreadable> {
        let EndedShape { at, by, how } = shape;
        let how = match how {
            EndingShape::Buyout {
                price,
                manual,
                remaining_months,
                remaining,
                list_hundredths,
                list_part,
                flat,
                reason,
                words,
                notes,
            } => Ending::Buyout {
                price,
                manual,
                parts: BuyoutParts { remaining_months, remaining, list_hundredths, list_part, flat },
                reason: word("reason", &reason, BuyoutReason::named)?,
                words: owned(words),
                notes: owned(notes),
            },
            EndingShape::Return {
                fee,
                waived,
                manual,
                method,
                remaining_months,
                part_hundredths,
                grace,
                days,
                condition,
                reason,
                damage_assessment,
                notes,
            } => {
                let method = word("method", &method, ReturnMethod::named)?;
                Ending::Return {
                    fee,
                    waived,
                    manual,
                    parts: ReturnParts { method, remaining_months, part_hundredths, grace, days },
                    condition: word("condition", &condition, ReturnCondition::named)?,
                    reason: reason.into_owned(),
                    damage_assessment: owned(damage_assessment),
                    notes: owned(notes),
                }
            }
            EndingShape::Upgrade { to, reason, notes } => {
                Ending::Upgrade { to: RentalId(to.into_owned()), reason: owned(reason), notes: owned(notes) }
            }
            EndingShape::Cancellation { reason, notes } => Ending::Cancellation {
                reason: word("reason", &reason, CancellationReason::named)?,
                notes: owned(notes),
            },
        };
        Ok(Ended { at: Time(at), by: by.into_owned(), how })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::money::SUPPORTED;
    use crate::store::record::rental_payment::tests::periods;

    fn text() -> impl Strategy<Value = Option<String>> {
        option::of(any::<String>())
    }

    fn prices() -> impl Strategy<Value = CapturedPrice> {
        (any::<i64>(), select(PriceSource::ALL), any::<i64>()).prop_map(|(amount, source, captured)| CapturedPrice {
            amount,
            source,
            captured: Time(captured),
        })
    }

    fn endings() -> impl Strategy<Value = Ending> {
        let buyout_parts = (any::<u32>(), any::<[i64; 4]>()).prop_map(|(remaining_months, amounts)| BuyoutParts {
            remaining_months,
            remaining: amounts[0],
            list_hundredths: amounts[1],
            list_part: amounts[2],
            flat: amounts[3],
        });
        let return_parts = (select(ReturnMethod::ALL), any::<(u32, i64, bool, u32)>()).prop_map(
            |(method, (remaining_months, part_hundredths, grace, days))| ReturnParts {
                method,
                remaining_months,
                part_hundredths,
                grace,
                days,
            },
        );
        let buyout = (any::<(i64, bool)>(), buyout_parts, select(BuyoutReason::ALL), text(), text()).prop_map(
            |((price, manual), parts, reason, words, notes)| Ending::Buyout {
                price,
                manual,
                parts,
                reason,
                words,
                notes,
            },
        );
        let texts = (any::<String>(), text(), text());
        let returned = (any::<(i64, bool, bool)>(), return_parts, select(ReturnCondition::ALL), texts).prop_map(
            |((fee, waived, manual), parts, condition, (reason, damage_assessment, notes))| Ending::Return {
                fee,
                waived,
                manual,
                parts,
                condition,
                reason,
                damage_assessment,
                notes,
            },
        );
        let upgrade = (any::<String>(), text(), text()).prop_map(|(to, reason, notes)| Ending::Upgrade {
            to: RentalId(to),
            reason,
            notes,
        });
        let cancellation = (select(CancellationReason::ALL), text())
            .prop_map(|(reason, notes)| Ending::Cancellation { reason, notes });
        prop_oneof![buyout, returned, upgrade, cancellation]
    }

    fn extensions() -> impl Strategy<Value = Extension> {
        (any::<(u32, u32, i64, i64, i64)>(), text(), text(), any::<String>()).prop_map(
            |((months, old_months, old_monthly, new_monthly, at), reason, notes, by)| Extension {
                months,
                old_months,
                old_monthly,
                new_monthly,
                reason,
                notes,
                by,
                at: Time(at),
            },
        )
    }

    fn replacements() -> impl Strategy<Value = Replacement> {
        let names = (any::<String>(), any::<String>(), any::<String>());
        (names, select(ReplacementReason::ALL), any::<(bool, i64)>(), text(), text(), text()).prop_map(
            |(names, reason, (insurance_claim, at), damage_assessment, notes, words)| Replacement {
                words,
                old_serial: SerialNumber(names.0),
                new_serial: SerialNumber(names.1),
                reason,
                damage_assessment,
                insurance_claim,
                notes,
                by: names.2,
                at: Time(at),
            },
        )
    }

    /// Rentals of any facts.
    pub(crate) fn rentals() -> impl Strategy<Value = Rental> {
        let ids = (any::<[u32; 5]>(), any::<String>(), any::<String>(), text(), text(), text(), text());
        let names = (any::<String>(), any::<String>(), any::<String>(), any::<String>(), text());
        let figures = (any::<[i64; 5]>(), any::<[u32; 2]>(), select(&SUPPORTED[..]), option::of(prices()));
        let ended = option::of((any::<i64>(), any::<String>(), endings()));
        let group = (any::<String>(), option::of(any::<u8>()), any::<i64>(), btree_set(periods(), 0..3));
        let group = option::of(group);
        let histories = (vec(extensions(), 0..3), vec(replacements(), 0..3), btree_set(periods(), 0..3));
        (ids, names, figures, option::of(prices()), ended.boxed(), group, histories.boxed()).prop_map(
            |(ids, names, figures, acquisition_cost, ended, group, histories)| Rental {
                id: RentalId(format!("sub_{}", ids.0[0])),
                created: Time(figures.0[0]),
                updated: Time(figures.0[1]),
                created_by: ids.1,
                customer: CustomerId(format!("cus_{}", ids.0[1])),
                customer_email: names.0,
                customer_name: names.1,
                order: OrderId(format!("ord_{}", ids.0[2])),
                serial: SerialNumber(ids.2),
                product: ids.3.map(ProductId),
                variant: ids.4.map(VariantId),
                sku: Sku(names.2),
                product_name: names.3,
                image: names.4,
                monthly: figures.0[2],
                currency: Currency::parse(figures.2).expect("it is supported"),
                list_price: figures.3,
                acquisition_cost,
                original_months: figures.1[0],
                months: figures.1[1],
                start: Time(figures.0[3]),
                ended: ended.map(|(at, by, how)| Ended { at: Time(at), by, how }),
                group: group.map(|(group, day, since, except)| Membership {
                    except,
                    group: BillingGroupId(group),
                    day,
                    since: Time(since),
                }),
                collected: figures.0[4],
                billed: histories.2,
                extensions: histories.0,
                replacements: histories.1,
                upgraded_from: ids.5.map(RentalId),
                notes: ids.6,
            },
        )
    }
}
