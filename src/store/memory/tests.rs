//! What only this store does, beside what every store must.

use std::sync::Arc;

use super::MemoryStore;
use crate::store::Store;
use crate::store::suite::{Bench, every_check};

fn bench() -> Bench {
    let store = Arc::new(MemoryStore::new());
    let first = Arc::clone(&store);
    let reopen = move || -> Arc<dyn Store> {
        first.close();
        Arc::new(first.again())
    };
    Bench { store, reopen: Box::new(reopen) }
}

every_check!(bench);
