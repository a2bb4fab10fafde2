//! What dialects of JSON share: one table says what an operation takes and answers, and drives reading a request, refusing
//! it and the OpenAPI document. The words of a refusal are each dialect's own.

pub mod call;
pub mod data;
mod failing;
pub mod fields;
pub mod formats;
mod idempotency;
pub mod openapi;
pub mod operation;
pub mod read;
pub mod refusal;
pub mod run;
pub mod shape;

pub use call::{Answer, Asked, Call, Given, Halt, Plan};
pub use fields::Fields;
pub use operation::{Intake, Operation, Says};
pub use read::{Flaw, Reading, Unknown, Wrong};
pub use refusal::{Own, Refusal, Voice};
pub use run::{Api, X_REQUEST_ID};
pub use shape::{Component, Format, Member, Shape};
