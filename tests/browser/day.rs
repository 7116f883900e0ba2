//! A day of three EMSs: vCenter with its chains of tasks, AWS with its alarms, and a small cloud; a storm, a gap, refreshes.
//! Drawn by a generator with a fixed seed, so that it is always the same day, until now.

use catchall::clock;
use catchall::vmdb::{Connection, Value, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};

/// Hosts 1-6 and VMs 1-40; every third VM is of AWS.
const INVENTORY: &str = "
    INSERT INTO zones (id, name) VALUES (1, 'default');
    INSERT INTO ext_management_systems (id, name, type, enabled, zone_id) VALUES
        (1, 'vcenter east', 'ManageIQ::Providers::Vmware::InfraManager', true, 1),
        (2, 'aws eu-central-1', 'ManageIQ::Providers::Amazon::CloudManager', true, 1),
        (3, 'demo cloud', 'ManageIQ::Providers::AwesomeCloud::CloudManager', true, 1);
    INSERT INTO ems_clusters (id, name, ems_id, ems_ref) VALUES (1, 'cluster-a', 1, 'domain-c7');
    INSERT INTO flavors (id, name, ems_id, ems_ref) VALUES (1, 'm5.large', 2, 'm5.large');";

/// (type, EMS, message; `{}` is the VM)
const KINDS: [(&str, i64, &str); 12] = [
    ("AWS_EC2_Instance_running", 2, "Instance {} is running"),
    ("AWS_API_CALL_CreateTags", 2, "tags of {} were set by deploy-bot"),
    ("AWS_ALARM_CPUUtilization", 2, "CPUUtilization of {} is above 90 % for 5 minutes"),
    ("AWS_API_CALL_CreateSnapshot", 2, "snapshot of {} begun by backup"),
    ("AWS_EC2_SecurityGroup_UPDATE", 2, "a rule was added to sg-0f3a"),
    ("VmReconfiguredEvent", 1, "Reconfigured {}: 8 GB of memory instead of 4"),
    ("UserLoginSessionEvent", 1, "User monitoring@vsphere.local logged in"),
    ("VmAcquiredMksTicketEvent", 1, "A console of {} was opened"),
    ("AlarmStatusChangedEvent", 1, "Alarm 'Virtual machine memory usage' of {} changed from green to yellow"),
    ("com.awesome-cloud.vm.update", 3, "{} was changed"),
    ("com.awesome-cloud.login", 3, "operator logged in"),
    ("DrsVmMigratedEvent", 1, "DRS moved {} to another host"),
];

/// What vCenter tells of one task, oldest first.
const TASK: [(&str, &str); 4] = [
    ("PowerOnVM_Task", "Task: Power On virtual machine {}"),
    ("VmStartingEvent", "{} is starting"),
    ("VmPoweredOnEvent", "{} on esx-03.example is powered on"),
    ("PowerOnVM_Task_Complete", "Task: Power On virtual machine {} completed"),
];

/// Enough of chance for a picture.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Fills an empty VMDB.
pub fn fill(connection: &mut Connection) -> Result<(), VmdbError> {
    connection.batch(INVENTORY)?;
    for host in 1..=6 {
        let sql = "INSERT INTO hosts (id, name, ems_id, ems_ref, power_state, vmm_product, ems_cluster_id) VALUES (?, ?, 1, ?, 'on', 'ESXi', 1)";
        connection.execute(
            sql,
            &[host.into(), (&format!("esx-{host:02}.example")).into(), (&format!("host-{host}")).into()],
        )?;
    }
    for vm in 1..=40 {
        let sql = "INSERT INTO vms (id, name, ems_id, ems_ref, power_state, host_id, flavor_id, template, vendor) \
                   VALUES (?, ?, ?, ?, 'on', ?, ?, false, ?)";
        let of_aws = vm % 3 == 0;
        let (ems_id, vendor) = if of_aws { (2_i64, "amazon") } else { (1, "vmware") };
        let (host, flavor) = if of_aws { (None, Some(1_i64)) } else { (Some(vm % 6 + 1), None) };
        let (name, key) = (name_of(vm), format!("vm-{}", 1000 + vm));
        let values: [Value<'_>; 7] = [
            vm.into(),
            (&name).into(),
            ems_id.into(),
            (&key).into(),
            host.into(),
            flavor.into(),
            vendor.into(),
        ];
        connection.execute(sql, &values)?;
    }
    events(connection)?;
    let hours_ago = |hours: i64| clock::now() - TimeDelta::hours(hours);
    let sql =
        "INSERT INTO event_gaps (ems_id, started_on, ended_on, reason, created_on) VALUES (2, ?, ?, ?, ?)";
    let reason = "the queue kept events for an hour only";
    connection
        .execute(sql, &[hours_ago(10).into(), hours_ago(9).into(), reason.into(), hours_ago(9).into()])?;
    let sql = "INSERT INTO event_catcher_outages (ems_id, started_on, ended_on, reason) VALUES (?, ?, ?, ?)";
    let minutes_ago = |minutes: i64| clock::now() - TimeDelta::minutes(minutes);
    for (ems_id, from, to, reason) in [
        (1_i64, 14 * 60, Some(13 * 60 - 20), "process down"),
        (3, 25, None, "backing off: http://10.0.0.7:8585: connection refused"),
    ] {
        let values: [Value<'_>; 4] =
            [ems_id.into(), minutes_ago(from).into(), to.map(minutes_ago).into(), reason.into()];
        connection.execute(sql, &values)?;
    }
    Ok(())
}

fn name_of(vm: i64) -> String {
    let role = ["web", "db", "cache", "batch", "ci"][vm as usize % 5];
    format!("{role}-{vm:02}")
}

fn events(connection: &mut Connection) -> Result<(), VmdbError> {
    let (mut chance, now) = (Chance(7), clock::now());
    let mut seconds_ago = 24 * 3600;
    let mut number = 0;
    while seconds_ago > 40 {
        // Busier by day than by night, and a storm some five hours ago.
        let storm = (17_400..18_300).contains(&seconds_ago);
        let pause = if storm { 6 } else { 40 + chance.below(160) };
        seconds_ago -= i64::try_from(pause).unwrap_or(60).min(seconds_ago - 30);
        number += 1;
        let at = now - TimeDelta::seconds(seconds_ago) + TimeDelta::milliseconds(chance.below(900) as i64);
        let vm = 1 + chance.below(40) as i64;
        if !storm && number % 9 == 0 {
            task(connection, number, at, vm - i64::from(vm % 3 == 0))?;
            continue;
        }
        let kind = if storm { 2 } else { chance.below(KINDS.len() as u64) as usize };
        let (event_type, ems_id, message) = KINDS[kind];
        let vm = if ems_id == 2 { vm - vm % 3 + 3 } else { vm - i64::from(vm % 3 == 0) }.clamp(1, 39);
        let event = Event { number, event_type, ems_id, at, vm, message, chain_id: None, step: 0 };
        insert(connection, &event)?;
    }
    Ok(())
}

fn task(connection: &mut Connection, number: i64, at: DateTime<Utc>, vm: i64) -> Result<(), VmdbError> {
    for (step, (event_type, message)) in TASK.into_iter().enumerate() {
        let step = step as i64;
        let at = at + TimeDelta::milliseconds(700 * step);
        insert(
            connection,
            &Event {
                number,
                event_type,
                ems_id: 1,
                at,
                vm: vm.max(1),
                message,
                chain_id: Some(number),
                step,
            },
        )?;
    }
    Ok(())
}

struct Event {
    number: i64,
    event_type: &'static str,
    ems_id: i64,
    at: DateTime<Utc>,
    vm: i64,
    message: &'static str,
    chain_id: Option<i64>,
    step: i64,
}

/// The row, and for most of them the refresh that followed.
fn insert(connection: &mut Connection, event: &Event) -> Result<(), VmdbError> {
    let sql = "INSERT INTO event_streams (type, ems_id, event_uid, event_type, source, timestamp, created_on, message, \
               vm_or_template_id, vm_name, host_id, chain_id, work_id, full_data) \
               VALUES ('EmsEvent', ?, ?, ?, 'VC', ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let name = name_of(event.vm);
    let stored = event.at + TimeDelta::milliseconds(140 + event.number % 400);
    let about = event.message.contains("{}");
    let work_id = (about && event.step == 0).then_some(event.number);
    let message = event.message.replace("{}", &name);
    let full_data = format!(
        "{{\"eventType\":\"{}\",\"key\":{},\"createdTime\":\"{}\",\"vm\":{{\"name\":\"{name}\",\"vm\":\"vm-{}\"}},\"userName\":\"VSPHERE.LOCAL\\\\ops\",\"fullFormattedMessage\":\"{message}\"}}",
        event.event_type,
        100_000 + event.number,
        event.at.to_rfc3339(),
        1000 + event.vm
    );
    let uid = format!("{}-{}", event.number, event.step);
    let values: [Value<'_>; 12] = [
        event.ems_id.into(),
        (&uid).into(),
        event.event_type.into(),
        event.at.into(),
        stored.into(),
        message.as_str().into(),
        about.then_some(event.vm).into(),
        about.then_some(name.as_str()).into(),
        (about && event.ems_id == 1).then_some(event.vm % 6 + 1).into(),
        event.chain_id.into(),
        work_id.into(),
        (&full_data).into(),
    ];
    connection.execute(sql, &values)?;
    let Some(work_id) = work_id else { return Ok(()) };
    let ms = |ms: i64| stored + TimeDelta::milliseconds(ms);
    let error = (event.number % 37 == 0).then_some("503 from the provider: try later");
    let sql = "INSERT INTO ems_refreshes (work_id, ems_id, kind, targets, requested_on, started_on, finished_on, error) \
               VALUES (?, ?, 'targeted', 1, ?, ?, ?, ?)";
    let finished = ms(260 + event.number % 900);
    let values: [Value<'_>; 6] =
        [work_id.into(), event.ems_id.into(), ms(3).into(), ms(20).into(), finished.into(), error.into()];
    connection.execute(sql, &values)?;
    let (attribute, before, after) = match event.event_type {
        "PowerOnVM_Task" => ("power_state", "off", "on"),
        "DrsVmMigratedEvent" => ("host", "esx-02.example", "esx-04.example"),
        _ => return Ok(()),
    };
    let sql = "INSERT INTO state_changes (ems_id, resource_type, resource_id, attribute, before, after, changed_on, work_id) \
               VALUES (?, 'VmOrTemplate', ?, ?, ?, ?, ?, ?)";
    let values: [Value<'_>; 7] = [
        event.ems_id.into(),
        event.vm.into(),
        attribute.into(),
        before.into(),
        after.into(),
        finished.into(),
        work_id.into(),
    ];
    connection.execute(sql, &values)?;
    Ok(())
}
