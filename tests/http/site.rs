//! A server on a free port and a client for it.

use catchall::http::{HttpContext, ServerHandle, serve};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, StatusCode};

/// A running server.
pub struct Site {
    client: Client,
    server: ServerHandle,
}

/// What it answered.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Site {
    pub fn open(listen: &str, context: HttpContext) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = serve(listen.parse().unwrap(), context).unwrap();
        Self { client: Client::builder().no_proxy().build().unwrap(), server }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }

    pub async fn get_with(&self, path: &str, header: (&'static str, &str)) -> Answer {
        self.ask(Method::GET, path, &[header]).await
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        let url = format!("http://127.0.0.1:{}{path}", self.server.addr.port());
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_str(value).unwrap());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    /// An answer whose body is read as it comes.
    pub async fn open_answer(&self, path: &str, headers: &[(&'static str, &str)]) -> reqwest::Response {
        let mut request = self.client.get(format!("http://127.0.0.1:{}{path}", self.server.addr.port()));
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_str(value).unwrap());
        }
        request.send().await.unwrap()
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.addr
    }

    pub async fn close(self) {
        self.server.stop().await;
    }
}
