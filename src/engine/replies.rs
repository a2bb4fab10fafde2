//! Replies kept for retries: the same idempotency key gets the same answer, and the thing happens once.

use std::collections::BTreeMap;

use super::Ctx;
use crate::domain::account::Space;
use crate::domain::time::Time;
use crate::store::{Kept, KeptReply, Read, Tx};

/// How long a reply is kept, in milliseconds: 24 hours.
pub const KEPT_FOR_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// What is known of an idempotency key.
#[derive(Debug)]
pub enum Seen {
    /// Nothing: go ahead.
    Never,
    /// It was used for the same request: this is the answer.
    Before(Box<KeptReply>),
    /// It was used for this endpoint with other parameters.
    WithOtherParameters,
    /// It was used for another endpoint, as `POST /v1/customers`.
    AtOtherEndpoint(String),
}

/// Looks up a key for the request that `endpoint` and `parameters` stand for.
pub fn look_up(
    read: &mut dyn Read,
    space: Space,
    now: Time,
    key: &str,
    endpoint: &str,
    parameters: &[u8; 32],
) -> Kept<Seen> {
    let Some(reply) = read.reply(space, key)? else { return Ok(Seen::Never) };
    if reply.created < expiry(now) {
        return Ok(Seen::Never);
    }
    if reply.endpoint != endpoint {
        return Ok(Seen::AtOtherEndpoint(reply.endpoint));
    }
    if reply.parameters != *parameters {
        return Ok(Seen::WithOtherParameters);
    }
    Ok(Seen::Before(Box::new(reply)))
}

/// Keeps the reply with the change that it tells of.
pub fn keep(tx: &mut dyn Tx, ctx: &Ctx<'_>, reply: &KeptReply) -> Kept<()> {
    tx.put_reply(ctx.account.space, reply)
}

/// Keys of replies that are past their time, oldest first, at most `most`, by account.
pub fn past(read: &mut dyn Read, now: Time, most: usize) -> Kept<BTreeMap<Space, Vec<String>>> {
    let mut past: BTreeMap<Space, Vec<String>> = BTreeMap::new();
    for (space, key) in read.old_replies(expiry(now), most)? {
        past.entry(space).or_default().push(key);
    }
    Ok(past)
}

/// Forgets the replies of these keys, but for those that were kept anew since.
pub fn forget(tx: &mut dyn Tx, space: Space, keys: &[String], now: Time) -> Kept<()> {
    tx.forget_replies(space, keys, expiry(now))
}

fn expiry(now: Time) -> Time {
    now.plus_millis(-KEPT_FOR_MILLIS)
}
