//! The shapes of what Stripe's API answers, in its newest version: one file for each group of objects, one description for
//! each object. The transcripts' answers are held against them.

pub mod customers;
pub mod funding;
pub mod instruments;
pub mod offers;
pub mod rest;
pub mod setup;
pub mod sources;

use crate::rest::shape::{Component, Data, Shape, member};

/// Any text.
pub const TEXT: Shape = Shape::text(0, usize::MAX);
/// Any whole number.
pub const WHOLE: Shape = Shape::Whole(i64::MIN, i64::MAX);
/// A percentage.
pub const PERCENT: Shape = Shape::number(1, 10_000, 2);
/// Free data of a record.
pub const METADATA: Shape = Shape::Map(&TEXT);
/// Any object: what an event tells about, what depends on a kind that is named beside it.
pub const FREE: Shape = Shape::Data(Data { max_bytes: usize::MAX, max_depth: usize::MAX });

/// What stands where a record could be filled in.
pub static ID: Component = Component { name: "id", doc: "The id of a record that can be expanded.", shape: TEXT };

/// A postal address.
pub static ADDRESS: Component = Component {
    name: "address",
    doc: "A postal address.",
    shape: Shape::Object(&[
        member("city", TEXT).needed().nullable().example("Springfield"),
        member("country", TEXT).needed().nullable().example("US"),
        member("line1", TEXT).needed().nullable().example("Main St 1"),
        member("line2", TEXT).needed().nullable().example("Flat 2"),
        member("postal_code", TEXT).needed().nullable().example("62704"),
        member("state", TEXT).needed().nullable().example("IL"),
    ]),
};
