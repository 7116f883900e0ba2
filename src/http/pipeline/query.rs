//! The query of the page: which EMSs, in which order, from which one on; and the links that change one of these.

use url::form_urlencoded;

/// In which order the EMSs stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// What needs somebody first.
    #[default]
    Worst,
    /// By name.
    Name,
    /// Busiest first.
    Rate,
    /// Latest first.
    Lag,
    /// What is silent against its own habit first.
    Silence,
}

impl Sort {
    pub(super) const ALL: [Self; 5] = [Self::Worst, Self::Name, Self::Rate, Self::Lag, Self::Silence];

    /// As it stands in the query, and as people read it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Name => "name",
            Self::Rate => "rate",
            Self::Lag => "lag",
            Self::Silence => "silence",
        }
    }
}

/// What the page was asked for. What it does not know is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// Only EMSs in this state.
    pub(super) state: Option<String>,
    pub(super) sort: Sort,
    /// So many are passed over.
    pub(super) from: usize,
}

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        let mut asked = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            match &*key {
                "state" => asked.state = Some(value.into_owned()),
                "sort" => {
                    asked.sort = Sort::ALL.into_iter().find(|sort| sort.word() == value).unwrap_or_default()
                }
                "from" => asked.from = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
        asked
    }

    /// The same as a link.
    pub(super) fn link(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        if self.sort != Sort::default() {
            query.append_pair("sort", self.sort.word());
        }
        if self.from > 0 {
            query.append_pair("from", &self.from.to_string());
        }
        let query = query.finish();
        if query.is_empty() { "/pipeline".to_owned() } else { format!("/pipeline?{query}") }
    }

    /// The same in another state, from the first one on.
    pub(super) fn in_state(&self, state: Option<&str>) -> Self {
        Self { state: state.map(str::to_owned), from: 0, ..self.clone() }
    }

    /// The same in another order, from the first one on.
    pub(super) fn sorted(&self, sort: Sort) -> Self {
        Self { sort, from: 0, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_survives_its_own_link_and_nonsense_is_passed_over() {
        let query = Query { state: Some("a&b".to_owned()), sort: Sort::Lag, from: 200 };
        assert_eq!(Query::parse(query.link().split_once('?').unwrap().1), query);
        assert_eq!(Query::parse("sort=colour&from=-1&state=&x=y"), Query::default());
        assert_eq!(Query::default().link(), "/pipeline");
        assert_eq!(query.in_state(None).sorted(Sort::Worst).link(), "/pipeline");
    }
}
