//! The operations on products, variants and assets.

use hyper::Method;

use super::super::{assets, catalogue_shapes as shapes, product_imports, products, variants};
use crate::domain::api_key::{Access, Resource};
use crate::domain::asset::MAX_SERIAL;
use crate::rest::operation::{Says, says};
use crate::rest::shape::{Member, member};
use crate::rest::{Intake, Operation, Shape};

const PRODUCT_ID: Member = member("productId", Shape::text(1, 64)).needed().doc("The id of the product.");
const VARIANT_ID: Member = member("variantId", Shape::text(1, 64)).needed().doc("The id of the variant.");
const SERIAL: Member = member("serialNumber", Shape::text(1, MAX_SERIAL)).needed().doc("The serial number.");

const CREATED_ASSET: Says = Says {
    status: 201,
    doc: "The asset was made.",
    shape: Some(&assets::SETTLED),
    headers: &[member("Location", Shape::text(1, 2_000)).needed().doc("Where it is.")],
};

/// `POST /v1/products`
pub const UPSERT_PRODUCT: Operation = Operation {
    method: Method::POST,
    path: "/v1/products",
    name: "createProduct",
    summary: "Create a product, or change the one of the same SKU",
    tag: "Products",
    resource: Resource::Product,
    access: Access::Write,
    parts: &[],
    query: &[],
    takes: Intake::Body(&shapes::NEW_PRODUCT),
    says: &[says(201, "The product was made or changed.", &shapes::SETTLED)],
    refuses: &[409],
    tagged: false,
    plan: products::upsert,
};

/// `GET /v1/products`
pub const LIST_PRODUCTS: Operation = Operation {
    method: Method::GET,
    path: "/v1/products",
    name: "listProducts",
    summary: "List products",
    tag: "Products",
    resource: Resource::Product,
    access: Access::Read,
    parts: &[],
    query: products::LIST,
    takes: Intake::Nothing,
    says: &[says(200, "A page of products.", &shapes::PRODUCTS)],
    refuses: &[],
    tagged: false,
    plan: products::list,
};

/// `POST /v1/products/csv`
pub const IMPORT_PRODUCTS: Operation = Operation {
    method: Method::POST,
    path: "/v1/products/csv",
    name: "importProductsCSV",
    summary: "Import products from a CSV file",
    tag: "Products",
    resource: Resource::Product,
    access: Access::Write,
    parts: &[],
    query: &[],
    takes: Intake::File(product_imports::TAKES),
    says: &[says(201, "What became of the rows.", &product_imports::IMPORTED)],
    refuses: &[],
    tagged: false,
    plan: product_imports::import,
};

/// `GET /v1/products/variants`
pub const LIST_VARIANTS: Operation = Operation {
    method: Method::GET,
    path: "/v1/products/variants",
    name: "listVariants",
    summary: "List the variants of all products",
    tag: "Products",
    resource: Resource::Product,
    access: Access::Read,
    parts: &[],
    query: variants::LIST,
    takes: Intake::Nothing,
    says: &[says(200, "A page of variants.", &shapes::VARIANTS)],
    refuses: &[],
    tagged: false,
    plan: variants::list,
};

/// `PATCH /v1/products/variants/{variantId}/status`
pub const SWITCH_VARIANT: Operation = Operation {
    method: Method::PATCH,
    path: "/v1/products/variants/{variantId}/status",
    name: "updateVariantStatus",
    summary: "Have a variant ordered again, or not any more",
    tag: "Products",
    resource: Resource::Product,
    access: Access::Write,
    parts: &[VARIANT_ID],
    query: &[],
    takes: Intake::Body(&shapes::NEW_STATUS),
    says: &[says(200, "The variant as it is now.", &shapes::SWITCHED)],
    refuses: &[404, 409],
    tagged: false,
    plan: variants::switch,
};

/// `GET /v1/products/{productId}`
pub const GET_PRODUCT: Operation = Operation {
    method: Method::GET,
    path: "/v1/products/{productId}",
    name: "getProduct",
    summary: "Get a product with its variants",
    tag: "Products",
    resource: Resource::Product,
    access: Access::Read,
    parts: &[PRODUCT_ID],
    query: &[],
    takes: Intake::Nothing,
    says: &[says(200, "The product.", &shapes::PRODUCT)],
    refuses: &[404],
    tagged: false,
    plan: products::retrieve,
};

/// `PUT /v1/products/{productId}`
pub const UPDATE_PRODUCT: Operation = Operation {
    method: Method::PUT,
    path: "/v1/products/{productId}",
    name: "updateProduct",
    summary: "Update a product and its variants",
    tag: "Products",
    resource: Resource::Product,
    access: Access::Write,
    parts: &[PRODUCT_ID],
    query: &[],
    takes: Intake::Body(&shapes::PRODUCT_CHANGE),
    says: &[says(200, "The product was changed.", &shapes::SETTLED)],
    refuses: &[404, 409],
    tagged: false,
    plan: products::update,
};

/// `DELETE /v1/products/{productId}`
pub const DISCONTINUE_PRODUCT: Operation = Operation {
    method: Method::DELETE,
    path: "/v1/products/{productId}",
    name: "deleteProduct",
    summary: "Discontinue a product with its variants",
    tag: "Products",
    resource: Resource::Product,
    access: Access::Write,
    parts: &[PRODUCT_ID],
    query: &[],
    takes: Intake::Nothing,
    says: &[says(200, "The product is not offered any more.", &shapes::DISCONTINUED)],
    refuses: &[404, 409],
    tagged: false,
    plan: products::discontinue,
};

/// `POST /v1/assets`
pub const CREATE_ASSET: Operation = Operation {
    method: Method::POST,
    path: "/v1/assets",
    name: "createAsset",
    summary: "Create an asset",
    tag: "Assets",
    resource: Resource::Asset,
    access: Access::Write,
    parts: &[],
    query: &[],
    takes: Intake::Body(&assets::NEW),
    says: &[CREATED_ASSET],
    refuses: &[404, 409],
    tagged: false,
    plan: assets::create,
};

/// `GET /v1/assets`
pub const LIST_ASSETS: Operation = Operation {
    method: Method::GET,
    path: "/v1/assets",
    name: "listAssets",
    summary: "List assets",
    tag: "Assets",
    resource: Resource::Asset,
    access: Access::Read,
    parts: &[],
    query: assets::LIST,
    takes: Intake::Nothing,
    says: &[says(200, "A page of assets.", &assets::PAGE)],
    refuses: &[],
    tagged: false,
    plan: assets::list,
};

/// `GET /v1/assets/{serialNumber}`
pub const GET_ASSET: Operation = Operation {
    method: Method::GET,
    path: "/v1/assets/{serialNumber}",
    name: "getAsset",
    summary: "Get an asset",
    tag: "Assets",
    resource: Resource::Asset,
    access: Access::Read,
    parts: &[SERIAL],
    query: &[],
    takes: Intake::Nothing,
    says: &[says(200, "The asset.", &assets::ASSET)],
    refuses: &[404],
    tagged: false,
    plan: assets::retrieve,
};

/// `PUT /v1/assets/{serialNumber}`
pub const UPDATE_ASSET: Operation = Operation {
    method: Method::PUT,
    path: "/v1/assets/{serialNumber}",
    name: "updateAsset",
    summary: "Update an asset",
    tag: "Assets",
    resource: Resource::Asset,
    access: Access::Write,
    parts: &[SERIAL],
    query: &[],
    takes: Intake::Body(&assets::CHANGE),
    says: &[says(200, "The asset as it is now.", &assets::SETTLED)],
    refuses: &[404, 409],
    tagged: false,
    plan: assets::update,
};

/// `PATCH /v1/assets/{serialNumber}`
pub const PATCH_ASSET: Operation = Operation {
    method: Method::PATCH,
    path: "/v1/assets/{serialNumber}",
    name: "patchAsset",
    summary: "Update an asset, as PUT does",
    tag: "Assets",
    resource: Resource::Asset,
    access: Access::Write,
    parts: &[SERIAL],
    query: &[],
    takes: Intake::Body(&assets::CHANGE),
    says: &[says(200, "The asset as it is now.", &assets::SETTLED)],
    refuses: &[404, 409],
    tagged: false,
    plan: assets::update,
};

/// `DELETE /v1/assets/{serialNumber}`
pub const RETIRE_ASSET: Operation = Operation {
    method: Method::DELETE,
    path: "/v1/assets/{serialNumber}",
    name: "deleteAsset",
    summary: "Make an asset unavailable",
    tag: "Assets",
    resource: Resource::Asset,
    access: Access::Write,
    parts: &[SERIAL],
    query: &[],
    takes: Intake::Nothing,
    says: &[says(200, "The asset is not to be had any more.", &assets::RETIRED)],
    refuses: &[404, 409],
    tagged: false,
    plan: assets::retire,
};
