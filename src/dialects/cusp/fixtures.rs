//! Fixtures: a file of known records, brought in whole or not at all, without events. What its lines say is another
//! dialect's to read.

use std::sync::Arc;
use std::time::Duration;

use super::failure::{Halt, Refusal};
use super::{Answering, Call, shown};
use crate::domain::account::Account;
use crate::domain::problem::Problem;
use crate::domain::time::Time;
use crate::engine::imports::{self, Brought, Import};
use crate::http::Files;
use crate::http::json::Object;

/// Where files are taken.
pub const PATH: &str = "/cusp/v1/fixtures";
/// The largest is of some tens of thousands of customers, which does not take longer than other requests may.
pub const FILES: Files = Files { path: PATH, max_bytes: 64 << 20, timeout: Duration::ZERO };

/// Reads a file for an account at a moment, or tells what is wrong with it and on which line.
pub type ReadFile = fn(&[u8], &Account, Time) -> Result<Import, String>;

/// `POST /cusp/v1/fixtures`
pub fn load(call: Call) -> Answering {
    Box::pin(async move {
        let (read, app, cause) = (call.cusp.read_file, call.cusp.app.clone(), call.cause());
        let Call { account, file, .. } = call;
        let (whose, now) = (account.clone(), app.now());
        // A large file takes a while to read.
        let import = tokio::task::spawn_blocking(move || read(&file, &whose, now)).await;
        let import = import.map_err(|_| Refusal::broken())?.map_err(|words| Refusal::new(400, "bad_file", words))?;
        let import = Arc::new(import);
        let brought = app.transact(account, cause, move |tx, ctx| Ok(imports::bring_in(tx, ctx, &import)?)).await;
        let brought = brought.map_err(|stop| Halt::of(stop, |_: Problem| Refusal::broken()))?;
        let Brought { customers, coupons, promotion_codes, payment_methods } =
            brought.map_err(|clash| Refusal::new(400, "bad_file", clash.to_string()))?;
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(shown(
            Object::new()
                .and("object", "fixtures")
                .and("customers", count(customers))
                .and("coupons", count(coupons))
                .and("promotion_codes", count(promotion_codes))
                .and("payment_methods", count(payment_methods)),
        ))
    })
}
