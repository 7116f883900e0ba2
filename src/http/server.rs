//! The server: routes, the check that every request passes, start and stop.

use super::access::Access;
use super::context::HttpContext;
use super::live::{Closing, socket};
use super::metrics::{OPENMETRICS, PROMETHEUS, wants_openmetrics};
use super::probes::Readiness;
use super::{api, assets, export, live, pipeline, refusal, response, timeline, timing, usual_rates};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, VARY};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Resource, guard, web};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

/// More readers at once than this wait for their turn.
const MAX_CONNECTIONS: usize = 256;
/// How long a graceful stop waits for answers under way, in seconds.
const SHUTDOWN_TIMEOUT: u64 = 1;
/// Whoever takes longer to say what he wants, or to agree on TLS, is not served.
const SLOWEST_REQUEST: Duration = Duration::from_secs(5);
/// A connection on which nothing is asked for ends.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A client that does not end its side of a connection loses it.
const SLOWEST_END: Duration = Duration::from_secs(1);

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("http.listen: cannot listen on {listen}: {error}; choose another address, port 0, or `off`")]
    Listen {
        /// What was asked for.
        listen: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// No thread, or no accept loop.
    #[error("the HTTP server did not start: {0}")]
    Start(String),
}

/// A running server. Dropping it leaves the server running; [`ServerHandle::stop`] ends it.
#[derive(Debug)]
pub struct ServerHandle {
    /// Where it listens, with the port that it got.
    pub addr: SocketAddr,
    scheme: &'static str,
    server: actix_web::dev::ServerHandle,
    closing: Closing,
    thread: JoinHandle<()>,
}

impl ServerHandle {
    /// `http://127.0.0.1:8484`, or with `https`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.addr)
    }

    /// Takes no more requests, lets those under way end within a second, and returns when the thread is gone.
    pub async fn stop(self) {
        self.closing.0.cancel();
        self.server.stop(true).await;
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

/// Listens on `listen` and answers from a thread of its own.
///
/// # Errors
/// See [`ServeError`].
pub fn serve(listen: SocketAddr, context: HttpContext) -> Result<ServerHandle, ServeError> {
    let refused = |error| ServeError::Listen { listen, error };
    let listener = TcpListener::bind(listen).map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    let tls = context.certificate().server_config().map_err(|error| ServeError::Start(error.to_string()))?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let (started, start) = std::sync::mpsc::channel();
    let closing = Closing::default();
    let closes = closing.clone();
    let thread = std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            actix_rt::System::new().block_on(async move {
                match run(listener, tls, context, closes) {
                    Ok(server) => {
                        let _ = started.send(Ok(server.handle()));
                        if let Err(error) = server.await {
                            log::error!("the HTTP server on {addr} ended: {error}");
                        }
                    }
                    Err(error) => {
                        let _ = started.send(Err(ServeError::Start(error.to_string())));
                    }
                }
            });
        })
        .map_err(|error| ServeError::Start(error.to_string()))?;
    let server = start.recv().map_err(|error| ServeError::Start(error.to_string()))??;
    Ok(ServerHandle { addr, scheme, server, closing, thread })
}

fn run(
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
    context: HttpContext,
    closing: Closing,
) -> std::io::Result<actix_web::dev::Server> {
    let access = context.access(listener.local_addr()?);
    let hsts = tls.is_some();
    actix_rt::spawn(usual_rates::learn_for_ever(context.clone()));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(context.clone()))
            .app_data(web::Data::new(access.clone()))
            .app_data(web::Data::new(closing.clone()))
            .wrap(from_fn(check_access))
            .wrap(if hsts {
                response::with_hsts(response::security_headers())
            } else {
                response::security_headers()
            })
            .service(get("/healthz").to(healthz))
            .service(get("/readyz").to(readyz))
            .service(get("/metrics").to(metrics))
            .configure(assets::routes)
            .configure(timeline::routes)
            .configure(pipeline::routes)
            .configure(live::routes)
            .configure(export::routes)
            .configure(api::routes)
            .default_service(web::to(|| async { response::not_found() }))
    });
    let server = server
        .workers(1)
        .on_connect(socket::remember)
        .max_connections(MAX_CONNECTIONS)
        .client_request_timeout(SLOWEST_REQUEST)
        .tls_handshake_timeout(SLOWEST_REQUEST)
        .client_disconnect_timeout(SLOWEST_END)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_TIMEOUT)
        .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}

/// A path that can be read.
pub(super) struct Get(Resource);

pub(super) fn get(path: &str) -> Get {
    Get(web::resource(path).default_service(web::to(|| async { response::method_not_allowed() })))
}

impl Get {
    pub(super) fn to<F, Args>(self, handler: F) -> Resource
    where
        F: actix_web::Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: actix_web::Responder + 'static,
    {
        let read = guard::Any(guard::Get()).or(guard::Head());
        self.0.route(web::route().guard(read).to(handler))
    }
}

async fn check_access(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let access = request.app_data::<web::Data<Access>>();
    let refused = match access {
        Some(access) => match refusal::refusal(&request, access.hosts()) {
            Some(refusal) => Some(refusal.response()),
            None if access.allows(request.path(), request.headers()) => None,
            None => Some(response::unauthorized()),
        },
        None => Some(response::unauthorized()),
    };
    match refused {
        None => timing::timed(request, next).await.map(ServiceResponse::map_into_left_body),
        Some(response) => Ok(request.into_response(response).map_into_right_body()),
    }
}

async fn healthz() -> HttpResponse {
    response::plain(StatusCode::OK, "ok\n")
}

async fn readyz(
    request: HttpRequest,
    context: web::Data<HttpContext>,
    access: web::Data<Access>,
) -> HttpResponse {
    let vmdb_only = request.query_string().split('&').any(|part| part.split('=').next() == Some("vmdb"));
    let readiness =
        if vmdb_only { Readiness::of_vmdb(&context).await } else { Readiness::of_all(&context).await };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let named = access.may_name(request.headers());
    HttpResponse::build(status).json(if named { readiness } else { readiness.without_names() })
}

async fn metrics(request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    let (content_type, text) = if wants_openmetrics(request.headers()) {
        (OPENMETRICS, context.observe().openmetrics())
    } else {
        (PROMETHEUS, context.observe().prometheus())
    };
    HttpResponse::Ok().insert_header((CONTENT_TYPE, content_type)).insert_header((VARY, "Accept")).body(text)
}
