//! The timeline's pages.

use crate::filled::{Event, Fresh, event, groups, on_both};
use crate::site::Site;
use catchall::http::{HttpContext, SettingsPart};
use catchall::observe::{ActorKind, ActorState, Observe};
use reqwest::StatusCode;

on_both! {
    the_timeline_shows_the_last_day_with_group_level_and_resource
    nothing_that_a_provider_sent_becomes_markup
    every_event_shows_the_refresh_it_caused
    filters_leave_out_what_they_should
    older_events_are_on_the_pages_that_follow_each_once
    a_vm_shows_its_facts_and_the_events_at_either_end
    a_host_and_an_ems_show_theirs
    what_is_unknown_is_said_to_be
    empty_pages_say_what_to_do
    an_event_tells_its_story
    what_changed_stands_between_the_events
    a_chain_is_one_row_that_opens
    a_name_of_several_resources_asks_which
}

fn site(fresh: &Fresh) -> (Site, Observe) {
    let observe = Observe::default();
    let context = HttpContext::new(observe.clone(), None);
    context.set_vmdb(fresh.vmdb.clone());
    context.set_settings(SettingsPart { event_groups: groups(), event_catchers: vec![] });
    (Site::open("127.0.0.1:0", context), observe)
}

/// The rows of the table of events.
fn rows(page: &str) -> impl Iterator<Item = &str> {
    page.split("<tr id=\"e").skip(1).map(|row| row.split("</tr>").next().unwrap())
}

/// The row of the table that shows an event of this type.
fn row<'p>(page: &'p str, event_type: &str) -> &'p str {
    rows(page)
        .find(|row| row.contains(&format!("<bdi>{event_type}</bdi>")))
        .unwrap_or_else(|| panic!("no row of {event_type} in {page}"))
}

async fn page(site: &Site, path: &str) -> String {
    let answer = site.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    answer.body
}

async fn the_timeline_shows_the_last_day_with_group_level_and_resource(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(Event { vm: Some(11), message: Some("it stopped"), ..event("vm.stop", 5) }).await;
    fresh.event(Event { host: Some(7), ..event("unlisted", 70) }).await;
    fresh.event(event("vm.create", 25 * 60)).await;
    let (site, observe) = site(&fresh);
    observe
        .actor(ActorKind::EventCatcher, Some("demo <cloud>"))
        .set_failed_state(ActorState::BackingOff, "http://a.example: no route");

    let page = page(&site, "/").await;
    let stop = row(&page, "vm.stop");
    assert!(stop.contains(">critical</span>") && stop.contains("Power Activity"), "{stop}");
    assert!(
        stop.contains("<a href=\"/vms/11\"><bdi>gone</bdi></a>") && stop.contains("it stopped"),
        "{stop}"
    );
    assert!(stop.contains("<a href=\"/providers/1\"><bdi>demo &lt;cloud&gt;</bdi></a>"), "{stop}");
    let other = row(&page, "unlisted");
    assert!(other.contains(">detail</span>") && other.contains("Other"), "{other}");
    assert!(other.contains("<a href=\"/hosts/7\"><bdi>host-7</bdi></a>"), "{other}");
    assert!(!page.contains("<bdi>vm.create</bdi>"), "older than a day");

    assert!(
        page.contains("aria-label=\"2 events; Power Activity: 1 critical, 0 warning, 0 detail, most (1) at"),
        "{page}"
    );
    assert!(page.contains("<b>2</b> events, a bar is"), "{page}");
    assert!(page.contains("backing off</span>") && page.contains("http://a.example: no route"));
    assert!(page.contains("<span class=\"badge detail\">paused</span>"));
    site.close().await;
}

async fn nothing_that_a_provider_sent_becomes_markup(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let hostile = "</td></table><script>alert(2)</script>\" onload='x";
    fresh
        .event(Event {
            vm: Some(10),
            message: Some(hostile),
            vm_name: None,
            ..event("<script>type</script>", 1)
        })
        .await;
    fresh.event(Event { vm_name: Some("<img src=x onerror=y>"), ..event("vm.stop", 2) }).await;
    fresh
        .batch("UPDATE ext_management_systems SET last_refresh_error = '<script>no</script>' WHERE id = 1")
        .await;
    let (site, observe) = site(&fresh);
    observe
        .actor(ActorKind::EventCatcher, Some("demo <cloud>"))
        .set_failed_state(ActorState::Refused, "<script>body of a 401</script>");
    for path in [
        "/",
        "/vms/10",
        "/providers/1",
        "/?ems=%3Cscript%3E&type=%22%3E%3Cscript%3E",
        "/?text=%3Cscript%3E&resource=%3Cscript%3E&group=%22%3E%3Cscript%3E",
        "/?resource=script",
        "/events/1",
        "/vms/10?group=%3Cscript%3E",
    ] {
        let page = page(&site, path).await;
        let lower = page
            .to_lowercase()
            .replace("<script src=\"/assets/", "")
            .replace("<script type=\"module\" src=\"/assets/", "");
        assert!(!lower.contains("<script") && !lower.contains("<img"), "{path}: {page}");
        assert!(!page.contains("style=\""), "the policy forbids inline styles");
    }
    let page = page(&site, "/").await;
    let row = row(&page, "&lt;script&gt;type&lt;/script&gt;");
    assert!(row.contains("<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"), "{row}");
    site.close().await;
}

async fn every_event_shows_the_refresh_it_caused(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    for (event_type, work_id) in
        [("a.none", None), ("a.waiting", Some(101)), ("a.running", Some(102)), ("a.done", Some(103))]
    {
        fresh.event(Event { work_id, ..event(event_type, 3) }).await;
    }
    for (event_type, work_id) in [("a.failed", 104), ("a.retrying", 105), ("a.past", 106)] {
        fresh.event(Event { work_id: Some(work_id), ..event(event_type, 3) }).await;
    }
    let finished = fresh.event(Event { work_id: Some(107), ..event("a.full", 3) }).await;
    fresh
        .batch(
            "INSERT INTO miq_queue (queue_name, class_name, state, work_id) VALUES ('ems_1', 'EmsRefresh', 'ready', 101), \
             ('ems_1', 'EmsRefresh', 'dequeue', 102), ('ems_1', 'EmsRefresh', 'ready', 105), \
             ('ems_2', 'EmsRefresh', 'ready', 106); \
             INSERT INTO ems_refreshes (work_id, ems_id, kind, error) VALUES (104, 1, 'targeted', 'no <route>'), \
             (105, 1, 'full', 'timeout'); \
             INSERT INTO ems_refreshes (work_id, ems_id, kind, finished_on) \
             SELECT work_id, 1, CASE work_id WHEN 103 THEN 'targeted' ELSE 'full' END, created_on \
             FROM event_streams WHERE work_id IN (103, 107)",
        )
        .await;
    let _ = finished;
    let (site, _) = site(&fresh);
    let page = page(&site, "/").await;
    for (event_type, words) in [
        ("a.none", "<span class=\"quiet\">none</span>"),
        ("a.waiting", ">waiting</span>"),
        ("a.running", ">running</span>"),
        ("a.done", ">targeted, done in 0 ms<"),
        ("a.failed", ">targeted, failed</span><span class=\"more\"><bdi>no &lt;route&gt;</bdi></span>"),
        (
            "a.retrying",
            ">full, failed, will be tried again</span><span class=\"more\"><bdi>timeout</bdi></span>",
        ),
        ("a.past", "done, no longer recorded"),
        ("a.full", ">full, done in 0 ms<"),
    ] {
        let row = row(&page, event_type);
        assert!(row.contains(words), "{event_type}: {row}");
    }
    site.close().await;
}

async fn filters_leave_out_what_they_should(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(event("vm.stop", 5)).await;
    fresh.event(event("vm.create.ok", 6)).await;
    fresh.event(Event { ems_id: 2, ..event("vm.stop", 7) }).await;
    fresh.event(Event { host: Some(7), ..event("odd", 8) }).await;
    let (site, _) = site(&fresh);
    for (query, rows) in [
        ("", 4),
        ("?ems=quiet", 1),
        ("?ems=nobody", 0),
        ("?level=critical", 2),
        ("?group=addition", 1),
        ("?group=other&level=detail", 1),
        ("?type=vm.stop&ems=demo+%3Ccloud%3E", 1),
        ("?type=never", 0),
        ("?level=critical&level=detail", 4),
        ("?group=power&group=other", 3),
        ("?resource=host-7", 1),
        ("?host=7", 1),
        ("?vm=10", 0),
        ("?last=10m", 4),
        ("?last=5m&level=critical", 0),
        ("?until=2020-01-01T00:00:00Z", 0),
    ] {
        let page = page(&site, &format!("/{query}")).await;
        assert_eq!(self::rows(&page).count(), rows, "{query}");
        let says_so =
            page.contains("No event of this time matches.") || page.contains("No event in this time.");
        assert_eq!(says_so, rows == 0, "{query}");
    }
    let page = page(&site, "/?level=critical&follow=1").await;
    assert!(
        page.contains("class=\"badge level critical\" href=\"/?follow=1\" aria-current=\"true\""),
        "{page}"
    );
    assert!(page.contains("<b>2</b> events, a bar is"), "the bars follow the filter: {page}");
    assert!(page.contains("http-equiv=\"refresh\" content=\"5\""));
    site.close().await;
}

async fn older_events_are_on_the_pages_that_follow_each_once(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    // All at one time, so that only their ids tell them apart where a page ends.
    fresh
        .vmdb
        .write(|connection| {
            let sql = "INSERT INTO event_streams (type, ems_id, event_uid, event_type, timestamp, vm_or_template_id) \
                       VALUES ('EmsEvent', 1, ?, ?, ?, 10)";
            let time = catchall::clock::now();
            for number in 0..250 {
                let name = format!("n.{number:03}");
                connection.execute(sql, &[(&name).into(), (&name).into(), time.into()])?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let (site, _) = site(&fresh);
    for start in ["/", "/vms/10", "/providers/1"] {
        let (mut path, mut seen, mut pages) = (start.to_owned(), Vec::new(), 0);
        loop {
            let page = page(&site, &path).await;
            pages += 1;
            let numbers = page.split("<code>").skip(1).filter_map(|code| code.split("<bdi>n.").nth(1));
            seen.extend(numbers.map(|number| number[..3].parse::<i64>().unwrap()));
            let Some(link) = page.split("<a href=\"").find(|link| link.contains("<bdi>Older</bdi>")) else {
                break;
            };
            path = link.split('"').next().unwrap().replace("&amp;", "&");
        }
        assert_eq!(pages, 7, "{start}");
        assert_eq!(seen, (0..250).rev().collect::<Vec<_>>(), "{start}");
    }
    site.close().await;
}

async fn a_vm_shows_its_facts_and_the_events_at_either_end(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(Event { vm: Some(10), ..event("vm.stop", 5) }).await;
    fresh.event(Event { vm: Some(11), dest_vm: Some(10), ..event("vm.clone", 6) }).await;
    fresh.event(Event { vm: Some(11), ..event("not.mine", 7) }).await;
    fresh.event(Event { vm: Some(10), ..event("long.ago", 60 * 24 * 29) }).await;
    fresh.event(Event { vm: Some(10), ..event("longer.ago", 60 * 24 * 31) }).await;
    let (site, _) = site(&fresh);
    let mine = page(&site, "/vms/10").await;
    for fact in [
        "<h1><bdi>VM &lt;script&gt;alert(1)&lt;/script&gt;</bdi></h1>",
        "<dt>Power state</dt><dd><bdi>on</bdi></dd>",
        "<dt>EMS reference</dt><dd><bdi>vm-10</bdi></dd>",
        "<dt>EMS</dt><dd><a href=\"/providers/1\">",
        "<dt>Host</dt><dd><a href=\"/hosts/7\"><bdi>host-7</bdi></a></dd>",
        "<dt>Flavor</dt><dd><bdi>m1.small</bdi></dd>",
        "<dt>Archived</dt><dd><bdi>no</bdi></dd>",
        "to VM</span>",
    ] {
        assert!(mine.contains(fact), "{fact} in {mine}");
    }
    for event_type in ["vm.stop", "vm.clone", "long.ago"] {
        row(&mine, event_type);
    }
    assert_eq!(rows(&mine).count(), 3);
    let year = page(&site, "/vms/10?last=365d").await;
    assert_eq!(rows(&year).count(), 4);
    let archived = page(&site, "/vms/11").await;
    assert!(archived.contains("<dt>Archived</dt><dd><bdi>yes</bdi></dd>"), "{archived}");
    assert!(archived.contains("<dt>EMS</dt><dd><a href=\"/providers/1\">"), "who had it last: {archived}");
    site.close().await;
}

async fn a_host_and_an_ems_show_theirs(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(Event { host: Some(8), dest_host: Some(7), ..event("vm.migrate", 5) }).await;
    fresh.event(Event { host: Some(8), ..event("host.down", 6) }).await;
    fresh.event(Event { ems_id: 2, ..event("elsewhere", 6) }).await;
    let (site, _) = site(&fresh);
    let host = page(&site, "/hosts/7").await;
    assert!(row(&host, "vm.migrate").contains("to host</span> <a href=\"/hosts/7\">"));
    assert_eq!(rows(&host).count(), 1);
    let ems = page(&site, "/providers/1").await;
    assert!(ems.contains("<dt>Type</dt><dd><bdi>ManageIQ::Providers::AwesomeCloud::CloudManager</bdi></dd>"));
    assert_eq!(rows(&ems).count(), 2);
    site.close().await;
}

async fn what_is_unknown_is_said_to_be(fresh: Fresh) {
    let (site, _) = site(&fresh);
    for (path, words) in [
        ("/vms/99", "There is no such VM"),
        ("/hosts/99", "There is no such host"),
        ("/providers/99", "There is no such EMS"),
        ("/clusters/99", "There is no such cluster"),
        ("/events/99", "There is no such event"),
        ("/events/x", "There is no such event"),
        ("/vms/x", "There is no such VM"),
        ("/vms/99999999999999999999", "There is no such VM"),
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.contains(words), "{path}: {}", answer.body);
    }
    site.close().await;
}

async fn empty_pages_say_what_to_do(fresh: Fresh) {
    let (site, _) = site(&fresh);
    let empty = page(&site, "/").await;
    assert!(empty.contains("No EMS is known yet. Add one to <code>ext_management_systems</code>"), "{empty}");
    let fresh = fresh.with_inventory().await;
    assert!(page(&site, "/").await.contains("No event in this time."));
    assert!(page(&site, "/vms/10").await.contains("No event in this time."));
    fresh.event(Event { vm: Some(10), ..event("vm.stop", 60 * 24 * 40) }).await;
    let before = page(&site, "/vms/10").await;
    assert!(before.contains("The newest one before: <a href=\"/vms/10?last="), "{before}");

    let path = empty.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let style = site.get(path).await;
    assert_eq!(style.status, StatusCode::OK);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(style.header("cache-control").contains("immutable"));
    drop(fresh);
    site.close().await;
}

async fn an_event_tells_its_story(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let id = fresh
        .event(Event { vm: Some(10), message: Some("it <stopped>"), work_id: Some(5), ..event("vm.stop", 3) })
        .await;
    fresh
        .batch(
            "UPDATE event_streams SET chain_id = 77, full_data = '{\"native\":[\"<b>\",1]}'; \
             INSERT INTO event_streams (type, ems_id, event_uid, event_type, source, timestamp, chain_id) \
             SELECT type, ems_id, 'x', 'vm.stop_Complete', 'EVM', timestamp, chain_id FROM event_streams; \
             INSERT INTO event_actions (event_id, ems_id, kind, name, state, reason, attempts, requested_on) \
             SELECT id, 1, 'rule', 'page <us>', 'suppressed', 'at_most 1 in 10 minutes', 1, created_on FROM event_streams \
             WHERE work_id = 5; \
             INSERT INTO ems_refreshes (work_id, ems_id, kind, targets, requested_on, started_on, finished_on) \
             SELECT 5, 1, 'targeted', 3, created_on, created_on, created_on FROM event_streams WHERE work_id = 5",
        )
        .await;
    let (site, _) = site(&fresh);
    let page = page(&site, &format!("/events/{id}")).await;
    for part in [
        "<bdi>it &lt;stopped&gt;</bdi>",
        "<span class=\"kind\">rule</span> <bdi>page &lt;us&gt;</bdi> <span class=\"badge detail\">suppressed</span>",
        "at_most 1 in 10 minutes",
        "targeted, 3 targets, the provider was asked and the inventory saved in <b>0 ms</b>",
        "<li><span>refreshed</span> <time",
        "<span class=\"kind\">VM</span> <a href=\"/vms/10\">",
        "<bdi>vm.stop_Complete</bdi></a></code>",
        "made by Catchall",
        "{\n  &quot;native&quot;: [\n    &quot;&lt;b&gt;&quot;,\n    1\n  ]\n}",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    site.close().await;
}

async fn a_chain_is_one_row_that_opens(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    for minute in 1..=3 {
        fresh.event(event("vm.step", minute)).await;
    }
    fresh.event(event("vm.other", 4)).await;
    fresh.batch("UPDATE event_streams SET chain_id = 9 WHERE event_type = 'vm.step'").await;
    let (site, _) = site(&fresh);
    let folded = page(&site, "/").await;
    assert_eq!(folded.matches("class=\"link\" hidden").count(), 2, "{folded}");
    assert!(folded.contains("aria-expanded=\"false\">2 more of this chain"), "{folded}");
    let unfolded = page(&site, "/?unfolded=1").await;
    assert_eq!(unfolded.matches("class=\"link\">").count(), 2, "{unfolded}");
    site.close().await;
}

async fn a_name_of_several_resources_asks_which(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(Event { host: Some(8), ..event("host.down", 3) }).await;
    let (site, _) = site(&fresh);
    let which = page(&site, "/?resource=host").await;
    assert!(which.contains("Which <bdi>host</bdi> is meant?"), "{which}");
    assert!(which.contains("<a href=\"/?host=7\"><bdi>host-7</bdi></a>"), "{which}");
    // A part of its name, when it is the only one.
    let one = page(&site, "/?resource=OST-8").await;
    row(&one, "host.down");
    assert!(one.contains("<span class=\"kind\">host</span> <bdi>host-8</bdi>"), "{one}");
    site.close().await;
}

async fn what_changed_stands_between_the_events(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    for (event_type, minutes, work_id) in [("vm.stop", 30, Some(5)), ("vm.start", 10, None)] {
        fresh.event(Event { vm: Some(10), work_id, ..event(event_type, minutes) }).await;
    }
    fresh
        .batch(
            "INSERT INTO state_changes (ems_id, resource_type, resource_id, attribute, before, after, changed_on, work_id) \
             SELECT 1, 'VmOrTemplate', 10, 'power_state', 'on', '<off>', timestamp, 5 FROM event_streams \
             WHERE event_type = 'vm.stop'",
        )
        .await;
    let (site, _) = site(&fresh);
    let page = page(&site, "/vms/10").await;
    let change = page.find("<tr class=\"change\">").unwrap();
    assert!(
        page.find("<bdi>vm.start</bdi>").unwrap() < change
            && change < page.rfind("<bdi>vm.stop</bdi>").unwrap()
    );
    let row = page[change..].split("</tr>").next().unwrap();
    assert!(
        row.contains("power state <bdi>on</bdi>") && row.contains("<strong><bdi>&lt;off&gt;</bdi></strong>"),
        "{row}"
    );
    assert!(row.contains("after <code><a href=\"/events/") && row.contains("<bdi>vm.stop</bdi>"), "{row}");
    assert!(!self::page(&site, "/vms/11").await.contains("class=\"change\""), "another VM's");
    site.close().await;
}
