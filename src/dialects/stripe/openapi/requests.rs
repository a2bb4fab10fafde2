//! What requests of the newest version may carry, as schemas: made from the parameter tables that also read it. What is
//! refused by name is not told.

use super::super::params::{Empty, Field, Kind, Param, Shape};
use super::super::versions::Version;
use crate::domain::metadata::{MAX_KEY_CHARACTERS, MAX_VALUE_CHARACTERS};
use crate::domain::promotion_code::MAX_CODE;
use crate::http::json::{Json, Object};

/// A parameter of the outermost level.
pub struct Told {
    /// Its name.
    pub name: &'static str,
    /// Its schema.
    pub schema: Object,
    /// It must be there.
    pub required: bool,
    /// How it is written: in one piece, in brackets by key, or in brackets by number.
    pub form: Written,
}

/// How a value is written in a form or a query string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// `name=value`
    Plain,
    /// `name[key]=value`
    Keys,
    /// `name[]=value`
    Items,
}

/// The parameters of a table, as the newest version has them.
pub fn told<C>(table: &'static [Param<C>]) -> Vec<Told> {
    let version = Version::newest();
    let rows = table.iter().filter(|param| version.has(param.added, param.removed));
    rows.filter_map(|param| {
        let schema = param_schema(param, &version)?;
        Some(Told { name: param.name, schema, required: param.required, form: written(&param.kind) })
    })
    .collect()
}

fn written<C>(kind: &Kind<C>) -> Written {
    match kind {
        Kind::Group(_) => Written::Keys,
        Kind::Unsupported => Written::Plain,
        Kind::Value(Shape::Record(_) | Shape::Metadata | Shape::TextOr(_) | Shape::Span, _) => Written::Keys,
        Kind::Value(Shape::List(..), _) => Written::Items,
        Kind::Value(_, _) => Written::Plain,
    }
}

fn param_schema<C>(param: &Param<C>, version: &Version) -> Option<Object> {
    let schema = match &param.kind {
        Kind::Unsupported => return None,
        Kind::Group(inner) => {
            let mut properties = Object::new();
            let mut needed: Vec<Json> = Vec::new();
            for param in inner.iter().filter(|param| version.has(param.added, param.removed)) {
                if let Some(schema) = param_schema(param, version) {
                    properties.add(param.name, schema);
                    needed.extend(param.required.then(|| param.name.into()));
                }
            }
            closed(properties, needed)
        }
        Kind::Value(shape, _) => shape_schema(shape, version)?,
    };
    Some(match param.empty {
        Empty::Refused => schema,
        Empty::Unsets => or_empty(schema, "An empty string unsets it."),
        Empty::Ignored => or_empty(schema, "An empty string changes nothing."),
    })
}

fn or_empty(schema: Object, doc: &'static str) -> Object {
    let empty = Object::new().and("type", "string").and("enum", vec!["".into()]).and("description", doc);
    Object::new().and("anyOf", vec![schema.into(), empty.into()])
}

fn closed(properties: Object, needed: Vec<Json>) -> Object {
    let mut told = typed("object").and("properties", properties).and("additionalProperties", false);
    if !needed.is_empty() {
        told.add("required", needed);
    }
    told
}

fn typed(name: &'static str) -> Object {
    Object::new().and("type", name)
}

fn text(most: usize) -> Object {
    typed("string").and("minLength", 1).and("maxLength", most as i64)
}

fn any_of(schemas: impl IntoIterator<Item = Object>) -> Object {
    Object::new().and("anyOf", schemas.into_iter().map(Json::from).collect::<Vec<_>>())
}

/// `None` for what no value is accepted of.
fn shape_schema(shape: &Shape, version: &Version) -> Option<Object> {
    Some(match shape {
        Shape::Text(most) | Shape::Id(most, _) | Shape::Trimmed(most) | Shape::Phone(most) | Shape::Country(most) => {
            text(*most)
        }
        Shape::Secret(most) => text(*most).and("format", "password").and("writeOnly", true),
        Shape::TextGrown { max, was: _, on: _ } => text(*max),
        Shape::Email(most) => text(*most).and("format", "email"),
        Shape::Url => text(5000).and("format", "uri"),
        Shape::Ip => any_of([typed("string").and("format", "ipv4"), typed("string").and("format", "ipv6")]),
        Shape::Locale => text(100).and("description", "An IETF language tag."),
        Shape::Currency => typed("string").and("pattern", "^[A-Za-z]{3}$"),
        Shape::InvoicePrefix => typed("string").and("pattern", "^[A-Z0-9]{3,12}$"),
        Shape::Integer { min, max } => {
            let mut told = typed("integer");
            if *min > i64::MIN {
                told.add("minimum", *min);
            }
            if *max < i64::MAX {
                told.add("maximum", *max);
            }
            told
        }
        Shape::Percent => typed("number").and("exclusiveMinimum", 0).and("maximum", 100),
        Shape::Moment => moment(),
        Shape::Code => text(MAX_CODE).and("pattern", "^[A-Za-z0-9-]+$"),
        Shape::Flag => typed("boolean"),
        Shape::Choice(words) => {
            let words = words.iter().filter(|word| version.has(word.added, ""));
            typed("string").and("enum", words.map(|word| Json::from(word.word)).collect::<Vec<_>>())
        }
        Shape::Record(fields) => record(fields, None, version),
        Shape::TextOr(kinds) => {
            let only = kinds.len() == 1;
            let records = kinds.iter().map(|(word, fields)| record(fields, Some((*word, !only)), version));
            any_of([text(5000)].into_iter().chain(records))
        }
        Shape::List(element, most) => {
            typed("array").and("items", shape_schema(element, version)?).and("maxItems", *most as i64)
        }
        Shape::Metadata => typed("object")
            .and("additionalProperties", typed("string").and("maxLength", MAX_VALUE_CHARACTERS as i64))
            .and("propertyNames", text(MAX_KEY_CHARACTERS).and("pattern", "^[^\\[\\]]+$"))
            .and("description", "Merged by key; an empty string removes a key."),
        Shape::Span => {
            let mut bounds = Object::new();
            for bound in ["gt", "gte", "lt", "lte"] {
                bounds.add(bound, moment());
            }
            any_of([closed(bounds, Vec::new()), moment()])
        }
        Shape::Unsupported | Shape::NoSuch(_) => return None,
    })
}

fn moment() -> Object {
    typed("integer").and("description", "A Unix second.")
}

/// A record; beside its fields stands what kind it is, where there are kinds.
fn record(fields: &[Field], kind: Option<(&'static str, bool)>, version: &Version) -> Object {
    let mut properties = Object::new();
    let mut needed: Vec<Json> = Vec::new();
    if let Some((word, required)) = kind {
        properties.add("object", typed("string").and("enum", vec![word.into()]));
        needed.extend(required.then(|| "object".into()));
    }
    for field in fields.iter().filter(|field| version.has(field.added, "")) {
        let Some(schema) = shape_schema(field.shape, version) else { continue };
        let schema = if field.required { schema } else { or_empty(schema, "As if it were not there.") };
        properties.add(field.name, schema);
        needed.extend(field.required.then(|| field.name.into()));
    }
    closed(properties, needed)
}
