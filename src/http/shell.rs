//! The rules of one exchange, the same for every dialect: an id, a size limit, a deadline, a panic that stays inside, one
//! line in the log, written when the reply begins. It never looks into a body.

use std::error::Error;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, StatusCode};
use tokio::sync::Semaphore;

use super::content::{Content, Outgoing, Takeover};
use super::listen::{Peer, Place, Unsent};
use super::mounts::{self, Api, Hosts, TENANT_ID};
use super::traffic::{Passed, Traffic};
use super::{Dialect, Files, Reply, Request, Stop, Trouble};
use crate::clock::Clock;
use crate::domain::ids::RequestId;
use crate::settings::Language;

type Response = hyper::Response<Outgoing>;

/// The header that names a request, in requests for help and in logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// What is told of one exchange. There is no room in it for a raw path, a query, a header or a body.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The request's id.
    pub request: &'a str,
    /// The dialect that answered.
    pub dialect: &'static str,
    /// The HTTP method.
    pub method: &'a str,
    /// The route's template, as `/v1/customers/{customer}`; never the path itself, which names customers.
    pub route: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// From the head of the request to its reply.
    pub duration: Duration,
    /// The reply's body, in bytes; 0 of one that goes on.
    pub bytes: u64,
    /// The account that asked, once that is known.
    pub account: Option<&'a str>,
}

/// Somebody who keeps count of what goes on.
pub trait Observer: Send + Sync {
    /// A connection was opened.
    fn connected(&self);
    /// A connection was closed.
    fn disconnected(&self);
    /// A request's head has arrived.
    fn began(&self);
    /// It is over, answered or not.
    fn gone(&self);
    /// Its reply is on its way.
    fn answered(&self, exchange: &Exchange<'_>);
}

/// A request underway; a client that goes away drops it.
struct Underway<'a>(&'a dyn Observer);

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.gone();
    }
}

/// How long a body that is larger than most may take to arrive.
const LARGE_BODY_TIMEOUT: Duration = Duration::from_secs(120);

/// A page that belongs to no dialect: health, metrics.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// Tells from the headers of a request whether it has a key that opens something.
pub type Knows = dyn Fn(&HeaderMap) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync;

/// Makes the page of a path.
pub type MakePage = dyn Fn(&str) -> Option<Page> + Send + Sync;

/// Pages that are served without a key.
#[derive(Clone)]
pub struct Pages {
    /// Their paths.
    pub paths: Vec<&'static str>,
    /// The page of a path. It may wait for something, so it is called on a thread that may.
    pub page: Arc<MakePage>,
}

impl Pages {
    /// The page that a request asks for; `None` when it asks for something else.
    pub async fn serve(&self, method: &Method, path: &str) -> Option<Response> {
        let asked = (method == Method::GET || method == Method::HEAD) && self.paths.contains(&path);
        if !asked {
            return None;
        }
        let (page, path) = (self.page.clone(), path.to_owned());
        let Page { status, content_type, body } =
            tokio::task::spawn_blocking(move || page(&path)).await.unwrap_or_default()?;
        let mut response = Response::new(Outgoing::whole(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Some(response)
    }
}

/// Names a request with these headers.
pub type NameRequest = dyn Fn(&HeaderMap) -> RequestId + Send + Sync;

/// What an exchange needs.
pub struct Shell {
    /// The languages that are spoken. The first one refuses what is for one that is not.
    pub dialects: Vec<Dialect>,
    /// Which hosts are whose.
    pub hosts: Hosts,
    /// Pages on the same address.
    pub pages: Option<Pages>,
    /// Who keeps count.
    pub observer: Arc<dyn Observer>,
    /// Where request ids come from.
    pub name_request: Arc<NameRequest>,
    /// Whether a request has a key that opens something.
    pub knows: Arc<Knows>,
    /// The turns of bodies that are larger than most: so many are held at a time.
    pub large: Semaphore,
    /// The largest body, where no file is taken.
    pub max_body_bytes: usize,
    /// From head to reply; a reply that goes on goes on.
    pub request_timeout: Duration,
    /// Ends the replies that go on.
    pub stop: Stop,
    /// Who listens to what is asked.
    pub traffic: Arc<Traffic>,
    /// What they are told the time by.
    pub clock: Clock,
}

impl Shell {
    /// Answers one request. `door` is the API whose own address it came to.
    pub async fn serve(&self, incoming: hyper::Request<Incoming>, door: Option<Language>) -> Response {
        let began = Instant::now();
        let (mut head, body) = incoming.into_parts();
        if let Some(pages) = &self.pages
            && let Some(page) = pages.serve(&head.method, head.uri.path()).await
        {
            return page;
        }
        self.observer.began();
        let _underway = Underway(self.observer.as_ref());
        let id = (self.name_request)(&head.headers).0;
        let sent = head.uri.path();
        let door = door.or_else(|| self.hosts.language(&head.uri, &head.headers));
        let (dialect, cut, path) = self.dialect(door, sent, &head.headers);
        let peer = head.extensions.remove::<Peer>();
        let upgrade = head.extensions.remove::<OnUpgrade>();
        let declared = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let files = dialect.files.filter(|files| files.path == path && head.method == Method::POST);
        let until = |timeout| tokio::time::Instant::from_std(began) + timeout;
        let usual = until(self.request_timeout);
        // A large body is read for those only who have a key, and not for too many at a time.
        let large = files.filter(|_| declared.is_none_or(|length| length > self.max_body_bytes as u64));
        let large = match large {
            Some(files) => {
                let known = AssertUnwindSafe((self.knows)(&head.headers)).catch_unwind();
                // Who cannot be looked up in time is not known either.
                matches!(tokio::time::timeout_at(usual, known).await, Ok(Ok(true))).then_some(files)
            }
            None => None,
        };
        let (most, deadline, turn) = match large {
            None => (self.max_body_bytes, usual, Ok(None)),
            Some(Files { path: _, max_bytes, timeout }) => {
                let turn = tokio::time::timeout_at(usual, self.large.acquire()).await;
                let turn = turn.ok().and_then(Result::ok).ok_or(Trouble::TooLong);
                (max_bytes.max(self.max_body_bytes), usual.max(until(timeout)), turn.map(Some))
            }
        };
        let (_turn, body) = match turn {
            Ok(turn) => {
                // Whoever sends slowly does not have the time that the work may take.
                let arrived = if turn.is_some() { deadline.min(until(LARGE_BODY_TIMEOUT).max(usual)) } else { usual };
                (turn, read(declared, body, most, arrived).await)
            }
            Err(trouble) => (None, Err(trouble)),
        };
        let reply = match body {
            Err(trouble) => Reply { close: true, ..(dialect.confess)(trouble, &id) },
            Ok(_) if let Some(document) = document(dialect, &head.method, &path) => document,
            Ok(body) => {
                let request = Request {
                    id: id.clone(),
                    peer: peer.as_ref().map(|peer| peer.address),
                    method: head.method.clone(),
                    path: path.clone(),
                    mount: sent[..cut].to_owned(),
                    query: head.uri.query().unwrap_or_default().to_owned().into(),
                    headers: head.headers,
                    body: body.into(),
                    upgradable: upgrade.is_some(),
                };
                let answering = AssertUnwindSafe(async { (dialect.answer)(request).await }).catch_unwind();
                match tokio::time::timeout_at(deadline, answering).await {
                    Ok(Ok(reply)) => reply,
                    Ok(Err(panic)) => {
                        tracing::error!(request = id, "a request panicked: {}", said(panic.as_ref()));
                        (dialect.confess)(Trouble::Broken, &id)
                    }
                    Err(_) => (dialect.confess)(Trouble::TooLong, &id),
                }
            }
        };
        let reply = match (&reply.content, &upgrade) {
            (Content::Upgrade(_), None) => {
                tracing::error!(request = id, "a connection was to be taken over that cannot be");
                (dialect.confess)(Trouble::Broken, &id)
            }
            (Content::Whole(_) | Content::Stream(_) | Content::Nothing | Content::Upgrade(_), _) => reply,
        };
        self.observer.answered(&Exchange {
            request: &id,
            dialect: dialect.name,
            method: head.method.as_str(),
            route: reply.route,
            status: reply.status.as_u16(),
            duration: began.elapsed(),
            bytes: reply.content.whole().len() as u64,
            account: (!reply.account.is_empty()).then_some(&reply.account),
        });
        if let Some(space) = reply.space {
            let passed = || Passed {
                request: id.clone(),
                at: self.clock.now(),
                method: head.method.clone(),
                path: path.clone(),
                peer: peer.as_ref().map(|peer| peer.address),
                status: reply.status.as_u16(),
                refusal: refusal(&reply),
            };
            self.traffic.tell(space, || Arc::new(passed()));
        }
        let place = peer.map(|peer| peer.place);
        self.respond(reply, id, head.method == Method::HEAD, upgrade, place)
    }

    fn respond(
        &self,
        reply: Reply,
        id: String,
        headers_only: bool,
        upgrade: Option<OnUpgrade>,
        place: Option<Arc<Place>>,
    ) -> Response {
        let Reply { status, headers, content, route: _, account: _, space: _, close } = reply;
        let request_id = HeaderValue::from_str(&id).expect("request ids are plain ASCII");
        let body = match content {
            Content::Whole(bytes) => Outgoing::whole(bytes),
            // It would begin for nobody.
            Content::Stream(_) if headers_only => Outgoing::whole(Bytes::new()),
            Content::Stream(frames) => Outgoing::stream(frames, id, self.stop.clone()),
            Content::Nothing => {
                let mut unsent = Response::new(Outgoing::whole(Bytes::new()));
                unsent.extensions_mut().insert(Unsent);
                return unsent;
            }
            Content::Upgrade(takeover) => {
                if let Some(upgrade) = upgrade {
                    tokio::spawn(take_over(takeover, upgrade, id, place, self.stop.clone()));
                }
                Outgoing::whole(Bytes::new())
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let own = response.headers_mut();
        own.reserve(headers.len() + 4);
        if status != StatusCode::SWITCHING_PROTOCOLS {
            own.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            own.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
        }
        own.insert(REQUEST_ID, request_id);
        for (name, value) in headers {
            own.insert(name, value);
        }
        if close {
            own.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Who answers, how much of the path is its mount, and the path as it documents it.
    fn dialect(&self, door: Option<Language>, path: &str, headers: &HeaderMap) -> (&Dialect, usize, String) {
        let meant = mounts::meant(door, path, headers.contains_key(TENANT_ID));
        match self.dialects.iter().find(|dialect| dialect.api == meant.api) {
            Some(dialect) => (dialect, meant.cut, meant.path(path)),
            None => (self.dialects.first().expect("there is a dialect"), 0, path.to_owned()),
        }
    }
}

/// The reply that is a dialect's document, when that is asked for.
fn document(dialect: &Dialect, method: &Method, path: &str) -> Option<Reply> {
    let Api::Of(language) = dialect.api else { return None };
    let (route, read) = (mounts::document_of(language), method == Method::GET || method == Method::HEAD);
    let document = dialect.document.as_ref().filter(|_| read && path == route)?;
    Some(Reply { route, ..Reply::new(StatusCode::OK, Bytes::clone(document)) })
}

/// The body of a reply that refuses.
fn refusal(reply: &Reply) -> Option<Bytes> {
    match &reply.content {
        Content::Whole(body) if reply.status.is_client_error() || reply.status.is_server_error() => Some(body.clone()),
        Content::Whole(_) | Content::Stream(_) | Content::Upgrade(_) | Content::Nothing => None,
    }
}

async fn read(
    declared: Option<u64>,
    body: Incoming,
    most: usize,
    deadline: tokio::time::Instant,
) -> Result<Bytes, Trouble> {
    if declared.is_some_and(|length| length > most as u64) {
        return Err(Trouble::BodyTooLarge(most));
    }
    // No more than the limit, as that was looked at.
    let expected = declared.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    if hyper::body::Body::is_end_stream(&body) {
        return Ok(Bytes::new());
    }
    match tokio::time::timeout_at(deadline, whole(expected, Limited::new(body, most))).await {
        Ok(Ok(whole)) => Ok(whole),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Trouble::BodyTooLarge(most)),
        Ok(Err(_)) => Err(Trouble::BodyBroken),
        Err(_) => Err(Trouble::BodyTooSlow),
    }
}

/// All of a body. What comes in one piece stays where it is. What was declared to be longer is put together in a place of that
/// size, so that a large file is in memory but once; what was not is kept in its pieces until the end.
async fn whole(declared: usize, mut body: Limited<Incoming>) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
    let mut all = BytesMut::new();
    let (mut pieces, mut length): (Vec<Bytes>, usize) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        if piece.len() < declared {
            all.reserve(declared - all.len());
            all.extend_from_slice(&piece);
        } else {
            length += piece.len();
            pieces.push(piece);
        }
    }
    Ok(match pieces.len() {
        0 => all.freeze(),
        1 => pieces.remove(0),
        _ => {
            // Each piece goes as soon as it is copied.
            all.reserve(length);
            pieces.into_iter().for_each(|piece| all.extend_from_slice(&piece));
            all.freeze()
        }
    })
}

/// Lets another protocol have the connection once the reply that says so is written. The place among the connections is
/// held until it is done with it.
async fn take_over(
    Takeover(takeover): Takeover,
    upgrade: OnUpgrade,
    id: String,
    place: Option<Arc<Place>>,
    stop: Stop,
) {
    // A client that went away in the meantime has nothing more to hear.
    let Ok(connection) = upgrade.await else { return };
    if let Err(panic) = AssertUnwindSafe(takeover(connection, stop)).catch_unwind().await {
        tracing::error!(request = id, "a connection that was taken over panicked: {}", said(panic.as_ref()));
    }
    drop(place);
}

/// The message of a panic.
pub(super) fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests;
