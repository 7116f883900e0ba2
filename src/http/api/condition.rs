//! Filters → a condition over the columns of a record. Pure.
//!
//! Groups and levels are no columns: a filter on them is one on the event types that stand there.

use super::error::ApiError;
use super::filter::{Filter, Wanted, pattern};
use super::record::{Record, Target};
use super::records::{Host, Provider, Vm};
use super::values::Kind;
use crate::settings::EventGroups;
use crate::vmdb::api::{Comparison, Condition, Operand};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};

/// What the groups come to.
#[derive(Clone, Copy)]
pub(super) struct Groups<'g> {
    /// By the settings.
    pub(super) by: &'g EventGroups,
    /// Every event type that occurs.
    pub(super) event_types: &'g [String],
}

/// Whether one of them is about groups or levels.
pub(super) fn asks_for_groups<R: Record>(filters: &[Filter]) -> bool {
    filters.iter().any(|filter| R::COMPUTED.iter().any(|computed| computed.name == filter.attribute))
}

/// All that do not begin with `or`, or one of those that do.
pub(super) fn condition<R: Record>(filters: &[Filter], groups: Groups<'_>) -> Result<Condition, ApiError> {
    let (mut all, mut any) = (Vec::new(), Vec::new());
    for filter in filters {
        let into = if filter.or { &mut any } else { &mut all };
        into.push(of_filter::<R>(filter, groups)?);
    }
    if any.is_empty() {
        return Ok(Condition::All(all));
    }
    if !all.is_empty() {
        any.insert(0, Condition::All(all));
    }
    Ok(Condition::Any(any))
}

fn of_filter<R: Record>(filter: &Filter, groups: Groups<'_>) -> Result<Condition, ApiError> {
    if let Some((name, attribute)) = filter.attribute.split_once('.') {
        let association = R::ASSOCIATIONS.iter().find(|association| association.name == name);
        let Some(association) = association else {
            let known = R::ASSOCIATIONS.iter().map(|association| association.name);
            return Err(ApiError::unknown("related record", name, known));
        };
        let (table, condition) = match association.target {
            Target::Vm => (Vm::TABLE, of_column::<Vm>(attribute, filter)?),
            Target::Host => (Host::TABLE, of_column::<Host>(attribute, filter)?),
            Target::Provider => (Provider::TABLE, of_column::<Provider>(attribute, filter)?),
        };
        return Ok(Condition::Related { column: association.column, table, condition: Box::new(condition) });
    }
    match R::COMPUTED.iter().find(|computed| computed.name == filter.attribute) {
        Some(computed) => of_group(computed.name, filter, groups),
        None => of_column::<R>(&filter.attribute, filter),
    }
}

fn of_group(attribute: &'static str, filter: &Filter, groups: Groups<'_>) -> Result<Condition, ApiError> {
    let negated = match filter.comparison {
        Comparison::Equal => false,
        Comparison::NotEqual => true,
        _ => return Err(ApiError::BadRequest(format!("{attribute} is compared with = or != alone"))),
    };
    let is_wanted = |event_type: &&String| {
        let found = groups.by.group_and_level(event_type);
        let is = match attribute {
            "group" => found.group,
            "group_level" => found.level,
            _ => found.group_name,
        };
        let wanted = match &filter.value {
            Wanted::Nothing => false,
            Wanted::One(wanted) => wanted == is,
            Wanted::OneOf(several) => several.iter().any(|wanted| wanted == is),
        };
        wanted != negated
    };
    let types = groups.event_types.iter().filter(is_wanted).cloned().collect();
    Ok(Condition::OneOf("event_type", types))
}

fn of_column<R: Record>(attribute: &str, filter: &Filter) -> Result<Condition, ApiError> {
    let Some(column) = R::column(attribute) else {
        let computed = R::COMPUTED.iter().map(|computed| computed.name);
        let known = R::COLUMNS.iter().filter(|column| !column.on_request).map(|column| column.name);
        return Err(ApiError::unknown("attribute", attribute, known.chain(computed)));
    };
    if column.on_request {
        return Err(ApiError::BadRequest(format!("{attribute} can be read, but not filtered by")));
    }
    let (name, kind) = (column.name, column.kind);
    let condition = match (&filter.value, filter.comparison) {
        (Wanted::Nothing, _) => Condition::Missing(name),
        (Wanted::OneOf(values), _) => one_of(name, kind, values)?,
        (Wanted::One(value), Comparison::Equal | Comparison::NotEqual) => equal(name, kind, value)?,
        (Wanted::One(_), _) if kind == Kind::Boolean => {
            return Err(ApiError::BadRequest(format!("{attribute} is compared with = or != alone")));
        }
        (Wanted::One(value), comparison) => Condition::Is(name, comparison, operand(name, kind, value)?),
    };
    Ok(if filter.comparison == Comparison::NotEqual {
        Condition::Not(Box::new(condition))
    } else {
        condition
    })
}

fn equal(name: &'static str, kind: Kind, value: &str) -> Result<Condition, ApiError> {
    let wanted = operand(name, kind, value)?;
    Ok(match pattern(value).filter(|_| kind == Kind::Text) {
        Some(pattern) => Condition::Like(name, pattern),
        None => Condition::Is(name, Comparison::Equal, wanted),
    })
}

fn one_of(name: &'static str, kind: Kind, values: &[String]) -> Result<Condition, ApiError> {
    if kind == Kind::Text && values.iter().all(|value| pattern(value).is_none() && !value.contains('\0')) {
        return Ok(Condition::OneOf(name, values.to_vec()));
    }
    let equals = values.iter().map(|value| equal(name, kind, value)).collect::<Result<Vec<_>, _>>()?;
    let ids: Option<Vec<i64>> = equals
        .iter()
        .map(|condition| match condition {
            Condition::Is(_, _, Operand::Integer(id)) => Some(*id),
            _ => None,
        })
        .collect();
    Ok(ids.map_or(Condition::Any(equals), |ids| Condition::OneOfIds(name, ids)))
}

fn operand(name: &str, kind: Kind, value: &str) -> Result<Operand, ApiError> {
    let (operand, wanted) = match kind {
        Kind::Id | Kind::Integer => (value.parse().ok().map(Operand::Integer), "a whole number"),
        Kind::Boolean => (truth(value).map(Operand::Boolean), "true or false"),
        Kind::Time => (time(value).map(Operand::Time), "a time in UTC, such as 2026-11-24T15:00:00Z"),
        Kind::Text | Kind::Json => {
            let text = Some(value).filter(|value| !value.contains('\0'));
            (text.map(|text| Operand::Text(text.to_owned())), "a text without NUL")
        }
    };
    operand.ok_or_else(|| {
        let shown: String = value.chars().take(60).collect();
        ApiError::BadRequest(format!("filter on {name}: {shown:?} was found; wanted {wanted}"))
    })
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" => Some(true),
        "false" | "f" => Some(false),
        _ => None,
    }
}

/// RFC 3339; without a zone it is UTC; a day is its beginning.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let with_zone = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let without = || {
        let text = text.strip_suffix(" UTC").unwrap_or(text);
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    };
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    let found = with_zone().or_else(|| without().or_else(day).map(|time| time.and_utc()));
    // The databases agree on these years alone.
    found.filter(|time| (1..=9999).contains(&time.year()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::records::EventStream;

    fn of(texts: &[&str]) -> Result<Condition, String> {
        let mut by = EventGroups::default();
        let power = by.add_group("power", "Power Activity");
        by.list(power, "critical", "vm.stop").unwrap();
        by.list(power, "detail", "vm.start").unwrap();
        let event_types = ["odd", "vm.start", "vm.stop"].map(str::to_owned);
        let filters: Vec<_> = texts.iter().map(|text| Filter::parse(text).unwrap()).collect();
        condition::<EventStream>(&filters, Groups { by: &by, event_types: &event_types })
            .map_err(|error| error.to_string())
    }

    fn types(names: &[&str]) -> Condition {
        Condition::OneOf("event_type", names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn groups_and_levels_are_the_event_types_that_stand_there() {
        for (filter, names) in [
            ("group=power", vec!["vm.start", "vm.stop"]),
            ("group=[power,other]", vec!["odd", "vm.start", "vm.stop"]),
            ("group_level=critical", vec!["vm.stop"]),
            ("group_level!=critical", vec!["odd", "vm.start"]),
            ("group_name='Power Activity'", vec!["vm.start", "vm.stop"]),
            ("group=nil", vec![]),
        ] {
            assert_eq!(of(&[filter]), Ok(Condition::All(vec![types(&names)])), "{filter}");
        }
        assert!(of(&["group>a"]).unwrap_err().contains("= or != alone"));
    }

    #[test]
    fn values_are_read_by_the_kind_of_their_column() {
        let time = DateTime::from_timestamp_micros(1_795_500_000_000_000).unwrap();
        let is =
            |name, comparison, operand| Ok(Condition::All(vec![Condition::Is(name, comparison, operand)]));
        let written = time.format("%Y-%m-%d %H:%M:%S UTC");
        assert_eq!(
            of(&[&format!("timestamp<{written}")]),
            is("timestamp", Comparison::Less, Operand::Time(time))
        );
        assert_eq!(of(&["ems_id=7"]), is("ems_id", Comparison::Equal, Operand::Integer(7)));
        assert_eq!(of(&["is_task=T"]), is("is_task", Comparison::Equal, Operand::Boolean(true)));
        assert_eq!(of(&["id=[1,2]"]), Ok(Condition::All(vec![Condition::OneOfIds("id", vec![1, 2])])));
        let like = Condition::Like("message", "%a%".to_owned());
        assert_eq!(of(&["message!='*a*'"]), Ok(Condition::All(vec![Condition::Not(Box::new(like))])));
    }

    #[test]
    fn or_is_the_whole_of_the_others_or_this_one() {
        let found = of(&["host_id=nil", "or vm.name=x", "chain_id=3"]).unwrap();
        let Condition::Any(parts) = found else { panic!("{found:?}") };
        assert!(matches!(&parts[0], Condition::All(all) if all.len() == 2));
        assert!(matches!(&parts[1], Condition::Related { column: "vm_or_template_id", table: "vms", .. }));
    }

    #[test]
    fn what_cannot_be_compared_is_told() {
        for (filter, told) in [
            ("event_typ=a", "did you mean event_type?"),
            ("vms.name=a", "did you mean vm?"),
            ("vm.nam=a", "did you mean name?"),
            ("ems_id=seven", "wanted a whole number"),
            ("timestamp=yesterday", "wanted a time in UTC"),
            ("timestamp>20026-11-24", "wanted a time in UTC"),
            ("is_task>true", "= or != alone"),
            ("full_data=x", "not filtered by"),
            ("message=\0", "without NUL"),
        ] {
            let error = of(&[filter]).unwrap_err();
            assert!(error.contains(told), "{filter}: {error}");
        }
    }
}
