//! Receivers of webhooks on this machine that do with each connection what a test says, and what sends to them.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use cusp::settings::{Openness, Webhooks};
use cusp::webhooks::guard::Resolver;
use cusp::webhooks::send::{Answer, Attempt, Letter, NotSent, Outcome, Sender};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What every test sends.
pub const BODY: &str = "{\"id\":\"evt_1\"}";

/// A receiver; it ends with the test.
pub struct Receiver {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    listening: AbortHandle,
}

/// A connection of a receiver.
pub struct Guest {
    pub stream: TcpStream,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Guest {
    /// The next request, read to its end; `None` when there is none any more.
    pub async fn request(&mut self) -> Option<String> {
        let request = read_request(&mut self.stream).await?;
        self.requests.lock().push(request.clone());
        Some(request)
    }

    /// Says something; who hung up does not hear it.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Holds the connection until the other side closes it.
    pub async fn hold(&mut self) {
        let mut rest = [0; 1024];
        while matches!(self.stream.read(&mut rest).await, Ok(1..)) {}
    }
}

/// Reads a request with its body.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut read = Vec::new();
    loop {
        if let Some(head) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
            let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            if read.len() >= head + 4 + length {
                return Some(String::from_utf8_lossy(&read).into_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(count @ 1..) => read.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}

impl Receiver {
    /// Starts one that meets each connection as `host` says.
    pub async fn start<F>(host: impl Fn(Guest) -> F + Send + 'static) -> Receiver
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counted, seen) = (connections.clone(), requests.clone());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(host(Guest { stream, requests: seen.clone() }));
            }
        });
        Receiver { address, connections, requests, listening: listening.abort_handle() }
    }

    /// One that answers every request on a connection with these bytes.
    pub async fn answering(answer: impl AsRef<[u8]> + Clone + Send + Sync + 'static) -> Receiver {
        Receiver::start(move |mut guest| {
            let answer = answer.clone();
            async move { while guest.request().await.is_some() && guest.say(answer.as_ref()).await {} }
        })
        .await
    }

    /// One that answers the first request of each connection with these bytes and closes it.
    pub async fn answering_once(answer: impl AsRef<[u8]> + Clone + Send + Sync + 'static) -> Receiver {
        Receiver::start(move |mut guest| {
            let answer = answer.clone();
            async move {
                guest.request().await;
                guest.say(answer.as_ref()).await;
            }
        })
        .await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Names as a test has them, each with its answers one after the other, the last for ever.
#[derive(Default)]
pub struct Names {
    known: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    pub fn of(names: &[(&str, &[&[&str]])]) -> Arc<Names> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().expect("an address")).collect();
        let known = names.iter().map(|(name, answers)| (name.to_string(), answers.iter().map(parse).collect()));
        Arc::new(Names { known: Mutex::new(known.collect()), ..Names::default() })
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolver for Names {
    fn addresses(&self, name: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.known.lock().get_mut(name).map(|answers| match answers.len() {
            0 => Vec::new(),
            1 => answers[0].clone(),
            _ => answers.remove(0),
        });
        Box::pin(std::future::ready(answer.ok_or_else(|| io::Error::other("no such name"))))
    }
}

/// A developer's sender with changed settings, that knows no names.
pub fn sender(change: impl FnOnce(&mut Webhooks)) -> Sender {
    sender_with(Names::of(&[]), change)
}

/// One that knows these names.
pub fn sender_with(names: Arc<Names>, change: impl FnOnce(&mut Webhooks)) -> Sender {
    let mut webhooks = Webhooks::new(Openness::Dev);
    change(&mut webhooks);
    Sender::new(&webhooks, names).expect("the settings are right")
}

/// Sends the usual body.
pub async fn send(sender: &Sender, url: &str) -> Attempt {
    sender.send(Letter { url, signature: "t=1,v1=ab", body: Bytes::from_static(BODY.as_bytes()) }).await
}

/// Sends the usual body to who answers.
pub async fn answer(sender: &Sender, url: &str) -> Answer {
    match send(sender, url).await.outcome {
        Outcome::Sent(answer) => answer,
        Outcome::NotSent(trouble) => panic!("{url}: {trouble}"),
    }
}

/// Sends the usual body to who does not answer.
pub async fn trouble(sender: &Sender, url: &str) -> NotSent {
    match send(sender, url).await.outcome {
        Outcome::Sent(answer) => panic!("{url}: {answer:?}"),
        Outcome::NotSent(trouble) => trouble,
    }
}
