//! The part of docs/COMPATIBILITY.md that is made from the tables of the APIs of JSON: their operations, and what each takes.

use std::fmt::Write as _;
use std::fs;

use cusp::rest::{Api, Intake, Member, Operation, Shape, Unknown};

use crate::documented::apis;
use crate::sdk::repository;

/// Where the part begins and ends.
const BEGIN: &str =
    "<!-- Made from the tables; `CUSP_UPDATE_DOCS=1 cargo test --test it compatibility` writes it. -->\n";
const END: &str = "<!-- End of what is made from the tables. -->\n";

#[test]
fn the_page_says_what_the_tables_say() {
    let path = repository().join("docs/COMPATIBILITY.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the page says where the part begins");
    let (there, after) = rest.split_once(END).expect("the page says where the part ends");
    let fresh: String = apis().map(part).collect();
    if std::env::var_os("CUSP_UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{fresh}{END}{after}")).expect("the page can be written");
    } else {
        assert_eq!(there, fresh, "docs/COMPATIBILITY.md is not what the tables say");
    }
}

fn part(api: &Api) -> String {
    let name = match api.name {
        "flexportal" => "FlexPortal",
        "jani" => "Jani",
        other => other,
    };
    let members = |unknown: Unknown| match unknown {
        Unknown::Refused => "refused by name",
        Unknown::Ignored => "ignored",
    };
    let mut page = format!(
        "\n## What {name}'s operations take\n\nMembers that are not listed are {}, parameters that are not listed are {}. \
         What is wrong is refused by its name, all of it at once.\n\n| Operation | Permission of a restricted key |\n|---|---|\n",
        members(api.unknown),
        members(api.unknown_query)
    );
    for operation in api.operations {
        let Operation { method, path, resource, access, .. } = operation;
        let (resource, access) = (resource.as_str(), access.as_str());
        writeln!(page, "| `{method} {path}` | `{resource}={access}` |").expect("a text takes all");
    }
    for operation in api.operations {
        let mut rows = Vec::new();
        for parameter in operation.query {
            rows.push(row("", parameter));
        }
        let said = match operation.takes {
            Intake::Nothing => String::new(),
            Intake::Body(shape) | Intake::Changes(shape) | Intake::OptionalBody(shape) => {
                list(shape, "", &mut rows);
                String::new()
            }
            Intake::File(taken) => {
                let names: Vec<String> = taken.iter().map(|media| format!("`{}`", media.name)).collect();
                format!("A file as {}.\n", names.join(" or "))
            }
        };
        if rows.is_empty() && said.is_empty() {
            continue;
        }
        write!(page, "\n### `{} {}`\n\n{said}", operation.method, operation.path).expect("a text takes all");
        if !rows.is_empty() {
            write!(page, "| Name | Value | `null` |\n|---|---|---|\n{}", rows.concat()).expect("a text takes all");
        }
    }
    page
}

fn list(shape: &Shape, above: &str, rows: &mut Vec<String>) {
    match shape {
        Shape::Leniently { strict, .. } => list(strict, above, rows),
        Shape::List(item, ..) => list(item, &format!("{above}[]"), rows),
        shape => {
            for member in shape.members() {
                rows.push(row(above, member));
                list(&member.shape, &named(above, member), rows);
            }
        }
    }
}

fn named(above: &str, member: &Member) -> String {
    if above.is_empty() { member.name.to_owned() } else { format!("{above}.{}", member.name) }
}

fn row(above: &str, member: &Member) -> String {
    let mut value = described(&member.shape);
    if member.needed {
        value.push_str(", required");
    }
    if member.read_only {
        value.push_str(", said by the server: may be sent back as it is");
    }
    let null = if member.nullable { "taken" } else { "refused" };
    format!("| `{}` | {value} | {null} |\n", named(above, member))
}

fn described(shape: &Shape) -> String {
    let bounds = |min: i64, max: i64| match (min, max) {
        (i64::MIN, i64::MAX) => String::new(),
        (min, i64::MAX) => format!(", at least {min}"),
        (i64::MIN, max) => format!(", at most {max}"),
        (min, max) => format!(" from {min} to {max}"),
    };
    match shape {
        Shape::Text(text) => {
            let what = text.format.map_or("text", |format| format.wanted);
            let least = if text.min > 0 && text.format.is_none() { ", not empty" } else { "" };
            let most = if text.max < usize::MAX { format!(", at most {} characters", text.max) } else { String::new() };
            format!("{what}{least}{most}")
        }
        Shape::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::Whole(min, max) => format!("whole number{}", bounds(*min, *max)),
        Shape::Number(number) => format!("number with at most {} decimals", number.decimals),
        Shape::Money(1.., _) => "amount of money, more than 0".to_owned(),
        Shape::Money(..) => "amount of money".to_owned(),
        Shape::Any(_) => "anything".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Component(component) => described(&component.shape),
        Shape::Object(_) | Shape::AnyOf(_) => "object".to_owned(),
        Shape::Map(value) => format!("object of any names: {}", described(value)),
        Shape::Data(data) => {
            format!("object of anything, at most {} bytes and {} levels", data.max_bytes, data.max_depth)
        }
        Shape::List(item, _, usize::MAX) => format!("list: {}", described(item)),
        Shape::List(item, _, most) => format!("list of at most {most}: {}", described(item)),
        Shape::Leniently { strict, .. } => described(strict),
    }
}
