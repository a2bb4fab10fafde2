//! Imports point down: a module may use modules of a lower layer, never of its own or a higher one. And what the lower
//! layers promise to be without, they are without.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. Modules on one line do not know each other.
const LAYERS: [&[&str]; 14] = [
    &["domain"],
    &["clock", "ids", "settings"],
    &["certificates", "identity", "rfc3339", "secrets_key", "signature", "targets"],
    &["store"],
    &["engine"],
    &["failures", "feed", "listeners", "processor"],
    &["app", "http"],
    &["rest"],
    &["dialects", "webhooks"],
    &["telemetry"],
    &["admin", "config", "secrets_file"],
    &["start"],
    &["commands"],
    &["main", "lib"],
];

/// Words that a layer and everything below it is without, and the layer.
const WITHOUT: [(&str, &str); 6] = [
    ("async ", "engine"),
    (".await", "engine"),
    ("hyper::", "engine"),
    ("serde", "domain"),
    ("SystemTime", "engine"),
    ("getrandom", "engine"),
];

/// The one place below the edges that waits for a network: its driver is async.
const WAITS: &str = "src/store/postgres/";

/// The most lines of one file of the program: past it, look for the seam.
const MAX_LINES: usize = 700;

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 40, "the sources were found");
    found
}

fn module(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

fn layer(module: &str) -> usize {
    let place = LAYERS.iter().position(|modules| modules.contains(&module));
    place.unwrap_or_else(|| panic!("the module {module} has no layer yet: give it one in tests/it/tidy.rs"))
}

/// The modules that a line of code names behind `crate::`.
fn named(line: &str) -> Vec<&str> {
    let rest = line.split("crate::").skip(1);
    rest.flat_map(|rest| {
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    })
    .collect()
}

#[test]
fn imports_point_down() {
    let mut upward = Vec::new();
    for (path, text) in sources() {
        let from = module(&path);
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for to in named(line) {
                if to != from && from != "lib" && layer(to) >= layer(&from) {
                    upward.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(upward.is_empty(), "imports that point up or sideways:\n{}", upward.join("\n"));
}

#[test]
fn dialects_do_not_know_each_other() {
    let mut sideways = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| module(path) == "dialects") {
        let own = path.components().rev().nth(1).unwrap().as_os_str().to_str().unwrap().to_owned();
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("crate::dialects::")
                && !rest.starts_with(&own)
            {
                sideways.push(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(sideways.is_empty(), "{}", sideways.join("\n"));
}

#[test]
fn the_core_is_without_what_it_promises_to_be_without() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let here = layer(&module(&path));
        for (word, up_to) in WITHOUT {
            // The utilities of the second layer are where time and chance come in.
            let may_wait = ["async ", ".await"].contains(&word) && path.display().to_string().contains(WAITS);
            let counts = here <= layer(up_to) && !may_wait && !["clock", "ids"].contains(&module(&path).as_str());
            for line in text.lines().filter(|line| counts && !line.trim_start().starts_with("//")) {
                if line.contains(word) {
                    found.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_have_one_duty_and_say_it_first() {
    for (path, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        let says = first.starts_with("//!") || first.starts_with("#![doc");
        assert!(says, "{} does not say what it is for", path.display());
        assert!(text.lines().count() <= MAX_LINES, "{} is longer than {MAX_LINES} lines", path.display());
    }
}
