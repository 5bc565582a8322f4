use std::fs;
use std::io;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// Whose certificate the client's is.
const CLIENT: &str = "alice";

/// Writes `ca.pem`, and for the server and a client their certificates and keys, `server.pem`, `server.key`, `client.pem` and
/// `client.key`; returns the authority's certificate in DER.
pub(super) fn write(dir: &Path) -> io::Result<Vec<u8>> {
    let (ca, ends) = make().map_err(io::Error::other)?;
    fs::write(dir.join("ca.pem"), ca.pem())?;
    for (name, (certificate, key)) in ["server", "client"].into_iter().zip(ends) {
        fs::write(dir.join(name).with_extension("pem"), certificate.pem())?;
        fs::write(dir.join(name).with_extension("key"), key.serialize_pem())?;
    }
    Ok(ca.der().to_vec())
}

type End = (rcgen::Certificate, KeyPair);

/// The authority, and the certificates of server and client.
fn make() -> Result<(rcgen::Certificate, [End; 2]), rcgen::Error> {
    let ca_key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "imap-tests CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca = params.self_signed(&ca_key)?;
    let issuer = Issuer::new(params, ca_key);

    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let server = (params.signed_by(&key, &issuer)?, key);

    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, CLIENT);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let client = (params.signed_by(&key, &issuer)?, key);
    Ok((ca, [server, client]))
}
