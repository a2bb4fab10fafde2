//! What an operation is: a row that says where it is, what it takes, what it answers and who plans it.

use std::sync::Arc;

use hyper::Method;

use super::call::{Asked, Call, Plan};
use super::refusal::Refusal;
use super::shape::{Member, Shape};
use crate::domain::api_key::{Access, Resource};
use crate::http::routes::Route;

/// An operation.
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path, variable parts in braces.
    pub path: &'static str,
    /// Its name in documents, and so in clients that are made from them.
    pub name: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// The heading that documents put it under.
    pub tag: &'static str,
    /// What a restricted key needs permission for.
    pub resource: Resource,
    /// And how far.
    pub access: Access,
    /// The variable parts of its path, in their order, with the names that the path gives them.
    pub parts: &'static [Member],
    /// The parameters of its query string.
    pub query: &'static [Member],
    /// What is sent.
    pub takes: Intake,
    /// What it answers when all is well.
    pub says: &'static [Says],
    /// Statuses of refusals beside those that follow from what it takes: 404 where what a body names can be missing, 409.
    pub refuses: &'static [u16],
    /// It is about one record, whose entity tag is told and obeyed.
    pub tagged: bool,
    /// Makes a plan of what was asked, or refuses it before anything is looked up.
    pub plan: fn(&Arc<Call>, Asked) -> Result<Plan, Refusal>,
}

/// What is sent with a request.
#[derive(Clone, Copy, Debug)]
pub enum Intake {
    /// Nothing.
    Nothing,
    /// An object of JSON.
    Body(&'static Shape),
    /// An object of JSON that changes a record. A member of it that is sent as the record shows it is no change.
    Changes(&'static Shape),
    /// An object of JSON, or nothing at all, which is the same as an empty one.
    OptionalBody(&'static Shape),
    /// A file of one of these media types, whose bytes the operation reads itself.
    File(&'static [Media]),
}

/// A media type of files.
#[derive(Clone, Copy, Debug)]
pub struct Media {
    /// Its name, without parameters: `text/csv`.
    pub name: &'static str,
    /// Of `multipart/form-data`, the part that holds the file.
    pub part: Option<&'static str>,
    /// What the file has to look like.
    pub doc: &'static str,
}

/// A reply of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Says {
    /// HTTP status.
    pub status: u16,
    /// When.
    pub doc: &'static str,
    /// The body; `None` when there is none.
    pub shape: Option<&'static Shape>,
    /// Headers beside those of every reply and the entity tag.
    pub headers: &'static [Member],
}

/// A reply with that body and no headers of its own.
pub const fn says(status: u16, doc: &'static str, shape: &'static Shape) -> Says {
    Says { status, doc, shape: Some(shape), headers: &[] }
}

impl Operation {
    /// Whether it only reads.
    pub fn reads(&self) -> bool {
        self.method == Method::GET
    }

    /// The shape of the JSON that is sent, where JSON is sent.
    pub fn body(&self) -> Option<&'static Shape> {
        match self.takes {
            Intake::Body(shape) | Intake::Changes(shape) | Intake::OptionalBody(shape) => Some(shape),
            Intake::Nothing | Intake::File(_) => None,
        }
    }
}

impl Route for Operation {
    fn method(&self) -> &Method {
        &self.method
    }

    fn path(&self) -> &'static str {
        self.path
    }
}
