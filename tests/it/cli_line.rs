//! The line of a CLI's session, spoken by hand: what the CLI itself never says, and when.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use cusp::domain::delivery::{Delivery, DeliveryPage};
use cusp::domain::ids::WebhookEndpointId;
use cusp::identity::{self, KeyParts};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::HandshakeError;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Error, Message, WebSocket};

use crate::client::{self, Client};
use crate::harness::Server;

/// How long anything may take that is to happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long nothing has to happen to be believed.
const QUIET: Duration = Duration::from_millis(300);

/// What the CLI speaks.
pub const PROTOCOL: &str = "stripecli-devproxy-v1";

/// A session as it was granted.
pub struct Session {
    address: SocketAddr,
    /// What was answered.
    pub granted: Value,
}

/// A line to a server.
pub struct Line(WebSocket<TcpStream>);

impl Session {
    /// A session to hear of events.
    pub fn to_listen(client: &Client, address: SocketAddr) -> Session {
        Session::asked(client, address, "websocket_features[]=webhooks")
    }

    /// A session that is asked for with that form.
    pub fn asked(client: &Client, address: SocketAddr, form: &str) -> Session {
        Session { address, granted: client::json(&client.post("/v1/stripecli/sessions", form)) }
    }

    /// The session at another address: of another server, or of one that was started again.
    pub fn at(&self, address: SocketAddr) -> Session {
        Session { address, granted: self.granted.clone() }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.text("websocket_id")
    }

    /// The name that its deliveries are kept under.
    pub fn name(&self) -> &str {
        self.id().split('.').next().expect("a text has a beginning")
    }

    /// A text of what was answered.
    pub fn text(&self, name: &str) -> &str {
        self.granted[name].as_str().expect("it is a text")
    }

    /// Connects as the CLI does.
    pub fn connect(&self) -> Line {
        self.connect_as(self.id(), PROTOCOL, self.text("websocket_authorized_feature"))
            .unwrap_or_else(|(status, error)| panic!("{status}: {error}"))
    }

    /// Connects with that id, protocol and feature; or gives the status of the refusal, and what it says.
    pub fn connect_as(&self, id: &str, protocol: &str, feature: &str) -> Result<Line, (u16, String)> {
        let url = format!("ws://{}/v1/stripecli/subscribe?websocket_feature={feature}", self.address);
        let mut request: Request<()> = url.into_client_request().expect("the address makes a URL");
        let headers = request.headers_mut();
        headers.insert("Websocket-Id", HeaderValue::from_str(id).expect("ids are plain"));
        headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_str(protocol).expect("protocols are plain"));
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time can be set");
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Line(socket)),
            Err(HandshakeError::Failure(Error::Http(response))) => {
                let body = response.body().clone().unwrap_or_default();
                let said: Value = serde_json::from_slice(&body).unwrap_or_default();
                let words = said["error"]["message"].as_str().map(str::to_owned);
                Err((response.status().as_u16(), words.unwrap_or_else(|| format!("{body:?}"))))
            }
            Err(trouble) => panic!("{trouble}"),
        }
    }
}

impl Line {
    /// The next message.
    #[track_caller]
    pub fn hear(&mut self) -> Value {
        match self.heard() {
            Ok(message) => message,
            Err(over) => panic!("the line is over: {over}"),
        }
    }

    fn heard(&mut self) -> Result<Value, Error> {
        loop {
            match self.0.read()? {
                Message::Text(text) => return Ok(serde_json::from_str(&text).expect("messages are JSON")),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next event, told in the account's version and in the newest, with both conversations; neither is acknowledged.
    #[track_caller]
    pub fn event(&mut self) -> Told {
        let [one, other] = [self.hear(), self.hear()];
        for message in [&one, &other] {
            assert_eq!((&message["type"], &message["webhook_id"]), (&json!("webhook_event"), &one["webhook_id"]));
        }
        assert_eq!((&one["endpoint"]["api_version"], &one["endpoint"]["status"]), (&Value::Null, &json!("enabled")));
        assert!(other["endpoint"]["api_version"].is_string(), "{other}");
        Told { messages: [one, other] }
    }

    /// The name of the customer that the next event is about, which is acknowledged.
    #[track_caller]
    pub fn name(&mut self) -> String {
        let told = self.event();
        self.acknowledge(&told);
        told.payload()["data"]["object"]["name"].as_str().unwrap_or_default().to_owned()
    }

    /// Says that it has an event.
    pub fn acknowledge(&mut self, told: &Told) {
        for message in &told.messages {
            let conversation = &message["webhook_conversation_id"];
            self.say(&json!({"type": "event_ack", "webhook_conversation_id": conversation, "event_id": "x"}));
        }
    }

    /// Says something.
    pub fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string()));
    }

    /// Sends something; a server that has hung up already is for the next read to tell.
    pub fn send(&mut self, message: Message) {
        let _ = self.0.send(message);
    }

    /// Nothing is told for a while.
    #[track_caller]
    pub fn is_quiet(&mut self) {
        self.patience(QUIET);
        match self.heard() {
            Err(Error::Io(cause)) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&cause.kind()) => {}
            other => panic!("{other:?}"),
        }
        self.patience(PATIENCE);
    }

    /// Waits for the end, and gives the reason for it.
    #[track_caller]
    pub fn end(&mut self) -> CloseCode {
        loop {
            match self.0.read() {
                Ok(Message::Close(Some(frame))) => return frame.code,
                Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn patience(&self, patience: Duration) {
        self.0.get_ref().set_read_timeout(Some(patience)).expect("a time can be set");
    }
}

/// The deliveries that are kept of a session of that key's sandbox, newest event first.
pub fn deliveries(server: &Server, key: &str, session: &str) -> Vec<Delivery> {
    look(server, key, Some(WebhookEndpointId(session.to_owned())))
}

/// The deliveries that are kept of that key's sandbox, newest event first.
pub fn all_deliveries(server: &Server, key: &str) -> Vec<Delivery> {
    look(server, key, None)
}

fn look(server: &Server, key: &str, endpoint: Option<WebhookEndpointId>) -> Vec<Delivery> {
    let parts = KeyParts::of(key).expect("it is a key");
    let space = identity::space(None, &identity::sandbox(parts.rest), parts.mode);
    let (tell, told) = mpsc::channel();
    server.beside(move |tx| {
        let page = DeliveryPage { endpoint: endpoint.clone(), limit: 100, ..DeliveryPage::default() };
        let _ = tell.send(tx.deliveries(space, &page)?.items);
        Ok(())
    });
    told.try_iter().last().expect("the look was taken")
}

/// An event as it was told.
pub struct Told {
    /// In the account's version, and in the newest.
    pub messages: [Value; 2],
}

impl Told {
    /// The event.
    pub fn payload(&self) -> Value {
        let text = self.messages[0]["event_payload"].as_str().expect("the payload is text");
        serde_json::from_str(text).expect("the payload is JSON")
    }

    /// What the CLI says when an application has answered the first of the messages.
    pub fn answered(&self, status: u16, body: &str) -> Value {
        json!({
            "type": "webhook_response",
            "webhook_conversation_id": self.messages[0]["webhook_conversation_id"],
            "webhook_id": self.messages[0]["webhook_id"],
            "forward_url": "http://127.0.0.1:4242/webhook",
            "status": status,
            "http_headers": {"Server": "test"},
            "body": body,
        })
    }
}
