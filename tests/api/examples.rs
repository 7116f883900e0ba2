//! `docs/api.md`: its ten questions are asked as they stand.

use crate::filled::Fresh;
use crate::house::{House, filled};
use std::path::Path;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn the_ten_questions_of_the_page_are_answered() {
    let (fresh, _) = filled(Fresh::sqlite().await.unwrap()).await;
    let house = House::open(&fresh.vmdb);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<&str> =
        page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().trim()).collect();
    assert_eq!(examples.len(), 10);
    let url = house.server.url();
    for example in examples {
        assert!(example.starts_with("curl ") && example.contains("http://127.0.0.1:8484"), "{example}");
        let command = example.replace("http://127.0.0.1:8484", &url).replacen(
            "curl ",
            "curl --fail-with-body -sS --noproxy '*' ",
            1,
        );
        let run = move || Command::new("sh").args(["-c", &command]).output();
        let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
        let (answer, error) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{example}: {answer} {error}");
        if !example.contains("/export.csv") {
            serde_json::from_str::<serde_json::Value>(&answer)
                .unwrap_or_else(|e| panic!("{example}: {e}: {answer}"));
        }
    }
    house.close().await;
}
