//! Certificates to believe others by: the system's, or those of a file.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Why the system's certificates are not to be had.
pub enum NoRoots {
    /// It has none.
    None,
    /// They cannot be read, for this reason.
    Unreadable(String),
}

/// Those whom the system trusts. Reads files, so it takes its time.
pub fn system_roots() -> Result<RootCertStore, NoRoots> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    match (roots.is_empty(), found.errors.first()) {
        (false, _) => Ok(roots),
        (true, None) => Err(NoRoots::None),
        (true, Some(error)) => Err(NoRoots::Unreadable(error.to_string())),
    }
}

/// Those whose certificates are in a PEM file; in words, what is wrong with it.
pub fn file_roots(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| format!("cannot use a certificate in {}: {error}", path.display()))?;
    }
    Ok(roots)
}

/// The certificates in a PEM file, at least one; in words, what is wrong with it.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates: Vec<_> =
        read.map_err(|error| format!("cannot read certificates from {}: {error}", path.display()))?;
    match certificates.is_empty() {
        true => Err(format!("there is no certificate in {}", path.display())),
        false => Ok(certificates),
    }
}
