//! Whose certificates receivers of webhooks are believed by.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::certificates::{NoRoots, file_roots, system_roots};

/// What makes encrypted connections to receivers that have a certificate signed by one of those in the file, else by who the
/// system trusts. Reads files, so it takes its time.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, String> {
    let roots = match ca_file {
        Some(path) => file_roots(path)?,
        None => the_systems()?,
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".into()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn the_systems() -> Result<RootCertStore, String> {
    system_roots().map_err(|reason| match reason {
        NoRoots::None => "the system has no certificates to verify receivers with; --webhook-ca-file names some".into(),
        NoRoots::Unreadable(error) => format!("the system's certificates cannot be read: {error}"),
    })
}
