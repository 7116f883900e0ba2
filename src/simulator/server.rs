//! The HTTP side: routes, who is admitted, the `Date` of every answer, and what tests may look at.

use super::faults::Faults;
use super::{Shared, events_api, inventory_api};
use actix_web::dev::{Server, Service, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Deserialize;
use std::net::SocketAddr;

/// A server that listens, and where. It serves once it is awaited.
pub(super) fn bind(shared: Shared, listen: SocketAddr) -> std::io::Result<(Server, SocketAddr)> {
    let connecting = shared.clone();
    let server = HttpServer::new(move || {
        let shared = shared.clone();
        App::new()
            .app_data(web::Data::new(shared.clone()))
            .wrap_fn(move |request, service| {
                // The clock is read before the page, so a page is never older than the clock it is judged by.
                let now = shared.cloud().now();
                let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                let admitted = admitted(&shared, request.path(), request.headers());
                let answer = admitted.then(|| service.call(request));
                async move {
                    let Some(answer) = answer else {
                        return Err(actix_web::error::ErrorUnauthorized("{\"error\":\"unauthorized\"}"));
                    };
                    let mut response: ServiceResponse<_> = answer.await?;
                    if let Ok(date) = HeaderValue::from_str(&date) {
                        response.headers_mut().insert(header::DATE, date);
                    }
                    Ok(response)
                }
            })
            .configure(routes)
    })
    .on_connect(move |connection, _| {
        // So that a connection which is dropped is reset, where resets are asked for.
        if let Some(stream) = connection.downcast_ref::<TcpStream>()
            && connecting.cloud().faults.resets()
            && let Err(error) = stream.set_zero_linger()
        {
            log::debug!("a connection cannot be reset, it will just end: {error}");
        }
    })
    .workers(1)
    .shutdown_timeout(1)
    .disable_signals()
    .bind(listen)?;
    let addr = server.addrs().first().copied().unwrap_or(listen);
    Ok((server.run(), addr))
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/v1/events", web::get().to(events_api::events))
        .route("/v1/_simulator/stats", web::get().to(stats))
        .route("/v1/_simulator/ledger", web::get().to(ledger))
        .route("/v1/_simulator/inventory", web::get().to(inventory_api::truth))
        .route("/v1/_simulator/rate", web::post().to(set_rate))
        .route("/v1/_simulator/faults", web::get().to(faults_now))
        .route("/v1/_simulator/faults", web::post().to(set_faults))
        .route("/v1/vms", web::post().to(inventory_api::create))
        .route("/v1/vms/{id}", web::patch().to(inventory_api::rename))
        .route("/v1/vms/{id}", web::delete().to(inventory_api::delete))
        .route("/v1/vms/{id}/{verb}", web::post().to(inventory_api::act))
        .route("/v1/{kind}", web::get().to(inventory_api::list))
        .route("/v1/{kind}/{id}", web::get().to(inventory_api::one));
}

fn admitted(shared: &Shared, path: &str, headers: &HeaderMap) -> bool {
    let bearer =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match (&shared.token, bearer) {
        _ if path.starts_with("/v1/_simulator/") => true,
        (None, Some(_)) => true,
        (Some(token), Some(bearer)) => **token == *bearer,
        (_, None) => false,
    }
}

async fn stats(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.cloud().stats())
}

async fn ledger(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.tally().ledger())
}

async fn faults_now(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(&shared.cloud().faults)
}

async fn set_faults(shared: web::Data<Shared>, faults: web::Json<Faults>) -> HttpResponse {
    shared.cloud().set_faults(faults.into_inner());
    HttpResponse::NoContent().finish()
}

/// Body of `POST /v1/_simulator/rate`.
#[derive(Debug, Deserialize)]
struct Rate {
    rate: f64,
}

async fn set_rate(shared: web::Data<Shared>, rate: web::Json<Rate>) -> HttpResponse {
    shared.cloud().rate = rate.rate;
    HttpResponse::NoContent().finish()
}
