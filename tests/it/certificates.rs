//! Certificates for servers of tests, made by openssl.

use std::path::Path;
use std::process::{Command, Stdio};

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(folder).stdin(Stdio::null());
    let output = command.output().expect("PostgreSQL's package brings openssl along");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";

/// Makes somebody who signs certificates.
pub fn authority(folder: &Path, name: &str) {
    openssl(folder, &format!("req -x509 {KEY} -keyout {name}.key -out {name}.pem -subj /CN=cusp-test-{name}"));
}

/// Has the authority sign a certificate for `subject`.
pub fn certificate(folder: &Path, name: &str, subject: &str) {
    let names = format!("-addext subjectAltName=DNS:{subject} -addext basicConstraints=CA:FALSE");
    let signed = format!("req -x509 {KEY} -keyout {name}.key -out {name}.pem -subj /CN={subject} {names}");
    openssl(folder, &format!("{signed} -CA ca.pem -CAkey ca.key"));
}
