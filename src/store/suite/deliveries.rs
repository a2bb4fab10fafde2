//! Deliveries to webhook endpoints, the queues that they wait in, and the endpoints themselves, which a store remembers.

use super::*;
use crate::domain::delivery::{Delivery, DeliveryPage, DeliveryState, Lease, Queue};
use crate::domain::facts::Facts;
use crate::domain::ids::{DeliveryId, WebhookEndpointId};
use crate::domain::webhook::{Salt, WebhookEndpoint};
use crate::store::record::write_facts;

/// A record of few facts, to be sent at that moment.
pub fn delivery(id: &str, endpoint: &str, event: i64, due: Option<i64>) -> Delivery {
    Delivery {
        id: DeliveryId(id.into()),
        endpoint: WebhookEndpointId(endpoint.into()),
        event: EventId(format!("evt_{event}")),
        sequence: event,
        event_type: "customer.created".into(),
        about: "cus_1".into(),
        created: Time(event),
        by_hand: false,
        state: if due.is_some() { DeliveryState::Pending } else { DeliveryState::Succeeded },
        due: due.map(Time),
        attempts: 0,
        latest: None,
    }
}

/// A record of few facts.
pub fn endpoint(id: &str, created: i64) -> WebhookEndpoint {
    WebhookEndpoint {
        id: WebhookEndpointId(id.into()),
        created: Time(created),
        url: "https://example.com/hook".into(),
        enabled_events: vec!["*".into()],
        api_version: None,
        description: None,
        metadata: [].into(),
        enabled: true,
        salt: Salt([1; 32]),
        former: Vec::new(),
    }
}

/// Makes an endpoint, or replaces the one that it was.
pub fn put_endpoint(tx: &mut dyn Tx, space: Space, was: Option<&WebhookEndpoint>, is: &WebhookEndpoint) -> Kept<()> {
    let lists = |endpoint: &WebhookEndpoint| Facts::from(endpoint.clone()).lists();
    let was_on = was.map(lists).unwrap_or_default();
    tx.put_object(space, &write_facts(&is.clone().into()), &was_on, &lists(is))
}

fn put_all(store: &dyn Store, space: Space, deliveries: &[Delivery]) {
    let deliveries = deliveries.to_vec();
    write(store, move |tx| deliveries.iter().try_for_each(|delivery| tx.put_delivery(space, delivery))).unwrap();
}

fn put_queue(store: &dyn Store, space: Space, queue: Queue) {
    write(store, move |tx| tx.put_queue(space, &queue)).unwrap();
}

fn queue_of(store: &dyn Store, space: Space, id: &str) -> Option<Queue> {
    look(store, |read| read.queue(space, &WebhookEndpointId(id.into())))
}

/// What a job sees that is kept.
pub fn within<T: Send + 'static>(
    store: &dyn Store,
    mut work: impl FnMut(&mut dyn Tx) -> Kept<T> + Send + 'static,
) -> T {
    let (send, receive) = unbounded();
    write(store, move |tx| {
        let _ = send.send(work(tx)?);
        Ok(())
    })
    .unwrap();
    // The last run counts.
    receive.try_iter().last().unwrap()
}

fn named(page: &[Delivery]) -> Vec<&str> {
    page.iter().map(|delivery| delivery.id.as_str()).collect()
}

pub fn deliveries_are_put_and_replaced(bench: &Bench) {
    let store = &*bench.store;
    let before = delivery("whd_1", "we_1", 7, Some(50));
    put_all(store, HERE, std::slice::from_ref(&before));
    let found = |space, id: &str| look(store, |read| read.delivery(space, &DeliveryId(id.into())));
    assert_eq!(found(HERE, "whd_1"), Some(before.clone()));
    assert_eq!((found(THERE, "whd_1"), found(HERE, "whd_2"), found(HERE, "\0")), (None, None, None));

    let after = Delivery { state: DeliveryState::Failed, due: None, attempts: 3, by_hand: true, ..before };
    put_all(store, HERE, std::slice::from_ref(&after));
    assert_eq!(found(HERE, "whd_1"), Some(after.clone()));
    let id = after.id.clone();
    assert_eq!(glance(store, move |read| read.delivery(HERE, &id)), Some(after));
}

/// Some sixty deliveries that differ in all that they are found by.
fn many() -> Vec<Delivery> {
    let mut dice = 1_u32;
    let mut throw = |sides: u32| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (dice >> 16) % sides
    };
    let one = |number: u32| {
        let event = i64::from(throw(12)) + 1;
        let due = (throw(3) > 0).then(|| i64::from(throw(20)));
        let made = delivery(&format!("whd_{:02}", (number * 37) % 60), &format!("we_{}", throw(3)), event, due);
        let state = if due.is_some() { DeliveryState::Pending } else { DeliveryState::ALL[throw(4) as usize] };
        Delivery { state, ..made }
    };
    (0..60).map(one).collect()
}

pub fn pages_of_deliveries_are_what_a_plain_search_finds(bench: &Bench) {
    let store = &*bench.store;
    let mut all = many();
    put_all(store, HERE, &all);
    put_all(store, THERE, &[delivery("whd_x", "we_1", 3, Some(1))]);
    all.sort_by(|one, other| (other.sequence, &other.id).cmp(&(one.sequence, &one.id)));

    let endpoints = [None, Some("we_0"), Some("we_2"), Some("we_9")];
    for endpoint in endpoints.map(|id| id.map(|id| WebhookEndpointId(id.into()))) {
        for event in [None, Some(1), Some(5), Some(99)] {
            for state in [None, Some(DeliveryState::Pending), Some(DeliveryState::Failed)] {
                let fitting: Vec<&Delivery> = all
                    .iter()
                    .filter(|delivery| endpoint.as_ref().is_none_or(|endpoint| delivery.endpoint == *endpoint))
                    .filter(|delivery| event.is_none_or(|event| delivery.sequence == event))
                    .filter(|delivery| state.is_none_or(|state| delivery.state == state))
                    .collect();
                let mut rest = &fitting[..];
                let mut after = None;
                loop {
                    let page = DeliveryPage { endpoint: endpoint.clone(), event, state, after, limit: 4 };
                    let Page { items, has_more } = look(store, |read| read.deliveries(HERE, &page));
                    let (wanted, behind) = rest.split_at(rest.len().min(4));
                    assert!(items.iter().eq(wanted.iter().copied()), "{page:?}: {:?}", named(&items));
                    assert_eq!(has_more, !behind.is_empty(), "{page:?}");
                    let Some(last) = items.last().filter(|_| has_more) else { break };
                    after = Some((last.sequence, last.id.clone()));
                    rest = behind;
                }
            }
        }
    }
}

pub fn what_is_due_comes_in_its_order(bench: &Bench) {
    let store = &*bench.store;
    let all = many();
    put_all(store, HERE, &all);
    put_all(store, THERE, &[delivery("whd_x", "we_1", 3, Some(1))]);
    for (now, most) in [(-1, 9), (0, 99), (10, 99), (10, 3), (i64::MAX, 99)] {
        let of = WebhookEndpointId("we_1".into());
        let mut wanted: Vec<&Delivery> = all
            .iter()
            .filter(|delivery| delivery.endpoint == of && delivery.due.is_some_and(|due| due <= Time(now)))
            .collect();
        wanted.sort_by_key(|delivery| (delivery.due, delivery.sequence, &delivery.id));
        wanted.truncate(most);
        let found = look(store, |read| read.due_deliveries(HERE, &of, Time(now), most));
        assert!(found.iter().eq(wanted), "{now} {most}: {:?}", named(&found));
    }
}

pub fn a_due_delivery_calls_its_queue(bench: &Bench) {
    let store = &*bench.store;
    let due = |space| queue_of(store, space, "we_1").map(|queue| queue.due);
    put_all(store, HERE, &[delivery("whd_0", "we_1", 1, Some(9))]);
    assert_eq!(due(HERE), None, "a delivery makes no queue");

    let queue = Queue { failing_since: Some(Time(3)), ..Queue::new(WebhookEndpointId("we_1".into())) };
    put_queue(store, HERE, queue.clone());
    put_queue(store, THERE, queue.clone());
    assert_eq!(queue_of(store, HERE, "we_1"), Some(queue));
    for (at, wanted) in [(Some(50), 50), (Some(70), 50), (None, 50), (Some(30), 30)] {
        put_all(store, HERE, &[delivery(&format!("whd_{at:?}"), "we_1", 2, at)]);
        assert_eq!(due(HERE), Some(Some(Time(wanted))), "{at:?}");
    }
    assert_eq!(due(THERE), Some(None));

    // Within one job too, whichever comes first.
    let seen = within(store, |tx| {
        let id = WebhookEndpointId("we_2".into());
        tx.put_queue(HERE, &Queue::new(id.clone()))?;
        tx.put_delivery(HERE, &delivery("whd_8", "we_2", 2, Some(8)))?;
        let called = tx.queue(HERE, &id)?.and_then(|queue| queue.due);
        tx.put_delivery(HERE, &delivery("whd_9", "we_2", 2, Some(5)))?;
        Ok((called, tx.queue(HERE, &id)?.and_then(|queue| queue.due)))
    });
    assert_eq!(seen, (Some(Time(8)), Some(Time(5))));
    assert_eq!(queue_of(store, HERE, "we_2").and_then(|queue| queue.due), Some(Time(5)));

    // What is written of a queue afterwards counts.
    let seen = within(store, |tx| {
        let id = WebhookEndpointId("we_2".into());
        let queue = tx.queue(HERE, &id)?.unwrap_or_else(|| Queue::new(id.clone()));
        tx.put_delivery(HERE, &delivery("whd_8", "we_2", 2, Some(1)))?;
        tx.put_queue(HERE, &Queue { due: None, ..queue })?;
        Ok(tx.queue(HERE, &id)?.and_then(|queue| queue.due))
    });
    assert_eq!(seen, None);
    assert_eq!(queue_of(store, HERE, "we_2").and_then(|queue| queue.due), None);
}

pub fn queues_are_found_by_who_may_work_on_them(bench: &Bench) {
    let store = &*bench.store;
    let lease = |owner: &str, until| Some(Lease { owner: owner.into(), until: Time(until) });
    let queue = |id: &str, due, lease| Queue { due, lease, ..Queue::new(WebhookEndpointId(id.into())) };
    put_queue(store, HERE, queue("we_free", Some(Time(10)), None));
    put_queue(store, THERE, queue("we_mine", Some(Time(9)), lease("me", 500)));
    put_queue(store, HERE, queue("we_theirs", Some(Time(8)), lease("them", 500)));
    put_queue(store, HERE, queue("we_lapsed", Some(Time(7)), lease("them", 100)));
    put_queue(store, HERE, queue("we_later", Some(Time(101)), None));
    put_queue(store, HERE, queue("we_idle", None, None));
    let found = |now, most| {
        let found = look(store, |read| read.queues_due("me", Time(now), most));
        found.into_iter().map(|(space, queue)| (space, queue.endpoint.0)).collect::<Vec<_>>()
    };
    let (lapsed, mine, free) =
        ((HERE, "we_lapsed".to_owned()), (THERE, "we_mine".to_owned()), (HERE, "we_free".to_owned()));
    assert_eq!(found(100, 9), [lapsed.clone(), mine.clone(), free.clone()]);
    assert_eq!(found(99, 9), [mine.clone(), free]);
    assert_eq!(found(100, 2), [lapsed, mine]);
    assert_eq!(found(6, 9), []);
}

pub fn open_deliveries_are_counted(bench: &Bench) {
    let store = &*bench.store;
    put_all(
        store,
        HERE,
        &[
            delivery("whd_1", "we_1", 1, Some(5)),
            delivery("whd_2", "we_2", 1, Some(5)),
            delivery("whd_3", "we_3", 1, None),
            delivery("whd_4", "we_1", 2, Some(5)),
        ],
    );
    // A listening session sends by itself: what it is to send is never due.
    let listening = Delivery { due: None, ..delivery("whd_5", "we_9", 3, Some(1)) };
    put_all(store, HERE, &[listening]);
    let open = |event| look(store, |read| read.open_deliveries(HERE, event));
    assert_eq!([1, 2, 3, 4].map(open), [2, 1, 1, 0]);
    assert_eq!(glance(store, |read| read.open_deliveries(THERE, 1)), 0);

    let seen = within(store, |tx| {
        let before = tx.open_deliveries(HERE, 1)?;
        tx.delivery(HERE, &DeliveryId("whd_1".into()))?;
        tx.delivery(HERE, &DeliveryId("whd_6".into()))?;
        tx.put_delivery(HERE, &delivery("whd_1", "we_1", 1, None))?;
        let one_less = tx.open_deliveries(HERE, 1)?;
        tx.put_delivery(HERE, &delivery("whd_6", "we_4", 1, Some(1)))?;
        Ok((before, one_less, tx.open_deliveries(HERE, 1)?))
    });
    assert_eq!(seen, (2, 1, 2));
    assert_eq!(open(1), 2);
}

pub fn events_are_listed_by_whether_they_were_delivered(bench: &Bench) {
    let store = &*bench.store;
    let places: Vec<i64> =
        (1..=4).map(|number| append(store, HERE, &format!("evt_{number}"), number, made("a"))).collect();
    append(store, THERE, "evt_1", 1, made("a"));
    let failed = Delivery { state: DeliveryState::Failed, ..delivery("whd_3", "we_2", places[1], None) };
    put_all(
        store,
        HERE,
        &[
            delivery("whd_1", "we_1", places[0], None),
            delivery("whd_2", "we_1", places[1], None),
            failed,
            delivery("whd_4", "we_1", places[2], Some(9)),
        ],
    );
    // The fourth was to be told to nobody.
    let told = |delivered, cursor, limit| {
        let page = EventPage { delivered, cursor, limit, ..EventPage::default() };
        let page = look(store, |read| read.events(HERE, &page));
        (page.items.into_iter().map(|event| event.sequence).collect::<Vec<_>>(), page.has_more)
    };
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(told(yes, Cursor::Newest, 9), (vec![places[3], places[0]], false));
    assert_eq!(told(no, Cursor::Newest, 9), (vec![places[2], places[1]], false));
    assert_eq!(told(yes, Cursor::Newest, 1), (vec![places[3]], true));
    assert_eq!(told(yes, Cursor::OlderThan(places[3]), 1), (vec![places[0]], false));
    assert_eq!(told(no, Cursor::NewerThan(places[0]), 1), (vec![places[1]], true));
    assert_eq!(told(None, Cursor::Newest, 9).0.len(), 4);
    let kinds = EventPage { delivered: yes, kinds: Some(vec![UPDATED]), limit: 9, ..EventPage::default() };
    assert!(look(store, |read| read.events(HERE, &kinds)).items.is_empty());
}

pub fn what_is_to_be_sent_is_not_forgotten(bench: &Bench) {
    let store = &*bench.store;
    put_all(
        store,
        HERE,
        &[
            delivery("whd_1", "we_1", 1, None),
            delivery("whd_2", "we_1", 2, Some(500)),
            delivery("whd_3", "we_1", 3, None),
        ],
    );
    put_all(store, THERE, &[delivery("whd_4", "we_1", 2, None), delivery("whd_1", "we_1", 9, None)]);
    let old = |before, most| {
        let found = look(store, |read| read.old_deliveries(Time(before), most));
        found.into_iter().map(|(space, id)| (space, id.0)).collect::<Vec<_>>()
    };
    let (first, third, fourth) = ((HERE, "whd_1".to_owned()), (HERE, "whd_3".to_owned()), (THERE, "whd_4".to_owned()));
    assert_eq!(old(4, 9), [first.clone(), fourth.clone(), third]);
    assert_eq!(old(3, 9), [first.clone(), fourth]);
    assert_eq!(old(4, 1), [first]);

    let ids = ["whd_1", "whd_2", "whd_none"].map(|id| DeliveryId(id.into()));
    write(store, move |tx| tx.forget_deliveries(HERE, &ids)).unwrap();
    let there = |space, id: &str| look(store, |read| read.delivery(space, &DeliveryId(id.into()))).is_some();
    assert!(!there(HERE, "whd_1") && there(HERE, "whd_2") && there(HERE, "whd_3") && there(THERE, "whd_1"));
}

pub fn endpoints_are_remembered_as_they_are(bench: &Bench) {
    let store = &*bench.store;
    let seen = |space| {
        let ids = |endpoints: &[WebhookEndpoint]| {
            let told = |endpoint: &WebhookEndpoint| format!("{}:{}", endpoint.id, endpoint.enabled);
            endpoints.iter().map(told).collect::<Vec<_>>()
        };
        let by_job = within(store, move |tx| tx.endpoints(space));
        let by_look = look(store, |read| read.endpoints(space));
        let by_glance = glance(store, move |read| read.endpoints(space));
        assert_eq!(ids(&by_job), ids(&by_look));
        assert_eq!(ids(&by_job), ids(&by_glance));
        ids(&by_job)
    };
    assert_eq!(seen(HERE), [""; 0]);
    let (one, two) = (endpoint("we_1", 1), endpoint("we_2", 2));
    // Those of a job's own are there within it.
    let (made, kept) = (one.clone(), two.clone());
    let counts = within(store, move |tx| {
        let before = tx.endpoints(HERE)?.len();
        put_endpoint(tx, HERE, None, &made)?;
        let between = tx.endpoints(HERE)?.len();
        put_endpoint(tx, HERE, None, &kept)?;
        Ok((before, between, tx.endpoints(HERE)?.len()))
    });
    assert_eq!(counts, (0, 1, 2));
    assert_eq!((seen(HERE), seen(THERE)), (vec!["we_2:true".to_owned(), "we_1:true".into()], Vec::new()));

    // Those of a job that is undone are not, and those that it took away are again.
    let disabled = WebhookEndpoint { enabled: false, ..two.clone() };
    let (was, is, gone) = (two.clone(), disabled.clone(), one.clone());
    let undone = queue(store, move |tx| {
        tx.endpoints(HERE)?;
        put_endpoint(tx, HERE, Some(&was), &is)?;
        put_endpoint(tx, HERE, None, &endpoint("we_3", 3))?;
        let facts = Facts::from(gone.clone());
        tx.remove_object(HERE, &write_facts(&facts), &facts.lists())?;
        tx.endpoints(HERE)?;
        Ok(Verdict::Rollback)
    });
    undone.recv().unwrap().unwrap();
    assert_eq!(seen(HERE), ["we_2:true", "we_1:true"]);

    let (was, is, gone) = (two, disabled, one);
    write(store, move |tx| {
        put_endpoint(tx, HERE, Some(&was), &is)?;
        let facts = Facts::from(gone.clone());
        tx.remove_object(HERE, &write_facts(&facts), &facts.lists())
    })
    .unwrap();
    assert_eq!(seen(HERE), ["we_2:false"]);
    let store = (bench.reopen)();
    assert_eq!(look(&*store, |read| read.endpoints(HERE)).len(), 1);
    assert_eq!(within(&*store, |tx| tx.endpoints(HERE)).len(), 1);
}

pub fn jobs_that_wait_together_hear_of_endpoints(bench: &Bench) {
    let store = &*bench.store;
    let (tell, told) = unbounded();
    // What each job has done when it ran, but for rehearsals: the endpoint that it made for good, or how many there were.
    let job = |name: &'static str, id: Option<&'static str>, verdict: fn() -> Verdict| {
        let tell = tell.clone();
        queue(store, move |tx| {
            let count = tx.endpoints(HERE)?.len();
            if let Some(id) = id {
                put_endpoint(tx, HERE, None, &endpoint(id, 1))?;
            }
            if !tx.rehearsal() {
                let _ = tell.send((name, count));
            }
            Ok(verdict())
        })
    };
    let release = hold(&bench.store);
    let jobs = [
        job("look 1", None, || Verdict::Commit),
        job("make 1", Some("we_1"), || Verdict::Commit),
        job("look 2", None, || Verdict::Commit),
        job("undo", Some("we_2"), || Verdict::Rollback),
        job("look 3", None, || Verdict::Commit),
        job("make 2", Some("we_3"), || Verdict::Commit),
        job("look 4", None, || Verdict::Commit),
    ];
    drop(release);
    for job in jobs {
        job.recv().unwrap().unwrap();
    }
    // The last run of a job counts, but for one that is undone, which need not run again. In which order jobs of several
    // callers run is for the store to choose.
    let told: Vec<_> = told.try_iter().collect();
    let last = |name: &str| told.iter().rposition(|(run, _)| *run == name).expect("every job has run");
    for name in ["look 1", "make 1", "look 2", "look 3", "make 2", "look 4"] {
        let made = ["make 1", "make 2"].into_iter().filter(|make| last(make) < last(name)).count();
        assert_eq!(told[last(name)], (name, made), "{told:?}");
    }
    assert_eq!(look(store, |read| read.endpoints(HERE)).len(), 2);
}

pub fn the_newest_places_are_told(bench: &Bench) {
    let store = &*bench.store;
    for number in 1..=3 {
        append(store, HERE, &format!("evt_{number}"), number, made("a"));
    }
    append(store, THERE, "evt_1", 1, made("a"));
    let newest = look(store, |read| read.newest(&[THERE, Space(99), HERE]));
    assert_eq!(newest, [1, 0, 3]);
    let news = |after, most| {
        let news = look(store, |read| read.news(HERE, after, most));
        news.into_iter().map(|event| event.sequence).collect::<Vec<_>>()
    };
    assert_eq!((news(0, 9), news(1, 1), news(3, 9)), (vec![1, 2, 3], vec![2], vec![]));
}
