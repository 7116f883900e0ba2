//! TLS against a server whose certificate was made for this test alone (`testdata/`, valid for a hundred years).

use super::tests::{at, ems};
use super::*;
use crate::provider::Endpoint;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

const AUTHORITY: &str = include_str!("testdata/authority.pem");

/// A server with a certificate of an authority that no system knows; it answers each connection once.
fn server() -> SocketAddr {
    install_crypto_provider();
    let certificate = CertificateDer::from_pem_slice(include_bytes!("testdata/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("testdata/server.key")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for peer in listener.incoming().flatten() {
            let session = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(session, peer);
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            }
        }
    });
    addr
}

#[tokio::test]
async fn a_certificate_is_checked_against_the_endpoints_own_authority_unless_it_says_otherwise() {
    let secure = at(&format!("https://{}", server()));
    let ask = async |endpoint: Endpoint| {
        let client = HttpClient::new(&ems(endpoint), "default").unwrap();
        client.send(client.request(Method::GET, &["v1"])).await.map(|answer| answer.body)
    };
    let authority = Some(AUTHORITY.to_owned());
    let known = Endpoint { certificate_authority: authority, ..secure.clone() };
    assert_eq!(ask(known).await.unwrap(), b"ok");
    let unchecked = Endpoint { verify_ssl: false, ..secure.clone() };
    assert_eq!(ask(unchecked).await.unwrap(), b"ok");
    let without_validation =
        Endpoint { security_protocol: Some("ssl-without-validation".into()), ..secure.clone() };
    assert_eq!(ask(without_validation).await.unwrap(), b"ok");
    let error = ask(secure).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}
