//! The one way to write HTML. Markup is `&'static str`, so it can only come from our own source; everything else goes
//! through [`escape_into`]. There is no third way.

/// Text of an HTML page under construction.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn new() -> Self {
        Self(String::with_capacity(32 << 10))
    }

    /// Markup of our own.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, or a quoted attribute's value, of whatever origin.
    pub(super) fn text(&mut self, text: impl AsRef<str>) -> &mut Self {
        escape_into(&mut self.0, text.as_ref());
        self
    }

    /// Text that a provider sent: its direction marks end with it.
    pub(super) fn foreign(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.raw("<bdi>").text(text).raw("</bdi>")
    }

    /// A number.
    pub(super) fn number(&mut self, number: impl Into<i64>) -> &mut Self {
        self.text(number.into().to_string())
    }

    /// A number of things, with a comma between thousands.
    pub(super) fn count(&mut self, number: i64) -> &mut Self {
        self.text(grouped(number))
    }

    /// A link whose text came from elsewhere.
    pub(super) fn link(&mut self, href: impl AsRef<str>, text: impl AsRef<str>) -> &mut Self {
        self.raw("<a href=\"").text(href).raw("\">").foreign(text).raw("</a>")
    }

    /// The page so far.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Makes `text` harmless between tags and within quotes. Control characters, which HTML forbids, are shown as U+FFFD.
fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            control if control.is_control() => out.push('\u{FFFD}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_provider_sends_becomes_markup() {
        let mut html = Html::new();
        html.link("/?ems=\"><script>", "<script>alert('1')</script>\u{0}&amp;");
        assert_eq!(
            html.finish(),
            "<a href=\"/?ems=&quot;&gt;&lt;script&gt;\"><bdi>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\u{FFFD}\
             &amp;amp;</bdi></a>"
        );
    }

    #[test]
    fn thousands_are_told_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(Html::new().count(number).text("").0, text);
        }
    }
}
