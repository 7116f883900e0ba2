//! A sparkline: the events of each of the last 60 minutes as small bars, drawn here, readable without colour or script.

use crate::http::html::Html;

const HEIGHT: u32 = 20;

/// Bars two wide; a minute with any event is never drawn as one without.
pub(super) fn draw(html: &mut Html, minutes: &[u32]) {
    let most = minutes.iter().copied().max().unwrap_or_default();
    if most == 0 {
        html.raw("<span class=\"spark none\">none in 60 min</span>");
        return;
    }
    let mut path = String::new();
    for (at, count) in minutes.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = (u64::from(*count) * u64::from(HEIGHT)).div_ceil(u64::from(most)).max(1);
        path.push_str(&format!("M{} {HEIGHT}v-{height}h1.6v{height}z", at * 2));
    }
    html.raw("<svg class=\"spark\" viewBox=\"0 0 120 20\" width=\"120\" height=\"20\" role=\"img\" aria-label=\"Events in each of \
              the last 60 minutes, at most ")
        .text(most.to_string())
        .raw("\"><path d=\"")
        .text(path)
        .raw("\"/></svg>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minute_is_a_bar_as_high_as_its_share_of_the_highest() {
        let mut html = Html::new();
        let mut minutes = [0; 60];
        (minutes[0], minutes[58], minutes[59]) = (1, 1000, 500);
        draw(&mut html, &minutes);
        let drawn = html.finish();
        assert!(drawn.contains("d=\"M0 20v-1h1.6v1zM116 20v-20h1.6v20zM118 20v-10h1.6v10z\""), "{drawn}");
        assert!(drawn.contains("at most 1000"));
    }

    #[test]
    fn an_hour_without_events_says_so() {
        let mut html = Html::new();
        draw(&mut html, &[]);
        assert!(html.finish().contains("none in 60 min"));
    }
}
