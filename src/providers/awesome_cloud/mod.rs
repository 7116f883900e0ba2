//! Awesome Cloud, the example provider of the provider guide. Wiring only: what it is called, where its parts are, and
//! how its API is addressed.

mod parser;
mod refresh;
mod stream;
mod targets;

use crate::provider::http::{Answer, Deadlines, HttpClient, HttpError};
use crate::provider::{
    Collector, Ems, EventParser, EventTargetParser, Provider, ProviderError, Secret, Stream, embedded_files,
};
use std::borrow::Cow;

/// The provider.
pub struct AwesomeCloud;

/// Its switchboard class and instances.
#[derive(rust_embed::Embed)]
#[folder = "src/providers/awesome_cloud/automate/"]
struct Automate;

impl Provider for AwesomeCloud {
    fn ems_type(&self) -> &'static str {
        "awesome_cloud"
    }

    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::AwesomeCloud::CloudManager"
    }

    fn event_source(&self) -> &'static str {
        parser::SOURCE
    }

    fn default_settings(&self) -> &'static str {
        include_str!("settings.yml")
    }

    fn automate(&self) -> Vec<(String, Cow<'static, [u8]>)> {
        embedded_files::<Automate>()
    }

    fn event_parser(&self) -> &dyn EventParser {
        &parser::Parser
    }

    fn event_target_parser(&self) -> &dyn EventTargetParser {
        &targets::TargetParser
    }

    fn stream(&self, ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        Ok(Box::new(stream::AwesomeStream::new(Api::new(ems)?, &ems.catcher)))
    }

    fn collector(&self, ems: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Ok(Some(Box::new(refresh::AwesomeCollector::new(Api::new(ems)?))))
    }

    fn has_collector(&self) -> bool {
        true
    }
}

/// The API of one EMS, with its credentials.
struct Api {
    http: HttpClient,
    token: Secret,
}

impl Api {
    fn new(ems: &Ems) -> Result<Self, ProviderError> {
        let token = ems.authentication("default")?.password.clone();
        let key = "authentications.default.password";
        let token = token.ok_or_else(|| ProviderError::missing(&ems.name, key))?;
        if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) || token.expose().is_empty() {
            let message = format!("{key} is empty or holds blanks or signs that no HTTP header can carry");
            return Err(ProviderError::new(&ems.name, message));
        }
        Ok(Self { http: HttpClient::with_deadlines(ems, "default", Deadlines::default())?, token })
    }

    /// `GET /v1/…`. Names with an empty value are left out.
    async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Answer, HttpError> {
        let query: Vec<_> = query.iter().filter(|(_, value)| !value.is_empty()).collect();
        let request = self.http.request(reqwest::Method::GET, &[&["v1"], path].concat());
        self.http.send(request.bearer_auth(self.token.expose()).query(&query)).await
    }
}
