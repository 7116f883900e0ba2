//! What is done to the cloud, and in which order.

use crate::cloud::Cloud;
use crate::scene::{Scene, Step};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Takes a step and judges it.
type Take = fn(&mut Scene, Step<'_>);

/// Names that nothing else in the cloud has.
fn name(kind: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{kind}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn id(answer: &Value, kind: &str) -> String {
    answer[kind]["id"].as_str().expect("what is made has an id").to_owned()
}

fn found(cloud: &Cloud, service: &str, path: &str, kind: &str) -> String {
    let answer = cloud.get(service, path);
    answer[kind][0]["id"].as_str().unwrap_or_else(|| panic!("{path} has nothing")).to_owned()
}

fn flavor(cloud: &Cloud, name: &str) -> String {
    let flavors = cloud.get("compute", "/flavors");
    let flavors = flavors["flavors"].as_array().unwrap();
    id(&json!({"flavor": flavors.iter().find(|flavor| flavor["name"] == name).unwrap()}), "flavor")
}

/// A server on a network; it is there when this returns.
fn create(cloud: &Cloud, name: &str, flavor: &str) -> String {
    let image = found(cloud, "image", "/v2/images?name=tiny", "images");
    let network = found(cloud, "network", "/v2.0/networks?name=net1", "networks");
    let body = json!({"name": name, "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": network}]});
    let server = id(&cloud.post("compute", "/servers", &json!({"server": body})), "server");
    cloud.server_is(&server, "ACTIVE");
    server
}

/// An image with data.
fn image(cloud: &Cloud) -> String {
    let body = json!({"name": name("image"), "disk_format": "raw", "container_format": "bare"});
    let image = cloud.post("image", "/v2/images", &body)["id"].as_str().unwrap().to_owned();
    cloud.upload(&image);
    image
}

/// An action on a server, and the state in which it ends.
fn act(cloud: &Cloud, server: &str, action: &Value, ends_in: &str) {
    cloud.post("compute", &format!("/servers/{server}/action"), action);
    cloud.server_is(server, ends_in);
}

fn delete(cloud: &Cloud, server: &str) {
    cloud.delete("compute", &format!("/servers/{server}"));
    cloud.waits_gone("compute", &format!("/servers/{server}"));
}

/// Glance makes its exchange with its first notification since RabbitMQ was started.
pub fn wake(cloud: &Cloud) {
    let image = image(cloud);
    cloud.delete("image", &format!("/v2/images/{image}"));
}

/// The life of two servers.
pub fn servers(scene: &mut Scene, take: Take) {
    let (small, large) = (flavor(&scene.cloud, "small"), flavor(&scene.cloud, "large"));
    let server = RefCell::new([String::new(), String::new()]);
    let one = || server.borrow()[0].clone();
    let other = || server.borrow()[1].clone();
    let mut step = |name: &str, act: &mut dyn FnMut(&Cloud)| take(scene, Step { name, act });
    step("create a server", &mut |cloud| server.borrow_mut()[0] = create(cloud, &name("one"), &small));
    step("create another", &mut |cloud| server.borrow_mut()[1] = create(cloud, &name("other"), &large));
    step("stop", &mut |cloud| act(cloud, &one(), &json!({"os-stop": null}), "SHUTOFF"));
    step("start", &mut |cloud| act(cloud, &one(), &json!({"os-start": null}), "ACTIVE"));
    step("rename", &mut |cloud| {
        let body = json!({"server": {"name": name("renamed")}});
        cloud.put("compute", &format!("/servers/{}", other()), &body);
    });
    step("resize", &mut |cloud| {
        act(cloud, &one(), &json!({"resize": {"flavorRef": large}}), "VERIFY_RESIZE")
    });
    step("confirm the resize", &mut |cloud| act(cloud, &one(), &json!({"confirmResize": null}), "ACTIVE"));
    step("suspend", &mut |cloud| act(cloud, &other(), &json!({"suspend": null}), "SUSPENDED"));
    step("resume", &mut |cloud| act(cloud, &other(), &json!({"resume": null}), "ACTIVE"));
    step("delete a server", &mut |cloud| delete(cloud, &one()));
    step("delete the other", &mut |cloud| delete(cloud, &other()));
}

/// Servers, and everything else that the cloud has.
pub fn all(scene: &mut Scene, take: Take) {
    servers(scene, take);
    images_and_people(scene, take);
    around_a_server(scene, take);
}

/// One that is made, renamed and deleted.
pub fn one_image(scene: &mut Scene, take: Take) {
    let act = &mut |cloud: &Cloud| {
        let image = image(cloud);
        cloud.rename_image(&image, &name("renamed"));
        cloud.delete("image", &format!("/v2/images/{image}"));
    };
    take(scene, Step { name: "an image comes and goes", act });
}

fn images_and_people(scene: &mut Scene, take: Take) {
    let made = RefCell::new([String::new(), String::new()]);
    let (first, second) = (|| made.borrow()[0].clone(), || made.borrow()[1].clone());
    let mut step = |name: &str, act: &mut dyn FnMut(&Cloud)| take(scene, Step { name, act });
    step("create an image", &mut |cloud| made.borrow_mut()[0] = image(cloud));
    step("rename the image", &mut |cloud| cloud.rename_image(&first(), &name("renamed")));
    step("delete the image", &mut |cloud| cloud.delete("image", &format!("/v2/images/{}", first())));
    step("create a project and a user", &mut |cloud| {
        let project = json!({"project": {"name": name("project"), "domain_id": "default"}});
        made.borrow_mut()[0] = id(&cloud.post("identity", "/projects", &project), "project");
        let user =
            json!({"user": {"name": name("user"), "domain_id": "default", "password": "first password"}});
        made.borrow_mut()[1] = id(&cloud.post("identity", "/users", &user), "user");
    });
    step("log in as the user, right and wrong", &mut |cloud| {
        assert_eq!(cloud.try_password(&second(), "first password"), 201);
        assert_eq!(cloud.try_password(&second(), "wrong"), 401);
    });
    step("update the user and the project", &mut |cloud| {
        let body = json!({"user": {"name": name("renamed")}});
        cloud.patch("identity", &format!("/users/{}", second()), &body);
        let body = json!({"project": {"description": "updated"}});
        cloud.patch("identity", &format!("/projects/{}", first()), &body);
    });
    step("delete the user and the project", &mut |cloud| {
        cloud.delete("identity", &format!("/users/{}", second()));
        cloud.delete("identity", &format!("/projects/{}", first()));
    });
}

fn around_a_server(scene: &mut Scene, take: Take) {
    let made = RefCell::new([String::new(), String::new(), String::new()]);
    let (first, second, third) =
        (|| made.borrow()[0].clone(), || made.borrow()[1].clone(), || made.borrow()[2].clone());
    let mut step = |name: &str, act: &mut dyn FnMut(&Cloud)| take(scene, Step { name, act });
    step("create a network, subnet and port", &mut |cloud| {
        let network = json!({"network": {"name": name("network")}});
        let network = id(&cloud.post("network", "/v2.0/networks", &network), "network");
        let subnet =
            json!({"network_id": network, "cidr": "10.9.0.0/24", "ip_version": 4, "enable_dhcp": false});
        cloud.post("network", "/v2.0/subnets", &json!({"subnet": subnet}));
        let port = json!({"port": {"network_id": network, "name": name("port")}});
        made.borrow_mut()[1] = id(&cloud.post("network", "/v2.0/ports", &port), "port");
        made.borrow_mut()[0] = network;
    });
    step("delete port and network", &mut |cloud| {
        cloud.delete("network", &format!("/v2.0/ports/{}", second()));
        cloud.delete("network", &format!("/v2.0/networks/{}", first()));
    });
    step("create a server of a new flavor", &mut |cloud| {
        let body = json!({"flavor": {"name": name("flavor"), "ram": 96, "vcpus": 1, "disk": 1}});
        let flavor = id(&cloud.post("compute", "/flavors", &body), "flavor");
        made.borrow_mut()[0] = create(cloud, &name("third"), &flavor);
        made.borrow_mut()[2] = flavor;
    });
    step("create a volume and attach it", &mut |cloud| {
        let volume = json!({"volume": {"name": name("volume"), "size": 1}});
        let volume = id(&cloud.post("volumev3", "/volumes", &volume), "volume");
        let path = format!("/volumes/{volume}");
        cloud.waits("volumev3", &path, "/volume/status", "available");
        let attach = json!({"volumeAttachment": {"volumeId": volume}});
        cloud.post("compute", &format!("/servers/{}/os-volume_attachments", first()), &attach);
        cloud.waits("volumev3", &path, "/volume/status", "in-use");
        made.borrow_mut()[1] = volume;
    });
    step("detach and delete the volume", &mut |cloud| {
        let path = format!("/volumes/{}", second());
        cloud.delete("compute", &format!("/servers/{}/os-volume_attachments/{}", first(), second()));
        cloud.waits("volumev3", &path, "/volume/status", "available");
        cloud.delete("volumev3", &path);
        cloud.waits_gone("volumev3", &path);
    });
    step("delete the server and its flavor", &mut |cloud| {
        delete(cloud, &first());
        cloud.delete("compute", &format!("/flavors/{}", third()));
    });
    step("create a stack", &mut |cloud| {
        let template = json!({
            "heat_template_version": "2018-08-31",
            "resources": {"port": {"type": "OS::Neutron::Port", "properties": {"network": "net1"}}},
        });
        let body = json!({"stack_name": name("stack"), "template": template});
        let stack = id(&cloud.post("orchestration", "/stacks", &body), "stack");
        cloud.waits("orchestration", &format!("/stacks/{stack}"), "/stack/stack_status", "CREATE_COMPLETE");
        made.borrow_mut()[0] = stack;
    });
    step("delete the stack", &mut |cloud| {
        let path = format!("/stacks/{}", first());
        let stack = cloud.get("orchestration", &path);
        let name = stack["stack"]["stack_name"].as_str().unwrap();
        cloud.delete("orchestration", &format!("/stacks/{name}/{}", first()));
        cloud.waits("orchestration", &path, "/stack/stack_status", "DELETE_COMPLETE");
    });
}
