//! `/metrics`: which of the two text formats a scraper asks for.

use actix_web::http::header::{ACCEPT, HeaderMap};

pub(super) const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the request would rather have OpenMetrics than plain text.
pub(super) fn wants_openmetrics(headers: &HeaderMap) -> bool {
    let accept =
        || headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let quality = |media_type: &str| {
        accept()
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                (parts.next()?.eq_ignore_ascii_case(media_type)).then(|| {
                    parts
                        .find_map(|part| part.strip_prefix("q="))
                        .map_or(Some(1.0), |q| q.parse::<f32>().ok())
                })?
            })
            .fold(0.0, f32::max)
    };
    let openmetrics = quality("application/openmetrics-text");
    openmetrics > 0.0 && openmetrics >= quality("text/plain")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn openmetrics_is_written_only_when_it_is_preferred() {
        let wants = |accept| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            wants_openmetrics(&headers)
        };
        assert!(wants(
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
        ));
        assert!(wants("Application/OpenMetrics-Text"));
        assert!(!wants("text/plain;version=0.0.4, application/openmetrics-text;q=0.5"));
        assert!(!wants("application/openmetrics-text;q=0"));
        assert!(!wants("*/*"));
        assert!(!wants_openmetrics(&HeaderMap::new()));
    }
}
