//! The examples of docs/TESTING.md: each is a file that is run here against the real binary, and the document shows the files
//! as they are. `CUSP_UPDATE_DOCS=1` has the document show them as they are now.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program_server::{ProgramServer, cusp};

#[path = "../../examples/testing/rust/customers.rs"]
mod in_rust;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn example(name: &str) -> PathBuf {
    repository().join("examples/testing").join(name)
}

fn tool(path: &str) -> PathBuf {
    let tool = repository().join(".tools").join(path);
    assert!(tool.exists(), "{} is not there: run scripts/tools", tool.display());
    tool
}

/// Runs a suite that starts the program by itself.
fn run(command: &mut Command) {
    command.env("CUSP", env!("CARGO_BIN_EXE_cusp"));
    // A proxy that is set for downloads has nothing to do with a server on this machine.
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    let outcome = command.output().expect("the suite's interpreter starts");
    let (out, err) = (String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&outcome.stderr));
    assert!(outcome.status.success(), "{}\n{out}\n{err}", outcome.status);
}

#[test]
fn the_pytest_suite_runs() {
    let mut python = Command::new(tool("python/bin/python"));
    // Nothing is to be left beside the example.
    python.args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(example("python"));
    run(&mut python);
}

#[test]
fn the_jest_suite_runs() {
    let modules = tool("node/node_modules");
    let mut node = Command::new(tool("node/bin/node"));
    node.arg(modules.join("jest/bin/jest.js")).current_dir(example("node")).env("NODE_PATH", modules);
    run(node.args(["--ci", "--no-cache", "--no-watchman"]));
}

#[test]
fn the_files_are_loaded_as_the_document_says() {
    let [known, requests] =
        ["known.jsonl", "requests.json"].map(|name| example(name).to_str().expect("a plain name").to_owned());
    let server = ProgramServer::start("dev", &["--ephemeral"], &["--load", &known, "--load", &requests]);
    let mut connection = server.connection("sk_test_me");
    assert_eq!(connection.ok("GET", "/v1/customers/cus_ada", "")["default_source"], "card_ada");
    let customers = connection.ok("GET", "/v1/customers", "");
    assert_eq!(customers["data"].as_array().map(Vec::len), Some(2));

    let url = format!("http://{}", server.address());
    let loaded = cusp().args(["fixtures", "load", &known, "--api-key", "sk_test_other", "--url", &url]).output();
    let told = String::from_utf8(loaded.expect("the program runs").stdout).expect("it is text");
    assert!(told.ends_with("known.jsonl: loaded 2 customers, 1 coupon\n"), "{told}");
}

#[test]
fn the_document_shows_the_examples_as_they_are() {
    let document = repository().join("docs/TESTING.md");
    let shown = fs::read_to_string(&document).expect("the document is there");
    let mut text = String::new();
    let mut files = 0;
    let mut lines = shown.lines();
    while let Some(line) = lines.next() {
        text += &format!("{line}\n");
        let Some(name) = line.strip_prefix("<!-- examples/testing/").and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        files += 1;
        let fence = lines.next().expect("an example follows");
        assert!(fence.starts_with("```"), "{name} is followed by {fence}");
        let _: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let example = fs::read_to_string(example(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        text += &format!("{fence}\n{}\n```\n", example.trim_end());
    }
    assert!(files >= 7, "the document shows the examples");
    if std::env::var_os("CUSP_UPDATE_DOCS").is_some() {
        fs::write(&document, text).expect("the document can be written");
    } else {
        assert_eq!(shown, text, "docs/TESTING.md shows other examples: run this with CUSP_UPDATE_DOCS=1");
    }
}
