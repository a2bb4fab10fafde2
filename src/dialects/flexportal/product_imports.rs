//! Products from a file of comma-separated values: finds the file, reads it a few rows at a time, has them kept, and counts.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::failure;
use super::product_rows::Columns;
use crate::domain::catalogue::CatalogueProblem;
use crate::domain::ids::Sku;
use crate::domain::product::{MAX_SKU, MAX_TEXT};
use crate::engine::Ctx;
use crate::engine::product_imports::{self, Imported, MAX_ROWS, Row};
use crate::http::Files;
use crate::http::json::{Json, Object};
use crate::http::multipart::{self, FORM_DATA};
use crate::rest::call::Given;
use crate::rest::operation::Media;
use crate::rest::shape::member;
use crate::rest::{Answer, Asked, Call, Flaw, Halt, Plan, Refusal, Shape};
use crate::store::Tx;

/// Where files are sent to. The vendor's guide takes 10 MB, 10,000 rows and 60 seconds; 100,000 rows are about 15 MB.
pub const FILES: Files = Files { path: "/v1/products/csv", max_bytes: 64 << 20, timeout: Duration::from_secs(10 * 60) };

/// The part of a form that is the file.
const PART: &str = "csvFile";
/// How many rows are told of that were refused. The others are counted.
const MAX_ERRORS: usize = 1_000;
/// The media type of a file that is the whole body.
const CSV: &str = "text/csv";
const FILE: &str = "Comma-separated values in UTF-8 with a line of column names.";

/// What is taken.
pub const TAKES: &[Media] =
    &[Media { name: FORM_DATA, part: Some(PART), doc: FILE }, Media { name: CSV, part: None, doc: FILE }];

const COUNT: Shape = Shape::Whole(0, i64::MAX);

static ERROR: Shape = Shape::Object(&[
    member("row", Shape::Whole(1, i64::MAX)).needed().doc("Which row; the first one behind the names is 1."),
    member("sku", Shape::text(0, MAX_SKU)).doc("The SKU of the row's variant."),
    member("error", Shape::text(0, MAX_TEXT)).needed(),
]);
const ERRORS: Shape = Shape::List(&ERROR, 0, MAX_ERRORS);

/// What became of a file. The specification and the guide show two shapes, so both are given.
pub static IMPORTED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", Shape::text(0, MAX_TEXT)).needed(),
    member("created", COUNT).needed().doc("Products that were made."),
    member("updated", COUNT).needed().doc("Products that were there before."),
    member("errors", ERRORS).needed().doc("The first 1000 rows that were refused."),
    member(
        "summary",
        Shape::Object(&[
            member("totalRows", COUNT).needed(),
            member("productsCreated", COUNT).needed(),
            member("productsUpdated", COUNT).needed(),
            member("variantsCreated", COUNT).needed(),
            member("variantsUpdated", COUNT).needed(),
            member("rowsRefused", COUNT).needed().doc("All of them, also those that are not listed."),
            member("errors", ERRORS).needed(),
        ]),
    )
    .needed(),
]);

/// `POST /v1/products/csv`. Each row is taken whole or refused; the file is not: what came before a failure stays, and a
/// file that is sent again changes nothing where it was taken before.
pub fn import(call: &Arc<Call>, asked: Asked) -> Result<Plan, Refusal> {
    let Given::File { content_type, bytes } = asked.given else { return Err(refused("has to be a file")) };
    let file = match content_type.trim_start().get(..CSV.len()) {
        Some(media) if media.eq_ignore_ascii_case(CSV) => 0..bytes.len(),
        _ => multipart::part(&content_type, &bytes, PART).map_err(|fault| refused(no_file(fault)))?,
    };
    // Spreadsheets begin a file with a mark that it is UTF-8; the reader of rows knows it.
    let mut names = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[file.clone()]);
    let mut header = csv::ByteRecord::new();
    let some = names.read_byte_record(&mut header).map_err(|_| refused("cannot be read"))?;
    if !some {
        return Err(refused("has to begin with a line of column names"));
    }
    let columns = Columns::of(&header, call.account.default_currency.decimals()).map_err(|why| refused(&why))?;
    Ok(Plan::work(move |call| async move {
        let reader = csv::ReaderBuilder::new().flexible(true).from_reader(&bytes[file]);
        work(&call, reader, &columns).await
    }))
}

async fn work(call: &Arc<Call>, mut reader: csv::Reader<&[u8]>, columns: &Columns) -> Result<Answer, Halt> {
    let mut tally = Tally::default();
    let mut record = csv::ByteRecord::new();
    let mut ended = false;
    while !ended {
        let (mut rows, mut numbers) = (Vec::with_capacity(MAX_ROWS), Vec::with_capacity(MAX_ROWS));
        // What cannot be read is told of together with what cannot be kept, in the order of the file.
        let mut refused = Vec::new();
        while rows.len() < MAX_ROWS && !ended {
            match reader.read_byte_record(&mut record) {
                Ok(true) => {
                    tally.rows += 1;
                    match columns.row(&record) {
                        Ok(row) => {
                            rows.push(row);
                            numbers.push(tally.rows);
                        }
                        Err((sku, why)) => refused.push((tally.rows, sku, why)),
                    }
                }
                // A reader of bytes that are there has no trouble of its own.
                Ok(false) | Err(_) => ended = true,
            }
        }
        if !rows.is_empty() {
            let rows = Arc::new(rows);
            for ((row, number), outcome) in rows.iter().zip(numbers).zip(keep(call, rows.clone()).await?) {
                match outcome {
                    Ok(imported) => tally.count(row, imported),
                    Err(problem) => {
                        let sku = Some(row.variant.sku.0.clone());
                        refused.push((number, sku, failure::catalogue::sentence(&problem)));
                    }
                }
            }
        }
        refused.sort_by_key(|(row, ..)| *row);
        refused.into_iter().for_each(|(row, sku, why)| tally.refuse(row, sku, why));
    }
    Ok(Answer::ok(tally.object()).created())
}

/// What becomes of rows, in their order.
async fn keep(call: &Arc<Call>, rows: Arc<Vec<Row>>) -> Result<Vec<Result<Imported, CatalogueProblem>>, Halt> {
    let job = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| product_imports::import(tx, ctx, &rows);
    Ok(call.app.transact(call.account.clone(), call.cause(), job).await?)
}

/// What became of the rows so far.
#[derive(Default)]
struct Tally {
    rows: i64,
    products_created: i64,
    products_updated: i64,
    variants_created: i64,
    variants_updated: i64,
    refused: i64,
    errors: Vec<(i64, Option<String>, String)>,
    /// Products that are counted.
    seen: HashSet<Sku>,
}

impl Tally {
    fn count(&mut self, row: &Row, imported: Imported) {
        let Imported { product_created, variant_created } = imported;
        match variant_created {
            true => self.variants_created += 1,
            false => self.variants_updated += 1,
        }
        let sku = row.product.sku.as_ref();
        if sku.is_some_and(|sku| !self.seen.contains(sku)) {
            self.seen.extend(sku.cloned());
            match product_created {
                true => self.products_created += 1,
                false => self.products_updated += 1,
            }
        }
    }

    fn refuse(&mut self, row: i64, sku: Option<String>, why: String) {
        self.refused += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push((row, sku, why));
        }
    }

    fn object(&self) -> Object {
        let error = |(row, sku, why): &(i64, Option<String>, String)| {
            let mut error = Object::new().and("row", *row);
            if let Some(sku) = sku {
                error.add("sku", sku.clone());
            }
            error.and("error", why.clone()).into()
        };
        let errors: Vec<Json> = self.errors.iter().map(error).collect();
        let summary = Object::new()
            .and("totalRows", self.rows)
            .and("productsCreated", self.products_created)
            .and("productsUpdated", self.products_updated)
            .and("variantsCreated", self.variants_created)
            .and("variantsUpdated", self.variants_updated)
            .and("rowsRefused", self.refused)
            .and("errors", errors.clone());
        let message = if self.refused == 0 { "Import completed" } else { "Import completed with errors" };
        Object::new()
            .and("success", true)
            .and("message", message)
            .and("created", self.products_created)
            .and("updated", self.products_updated)
            .and("errors", errors)
            .and("summary", summary)
    }
}

fn no_file(fault: multipart::Fault) -> &'static str {
    match fault {
        multipart::Fault::NoBoundary => "is in a form whose content type has no boundary",
        multipart::Fault::Malformed => "is in a form that is not divided as its boundary says",
        multipart::Fault::Missing => "has to be in the form",
        multipart::Fault::Twice => "can be in the form but once",
    }
}

fn refused(why: &str) -> Refusal {
    Refusal::flaw(Flaw::rule(PART, "custom", why))
}
