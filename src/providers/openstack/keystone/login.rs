//! What we tell Keystone about ourselves, from the settings. Pure.

use crate::provider::{Ems, Endpoint, ProviderError, Secret};
use serde_json::{Value, json};

/// A domain's name where the settings say none.
const DEFAULT_DOMAIN: &str = "Default";

/// Who logs in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Login {
    /// A user with a password, for one project.
    Password { user: String, user_domain: String, password: Secret, project: String, project_domain: String },
    /// An application credential, which is for one project by itself.
    ApplicationCredential { id: String, secret: Secret },
}

impl Login {
    /// From `endpoints.default` and `authentications.default`.
    pub(super) fn new(ems: &Ems) -> Result<Self, ProviderError> {
        let endpoint = ems.endpoint("default")?;
        let authentication = ems.authentication("default")?;
        let missing = |key: &str| ProviderError::missing(&ems.name, key);
        let userid = authentication.userid.clone().filter(|userid| !userid.is_empty());
        let userid = userid.ok_or_else(|| missing("authentications.default.userid"))?;
        let password = authentication.password.clone();
        let password = password.ok_or_else(|| missing("authentications.default.password"))?;
        if flag(ems, endpoint, "application_credential")?.unwrap_or(false) {
            return Ok(Self::ApplicationCredential { id: userid, secret: password });
        }
        let option = |key: &str| text(ems, endpoint, key);
        Ok(Self::Password {
            user: userid,
            user_domain: option("user_domain")?.unwrap_or_else(|| DEFAULT_DOMAIN.to_owned()),
            password,
            project: option("project")?.ok_or_else(|| missing("endpoints.default.project"))?,
            project_domain: option("project_domain")?.unwrap_or_else(|| DEFAULT_DOMAIN.to_owned()),
        })
    }

    /// The body of `POST /v3/auth/tokens`.
    pub(super) fn body(&self) -> Value {
        match self {
            Self::Password { user, user_domain, password, project, project_domain } => json!({"auth": {
                "identity": {"methods": ["password"], "password": {"user": {
                    "name": user, "domain": domain(user_domain), "password": password.expose()
                }}},
                "scope": {"project": {"name": project, "domain": domain(project_domain)}}
            }}),
            // It has its scope; Keystone refuses another one.
            Self::ApplicationCredential { id, secret } => json!({"auth": {"identity": {
                "methods": ["application_credential"],
                "application_credential": {"id": id, "secret": secret.expose()}
            }}}),
        }
    }

    /// The settings that a refusal may be about.
    pub(super) fn settings(&self) -> &'static str {
        match self {
            Self::Password { .. } => {
                "userid and password in authentications.default, and project, project_domain and user_domain in endpoints.default"
            }
            Self::ApplicationCredential { .. } => {
                "authentications.default: userid is the application credential's id, password its secret; it may have expired"
            }
        }
    }
}

/// By name; Keystone's first domain has the id `default`, which people write as often.
fn domain(name: &str) -> Value {
    if name == "default" { json!({"id": name}) } else { json!({"name": name}) }
}

/// An option that is a text.
pub(super) fn text(ems: &Ems, endpoint: &Endpoint, key: &str) -> Result<Option<String>, ProviderError> {
    match endpoint.options.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        // A project called 42.
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(ProviderError::new(&ems.name, format!("endpoints.default.{key} is no text"))),
    }
}

/// An option that is true or false.
pub(super) fn flag(ems: &Ems, endpoint: &Endpoint, key: &str) -> Result<Option<bool>, ProviderError> {
    match endpoint.options.get(key) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => {
            Err(ProviderError::new(&ems.name, format!("endpoints.default.{key} is neither true nor false")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Authentication, ByteBudget, CatcherSettings, EmsId};
    use std::collections::BTreeMap;

    fn login(options: Value, password: Option<&str>) -> Result<Login, String> {
        let options = serde_json::from_value(options).unwrap();
        let endpoint = Endpoint { url: Some("http://k:5000".into()), options, ..Endpoint::default() };
        let password = password.map(Secret::new);
        let authentication = Authentication { userid: Some("u".into()), password, auth_key: None };
        let ems = Ems {
            id: EmsId(1),
            name: "demo".into(),
            provider_region: None,
            endpoints: BTreeMap::from([("default".into(), endpoint)]),
            authentications: BTreeMap::from([("default".into(), authentication)]),
            catcher: CatcherSettings::default(),
            budget: ByteBudget::default(),
        };
        Login::new(&ems).map_err(|error| error.to_string())
    }

    #[test]
    fn a_password_login_is_what_keystone_was_seen_to_take() {
        let options = json!({"project": "admin", "project_domain": "default", "user_domain": "default"});
        let recorded: Value =
            serde_json::from_str(include_str!("../../../../tests/data/openstack/rest/keystone_auth.json"))
                .unwrap();
        let mut body = login(options, Some("p")).unwrap().body();
        assert_eq!(body["auth"]["identity"]["password"]["user"]["password"], "p");
        for (part, value) in [("name", json!("admin")), ("password", json!("scrubbed"))] {
            body["auth"]["identity"]["password"]["user"][part] = value;
        }
        assert_eq!(body, recorded["request"]);
    }

    #[test]
    fn domains_are_called_default_unless_the_settings_say_otherwise() {
        let body = login(json!({"project": "web", "user_domain": "people"}), Some("p")).unwrap().body();
        assert_eq!(body["auth"]["scope"]["project"], json!({"name": "web", "domain": {"name": "Default"}}));
        assert_eq!(body["auth"]["identity"]["password"]["user"]["domain"], json!({"name": "people"}));
    }

    #[test]
    fn an_application_credential_has_no_scope_of_ours() {
        let body =
            login(json!({"application_credential": true, "project": "web"}), Some("s")).unwrap().body();
        let expected = json!({"auth": {"identity": {
            "methods": ["application_credential"], "application_credential": {"id": "u", "secret": "s"}
        }}});
        assert_eq!(body, expected);
    }

    #[test]
    fn what_is_missing_is_named_and_no_secret_is_shown() {
        assert!(login(json!({}), Some("p")).unwrap_err().contains("endpoints.default.project"));
        assert!(
            login(json!({"project": "x"}), None).unwrap_err().contains("authentications.default.password")
        );
        let wrong = login(json!({"application_credential": "yes"}), Some("p")).unwrap_err();
        assert!(wrong.contains("application_credential is neither"), "{wrong}");
        assert!(!format!("{:?}", login(json!({"project": "x"}), Some("s3cret")).unwrap()).contains("s3cret"));
    }
}
