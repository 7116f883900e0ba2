//! The timeline's handlers: read on the VMDB's threads, write here.

use super::filter::Filter;
use super::resource_page::ResourcePage;
use super::story;
use super::timeline_page::TimelinePage;
use crate::clock;
use crate::http::context::HttpContext;
use crate::http::layout::{self, Frame};
use crate::http::reading::read;
use crate::http::response;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::trace;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};

pub(in crate::http) async fn timeline(request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    let filter = Filter::parse(request.query_string());
    let (settings, now) = (context.settings(), clock::now());
    let (asked, by) = (filter.clone(), settings.clone());
    let read = read(&context, move |connection| {
        TimelinePage { filter: &asked, groups: &by.event_groups, now }.read(connection)
    });
    match read.await {
        Ok(shown) => {
            let page = TimelinePage { filter: &filter, groups: &settings.event_groups, now };
            html(StatusCode::OK, page.write(&shown, context.observe()))
        }
        Err(error) => away(&error),
    }
}

pub(in crate::http) async fn vm(request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    resource(ResourceKind::Vm, request, context).await
}

pub(in crate::http) async fn host(request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    resource(ResourceKind::Host, request, context).await
}

pub(in crate::http) async fn cluster(request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    resource(ResourceKind::Cluster, request, context).await
}

pub(in crate::http) async fn provider(request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    resource(ResourceKind::Ems, request, context).await
}

async fn resource(kind: ResourceKind, request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    let Some(id) = request.match_info().get("id").and_then(|id| id.parse().ok()) else {
        return unknown(kind.noun());
    };
    let filter = Filter::parse(request.query_string());
    let (settings, now) = (context.settings(), clock::now());
    let (asked, by) = (filter.clone(), settings.clone());
    let read = read(&context, move |connection| {
        ResourcePage { kind, id, filter: &asked, groups: &by.event_groups, now }.read(connection)
    });
    match read.await {
        Ok(shown) => match &shown.resource {
            Some(resource) => {
                let page = ResourcePage { kind, id, filter: &filter, groups: &settings.event_groups, now };
                html(StatusCode::OK, page.write(&shown, resource))
            }
            None => unknown(kind.noun()),
        },
        Err(error) => away(&error),
    }
}

pub(in crate::http) async fn event(request: HttpRequest, context: web::Data<HttpContext>) -> HttpResponse {
    let Some(id) = request.match_info().get("id").and_then(|id| id.parse().ok()) else {
        return unknown("event");
    };
    let (settings, now) = (context.settings(), clock::now());
    match read(&context, move |connection| trace::story(connection, id)).await {
        Ok(Some(told)) => {
            let title = format!("{} · event {id}", told.event.event_type);
            let frame = Frame { title: &title, now, follow: false };
            let page = layout::page(&frame, |html| story::write(html, &told, &settings.event_groups, now));
            html(StatusCode::OK, page)
        }
        Ok(None) => unknown("event"),
        Err(error) => away(&error),
    }
}

fn html(status: StatusCode, page: String) -> HttpResponse {
    HttpResponse::build(status).insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(page)
}

fn unknown(noun: &str) -> HttpResponse {
    let title = format!("There is no such {noun}");
    let frame = Frame { title: &title, now: clock::now(), follow: false };
    let page = layout::page(&frame, |html| {
        html.raw("<p>Either it never was in the VMDB, or its row was deleted. <a href=\"/\">To the timeline</a></p>\n");
    });
    html(StatusCode::NOT_FOUND, page)
}

fn away(error: &str) -> HttpResponse {
    log::warn!("a page of the timeline could not be read from the VMDB: {error}");
    let mut response = response::plain(
        StatusCode::SERVICE_UNAVAILABLE,
        format!(
            "503: the VMDB does not answer ({error}). /readyz tells more; this page works again when the VMDB does.\n"
        ),
    );
    response
        .headers_mut()
        .insert(actix_web::http::header::RETRY_AFTER, actix_web::http::header::HeaderValue::from_static("5"));
    response
}
