//! The operations of Jani's API.

use hyper::Method;

use super::customer_object::CUSTOMER;
use super::formats::{ID, SHOWN};
use super::{addresses, businesses, customers, events};
use crate::domain::api_key::{Access, Resource};
use crate::rest::operation::{Intake, Operation, Says, says};
use crate::rest::shape::{Member, Shape, member};

/// The headings of the document.
pub static TAGS: &[(&str, &str)] = &[
    ("Customers", "People and organisations that buy."),
    ("Addresses", "Addresses of customers."),
    ("Businesses", "Businesses that customers act for."),
    ("Events", "What happened."),
];

const CUSTOMER_ID: Member = member("customer_id", ID).doc("The customer.").example("cus_01h3vjs3b16yc3f9q8q9pfrb80");
const ADDRESS_ID: Member = member("address_id", ID).doc("The address.").example("add_01h1x0z5y4c1v2f5k6p3j9n8m7");
const BUSINESS_ID: Member = member("business_id", ID).doc("The business.").example("biz_01h1x7y8z9a0b1c2d3e4f5g6h7");

const LOCATION: Member = member("Location", SHOWN).doc("Where it is.");
const LINK: Member = member("Link", SHOWN).doc("Where more of the list is, when there is more.");

const OF_CUSTOMER: &[Member] = &[CUSTOMER_ID];
const OF_ADDRESS: &[Member] = &[CUSTOMER_ID, ADDRESS_ID];
const OF_BUSINESS: &[Member] = &[CUSTOMER_ID, BUSINESS_ID];

const CUSTOMERS: &str = "/api/v1/customers";
const CUSTOMER_PATH: &str = "/api/v1/customers/{customer_id}";
const ADDRESSES: &str = "/api/v1/customers/{customer_id}/addresses";
const ADDRESS: &str = "/api/v1/customers/{customer_id}/addresses/{address_id}";
const BUSINESSES: &str = "/api/v1/customers/{customer_id}/businesses";
const BUSINESS: &str = "/api/v1/customers/{customer_id}/businesses/{business_id}";

const fn made(shape: &'static Shape) -> Says {
    Says { status: 201, doc: "It was made.", shape: Some(shape), headers: &[LOCATION] }
}

const CUSTOMER_SHAPE: &Shape = &Shape::Component(&CUSTOMER);
const ADDRESS_SHAPE: &Shape = &Shape::Component(&addresses::ADDRESS);
const BUSINESS_SHAPE: &Shape = &Shape::Component(&businesses::BUSINESS);

/// Every operation there is.
pub static OPERATIONS: &[Operation] = &[
    Operation {
        method: Method::GET,
        path: CUSTOMERS,
        name: "listCustomers",
        summary: "List customers, oldest first",
        tag: "Customers",
        resource: Resource::Customer,
        access: Access::Read,
        parts: &[],
        query: customers::LIST,
        takes: Intake::Nothing,
        says: &[Says {
            status: 200,
            doc: "Customers: all of them up to a thousand, or a page.",
            shape: Some(&Shape::List(CUSTOMER_SHAPE, 0, usize::MAX)),
            headers: &[LINK],
        }],
        refuses: &[],
        tagged: false,
        plan: customers::list,
    },
    Operation {
        method: Method::POST,
        path: CUSTOMERS,
        name: "createCustomer",
        summary: "Make a customer",
        tag: "Customers",
        resource: Resource::Customer,
        access: Access::Write,
        parts: &[],
        query: &[],
        takes: Intake::Body(&Shape::Component(&customers::CREATE)),
        says: &[made(CUSTOMER_SHAPE)],
        refuses: &[409],
        tagged: true,
        plan: customers::create,
    },
    Operation {
        method: Method::GET,
        path: CUSTOMER_PATH,
        name: "getCustomer",
        summary: "Get a customer",
        tag: "Customers",
        resource: Resource::Customer,
        access: Access::Read,
        parts: OF_CUSTOMER,
        query: &[],
        takes: Intake::Nothing,
        says: &[says(200, "The customer.", CUSTOMER_SHAPE)],
        refuses: &[],
        tagged: true,
        plan: customers::get,
    },
    Operation {
        method: Method::PATCH,
        path: CUSTOMER_PATH,
        name: "updateCustomer",
        summary: "Change a customer",
        tag: "Customers",
        resource: Resource::Customer,
        access: Access::Write,
        parts: OF_CUSTOMER,
        query: &[],
        takes: Intake::Changes(&Shape::Component(&customers::UPDATE)),
        says: &[says(200, "The customer as it is now.", CUSTOMER_SHAPE)],
        refuses: &[409],
        tagged: true,
        plan: customers::update,
    },
    Operation {
        method: Method::GET,
        path: ADDRESSES,
        name: "listAddresses",
        summary: "List the addresses of a customer, oldest first",
        tag: "Addresses",
        resource: Resource::CustomerAddress,
        access: Access::Read,
        parts: OF_CUSTOMER,
        query: addresses::LIST,
        takes: Intake::Nothing,
        says: &[Says {
            status: 200,
            doc: "Addresses.",
            shape: Some(&Shape::Component(&addresses::PAGE)),
            headers: &[LINK],
        }],
        refuses: &[],
        tagged: false,
        plan: addresses::list,
    },
    Operation {
        method: Method::POST,
        path: ADDRESSES,
        name: "createAddress",
        summary: "Make an address of a customer",
        tag: "Addresses",
        resource: Resource::CustomerAddress,
        access: Access::Write,
        parts: OF_CUSTOMER,
        query: &[],
        takes: Intake::Body(&Shape::Component(&addresses::CREATE)),
        says: &[made(ADDRESS_SHAPE)],
        refuses: &[],
        tagged: true,
        plan: addresses::create,
    },
    Operation {
        method: Method::GET,
        path: ADDRESS,
        name: "getAddress",
        summary: "Get an address of a customer",
        tag: "Addresses",
        resource: Resource::CustomerAddress,
        access: Access::Read,
        parts: OF_ADDRESS,
        query: &[],
        takes: Intake::Nothing,
        says: &[says(200, "The address.", ADDRESS_SHAPE)],
        refuses: &[],
        tagged: true,
        plan: addresses::get,
    },
    Operation {
        method: Method::PATCH,
        path: ADDRESS,
        name: "updateAddress",
        summary: "Change an address of a customer",
        tag: "Addresses",
        resource: Resource::CustomerAddress,
        access: Access::Write,
        parts: OF_ADDRESS,
        query: &[],
        takes: Intake::Body(&Shape::Component(&addresses::UPDATE)),
        says: &[says(200, "The address as it is now.", ADDRESS_SHAPE)],
        refuses: &[],
        tagged: true,
        plan: addresses::update,
    },
    Operation {
        method: Method::GET,
        path: BUSINESSES,
        name: "listBusinesses",
        summary: "List the businesses of a customer, oldest first",
        tag: "Businesses",
        resource: Resource::Business,
        access: Access::Read,
        parts: OF_CUSTOMER,
        query: businesses::LIST,
        takes: Intake::Nothing,
        says: &[Says {
            status: 200,
            doc: "Businesses.",
            shape: Some(&Shape::Component(&businesses::PAGE)),
            headers: &[LINK],
        }],
        refuses: &[],
        tagged: false,
        plan: businesses::list,
    },
    Operation {
        method: Method::POST,
        path: BUSINESSES,
        name: "createBusiness",
        summary: "Make a business of a customer",
        tag: "Businesses",
        resource: Resource::Business,
        access: Access::Write,
        parts: OF_CUSTOMER,
        query: &[],
        takes: Intake::Body(&Shape::Component(&businesses::CREATE)),
        says: &[made(BUSINESS_SHAPE)],
        refuses: &[],
        tagged: true,
        plan: businesses::create,
    },
    Operation {
        method: Method::GET,
        path: BUSINESS,
        name: "getBusiness",
        summary: "Get a business of a customer",
        tag: "Businesses",
        resource: Resource::Business,
        access: Access::Read,
        parts: OF_BUSINESS,
        query: &[],
        takes: Intake::Nothing,
        says: &[says(200, "The business.", BUSINESS_SHAPE)],
        refuses: &[],
        tagged: true,
        plan: businesses::get,
    },
    Operation {
        method: Method::PATCH,
        path: BUSINESS,
        name: "updateBusiness",
        summary: "Change a business of a customer",
        tag: "Businesses",
        resource: Resource::Business,
        access: Access::Write,
        parts: OF_BUSINESS,
        query: &[],
        takes: Intake::Body(&Shape::Component(&businesses::UPDATE)),
        says: &[says(200, "The business as it is now.", BUSINESS_SHAPE)],
        refuses: &[],
        tagged: true,
        plan: businesses::update,
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/events",
        name: "listEvents",
        summary: "List what happened, oldest first",
        tag: "Events",
        resource: Resource::Event,
        access: Access::Read,
        parts: &[],
        query: events::LIST,
        takes: Intake::Nothing,
        says: &[says(200, "Events.", &Shape::Component(&events::PAGE))],
        refuses: &[],
        tagged: false,
        plan: events::list,
    },
];
