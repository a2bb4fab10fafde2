//! Deliveries to webhook endpoints, and the queues that they wait in: what takes a walk.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::Connection;
use super::fetch::{body, column};
use super::list::{limit, rows};
use super::setback::Got;
use super::statements;
use crate::domain::account::Space;
use crate::domain::delivery::{Delivery, DeliveryPage, DeliveryState, Lease, Queue};
use crate::domain::ids::{DeliveryId, WebhookEndpointId};
use crate::domain::page::Page;
use crate::domain::time::Time;
use crate::store::later;
use crate::store::record::read_delivery;

pub(super) async fn newest(connection: &Connection, spaces: &[Space]) -> Got<Vec<i64>> {
    let doing = "looking for the newest events";
    let mut newest = Vec::with_capacity(spaces.len());
    for space in spaces {
        let head = rows(connection, doing, statements::NEWEST, &[&space.0]).await?;
        newest.push(head.first().map(|row| column(row, 0, doing)).transpose()?.unwrap_or(0));
    }
    Ok(newest)
}

pub(super) async fn page(connection: &Connection, space: Space, page: &DeliveryPage) -> Got<Page<Delivery>> {
    let doing = "listing deliveries";
    let DeliveryPage { endpoint, event, state, after, limit: most } = page;
    let state = state.map(DeliveryState::as_str);
    let (place, id) = after.as_ref().map_or((i64::MAX, "\u{10ffff}"), |(event, id)| (*event, id.as_str()));
    let most_rows = limit(most.saturating_add(1));
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&space.0, &state, &place, &id, &most_rows];
    let name = endpoint.as_ref().map(WebhookEndpointId::as_str);
    let sql = match (endpoint, event) {
        (_, Some(event)) => {
            parameters.extend::<[&(dyn ToSql + Sync); 2]>([event, &name]);
            statements::DELIVERIES_OF_EVENT
        }
        (Some(_), None) => {
            parameters.push(&name);
            statements::DELIVERIES_OF_ENDPOINT
        }
        (None, None) => statements::DELIVERIES,
    };
    let rows = rows(connection, doing, sql, &parameters).await?;
    let mut items = rows.iter().map(|row| body(row, 0, doing, read_delivery)).collect::<Got<Vec<Delivery>>>()?;
    let has_more = items.len() > *most;
    items.truncate(*most);
    Ok(Page { items, has_more })
}

pub(super) async fn due(
    connection: &Connection,
    space: Space,
    endpoint: &WebhookEndpointId,
    now: Time,
    most: usize,
) -> Got<Vec<Delivery>> {
    let doing = "looking for what is due";
    let parameters: [&(dyn ToSql + Sync); 4] = [&space.0, &endpoint.as_str(), &now.0, &limit(most)];
    let rows = rows(connection, doing, statements::DUE_DELIVERIES, &parameters).await?;
    rows.iter().map(|row| body(row, 0, doing, read_delivery)).collect()
}

pub(super) async fn queues_due(
    connection: &Connection,
    server: &str,
    now: Time,
    most: usize,
) -> Got<Vec<(Space, Queue)>> {
    let doing = "looking for queues";
    let rows = rows(connection, doing, statements::QUEUES_DUE, &[&now.0, &server, &limit(most)]).await?;
    rows.iter().map(|row| Ok((Space(column(row, 5, doing)?), queue(row)?))).collect()
}

pub(super) async fn old(connection: &Connection, before: Time, most: usize) -> Got<Vec<(Space, DeliveryId)>> {
    let doing = "looking for old deliveries";
    let rows = rows(connection, doing, statements::OLD_DELIVERIES, &[&before.0, &limit(most)]).await?;
    rows.iter().map(|row| Ok((Space(column(row, 0, doing)?), DeliveryId(column(row, 1, doing)?)))).collect()
}

/// The queue of a row that begins with its columns.
pub(super) fn queue(row: &Row) -> Got<Queue> {
    let doing = "reading a queue";
    let owner: String = column(row, 2, doing)?;
    let until = Time(column(row, 3, doing)?);
    Ok(Queue {
        endpoint: WebhookEndpointId(column(row, 0, doing)?),
        due: later(column(row, 1, doing)?),
        lease: (!owner.is_empty()).then_some(Lease { owner, until }),
        failing_since: later(column(row, 4, doing)?),
    })
}
