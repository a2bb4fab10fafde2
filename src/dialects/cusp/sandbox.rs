//! `/cusp/v1/sandbox`: the key's sandbox as a whole, for test suites. Empty it, keep its state, put the state back, give it
//! to another sandbox.

use super::failure::{Halt, Refusal, shortened};
use super::{Call, shown};
use crate::app::Closed;
use crate::domain::ids::SnapshotId;
use crate::domain::problem::Problem;
use crate::domain::snapshot::{MAX_SNAPSHOT_NAME, MAX_SNAPSHOTS, Snapshot};
use crate::engine::Stop;
use crate::http::Reply;
use crate::http::json::{Json, Object};

/// `DELETE /cusp/v1/sandbox`
pub async fn wipe(mut call: Call) -> Result<Reply, Halt> {
    call.read(|_| Ok(()))?;
    let (account, cause) = (call.account.clone(), call.cause());
    call.cusp.app.wipe_sandbox(account, cause).await.map_err(halt)?;
    Ok(shown(sandbox(call.account.id.as_str()).and("deleted", true)))
}

/// `POST /cusp/v1/sandbox/snapshots`
pub async fn snapshot(mut call: Call) -> Result<Reply, Halt> {
    let name = call.read(|given| {
        let name = given.text("name")?;
        let fits = |name: &String| !name.is_empty() && name.chars().count() <= MAX_SNAPSHOT_NAME;
        if name.as_ref().is_some_and(|name| !fits(name)) {
            let why = format!("it has to have between 1 and {MAX_SNAPSHOT_NAME} characters.");
            return Err(given.refuse("name", "wrong_length", why));
        }
        Ok(name)
    })?;
    let taken = call.cusp.app.snapshot(call.account.clone(), call.cause(), name).await.map_err(halt)?;
    Ok(shown(object(&taken)))
}

/// `GET /cusp/v1/sandbox/snapshots`
pub async fn snapshots(mut call: Call) -> Result<Reply, Halt> {
    call.read(|_| Ok(()))?;
    let snapshots = call.cusp.app.snapshots(call.account.clone()).await.map_err(halt)?;
    let data: Vec<Json> = snapshots.iter().map(|snapshot| object(snapshot).into()).collect();
    Ok(shown(Object::new().and("object", "list").and("data", data)))
}

/// `POST /cusp/v1/sandbox/snapshots/{id}/restore`
pub async fn restore(mut call: Call) -> Result<Reply, Halt> {
    let id = SnapshotId(call.part(0)?);
    call.read(|_| Ok(()))?;
    let restored = call.cusp.app.restore(call.account.clone(), call.cause(), id).await.map_err(halt)?;
    Ok(shown(object(&restored)))
}

/// `POST /cusp/v1/sandbox/snapshots/{id}/fork`
pub async fn fork(mut call: Call) -> Result<Reply, Halt> {
    let id = SnapshotId(call.part(0)?);
    let key = call.read(|given| {
        let key = given.text("key")?;
        given.needed("key", key)
    })?;
    let other = call.cusp.app.admit(&key, None).await.map_err(|closed| match closed {
        Closed::Unknown | Closed::NotLinked => unknown_key(),
        Closed::Revoked => Refusal::of_param("key", "expired_key", "`key` was revoked.").into(),
        Closed::Failure(failure) => failure.into(),
    })?;
    call.cusp.app.fork(call.account.clone(), call.cause(), id.clone(), &other.account).await.map_err(halt)?;
    Ok(shown(sandbox(other.account.id.as_str()).and("snapshot", id.0)))
}

/// `DELETE /cusp/v1/sandbox/snapshots/{id}`
pub async fn forget(mut call: Call) -> Result<Reply, Halt> {
    let id = SnapshotId(call.part(0)?);
    call.read(|_| Ok(()))?;
    let forgotten = call.cusp.app.forget_snapshot(call.account.clone(), call.cause(), id).await.map_err(halt)?;
    Ok(shown(Object::new().and("id", forgotten.id.0).and("object", "snapshot").and("deleted", true)))
}

fn sandbox(account: &str) -> Object {
    Object::new().and("object", "sandbox").and("account", account.to_owned())
}

fn object(snapshot: &Snapshot) -> Object {
    let Snapshot { id, name, created, unit: _ } = snapshot;
    Object::new()
        .and("id", id.0.clone())
        .and("object", "snapshot")
        .and("created", created.seconds())
        .and("name", name.clone())
}

fn unknown_key() -> Halt {
    let message = "`key` has to be a key of a sandbox, as `sk_test_other`.";
    Refusal::of_param("key", "unknown_key", message).into()
}

/// The words for what the verbs refuse.
fn halt(stop: Stop) -> Halt {
    Halt::of(stop, |problem| match problem {
        Problem::NoSuchSnapshot(id) => {
            let id = shortened(id.as_str());
            Refusal::new(404, "no_such_snapshot", format!("The sandbox has no snapshot `{id}`.")).about("id")
        }
        Problem::TooManySnapshots => {
            let message =
                format!("The sandbox has {MAX_SNAPSHOTS} snapshots, which is the most it can have: delete one.");
            Refusal::new(400, "too_many_snapshots", message)
        }
        // No other problem comes of a sandbox as a whole.
        _ => Refusal::broken(),
    })
}
