//! A suite in Rust: the server runs as a process of its own, and any HTTP client speaks to it; here, a very small one.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The program: on the path, unless Cargo builds it together with the tests.
const PROGRAM: &str = match option_env!("CARGO_BIN_EXE_cusp") {
    Some(path) => path,
    None => "cusp",
};

/// A server for one test. It ends with it.
struct Cusp {
    process: Child,
    address: String,
}

impl Cusp {
    /// Starts the server on a free port; the first line that it prints says which.
    fn start() -> Cusp {
        let program = env::var("CUSP").unwrap_or_else(|_| PROGRAM.into());
        let mut command = Command::new(program);
        command.args(["dev", "--ephemeral", "--seed", "7", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("cusp starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect("it says where it listens").to_owned();
        Cusp { process, address }
    }

    /// One request with a key, which names the sandbox; gives the status and the reply.
    fn ask(&self, key: &str, method: &str, path: &str, (kind, body): (&str, &str)) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: cusp\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n");
        let kind = if body.is_empty() { String::new() } else { format!("Content-Type: application/{kind}\r\n") };
        write!(stream, "{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").expect("it is HTTP");
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn form(&self, key: &str, method: &str, path: &str, form: &str) -> (u16, Value) {
        self.ask(key, method, path, ("x-www-form-urlencoded", form))
    }

    fn cusp(&self, key: &str, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(key, method, path, ("json", &body)).1
    }
}

impl Drop for Cusp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn ids_come_again_after_a_wipe() {
    let cusp = Cusp::start();
    let (_, first) = cusp.form("sk_test_wipe", "POST", "/v1/customers", "name=Ada");
    cusp.cusp("sk_test_wipe", "DELETE", "/cusp/v1/sandbox", Value::Null);
    let (_, again) = cusp.form("sk_test_wipe", "POST", "/v1/customers", "name=Ada");
    assert_eq!(again["id"], first["id"]);
}

#[test]
fn a_busy_record_is_asked_for_again() {
    let cusp = Cusp::start();
    cusp.cusp("sk_test_busy", "POST", "/cusp/v1/failures", json!({ "fail": "lock_timeout", "times": 2 }));
    let tries = std::iter::repeat_with(|| cusp.form("sk_test_busy", "POST", "/v1/customers", "name=Ada").0);
    let statuses: Vec<u16> = tries.take(3).collect();
    assert_eq!(statuses, [429, 429, 200]);
}

#[test]
fn a_state_is_given_to_another_sandbox() {
    let cusp = Cusp::start();
    let (_, ada) = cusp.form("sk_test_one", "POST", "/v1/customers", "name=Ada");
    let kept = cusp.cusp("sk_test_one", "POST", "/cusp/v1/sandbox/snapshots", json!({}));
    let fork = format!("/cusp/v1/sandbox/snapshots/{}/fork", kept["id"].as_str().unwrap());
    cusp.cusp("sk_test_one", "POST", &fork, json!({ "key": "sk_test_two" }));
    let path = format!("/v1/customers/{}", ada["id"].as_str().unwrap());
    assert_eq!(cusp.form("sk_test_two", "GET", &path, "").1["name"], "Ada");
}
