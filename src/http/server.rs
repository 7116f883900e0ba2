//! The server: routes, the check that every request passes, start and stop.

use super::access::Access;
use super::context::HttpContext;
use super::metrics::{OPENMETRICS, PROMETHEUS, wants_openmetrics};
use super::probes::Readiness;
use super::{api, export, live, pipeline, response, timeline, usual_rates};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, VARY};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Resource, guard, web};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

/// More readers at once than this wait for their turn.
const MAX_CONNECTIONS: usize = 256;
/// How long a graceful stop waits for answers under way, in seconds.
const SHUTDOWN_TIMEOUT: u64 = 1;

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
    server: actix_web::dev::ServerHandle,
    thread: JoinHandle<()>,
}

impl ServerHandle {
    /// Takes no more requests, lets those under way end within a second, and returns when the thread is gone.
    pub async fn stop(self) {
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
    let (started, start) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            actix_rt::System::new().block_on(async move {
                match run(listener, addr, context) {
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
    Ok(ServerHandle { addr, server, thread })
}

fn run(
    listener: TcpListener,
    addr: SocketAddr,
    context: HttpContext,
) -> std::io::Result<actix_web::dev::Server> {
    let access = context.access(addr);
    actix_rt::spawn(usual_rates::learn_for_ever(context.clone()));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(context.clone()))
            .app_data(web::Data::new(access.clone()))
            .wrap(from_fn(check_access))
            .wrap(response::security_headers())
            .service(get("/healthz").to(healthz))
            .service(get("/readyz").to(readyz))
            .service(get("/metrics").to(metrics))
            .configure(timeline::routes)
            .configure(pipeline::routes)
            .configure(live::routes)
            .configure(export::routes)
            .configure(api::routes)
            .default_service(web::to(|| async { response::not_found() }))
    });
    let server = server
        .workers(1)
        .max_connections(MAX_CONNECTIONS)
        .shutdown_timeout(SHUTDOWN_TIMEOUT)
        .disable_signals()
        .listen(listener)?;
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
    let allowed = request
        .app_data::<web::Data<Access>>()
        .is_some_and(|access| access.allows(request.path(), request.headers()));
    if allowed {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    Ok(request.into_response(response::unauthorized()).map_into_right_body())
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
