//! Billing groups: create, read, list, update, delete. Rentals that join or leave take their open payments along.

use std::collections::BTreeMap;

use super::instalments::Instalments;
use super::listing::{Listed, Objects, Paging};
use super::{Ctx, Done, objects, rentals, tell};
use crate::domain::account::Account;
use crate::domain::billing_group::{
    BillingGroup, BillingGroupChange, GroupStatus, MAX_DAY, MAX_RENTALS, Member, NewBillingGroup,
};
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, rental_lists};
use crate::domain::ids::{BillingGroupId, CustomerId, RentalId};
use crate::domain::object::{List, ObjectKind};
use crate::domain::page::{Page, Place};
use crate::domain::period::day_of;
use crate::domain::rental::{Membership, Rental};
use crate::domain::rental_problem::RentalProblem;
use crate::domain::time::Time;
use crate::store::{Kept, Read, Tx};

/// What is noted with a payment that is given up because a group's takes its place, or the other way round.
const REGROUPED: &str = "It is billed elsewhere since the billing group changed.";

/// A group.
pub fn read(read: &mut dyn Read, account: &Account, id: &BillingGroupId) -> Done<BillingGroup> {
    Ok(find(read, account, id)?.ok_or_else(|| RentalProblem::NoSuchBillingGroup(id.clone()))?)
}

/// A group, if there is one of that id.
pub(super) fn find(read: &mut dyn Read, account: &Account, id: &BillingGroupId) -> Kept<Option<BillingGroup>> {
    objects::one(read, account.space, ObjectKind::BillingGroup, id.as_str())
}

/// Which groups to list.
#[derive(Clone, Debug, Default)]
pub struct GroupFilter {
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only those that are so.
    pub status: Option<GroupStatus>,
}

/// A page of groups.
pub fn list(
    read: &mut dyn Read,
    account: &Account,
    filter: &GroupFilter,
    paging: &Paging<BillingGroup>,
) -> Done<Page<BillingGroup>> {
    let GroupFilter { customer, status } = filter;
    let list = customer.as_ref().map_or(List::all(ObjectKind::BillingGroup), rental_lists::groups_of);
    let keep = |group: &BillingGroup| {
        customer.as_ref().is_none_or(|customer| group.customer == *customer)
            && status.is_none_or(|status| group.status == status)
    };
    Objects { space: account.space, list, kind: ObjectKind::BillingGroup, keep }.page(read, paging)
}

impl Listed for BillingGroup {
    fn place(&self) -> Place {
        Place { created: self.created, id: self.id.0.clone() }
    }
}

/// Makes a group of active rentals of one customer. They leave the groups in which they are.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, wish: NewBillingGroup, by: &str) -> Done<BillingGroup> {
    let NewBillingGroup { customer, name, day, rentals, notes } = wish;
    require_day(day)?;
    let holder = tx.customer(ctx.account.space, &customer)?;
    if holder.is_none_or(|holder| holder.deleted.is_some()) {
        return Err(RentalProblem::NoSuchHolder(customer).into());
    }
    let mut made = BillingGroup {
        id: BillingGroupId::mint(ctx.ids, ctx.now),
        created: ctx.now,
        updated: ctx.now,
        created_by: by.to_owned(),
        customer,
        name,
        day,
        members: Vec::new(),
        closed: [].into(),
        currency: ctx.account.default_currency,
        status: GroupStatus::Active,
        notes: notes.filter(|notes| !notes.is_empty()),
    };
    let mut moved = Moved::load(tx, ctx, None, &rentals)?;
    moved.fill(ctx, &mut made, &rentals)?;

    moved.save(tx, ctx)?;
    put(tx, ctx, None, made.clone())?;
    Ok(made)
}

/// Changes a group. Another set of rentals takes the place of the one before.
pub fn update(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &BillingGroupId, change: BillingGroupChange) -> Done<BillingGroup> {
    let before = read(tx, ctx.account, id)?;
    let BillingGroupChange { name, day, rentals, notes, status } = change;
    if let Some(day) = day {
        require_day(day)?;
    }
    let mut after = before.clone();
    after.name = name.unwrap_or(after.name);
    after.day = day.unwrap_or(after.day);
    after.status = status.unwrap_or(after.status);
    if let Some(notes) = notes {
        after.notes = Some(notes).filter(|notes| !notes.is_empty());
    }
    let moved = if rentals.is_some() || after.billing_day() != before.billing_day() {
        let wanted = rentals.unwrap_or_else(|| ids(&before));
        let mut moved = Moved::load(tx, ctx, Some(&before), &wanted)?;
        moved.fill(ctx, &mut after, &wanted)?;
        Some(moved)
    } else {
        None
    };
    if after == before {
        return Ok(after);
    }

    after.updated = ctx.now;
    if let Some(moved) = moved {
        moved.save(tx, ctx)?;
    }
    put(tx, ctx, Some(before), after.clone())?;
    Ok(after)
}

/// Removes a group. Its rentals are billed one by one again; what the group billed before today stays its own.
pub fn delete(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &BillingGroupId) -> Done<()> {
    let before = read(tx, ctx.account, id)?;
    let mut moved = Moved::load(tx, ctx, Some(&before), &[])?;
    let mut after = before.clone();
    moved.fill(ctx, &mut after, &[])?;

    moved.save(tx, ctx)?;
    let gone = Facts::from(before);
    objects::remove(tx, ctx, &gone)?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Deleted(gone), beside: Vec::new() })?;
    Ok(())
}

fn ids(group: &BillingGroup) -> Vec<RentalId> {
    group.members.iter().map(|member| member.rental.clone()).collect()
}

fn require_day(day: u8) -> Result<(), RentalProblem> {
    if (1..=MAX_DAY).contains(&day) { Ok(()) } else { Err(RentalProblem::InvalidBillingDay(day)) }
}

/// The group with a new rental, which is told so.
pub(super) fn joined(group: &BillingGroup, rental: &mut Rental, now: Time) -> Result<BillingGroup, RentalProblem> {
    if group.customer != rental.customer {
        return Err(RentalProblem::GroupOfOtherCustomer(group.id.clone()));
    }
    if group.members.len() >= MAX_RENTALS {
        return Err(RentalProblem::GroupFull(group.id.clone()));
    }
    let mut after = group.clone();
    after.members.push(Member { rental: rental.id.clone(), monthly: Some(rental.monthly) });
    after.updated = now;
    rental.group = Some(membership(&after, now));
    Ok(after)
}

/// How a rental is in a group from today on.
fn membership(group: &BillingGroup, now: Time) -> Membership {
    Membership { group: group.id.clone(), day: group.billing_day(), since: day_of(now), except: group.closed.clone() }
}

/// Rentals that go from group to group, with their payments and the other groups that they leave.
struct Moved {
    rentals: BTreeMap<RentalId, (Rental, Rental)>,
    others: BTreeMap<BillingGroupId, (BillingGroup, BillingGroup)>,
    instalments: Instalments,
}

impl Moved {
    /// The rentals of a group, if there is one already, and those that are to be in it. Nothing is asked for by the id of
    /// one that is being made: that is another one each time that the change is tried.
    fn load(tx: &mut dyn Tx, ctx: &Ctx<'_>, group: Option<&BillingGroup>, wanted: &[RentalId]) -> Done<Moved> {
        // The ids that a caller gives are as many as a group can have, or it is refused before anything is looked at.
        if wanted.len() > MAX_RENTALS {
            return Err(RentalProblem::TooManyInGroup.into());
        }
        let mine = group.map(ids).unwrap_or_default();
        // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
        let asked = wanted.iter().chain(mine.iter().filter(|id| !wanted.contains(id)));
        let found: Vec<(&RentalId, Kept<Option<Rental>>)> =
            asked.map(|id| (id, rentals::find(tx, ctx.account, id))).collect();
        let mut rentals = BTreeMap::new();
        for (place, (id, rental)) in found.into_iter().enumerate() {
            let rental = rental?.ok_or_else(|| RentalProblem::UnknownRental { place, id: id.clone() })?;
            rentals.insert(id.clone(), (rental.clone(), rental));
        }
        let theirs = rentals.values().filter_map(|(rental, _)| rental.group.as_ref());
        let mut theirs: Vec<BillingGroupId> = theirs.map(|membership| membership.group.clone()).collect();
        let own = group.map(|group| &group.id);
        theirs.extend(own.cloned());
        theirs.sort_unstable();
        theirs.dedup();
        let instalments = Instalments::load(tx, ctx.account, rentals.keys(), &theirs);
        let found: Vec<Kept<Option<BillingGroup>>> =
            theirs.iter().filter(|other| Some(*other) != own).map(|other| find(tx, ctx.account, other)).collect();
        let mut others = BTreeMap::new();
        for other in found {
            others.extend(other?.map(|other| (other.id.clone(), (other.clone(), other))));
        }
        Ok(Moved { rentals, others, instalments: instalments? })
    }

    /// Has these rentals in the group and no others, each once and in that order. One that ended stays where it is, and
    /// cannot come.
    fn fill(&mut self, ctx: &Ctx<'_>, group: &mut BillingGroup, wanted: &[RentalId]) -> Result<(), RentalProblem> {
        let today = day_of(ctx.now);
        let mut members: Vec<Member> = Vec::new();
        for (place, id) in wanted.iter().enumerate() {
            if members.iter().any(|member| member.rental == *id) {
                continue;
            }
            let Some((rental, _)) = self.rentals.get(id) else { continue };
            if rental.customer != group.customer {
                return Err(RentalProblem::RentalOfOtherCustomer { place: Some(place), id: id.clone() });
            }
            if !rental.is_active() && !group.members.iter().any(|member| member.rental == *id) {
                return Err(RentalProblem::MemberNotActive { place, status: rental.status() });
            }
            members.push(Member { rental: id.clone(), monthly: rental.is_active().then_some(rental.monthly) });
        }
        group.members = members;
        for (id, (before, after)) in &mut self.rentals {
            let stays = group.members.iter().any(|member| member.rental == *id);
            let was_here = before.group.as_ref().filter(|membership| membership.group == group.id);
            after.group = match (stays, was_here) {
                (true, Some(was)) => Some(Membership { day: group.billing_day(), ..was.clone() }),
                (true, None) => Some(membership(group, ctx.now)),
                (false, _) => None,
            };
            if after.group == before.group {
                continue;
            }
            after.updated = ctx.now;
            if let Some((_, other)) = before.group.as_ref().and_then(|was| self.others.get_mut(&was.group)) {
                other.members.retain(|member| member.rental != *id);
                other.updated = ctx.now;
            }
            after.billed.extend(self.instalments.overdue(id, today));
            if after.is_active() {
                self.instalments.follow(ctx, after, ctx.now, REGROUPED);
            }
        }
        Ok(())
    }

    fn save(self, tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Kept<()> {
        let Moved { rentals, others, instalments } = self;
        for (before, after) in rentals.into_values().filter(|(before, after)| before != after) {
            rentals::put(tx, ctx, Some(before), &after)?;
        }
        for (before, after) in others.into_values() {
            replace(tx, ctx, before, after)?;
        }
        instalments.save(tx, ctx)
    }
}

/// Puts a changed group in the place of the old one and tells of it; one that is unchanged stays as it is.
pub(super) fn replace(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: BillingGroup, after: BillingGroup) -> Kept<()> {
    if after == before {
        return Ok(());
    }
    put(tx, ctx, Some(before), BillingGroup { updated: ctx.now, ..after })
}

fn put(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Option<BillingGroup>, after: BillingGroup) -> Kept<()> {
    let (before, after) = (before.map(Facts::from), Facts::from(after));
    objects::put(tx, ctx, before.as_ref(), &after)?;
    let change = match before {
        None => ObjectChange::Created(after),
        Some(before) => ObjectChange::Updated { before, after },
    };
    tell(tx, ctx, Happening::Object { change, beside: Vec::new() })
}
