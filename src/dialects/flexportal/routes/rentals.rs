//! The operations on subscriptions, payments and billing groups.

use hyper::Method;

use super::super::{
    billing_groups as groups, payments, subscription_quotes as quotes, subscription_shapes as shapes, subscriptions,
};
use crate::domain::api_key::{Access, Resource};
use crate::rest::operation::{Says, says};
use crate::rest::shape::{Member, member};
use crate::rest::{Intake, Operation, Shape};

const LOCATION: &[Member] = &[member("Location", Shape::text(1, 2_000)).needed().doc("Where it is.")];

const CREATED_SUBSCRIPTION: Says =
    Says { status: 201, doc: "The subscription began.", shape: Some(&shapes::MADE), headers: LOCATION };

const CREATED_GROUP: Says =
    Says { status: 201, doc: "The billing group was made.", shape: Some(&groups::SETTLED), headers: LOCATION };

/// `POST /v1/subscriptions`
pub const CREATE_SUBSCRIPTION: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions",
    name: "createSubscription",
    summary: "Create a subscription",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Write,
    parts: &[],
    query: &[],
    takes: Intake::Body(&shapes::NEW),
    says: &[CREATED_SUBSCRIPTION],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::create,
};

/// `GET /v1/subscriptions`
pub const LIST_SUBSCRIPTIONS: Operation = Operation {
    method: Method::GET,
    path: "/v1/subscriptions",
    name: "listSubscriptions",
    summary: "List subscriptions",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Read,
    parts: &[],
    query: subscriptions::LIST,
    takes: Intake::Nothing,
    says: &[says(200, "A page of subscriptions.", &shapes::PAGE)],
    refuses: &[],
    tagged: false,
    plan: subscriptions::list,
};

/// `POST /v1/subscriptions/calculate-buyout`
pub const CALCULATE_BUYOUT: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions/calculate-buyout",
    name: "calculateBuyoutPrice",
    summary: "Calculate the price of a buyout",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Read,
    parts: &[],
    query: &[],
    takes: Intake::Body(&shapes::CALCULATE),
    says: &[says(200, "What it would cost now. Nothing is changed.", &quotes::BUYOUT)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::calculate_buyout,
};

/// `POST /v1/subscriptions/calculate-early-return-fee`
pub const CALCULATE_EARLY_RETURN: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions/calculate-early-return-fee",
    name: "calculateEarlyReturnFee",
    summary: "Calculate the fee of an early return",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Read,
    parts: &[],
    query: &[],
    takes: Intake::Body(&shapes::CALCULATE),
    says: &[says(200, "What it would cost now. Nothing is changed.", &quotes::EARLY_RETURN)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::calculate_early_return,
};

/// `GET /v1/subscriptions/{subscriptionId}`
pub const GET_SUBSCRIPTION: Operation = Operation {
    method: Method::GET,
    path: "/v1/subscriptions/{subscriptionId}",
    name: "getSubscription",
    summary: "Get a subscription",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Read,
    parts: subscriptions::PARTS,
    query: &[],
    takes: Intake::Nothing,
    says: &[says(200, "The subscription.", &shapes::SUBSCRIPTION)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::retrieve,
};

/// `POST /v1/subscriptions/{subscriptionId}/extend`
pub const EXTEND_SUBSCRIPTION: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions/{subscriptionId}/extend",
    name: "extendSubscription",
    summary: "Make the contract longer",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Write,
    parts: subscriptions::PARTS,
    query: &[],
    takes: Intake::Body(&shapes::EXTEND),
    says: &[says(200, "The contract is longer.", &shapes::EXTENDED)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::extend,
};

/// `POST /v1/subscriptions/{subscriptionId}/upgrade`
pub const UPGRADE_SUBSCRIPTION: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions/{subscriptionId}/upgrade",
    name: "upgradeSubscription",
    summary: "Give another device on a new contract",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Write,
    parts: subscriptions::PARTS,
    query: &[],
    takes: Intake::Body(&shapes::UPGRADE),
    says: &[says(200, "The old subscription ended, a new one began.", &shapes::UPGRADED)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::upgrade,
};

/// `POST /v1/subscriptions/{subscriptionId}/replace`
pub const REPLACE_DEVICE: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions/{subscriptionId}/replace",
    name: "replaceSubscriptionDevice",
    summary: "Give another device on the same contract",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Write,
    parts: subscriptions::PARTS,
    query: &[],
    takes: Intake::Body(&shapes::REPLACE),
    says: &[says(200, "The subscription has the new device.", &shapes::REPLACED_ANSWER)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::replace,
};

/// `POST /v1/subscriptions/{subscriptionId}/buyout`
pub const BUYOUT_SUBSCRIPTION: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions/{subscriptionId}/buyout",
    name: "buyoutSubscription",
    summary: "Sell the device to the customer",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Write,
    parts: subscriptions::PARTS,
    query: &[],
    takes: Intake::Body(&shapes::BUYOUT),
    says: &[says(200, "The subscription ended, the device is sold.", &shapes::BOUGHT)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::buyout,
};

/// `POST /v1/subscriptions/{subscriptionId}/early-return`
pub const EARLY_RETURN: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions/{subscriptionId}/early-return",
    name: "earlyReturnSubscription",
    summary: "Take the device back",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Write,
    parts: subscriptions::PARTS,
    query: &[],
    takes: Intake::Body(&shapes::EARLY_RETURN),
    says: &[says(200, "The subscription ended, the device came back.", &shapes::RETURNED)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::early_return,
};

/// `POST /v1/subscriptions/{subscriptionId}/cancel`
pub const CANCEL_SUBSCRIPTION: Operation = Operation {
    method: Method::POST,
    path: "/v1/subscriptions/{subscriptionId}/cancel",
    name: "cancelSubscription",
    summary: "Cancel a subscription",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Write,
    parts: subscriptions::PARTS,
    query: &[],
    takes: Intake::Body(&shapes::CANCEL),
    says: &[says(200, "The subscription is cancelled.", &shapes::CANCELLED)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::cancel,
};

/// `PATCH /v1/subscriptions/{subscriptionId}/notes`
pub const NOTE_SUBSCRIPTION: Operation = Operation {
    method: Method::PATCH,
    path: "/v1/subscriptions/{subscriptionId}/notes",
    name: "updateSubscriptionNotes",
    summary: "Update the notes of a subscription",
    tag: "Subscriptions",
    resource: Resource::Rental,
    access: Access::Write,
    parts: subscriptions::PARTS,
    query: &[],
    takes: Intake::Body(&shapes::NOTE),
    says: &[says(200, "The notes are as they were sent.", &shapes::NOTED)],
    refuses: &[404],
    tagged: false,
    plan: subscriptions::note,
};

/// `GET /v1/payments`
pub const LIST_PAYMENTS: Operation = Operation {
    method: Method::GET,
    path: "/v1/payments",
    name: "listPayments",
    summary: "List payments",
    tag: "Payments",
    resource: Resource::RentalPayment,
    access: Access::Read,
    parts: &[],
    query: payments::LIST,
    takes: Intake::Nothing,
    says: &[says(200, "A page of payments.", &payments::PAGE)],
    refuses: &[],
    tagged: false,
    plan: payments::list,
};

/// `GET /v1/payments/{paymentId}`
pub const GET_PAYMENT: Operation = Operation {
    method: Method::GET,
    path: "/v1/payments/{paymentId}",
    name: "getPayment",
    summary: "Get a payment",
    tag: "Payments",
    resource: Resource::RentalPayment,
    access: Access::Read,
    parts: payments::PARTS,
    query: &[],
    takes: Intake::Nothing,
    says: &[says(200, "The payment.", &payments::ONE)],
    refuses: &[404],
    tagged: false,
    plan: payments::retrieve,
};

/// `POST /v1/payments/{paymentId}/mark-paid`
pub const MARK_PAID: Operation = Operation {
    method: Method::POST,
    path: "/v1/payments/{paymentId}/mark-paid",
    name: "markPaymentAsPaid",
    summary: "Note that a payment was paid",
    tag: "Payments",
    resource: Resource::RentalPayment,
    access: Access::Write,
    parts: payments::PARTS,
    query: &[],
    takes: Intake::OptionalBody(&payments::MARK_PAID),
    says: &[says(200, "The payment is paid.", &payments::SETTLED)],
    refuses: &[404],
    tagged: false,
    plan: payments::mark_paid,
};

/// `POST /v1/payments/{paymentId}/cancel`
pub const CANCEL_PAYMENT: Operation = Operation {
    method: Method::POST,
    path: "/v1/payments/{paymentId}/cancel",
    name: "cancelPayment",
    summary: "Cancel a payment",
    tag: "Payments",
    resource: Resource::RentalPayment,
    access: Access::Write,
    parts: payments::PARTS,
    query: &[],
    takes: Intake::Body(&payments::CANCEL),
    says: &[says(200, "The payment is cancelled.", &payments::SETTLED)],
    refuses: &[404],
    tagged: false,
    plan: payments::cancel,
};

/// `POST /v1/billing-groups`
pub const CREATE_GROUP: Operation = Operation {
    method: Method::POST,
    path: "/v1/billing-groups",
    name: "createBillingGroup",
    summary: "Create a billing group",
    tag: "Billing Groups",
    resource: Resource::BillingGroup,
    access: Access::Write,
    parts: &[],
    query: &[],
    takes: Intake::Body(&groups::NEW),
    says: &[CREATED_GROUP],
    refuses: &[404],
    tagged: false,
    plan: groups::create,
};

/// `GET /v1/billing-groups`
pub const LIST_GROUPS: Operation = Operation {
    method: Method::GET,
    path: "/v1/billing-groups",
    name: "listBillingGroups",
    summary: "List billing groups",
    tag: "Billing Groups",
    resource: Resource::BillingGroup,
    access: Access::Read,
    parts: &[],
    query: groups::LIST,
    takes: Intake::Nothing,
    says: &[says(200, "A page of billing groups.", &groups::PAGE)],
    refuses: &[],
    tagged: false,
    plan: groups::list,
};

/// `GET /v1/billing-groups/{billingGroupId}`
pub const GET_GROUP: Operation = Operation {
    method: Method::GET,
    path: "/v1/billing-groups/{billingGroupId}",
    name: "getBillingGroup",
    summary: "Get a billing group",
    tag: "Billing Groups",
    resource: Resource::BillingGroup,
    access: Access::Read,
    parts: groups::PARTS,
    query: &[],
    takes: Intake::Nothing,
    says: &[says(200, "The billing group.", &groups::ONE)],
    refuses: &[404],
    tagged: false,
    plan: groups::retrieve,
};

/// `PATCH /v1/billing-groups/{billingGroupId}`
pub const UPDATE_GROUP: Operation = Operation {
    method: Method::PATCH,
    path: "/v1/billing-groups/{billingGroupId}",
    name: "updateBillingGroup",
    summary: "Update a billing group",
    tag: "Billing Groups",
    resource: Resource::BillingGroup,
    access: Access::Write,
    parts: groups::PARTS,
    query: &[],
    takes: Intake::Body(&groups::CHANGE),
    says: &[says(200, "The billing group is as it was wished.", &groups::SETTLED)],
    refuses: &[404],
    tagged: false,
    plan: groups::update,
};

/// `DELETE /v1/billing-groups/{billingGroupId}`
pub const DELETE_GROUP: Operation = Operation {
    method: Method::DELETE,
    path: "/v1/billing-groups/{billingGroupId}",
    name: "deleteBillingGroup",
    summary: "Delete a billing group",
    tag: "Billing Groups",
    resource: Resource::BillingGroup,
    access: Access::Write,
    parts: groups::PARTS,
    query: &[],
    takes: Intake::Nothing,
    says: &[says(200, "The billing group is gone.", &groups::DELETED)],
    refuses: &[404],
    tagged: false,
    plan: groups::delete,
};
