//! Every fault that an examination finds, in stores of both kinds.

use crate::domain::account::{Mode, Space};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, Queue};
use crate::domain::discount::Discount;
use crate::domain::event::{Cause, Happening};
use crate::domain::facts::Facts;
use crate::domain::ids::{CouponId, CouponSerial, DiscountId, EventId, InstrumentId, WebhookEndpointId};
use crate::domain::instrument::Instrument;
use crate::domain::payment_method::{LoosePaymentMethod, PaymentMethod};
use crate::domain::time::Time;
use crate::store::record::write_facts;
use crate::store::suite::{
    Home, account, api_key, balance_transaction, card, coupon, customer, delivery, endpoint, put_endpoint, reply, write,
};
use crate::store::{Kept, NewEvent, Tx};

const HERE: Space = Space(11);

fn make(tx: &mut dyn Tx, id: &str) -> Kept<()> {
    let made = Customer { balance: 7, ..customer(id, 5) };
    tx.put_customer(HERE, None, &made)?;
    let cause = Cause::default();
    let what = Happening::CustomerCreated { after: Box::new(made), beside: Vec::new() };
    tx.append(HERE, NewEvent { id: EventId(format!("evt_{id}")), created: Time(5), cause: &cause, what })?;
    Ok(())
}

/// A place with a few records, without a fault.
fn furnished(home: Home) -> Home {
    let store = home.open().unwrap();
    write(&*store, |tx| {
        make(tx, "a")?;
        make(tx, "b")?;
        make(tx, "c")?;
        let ledger = BalanceTransaction { ending_balance: 7, ..balance_transaction("t1", "a", 6) };
        tx.put_balance_transaction(HERE, &ledger)?;
        tx.put_account(&account(HERE, "acct_1", Mode::Test))?;
        tx.put_api_key(HERE, &api_key(1, 1))?;
        tx.put_reply(HERE, &reply("key", 1))?;
        for (id, deleted) in [("A", None), ("B", None), ("C", Some(Time(9)))] {
            let coupon = Facts::from(coupon(id, 5, deleted));
            tx.put_object(HERE, &write_facts(&coupon), &[], &coupon.lists())?;
        }
        put_endpoint(tx, HERE, None, &endpoint("we_1", 5))?;
        tx.put_queue(HERE, &Queue::new(WebhookEndpointId("we_1".into())))?;
        for (number, due) in [(1, None), (2, Some(7)), (3, Some(8))] {
            let event = EventId(format!("evt_{}", ["a", "b", "c"][number - 1]));
            let made = delivery(&format!("whd_{number}"), "we_1", number as i64, due);
            tx.put_delivery(HERE, &Delivery { event, ..made })?;
        }
        // Of an endpoint that is gone.
        let left = delivery("whd_4", "we_0", 3, None);
        tx.put_delivery(HERE, &Delivery { event: EventId("evt_c".into()), ..left })
    })
    .unwrap();
    store.close();
    let clean = home.examined().unwrap();
    assert_eq!((clean.fault_count, clean.customers, clean.events, clean.terms), (0, 3, 3, 6), "{clean:?}");
    assert_eq!((clean.accounts, clean.api_keys, clean.balance_transactions, clean.replies), (1, 1, 1, 1));
    assert_eq!((clean.objects, clean.deliveries), (4, 4));
    home
}

#[test]
fn a_copy_of_an_account_is_sound() {
    const THERE: Space = Space(12);
    for home in Home::of_each_kind().map(furnished) {
        let store = home.open().unwrap();
        write(&*store, |tx| {
            tx.claim(&[HERE, THERE])?;
            tx.copy(HERE, THERE)
        })
        .unwrap();
        store.close();
        let both = home.examined().unwrap();
        assert_eq!((both.fault_count, both.customers, both.events, both.terms), (0, 6, 6, 12), "{both:?}");
        // Who the account is and who may enter is not copied.
        assert_eq!((both.accounts, both.api_keys, both.balance_transactions, both.replies), (1, 1, 2, 2));
        let store = home.open().unwrap();
        write(&*store, |tx| {
            tx.claim(&[HERE])?;
            tx.wipe(HERE)
        })
        .unwrap();
        store.close();
        let one = home.examined().unwrap();
        assert_eq!((one.fault_count, one.customers, one.accounts), (0, 3, 1), "{one:?}");
    }
}

/// Examines a place after a change behind its back; one fault must say `expected`.
fn find(home: &Home, sql: &str, expected: &str) {
    home.execute(sql);
    let summary = home.examined().unwrap();
    assert!(summary.faults.iter().any(|fault| fault.contains(expected)), "{sql}: {:?}", summary.faults);
    assert_eq!(summary.fault_count, summary.faults.len() as u64);
}

macro_rules! finds {
    ($($name:ident: $sql:expr, $expected:expr;)*) => {
        mod finds {
            $(
                #[test]
                fn $name() {
                    for home in crate::store::suite::Home::of_each_kind() {
                        super::find(&super::furnished(home), $sql, $expected);
                    }
                }
            )*
        }
    };
}

finds! {
    an_unreadable_customer: "UPDATE customers SET body = '{' WHERE id = 'a'", "reading customer a of account 11: the body does not begin";
    a_customer_of_a_newer_shape: r#"UPDATE customers SET body = replace(body, '"v":1', '"v":9') WHERE id = 'a'"#, "the body has shape 9";
    a_customer_under_a_wrong_id: "UPDATE customers SET id = 'z' WHERE id = 'a'", "its columns do not agree";
    a_customer_listed_at_a_wrong_moment: "UPDATE customers SET created = 99 WHERE id = 'a'", "its columns do not agree";
    a_customer_wrongly_marked_deleted: "UPDATE customers SET deleted = (1 = 1) WHERE id = 'a'", "its columns do not agree";
    a_version_of_zero: r#"UPDATE customers SET body = replace(body, '"version":1', '"version":0')"#, "its version is not positive";
    a_lost_term: "DELETE FROM customer_terms WHERE id = 'a'", "it cannot be found by its term";
    a_stray_term: "INSERT INTO customer_terms VALUES (11, 5, 5, 'a')", "found by term 5, which it does not have";
    a_term_of_nobody: "INSERT INTO customer_terms VALUES (11, 5, 5, 'nobody')", "customer nobody of account 11: it is not there";
    a_term_at_a_wrong_moment: "UPDATE customer_terms SET created = 6 WHERE id = 'a'", "which it does not have";
    a_lost_event: "DELETE FROM events WHERE id = 'evt_b'", "it has place 3, 2 was to come";
    a_lost_first_event: "DELETE FROM events WHERE id = 'evt_a'", "it has place 2, 1 was to come";
    an_unreadable_event: r#"UPDATE events SET body = '{"v":1}' WHERE id = 'evt_b'"#, "reading event evt_b of account 11";
    an_event_of_a_wrong_kind: "UPDATE events SET kind = 'customer.deleted' WHERE id = 'evt_b'", "its columns do not agree";
    a_balance_without_its_transaction: r#"UPDATE customers SET body = replace(body, '"balance":7', '"balance":8') WHERE id = 'a'"#, "its balance is not where";
    an_unreadable_balance_transaction: "UPDATE balance_transactions SET body = ''", "reading balance transaction t1";
    a_balance_transaction_of_a_lost_customer: "DELETE FROM customers WHERE id = 'a'", "balance transaction t1 of account 11: its customer is not there";
    a_balance_transaction_of_nobody: "UPDATE balance_transactions SET customer = 'zz'", "balance transaction t1 of account 11: its customer is not there";
    an_unreadable_account: "UPDATE accounts SET body = ''", "reading account 11";
    an_unreadable_api_key: "UPDATE api_keys SET body = ''", "reading an API key of account 11";
    an_unreadable_reply: "UPDATE replies SET headers = '7'", "its headers are not a list";
    an_unreadable_object: "UPDATE objects SET body = '{' WHERE id = 'A'", "reading object A of account 11: the body does not begin";
    an_object_of_an_unknown_kind: "UPDATE objects SET kind = 'x' WHERE id = 'A'", "reading object A of account 11: this version does not know its kind";
    an_object_under_a_wrong_id: "UPDATE objects SET id = 'z' WHERE id = 'A'", "its columns do not agree";
    a_deleted_coupon_among_the_living: "UPDATE objects SET kind = 'coupon' WHERE kind = 'retired_coupon'", "its columns do not agree";
    an_object_missing_on_its_list: "DELETE FROM object_lists WHERE id = 'A'", "object A of account 11: it is not on its list";
    an_object_on_a_list_of_others: "INSERT INTO object_lists VALUES (11, 5, 5, 'A', 'coupon')", "object A of account 11: it is on list 5, where it does not belong";
    an_object_listed_at_a_wrong_moment: "UPDATE object_lists SET created = 6 WHERE id = 'A'", "where it does not belong";
    a_listed_object_that_is_lost: "DELETE FROM objects WHERE id = 'B'", "object B of account 11: it is not there, but on list";
    an_unreadable_delivery: "UPDATE webhook_deliveries SET body = '{' WHERE id = 'whd_1'", "reading webhook delivery whd_1 of account 11: the body does not begin";
    a_delivery_of_a_wrong_state: "UPDATE webhook_deliveries SET state = 'failed' WHERE id = 'whd_1'", "webhook delivery whd_1 of account 11: its columns do not agree";
    a_delivery_due_at_a_wrong_moment: "UPDATE webhook_deliveries SET due = 9 WHERE id = 'whd_3'", "webhook delivery whd_3 of account 11: its columns do not agree";
    a_delivery_of_a_lost_event: "DELETE FROM events WHERE id = 'evt_c'", "event evt_c of account 11: webhooks are to tell of it, but it is not there";
    a_delivery_that_its_queue_does_not_know: "UPDATE webhook_queues SET due = 8", "webhook delivery whd_2 of account 11: it is due before its queue knows of anything";
    a_delivery_without_a_queue: "UPDATE webhook_queues SET endpoint = 'we_9'", "webhook delivery whd_2 of account 11: it is due, and its endpoint has no queue";
    an_endpoint_without_a_queue: "DELETE FROM webhook_queues", "webhook endpoint we_1 of account 11: it has no queue";
    rows_of_an_account_that_has_nothing_else: "INSERT INTO customer_terms VALUES (12, 5, 5, 'a')", "customer a of account 12: it is not there";
}

fn method(id: &str) -> PaymentMethod {
    let like = Instrument::from(card(id)).as_payment_method();
    like.expect("a card is a payment method too")
}

/// A customer who has a card, a payment method, defaults and a discount by the coupon.
fn holder(id: &str, of: &str) -> Customer {
    let mut holder = customer(id, 5);
    holder.instruments = vec![card(&format!("card_{id}")).into(), method(&format!("pm_{id}")).into()];
    holder.default_source = Some(InstrumentId(format!("card_{id}")));
    holder.invoice_settings.default_payment_method = Some(InstrumentId(format!("pm_{id}")));
    holder.discount = Some(Discount {
        id: DiscountId(format!("di_{id}")),
        coupon: CouponId(of.into()),
        coupon_serial: CouponSerial(format!("coupon_{of}")),
        promotion_code: None,
        start: Time(5),
        end: None,
    });
    holder
}

/// What an examination says of two customers who hold something, a payment method that nobody holds and two coupons, of
/// which one is deleted.
fn examined(
    home: &Home,
    change: impl Fn(&mut [Customer; 2], &mut Vec<LoosePaymentMethod>) + Send + 'static,
) -> Vec<String> {
    let store = home.open().unwrap();
    write(&*store, move |tx| {
        let (mut holders, mut methods) =
            ([holder("a", "A"), holder("b", "C")], vec![LoosePaymentMethod { method: method("pm_c"), spent: true }]);
        change(&mut holders, &mut methods);
        let coupons = [coupon("A", 5, None), coupon("C", 5, Some(Time(9)))].map(Facts::from);
        for object in coupons.into_iter().chain(methods.into_iter().map(Facts::from)) {
            tx.put_object(HERE, &write_facts(&object), &[], &object.lists())?;
        }
        holders.iter().try_for_each(|holder| tx.put_customer(HERE, None, holder))
    })
    .unwrap();
    store.close();
    home.examined().unwrap().faults
}

#[test]
fn what_is_wrong_with_holdings_is_found() {
    type Change = fn(&mut [Customer; 2], &mut Vec<LoosePaymentMethod>);
    let cases: [(Change, &[&str]); 9] = [
        (|_, _| {}, &[]),
        (
            |[a, _], _| a.default_source = Some(InstrumentId("pm_a".into())),
            &["customer a of account 11: its default source pm_a is none of its sources"],
        ),
        (
            |[a, _], _| a.invoice_settings.default_payment_method = Some(InstrumentId("pm_z".into())),
            &["customer a of account 11: its default payment method pm_z is none of its payment methods"],
        ),
        (|[a, _], _| a.instruments.push(card("card_a").into()), &["customer a of account 11: it holds card_a twice"]),
        (
            |[a, b], _| b.instruments.push(a.instruments[0].clone()),
            &["customer b of account 11: it holds card_a, and so does customer a"],
        ),
        (
            |[a, b], _| a.invoice_prefix.clone_from(&b.invoice_prefix),
            &["customer b of account 11: it has invoice prefix PREB, and so does customer a"],
        ),
        (
            |_, methods| methods.push(LoosePaymentMethod { method: method("pm_a"), spent: false }),
            &["customer a of account 11: it holds pm_a, which is also kept as held by nobody"],
        ),
        (
            |[a, b], _| {
                for discount in [a, b].into_iter().filter_map(|holder| holder.discount.as_mut()) {
                    discount.coupon_serial = CouponSerial("coupon_of_another_time".into());
                }
            },
            &[
                "customer a of account 11: the coupon A of its discount is not there",
                "customer b of account 11: the coupon C of its discount is not there",
            ],
        ),
        (|[_, b], _| b.deleted = Some(Time(7)), &["customer b of account 11: it is deleted and holds something"]),
    ];
    for (change, expected) in cases {
        for home in Home::of_each_kind() {
            assert_eq!(examined(&home, change), expected);
        }
    }
}

#[test]
fn words_that_many_customers_have_are_no_marks() {
    for home in Home::of_each_kind() {
        let store = home.open().unwrap();
        write(&*store, |tx| {
            (0..2_500).try_for_each(|number| {
                // More of one name than are read at a time.
                let name = Some("Jenny".to_owned());
                tx.put_customer(HERE, None, &Customer { name, ..customer(&format!("{number}"), 5) })
            })
        })
        .unwrap();
        store.close();
        assert_eq!(home.examined().unwrap().faults, Vec::<String>::new());
    }
}

#[test]
fn a_head_that_is_not_at_the_newest_event_is_found() {
    for (sql, expected) in [
        ("UPDATE heads SET seq = 2", "the head of account 11: it is at event 2, the newest is 3"),
        ("DELETE FROM heads", "the head of account 11: it is at event 0, the newest is 3"),
        ("INSERT INTO heads VALUES (12, 1, 1, '')", "the head of account 12: it is at event 1, the newest is 0"),
    ] {
        find(&furnished(Home::database()), sql, expected);
    }
}

#[test]
fn a_text_that_is_none_is_found() {
    let home = furnished(Home::folder());
    find(&home, "UPDATE customers SET body = CAST(x'ff' AS TEXT) WHERE id = 'b'", "a column is not of its kind");
    find(
        &home,
        "UPDATE balance_transactions SET customer = CAST(x'ff' AS TEXT)",
        "reading whose a balance transaction",
    );
}

#[test]
fn more_rows_than_fit_one_page_are_examined() {
    for home in Home::of_each_kind() {
        let home = furnished(home);
        let store = home.open().unwrap();
        write(&*store, |tx| (0..2_500).try_for_each(|number| make(tx, &format!("more{number}")))).unwrap();
        store.close();
        let summary = home.examined().unwrap();
        assert_eq!((summary.fault_count, summary.customers, summary.terms), (0, 2_503, 5_006), "{summary:?}");
        assert_eq!(summary.events, 2_503);
    }
}

#[test]
fn a_rental_book_that_does_not_add_up_is_found() {
    use crate::domain::ids::{CustomerId, OrderId, RentalId};
    use crate::domain::rental_book::RentalBook;

    for home in Home::of_each_kind().map(furnished) {
        let store = home.open().unwrap();
        write(&*store, |tx| {
            let mut book = RentalBook::blank(CustomerId("a".into()), Time(5));
            book.ordered(&OrderId("ord_1".into()));
            book.rented(&RentalId("sub_1".into()), Time(5), 100, Some(900));
            book.paid(50);
            let book = Facts::from(book);
            tx.put_object(HERE, &write_facts(&book), &[], &book.lists())
        })
        .unwrap();
        store.close();
        let found = home.examined().unwrap();
        let name = format!("rental book a of account {}", HERE.0);
        assert_eq!(
            found.faults,
            [
                format!("{name}: it does not list the orders that there are, oldest first"),
                format!("{name}: it does not list the rentals that there are, oldest first"),
                format!("{name}: it says open orders 1, and it is 0"),
                format!("{name}: it says active rentals 1, and it is 0"),
                format!("{name}: it says monthly revenue 100, and it is 0"),
                format!("{name}: it says lifetime collected 50, and it is 0"),
                format!("{name}: it says acquisition cost 900, and it is 0"),
                format!("{name}: it says tracked rentals 1, and it is 0"),
                format!("{name}: it does not say when the first rental began"),
            ]
        );
    }
}
