//! Sessions of the official CLI: `stripe listen` and `stripe logs tail`. A session is asked for with a key and connected to
//! with its id; what it hears is in `listen` and `logs`. github.com/stripe/stripe-cli, `pkg/stripeauth` and `pkg/websocket`.

mod answers;
mod filters;
mod line;
mod listen;
mod logs;
mod redact;
pub mod sessions;
mod ticket;
mod window;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use hyper::header::{SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION};
use hyper::{Method, StatusCode};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use self::line::{Line, Over};
use self::ticket::{Feature, Ticket};
use super::failure::{Names, Refusal};
use crate::app::{App, Caller, Closed};
use crate::domain::account::{Account, Space};
use crate::domain::api_key::{Access, Resource};
use crate::domain::time::Time;
use crate::http::content::{Content, Takeover};
use crate::http::traffic::Traffic;
use crate::http::{Reply, Request, Stop};

/// Where sessions connect to. It is no operation of the API: the session's id stands for the key.
pub const SUBSCRIBE: &str = "/v1/stripecli/subscribe";

/// What is spoken on the line: `pkg/websocket/client.go`.
const PROTOCOL: &str = "stripecli-devproxy-v1";
const WEBSOCKET_ID: HeaderName = HeaderName::from_static("websocket-id");
/// What the only version of the protocol is called: RFC 6455.
const WEBSOCKET_VERSION: &str = "13";
/// The length of the key of a handshake: 16 bytes in base64.
const KEY_LENGTH: usize = 24;

/// The most sessions of one account that are connected to this server at a time.
pub const MAX_PER_ACCOUNT: usize = 32;
/// The most sessions of which it is remembered how far they have come.
const MAX_REMEMBERED: usize = 16_384;

/// How long a line that is displaced may take to be over.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(2);

/// The sessions that are connected to this server, or were.
pub struct Sessions {
    app: Arc<App>,
    traffic: Arc<Traffic>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// How many are connected.
    connected: HashMap<Space, usize>,
    by_name: HashMap<String, Standing>,
}

/// How a session stands.
struct Standing {
    /// The place up to which it has everything, as far as that is known here.
    place: Option<i64>,
    /// When its id ends.
    expires: Time,
    line: Option<Connected>,
    /// How many lines it has had.
    lines: u64,
}

/// The line of a session.
struct Connected {
    /// Which of its lines it is.
    number: u64,
    /// Dropping it has the line make room for a newer one.
    _displace: oneshot::Sender<()>,
    /// Ends with the line.
    gone: oneshot::Receiver<()>,
}

/// A session's place among those that are connected, until it is dropped.
struct Seat {
    sessions: Arc<Sessions>,
    space: Space,
    name: String,
    number: u64,
    /// Ends when the session connects once more.
    displaced: oneshot::Receiver<()>,
    /// Ends when the line does that this one displaces.
    predecessor: Option<oneshot::Receiver<()>>,
    /// Dropping it says that this line is over.
    _gone: oneshot::Sender<()>,
}

impl Sessions {
    /// No sessions yet.
    pub fn new(app: Arc<App>, traffic: Arc<Traffic>) -> Arc<Sessions> {
        Arc::new(Sessions { app, traffic, known: Mutex::default() })
    }

    /// Answers a request at [`SUBSCRIBE`]: takes the connection over for the session that it names.
    pub async fn subscribe(self: &Arc<Sessions>, request: &Request) -> Reply {
        let reply = match self.connected(request).await {
            Ok(reply) => reply,
            Err(refusal) => refusal.reply(),
        };
        Reply { route: SUBSCRIBE, ..reply }
    }

    async fn connected(self: &Arc<Sessions>, request: &Request) -> Result<Reply, Refusal> {
        if request.method != Method::GET {
            return Err(Refusal::method_not_allowed(&request.method, SUBSCRIBE, "GET"));
        }
        let accept = handshake(request)?;
        let ticket = self.ticket(&request.headers).ok_or_else(Refusal::unknown_websocket)?;
        if asked_feature(&request.query).as_deref() != Some(ticket.feature.granted()) {
            return Err(Refusal::other_websocket_feature());
        }
        let caller = self.readmitted(&ticket).await.map_err(|closed| match closed {
            Closed::Unknown | Closed::Revoked | Closed::NotLinked => Refusal::unknown_websocket(),
            Closed::Failure(failure) => Refusal::stop(failure.into(), &request.id, &Names::BY_PATH, true),
        })?;
        self.app.rate(caller.account.space).map_err(|wait| Refusal::rate_limit(wait.as_secs() + 1))?;
        let seat = self.seat(caller.account.space, &ticket).ok_or_else(Refusal::too_many_websockets)?;
        let name = caller.account.id.0.clone();
        let (sessions, account) = (self.clone(), caller.account);
        let takeover = Takeover(Box::new(move |connection, stop| {
            Box::pin(async move {
                tracing::debug!(session = ticket.name, device = ticket.device, "a session of the CLI is connected");
                let mut line = Line::open(connection).await;
                let over = sessions.attend(&mut line, seat, &ticket, account, stop).await;
                tracing::debug!(session = ticket.name, "a session of the CLI is over: {over:?}");
                line.close(over).await;
            })
        }));
        let reply = Reply::going_on(StatusCode::SWITCHING_PROTOCOLS, Content::Upgrade(takeover))
            .with(CONNECTION, "Upgrade")
            .with(UPGRADE, "websocket")
            .with(SEC_WEBSOCKET_PROTOCOL, PROTOCOL)
            .with(SEC_WEBSOCKET_ACCEPT, &accept);
        Ok(Reply { account: name, ..reply })
    }

    /// Keeps to a line until it is over.
    async fn attend(
        self: Arc<Sessions>,
        line: &mut Line,
        mut seat: Seat,
        ticket: &Ticket,
        account: Arc<Account>,
        mut stop: Stop,
    ) -> Over {
        let attended = async {
            if let Some(predecessor) = &mut seat.predecessor {
                // What it has heard still counts.
                let _ = tokio::time::timeout(HANDED_OVER_WITHIN, predecessor).await;
            }
            let outcome = match ticket.feature {
                Feature::Webhooks => listen::attend(&self, line, ticket, &account, &mut seat.displaced).await,
                Feature::RequestLogs => logs::attend(&self, line, ticket, &account, &mut seat.displaced).await,
            };
            match outcome {
                Ok(never) => match never {},
                Err(over) => over,
            }
        };
        tokio::select! {
            over = attended => over,
            () = stop.told() => Over::Stopping,
        }
    }

    /// The ticket that the headers bring.
    fn ticket(&self, headers: &HeaderMap) -> Option<Ticket> {
        let text = headers.get(WEBSOCKET_ID)?.to_str().ok()?;
        let key = self.app.secrets_key()?;
        Ticket::of(text, &|said| sessions::seal(key, said), self.app.now())
    }

    /// Who holds the ticket, if his key is still good and still lets him hear.
    async fn readmitted(&self, ticket: &Ticket) -> Result<Caller, Closed> {
        let caller = self.app.readmit(&ticket.pass).await?;
        if caller.key.allows(Resource::Event, Access::Read) { Ok(caller) } else { Err(Closed::Revoked) }
    }

    /// Whether a line may go on.
    async fn check(&self, ticket: &Ticket) -> Result<(), Over> {
        match self.readmitted(ticket).await {
            Ok(_) => Ok(()),
            Err(Closed::Unknown | Closed::Revoked | Closed::NotLinked) => Err(Over::Barred),
            Err(Closed::Failure(failure)) => Err(broken(&failure)),
        }
    }

    /// A place among those that are connected; `None` when the account has too many.
    fn seat(self: &Arc<Sessions>, space: Space, ticket: &Ticket) -> Option<Seat> {
        let known = &mut *self.known.lock();
        let mine = known.by_name.get(&ticket.name).is_some_and(|standing| standing.line.is_some());
        let connected = known.connected.get(&space).copied().unwrap_or(0);
        // The line that this one displaces gives its place up.
        if connected.saturating_sub(usize::from(mine)) >= MAX_PER_ACCOUNT {
            return None;
        }
        if known.by_name.len() >= MAX_REMEMBERED {
            let now = self.app.now();
            known.by_name.retain(|_, standing| standing.line.is_some() || now < standing.expires);
        }
        if known.by_name.len() >= MAX_REMEMBERED {
            known.by_name.retain(|_, standing| standing.line.is_some());
        }
        *known.connected.entry(space).or_default() += 1;
        let fresh = || Standing { place: None, expires: ticket.expires, line: None, lines: 0 };
        let standing = known.by_name.entry(ticket.name.clone()).or_insert_with(fresh);
        let predecessor = standing.line.take().map(|Connected { number: _, _displace: _, gone }| gone);
        let ((displace, displaced), (gone_with, gone)) = (oneshot::channel(), oneshot::channel());
        standing.lines += 1;
        let number = standing.lines;
        standing.line = Some(Connected { number, _displace: displace, gone });
        let (sessions, name) = (self.clone(), ticket.name.clone());
        Some(Seat { sessions, space, name, number, displaced, predecessor, _gone: gone_with })
    }

    /// The place up to which a session has everything, as far as that is known here.
    fn place(&self, name: &str) -> Option<i64> {
        self.known.lock().by_name.get(name)?.place
    }

    /// Notes how far a session has come.
    fn has_come(&self, name: &str, place: i64) {
        if let Some(standing) = self.known.lock().by_name.get_mut(name) {
            standing.place = Some(place);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let known = &mut *self.sessions.known.lock();
        if let Entry::Occupied(mut connected) = known.connected.entry(self.space) {
            *connected.get_mut() -= 1;
            if *connected.get() == 0 {
                connected.remove();
            }
        }
        if let Some(standing) = known.by_name.get_mut(&self.name)
            && standing.line.as_ref().is_some_and(|line| line.number == self.number)
        {
            standing.line = None;
        }
    }
}

/// What never is.
enum Never {}

/// A store's failure, which is told in the log.
fn broken(failure: &crate::store::Failure) -> Over {
    tracing::error!("a session of the CLI: {failure}");
    Over::Broken
}

/// The answer to the key of a handshake that can be accepted: RFC 6455, 4.2.
fn handshake(request: &Request) -> Result<String, Refusal> {
    let header = |name: HeaderName| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let to_websocket = request.upgradable && header(UPGRADE).eq_ignore_ascii_case("websocket");
    let key = header(SEC_WEBSOCKET_KEY);
    if !to_websocket || header(SEC_WEBSOCKET_VERSION) != WEBSOCKET_VERSION || key.len() != KEY_LENGTH {
        return Err(Refusal::no_websocket());
    }
    if !header(SEC_WEBSOCKET_PROTOCOL).split(',').any(|protocol| protocol.trim() == PROTOCOL) {
        return Err(Refusal::other_websocket_protocol(PROTOCOL));
    }
    Ok(derive_accept_key(key.as_bytes()))
}

/// The feature that the query string asks for.
fn asked_feature(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("websocket_feature="))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}
