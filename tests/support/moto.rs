//! A moto server of this test process's own: AWS's SQS, SNS and EventBridge on a free port of the loopback.
//!
//! The program is `CATCHALL_MOTO`, else `.cache/moto/venv/bin/moto_server` below the crate, else the one on the PATH.
//! Without it the tests fail by name, unless `SKIP` holds `moto`. It ends with the test process, however that ends.

use aws_sdk_sqs::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// moto's only account.
pub const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

/// The shared server; holds the pipe whose end is the server's end.
struct Server {
    _shell: Child,
    url: String,
}

static SERVER: LazyLock<Option<Server>> = LazyLock::new(|| {
    if std::env::var("SKIP").is_ok_and(|skip| skip.split(',').any(|name| name.trim() == "moto")) {
        eprintln!("SKIPPED: everything that needs moto, since SKIP holds `moto`");
        return None;
    }
    Some(start())
});

fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("CATCHALL_MOTO") {
        return PathBuf::from(path);
    }
    let cached = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".cache/moto/venv/bin/moto_server");
    if cached.exists() { cached } else { PathBuf::from("moto_server") }
}

fn start() -> Server {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let program = program();
    // `read` returns when this process is gone, since nobody holds the other end of the pipe then.
    let script =
        r#""$0" -H 127.0.0.1 -p "$1" >/dev/null 2>&1 </dev/null & server=$!; read -r _; kill "$server""#;
    let mut shell = Command::new("sh")
        .args(["-c", script])
        .arg(&program)
        .arg(port.to_string())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("moto: sh does not start: {error}"));
    let end = Instant::now() + Duration::from_secs(60);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > end || !found(&program) {
            let _ = shell.kill();
            panic!(
                "moto: {} does not serve; `make test` brings it, CATCHALL_MOTO names another, SKIP=moto leaves it out",
                program.display()
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Server { _shell: shell, url: format!("http://127.0.0.1:{port}") }
}

fn found(program: &std::path::Path) -> bool {
    let on_path = || {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|p| p.join(program).exists())
    };
    program.exists() || on_path()
}

/// One test's view of the server.
pub struct Moto {
    /// Its address, as an EMS's `endpoints.default.url`.
    pub url: String,
    sqs: aws_sdk_sqs::Client,
    http: reqwest::Client,
}

impl Moto {
    /// The server, started by whoever asks first; `None` when it is to be skipped.
    pub fn get() -> Option<Self> {
        let url = SERVER.as_ref()?.url.clone();
        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("testing", "testing", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&url)
            .build();
        let _ = rustls::crypto::ring::default_provider().install_default();
        Some(Self { sqs: aws_sdk_sqs::Client::from_conf(config), http: reqwest::Client::new(), url })
    }

    /// Makes a queue with this visibility timeout; its URL.
    pub async fn queue(&self, name: &str, visibility: u32) -> String {
        let seconds = visibility.to_string();
        let request = self.sqs.create_queue().queue_name(name);
        let answer = request.attributes(QueueAttributeName::VisibilityTimeout, seconds).send().await.unwrap();
        answer.queue_url.unwrap()
    }

    /// Puts `body` into the queue as it stands; its `MessageId`.
    pub async fn send(&self, queue_url: &str, body: &str) -> String {
        let sent = self.sqs.send_message().queue_url(queue_url).message_body(body).send().await.unwrap();
        sent.message_id.unwrap()
    }

    /// Deletes a queue; one of its name can be made again.
    pub async fn delete_queue(&self, queue_url: &str) {
        self.sqs.delete_queue().queue_url(queue_url).send().await.unwrap();
    }

    /// (waiting, received and neither deleted nor visible again).
    pub async fn counts(&self, queue_url: &str) -> (u32, u32) {
        let (waiting, hidden) = (
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        );
        let request = self.sqs.get_queue_attributes().queue_url(queue_url);
        let answer = request.attribute_names(QueueAttributeName::All).send().await.unwrap();
        let found = answer.attributes.unwrap();
        (found[&waiting].parse().unwrap(), found[&hidden].parse().unwrap())
    }

    /// Empties the queue; the receipts of its messages are void then.
    pub async fn purge(&self, queue_url: &str) {
        self.sqs.purge_queue().queue_url(queue_url).send().await.unwrap();
    }

    /// Whether a queue of this name is there.
    pub async fn has_queue(&self, name: &str) -> bool {
        self.sqs.get_queue_url().queue_name(name).send().await.is_ok()
    }

    /// Subscribes the queue to a new SNS topic; the topic's ARN.
    pub async fn topic(&self, name: &str, queue: &str) -> String {
        let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}");
        self.sns(&[("Action", "CreateTopic"), ("Name", name)]).await;
        let (topic_arn, endpoint) = (("TopicArn", topic.as_str()), queue_arn(queue));
        self.sns(&[("Action", "Subscribe"), topic_arn, ("Protocol", "sqs"), ("Endpoint", &endpoint)]).await;
        topic
    }

    /// Publishes `message` to a topic.
    pub async fn publish(&self, topic: &str, message: &Value) {
        self.sns(&[("Action", "Publish"), ("TopicArn", topic), ("Message", &message.to_string())]).await;
    }

    /// Sends everything with this source on the default bus to the queue.
    pub async fn rule(&self, source: &str, queue: &str) {
        let pattern = json!({"source": [source]}).to_string();
        self.events("PutRule", json!({"Name": queue, "EventPattern": pattern})).await;
        self.events("PutTargets", json!({"Rule": queue, "Targets": [{"Id": "q", "Arn": queue_arn(queue)}]}))
            .await;
    }

    /// Puts an event on the default bus.
    pub async fn put_event(&self, source: &str, detail_type: &str, detail: &Value) {
        let entry = json!({"Source": source, "DetailType": detail_type, "Detail": detail.to_string()});
        self.events("PutEvents", json!({"Entries": [entry]})).await;
    }

    async fn sns(&self, form: &[(&str, &str)]) {
        let mut body = url::form_urlencoded::Serializer::new("Version=2010-03-31".to_owned());
        body.extend_pairs(form);
        self.call("sns", &[("Content-Type", "application/x-www-form-urlencoded")], body.finish()).await;
    }

    async fn events(&self, action: &str, body: Value) {
        let target = format!("AWSEvents.{action}");
        let headers = [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", target.as_str())];
        self.call("events", &headers, body.to_string()).await;
    }

    async fn call(&self, service: &str, headers: &[(&str, &str)], body: String) {
        let scope = format!("testing/20261124/{REGION}/{service}/aws4_request");
        let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=unchecked");
        let mut request = self.http.post(&self.url).header("Authorization", signed).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{service}: {status}: {}", answer.text().await.unwrap());
    }
}

fn queue_arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
}
