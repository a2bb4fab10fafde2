//! Webhooks to receivers that are slow, wrong, huge, redirecting or dying: what comes of an attempt, how long it takes, what is
//! kept of the answer, and when a connection is used again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cusp::settings::{Targets, Webhooks};
use cusp::webhooks::guard::SystemResolver;
use cusp::webhooks::pool::{IDLE_TIME, MAX_ANSWER_BYTES, MAX_HEAD_BYTES};
use cusp::webhooks::send::{HEADERS, Letter, MAX_BODY_BYTES, MAX_HEADERS, Outcome, Reason, Sender};
use tokio::time::Instant;

use crate::receiver::{BODY, Names, Receiver, answer, send, sender, sender_with, trouble};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A time that a test may wait for.
const SHORT: Duration = Duration::from_millis(250);
/// More than an attempt with the short time takes on a busy machine.
const LONG: Duration = Duration::from_secs(5);

fn hasty(webhooks: &mut Webhooks) {
    webhooks.timeout = SHORT;
}

#[tokio::test]
async fn a_webhook_is_a_signed_post() {
    let receiver =
        Receiver::answering("HTTP/1.1 202 Accepted\r\nX-Request-Id: r1\r\nContent-Length: 5\r\n\r\nthere").await;
    let answer = answer(&sender(|_| {}), &receiver.url("/hooks?for=me")).await;
    assert_eq!((answer.status, answer.body.as_str(), answer.truncated), (202, "there", false));
    assert!(answer.is_success());
    assert_eq!(answer.headers[0], ("x-request-id".to_owned(), "r1".to_owned()));
    let expected = format!(
        "POST /hooks?for=me HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json; charset=utf-8\r\n\
         User-Agent: Cusp/{}\r\nCache-Control: no-cache\r\nAccept: */*; q=0.5, application/xml\r\n\
         Stripe-Signature: t=1,v1=ab\r\nContent-Length: {}\r\n\r\n{BODY}",
        receiver.address,
        env!("CARGO_PKG_VERSION"),
        BODY.len()
    );
    assert_eq!(receiver.requests(), [expected]);
    assert_eq!(HEADERS.len(), 4);
}

#[tokio::test]
async fn a_connection_is_used_again_when_its_answer_was_read_to_the_end() {
    let exact = format!("HTTP/1.1 200 OK\r\nContent-Length: {MAX_BODY_BYTES}\r\n\r\n{}", "x".repeat(MAX_BODY_BYTES));
    for whole in [
        OK,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: t\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        &exact,
    ] {
        let (sender, receiver) = (sender(|_| {}), Receiver::answering(whole.to_owned()).await);
        for _ in 0..3 {
            assert!(!answer(&sender, &receiver.url("/")).await.truncated, "{whole}");
        }
        assert_eq!((receiver.connections(), receiver.requests().len(), sender.idle()), (1, 3, 1), "{whole}");
    }
    let long =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", MAX_BODY_BYTES + 1, "x".repeat(MAX_BODY_BYTES + 1));
    for unfinished in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        &long,
    ] {
        let (sender, receiver) = (sender(|_| {}), Receiver::answering(unfinished.to_owned()).await);
        for _ in 0..2 {
            answer(&sender, &receiver.url("/")).await;
        }
        assert_eq!((receiver.connections(), sender.idle()), (2, 0), "{unfinished}");
    }
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_its_connection() {
    let receiver = Receiver::answering_once("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    let answer = answer(&sender(|_| {}), &receiver.url("/")).await;
    assert_eq!((answer.body.as_str(), answer.truncated), ("until the end", false));
}

#[tokio::test]
async fn a_connection_that_was_closed_between_two_webhooks_costs_nothing() {
    // The end of the connection has come before the second webhook, or comes in answer to it.
    for reads_second in [false, true] {
        let receiver = Receiver::start(move |mut guest| async move {
            guest.request().await;
            guest.say(OK).await;
            if reads_second {
                guest.request().await;
            }
        })
        .await;
        let sender = sender(|_| {});
        for _ in 0..3 {
            assert_eq!(answer(&sender, &receiver.url("/")).await.status, 200);
        }
        assert_eq!(receiver.connections(), 3);
    }
}

#[tokio::test]
async fn nothing_is_sent_twice_once_an_answer_has_begun() {
    let receiver = Receiver::start(|mut guest| async move {
        guest.request().await;
        guest.say(OK).await;
        guest.request().await;
        guest.say("HTTP/1.1 200 O").await;
    })
    .await;
    let sender = sender(|_| {});
    answer(&sender, &receiver.url("/")).await;
    assert_eq!(trouble(&sender, &receiver.url("/")).await.reason, Reason::Closed);
    assert_eq!((receiver.connections(), receiver.requests().len()), (1, 2));
}

#[tokio::test]
async fn what_comes_unasked_ends_a_connection() {
    let receiver = Receiver::answering(format!("{OK}{OK}")).await;
    let sender = sender(|_| {});
    for _ in 0..3 {
        assert_eq!(answer(&sender, &receiver.url("/")).await.body, "ok");
    }
    assert_eq!(receiver.connections(), 3, "an answer is never taken for that of the next request");
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let receiver = Receiver::answering(OK).await;
    let sender = sender(|_| {});
    let url = receiver.url("/");
    let all = futures_util::future::join_all((0..10).map(|_| answer(&sender, &url))).await;
    assert_eq!((all.len(), sender.idle(), receiver.connections()), (10, 10, 10));
    tokio::time::pause();
    sender.tidy();
    assert_eq!(sender.idle(), 10);
    tokio::time::advance(IDLE_TIME).await;
    sender.tidy();
    assert_eq!(sender.idle(), 0);
    tokio::time::resume();
    answer(&sender, &url).await;
    assert_eq!(receiver.connections(), 11);
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_given_up_in_time() {
    let silent = Receiver::start(|mut guest| async move { guest.hold().await }).await;
    let dripping = Receiver::start(|mut guest| async move {
        guest.request().await;
        while guest.say("H").await {
            tokio::time::sleep(SHORT / 10).await;
        }
    })
    .await;
    let half_a_head = Receiver::start(|mut guest| async move {
        guest.request().await;
        guest.say("HTTP/1.1 200 OK\r\nX-Slow: ").await;
        guest.hold().await;
    })
    .await;
    for receiver in [silent, half_a_head, dripping] {
        let started = Instant::now();
        let attempt = send(&sender(hasty), &receiver.url("/")).await;
        let Outcome::NotSent(trouble) = attempt.outcome else { panic!("{attempt:?}") };
        // The drips are no HTTP, and that may be found out first.
        assert!(matches!(trouble.reason, Reason::TimedOut | Reason::NotHttp), "{trouble}");
        assert!(started.elapsed() < LONG && attempt.took <= started.elapsed());
        assert_eq!(receiver.connections(), 1);
    }
}

#[tokio::test]
async fn a_receiver_that_takes_nothing_is_given_up_in_time() {
    let receiver = Receiver::start(|guest| async move {
        std::future::pending::<()>().await;
        drop(guest);
    })
    .await;
    let body = Bytes::from(vec![b' '; 32 << 20]);
    let url = receiver.url("/");
    let attempt = sender(hasty).send(Letter { url: &url, signature: "t=1", body }).await;
    let Outcome::NotSent(trouble) = attempt.outcome else { panic!("{attempt:?}") };
    assert_eq!(trouble.reason, Reason::TimedOut);
    assert!(attempt.took < LONG);
}

#[tokio::test]
async fn the_status_counts_whatever_becomes_of_the_body() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    let slow = Receiver::start(move |mut guest| async move {
        guest.request().await;
        guest.say(format!("{head}beginning")).await;
        guest.hold().await;
    })
    .await;
    let broken_off = Receiver::answering_once(format!("{head}beginning")).await;
    let wrong =
        Receiver::answering_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbeginning\r\nzz\r\n").await;
    for receiver in [slow, broken_off, wrong] {
        let sender = sender(hasty);
        let answer = answer(&sender, &receiver.url("/")).await;
        assert_eq!((answer.status, answer.body.as_str(), answer.truncated), (200, "beginning", true));
        assert_eq!(sender.idle(), 0);
    }
}

#[tokio::test]
async fn little_is_read_of_an_answer_without_end() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
    ] {
        let receiver = Receiver::start(move |mut guest| async move {
            guest.request().await;
            guest.say(head).await;
            while guest.say([b'x'; 64 * 1024]).await {}
        })
        .await;
        let sender = sender(|_| {});
        let attempt = send(&sender, &receiver.url("/")).await;
        assert!(attempt.took < LONG);
        let Outcome::Sent(answer) = attempt.outcome else { panic!("{head}: {attempt:?}") };
        assert_eq!((answer.status, answer.body.len(), answer.truncated), (200, MAX_BODY_BYTES, true));
        assert_eq!(sender.idle(), 0);
    }
}

#[tokio::test]
async fn a_head_has_a_bound() {
    let one = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(2 * MAX_HEAD_BYTES));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-More: y\r\n".repeat(200));
    let reason = format!("HTTP/1.1 200 {}\r\n\r\n", "x".repeat(2 * MAX_HEAD_BYTES));
    let mut heads = vec![one, many, reason];
    heads.push("HTTP/1.1 102 Processing\r\n\r\n".repeat(MAX_ANSWER_BYTES / 20));
    for head in heads {
        let receiver = Receiver::answering_once(head.clone()).await;
        let attempt = send(&sender(|_| {}), &receiver.url("/")).await;
        let Outcome::NotSent(trouble) = attempt.outcome else { panic!("{:.40}", head) };
        assert_eq!(trouble.reason, Reason::TooLarge, "{head:.40}");
        assert!(attempt.took < LONG);
    }
    for endless in ["X-Header: y\r\n", "x", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let receiver = Receiver::start(move |mut guest| async move {
            guest.request().await;
            if !endless.starts_with("HTTP") {
                guest.say("HTTP/1.1 200 OK\r\nX-First: ").await;
            }
            while guest.say(endless.repeat(1_000)).await {}
        })
        .await;
        let attempt = send(&sender(|_| {}), &receiver.url("/")).await;
        let Outcome::NotSent(trouble) = attempt.outcome else { panic!("{endless}") };
        assert_eq!(trouble.reason, Reason::TooLarge, "{endless}");
        assert!(attempt.took < LONG);
    }
}

#[tokio::test]
async fn what_is_kept_of_headers_has_a_bound() {
    let many: String = (0..60).map(|number| format!("X-H{number}: {}\r\n", "ä".repeat(200))).collect();
    let receiver = Receiver::answering(format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n")).await;
    let answer = answer(&sender(|_| {}), &receiver.url("/")).await;
    assert_eq!(answer.headers.len(), MAX_HEADERS);
    assert!(answer.headers.iter().all(|(name, value)| name.starts_with("x-h") && value.len() <= 256));
    assert_eq!(answer.headers[0].1, "ä".repeat(128));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let elsewhere = Receiver::answering(OK).await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = elsewhere.url("/");
        let redirect = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let receiver = Receiver::answering(redirect).await;
        let answer = answer(&sender(|_| {}), &receiver.url("/")).await;
        assert_eq!(answer.status.to_string(), status[..3]);
        assert!(!answer.is_success());
        assert_eq!(answer.headers[0], ("location".to_owned(), location));
        assert_eq!(receiver.requests().len(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<html>no head</html>\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    ] {
        let receiver = Receiver::answering_once(garbage).await;
        let trouble = trouble(&sender(|_| {}), &receiver.url("/secret")).await;
        assert_eq!(trouble.reason, Reason::NotHttp, "{garbage}");
        assert!(!trouble.words.contains("secret"));
        assert_eq!(receiver.connections(), 1);
    }
}

#[tokio::test]
async fn who_closes_at_once_has_not_answered() {
    let at_once = Receiver::start(|_| async {}).await;
    let after_reading = Receiver::answering_once("").await;
    let half_closed = Receiver::start(|mut guest| async move {
        guest.request().await;
        tokio::io::AsyncWriteExt::shutdown(&mut guest.stream).await.expect("it is open");
        guest.hold().await;
    })
    .await;
    for receiver in [at_once, after_reading, half_closed] {
        let trouble = trouble(&sender(|_| {}), &receiver.url("/")).await;
        assert_eq!(trouble.reason, Reason::Closed, "{trouble}");
        assert_eq!(receiver.connections(), 1, "a new connection is not tried again");
    }
}

#[tokio::test]
async fn who_is_not_there_is_unreachable() {
    let receiver = Receiver::answering(OK).await;
    let url = receiver.url("/secret");
    drop(receiver);
    // The listener ends when its task does.
    tokio::task::yield_now().await;
    let refused = trouble(&sender(|_| {}), &url).await;
    assert_eq!(refused.reason, Reason::Unreachable);
    assert!(refused.words.contains("connection refused") && !refused.words.contains("secret"), "{refused}");
    let unknown = trouble(&sender(|_| {}), "http://nowhere.example/secret").await;
    assert_eq!(
        (unknown.reason, unknown.words.as_str()),
        (Reason::UnknownHost, "the name nowhere.example cannot be looked up")
    );
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_let_us_in() {
    let receiver = Receiver::answering(OK).await;
    let names = Names::of(&[("two.example", &[&["127.0.0.9", "127.0.0.1"]])]);
    let sender = sender_with(names.clone(), |_| {});
    let url = format!("http://two.example:{}/", receiver.address.port());
    for _ in 0..2 {
        assert_eq!(answer(&sender, &url).await.status, 200);
    }
    assert_eq!((receiver.connections(), names.asked()), (1, 1), "both the connection and the look-up are used again");
    assert!(receiver.requests()[0].contains(&format!("\r\nHost: two.example:{}\r\n", receiver.address.port())));
}

#[tokio::test]
async fn a_server_sends_nothing_to_its_own_network() {
    let receiver = Receiver::answering(OK).await;
    let port = receiver.address.port();
    let names = Names::of(&[
        ("inside.example", &[&["127.0.0.1"]]),
        ("mixed.example", &[&["8.8.8.8", "127.0.0.1"]]),
        ("mapped.example", &[&["::ffff:127.0.0.1"]]),
        // Public when it is judged, inside when it is connected to: nobody asks a second time.
        ("rebinding.example", &[&["192.0.2.1"], &["127.0.0.1"]]),
    ]);
    let serve = |allowed: &[&str]| {
        let allowed = allowed.iter().map(|net| net.parse().expect("a network")).collect();
        let targets = Targets::Public { allowed };
        sender_with(names.clone(), |webhooks| {
            webhooks.targets = targets;
            webhooks.timeout = SHORT;
        })
    };
    let sender = serve(&[]);
    for host in [
        "127.0.0.1",
        "127.0.0.2",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::1]",
        "10.0.0.1",
        "169.254.169.254",
        "inside.example",
        "mixed.example",
        "mapped.example",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "user@127.0.0.1",
        "[fe80::1%25lo]",
    ] {
        let trouble = trouble(&sender, &format!("http://{host}:{port}/")).await;
        assert_eq!(trouble.reason, Reason::Refused, "{host}: {trouble}");
    }
    // An address for examples stands in for a public one, to which nothing would be connected here.
    let opened = serve(&["192.0.2.0/24"]);
    let rebinding = trouble(&opened, &format!("http://rebinding.example:{port}/")).await;
    assert!(matches!(rebinding.reason, Reason::Unreachable | Reason::TimedOut), "{rebinding}");
    assert_eq!(receiver.connections(), 0);
    let opened = serve(&["127.0.0.0/8"]);
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "inside.example"] {
        assert_eq!(answer(&opened, &format!("http://{host}:{port}/")).await.status, 200);
    }
    assert_eq!(trouble(&opened, &format!("http://[::1]:{port}/")).await.reason, Reason::Refused);
}

#[tokio::test]
async fn the_machine_knows_its_own_name() {
    let receiver = Receiver::answering(OK).await;
    let url = format!("http://localhost:{}/", receiver.address.port());
    let webhooks = |targets| Webhooks { targets, ..Webhooks::new(cusp::settings::Openness::Dev) };
    let system = |targets| Sender::new(&webhooks(targets), Arc::new(SystemResolver::default())).expect("it is right");
    assert_eq!(answer(&system(Targets::Any), &url).await.status, 200);
    let refused = trouble(&system(Targets::Public { allowed: Vec::new() }), &url).await;
    assert_eq!(refused.words, "webhooks do not go to localhost: it is a loopback address");
}

#[tokio::test]
async fn what_an_answer_repeats_of_secrets_is_not_kept() {
    let filler = "y".repeat(MAX_BODY_BYTES - 10);
    for (body, shown) in [
        ("no 4242 4242 4242 4242!".to_owned(), "no ***!".to_owned()),
        // The number is cut by the bound; what is left of it is not shown either.
        (format!("{filler}4242424242424242 and more"), filler.clone()),
        ("a\u{0}b\u{1b}[31mc\nd".to_owned(), "a\u{fffd}b\u{fffd}[31mc\nd".to_owned()),
    ] {
        let head = "HTTP/1.1 200 OK\r\nSet-Cookie: session=sesame\r\nX-Echo: 4242424242424242\r\n";
        let receiver = Receiver::answering(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await;
        let answer = answer(&sender(|_| {}), &receiver.url("/")).await;
        assert_eq!(answer.body, shown);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(answer.headers[..2], [pair("set-cookie", "…"), pair("x-echo", "***")]);
    }
    let not_utf8 = [b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n".to_vec(), vec![0xff; 4_000]].concat();
    let answer = answer(&sender(|_| {}), &Receiver::answering(not_utf8).await.url("/")).await;
    assert!(answer.body.len() <= MAX_BODY_BYTES && answer.body.starts_with('\u{fffd}') && answer.truncated);
}

#[tokio::test]
async fn what_is_not_a_url_is_refused_without_repeating_it() {
    for url in ["", "hooks", "ftp://a.example/sesame", "http://ada:sesame@a.example/", "http://a.example/#sesame"] {
        let trouble = trouble(&sender(|_| {}), url).await;
        assert!(trouble.reason == Reason::Refused && !trouble.words.contains("sesame"), "{url}: {trouble}");
    }
    let receiver = Receiver::answering(OK).await;
    let url = receiver.url("/");
    let broken = Letter { url: &url, signature: "t=1\r\nX-Smuggled: 1", body: Bytes::new() };
    assert!(matches!(sender(|_| {}).send(broken).await.outcome, Outcome::NotSent(_)));
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn many_webhooks_share_few_connections() {
    let receiver = Receiver::answering(OK).await;
    let (sender, url) = (sender(|_| {}), receiver.url("/"));
    let one_after_the_other = |_| async {
        for _ in 0..50 {
            assert_eq!(answer(&sender, &url).await.status, 200);
        }
    };
    futures_util::future::join_all((0..16).map(one_after_the_other)).await;
    assert_eq!(receiver.requests().len(), 800);
    assert!(receiver.connections() <= 16, "{}", receiver.connections());
}

#[test]
fn reasons_have_names() {
    let names: std::collections::BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(names.len(), Reason::ALL.len());
}
