//! What the decoder reads and refuses, a line a case; and what holds for anything.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A tree whose `number` and `cvc` are secret.
fn read(bytes: &[u8]) -> Result<Hash, FormError> {
    decode_all(&[bytes], |path| match path {
        [.., "number", ""] | [.., "number"] => Some(Telling::LastFour),
        [.., "cvc"] => Some(Telling::Length),
        _ => None,
    })
}

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
        Node::Secret(secret) => format!("secret of {}", secret.length()),
        Node::List(elements) => told_list(elements.iter()),
        Node::Hash(hash) => told_hash(hash),
    }
}

fn told_list<'a>(elements: impl Iterator<Item = &'a Node>) -> String {
    format!("[{}]", elements.map(told_node).collect::<Vec<_>>().join(", "))
}

#[test]
fn secrets_are_told_apart() {
    for (input, wanted) in [
        ("card[number]=4242&card[name]=x", "{card: {number: secret of 4, name: x}}"),
        ("number=", "{number: }"),
        ("number=4242&number=42", "{number: secret of 2}"),
        ("number=4242&number=", "{number: }"),
        ("number[]=4%3242&number[]=1+1", "{number: [secret of 4, secret of 3]}"),
        ("a[][number]=1&a[][number]=12", "{a: [{number: secret of 1}, {number: secret of 2}]}"),
        ("number=1&number[a]=2", "ScalarAndHash at number[a]"),
        ("number=4242%zz", "BadPercent at number"),
        ("number=4242%00", "NulCharacter at number"),
        ("number=4242%ff", "BadUtf8 at number"),
    ] {
        assert_eq!(told(&read(input.as_bytes())), wanted, "{input}");
    }
    let tree = read(b"number=4242424242424242").expect("it is well-formed");
    assert_eq!(format!("{tree:?}").matches("4242").count(), 0);
}

#[test]
fn of_a_secret_only_what_may_be_told_is_digested() {
    let digest = |input: &str| canonical_digest(&read(input.as_bytes()).expect("it is well-formed"), |_| false);
    assert_eq!(digest("number=4242424242424242"), digest("number=5555555555554242"));
    assert_ne!(digest("number=4242424242424242"), digest("number=4242424242424241"));
    assert_ne!(digest("number=4242424242424242"), digest("number=424242424242424"));
    assert_eq!(digest("number=1234567"), digest("number=7654321"));
    assert_eq!(digest("cvc=123456789"), digest("cvc=987654321"));
    assert_ne!(digest("cvc=123"), digest("cvc=1234"));
    assert_ne!(digest("number=4242424242424242"), digest("name=4242424242424242"));
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
        ("so does a repeated path", b"i[][p][x]=1&i[][p][y]=2&i[][p][x]=3", "{i: [{p: {x: 1, y: 2}}, {p: {x: 3}}]}"),
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
        ("13 names", b"a[b][c][d][e][f][g][h][i][j][k][l][m]=1", "TooDeep at a[b][c][d][e][f][g][h][i][j][k][l][m]"),
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
        assert_eq!(told(&read(input)), *wanted, "{sentence}: {}", String::from_utf8_lossy(input));
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
        let tree = read(input.as_bytes()).expect("the input is well-formed");
        let node = tree.get("a").expect("the input has an a");
        let borrowed = node.as_list().map(|elements| told_list(elements.into_iter()));
        let owned = node.clone().into_list().map(|elements| told_list(elements.iter()));
        assert_eq!((borrowed.as_deref(), owned.as_deref()), (*wanted, *wanted), "{sentence}: {input}");
    }
}

#[test]
fn query_string_and_body_make_one_tree() {
    assert_eq!(told(&decode_all(&[b"a[b]=1&c=2", b"", b"a[d]=3&c=4"], |_| None)), "{a: {b: 1, d: 3}, c: 4}");
    assert_eq!(told(&decode_all(&[b"a=1", b"a[b]=1"], |_| None)), "ScalarAndHash at a[b]");
}

#[test]
fn one_parameter_too_many_is_refused_across_pieces() {
    let most = (0..MAX_PARAMETERS).map(|n| format!("metadata[k{n}]=v")).collect::<Vec<_>>().join("&");
    assert!(read(most.as_bytes()).is_ok());
    assert_eq!(told(&decode_all(&[most.as_bytes(), b"&&one[more]=1"], |_| None)), "TooManyParameters at one[more]");
}

#[test]
fn a_shown_key_is_cut_between_characters() {
    let error = read(format!("{}[=1", "ä".repeat(5_000)).as_bytes()).expect_err("the bracket is open");
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
        assert_eq!(read(input.as_bytes()).map_err(|error| error.kind), Err(wanted), "{sentence}");
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
        cases.iter().map(|case| canonical_digest(&read(case.as_bytes()).expect("well-formed"), |_| false)).collect();
    assert_eq!(digests.len(), cases.len());
}

#[test]
fn a_digest_does_not_change_because_it_is_stored() {
    let digest = canonical_digest(&read(b"name=Jenny&metadata[a]=1&expand[]=tax").expect("well-formed"), |_| false);
    let text: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(text, "7f2dad3e913abbba");
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
        Node::Secret(secret) => pairs.push(format!("{name}={}", escaped(secret.expose(), raw))),
        Node::List(elements) => {
            elements.iter().for_each(|node| encode_node(&format!("{name}{open}{close}"), node, raw, pairs))
        }
        Node::Hash(hash) => hash.iter().for_each(|(key, node)| {
            encode_node(&format!("{name}{open}{}{close}", escaped(key, raw)), node, raw, pairs)
        }),
    }
}

fn escaped(text: &str, raw: bool) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || (raw && !matches!(byte, b'%' | b'&' | b'=' | b'+' | b' '));
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
        let _ = read(&bytes);
    }

    #[test]
    fn no_telling_bytes_make_it_panic(text in "[ab0\\[\\]=&%+5BD]{0,60}") {
        if let Ok(tree) = read(text.as_bytes()) {
            canonical_digest(&tree, |_| false);
        }
    }

    #[test]
    fn what_is_encoded_is_decoded(tree in sayable(), raw: bool) {
        let body = encode(&tree, raw).join("&");
        prop_assert_eq!(read(body.as_bytes()), Ok(tree), "{}", body);
    }

    #[test]
    fn the_order_of_parameters_does_not_change_the_digest(
        (pairs, shuffled) in orderless()
            .prop_map(|tree| encode(&tree, true))
            .prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
    ) {
        let digest = |pairs: &[String]| read(pairs.join("&").as_bytes()).map(|tree| canonical_digest(&tree, |_| false));
        prop_assert_eq!(digest(&pairs), digest(&shuffled));
    }

    #[test]
    fn another_text_makes_another_digest(tree in orderless(), text in "[^\0]{0,8}") {
        let mut other = tree.clone();
        other.insert("text".into(), Node::Text(text.clone()));
        let same = tree.get("text") == Some(&Node::Text(text));
        prop_assert_eq!(canonical_digest(&tree, |_| false) == canonical_digest(&other, |_| false), same);
    }

    #[test]
    fn the_last_text_wins(name in "[a-z]{1,5}(\\[[a-z]{1,5}\\])?", texts in vec("[a-z]{0,5}", 1..5)) {
        let pairs: Vec<String> = texts.iter().map(|text| format!("{name}={text}")).collect();
        let last = read(pairs[texts.len() - 1].as_bytes());
        prop_assert_eq!(read(pairs.join("&").as_bytes()), last);
    }
}
