//! Reads `application/x-www-form-urlencoded` parameters, from a body or a query string, into an ordered tree. Knows the
//! brackets and nothing of what the names mean; a refusal carries the parameter's name for the dialect to speak of.

use std::borrow::Cow;
use std::slice;
use std::vec;

use sha2::{Digest, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::secret::{Secret, Telling, is_like_a_number};

/// The most names that one key may have: `a[b][c]` has three.
pub const MAX_DEPTH: usize = 12;

/// The most parameters that one request may have.
pub const MAX_PARAMETERS: usize = 2_000;

/// The most characters of a key that an error repeats.
pub const MAX_SHOWN_KEY_CHARS: usize = 100;

/// The most entries of a hash that are searched one after the other.
const MAX_UNSORTED_KEYS: usize = 32;

/// One value of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// `a=x`
    Text(String),
    /// `a=x` where the dialect says that what is called `a` is nobody else's business. Never empty: an empty one is text.
    Secret(Secret),
    /// `a[]=x`, or the hashes of `a[][b]=x`. Indexed lists are hashes until someone asks for a list, because only the
    /// asker knows whether `a[0]` is the first of a list or the key `0`.
    List(Vec<Node>),
    /// `a[b]=x`
    Hash(Hash),
}

/// Which parameters are secret: what may be told of the one at that path, or `None` when it is as any other. An empty name
/// in a path is a place in a list.
pub type Secrets = fn(path: &[&str]) -> Option<Telling>;

/// Whether what has that name is a number that counts something, or free data: no secret, however long it is.
pub type Counts = fn(name: &str) -> bool;

/// Names and their values, in the order in which the names first came.
#[derive(Clone, Debug, Default)]
pub struct Hash {
    entries: Vec<(String, Node)>,
    /// The positions of the entries in the order of their keys; empty while there are few.
    sorted: Vec<usize>,
}

/// What cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    /// What is wrong.
    pub kind: FormErrorKind,
    /// The whole bracketed name, decoded as far as it can be, cut at [`MAX_SHOWN_KEY_CHARS`].
    pub key: String,
}

/// What is wrong with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormErrorKind {
    /// A `%` without two hexadecimal digits after it.
    BadPercent,
    /// Bytes that are not UTF-8.
    BadUtf8,
    /// A character U+0000.
    NulCharacter,
    /// Nothing before the first bracket.
    NoName,
    /// Brackets that do not pair, text after a closing one, or `[][]`.
    BadBrackets,
    /// More than [`MAX_DEPTH`] names.
    TooDeep,
    /// More than [`MAX_PARAMETERS`] parameters.
    TooManyParameters,
    /// The same name with a text and with something inside.
    ScalarAndHash,
    /// The same name with `[]` and with `[name]` or `[0]`.
    ListAndHash,
}

/// Reads several pieces, bodies or query strings, into one tree, as if they were joined by `&`.
pub fn decode_all(pieces: &[&[u8]], secrets: Secrets) -> Result<Hash, FormError> {
    let mut root = Hash::default();
    let mut count = 0;
    for piece in pieces {
        let mut rest = *piece;
        while let Some(pair) = next_pair(&mut rest) {
            count += 1;
            if count > MAX_PARAMETERS {
                return Err(pair.error(FormErrorKind::TooManyParameters));
            }
            pair.put_into(&mut root, secrets).map_err(|kind| pair.error(kind))?;
        }
    }
    Ok(root)
}

/// SHA-256 over the tree with its keys sorted: equal parameters have equal digests in whatever order they were sent.
/// The order inside a list counts. Of a secret only what may be told is in it: whoever has the digest cannot try numbers
/// until one fits, and secrets of which the same is told count as equal. The same holds for what only looks like a
/// number of a card or an account, but for what has a name of which `counts` is true, or is inside of it.
pub fn canonical_digest(parameters: &Hash, counts: Counts) -> [u8; 32] {
    let mut sha = Sha256::new();
    digest_hash(parameters, Some(counts), &mut sha);
    sha.finalize().into()
}

impl Node {
    /// The elements of a list, or of a hash whose keys are all decimal numbers, in the order of the numbers. The
    /// numbers only order: gaps are fine and cost nothing.
    pub fn as_list(&self) -> Option<Vec<&Node>> {
        match self {
            Node::Text(_) | Node::Secret(_) => None,
            Node::List(elements) => Some(elements.iter().collect()),
            Node::Hash(hash) => hash.has_only_indices().then(|| {
                let mut entries: Vec<(&str, &Node)> = hash.iter().collect();
                entries.sort_by(|(one, _), (other, _)| index_rank(one).cmp(&index_rank(other)));
                entries.into_iter().map(|(_, node)| node).collect()
            }),
        }
    }

    /// [`Node::as_list`] for who keeps the elements.
    pub fn into_list(self) -> Option<Vec<Node>> {
        match self {
            Node::Text(_) | Node::Secret(_) => None,
            Node::List(elements) => Some(elements),
            Node::Hash(hash) => hash.has_only_indices().then(|| {
                let mut entries = hash.entries;
                entries.sort_by(|(one, _), (other, _)| index_rank(one).cmp(&index_rank(other)));
                entries.into_iter().map(|(_, node)| node).collect()
            }),
        }
    }
}

impl Hash {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.position(key).map(|at| &self.entries[at].1)
    }

    /// The entries in the order in which they came.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.entries.iter())
    }

    /// Sets the value of a name; a name that was there keeps its place. Gives back the value that it had.
    pub fn insert(&mut self, key: String, node: Node) -> Option<Node> {
        match self.position(&key) {
            Some(at) => Some(std::mem::replace(&mut self.entries[at].1, node)),
            None => {
                self.push(key, node);
                None
            }
        }
    }

    /// Takes a name out. Costs as much as there are entries.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let gone = self.position(key)?;
        self.sorted.retain(|at| *at != gone);
        for at in &mut self.sorted {
            *at -= usize::from(*at > gone);
        }
        Some(self.entries.remove(gone).1)
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.sorted.is_empty() {
            return self.entries.iter().position(|(known, _)| known == key);
        }
        self.rank(key).ok().map(|rank| self.sorted[rank])
    }

    fn rank(&self, key: &str) -> Result<usize, usize> {
        self.sorted.binary_search_by(|at| self.entries[*at].0.as_str().cmp(key))
    }

    /// Adds an entry whose key is known to be new, and tells its position.
    fn push(&mut self, key: String, node: Node) -> usize {
        let at = self.entries.len();
        if !self.sorted.is_empty() {
            let rank = self.rank(&key).expect_err("the key is new");
            self.sorted.insert(rank, at);
        }
        self.entries.push((key, node));
        if self.sorted.is_empty() && self.entries.len() > MAX_UNSORTED_KEYS {
            self.sorted = self.sorted_positions();
        }
        at
    }

    fn sorted_positions(&self) -> Vec<usize> {
        let mut positions: Vec<usize> = (0..self.entries.len()).collect();
        positions.sort_unstable_by(|one, other| self.entries[*one].0.cmp(&self.entries[*other].0));
        positions
    }

    /// The value of a name, made by `make` when it is new.
    fn get_or_push(&mut self, key: &str, make: impl FnOnce() -> Node) -> &mut Node {
        let at = self.position(key).unwrap_or_else(|| self.push(key.to_owned(), make()));
        &mut self.entries[at].1
    }

    fn has_only_indices(&self) -> bool {
        !self.is_empty() && self.entries.iter().all(|(key, _)| key.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Whether a path leads to something. What `[]` leads to is always new.
    fn has(&self, path: &[&str]) -> bool {
        let Some((name, inner)) = path.split_first() else { return true };
        match self.get(name) {
            Some(Node::Hash(hash)) => hash.has(inner),
            Some(Node::Text(_) | Node::Secret(_)) => inner.is_empty(),
            Some(Node::List(_)) | None => false,
        }
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        self.entries == other.entries
    }
}

impl Eq for Hash {}

/// The entries of a [`Hash`], borrowed.
pub struct Iter<'a>(slice::Iter<'a, (String, Node)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a Node);

    fn next(&mut self) -> Option<(&'a str, &'a Node)> {
        self.0.next().map(|(key, node)| (key.as_str(), node))
    }
}

impl<'a> IntoIterator for &'a Hash {
    type Item = (&'a str, &'a Node);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for Hash {
    type Item = (String, Node);
    type IntoIter = vec::IntoIter<(String, Node)>;

    fn into_iter(self) -> vec::IntoIter<(String, Node)> {
        self.entries.into_iter()
    }
}

/// One side of a `=`, and whether anything in it needs decoding.
#[derive(Clone, Copy)]
struct Piece<'a> {
    bytes: &'a [u8],
    encoded: bool,
}

#[derive(Clone, Copy)]
struct Pair<'a> {
    key: Piece<'a>,
    value: Piece<'a>,
}

/// Takes the next pair that is not empty. One pass over the bytes, which is most of the time that a small body takes.
fn next_pair<'a>(rest: &mut &'a [u8]) -> Option<Pair<'a>> {
    while let [b'&', after @ ..] = *rest {
        *rest = after;
    }
    let bytes = *rest;
    if bytes.is_empty() {
        return None;
    }
    let mut equals = None;
    let mut encoded = [false; 2];
    let mut end = bytes.len();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'&' => {
                end = at;
                break;
            }
            b'=' if equals.is_none() => equals = Some(at),
            b'%' | b'+' => encoded[usize::from(equals.is_some())] = true,
            _ => {}
        }
    }
    *rest = &bytes[end..];
    let equals = equals.unwrap_or(end);
    let value = &bytes[end.min(equals + 1)..end];
    let [key_encoded, value_encoded] = encoded;
    Some(Pair {
        key: Piece { bytes: &bytes[..equals], encoded: key_encoded },
        value: Piece { bytes: value, encoded: value_encoded },
    })
}

impl Pair<'_> {
    fn put_into(&self, root: &mut Hash, secrets: Secrets) -> Result<(), FormErrorKind> {
        let key = self.key.text()?;
        let mut names = [""; MAX_DEPTH];
        let count = split_key(&key, &mut names)?;
        let path = &names[..count];
        let value = self.value.text()?.into_owned();
        let value = match secrets(path) {
            Some(telling) if !value.is_empty() => Node::Secret(Secret::new(value, telling)),
            Some(_) | None => Node::Text(value),
        };
        put(root, path, value)
    }

    fn error(&self, kind: FormErrorKind) -> FormError {
        let key = self.key.text().unwrap_or_else(|_| String::from_utf8_lossy(self.key.bytes));
        FormError { kind, key: key.chars().take(MAX_SHOWN_KEY_CHARS).collect() }
    }
}

impl<'a> Piece<'a> {
    fn text(self) -> Result<Cow<'a, str>, FormErrorKind> {
        if !self.encoded {
            let text = std::str::from_utf8(self.bytes).map_err(|_| FormErrorKind::BadUtf8);
            return if self.bytes.contains(&0) { Err(FormErrorKind::NulCharacter) } else { text.map(Cow::Borrowed) };
        }
        // What is refused halfway may be half of a secret.
        let mut bytes = percent_decoded(self.bytes)?;
        if bytes.contains(&0) {
            return Err(FormErrorKind::NulCharacter);
        }
        String::from_utf8(std::mem::take(&mut *bytes)).map(Cow::Owned).map_err(|refused| {
            refused.into_bytes().zeroize();
            FormErrorKind::BadUtf8
        })
    }
}

fn percent_decoded(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, FormErrorKind> {
    // It never grows: growing would leave a copy behind.
    let mut decoded = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        rest = after;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let [high, low, after @ ..] = rest else { return Err(FormErrorKind::BadPercent) };
                rest = after;
                hex_digit(*high)? << 4 | hex_digit(*low)?
            }
            plain => *plain,
        });
    }
    Ok(decoded)
}

fn hex_digit(byte: u8) -> Result<u8, FormErrorKind> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        b'A'..=b'F' => Ok(byte - b'A' + 10),
        _ => Err(FormErrorKind::BadPercent),
    }
}

/// Splits `a[b][]` into `a`, `b` and an empty name, and tells how many there are.
fn split_key<'k>(key: &'k str, names: &mut [&'k str; MAX_DEPTH]) -> Result<usize, FormErrorKind> {
    let (name, mut rest) = key.split_at(bracket(key).unwrap_or(key.len()));
    if name.is_empty() {
        return Err(FormErrorKind::NoName);
    }
    names[0] = name;
    let mut count = 1;
    while !rest.is_empty() {
        let inside = rest.strip_prefix('[').ok_or(FormErrorKind::BadBrackets)?;
        let end = bracket(inside).ok_or(FormErrorKind::BadBrackets)?;
        let name = &inside[..end];
        rest = inside[end..].strip_prefix(']').ok_or(FormErrorKind::BadBrackets)?;
        if count == MAX_DEPTH {
            return Err(FormErrorKind::TooDeep);
        }
        // Whether `a[][]` starts a list or continues one is nowhere agreed, and no API that we speak has lists of lists.
        if name.is_empty() && names[count - 1].is_empty() {
            return Err(FormErrorKind::BadBrackets);
        }
        names[count] = name;
        count += 1;
    }
    Ok(count)
}

fn bracket(text: &str) -> Option<usize> {
    text.bytes().position(|byte| matches!(byte, b'[' | b']'))
}

/// Puts a value where the path leads. The path's length, not the input's, bounds the depth of the tree.
fn put(root: &mut Hash, path: &[&str], value: Node) -> Result<(), FormErrorKind> {
    let mut hash = root;
    let mut path = path;
    loop {
        let (name, inner) = path.split_first().expect("a path never ends inside a hash");
        match inner {
            [] => return put_scalar(hash, name, value),
            [""] => return append_scalar(hash.get_or_push(name, || Node::List(Vec::new())), value),
            ["", inside @ ..] => {
                hash = element_for(hash.get_or_push(name, || Node::List(Vec::new())), inside)?;
                path = inside;
            }
            [_, ..] => {
                hash = match hash.get_or_push(name, || Node::Hash(Hash::default())) {
                    Node::Hash(inside) => inside,
                    Node::Text(_) | Node::Secret(_) => return Err(FormErrorKind::ScalarAndHash),
                    Node::List(_) => return Err(FormErrorKind::ListAndHash),
                };
                path = inner;
            }
        }
    }
}

fn put_scalar(hash: &mut Hash, name: &str, value: Node) -> Result<(), FormErrorKind> {
    let Some(at) = hash.position(name) else {
        hash.push(name.to_owned(), value);
        return Ok(());
    };
    match &mut hash.entries[at].1 {
        scalar @ (Node::Text(_) | Node::Secret(_)) => *scalar = value,
        Node::List(_) | Node::Hash(_) => return Err(FormErrorKind::ScalarAndHash),
    }
    Ok(())
}

fn append_scalar(list: &mut Node, value: Node) -> Result<(), FormErrorKind> {
    let elements = elements_of(list)?;
    if let Some(Node::Hash(_)) = elements.last() {
        return Err(FormErrorKind::ScalarAndHash);
    }
    elements.push(value);
    Ok(())
}

/// The element of a list of hashes that a path goes into: the last one, or a new one when the last has it already.
// QUIRK: `a[][b]=1&a[][c]=2&a[][b]=3` is [{b: 1, c: 2}, {b: 3}]; the rule of Rack, which older clients lean on.
fn element_for<'t>(list: &'t mut Node, path: &[&str]) -> Result<&'t mut Hash, FormErrorKind> {
    let elements = elements_of(list)?;
    let continues = match elements.last() {
        Some(Node::Hash(last)) => path.contains(&"") || !last.has(path),
        Some(Node::Text(_) | Node::Secret(_)) => return Err(FormErrorKind::ScalarAndHash),
        Some(Node::List(_)) | None => false,
    };
    if !continues {
        elements.push(Node::Hash(Hash::default()));
    }
    match elements.last_mut() {
        Some(Node::Hash(last)) => Ok(last),
        Some(Node::Text(_) | Node::Secret(_) | Node::List(_)) | None => {
            unreachable!("the last element was made or seen to be a hash")
        }
    }
}

fn elements_of(list: &mut Node) -> Result<&mut Vec<Node>, FormErrorKind> {
    match list {
        Node::List(elements) => Ok(elements),
        Node::Text(_) | Node::Secret(_) => Err(FormErrorKind::ScalarAndHash),
        Node::Hash(_) => Err(FormErrorKind::ListAndHash),
    }
}

/// Orders decimal numbers of any length without reading them into one.
fn index_rank(index: &str) -> (usize, &str) {
    let digits = index.trim_start_matches('0');
    (digits.len(), digits)
}

/// `counts` is `None` inside of what is no secret.
fn digest_node(node: &Node, counts: Option<Counts>, sha: &mut Sha256) {
    match node {
        Node::Text(text) if counts.is_some() && is_like_a_number(text) => {
            digest_secret(&Secret::new(text.clone(), Telling::LastFour), sha);
        }
        Node::Text(text) => {
            sha.update(b"t");
            digest_text(text, sha);
        }
        Node::Secret(secret) => digest_secret(secret, sha),
        Node::List(elements) => {
            sha.update(b"l");
            digest_length(elements.len(), sha);
            for element in elements {
                digest_node(element, counts, sha);
            }
        }
        Node::Hash(hash) => digest_hash(hash, counts, sha),
    }
}

fn digest_secret(secret: &Secret, sha: &mut Sha256) {
    sha.update(b"s");
    digest_length(secret.length(), sha);
    digest_text(secret.last_four().unwrap_or_default(), sha);
}

fn digest_hash(hash: &Hash, counts: Option<Counts>, sha: &mut Sha256) {
    sha.update(b"h");
    digest_length(hash.len(), sha);
    for at in hash.sorted_positions() {
        let (key, node) = &hash.entries[at];
        digest_text(key, sha);
        digest_node(node, counts.filter(|counts| !counts(key)), sha);
    }
}

fn digest_text(text: &str, sha: &mut Sha256) {
    digest_length(text.len(), sha);
    sha.update(text);
}

fn digest_length(length: usize, sha: &mut Sha256) {
    sha.update((length as u64).to_be_bytes());
}

#[cfg(test)]
mod tests;
