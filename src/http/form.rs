//! Reads `application/x-www-form-urlencoded` parameters, from a body or a query string, into an ordered tree. Knows the
//! brackets and nothing of what the names mean; a refusal carries the parameter's name for the dialect to speak of.

use std::borrow::Cow;
use std::slice;
use std::vec;

use sha2::{Digest, Sha256};

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
    /// `a[]=x`, or the hashes of `a[][b]=x`. Indexed lists are hashes until someone asks for a list, because only the
    /// asker knows whether `a[0]` is the first of a list or the key `0`.
    List(Vec<Node>),
    /// `a[b]=x`
    Hash(Hash),
}

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

/// Reads one piece: a body or a query string.
pub fn decode(bytes: &[u8]) -> Result<Hash, FormError> {
    decode_all(&[bytes])
}

/// Reads several pieces into one tree, as if they were joined by `&`.
pub fn decode_all(pieces: &[&[u8]]) -> Result<Hash, FormError> {
    let mut root = Hash::default();
    let mut count = 0;
    for piece in pieces {
        let mut rest = *piece;
        while let Some(pair) = next_pair(&mut rest) {
            count += 1;
            if count > MAX_PARAMETERS {
                return Err(pair.error(FormErrorKind::TooManyParameters));
            }
            pair.put_into(&mut root).map_err(|kind| pair.error(kind))?;
        }
    }
    Ok(root)
}

/// SHA-256 over the tree with its keys sorted: equal parameters have equal digests in whatever order they were sent.
/// The order inside a list counts.
pub fn canonical_digest(parameters: &Hash) -> [u8; 32] {
    let mut sha = Sha256::new();
    digest_hash(parameters, &mut sha);
    sha.finalize().into()
}

impl Node {
    /// The elements of a list, or of a hash whose keys are all decimal numbers, in the order of the numbers. The
    /// numbers only order: gaps are fine and cost nothing.
    pub fn as_list(&self) -> Option<Vec<&Node>> {
        match self {
            Node::Text(_) => None,
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
            Node::Text(_) => None,
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
            Some(Node::Text(_)) => inner.is_empty(),
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
    fn put_into(&self, root: &mut Hash) -> Result<(), FormErrorKind> {
        let key = self.key.text()?;
        let mut names = [""; MAX_DEPTH];
        let count = split_key(&key, &mut names)?;
        let value = self.value.text()?.into_owned();
        put(root, &names[..count], value)
    }

    fn error(&self, kind: FormErrorKind) -> FormError {
        let key = self.key.text().unwrap_or_else(|_| String::from_utf8_lossy(self.key.bytes));
        FormError { kind, key: key.chars().take(MAX_SHOWN_KEY_CHARS).collect() }
    }
}

impl<'a> Piece<'a> {
    fn text(self) -> Result<Cow<'a, str>, FormErrorKind> {
        let bytes = if self.encoded { Cow::Owned(percent_decoded(self.bytes)?) } else { Cow::Borrowed(self.bytes) };
        if bytes.contains(&0) {
            return Err(FormErrorKind::NulCharacter);
        }
        match bytes {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| FormErrorKind::BadUtf8),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|_| FormErrorKind::BadUtf8),
        }
    }
}

fn percent_decoded(bytes: &[u8]) -> Result<Vec<u8>, FormErrorKind> {
    let mut decoded = Vec::with_capacity(bytes.len());
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
fn put(root: &mut Hash, path: &[&str], value: String) -> Result<(), FormErrorKind> {
    let mut hash = root;
    let mut path = path;
    loop {
        let (name, inner) = path.split_first().expect("a path never ends inside a hash");
        match inner {
            [] => return put_text(hash, name, value),
            [""] => return append_text(hash.get_or_push(name, || Node::List(Vec::new())), value),
            ["", inside @ ..] => {
                hash = element_for(hash.get_or_push(name, || Node::List(Vec::new())), inside)?;
                path = inside;
            }
            [_, ..] => {
                hash = match hash.get_or_push(name, || Node::Hash(Hash::default())) {
                    Node::Hash(inside) => inside,
                    Node::Text(_) => return Err(FormErrorKind::ScalarAndHash),
                    Node::List(_) => return Err(FormErrorKind::ListAndHash),
                };
                path = inner;
            }
        }
    }
}

fn put_text(hash: &mut Hash, name: &str, value: String) -> Result<(), FormErrorKind> {
    let Some(at) = hash.position(name) else {
        hash.push(name.to_owned(), Node::Text(value));
        return Ok(());
    };
    match &mut hash.entries[at].1 {
        Node::Text(text) => *text = value,
        Node::List(_) | Node::Hash(_) => return Err(FormErrorKind::ScalarAndHash),
    }
    Ok(())
}

fn append_text(list: &mut Node, value: String) -> Result<(), FormErrorKind> {
    let elements = elements_of(list)?;
    if let Some(Node::Hash(_)) = elements.last() {
        return Err(FormErrorKind::ScalarAndHash);
    }
    elements.push(Node::Text(value));
    Ok(())
}

/// The element of a list of hashes that a path goes into: the last one, or a new one when the last has it already.
// QUIRK: `a[][b]=1&a[][c]=2&a[][b]=3` is [{b: 1, c: 2}, {b: 3}]; the rule of Rack, which older clients lean on.
fn element_for<'t>(list: &'t mut Node, path: &[&str]) -> Result<&'t mut Hash, FormErrorKind> {
    let elements = elements_of(list)?;
    let continues = match elements.last() {
        Some(Node::Hash(last)) => path.contains(&"") || !last.has(path),
        Some(Node::Text(_)) => return Err(FormErrorKind::ScalarAndHash),
        Some(Node::List(_)) | None => false,
    };
    if !continues {
        elements.push(Node::Hash(Hash::default()));
    }
    match elements.last_mut() {
        Some(Node::Hash(last)) => Ok(last),
        Some(Node::Text(_) | Node::List(_)) | None => unreachable!("the last element was made or seen to be a hash"),
    }
}

fn elements_of(list: &mut Node) -> Result<&mut Vec<Node>, FormErrorKind> {
    match list {
        Node::List(elements) => Ok(elements),
        Node::Text(_) => Err(FormErrorKind::ScalarAndHash),
        Node::Hash(_) => Err(FormErrorKind::ListAndHash),
    }
}

/// Orders decimal numbers of any length without reading them into one.
fn index_rank(index: &str) -> (usize, &str) {
    let digits = index.trim_start_matches('0');
    (digits.len(), digits)
}

fn digest_node(node: &Node, sha: &mut Sha256) {
    match node {
        Node::Text(text) => {
            sha.update(b"t");
            digest_text(text, sha);
        }
        Node::List(elements) => {
            sha.update(b"l");
            digest_length(elements.len(), sha);
            for element in elements {
                digest_node(element, sha);
            }
        }
        Node::Hash(hash) => digest_hash(hash, sha),
    }
}

fn digest_hash(hash: &Hash, sha: &mut Sha256) {
    sha.update(b"h");
    digest_length(hash.len(), sha);
    for at in hash.sorted_positions() {
        let (key, node) = &hash.entries[at];
        digest_text(key, sha);
        digest_node(node, sha);
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
mod tests {
    use std::collections::HashSet;
    use std::time::Instant;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// The tree in one line: `{a: x, b: [y, {c: z}]}`, or `kind at key`.
    fn told(read: &Result<Hash, FormError>) -> String {
        match read {
            Ok(hash) => told_hash(hash),
            Err(FormError { kind, key }) => format!("{kind:?} at {key}"),
        }
    }

    fn told_hash(hash: &Hash) -> String {
        let entries: Vec<String> = hash.iter().map(|(key, node)| format!("{key}: {}", told_node(node))).collect();
        format!("{{{}}}", entries.join(", "))
    }

    fn told_node(node: &Node) -> String {
        match node {
            Node::Text(text) => text.clone(),
            Node::List(elements) => told_list(elements.iter()),
            Node::Hash(hash) => told_hash(hash),
        }
    }

    fn told_list<'a>(elements: impl Iterator<Item = &'a Node>) -> String {
        format!("[{}]", elements.map(told_node).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn what_is_sent_is_what_is_read() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("nothing is an empty tree", b"", "{}"),
            ("a name and a text", b"name=Jenny", "{name: Jenny}"),
            ("an empty text stays, it clears things", b"name=", "{name: }"),
            ("a name alone has an empty text", b"name", "{name: }"),
            ("a name alone may have brackets", b"a[b]", "{a: {b: }}"),
            ("empty pairs are nothing", b"&&a=1&&&b=2&", "{a: 1, b: 2}"),
            ("only the first = parts name and text", b"a=b=c", "{a: b=c}"),
            ("names keep the order in which they first came", b"b=1&a=2&b=3", "{b: 3, a: 2}"),
            ("the last text of a name wins", b"a=1&a=2", "{a: 2}"),
            ("names differ by case", b"a=1&A=2", "{a: 1, A: 2}"),
            ("+ is a space, %2B is a plus", b"a+b=c+d%2Be", "{a b: c d+e}"),
            ("percent digits have either case", b"a=%c3%A4", "{a: ä}"),
            ("text may come unescaped", "a=ä[]".as_bytes(), "{a: ä[]}"),
            ("an escaped & or = belongs to the text", b"a=%26%3D&b=1", "{a: &=, b: 1}"),
            ("a hash", b"address[city]=Bern&address[line1]=x", "{address: {city: Bern, line1: x}}"),
            ("escaped brackets are brackets", b"address%5Bcity%5d=Bern", "{address: {city: Bern}}"),
            ("hashes nest", b"a[b][c]=1&a[b][d]=2&a[e]=3", "{a: {b: {c: 1, d: 2}, e: 3}}"),
            ("pairs of one hash need not be neighbours", b"a[b]=1&c=2&a[d]=3", "{a: {b: 1, d: 3}, c: 2}"),
            ("the last text wins inside too", b"a[b]=1&a[b]=2", "{a: {b: 2}}"),
            ("empty brackets make a list", b"expand[]=a&expand[]=b", "{expand: [a, b]}"),
            ("a list of one empty text", b"a[]", "{a: []}"),
            ("a list inside a hash", b"a[b][]=1&a[b][]=2", "{a: {b: [1, 2]}}"),
            ("numbers are names", b"metadata[0]=a&metadata[7]=b", "{metadata: {0: a, 7: b}}"),
            ("a repeated name starts the next hash", b"i[][p]=1&i[][q]=2&i[][p]=3", "{i: [{p: 1, q: 2}, {p: 3}]}"),
            (
                "so does a repeated path",
                b"i[][p][x]=1&i[][p][y]=2&i[][p][x]=3",
                "{i: [{p: {x: 1, y: 2}}, {p: {x: 3}}]}",
            ),
            ("a list inside does not", b"i[][p][]=1&i[][p][]=2&i[][q]=3", "{i: [{p: [1, 2], q: 3}]}"),
            ("lists of hashes nest", b"i[][n]=1&i[][l][][m]=2&i[][l][][m]=3", "{i: [{n: 1, l: [{m: 2}, {m: 3}]}]}"),
            (
                "12 names are not too deep",
                b"a[b][c][d][e][f][g][h][i][j][k][l]=1",
                "{a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: 1}}}}}}}}}}}}",
            ),
        ];
        check(cases);
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("letters after %", b"name=%zz", "BadPercent at name"),
            ("one digit after %", b"name=a%4", "BadPercent at name"),
            ("nothing after %", b"name=%", "BadPercent at name"),
            ("a sign is no digit", b"name=%+1", "BadPercent at name"),
            ("% in a name", b"a%5Bb%5=1", "BadPercent at a%5Bb%5"),
            ("escaped bytes that are no text", b"a[b]=%ff", "BadUtf8 at a[b]"),
            ("raw bytes that are no text", b"a=\xc3", "BadUtf8 at a"),
            ("a name that is no text", b"a%ff=1", "BadUtf8 at a%ff"),
            ("surrogates", b"a=%ed%a0%80", "BadUtf8 at a"),
            ("an escaped NUL", b"a=x%00", "NulCharacter at a"),
            ("a raw NUL", b"a=\0", "NulCharacter at a"),
            ("a NUL in a name", b"a[%00]=1", "NulCharacter at a[%00]"),
            ("no name", b"=x", "NoName at "),
            ("no name before the bracket", b"[address]=1", "NoName at [address]"),
            ("an open bracket", b"address[city=x", "BadBrackets at address[city"),
            ("a lone closing bracket", b"a]b=1", "BadBrackets at a]b"),
            ("a lone closing bracket later", b"a[b]]=1", "BadBrackets at a[b]]"),
            ("brackets inside brackets", b"a[b[c]]=1", "BadBrackets at a[b[c]]"),
            ("text after a bracket", b"a[b]c=1", "BadBrackets at a[b]c"),
            ("text between brackets", b"a[b]c[d]=1", "BadBrackets at a[b]c[d]"),
            ("a list of lists", b"a[][]=1", "BadBrackets at a[][]"),
            (
                "13 names",
                b"a[b][c][d][e][f][g][h][i][j][k][l][m]=1",
                "TooDeep at a[b][c][d][e][f][g][h][i][j][k][l][m]",
            ),
            ("a text, then a hash", b"address=x&address[city]=y", "ScalarAndHash at address[city]"),
            ("a hash, then a text", b"address[city]=y&address=x", "ScalarAndHash at address"),
            ("an empty text is a text", b"metadata=&metadata[a]=b", "ScalarAndHash at metadata[a]"),
            ("a text, then a list", b"a=1&a[]=2", "ScalarAndHash at a[]"),
            ("a list, then a text", b"a[]=2&a=1", "ScalarAndHash at a"),
            ("a text, then a list of hashes", b"a=1&a[][b]=2", "ScalarAndHash at a[][b]"),
            ("a text inside a text", b"a[b]=1&a[b][c]=2", "ScalarAndHash at a[b][c]"),
            ("texts and hashes in one list", b"a[]=1&a[][b]=2", "ScalarAndHash at a[][b]"),
            ("hashes and texts in one list", b"a[][b]=2&a[]=1", "ScalarAndHash at a[]"),
            ("a list, then an index", b"a[]=1&a[0]=2", "ListAndHash at a[0]"),
            ("an index, then a list", b"a[0]=2&a[]=1", "ListAndHash at a[]"),
            ("an index, then a list of hashes", b"a[0][b]=2&a[][b]=1", "ListAndHash at a[][b]"),
            ("a list, then a deeper index", b"a[]=1&a[0][b]=2", "ListAndHash at a[0][b]"),
        ];
        check(cases);
    }

    fn check(cases: &[(&str, &[u8], &str)]) {
        for (sentence, input, wanted) in cases {
            assert_eq!(told(&decode(input)), *wanted, "{sentence}: {}", String::from_utf8_lossy(input));
        }
    }

    #[test]
    fn numbers_order_a_list_and_nothing_else() {
        let cases: &[(&str, &str, Option<&str>)] = &[
            ("brackets", "a[]=x&a[]=y", Some("[x, y]")),
            ("in order", "a[0]=x&a[1]=y", Some("[x, y]")),
            ("out of order", "a[1]=y&a[0]=x", Some("[x, y]")),
            ("by number, not by letter", "a[10]=z&a[9]=y&a[1]=x", Some("[x, y, z]")),
            ("with gaps", "a[5]=y&a[2]=x", Some("[x, y]")),
            ("beyond any integer", "a[99999999999999999999999]=y&a[99999999999999999999998]=x", Some("[x, y]")),
            ("with leading zeros", "a[010]=y&a[9]=x", Some("[x, y]")),
            ("of hashes", "a[1][b]=y&a[0][b]=x", Some("[{b: x}, {b: y}]")),
            ("one name is not a number", "a[0]=x&a[b]=y", None),
            ("a sign is not a digit", "a[-1]=x", None),
            ("a text", "a=x", None),
        ];
        for (sentence, input, wanted) in cases {
            let tree = decode(input.as_bytes()).expect("the input is well-formed");
            let node = tree.get("a").expect("the input has an a");
            let borrowed = node.as_list().map(|elements| told_list(elements.into_iter()));
            let owned = node.clone().into_list().map(|elements| told_list(elements.iter()));
            assert_eq!((borrowed.as_deref(), owned.as_deref()), (*wanted, *wanted), "{sentence}: {input}");
        }
    }

    #[test]
    fn query_string_and_body_make_one_tree() {
        assert_eq!(told(&decode_all(&[b"a[b]=1&c=2", b"", b"a[d]=3&c=4"])), "{a: {b: 1, d: 3}, c: 4}");
        assert_eq!(told(&decode_all(&[b"a=1", b"a[b]=1"])), "ScalarAndHash at a[b]");
    }

    #[test]
    fn one_parameter_too_many_is_refused_across_pieces() {
        let most = (0..MAX_PARAMETERS).map(|n| format!("metadata[k{n}]=v")).collect::<Vec<_>>().join("&");
        assert!(decode(most.as_bytes()).is_ok());
        assert_eq!(told(&decode_all(&[most.as_bytes(), b"&&one[more]=1"])), "TooManyParameters at one[more]");
    }

    #[test]
    fn a_shown_key_is_cut_between_characters() {
        let error = decode(format!("{}[=1", "ä".repeat(5_000)).as_bytes()).expect_err("the bracket is open");
        assert_eq!(error.key, "ä".repeat(MAX_SHOWN_KEY_CHARS));
    }

    #[test]
    fn a_large_hash_finds_its_names_and_keeps_their_order() {
        let names: Vec<String> = (0..1_000).map(|n| format!("k{}", n * 7_919 % 1_000)).collect();
        let mut hash = Hash::default();
        for name in &names {
            assert_eq!(hash.insert(name.clone(), Node::Text(String::new())), None);
        }
        assert!(hash.insert("k5".into(), Node::Text("five".into())).is_some());
        assert_eq!(hash.remove("k7"), Some(Node::Text(String::new())));
        assert_eq!(hash.remove("k7"), None);
        assert_eq!(hash.get("k5"), Some(&Node::Text("five".into())));
        assert!(names.iter().filter(|name| *name != "k7").all(|name| hash.get(name).is_some()));
        let left: Vec<String> = names.into_iter().filter(|name| name != "k7").collect();
        assert_eq!(hash.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), left);
    }

    #[test]
    fn hostile_shapes_are_answered_without_recursion() {
        let cases = [
            ("10,000 open brackets", format!("a{}=1", "[".repeat(10_000)), FormErrorKind::BadBrackets),
            ("10,000 names", format!("a{}=1", "[b]".repeat(10_000)), FormErrorKind::TooDeep),
            ("10,000 lists", format!("a{}=1", "[]".repeat(10_000)), FormErrorKind::BadBrackets),
            ("10,000 closing brackets", format!("a{}=1", "]".repeat(10_000)), FormErrorKind::BadBrackets),
            ("a million pairs", "a&".repeat(1_000_000), FormErrorKind::TooManyParameters),
        ];
        for (sentence, input, wanted) in cases {
            assert_eq!(decode(input.as_bytes()).map_err(|error| error.kind), Err(wanted), "{sentence}");
        }
    }

    #[test]
    fn digests_tell_trees_apart() {
        let cases = [
            "",
            "a=",
            "a=b",
            "ab=",
            "a[b]=",
            "a[]=b",
            "a[0]=b",
            "a[]=b&a[]=c",
            "a[]=c&a[]=b",
            "a=&b=",
            "a[b]=c&d=e",
            "a[b]=c&a[d]=e",
            "a[][b]=1&a[][c]=2",
            "a[][b]=1&a[][b]=2",
        ];
        let digests: HashSet<[u8; 32]> =
            cases.iter().map(|case| canonical_digest(&decode(case.as_bytes()).expect("well-formed"))).collect();
        assert_eq!(digests.len(), cases.len());
    }

    #[test]
    fn a_digest_does_not_change_because_it_is_stored() {
        let digest = canonical_digest(&decode(b"name=Jenny&metadata[a]=1&expand[]=tax").expect("well-formed"));
        let text: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "7f2dad3e913abbba");
    }

    /// Run with `cargo test --release --lib form -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement, not a test"]
    fn how_long_a_body_takes() {
        let customer = "name=Jenny+Rosen&email=jenny.rosen%40example.com&phone=%2B14155552671&description=A+good+customer\
            &address[line1]=510+Townsend+St&address[line2]=&address[city]=San+Francisco&address[state]=CA\
            &address[postal_code]=94103&address[country]=US&shipping[name]=Jenny+Rosen&shipping[address][line1]=1+Main+St\
            &shipping[address][city]=Oakland&metadata[order_id]=6735&metadata[plan]=gold&invoice_settings[footer]=Thanks\
            &tax_exempt=none&preferred_locales[0]=en&expand[0]=tax";
        let many = (0..MAX_PARAMETERS).map(|n| format!("metadata[key{n}]=v")).collect::<Vec<_>>().join("&");
        for (body, rounds) in [(customer, 400_000), (many.as_str(), 1_000)] {
            let best = (0..5).map(|_| {
                let start = Instant::now();
                for _ in 0..rounds {
                    std::hint::black_box(decode(std::hint::black_box(body.as_bytes())).is_ok());
                }
                start.elapsed().as_nanos() / rounds
            });
            println!("{} bytes: {} ns", body.len(), best.min().expect("there were rounds"));
        }
    }

    /// A tree as a client would send it: lists with `[]`, every name and text escaped or not as `raw` says.
    fn encode(hash: &Hash, raw: bool) -> Vec<String> {
        let mut pairs = Vec::new();
        for (key, node) in hash {
            encode_node(&escaped(key, raw), node, raw, &mut pairs);
        }
        pairs
    }

    fn encode_node(name: &str, node: &Node, raw: bool, pairs: &mut Vec<String>) {
        let (open, close) = if raw { ("[", "]") } else { ("%5B", "%5D") };
        match node {
            Node::Text(text) => pairs.push(format!("{name}={}", escaped(text, raw))),
            Node::List(elements) => {
                elements.iter().for_each(|node| encode_node(&format!("{name}{open}{close}"), node, raw, pairs))
            }
            Node::Hash(hash) => hash.iter().for_each(|(key, node)| {
                encode_node(&format!("{name}{open}{}{close}", escaped(key, raw)), node, raw, pairs)
            }),
        }
    }

    fn escaped(text: &str, raw: bool) -> String {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || (raw && !matches!(byte, b'%' | b'&' | b'=' | b'+' | b' '));
        let bytes = text.bytes().map(|byte| match byte {
            b' ' => vec![b'+'],
            byte if plain(byte) => vec![byte],
            byte => format!("%{byte:02x}").into_bytes(),
        });
        String::from_utf8(bytes.flatten().collect()).expect("whole characters stay whole")
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof!["[a-e]", "[0-9]{1,3}", "[^\\[\\]\0]{1,6}"]
    }

    fn text() -> impl Strategy<Value = Node> {
        "[^\0]{0,8}".prop_map(Node::Text)
    }

    /// Sizes are such that no tree has more than [`MAX_PARAMETERS`] texts, and some are large enough to be sorted.
    fn hash_of(node: impl Strategy<Value = Node>, most: usize) -> impl Strategy<Value = Hash> {
        vec((name(), node), 1..=most).prop_map(|entries| {
            let mut hash = Hash::default();
            for (key, node) in entries {
                hash.insert(key, node);
            }
            hash
        })
    }

    /// Hashes and texts only: what can be said in any order.
    fn orderless() -> impl Strategy<Value = Hash> {
        let node = text().prop_recursive(2, 8, 2, |node| hash_of(node, 2).prop_map(Node::Hash));
        hash_of(node, 40)
    }

    /// Everything that can be said. Each hash in a list starts with the same name, which is what parts them.
    fn sayable() -> impl Strategy<Value = Hash> {
        let node = text().prop_recursive(2, 8, 2, |node| {
            prop_oneof![
                vec(text(), 1..3).prop_map(Node::List),
                hash_of(node.clone(), 2).prop_map(Node::Hash),
                vec((text(), hash_of(node, 2)), 1..3).prop_map(|elements| {
                    let started = elements.into_iter().map(|(first, rest)| {
                        let mut hash = Hash::default();
                        hash.insert("first".into(), first);
                        for (key, node) in rest.into_iter().filter(|(key, _)| key != "first") {
                            hash.insert(key, node);
                        }
                        Node::Hash(hash)
                    });
                    Node::List(started.collect())
                }),
            ]
        });
        hash_of(node, 40)
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }

        #[test]
        fn no_telling_bytes_make_it_panic(text in "[ab0\\[\\]=&%+5BD]{0,60}") {
            if let Ok(tree) = decode(text.as_bytes()) {
                canonical_digest(&tree);
            }
        }

        #[test]
        fn what_is_encoded_is_decoded(tree in sayable(), raw: bool) {
            let body = encode(&tree, raw).join("&");
            prop_assert_eq!(decode(body.as_bytes()), Ok(tree), "{}", body);
        }

        #[test]
        fn the_order_of_parameters_does_not_change_the_digest(
            (pairs, shuffled) in orderless()
                .prop_map(|tree| encode(&tree, true))
                .prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
        ) {
            let digest = |pairs: &[String]| decode(pairs.join("&").as_bytes()).map(|tree| canonical_digest(&tree));
            prop_assert_eq!(digest(&pairs), digest(&shuffled));
        }

        #[test]
        fn another_text_makes_another_digest(tree in orderless(), text in "[^\0]{0,8}") {
            let mut other = tree.clone();
            other.insert("text".into(), Node::Text(text.clone()));
            let same = tree.get("text") == Some(&Node::Text(text));
            prop_assert_eq!(canonical_digest(&tree) == canonical_digest(&other), same);
        }

        #[test]
        fn the_last_text_wins(name in "[a-z]{1,5}(\\[[a-z]{1,5}\\])?", texts in vec("[a-z]{0,5}", 1..5)) {
            let pairs: Vec<String> = texts.iter().map(|text| format!("{name}={text}")).collect();
            let last = decode(pairs[texts.len() - 1].as_bytes());
            prop_assert_eq!(decode(pairs.join("&").as_bytes()), last);
        }
    }
}
