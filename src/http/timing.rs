//! How long answers take, by route.

use super::context::HttpContext;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use std::time::Instant;

/// Answers, and records how long it took under the pattern that the path met: paths themselves hold ids, and whatever
/// somebody types.
pub(super) async fn timed<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let context = request.app_data::<Data<HttpContext>>().cloned();
    let begun = Instant::now();
    let response = next.call(request).await?;
    if let Some(context) = context {
        let route = response.request().match_pattern();
        context.observe().web().answered(route.as_deref().unwrap_or("other"), begun.elapsed());
    }
    Ok(response)
}
