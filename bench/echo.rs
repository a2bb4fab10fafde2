//! The least that a server on this HTTP stack can do: read the body, answer what it was told. What cusp does beyond it
//! is what cusp costs.

use std::convert::Infallible;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::Trouble;
use crate::child::Server;
use crate::connection::find;

/// How many threads serve; cusp has one for each core, and the benchmark's machine has two.
const WORKERS: usize = 2;

/// What is answered to everything.
struct Reply {
    headers: HeaderMap,
    body: Bytes,
}

/// Starts it as a process of its own; it answers what the file says.
pub fn start(reply: &Path) -> Result<Server, Trouble> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--echo-server").arg(reply);
    // It ends when its input does, so that it never outlives this process, however this process ends.
    command.stdin(Stdio::piped());
    Server::start(command)
}

/// Serves until standard input ends.
pub fn run(reply: &Path) -> Result<(), Trouble> {
    let reply = Arc::new(Reply::read(&fs::read(reply)?)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    std::thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        io::stdout().flush()?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let reply = reply.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request: Request<Incoming>| answer(request, reply.clone()));
                let mut builder = hyper::server::conn::http1::Builder::new();
                let served = builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer);
                // A client that goes away is no trouble here.
                let _ = served.await;
            });
        }
    })
}

async fn answer(request: Request<Incoming>, reply: Arc<Reply>) -> Result<Response<Full<Bytes>>, Infallible> {
    if let Ok(body) = request.into_body().collect().await {
        std::hint::black_box(body.to_bytes());
    }
    let mut response = Response::new(Full::new(reply.body.clone()));
    *response.headers_mut() = reply.headers.clone();
    Ok(response)
}

impl Reply {
    /// Takes a reply of cusp apart. The headers that the HTTP stack writes itself are left to it.
    fn read(bytes: &[u8]) -> Result<Reply, Trouble> {
        let end = find(bytes, b"\r\n\r\n").ok_or("a reply has a head")?;
        let mut headers = HeaderMap::new();
        for line in std::str::from_utf8(&bytes[..end])?.split("\r\n").skip(1) {
            let (name, value) = line.split_once(':').ok_or("a header has a colon")?;
            let name = HeaderName::from_bytes(name.as_bytes())?;
            if name != "date" && name != "content-length" {
                headers.append(name, HeaderValue::from_str(value.trim())?);
            }
        }
        Ok(Reply { headers, body: Bytes::copy_from_slice(&bytes[end + 4..]) })
    }
}
