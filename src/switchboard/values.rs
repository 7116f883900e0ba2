//! The text of a field during a run: its placeholders filled in, and what its data type makes of it.

use super::evaluate::{Abort, Frame, Run};
use super::model::{DataType, Effective, FieldKind, SchemaField};
use super::substitution::{Object, Part, Reference, StaticReference, Template, is_unknown_root_attribute};
use super::text_methods::text_method;
use super::uri;

/// Why a value has no text.
pub(super) enum NoText {
    /// The field is passed over.
    PassOver(String),
    /// An attribute is not there, and the field is a guard; its run ends.
    Absent(String),
    /// An object is not there; the run ends.
    NoObject(String),
}

impl NoText {
    /// For a field that is no guard: what was passed over.
    pub(super) fn passed_over(self, place: &str) -> Result<String, Abort> {
        match self {
            Self::PassOver(why) => Ok(why),
            Self::Absent(why) | Self::NoObject(why) => Err(Abort(format!("{place}{why}"))),
        }
    }
}

impl Run<'_> {
    /// The field's text with its placeholders filled in. `None`: all parts of a `null coalescing` are blank.
    pub(super) fn text(
        &mut self,
        value: &Effective<'_>,
        field: &SchemaField,
    ) -> Result<Option<String>, NoText> {
        if field.datatype == DataType::NullCoalescing {
            return Ok(value.text.split("||").find_map(|part| {
                self.substitute(part.trim(), field).ok().filter(|text| !text.trim().is_empty())
            }));
        }
        self.substitute(value.text, field).map(Some)
    }

    fn substitute(&mut self, text: &str, field: &SchemaField) -> Result<String, NoText> {
        if !field.substitute || !text.contains("${") {
            return Ok(text.to_owned());
        }
        let template = Template::parse(text).map_err(NoText::PassOver)?;
        // What is filled into an address stays one piece of it, unless it is the whole address.
        let encodes = field.kind == FieldKind::Relationship && !template.is_whole();
        let mut filled = String::new();
        for part in &template.parts {
            let piece = match part {
                Part::Text(text) => {
                    filled.push_str(text);
                    continue;
                }
                Part::CurrentMessage => self.frames.last().map(|frame| frame.message.clone()),
                Part::Attribute(reference) => self.attribute(reference, field)?,
                Part::Static(reference) => self.static_attribute(reference)?,
            };
            let piece = piece.unwrap_or_default();
            filled.push_str(&if encodes { uri::encode(&piece) } else { piece });
        }
        Ok(filled)
    }

    fn attribute(&mut self, reference: &Reference, field: &SchemaField) -> Result<Option<String>, NoText> {
        if self.frames.len() > 1 {
            self.explanation.depends_on_event = true;
        }
        let name = reference.attribute.as_str();
        let (frame, is_root) = self.object(&reference.object)?;
        let mut methods = reference.methods.iter().map(String::as_str);
        let value = if name == "event_stream" && is_root {
            match methods.next() {
                Some("source") => Some(self.asked.source.to_owned()),
                Some("event_type") => Some(self.asked.event_type.to_owned()),
                Some("event_namespace") => Some(self.asked.namespace.to_owned()),
                _ => {
                    return Err(NoText::PassOver(
                        "`event_stream` is not known to the switchboard".to_owned(),
                    ));
                }
            }
        } else {
            frame.attributes.get(name).cloned()
        };
        match value {
            Some(value) => {
                Ok(Some(methods.fold(value, |value, method| text_method(&value, method).unwrap_or_default())))
            }
            None if is_root && is_unknown_root_attribute(name) => {
                Err(NoText::PassOver(format!("`{name}` is not known to the switchboard")))
            }
            None if field.kind == FieldKind::Assertion => {
                Err(NoText::Absent(format!("there is no attribute `{name}`")))
            }
            None => Ok(None),
        }
    }

    /// The object that `object` names, and whether it is the root: those under way from the inside out, then those that
    /// are done.
    fn object(&self, object: &Object) -> Result<(&Frame, bool), NoText> {
        let last = self.frames.len().saturating_sub(1);
        let found = match object {
            Object::Root => self.frames.first(),
            Object::Up(steps) => last.checked_sub(*steps).and_then(|at| self.frames.get(at)),
            Object::Named(path) => self
                .frames
                .iter()
                .rev()
                .find(|frame| frame.is_of_class(path))
                .or_else(|| self.finished.iter().find(|frame| frame.is_at(path))),
        };
        let frame = found.ok_or_else(|| NoText::NoObject(format!("there is no object `{object}`")))?;
        Ok((frame, self.frames.first().is_some_and(|root| std::ptr::eq(root, frame))))
    }

    fn static_attribute(&self, reference: &StaticReference) -> Result<Option<String>, NoText> {
        let StaticReference { class, instance, attribute } = reference;
        let found = self.index.resolve(class, Some(instance)).ok_or_else(|| {
            NoText::NoObject(format!("no class or instance answers for /{class}/{instance}"))
        })?;
        let field = found.class.schema.field(attribute).filter(|field| field.kind == FieldKind::Attribute);
        let text =
            field.and_then(|field| found.class.effective(found.instance, field)).map(|value| value.text);
        match text {
            Some(text) if text.contains("${") => Err(NoText::PassOver(format!(
                "`{attribute}` of /{class}/{instance} holds `${{`, which is not looked into"
            ))),
            text => Ok(text.map(str::to_owned)),
        }
    }
}

/// What an attribute of this data type holds; arrays are told as their entries, parted by commas.
pub(super) fn converted(text: String, datatype: DataType) -> String {
    match datatype {
        DataType::Text | DataType::NullCoalescing => text,
        DataType::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => "true".to_owned(),
            "false" | "0" => "false".to_owned(),
            _ => text,
        },
        DataType::Integer => leading_number(&text, false),
        DataType::Float => leading_number(&text, true),
        DataType::Array => {
            let entries = text.trim().trim_start_matches('[').trim_end_matches(']').split(',');
            entries.map(str::trim).collect::<Vec<_>>().join(",")
        }
    }
}

/// As Ruby's `to_i` and `to_f`: the number at the beginning, else 0.
fn leading_number(text: &str, with_fraction: bool) -> String {
    let text = text.trim();
    let mut has_point = false;
    let end = text
        .char_indices()
        .find(|(position, character)| {
            let is_sign = *position == 0 && matches!(character, '-' | '+');
            let is_point = with_fraction && *character == '.' && !has_point;
            has_point |= is_point;
            !(is_sign || is_point || character.is_ascii_digit())
        })
        .map_or(text.len(), |(position, _)| position);
    let number = text[..end].trim_start_matches('+').trim_end_matches('.');
    if number.contains(|character: char| character.is_ascii_digit()) {
        number.to_owned()
    } else {
        "0".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_their_data_type_makes_of_them() {
        for (text, datatype, expected) in [
            ("TRUE", DataType::Boolean, "true"),
            ("0", DataType::Boolean, "false"),
            ("maybe", DataType::Boolean, "maybe"),
            ("[a, b ,c]", DataType::Array, "a,b,c"),
            ("12 apples", DataType::Integer, "12"),
            ("-3.7", DataType::Integer, "-3"),
            ("-3.7x", DataType::Float, "-3.7"),
            ("none", DataType::Integer, "0"),
            (" as it is ", DataType::Text, " as it is "),
        ] {
            assert_eq!(converted(text.to_owned(), datatype), expected, "{text}");
        }
    }
}
