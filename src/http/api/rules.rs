//! `/api/rules`: the rules that are in force, by name. They stand in the settings, not in the VMDB.

use super::answer::{Collection, Links, pages};
use super::error::{ApiError, ErrorBody};
use super::request::{MOST_RECORDS, Request};
use crate::http::context::HttpContext;
use crate::rules::RuleDefinition;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use url::form_urlencoded::byte_serialize;
use utoipa::{IntoParams, ToSchema};

/// Where they are.
pub(super) const PATH: &str = "/api/rules";
/// Where one is.
pub(super) const ONE_PATH: &str = "/api/rules/{name}";

/// A rule; without `expand=resources` its address alone.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct Rule {
    /// Where it is found.
    href: String,
    /// All about it.
    #[serde(flatten)]
    about: Option<RuleParts>,
}

/// What a rule says.
#[derive(Serialize, ToSchema)]
struct RuleParts {
    name: String,
    /// Whether it is asked at all.
    enabled: bool,
    /// Which events.
    on: RuleEvents,
    /// The condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    /// What is done, in order.
    #[serde(rename = "do")]
    actions: Vec<String>,
    /// How often it may fire.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<RuleLimit>,
    /// What follows a firing within so many seconds is folded into it.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_within: Option<f64>,
}

/// A limit.
#[derive(Serialize, ToSchema)]
struct RuleLimit {
    /// So many firings
    count: u32,
    /// in so many seconds.
    seconds: f64,
}

/// Of each list that is not empty, one entry has to be met.
#[derive(Serialize, ToSchema)]
struct RuleEvents {
    event_types: Vec<String>,
    groups: Vec<String>,
    levels: Vec<String>,
    ems: Vec<String>,
    sources: Vec<String>,
}

/// The query of the rules.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the parameters; they are read by Request::parse")]
pub(super) struct RulesParameters {
    /// `resources`: whole rules instead of their addresses.
    #[param(pattern = "^resources$")]
    expand: Option<String>,
    /// So many are passed over.
    #[param(minimum = 0, maximum = 100000)]
    offset: Option<i64>,
    /// At most so many.
    #[param(minimum = 1)]
    limit: Option<i64>,
}

#[utoipa::path(
    get, path = "/api/rules", tag = "Rules of the settings", params(RulesParameters),
    responses(
        (status = 200, description = "a page", body = Collection<Rule>),
        (status = 400, description = "the query makes no sense; the message says where", body = ErrorBody),
    ),
)]
pub(super) async fn rules(
    request: HttpRequest,
    context: web::Data<HttpContext>,
) -> Result<HttpResponse, ApiError> {
    let request = Request::parse(request.query_string(), MOST_RECORDS)?;
    if !request.filters.is_empty() || !request.sort.is_empty() || request.cursor.is_some() {
        return Err(ApiError::BadRequest(
            "rules are few: they know expand, offset and limit alone".to_owned(),
        ));
    }
    let rules = context.rules();
    let (all, place) = (rules.all(), |number: i64| usize::try_from(number).unwrap_or(usize::MAX));
    let page = all.iter().skip(place(request.offset)).take(place(request.limit));
    let resources: Vec<Rule> = page.map(|rule| Rule::new(rule, request.expand)).collect();
    let count = i64::try_from(all.len()).ok();
    Ok(HttpResponse::Ok().json(Collection {
        name: "rules",
        count,
        subcount: resources.len(),
        subquery_count: None,
        pages: pages(count, request.limit),
        broken_off: false,
        resources,
        actions: [],
        links: Links::by_offset(PATH, &request, count),
    }))
}

#[utoipa::path(
    get, path = "/api/rules/{name}", tag = "Rules of the settings",
    params(("name" = String, Path, description = "the rule's name")),
    responses(
        (status = 200, description = "the rule", body = Rule),
        (status = 404, description = "there is none of this name", body = ErrorBody),
    ),
)]
pub(super) async fn rule(
    name: web::Path<String>,
    context: web::Data<HttpContext>,
) -> Result<HttpResponse, ApiError> {
    let rules = context.rules();
    match rules.all().iter().find(|rule| rule.name == *name) {
        Some(rule) => Ok(HttpResponse::Ok().json(Rule::new(rule, true))),
        None => {
            let shown: String = name.chars().take(60).collect();
            Err(ApiError::NotFound(format!("couldn't find a rule called {shown:?}")))
        }
    }
}

impl Rule {
    fn new(rule: &RuleDefinition, whole: bool) -> Self {
        // A space is `+` in a query alone.
        let name = byte_serialize(rule.name.as_bytes()).collect::<String>().replace('+', "%20");
        let about = whole.then(|| RuleParts {
            name: rule.name.clone(),
            enabled: rule.enabled,
            on: RuleEvents {
                event_types: rule.on.event_types.clone(),
                groups: rule.on.groups.clone(),
                levels: rule.on.levels.clone(),
                ems: rule.on.ems.clone(),
                sources: rule.on.sources.clone(),
            },
            when: rule.when.as_ref().map(|condition| condition.text().to_owned()),
            actions: rule.actions.iter().map(ToString::to_string).collect(),
            at_most: rule
                .limits
                .at_most
                .map(|limit| RuleLimit { count: limit.count, seconds: limit.per.as_secs_f64() }),
            group_within: rule.limits.group_within.map(|within| within.as_secs_f64()),
        });
        Self { href: format!("{PATH}/{name}"), about }
    }
}
