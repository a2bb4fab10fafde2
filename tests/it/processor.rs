//! A processor that does not answer, and one that counts how it is asked: what a request comes to when the processor's
//! answer is lost, and that nobody is asked twice for what was done.

use std::future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cusp::domain::bank_account::{Guess, Told};
use cusp::domain::card::Reference;
use cusp::processor::{Accepted, Answering, Ask, Details, Failing, Processor, Simulator, Verified};
use cusp::store::faults::Loss;

use crate::client::{Client, error, json};
use crate::faults::broken_in;
use crate::harness::{Keeping, Server, in_every_store};
use crate::holdings::{CARD, all_held, loose, token};

in_every_store! {
    a_lost_answer_is_asked_for_again_under_the_same_attempt,
    what_was_done_is_not_asked_about_again,
    a_refused_parameter_asks_nobody,
    a_commit_that_is_lost_after_the_answer_is_made_up_for,
    a_commit_whose_answer_is_lost_is_not_asked_about_again,
}

/// Does not answer so many times, then as the simulator does; notes the attempts.
#[derive(Default)]
struct Slow {
    away: AtomicUsize,
    attempts: Mutex<Vec<String>>,
}

impl Slow {
    fn away(times: usize) -> Arc<Slow> {
        Arc::new(Slow { away: AtomicUsize::new(times), ..Slow::default() })
    }

    fn attempts(&self) -> Vec<String> {
        self.attempts.lock().expect("no test thread panicked").clone()
    }

    fn answers(&self, ask: Ask<'_>) -> Result<(), Failing> {
        self.attempts.lock().expect("no test thread panicked").push(ask.attempt.0.clone());
        let less = |away: usize| away.checked_sub(1);
        match self.away.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(_) => Err(Failing::Away { seen: "a connection that was closed".to_owned() }),
            Err(_) => Ok(()),
        }
    }
}

impl Processor for Slow {
    fn accept<'a>(&'a self, ask: Ask<'a>, details: &'a Details) -> Answering<'a, Accepted> {
        match self.answers(ask) {
            Ok(()) => SIMULATOR.accept(ask, details),
            Err(failing) => Box::pin(future::ready(Err(failing))),
        }
    }

    fn named(&self, ask: Ask<'_>, name: &str) -> Option<Accepted> {
        SIMULATOR.named(ask, name)
    }

    fn judge<'a>(&'a self, ask: Ask<'a>, account: &'a Reference, told: &'a Told) -> Answering<'a, Guess> {
        match self.answers(ask) {
            Ok(()) => SIMULATOR.judge(ask, account, told),
            Err(failing) => Box::pin(future::ready(Err(failing))),
        }
    }

    fn verify<'a>(&'a self, ask: Ask<'a>, instrument: &'a Accepted) -> Answering<'a, Verified> {
        match self.answers(ask) {
            Ok(()) => SIMULATOR.verify(ask, instrument),
            Err(failing) => Box::pin(future::ready(Err(failing))),
        }
    }
}

/// Who answers in the end.
static SIMULATOR: Simulator = Simulator;

fn a_lost_answer_is_asked_for_again_under_the_same_attempt(keeping: &Keeping) {
    let slow = Slow::away(2);
    let server = Server::start_through(keeping, slow.clone());
    let client = Client::new(server.address(), "sk_test_slow");
    let create = || client.exchange("POST", "/v1/tokens", CARD, &[("Idempotency-Key", "once")]);
    for _ in 0..2 {
        let reply = create();
        assert_eq!(error(&reply, 503)["type"], "api_error");
        assert_eq!(reply.header("Stripe-Should-Retry"), Some("true"));
    }
    let made = json(&create());
    let attempts = slow.attempts();
    assert_eq!(attempts.len(), 3);
    assert!(attempts.iter().all(|attempt| *attempt == attempts[0] && attempt.len() == 64), "{attempts:?}");

    // Another key, another endpoint's key or none: another attempt.
    json(&client.exchange("POST", "/v1/tokens", CARD, &[("Idempotency-Key", "twice")]));
    json(&client.post("/v1/tokens", CARD));
    json(&client.post("/v1/tokens", CARD));
    let mut attempts = slow.attempts();
    attempts.sort();
    attempts.dedup();
    assert_eq!(attempts.len(), 4);
    let path = format!("/v1/tokens/{}", made["id"].as_str().expect("it has an id"));
    assert_eq!(json(&client.get(&path)), made);
}

fn what_was_done_is_not_asked_about_again(keeping: &Keeping) {
    let slow = Slow::away(0);
    let mut server = Server::start_through(keeping, slow.clone());
    let client = Client::new(server.address(), "sk_test_slow");
    let create = |client: &Client, body: &str| client.exchange("POST", "/v1/tokens", body, &[("Idempotency-Key", "k")]);
    let made = create(&client, CARD);
    assert_eq!(create(&client, CARD).body, made.body);
    server.restart();
    let client = Client::new(server.address(), "sk_test_slow");
    assert_eq!(create(&client, CARD).body, made.body);
    error(&create(&client, &format!("{CARD}&card[name]=Jenny")), 400);
    assert_eq!(slow.attempts().len(), 1);
}

fn a_refused_parameter_asks_nobody(keeping: &Keeping) {
    let slow = Slow::away(0);
    let server = Server::start_through(keeping, slow.clone());
    let client = Client::new(server.address(), "sk_test_slow");
    error(&client.post("/v1/tokens", &format!("{CARD}&card[color]=red")), 400);
    error(&Client::new(server.address(), "rk_wrong").post("/v1/tokens", CARD), 401);
    assert_eq!(slow.attempts(), Vec::<String>::new());
}

/// What is asked about and then attached: by path and form, the customer's id and what is offered to be put in.
fn attachments(client: &Client) -> Vec<(String, String)> {
    let customer = client.customer("source=tok_amex");
    let (path, attach) =
        (format!("/v1/customers/{customer}"), |method: &str| format!("/v1/payment_methods/{method}/attach"));
    vec![
        (path.clone(), format!("source={}", token(client))),
        (path.clone(), "source=tok_visa".to_owned()),
        (path.clone(), format!("source[object]=card&{}", CARD.replace("card[", "source["))),
        (format!("{path}/sources"), format!("source={}", token(client))),
        (attach(&loose(client)), format!("customer={customer}")),
        (attach("pm_card_visa"), format!("customer={customer}")),
        ("/v1/customers".to_owned(), format!("source={}", token(client))),
        ("/v1/customers".to_owned(), format!("payment_method={}", loose(client))),
    ]
}

/// The processor has answered, and then everything is lost: the retry asks under the same attempt and attaches once.
fn a_commit_that_is_lost_after_the_answer_is_made_up_for(keeping: &Keeping) {
    let slow = Slow::away(0);
    let (server, store) = broken_in(|wrap| Server::start_through_and_around(keeping, slow.clone(), wrap));
    let client = Client::new(server.address(), "sk_test_slow");
    for (number, (path, form)) in attachments(&client).into_iter().enumerate() {
        let key = format!("once-{number}");
        let send = || client.exchange("POST", &path, &form, &[("Idempotency-Key", &key)]);
        let (before, asked) = (all_held(&client), slow.attempts().len());
        store.lose(Loss::Commit);
        assert_eq!(error(&send(), 503)["type"], "api_error");
        assert_eq!(all_held(&client), before, "POST {path} with {form}");
        let first = slow.attempts()[asked..].to_vec();
        assert!(!first.is_empty(), "POST {path} with {form} asks");

        let done = send();
        assert_eq!((done.status, done.header("Idempotent-Replayed")), (200, None), "{}", done.text());
        assert_eq!(slow.attempts()[asked + first.len()..], first, "the retry is the same attempt");
        let after = all_held(&client);
        assert_ne!(after, before);
        assert_eq!(send().body, done.body);
        assert_eq!((all_held(&client), slow.attempts().len()), (after, asked + 2 * first.len()));
    }
}

/// Everything is done, and nobody was told: the retry is told, and asks nobody.
fn a_commit_whose_answer_is_lost_is_not_asked_about_again(keeping: &Keeping) {
    let slow = Slow::away(0);
    let (server, store) = broken_in(|wrap| Server::start_through_and_around(keeping, slow.clone(), wrap));
    let client = Client::new(server.address(), "sk_test_slow");
    for (number, (path, form)) in attachments(&client).into_iter().enumerate() {
        let key = format!("once-{number}");
        let send = || client.exchange("POST", &path, &form, &[("Idempotency-Key", &key)]);
        let before = all_held(&client);
        store.lose(Loss::Answer);
        error(&send(), 503);
        let (after, asked) = (all_held(&client), slow.attempts().len());
        assert_ne!(after, before);
        let told = send();
        assert_eq!((told.status, told.header("Idempotent-Replayed")), (200, Some("true")), "{}", told.text());
        assert_eq!((all_held(&client), slow.attempts().len()), (after, asked));
    }
}
