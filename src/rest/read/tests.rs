//! What is read of bodies and query strings, and what is refused of them.

use super::{Flaw, Reading, Unknown, Wrong, body, changes, query};
use crate::domain::patch::Patch;
use crate::domain::time::Time;
use crate::http::given::Value;
use crate::http::json::{Json, Object};
use crate::rest::fields::Fields;
use crate::rest::formats::{COUNTRY, EMAIL, MOMENT};
use crate::rest::shape::{Component, Data, Member, Shape, member};

static ADDRESS: Component = Component {
    name: "Address",
    doc: "An address.",
    shape: Shape::Object(&[
        member("city", Shape::trimmed(1, 20)).needed(),
        member("country", Shape::Leniently { strict: &Shape::of(&COUNTRY, 2), lenient: &Shape::trimmed(1, 60) }),
    ]),
};

const ITEM: Shape = Shape::Object(&[member("sku", Shape::text(1, 5)).needed(), member("quantity", Shape::Whole(1, 9))]);

const MEMBERS: &[Member] = &[
    member("email", Shape::of(&EMAIL, 20)).needed(),
    member("phone", Shape::text(0, 9)).nullable(),
    member("address", Shape::Component(&ADDRESS)).nullable(),
    member("items", Shape::List(&ITEM, 1, 2)),
    member("price", Shape::Money(0, 1_000_000)),
    member("share", Shape::number(0, 1_000, 1)),
    member("kind", Shape::Word(&["one", "two"])),
    member("on", Shape::Flag),
    member("at", Shape::of(&MOMENT, 40)),
    member("data", Shape::Data(Data { max_bytes: 60, max_depth: 2 })),
    member("words", Shape::Map(&Shape::text(0, 3))),
];
const BODY: Shape = Shape::Object(MEMBERS);

const STRICT: Reading =
    Reading { unknown: Unknown::Refused, unknown_query: Unknown::Refused, money_decimals: 2, lenient: false };

fn read_by(how: &Reading, json: &str) -> Result<Fields, Vec<(String, Wrong)>> {
    match body(&BODY, Value::of_json(json.as_bytes()).unwrap(), how) {
        Ok(Value::Object(members)) => Ok(Fields::new(members)),
        Ok(other) => panic!("{other:?}"),
        Err(flaws) => Err(flaws.into_iter().map(|Flaw { path, wrong }| (path, wrong)).collect()),
    }
}

fn read(json: &str) -> Fields {
    read_by(&STRICT, json).unwrap()
}

#[track_caller]
fn refused(json: &str, expected: &[(&str, Wrong)]) {
    let flaws = read_by(&STRICT, json).unwrap_err();
    let flaws: Vec<(&str, Wrong)> = flaws.iter().map(|(path, wrong)| (&**path, wrong.clone())).collect();
    assert_eq!(flaws, expected, "{json}");
}

#[test]
fn what_is_right_comes_out_as_it_is_kept() {
    let mut fields = read(
        r#"{"email": " a@b ", "phone": null, "address": {"city": " Mwanza ", "country": "tz"}, "on": true,
            "items": [{"sku": "a", "quantity": 2.0}, {"sku": "b"}], "price": 89.5, "share": 12, "kind": "two",
            "at": "2026-03-01T13:00:00+01:00", "data": {"a": [1.50]}, "words": {"x": "y"}}"#,
    );
    assert_eq!(fields.needed::<String>("email"), "a@b");
    assert_eq!(fields.patch::<String>("phone"), Patch::Clear);
    let mut address: Fields = fields.get("address").unwrap();
    assert_eq!(
        (address.get::<String>("city"), address.get::<String>("country")),
        (Some("Mwanza".into()), Some("TZ".into()))
    );
    let mut items: Vec<Fields> = fields.get("items").unwrap();
    assert_eq!((items[0].get("quantity"), items[1].get::<i64>("quantity")), (Some(2i64), None));
    assert_eq!((fields.get("price"), fields.get("share")), (Some(8_950i64), Some(120i64)));
    assert_eq!((fields.get::<String>("kind"), fields.get("on")), (Some("two".into()), Some(true)));
    assert_eq!(fields.get("at"), Some(Time(1_772_366_400_000)));
    let data = Value::Object(vec![("a".into(), Value::List(vec![Value::Number("1.50".into())]))]);
    assert_eq!(fields.get("data"), Some(data));
    assert_eq!(fields.get::<Fields>("words").unwrap().all(), [("x".to_owned(), Value::Text("y".into()))]);
    assert!(fields.is_empty() && fields.patch::<String>("phone") == Patch::Keep);
}

#[test]
fn all_flaws_are_found_each_with_its_path() {
    refused(
        r#"{"phone": 1, "address": {"cty": "x", "country": "XX"}, "items": [{"sku": ""}, {"sku": "abcdef", "quantity": 0}],
            "kind": "three", "on": "yes", "nmae": 1}"#,
        &[
            ("email", Wrong::Missing),
            ("phone", Wrong::Type { wanted: "a string", given: "a number" }),
            ("address.city", Wrong::Missing),
            ("address.country", Wrong::Format("a two-letter country code of ISO 3166-1")),
            ("address.cty", Wrong::Unknown),
            ("items.0.sku", Wrong::TooShort(1)),
            ("items.1.sku", Wrong::TooLong(5)),
            ("items.1.quantity", Wrong::TooSmall("1".into())),
            ("kind", Wrong::Word(&["one", "two"])),
            ("on", Wrong::Type { wanted: "true or false", given: "a string" }),
            ("nmae", Wrong::Unknown),
        ],
    );
    refused(r#"{"email": null}"#, &[("email", Wrong::Null)]);
    refused(r#"{"email": "a@b", "email": "a@b"}"#, &[("email", Wrong::Twice)]);
    refused(r#"{"email": "a\u0000@b"}"#, &[("email", Wrong::Nul)]);
    refused(r#"{"email": "a@b", "items": []}"#, &[("items", Wrong::TooFew(1))]);
    refused(r#"{"email": "a@b", "items": [1, 2, 3]}"#, &[("items", Wrong::TooMany(2))]);
}

const CHANGE: Shape = Shape::Object(&[
    member("email", Shape::of(&EMAIL, 20)),
    member("phone", Shape::trimmed(1, 9)).nullable(),
    member("address", Shape::Component(&ADDRESS)).nullable(),
    member("kind", Shape::Word(&["one", "two"])),
]);

/// What is left of a body where that is shown, by the names that are asked for.
fn beside(shown: &Object, sent: &str) -> Result<Vec<String>, Vec<(String, Wrong)>> {
    let told = |flaws: Vec<Flaw>| flaws.into_iter().map(|Flaw { path, wrong }| (path, wrong)).collect::<Vec<_>>();
    let changes = changes(&CHANGE, Value::of_json(sent.as_bytes()).unwrap(), &STRICT).map_err(told)?;
    let left = changes.beside(&Json::from(shown.clone())).map_err(told)?;
    Ok(left.all().into_iter().map(|(name, _)| name).collect())
}

#[test]
fn a_change_may_repeat_what_is_shown() {
    let place = Object::new().and("country", "ATLANTIS").and("city", "Poseidonis");
    let shown = Object::new().and("email", Json::Null).and("phone", " 1 ").and("address", place).and("kind", "one");
    let names = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let repeated = r#"{"email": null, "phone": " 1 ", "address": {"city": "Poseidonis", "country": "ATLANTIS"}}"#;
    assert_eq!(beside(&shown, repeated), names(&[]));
    // What is as it has to be is left to the verb, changed or not.
    assert_eq!(beside(&shown, r#"{"email": null, "kind": "one"}"#), names(&["kind"]));
    assert_eq!(beside(&shown, r#"{"phone": " 2 ", "address": null}"#), names(&["phone", "address"]));
    let other = r#"{"email": null, "phone": "", "address": {"city": "Poseidonis", "country": "ATLANTI"}}"#;
    let flaws = beside(&shown, other).unwrap_err();
    assert_eq!(flaws.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["phone", "address.country"]);

    // These are wrong whatever is shown.
    for (sent, path) in [
        (r#"{"email": null, "nmae": 1}"#, "nmae"),
        (r#"{"email": null, "address.city": "a"}"#, "address.city"),
        (r#"{"phone": " 1 ", "phone": " 1 "}"#, "phone"),
        ("[]", ""),
    ] {
        assert!(beside(&shown, sent).unwrap_err().iter().any(|(at, _)| at == path), "{sent}");
    }
}

#[test]
fn money_has_the_decimals_of_its_currency() {
    for (price, wrong) in [
        ("1.005", Wrong::TooPrecise(2)),
        ("-0.01", Wrong::TooSmall("0".into())),
        ("10000.01", Wrong::TooLarge("10000".into())),
        ("1e300", Wrong::TooLarge("10000".into())),
        ("-1e300", Wrong::TooSmall("0".into())),
        ("\"1\"", Wrong::Type { wanted: "a number", given: "a string" }),
    ] {
        refused(&format!(r#"{{"email": "a@b", "price": {price}}}"#), &[("price", wrong)]);
    }
    let yen = Reading { money_decimals: 0, ..STRICT };
    assert_eq!(read_by(&yen, r#"{"email": "a@b", "price": 89.0}"#).unwrap().get("price"), Some(89i64));
    let flaws = read_by(&yen, r#"{"email": "a@b", "price": 89.5}"#).unwrap_err();
    assert_eq!(flaws, [("price".to_owned(), Wrong::TooPrecise(0))]);
}

#[test]
fn free_data_has_bounds() {
    for (data, path, wrong) in [
        (r#"{"a": {"b": {}}}"#, "data.a.b", Wrong::TooDeep(2)),
        (r#"{"a": "\u0000"}"#, "data.a", Wrong::Nul),
        (r#"{"a": [], "a": 1}"#, "data.a", Wrong::Twice),
        (r#"{"a": "\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001"}"#, "data", Wrong::TooManyBytes(60)),
        (r#"{"a": "x1234567890123456789012345678901234567890123456789012345"}"#, "data", Wrong::TooManyBytes(60)),
        (r#"[1]"#, "data", Wrong::Type { wanted: "an object", given: "a list" }),
    ] {
        refused(&format!(r#"{{"email": "a@b", "data": {data}}}"#), &[(path, wrong)]);
    }
}

#[test]
fn a_lenient_server_and_one_that_ignores_take_more() {
    let lenient = Reading { lenient: true, unknown: Unknown::Ignored, ..STRICT };
    let sent = r#"{"email": "a@b", "address": {"city": "x", "country": "Tanzania", "more": 1}, "more": 1, "more": 2}"#;
    let mut fields = read_by(&lenient, sent).unwrap();
    let mut address: Fields = fields.get("address").unwrap();
    assert_eq!((address.get::<String>("country"), address.has("more")), (Some("Tanzania".into()), false));
    assert!(!fields.has("more"));
}

const QUERY: &[Member] = &[
    member("limit", Shape::Whole(1, 100)),
    member("status", Shape::List(&Shape::Word(&["open", "done"]), 1, 3)),
    member("active", Shape::Flag),
    member("from", Shape::of(&MOMENT, 40)),
    member("field_*", Shape::text(0, 9)),
];

fn asked(text: &str, how: &Reading) -> Result<Fields, Vec<(String, Wrong)>> {
    query(QUERY, text, how).map_err(|flaws| flaws.into_iter().map(|flaw| (flaw.path, flaw.wrong)).collect())
}

#[test]
fn a_query_is_text_that_is_read_as_what_it_stands_for() {
    let mut fields =
        asked("limit=5&status=open,done&status=open&active=false&from=2026-03-01T12%3A00%3A00Z&field_a=1+2", &STRICT)
            .unwrap();
    assert_eq!((fields.get("limit"), fields.get("active")), (Some(5i64), Some(false)));
    assert_eq!(fields.get::<Vec<String>>("status").unwrap(), ["open", "done", "open"]);
    assert_eq!(fields.get("from"), Some(Time(1_772_366_400_000)));
    assert_eq!(fields.beginning("field_"), [("a".to_owned(), "1 2".to_owned())]);
    let flaws = asked("limit=x&limit=3&status=open,no&active=1&nmae=1&from=%ff", &STRICT).unwrap_err();
    let expected = [
        ("from", Wrong::NotText),
        ("limit", Wrong::Twice),
        ("limit", Wrong::Type { wanted: "a whole number", given: "a string" }),
        ("status.1", Wrong::Word(&["open", "done"])),
        ("active", Wrong::Type { wanted: "true or false", given: "a string" }),
        ("nmae", Wrong::Unknown),
    ];
    assert_eq!(flaws, expected.map(|(path, wrong)| (path.to_owned(), wrong)));
    assert!(asked("nmae=1", &Reading { unknown_query: Unknown::Ignored, ..STRICT }).unwrap().is_empty());
}
