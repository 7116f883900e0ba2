//! What makes no sense is refused in ManageIQ's form, and says what was meant.

use crate::filled::{Fresh, on_both};
use crate::house::{House, filled};
use reqwest::{Method, StatusCode};

on_both! {
    what_makes_no_sense_is_refused_and_says_what_was_meant
    there_is_only_reading
}

async fn what_makes_no_sense_is_refused_and_says_what_was_meant(fresh: Fresh) {
    let (fresh, _) = filled(fresh).await;
    let house = House::open(&fresh.vmdb);
    for (path, status, told) in [
        ("/api/event_streams?filter[]=event_typ=a", 400, "did you mean event_type?"),
        ("/api/event_streams?filter[]=event_type~a", 400, "unknown operator"),
        ("/api/event_streams?filter[]=timestamp>soon", 400, "wanted a time in UTC"),
        ("/api/event_streams?attributes=vm.password", 400, "attribute of a Vm"),
        ("/api/event_streams?sort_by=group", 400, "attribute to sort by"),
        ("/api/event_streams?cursor=abc", 400, "none of ours"),
        ("/api/event_streams?cursor=bzE", 400, "another order"),
        ("/api/vms?cursor=aWEx", 400, "another order"),
        ("/api/vms?filter[]=name=%00", 400, "without NUL"),
        ("/api/vms?limit=-1", 400, "wanted a whole number from 1 on"),
        ("/api/providers?attributes=password", 400, "known are: href, id, name"),
        ("/api/rules?filter[]=name=a", 400, "offset and limit"),
        ("/api/miq_queue?attributes=args", 400, "does not exist"),
        ("/api/vms/9999", 404, "couldn't find Vm with 'id'=9999"),
        ("/api/vms/x", 404, "couldn't find Vm"),
        ("/api/rules/none", 404, "couldn't find a rule"),
        ("/api/event_stream", 404, "did you mean event_streams?"),
        ("/api/", 404, "known are: event_streams"),
    ] {
        let (found, error) = house.refused(path).await;
        assert_eq!(found, status, "{path}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(told), "{path}: {message}");
        let form = match status {
            400 => ("bad_request", "Api::BadRequestError"),
            _ => ("not_found", "ActiveRecord::RecordNotFound"),
        };
        assert_eq!((error["kind"].as_str().unwrap(), error["klass"].as_str().unwrap()), form);
    }
    house.close().await;
}

async fn there_is_only_reading(fresh: Fresh) {
    let house = House::open(&fresh.vmdb);
    for (method, path) in [
        (Method::POST, "/api/vms"),
        (Method::DELETE, "/api/vms/1"),
        (Method::PATCH, "/api"),
        (Method::TRACE, "/api/rules"),
        (Method::POST, "/export.csv"),
    ] {
        let (status, headers, _) = house.ask(method, path).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(headers["allow"].to_str().unwrap().starts_with("GET, HEAD"));
    }
    house.close().await;
}
