//! Encrypted connections to the database: whose certificates are believed, and the one that is shown.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::{Tls, Verify};
use crate::certificates::{NoRoots, certificates, file_roots, system_roots};

/// The name of PostgreSQL's protocol, which a server expects when the handshake comes first.
const PROTOCOL: &[u8] = b"postgresql";

/// What makes encrypted connections; reads the files that the URL names.
pub(super) fn connector(tls: &Tls) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match &tls.verify {
        Verify::System => builder.with_root_certificates(the_systems()?),
        Verify::File(path) => builder.with_root_certificates(file_roots(path)?),
        Verify::Nothing => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    };
    let mut config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = certificates(&identity.certificate)?;
            let key = PrivateKeyDer::from_pem_file(&identity.key)
                .map_err(|error| format!("cannot read the key {}: {error}", identity.key.display()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("cannot use the certificate {}: {error}", identity.certificate.display()))?
        }
    };
    if tls.direct {
        config.alpn_protocols = vec![PROTOCOL.into()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn the_systems() -> Result<RootCertStore, String> {
    system_roots().map_err(|reason| match reason {
        NoRoots::None => "the system has no certificates to verify the server's with; name some in sslrootcert".into(),
        NoRoots::Unreadable(error) => format!("cannot read the system's certificates: {error}"),
    })
}

/// Believes any certificate. That the server has the key of the one it shows is checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
