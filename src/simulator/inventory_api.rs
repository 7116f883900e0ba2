//! Inventory: listings by page, things by id, and the requests that change something.

use super::Shared;
use super::cloud::Cloud;
use super::mishap::Mishap;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::Range;
use std::time::Duration;

const KINDS: [&str; 4] = ["vms", "hosts", "flavors", "images"];

/// The parameters of a listing.
#[derive(Debug, Deserialize)]
pub struct Listing {
    ids: Option<String>,
    limit: Option<usize>,
    page_token: Option<String>,
}

/// `GET /v1/<kind>`.
pub async fn list(
    shared: web::Data<Shared>,
    kind: web::Path<String>,
    listing: web::Query<Listing>,
) -> HttpResponse {
    let (page, met, seconds) = {
        let mut cloud = shared.cloud();
        let Some(kind) = known(&kind) else { return HttpResponse::NotFound().finish() };
        let mut met = cloud.meet(kind, listing.page_token.is_some());
        if met.mishap == Mishap::Ok && is_poisoned(&cloud, kind, &listing) {
            met.mishap = Mishap::ServerError;
        }
        let page = page(&mut cloud, kind, &listing);
        let things = page.as_ref().and_then(|page| page[kind].as_array()).map_or(0, Vec::len);
        cloud.things += things as u64;
        (page, met, cloud.faults.inventory_seconds)
    };
    if seconds > 0.0 {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }
    match page {
        Some(page) => met.answer(page.to_string().into_bytes()).await,
        None => HttpResponse::BadRequest().json(json!({"error": "bad_page_token"})),
    }
}

fn is_poisoned(cloud: &Cloud, kind: &str, listing: &Listing) -> bool {
    match &listing.ids {
        Some(ids) => ids.split(',').any(|id| cloud.faults.poison.iter().any(|poison| poison == id)),
        None => cloud.faults.broken_kinds.iter().any(|broken| broken == kind),
    }
}

/// `GET /v1/<kind>/<id>`.
pub async fn one(shared: web::Data<Shared>, path: web::Path<(String, String)>) -> HttpResponse {
    let (kind, id) = path.into_inner();
    let (thing, met) = {
        let mut cloud = shared.cloud();
        let Some(kind) = known(&kind) else { return HttpResponse::NotFound().finish() };
        let met = cloud.meet(kind, false);
        let thing = thing(&cloud, kind, &id);
        cloud.things += u64::from(thing.is_some());
        (thing, met)
    };
    match thing {
        Some(thing) => met.answer(thing.to_string().into_bytes()).await,
        None => not_found(),
    }
}

/// Body of `POST /v1/vms`.
#[derive(Debug, Deserialize)]
pub struct NewVm {
    name: Option<String>,
    flavor_id: Option<String>,
    image_id: Option<String>,
}

/// `POST /v1/vms`.
pub async fn create(shared: web::Data<Shared>, body: web::Json<NewVm>) -> HttpResponse {
    let mut cloud = shared.cloud();
    let now = cloud.now();
    let NewVm { name, flavor_id, image_id } = body.into_inner();
    let (change, vm) = cloud.world.create(name, flavor_id, image_id, now);
    cloud.enter(&change);
    HttpResponse::Created().json(vm)
}

/// `POST /v1/vms/<id>/start|stop|migrate`.
pub async fn act(shared: web::Data<Shared>, path: web::Path<(String, String)>) -> HttpResponse {
    let (id, verb) = path.into_inner();
    let mut cloud = shared.cloud();
    let now = cloud.now();
    let change = match verb.as_str() {
        "start" => cloud.world.power(&id, "running", now),
        "stop" => cloud.world.power(&id, "stopped", now),
        "migrate" => cloud.world.migrate(&id, now),
        _ => None,
    };
    let Some(change) = change else { return not_found() };
    cloud.enter(&change);
    HttpResponse::Ok().json(cloud.world.vm(&id))
}

/// Body of `PATCH /v1/vms/<id>`.
#[derive(Debug, Deserialize)]
pub struct Rename {
    name: String,
}

/// `PATCH /v1/vms/<id>`.
pub async fn rename(
    shared: web::Data<Shared>,
    id: web::Path<String>,
    body: web::Json<Rename>,
) -> HttpResponse {
    let mut cloud = shared.cloud();
    let now = cloud.now();
    let Some(change) = cloud.world.rename(&id, body.into_inner().name, now) else { return not_found() };
    cloud.enter(&change);
    HttpResponse::Ok().json(cloud.world.vm(&id))
}

/// `DELETE /v1/vms/<id>`.
pub async fn delete(shared: web::Data<Shared>, id: web::Path<String>) -> HttpResponse {
    let mut cloud = shared.cloud();
    let Some(change) = cloud.world.delete(&id) else { return not_found() };
    cloud.enter(&change);
    HttpResponse::NoContent().finish()
}

fn not_found() -> HttpResponse {
    HttpResponse::NotFound().json(json!({"error": "not_found"}))
}

fn known(kind: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|known| *known == kind)
}

/// How many things of a kind there are.
fn count(cloud: &Cloud, kind: &str) -> usize {
    let world = &cloud.world;
    match kind {
        "vms" => world.vms.len(),
        "hosts" => world.hosts.len(),
        "flavors" => world.flavors.len(),
        _ => world.images.len(),
    }
}

/// The things of a kind at these places, in the order of their numbers.
fn things(cloud: &Cloud, kind: &str, places: Range<usize>) -> Vec<Value> {
    let world = &cloud.world;
    let (first, most) = (places.start, places.len());
    match kind {
        "vms" => world.vms.values().skip(first).take(most).map(value).collect(),
        "hosts" => world.hosts.iter().skip(first).take(most).map(value).collect(),
        "flavors" => world.flavors.iter().skip(first).take(most).map(value).collect(),
        _ => world.images.iter().skip(first).take(most).map(value).collect(),
    }
}

fn all(cloud: &Cloud, kind: &str) -> Vec<Value> {
    things(cloud, kind, 0..count(cloud, kind))
}

fn thing(cloud: &Cloud, kind: &str, id: &str) -> Option<Value> {
    match kind {
        "vms" => cloud.world.vm(id).map(value),
        _ => all(cloud, kind).into_iter().find(|thing| thing["id"] == id),
    }
}

fn value<T: Serialize>(thing: &T) -> Value {
    serde_json::to_value(thing).unwrap_or_default()
}

/// `None` for a request that the API does not have.
fn page(cloud: &mut Cloud, kind: &str, listing: &Listing) -> Option<Value> {
    let asked = match &listing.ids {
        None => None,
        Some(ids) => {
            let ids: Vec<&str> = ids.split(',').collect();
            if ids.len() > 100 {
                return None;
            }
            Some(ids.iter().filter_map(|id| thing(cloud, kind, id)).collect::<Vec<_>>())
        }
    };
    let total = asked.as_ref().map_or_else(|| count(cloud, kind), Vec::len);
    // Pages go on by place, not by thing, so that a deletion between two pages shifts them as the API says.
    let start: usize =
        listing.page_token.as_deref().map_or(Some(0), |token| token.strip_prefix("at-")?.parse().ok())?;
    let limit = cloud.next_listing(listing.limit.unwrap_or(100).clamp(1, 1000));
    let end = start.saturating_add(limit).min(total);
    let next = (end < total).then(|| format!("at-{end}"));
    let places = start.min(end)..end;
    let rows = match asked {
        Some(asked) => asked.into_iter().skip(places.start).take(places.len()).collect(),
        None => things(cloud, kind, places),
    };
    if kind == "vms" && next.is_some() {
        let listed = rows.first().and_then(|row| row["id"].as_str());
        listed.into_iter().for_each(|id| cloud.shift(id));
    }
    Some(json!({kind: rows, "next_page_token": next}))
}

/// `GET /v1/_simulator/inventory`: all there is at this moment, whatever goes wrong elsewhere.
pub async fn truth(shared: web::Data<Shared>) -> HttpResponse {
    let truth: serde_json::Map<String, Value> = {
        let cloud = shared.cloud();
        KINDS.map(|kind| (kind.to_owned(), Value::from(all(&cloud, kind)))).into_iter().collect()
    };
    HttpResponse::Ok().json(truth)
}
