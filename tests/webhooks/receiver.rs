//! A receiver of webhooks: a real HTTP server that answers what it was told to, and remembers what it got.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::StatusCode, web};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What it answers; after the last of them, 204.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    /// With a header.
    With(u16, &'static str, String),
    /// 204, but so late.
    After(Duration),
}

/// A post that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Instant,
    /// By name, in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
}

#[derive(Clone, Default)]
pub struct Receiver {
    pub port: u16,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    got: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub fn start(answers: impl Into<VecDeque<Answer>>) -> Self {
        let this = Self { answers: Arc::new(Mutex::new(answers.into())), ..Self::default() };
        let shared = this.clone();
        let app = move || App::new().app_data(web::Data::new(shared.clone())).default_service(web::to(take));
        let server =
            HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").expect("a free port");
        let port = server.addrs()[0].port();
        actix_rt::spawn(server.run());
        Self { port, ..this }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hooks/p4th", self.port)
    }

    pub fn got(&self) -> Vec<Received> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until that many have arrived.
    pub async fn until(&self, count: usize) -> Vec<Received> {
        for _ in 0..2_000 {
            if self.got.lock().unwrap().len() >= count {
                return self.got();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not within 20 s: {count} posts; there are {:?}", self.got());
    }
}

async fn take(request: HttpRequest, body: web::Bytes, receiver: web::Data<Receiver>) -> HttpResponse {
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let received = Received { at: Instant::now(), headers, body: body.to_vec() };
    receiver.got.lock().unwrap().push(received);
    let answer = receiver.answers.lock().unwrap().pop_front();
    let status = |status| HttpResponse::build(StatusCode::from_u16(status).unwrap());
    match answer {
        None => HttpResponse::NoContent().finish(),
        Some(Answer::Status(code)) => status(code).body("no\nnews"),
        Some(Answer::With(code, name, value)) => status(code).insert_header((name, value)).finish(),
        Some(Answer::After(wait)) => {
            tokio::time::sleep(wait).await;
            HttpResponse::NoContent().finish()
        }
    }
}
