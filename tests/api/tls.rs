//! HTTPS: the certificate of the settings, the new one after it was read again, and wrong files told.

use crate::filled::Fresh;
use crate::house::{House, context};
use catchall::settings::{TlsFiles, TlsFilesError};
use reqwest::{Certificate, Client};
use std::path::Path;

fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

fn files(certificate: &str, key: &str) -> TlsFiles {
    TlsFiles { certificate: data(certificate), key: data(key) }
}

/// Trusts this certificate alone.
fn client(authority: &str) -> Client {
    let pem = std::fs::read(data(authority)).unwrap();
    let authority = Certificate::from_pem(&pem).unwrap();
    Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn https_shows_the_certificate_that_was_read_last() {
    let fresh = Fresh::sqlite().await.unwrap();
    let context = context(&fresh.vmdb, None);
    context.read_certificate(&files("server.crt", "server.key")).unwrap();
    let house = House::of(context.clone());
    let port = house.server.addr.port();
    assert_eq!(house.server.url(), format!("https://127.0.0.1:{port}"));
    let url = format!("https://localhost:{port}/api/vms");
    let answer = client("ca.crt").get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert!(client("other-ca.crt").get(&url).send().await.is_err(), "another authority's is not taken");
    assert!(
        client("ca.crt").get(format!("http://localhost:{port}/")).send().await.is_err(),
        "nothing but TLS"
    );

    let wrong = context.read_certificate(&files("server.crt", "renewed.key")).unwrap_err();
    assert!(matches!(wrong, TlsFilesError::Key { .. }), "{wrong}");
    assert_eq!(client("ca.crt").get(&url).send().await.unwrap().status(), 200, "the old one stays in force");
    context.read_certificate(&files("renewed.crt", "renewed.key")).unwrap();
    assert_eq!(client("renewed.crt").get(&url).send().await.unwrap().status(), 200);
    assert!(client("ca.crt").get(&url).send().await.is_err(), "the old one is gone");
    house.close().await;
}

#[test]
fn wrong_files_are_told_with_path_and_reason() {
    for (certificate, key, path, reason) in [
        ("none.crt", "server.key", "none.crt", "cannot be read"),
        ("server.crt", "none.key", "none.key", "cannot be read"),
        ("README.md", "server.key", "README.md", "it holds no certificate"),
        ("server.crt", "README.md", "README.md", "it holds no private key"),
        ("server.key", "server.key", "server.key", "it holds no certificate"),
        ("server.crt", "renewed.key", "renewed.key", "this is not the key of http.tls.certificate"),
    ] {
        let error = files(certificate, key).read().unwrap_err().to_string();
        assert!(error.contains(path) && error.contains(reason), "{certificate}, {key}: {error}");
        assert!(!error.contains("PRIVATE"), "{error}");
    }
}
