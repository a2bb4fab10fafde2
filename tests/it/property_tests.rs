//! The documents that a server serves of its APIs: each is valid, and a tester of APIs that makes up requests from it, right
//! and wrong ones, gets no answer that it does not allow.

use std::fs;
use std::process::Command;

use crate::client::Client;
use crate::program_server::ProgramServer;
use crate::sdk::{repository, run_tool, tool};

const SANDBOX: &str = "tester";

/// How many requests the tester makes up for an operation, beside those that go through a document's bounds one by one.
const REQUESTS: &str = "5";

/// An answer to a request that is right by the document may still say that there is nothing of that id, that two records do not
/// go together, or that it is too late: no document can tell. All else is checked.
const NOT_CHECKED: &str = "positive_data_acceptance";

#[test]
fn stripes_document_holds() {
    holds("stripe", "");
}

#[test]
fn flexportals_document_holds() {
    holds("flexportal", "/flexportal");
}

#[test]
fn janis_document_holds() {
    holds("jani", "");
}

fn holds(api: &str, mount: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = ProgramServer::start("dev", &["--ephemeral"], &[]);
    let document = format!("http://{}/openapi/{api}.json", server.address());
    let reply = Client::new(server.address(), "").get(&format!("/openapi/{api}.json"));
    assert_eq!(reply.status, 200);
    let file = folder.path().join("document.json");
    fs::write(&file, &reply.body).expect("a temporary file is written");
    run_tool(Command::new(tool("python/bin/openapi-spec-validator")).arg(&file));

    let mut tester = Command::new(tool("python/bin/schemathesis"));
    tester.current_dir(&folder).args(["--no-color", "--config-file"]);
    tester.arg(repository().join("tests/sdk/python/schemathesis.toml"));
    tester.args(["run", &document, "--url", &format!("http://{}{mount}", server.address())]);
    tester.args(["--header", &format!("Authorization: Bearer sk_test_{SANDBOX}")]);
    if api == "flexportal" {
        tester.args(["--header", &format!("Tenant-ID: {SANDBOX}")]);
    }
    tester.args(["--workers", "1", "--max-examples", REQUESTS, "--exclude-checks", NOT_CHECKED]);
    tester.args(["--generation-deterministic", "--continue-on-failure", "--no-shrink"]);
    let said = run_tool(&mut tester);
    assert!(said.contains("Stateful"), "the tester went through all of its phases:\n{said}");
}
