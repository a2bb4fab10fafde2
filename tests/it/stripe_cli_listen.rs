//! The official CLI, unmodified, as somebody who listens: `stripe listen` in front of an application, `stripe logs tail`,
//! and `stripe events resend` to those who listen.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use cusp::domain::delivery::{Delivery, DeliveryState, Outcome};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::cli::Cli;
use crate::cli_line::all_deliveries;
use crate::client::{Client, json};
use crate::harness::{Keeping, Server, in_both_stores};
use crate::stripe_cli_receiver::{Application, Received};

in_both_stores! {
    events_are_sent_on_to_an_application,
    an_application_hears_what_it_asked_for,
    listening_goes_on_after_a_restart,
    an_event_is_resent_to_those_who_listen,
    requests_are_seen_as_they_pass,
    printed_events_are_those_of_the_api,
}

const KEY: &str = "sk_test_listening";
/// How long the CLI may take for anything. Between two tries to connect it waits for ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command of the CLI that goes on, until it is dropped.
struct Listening {
    child: Child,
    lines: Receiver<String>,
}

impl Listening {
    /// Starts a command and waits until it says that it is ready.
    fn start(cli: &Cli, arguments: &[&str]) -> Listening {
        let mut command = cli.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the CLI starts");
        let (line, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("it was piped above");
        let stderr = child.stderr.take().expect("it was piped above");
        for output in [Box::new(stdout) as Box<dyn Read + Send>, Box::new(stderr)] {
            let line = line.clone();
            thread::spawn(move || {
                BufReader::new(output).lines().map_while(Result::ok).for_each(|text| drop(line.send(text)));
            });
        }
        let listening = Listening { child, lines };
        listening.until(|line| line.contains("Ready!"));
        listening
    }

    /// The next line that is meant.
    #[track_caller]
    fn until(&self, meant: impl Fn(&str) -> bool) -> String {
        let (since, mut said) = (Instant::now(), Vec::new());
        loop {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(since.elapsed())) {
                Ok(line) if meant(&line) => return line,
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("the CLI did not say it; it said {said:#?}")
                }
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the header signs the body with the secret, as receivers find out: docs.stripe.com/webhooks/signature.
pub fn is_signed(header: &str, body: &str, secret: &str) -> bool {
    let part = |name: &str| header.split(',').find_map(|part| part.strip_prefix(name)).unwrap_or_default().to_owned();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{}.{body}", part("t=")).as_bytes());
    let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    part("v1=") == expected
}

/// The names of the customers that an application hears of, in any order: the CLI sends one on while it sends another.
fn names(application: &Application, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|_| name(&application.next(PATIENCE))).collect();
    names.sort_unstable();
    names
}

fn name(received: &Received) -> String {
    event(received)["data"]["object"]["name"].as_str().unwrap_or_default().to_owned()
}

fn event(received: &Received) -> Value {
    serde_json::from_str(&received.body).expect("events are JSON")
}

/// A server, its CLI, and an application to send events on to.
fn together(keeping: &Keeping) -> (Server, Cli, Application) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    (server, cli, Application::start())
}

fn events_are_sent_on_to_an_application(keeping: &Keeping) {
    let (server, cli, application) = together(keeping);
    let secret = cli.done(&["listen", "--print-secret"]);
    let secret = secret.trim();
    let url = application.url();
    let listening = Listening::start(&cli, &["listen", "--all-snapshot", "--forward-to", &url]);
    let client = Client::new(server.address(), KEY);
    let customer = client.customer("name=Jenny");
    let received = application.next(PATIENCE);
    assert!(secret.starts_with("whsec_") && is_signed(received.header("stripe-signature"), &received.body, secret));
    assert_eq!((received.header("content-type"), name(&received)), ("application/json; charset=utf-8", "Jenny".into()));
    let shown = listening.until(|line| line.contains("--> customer.created"));
    assert!(shown.contains(event(&received)["id"].as_str().expect("an id")), "{shown}");
    listening.until(|line| line.contains("<--  [200] POST"));

    application.answers(500, "no thanks");
    json(&client.post(&format!("/v1/customers/{customer}"), "name=Rosen"));
    let refused = application.next(PATIENCE);
    listening.until(|line| line.contains("<--  [500] POST"));
    // It is kept as a delivery of the session, whose name its id begins with.
    let body = |delivery: &Delivery| match delivery.latest.as_ref().map(|attempt| &attempt.outcome) {
        Some(Outcome::Answered { status: 500, body, .. }) => body.clone(),
        other => panic!("{other:?}"),
    };
    let kept = loop {
        let kept = all_deliveries(&server, KEY);
        if let Some(failed) = kept.into_iter().find(|delivery| delivery.state == DeliveryState::Failed) {
            break failed;
        }
    };
    assert_eq!((kept.event.as_str(), body(&kept)), (event(&refused)["id"].as_str().unwrap(), "no thanks".to_owned()));
    assert!(kept.endpoint.as_str().starts_with("cliws_"), "{kept:?}");
}

fn an_application_hears_what_it_asked_for(keeping: &Keeping) {
    let (server, cli, application) = together(keeping);
    let url = application.url();
    let options = ["listen", "--events", "customer.deleted", "--latest", "--skip-verify", "--forward-to", &url];
    let _listening = Listening::start(&cli, &options);
    let client = Client::new(server.address(), KEY);
    // More than may be under way at a time: what the CLI keeps to itself makes room, too.
    for number in 0..80 {
        client.customer(&format!("name={number}"));
    }
    let customer = client.customer("name=Jenny");
    client.exchange("DELETE", &format!("/v1/customers/{customer}"), "", &[]);
    let received = application.next(PATIENCE);
    assert_eq!((event(&received)["type"].as_str(), name(&received).as_str()), (Some("customer.deleted"), "Jenny"));
    application.hears_no_more();
}

fn listening_goes_on_after_a_restart(keeping: &Keeping) {
    let (mut server, cli, application) = together(keeping);
    let url = application.url();
    let listening = Listening::start(&cli, &["listen", "--all-snapshot", "--forward-to", &url]);
    let client = Client::new(server.address(), KEY);
    client.customer("name=before");
    assert_eq!(names(&application, 1), ["before"]);
    listening.until(|line| line.contains("<--  [200] POST"));
    // By the last answer that is kept, the server knows again how far the session had come.
    while all_deliveries(&server, KEY).is_empty() {}
    server.restart_in_place();
    client.customer("name=after");
    client.customer("name=later");
    assert_eq!(names(&application, 2), ["after", "later"]);
}

fn an_event_is_resent_to_those_who_listen(keeping: &Keeping) {
    let (server, cli, application) = together(keeping);
    let client = Client::new(server.address(), KEY);
    client.customer("name=Jenny");
    let event_id = json(&client.get("/v1/events"))["data"][0]["id"].as_str().expect("an event happened").to_owned();
    let url = application.url();
    let _listening = Listening::start(&cli, &["listen", "--all-snapshot", "--forward-to", &url]);
    // It happened before anybody listened, and is told because somebody asked for it.
    let resent = cli.json(&["events", "resend", &event_id]);
    assert_eq!(resent["id"], event_id.as_str());
    let received = application.next(PATIENCE);
    assert_eq!(event(&received)["id"], event_id.as_str());
    application.hears_no_more();
}

fn requests_are_seen_as_they_pass(keeping: &Keeping) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    let all = Listening::start(&cli, &["logs", "tail"]);
    let refused = Listening::start(&cli, &["logs", "tail", "--filter-status-code-type", "4XX", "--format", "JSON"]);
    let client = Client::new(server.address(), KEY);
    let made = client.post("/v1/customers", "name=Jenny");
    let id = made.header("Request-Id").expect("every reply has an id").to_owned();
    let line = all.until(|line| line.contains("/v1/customers"));
    assert!(line.contains("[200] POST /v1/customers") && line.contains(&id), "{line}");
    client.post("/v1/setup_intents", "payment_method=pm_card_chargeDeclined&confirm=true");
    all.until(|line| line.contains("[402] POST /v1/setup_intents"));
    all.until(|line| line.contains("DeclineCode: generic_decline"));
    let line = refused.until(|line| line.contains("\"status\""));
    assert!(line.contains("402"), "{line}");
}

fn printed_events_are_those_of_the_api(keeping: &Keeping) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    let listening = Listening::start(&cli, &["listen", "--all-snapshot", "--format", "JSON"]);
    let client = Client::new(server.address(), KEY);
    client.customer("name=Jenny");
    let printed = listening.until(|line| line.contains("customer.created"));
    let printed: Value = serde_json::from_str(&printed).expect("it is printed as JSON");
    assert_eq!(printed, json(&client.get("/v1/events"))["data"][0]);
}
