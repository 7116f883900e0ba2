//! RabbitMQ for tests: a broker in a temporary folder on free ports of the loopback, gone when the test process is, even if that
//! was killed. Programs: `CATCHALL_RABBITMQ_BIN`, else `.cache/rabbitmq/bin` below the crate.
//!
//! It has a private epmd, a cookie of its own, no plugins, and the users and vhosts of [`DEFINITIONS`].

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex};

/// Every user's password.
pub const PASSWORD: &str = "hidden-secret";

/// `cloud` may do everything, as the services of OpenStack; `catchall` what `docs/providers/openstack.md` says.
const DEFINITIONS: &str = r#"{
 "vhosts": [{"name": "/"}, {"name": "other"}],
 "users": [
  {"name": "cloud", "password": "hidden-secret", "tags": "administrator"},
  {"name": "catchall", "password": "hidden-secret", "tags": ""},
  {"name": "no-configure", "password": "hidden-secret", "tags": ""},
  {"name": "no-read", "password": "hidden-secret", "tags": ""},
  {"name": "no-vhost", "password": "hidden-secret", "tags": ""}],
 "permissions": [
  {"user": "cloud", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
  {"user": "cloud", "vhost": "other", "configure": ".*", "write": ".*", "read": ".*"},
  {"user": "catchall", "vhost": "/", "configure": "^catchall\\..*$", "write": "^catchall\\..*$",
   "read": "^(catchall\\..*|cinder|glance|heat|keystone|neutron|nova|openstack|t-.*)$"},
  {"user": "catchall", "vhost": "other", "configure": "^catchall\\..*$", "write": "^catchall\\..*$", "read": "^(catchall\\..*|t-.*)$"},
  {"user": "no-configure", "vhost": "/", "configure": "^$", "write": "^catchall\\..*$", "read": ".*"},
  {"user": "no-read", "vhost": "/", "configure": "^catchall\\..*$", "write": "^catchall\\..*$", "read": "^catchall\\..*$"}]
}"#;

/// Takes orders on its standard input, and ends the broker when that ends.
const SCRIPT: &str = r#"
folder=$(mktemp -d "${TMPDIR:-/tmp}/catchall-rabbitmq.XXXXXX") && cd "$folder" || exit 1
umask 077
echo "$DEFINITIONS" >definitions.json; echo "$CERTIFICATE" >server.crt; echo "$KEY" >server.key; echo '[].' >enabled_plugins
cat >rabbitmq.conf <<END
listeners.tcp.1 = 127.0.0.1:$PORT
listeners.ssl.1 = 127.0.0.1:$TLS_PORT
ssl_options.certfile = $folder/server.crt
ssl_options.keyfile = $folder/server.key
ssl_options.verify = verify_none
load_definitions = $folder/definitions.json
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 20MB
log.console = false
log.file = $folder/broker.log
END
export HOME=$folder ERL_EPMD_PORT=$EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1 RUNNING_UNDER_SYSTEMD=true
export RABBITMQ_NODENAME=catchall-$PORT@localhost RABBITMQ_DIST_PORT=$DIST_PORT
export RABBITMQ_BASE=$folder RABBITMQ_MNESIA_BASE=$folder/data RABBITMQ_LOG_BASE=$folder RABBITMQ_PID_FILE=$folder/pid
export RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE=$folder/enabled_plugins
export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_ADVANCED_CONFIG_FILE=$folder/none RABBITMQ_GENERATED_CONFIG_DIR=$folder/generated
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}'
"$BIN/epmd" -port "$EPMD_PORT" -address 127.0.0.1 >epmd.log 2>&1 </dev/null &
epmd=$!
broker=
start() {
  : >broker.log
  "$BIN/rabbitmq-server" >out 2>&1 </dev/null & broker=$!
  for _ in $(seq 600); do
    grep -q 'Server startup complete' broker.log && return 0
    kill -0 $broker 2>/dev/null || break
    sleep 0.1
  done
  cat out broker.log >&2
  return 1
}
end() { [ -z "$broker" ] || { kill "-$1" $broker; wait $broker; broker=; } 2>/dev/null; }
while read -r order rest; do
  case $order in
    start) start ;;
    stop) end TERM ;;
    kill) end KILL ;;
    freeze) kill -STOP $broker ;;
    thaw) kill -CONT $broker ;;
    ctl) eval "\"$BIN/rabbitmqctl\" -q -n $RABBITMQ_NODENAME $rest" >ctl.log 2>&1 </dev/null || { cat ctl.log >&2; false; } ;;
  esac && echo ok || echo failed
done
[ -z "$broker" ] || kill -CONT $broker 2>/dev/null
end KILL
{ kill $epmd; wait $epmd; } 2>/dev/null
cd / && rm -rf "$folder"
"#;

/// A running broker.
pub struct Broker {
    /// Without TLS.
    pub port: u16,
    /// With the certificate of `tests/data/tls`, which is for `localhost`.
    pub tls_port: u16,
    control: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _shell: Child,
}

static SHARED: LazyLock<Option<Broker>> = LazyLock::new(Broker::start);

impl Broker {
    /// The test binary's broker, started by whoever asks first; `None`, said aloud, when `SKIP` holds `rabbitmq`.
    pub fn shared() -> Option<&'static Self> {
        SHARED.as_ref()
    }

    /// A broker of the caller's own.
    ///
    /// # Panics
    /// When there is none: a test that was not run must not look like one that passed.
    pub fn start() -> Option<Self> {
        if std::env::var("SKIP").is_ok_and(|skip| skip.split(',').any(|name| name.trim() == "rabbitmq")) {
            eprintln!("SKIPPED since SKIP holds `rabbitmq`: nothing of this test was run");
            return None;
        }
        let bin = std::env::var_os("CATCHALL_RABBITMQ_BIN")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/rabbitmq/bin"), PathBuf::from);
        assert!(
            bin.join("rabbitmq-server").exists(),
            "no RabbitMQ in {}; `make test` brings it, CATCHALL_RABBITMQ_BIN names another, SKIP=rabbitmq leaves it out",
            bin.display()
        );
        let [port, tls_port, epmd_port, dist_port] = free_ports();
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .env("BIN", &bin)
            .env("PORT", port.to_string())
            .env("TLS_PORT", tls_port.to_string())
            .env("EPMD_PORT", epmd_port.to_string())
            .env("DIST_PORT", dist_port.to_string())
            .env("DEFINITIONS", DEFINITIONS)
            .env("CERTIFICATE", include_str!("../data/tls/server.crt"))
            .env("KEY", include_str!("../data/tls/server.key"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let input = shell.stdin.take().expect("it has an input");
        let output = BufReader::new(shell.stdout.take().expect("it has an output"));
        let broker = Self { port, tls_port, control: Mutex::new((input, output)), _shell: shell };
        broker.order("start");
        Some(broker)
    }

    /// Ends it in order; messages that are persistent stay.
    pub fn stop(&self) {
        self.order("stop");
    }

    /// Starts it again where it was.
    pub fn start_again(&self) {
        self.order("start");
    }

    /// Stops it without a word to anybody, and lets it go on.
    pub fn freeze(&self) {
        self.order("freeze");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.order("thaw");
    }

    /// `rabbitmqctl`, in the words of a shell.
    pub fn ctl(&self, arguments: &str) {
        self.order(&format!("ctl {arguments}"));
    }

    fn order(&self, order: &str) {
        let mut control = self.control.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (input, output) = &mut *control;
        writeln!(input, "{order}").expect("the broker's shell takes orders");
        let mut answer = String::new();
        output.read_line(&mut answer).expect("the broker's shell answers");
        assert_eq!(answer.trim(), "ok", "{order}: see above");
    }

    /// Its address for lapin, as a user that may do everything.
    pub fn url(&self, vhost: &str) -> String {
        format!("amqp://cloud:{PASSWORD}@127.0.0.1:{}/{}", self.port, vhost.replace('/', "%2f"))
    }
}

/// Below the ports that the kernel gives away, so that a broker that starts again finds its own free.
fn free_ports<const N: usize>() -> [u16; N] {
    let mut held = Vec::new();
    std::array::from_fn(|_| {
        loop {
            let port = rand::random_range(15_000..32_000);
            if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
                held.push(listener);
                return port;
            }
        }
    })
}
