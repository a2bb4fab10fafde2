//! What is asked of the server, told to those who listen to an account: each finished exchange, as it was on the wire. It
//! keeps nothing and waits for nobody; while nobody listens, it costs a look at one number.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use hyper::Method;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::domain::account::Space;
use crate::domain::time::Time;

/// How many exchanges may wait for a listener. One that is further behind does not hear of the next.
pub const MAX_WAITING: usize = 256;

/// A finished exchange. Its path and its body hold what the caller and the dialect put there: whoever tells of it further
/// looks to that.
#[derive(Debug)]
pub struct Passed {
    /// The request's id.
    pub request: String,
    /// When it was answered.
    pub at: Time,
    /// Its method.
    pub method: Method,
    /// Its path without the query, as sent: still percent-encoded.
    pub path: String,
    /// Where it came from.
    pub peer: Option<IpAddr>,
    /// The HTTP status of the reply.
    pub status: u16,
    /// The reply's body if it refuses.
    pub refusal: Option<Bytes>,
}

/// Those who listen, by account.
#[derive(Default)]
pub struct Traffic {
    /// How many there are.
    count: AtomicUsize,
    listeners: Mutex<HashMap<Space, Vec<mpsc::Sender<Arc<Passed>>>>>,
}

impl Traffic {
    /// Whether anybody listens to any account.
    pub fn is_heard(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Tells those who listen to the account, as far as they keep up.
    pub fn tell(&self, space: Space, passed: impl FnOnce() -> Passed) {
        let listeners = self.listeners.lock();
        let Some(heard) = listeners.get(&space) else { return };
        let passed = Arc::new(passed());
        for listener in heard {
            // A listener that is behind or gone is not waited for.
            let _ = listener.try_send(passed.clone());
        }
    }

    /// Listens to an account from now on.
    pub fn listen(self: &Arc<Traffic>, space: Space) -> Listener {
        let (tell, told) = mpsc::channel(MAX_WAITING);
        self.listeners.lock().entry(space).or_default().push(tell);
        self.count.fetch_add(1, Ordering::Relaxed);
        Listener { traffic: self.clone(), space, told }
    }
}

/// Somebody who listens, until it is dropped.
pub struct Listener {
    traffic: Arc<Traffic>,
    space: Space,
    told: mpsc::Receiver<Arc<Passed>>,
}

impl Listener {
    /// The next exchange.
    pub async fn next(&mut self) -> Arc<Passed> {
        self.told.recv().await.expect("the sender stays until the listener is dropped")
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.told.close();
        let mut listeners = self.traffic.listeners.lock();
        if let Some(heard) = listeners.get_mut(&self.space) {
            heard.retain(|listener| !listener.is_closed());
            if heard.is_empty() {
                listeners.remove(&self.space);
            }
        }
        self.traffic.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(request: &str) -> Passed {
        Passed {
            request: request.into(),
            at: Time(1),
            method: Method::GET,
            path: "/v1/customers".into(),
            peer: None,
            status: 200,
            refusal: None,
        }
    }

    #[tokio::test]
    async fn only_those_who_listen_to_the_account_hear_of_it() {
        let traffic = Arc::new(Traffic::default());
        traffic.tell(Space(1), || panic!("it is made for nobody"));
        assert!(!traffic.is_heard());
        let [mut one, mut two] = [traffic.listen(Space(1)), traffic.listen(Space(1))];
        let mut other = traffic.listen(Space(2));
        traffic.tell(Space(1), || passed("req_1"));
        traffic.tell(Space(2), || passed("req_2"));
        assert_eq!((&*one.next().await.request, &*two.next().await.request), ("req_1", "req_1"));
        assert_eq!(other.next().await.request, "req_2");
        drop((one, two));
        traffic.tell(Space(1), || panic!("nobody is left"));
        assert!(traffic.is_heard());
        drop(other);
        assert!(!traffic.is_heard() && traffic.listeners.lock().is_empty());
    }

    #[tokio::test]
    async fn one_that_is_behind_loses_what_it_cannot_hold() {
        let traffic = Arc::new(Traffic::default());
        let mut slow = traffic.listen(Space(1));
        for number in 0..MAX_WAITING + 5 {
            traffic.tell(Space(1), || passed(&number.to_string()));
        }
        for number in 0..MAX_WAITING {
            assert_eq!(slow.next().await.request, number.to_string());
        }
        traffic.tell(Space(1), || passed("later"));
        assert_eq!(slow.next().await.request, "later");
    }
}
