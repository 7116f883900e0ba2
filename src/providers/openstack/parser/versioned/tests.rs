use super::*;

/// All that Nova knows, versioned → unversioned; `=` where it stays.
const TYPES: &str = "
instance.create.start compute.instance.create.start
instance.create.error compute.instance.create.error
instance.delete.end compute.instance.delete.end
instance.evacuate compute.instance.evacuate
instance.exists compute.instance.exists
instance.interface_attach.end compute.instance.interface_attach.end
instance.live_migration_abort.start compute.instance.live.migration.abort.start
instance.live_migration_force_complete.end compute.instance.live.migration.force.complete.end
instance.live_migration_post.start compute.instance.live_migration._post.start
instance.live_migration_post_dest.end compute.instance.live_migration.post.dest.end
instance.live_migration_pre.start compute.instance.live_migration.pre.start
instance.live_migration_rollback.end compute.instance.live_migration._rollback.end
instance.live_migration_rollback_dest.end compute.instance.live_migration.rollback.dest.end
instance.lock compute.instance.lock
instance.pause.end compute.instance.pause.end
instance.power_off.end compute.instance.power_off.end
instance.reboot.error compute.instance.reboot.error
instance.rebuild.start compute.instance.rebuild.start
instance.rebuild_scheduled compute.instance.rebuild.scheduled
instance.resize.end compute.instance.resize.end
instance.resize_confirm.end compute.instance.resize.confirm.end
instance.resize_finish.end compute.instance.finish_resize.end
instance.resize_prep.start compute.instance.resize.prep.start
instance.resize_revert.end compute.instance.resize.revert.end
instance.shelve_offload.end compute.instance.shelve_offload.end
instance.soft_delete.end compute.instance.soft_delete.end
instance.suspend.end compute.instance.suspend.end
instance.trigger_crash_dump.end compute.instance.trigger_crash_dump.end
instance.update compute.instance.update
instance.volume_attach.start compute.instance.volume_attach.start
instance.volume_attach.end compute.instance.volume.attach
instance.volume_attach.error compute.instance.volume_attach.error
instance.volume_detach.end compute.instance.volume.detach
instance.volume_swap.end compute.instance.volume_swap.end
aggregate.add_host.end aggregate.addhost.end
aggregate.cache_images.progress =
aggregate.create.end =
aggregate.remove_host.start aggregate.removehost.start
aggregate.update_metadata.end aggregate.updatemetadata.end
aggregate.update_prop.end aggregate.updateprop.end
compute_task.build_instances.error compute_task.build_instances
compute_task.migrate_server.error compute_task.migrate_server
compute_task.rebuild_server.error compute_task.rebuild_server
flavor.update =
keypair.import.end =
libvirt.connect.error compute.libvirt.error
metrics.update compute.metrics.update
scheduler.select_destinations.end =
server_group.add_member servergroup.addmember
server_group.create servergroup.create
service.update =
volume.usage =
something.new =
";

#[test]
fn every_versioned_type_has_the_name_of_its_twin_or_one_of_its_own() {
    let payload = Map::new();
    for line in TYPES.trim().lines() {
        let (versioned, unversioned) = line.split_once(' ').unwrap();
        let unversioned = if unversioned == "=" { versioned } else { unversioned };
        assert_eq!(unversioned_type(versioned, &payload), unversioned);
    }
}

#[test]
fn an_exception_is_called_like_the_function_that_failed() {
    let payload = json!({"nova_object.data": {"function_name": "get_host_uptime"}});
    assert_eq!(unversioned_type("compute.exception", payload.as_object().unwrap()), "get_host_uptime");
    assert_eq!(unversioned_type("compute.exception", &Map::new()), "compute.exception");
}

#[test]
fn wrappings_are_taken_off_at_any_depth_and_a_field_of_that_name_stays() {
    let wrapped =
        |data: Value| json!({"nova_object.name": "X", "nova_object.version": "1", "nova_object.data": data});
    let payload = wrapped(json!({
        "uuid": "i", "flavor": wrapped(json!({"name": "small", "vcpus": 2})),
        "ip_addresses": [wrapped(json!({"address": "10.0.0.5", "mac": "m", "label": "net1", "version": 4}))],
        "metadata": {"nova_object.data": "a user's"}
    }));
    let mut notification = json!({"payload": payload});
    flatten(notification.as_object_mut().unwrap(), "compute.instance.update");
    let payload = &notification["payload"];
    assert_eq!(payload["instance_type"], "small");
    assert_eq!((&payload["instance_id"], &payload["vcpus"]), (&json!("i"), &json!(2)));
    assert_eq!(payload["flavor"], json!({"name": "small", "vcpus": 2}));
    assert_eq!(payload["fixed_ips"][0]["address"], "10.0.0.5");
    assert_eq!(payload["metadata"], json!({"nova_object.data": "a user's"}));
    assert_eq!((&payload["nova_object.name"], payload.get("nova_object.data")), (&json!("X"), None));
}
