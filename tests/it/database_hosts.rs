//! Which of a database's hosts is connected to, and when.

use crate::cluster::Cluster;
use crate::database::{ask, pool, run};

#[test]
fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let primary = Cluster::start(&[]);
    let standby = Cluster::standby_of(&primary);
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), primary.port());
    let pool = pool(&format!("postgres://cusp@{hosts}/postgres"), 1);
    run(async {
        let connection = pool.first().await.expect("the primary is there");
        assert_eq!(ask(&connection, "show port").await, primary.port().to_string());
    });
}

#[test]
fn a_start_waits_for_a_database_that_starts() {
    let mut cluster = Cluster::start(&[]);
    let pool = pool(&cluster.url("postgres"), 1);
    cluster.stop();
    run(async {
        let starting = tokio::task::spawn_blocking(move || {
            cluster.restart();
            cluster
        });
        let connection = pool.first().await.expect("it comes");
        assert_eq!(ask(&connection, "select 1").await, "1");
        drop(starting.await.expect("it has started"));
    });
}
