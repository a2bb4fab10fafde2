//! Webhooks to receivers that speak TLS: who is believed, and who is not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cusp::settings::{Openness, Webhooks};
use cusp::webhooks::send::{Reason, Sender};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use crate::certificates::{authority, certificate};
use crate::receiver::{Names, Receiver, answer, read_request, sender_with, trouble};

/// The name that the certificate is for.
const NAME: &str = "hooks.test";

fn certificates() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    authority(folder.path(), "ca");
    authority(folder.path(), "stranger");
    certificate(folder.path(), "server", NAME);
    folder
}

/// A receiver with the certificate of that name, that answers with the name it was called by.
async fn receiver(folder: &Path, name: &str) -> Receiver {
    let chain = vec![CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).expect("it was made")];
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).expect("it was made");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the versions are known")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they belong together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Receiver::start(move |guest| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(guest.stream).await else { return };
            while read_request(&mut stream).await.is_some() {
                let called = stream.get_ref().1.server_name().unwrap_or("nothing").to_owned();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{called}", called.len());
                stream.write_all(answer.as_bytes()).await.expect("it is heard");
            }
        }
    })
    .await
}

fn sender(folder: &Path, trusted: &str) -> Sender {
    let names = Names::of(&[(NAME, &[&["127.0.0.1"]]), ("other.test", &[&["127.0.0.1"]])]);
    sender_with(names, |webhooks| {
        webhooks.ca_file = Some(folder.join(trusted));
        webhooks.timeout = Duration::from_secs(2);
    })
}

#[tokio::test]
async fn a_receiver_is_believed_by_who_signed_for_it_and_by_its_name() {
    let folder = certificates();
    let receiver = receiver(folder.path(), "server").await;
    let url = |host: &str| format!("https://{host}:{}/secret", receiver.address.port());
    let believing = sender(folder.path(), "ca.pem");
    for _ in 0..3 {
        assert_eq!(answer(&believing, &url(NAME)).await.body, NAME);
    }
    assert_eq!(receiver.connections(), 1, "an encrypted connection is used again");
    for (sender, host) in
        [(&believing, "other.test"), (&believing, "127.0.0.1"), (&sender(folder.path(), "stranger.pem"), NAME)]
    {
        let trouble = trouble(sender, &url(host)).await;
        assert_eq!(trouble.reason, Reason::Tls, "{trouble}");
        assert!(!trouble.words.contains("secret"));
    }
    // The system trusts no authority of a test.
    let system = sender_with(Names::of(&[(NAME, &[&["127.0.0.1"]])]), |_| {});
    assert_eq!(trouble(&system, &url(NAME)).await.reason, Reason::Tls);
}

#[tokio::test]
async fn plain_and_encrypted_receivers_are_not_mixed_up() {
    let folder = certificates();
    let plain = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let encrypted = receiver(folder.path(), "server").await;
    let sender = sender(folder.path(), "ca.pem");
    let url = format!("https://{NAME}:{}/", plain.address.port());
    answer(&sender, &format!("http://{NAME}:{}/", plain.address.port())).await;
    // The connection that is kept is not used for what has to be encrypted.
    let plain_text = trouble(&sender, &url).await;
    assert!(matches!(plain_text.reason, Reason::Tls | Reason::TimedOut), "{plain_text}");
    let spoken_to_plainly = trouble(&sender, &format!("http://{NAME}:{}/", encrypted.address.port())).await;
    assert!(matches!(spoken_to_plainly.reason, Reason::Closed | Reason::NotHttp), "{spoken_to_plainly}");
}

#[tokio::test]
async fn who_hangs_up_in_the_handshake_is_not_believed() {
    let folder = certificates();
    let receiver = Receiver::start(|_| async {}).await;
    let url = format!("https://{NAME}:{}/", receiver.address.port());
    assert_eq!(trouble(&sender(folder.path(), "ca.pem"), &url).await.reason, Reason::Tls);
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn a_file_without_certificates_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::write(folder.path().join("empty.pem"), "nothing").expect("the folder takes a file");
    for (file, reason) in
        [("empty.pem", "there is no certificate in"), ("missing.pem", "cannot read certificates from")]
    {
        let webhooks = Webhooks { ca_file: Some(folder.path().join(file)), ..Webhooks::new(Openness::Dev) };
        let refusal = Sender::new(&webhooks, Names::of(&[])).err().expect(file);
        assert!(refusal.starts_with(reason), "{refusal}");
    }
}
