//! Where a webhook may go: the host of its target is looked up once, every address found is judged, and what comes out are
//! addresses to connect to. Nothing behind it looks a name up again, so a name that answers differently the second time gains
//! nothing.
//!
//! One address that is refused refuses the whole target: a name that stands for a public and a private address is a mistake
//! or a trick, and which of the two would be connected to must not be chance.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::settings::Targets;
use crate::targets::{Host, Refusal, Target, judge};

/// How long the addresses of a name are remembered, with their judgement.
pub const REMEMBERED: Duration = Duration::from_secs(5);
/// The most names that are remembered.
const MAX_REMEMBERED: usize = 1_024;
/// The most addresses of one name that are connected to; all are judged.
pub const MAX_ADDRESSES: usize = 8;
/// The most names that are looked up at a time; each takes a thread while it lasts.
const LOOKUPS: usize = 256;

/// What looks a name up.
pub trait Resolver: Send + Sync {
    /// Every address that the name stands for.
    fn addresses(&self, name: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>>;
}

/// The machine's own way of looking names up.
pub struct SystemResolver {
    room: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> SystemResolver {
        SystemResolver { room: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Resolver for SystemResolver {
    fn addresses(&self, name: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
        let name = name.to_owned();
        Box::pin(async move {
            // A look-up cannot be called off: its place is taken until it ends, whoever has given up waiting for it.
            let place = self.room.clone().acquire_owned().await.map_err(io::Error::other)?;
            let lookup = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0).to_socket_addrs();
                drop(place);
                found.map(|found| found.map(|address| address.ip()).collect())
            });
            lookup.await.map_err(io::Error::other)?
        })
    }
}

/// Who lets webhooks out.
pub struct Guard {
    targets: Targets,
    resolver: Arc<dyn Resolver>,
    remembered: Mutex<HashMap<String, Arc<Known>>>,
}

/// What is known of a name. Whoever looks it up holds it, so that others wait for the one look-up.
type Known = tokio::sync::Mutex<Option<Remembered>>;

struct Remembered {
    until: Instant,
    judged: Result<Arc<[IpAddr]>, Refusal>,
}

impl Guard {
    /// Lets webhooks go to those targets.
    pub fn new(targets: Targets, resolver: Arc<dyn Resolver>) -> Guard {
        Guard { targets, resolver, remembered: Mutex::default() }
    }

    /// Where to connect to: addresses that were all judged, in the order of the resolver. A name is looked up once; what was
    /// found is remembered with its judgement for a few seconds. Takes as long as the resolver does.
    pub async fn admit(&self, target: &Target) -> Result<Vec<SocketAddr>, Refusal> {
        let found = match target.host() {
            Host::Address(address) => {
                judge(&self.targets, target.host(), &[*address])?;
                Arc::from([*address])
            }
            Host::Name(name) => self.judged(name, target.host()).await?,
        };
        Ok(found.iter().take(MAX_ADDRESSES).map(|address| SocketAddr::new(*address, target.port())).collect())
    }

    async fn judged(&self, name: &str, host: &Host) -> Result<Arc<[IpAddr]>, Refusal> {
        let known = self.known(name);
        let mut known = known.lock().await;
        if let Some(Remembered { until, judged }) = &*known
            && *until > Instant::now()
        {
            return judged.clone();
        }
        let judged = match self.resolver.addresses(name).await {
            Ok(found) if !found.is_empty() => judge(&self.targets, host, &found).map(|()| Arc::from(found)),
            Ok(_) | Err(_) => Err(Refusal::Unknown(name.to_owned())),
        };
        *known = Some(Remembered { until: Instant::now() + REMEMBERED, judged: judged.clone() });
        judged
    }

    /// Where what is known of a name is, in memory when there is room for it.
    fn known(&self, name: &str) -> Arc<Known> {
        let mut remembered = self.remembered.lock();
        if let Some(known) = remembered.get(name) {
            return known.clone();
        }
        if remembered.len() >= MAX_REMEMBERED {
            let now = Instant::now();
            remembered.retain(|_, known| match known.try_lock() {
                Ok(known) => known.as_ref().is_some_and(|known| known.until > now),
                // It is being looked up.
                Err(_) => true,
            });
        }
        let known = Arc::<Known>::default();
        if remembered.len() < MAX_REMEMBERED {
            remembered.insert(name.to_owned(), known.clone());
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::ready;
    use std::io;
    use std::net::IpAddr;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use parking_lot::Mutex;

    use super::{Guard, MAX_ADDRESSES, MAX_REMEMBERED, REMEMBERED, Resolver};
    use crate::settings::Targets;
    use crate::targets::{Target, examine};

    fn public(allowed: &[&str]) -> Targets {
        Targets::Public { allowed: allowed.iter().map(|net| net.parse().unwrap()).collect() }
    }

    /// Gives the next of its answers each time.
    #[derive(Default)]
    struct Script {
        answers: Mutex<VecDeque<Vec<&'static str>>>,
        asked: AtomicUsize,
    }

    impl Script {
        fn new(answers: &[&[&'static str]]) -> Arc<Script> {
            Arc::new(Script {
                answers: Mutex::new(answers.iter().map(|answer| answer.to_vec()).collect()),
                ..Script::default()
            })
        }
    }

    impl Resolver for Script {
        fn addresses(&self, _: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let answer = self.answers.lock().pop_front();
            Box::pin(ready(match answer {
                Some(answer) => Ok(answer.iter().map(|address| address.parse().unwrap()).collect()),
                None => Err(io::Error::other("no such name")),
            }))
        }
    }

    async fn admitted(guard: &Guard, url: &str) -> Result<Vec<String>, String> {
        let target = Target::parse(url).map_err(|refusal| refusal.to_string())?;
        let addresses = guard.admit(&target).await.map_err(|refusal| refusal.to_string())?;
        Ok(addresses.iter().map(ToString::to_string).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_answers_differently_the_second_time_is_not_asked_again() {
        let script = Script::new(&[&["8.8.8.8"], &["127.0.0.1"]]);
        let guard = Guard::new(public(&[]), script.clone());
        let url = "https://rebinding.example/";
        for _ in 0..3 {
            assert_eq!(admitted(&guard, url).await, Ok(vec!["8.8.8.8:443".to_owned()]));
        }
        assert_eq!(script.asked.load(Ordering::Relaxed), 1);
        tokio::time::advance(REMEMBERED).await;
        let refusal = admitted(&guard, url).await.unwrap_err();
        assert_eq!(refusal, "webhooks do not go to rebinding.example: it is a loopback address");
        // The refusal is remembered as well.
        assert_eq!(admitted(&guard, url).await.unwrap_err(), refusal);
        assert_eq!(script.asked.load(Ordering::Relaxed), 2);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(admitted(&guard, url).await.unwrap_err(), "the name rebinding.example cannot be looked up");
    }

    #[tokio::test]
    async fn one_bad_address_refuses_the_name() {
        for bad in ["10.0.0.1", "::1", "::ffff:169.254.169.254"] {
            let guard = Guard::new(public(&[]), Script::new(&[&["8.8.8.8", "2606:4700::1111", bad]]));
            let refusal = admitted(&guard, "https://mixed.example/").await.unwrap_err();
            assert!(refusal.starts_with("webhooks do not go to mixed.example: it is a"), "{refusal}");
            assert!(!refusal.contains(bad), "it tells nothing of the network inside: {refusal}");
        }
    }

    #[tokio::test]
    async fn addresses_in_a_url_are_judged_without_a_look_up() {
        let script = Script::new(&[]);
        let guard = Guard::new(public(&[]), script.clone());
        assert_eq!(admitted(&guard, "http://8.8.8.8:81/").await, Ok(vec!["8.8.8.8:81".to_owned()]));
        for url in ["http://127.0.0.1/", "http://[::1]/", "http://[::ffff:7f00:1]/", "http://169.254.169.254/latest"] {
            let refusal = admitted(&guard, url).await.unwrap_err();
            assert!(refusal.starts_with("webhooks do not go to "), "{refusal}");
            assert_eq!(examine(&public(&[]), url).map_err(|refusal| refusal.to_string()), Err(refusal));
        }
        assert_eq!(script.asked.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_name_with_many_addresses_is_tried_at_some_of_them() {
        let many = ["8.8.8.8"; MAX_ADDRESSES + 5];
        let guard = Guard::new(public(&[]), Script::new(&[&many, &[]]));
        assert_eq!(admitted(&guard, "https://many.example/").await.unwrap().len(), MAX_ADDRESSES);
        assert_eq!(
            admitted(&guard, "https://none.example/").await.unwrap_err(),
            "the name none.example cannot be looked up"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_names_are_remembered_than_there_is_room_for() {
        let guard = Guard::new(public(&[]), Script::new(&[]));
        for number in 0..MAX_REMEMBERED + 10 {
            admitted(&guard, &format!("https://n{number}.example/")).await.unwrap_err();
        }
        assert_eq!(guard.remembered.lock().len(), MAX_REMEMBERED);
        tokio::time::advance(REMEMBERED).await;
        admitted(&guard, "https://one-more.example/").await.unwrap_err();
        assert_eq!(guard.remembered.lock().len(), 1);
    }

    /// Answers when it is let.
    struct Slow {
        asked: AtomicUsize,
        answer: tokio::sync::Notify,
    }

    impl Resolver for Slow {
        fn addresses(&self, _: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(async {
                self.answer.notified().await;
                Ok(vec![IpAddr::from([8, 8, 8, 8])])
            })
        }
    }

    #[tokio::test]
    async fn many_who_want_to_know_a_name_ask_once() {
        let slow = Arc::new(Slow { asked: AtomicUsize::new(0), answer: tokio::sync::Notify::new() });
        let guard = Guard::new(public(&[]), slow.clone());
        let all = futures_util::future::join_all((0..50).map(|_| admitted(&guard, "https://slow.example/")));
        slow.answer.notify_one();
        assert!(all.await.iter().all(Result::is_ok));
        assert_eq!(slow.asked.load(Ordering::Relaxed), 1);
    }
}
