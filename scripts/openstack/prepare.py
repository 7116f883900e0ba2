"""What the test cloud needs beyond its own programs: configuration, empty databases, the service catalogue, and a first
network, image and flavors. Called by `cloud` with a step and the cloud's folder."""

import pathlib
import string
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
DATABASES = ["keystone", "placement", "glance", "nova_api", "nova_cell0", "nova_cell1", "neutron", "cinder", "heat"]
# One user does for all services; these sections of their configuration say who it is.
SERVICE_USER_SECTIONS = ["keystone_authtoken", "service_user", "placement", "neutron", "cinder", "nova", "trustee"]
PASSWORD = "secret"


def addresses(root):
    """The ports of FOLDER/env, and what the templates use besides."""
    lines = (root / "env").read_text().split()
    values = dict(line.split("=", 1) for line in lines)
    values["root"] = str(root)
    values["database"] = "postgresql+psycopg2://openstack@127.0.0.1:" + values["postgres_port"]
    values["keystone"] = "http://127.0.0.1:%s/v3" % values["keystone_port"]
    return values


def configure(root):
    """conf/NAME of this folder into conf/ of the cloud's."""
    values = addresses(root)
    for template in sorted((HERE / "conf").iterdir()):
        (root / "conf" / template.name).write_text(string.Template(template.read_text()).substitute(values))
    credentials = [
        ("auth_type", "password"), ("auth_url", values["keystone"]), ("www_authenticate_uri", values["keystone"]),
        ("username", "service"), ("password", PASSWORD), ("project_name", "service"),
        ("user_domain_name", "Default"), ("project_domain_name", "Default"), ("region_name", "RegionOne"),
    ]
    with (root / "conf" / "common.conf").open("a") as common:
        for section in SERVICE_USER_SECTIONS:
            common.write("\n[%s]\n" % section)
            common.writelines("%s = %s\n" % pair for pair in credentials)
            if section == "service_user":
                # Else Cinder takes a detach by Nova for one by a user, and refuses it.
                common.write("send_service_user_token = true\n")
            if section == "keystone_authtoken":
                common.write("service_token_roles = service\nservice_token_roles_required = true\n")
    # Placement reads one file of this name, and no other.
    placement = (root / "conf" / "placement.conf").read_text()
    (root / "conf" / "placement.conf").write_text(placement + (root / "conf" / "common.conf").read_text())
    schema = pathlib.Path("/usr/share/glance-common/schema-image.json")
    (root / "conf" / schema.name).write_text(schema.read_text())


def connect(root, database):
    import psycopg2

    values = addresses(root)
    connection = psycopg2.connect(host="127.0.0.1", port=values["postgres_port"], user="openstack", dbname=database)
    connection.autocommit = True
    return connection


def databases(root):
    end = time.time() + 60
    while True:
        try:
            connection = connect(root, "postgres")
            break
        except Exception:  # It listens a little before it answers.
            if time.time() > end:
                raise
            time.sleep(0.2)
    for name in DATABASES:
        connection.cursor().execute("CREATE DATABASE " + name)


class Cloud:
    """The administrator's view through the REST APIs."""

    def __init__(self, root):
        import requests

        self.keystone = addresses(root)["keystone"]
        self.session = requests.Session()
        self.session.trust_env = False
        domain = {"id": "default"}
        user = {"name": "admin", "domain": domain, "password": PASSWORD}
        answer = self.session.post(self.keystone + "/auth/tokens", json={"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "admin", "domain": domain}}}})
        answer.raise_for_status()
        self.session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        self.session.headers["OpenStack-API-Version"] = "compute 2.87, placement 1.29"
        self.services = {
            service["type"]: service["endpoints"][0]["url"]
            for service in answer.json()["token"]["catalog"] if service["endpoints"]}

    def __call__(self, method, url, **arguments):
        answer = self.session.request(method, url, **arguments)
        if answer.status_code >= 400:
            raise SystemExit("%s %s: %s %s" % (method, url, answer.status_code, answer.text[:500]))
        return answer.json() if answer.content else None


def catalogue(root):
    """The service user, and where each service is."""
    cloud, values = Cloud(root), addresses(root)

    def make(kind, body):
        return cloud("POST", cloud.keystone + "/%ss" % kind, json={kind: body})[kind]["id"]

    roles = {role["name"]: role["id"] for role in cloud("GET", cloud.keystone + "/roles")["roles"]}
    for name in ["service", "heat_stack_user"]:
        if name not in roles:
            roles[name] = make("role", {"name": name})
    project = make("project", {"name": "service", "domain_id": "default"})
    user = make("user", {"name": "service", "domain_id": "default", "password": PASSWORD, "default_project_id": project})
    for role in ["admin", "service"]:
        cloud("PUT", cloud.keystone + "/projects/%s/users/%s/roles/%s" % (project, user, roles[role]))
    for kind, name, path in [
            ("image", "glance", ""), ("placement", "placement", ""), ("compute", "nova", "/v2.1"), ("network", "neutron", ""),
            ("volumev3", "cinder", "/v3/%(project_id)s"), ("orchestration", "heat", "/v1/%(project_id)s")]:
        service = make("service", {"name": name, "type": kind})
        url = "http://127.0.0.1:%s%s" % (values[name + "_port"], path)
        for interface in ["public", "internal", "admin"]:
            make("endpoint", {"service_id": service, "interface": interface, "url": url, "region_id": "RegionOne"})


AGENT = """
INSERT INTO agents (id, agent_type, "binary", topic, host, admin_state_up, created_at, started_at, heartbeat_timestamp, configurations, load)
VALUES (%s, 'Open vSwitch agent', 'neutron-openvswitch-agent', 'N/A', %s, true, now(), now(), timezone('utc', now()),
        '{"bridge_mappings": {"physnet1": "br-ex"}, "tunnel_types": [], "datapath_type": "system", "ovs_hybrid_plug": false}', 0)
"""


def ready(root):
    """Until a server can be made on each host. Each part is made only where it is missing."""
    import uuid

    agents = connect(root, "neutron").cursor()
    agents.execute("SELECT count(*) FROM agents")
    if agents.fetchone()[0] == 0:
        # Neutron binds a port only to a host whose agent it has heard of.
        for host in ["host1", "host2"]:
            agents.execute(AGENT, (str(uuid.uuid4()), host))
    cloud = Cloud(root)
    network, image, compute = (cloud.services[kind] for kind in ["network", "image", "compute"])
    # Neutron's first call must not be one for ports, as Nova's are, or it answers those with an error for ever.
    if not cloud("GET", network + "/v2.0/networks?name=net1")["networks"]:
        made = cloud("POST", network + "/v2.0/networks", json={"network": {"name": "net1"}})["network"]["id"]
        subnet = {"network_id": made, "cidr": "10.1.0.0/16", "ip_version": 4, "enable_dhcp": False}
        cloud("POST", network + "/v2.0/subnets", json={"subnet": subnet})
    if not cloud("GET", image + "/v2/images?name=tiny")["images"]:
        body = {"name": "tiny", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
        made = cloud("POST", image + "/v2/images", json=body)["id"]
        cloud("PUT", image + "/v2/images/%s/file" % made, data=bytes(1024), headers={"Content-Type": "application/octet-stream"})
    if not cloud("GET", compute + "/flavors")["flavors"]:
        for name, ram in [("small", 64), ("large", 128)]:
            cloud("POST", compute + "/flavors", json={"flavor": {"name": name, "ram": ram, "vcpus": 1, "disk": 1}})
    candidates = cloud.services["placement"] + "/allocation_candidates?resources=VCPU:1,MEMORY_MB:1,DISK_GB:1"
    for _ in range(400):
        # Before Nova has mapped a host and Placement knows what it offers, a server ends in "no valid host".
        mapped = [host for host in cloud("GET", compute + "/os-hypervisors")["hypervisors"] if host["state"] == "up"]
        offered = cloud("GET", candidates)["allocation_requests"]
        if len(mapped) >= 2 and len(offered) >= 2:
            return
        time.sleep(0.3)
    raise SystemExit("not ready after two minutes: %d hosts mapped, %d offered" % (len(mapped), len(offered)))


if __name__ == "__main__":
    {"configure": configure, "databases": databases, "catalogue": catalogue, "ready": ready}[sys.argv[1]](
        pathlib.Path(sys.argv[2]))
