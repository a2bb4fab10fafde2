//! What must hold of any input at all. The fuzz targets and the seeded test in `tests/it/smoke.rs` share it.

use cusp::dialects::stripe::{search, secrets};
use cusp::http::form::{self, Hash, Node};

/// A tree that was read has a digest and can be taken for lists.
pub fn form(bytes: &[u8]) {
    let Ok(tree) = form::decode_all(&[bytes], secrets::telling) else { return };
    let digest = form::canonical_digest(&tree, |_| false);
    walk(&tree);
    assert_eq!(form::decode_all(&[b"&", bytes, b""], secrets::telling), Ok(tree.clone()), "empty pairs are nothing");
    let mut again = Hash::default();
    for (key, node) in tree {
        assert_eq!(again.insert(key, node), None, "a name is there once");
    }
    assert_eq!(form::canonical_digest(&again, |_| false), digest, "the same tree has the same digest");
}

fn walk(hash: &Hash) {
    for (key, node) in hash {
        assert_eq!(hash.get(key), Some(node), "every name is found");
        walk_node(node);
    }
}

fn walk_node(node: &Node) {
    let borrowed = node.as_list().map(|elements| elements.into_iter().cloned().collect());
    assert_eq!(node.clone().into_list(), borrowed, "a list is the same borrowed and owned");
    match node {
        Node::Text(_) | Node::Secret(_) => {}
        Node::List(elements) => elements.iter().for_each(walk_node),
        Node::Hash(inside) => walk(inside),
    }
}

/// A query that was read is read again from its printed form, and a refusal has something to say.
pub fn search(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match search::parse(text) {
        Ok(query) => assert_eq!(search::parse(&search::print(&query)), Ok(query), "a printed query is read back"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
