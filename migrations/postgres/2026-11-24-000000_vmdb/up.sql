-- The tables of ManageIQ that Catchall keeps, with all of their columns, and Catchall's own. Names, types and meanings are
-- ManageIQ's (see migrations/README.md). The other database's file makes the same tables and columns.

CREATE TABLE zones (
  id bigserial PRIMARY KEY,
  name varchar,
  description varchar,
  created_on timestamp,
  updated_on timestamp,
  settings text,
  visible boolean DEFAULT true
);
CREATE UNIQUE INDEX index_zones_on_name ON zones (name);

CREATE TABLE ext_management_systems (
  id bigserial PRIMARY KEY,
  name varchar,
  created_on timestamp,
  updated_on timestamp,
  guid varchar UNIQUE,
  zone_id bigint,
  type varchar,
  api_version varchar,
  uid_ems varchar,
  host_default_vnc_port_start integer,
  host_default_vnc_port_end integer,
  provider_region varchar,
  last_refresh_error text,
  last_refresh_date timestamp,
  provider_id bigint,
  realm varchar,
  tenant_id bigint,
  project varchar,
  parent_ems_id bigint,
  subscription varchar,
  last_metrics_error text,
  last_metrics_update_date timestamp,
  last_metrics_success_date timestamp,
  tenant_mapping_enabled boolean,
  enabled boolean,
  options text,
  zone_before_pause_id bigint,
  last_inventory_date timestamp,
  capabilities jsonb DEFAULT '{}',
  last_refresh_success_date timestamp
);
CREATE UNIQUE INDEX index_ext_management_systems_on_name ON ext_management_systems (name);
CREATE INDEX index_ext_management_systems_on_type ON ext_management_systems (type);
CREATE INDEX index_ext_management_systems_on_parent_ems_id ON ext_management_systems (parent_ems_id);
CREATE INDEX index_ext_management_systems_on_zone_before_pause_id ON ext_management_systems (zone_before_pause_id);

CREATE TABLE endpoints (
  id bigserial PRIMARY KEY,
  role varchar,
  ipaddress varchar,
  hostname varchar,
  port integer,
  resource_type varchar,
  resource_id bigint,
  created_at timestamp NOT NULL,
  updated_at timestamp NOT NULL,
  verify_ssl integer,
  url varchar,
  security_protocol varchar,
  api_version varchar,
  path varchar,
  certificate_authority text,
  options jsonb DEFAULT '{}'
);
CREATE INDEX index_endpoints_on_resource_id_and_resource_type ON endpoints (resource_id, resource_type);

CREATE TABLE event_streams (
  id bigserial PRIMARY KEY,
  event_type varchar,
  message text,
  timestamp timestamp,
  host_name varchar,
  host_id bigint,
  vm_name varchar,
  vm_location varchar,
  vm_or_template_id bigint,
  dest_host_name varchar,
  dest_host_id bigint,
  dest_vm_name varchar,
  dest_vm_location varchar,
  dest_vm_or_template_id bigint,
  source varchar,
  chain_id bigint,
  ems_id bigint,
  is_task boolean,
  full_data text,
  created_on timestamp,
  username varchar,
  ems_cluster_id bigint,
  ems_cluster_name varchar,
  ems_cluster_uid varchar,
  dest_ems_cluster_id bigint,
  dest_ems_cluster_name varchar,
  dest_ems_cluster_uid varchar,
  availability_zone_id bigint,
  container_node_id bigint,
  container_node_name varchar,
  container_group_id bigint,
  container_group_name varchar,
  container_replicator_id bigint,
  container_replicator_name varchar,
  container_id bigint,
  container_name varchar,
  container_namespace varchar,
  type varchar,
  target_type varchar,
  target_id bigint,
  generating_ems_id bigint,
  physical_server_id bigint,
  physical_chassis_id bigint,
  physical_switch_id bigint,
  physical_storage_id bigint,
  physical_storage_name varchar,
  ems_ref varchar,
  user_id bigint,
  group_id bigint,
  tenant_id bigint,
  vm_ems_ref varchar,
  dest_vm_ems_ref varchar,
  -- own: ManageIQ does not have these columns
  event_uid varchar NOT NULL,
  work_id bigint
);
CREATE UNIQUE INDEX index_event_streams_on_ems_id_and_event_uid ON event_streams (ems_id, event_uid);
CREATE INDEX index_event_streams_on_timestamp ON event_streams (timestamp);
CREATE INDEX index_event_streams_on_vm_or_template_id_and_timestamp ON event_streams (vm_or_template_id, timestamp);
CREATE INDEX index_event_streams_on_host_id_and_timestamp ON event_streams (host_id, timestamp);
CREATE INDEX index_event_streams_on_event_type ON event_streams (event_type);
CREATE INDEX index_event_streams_on_ems_id_and_timestamp ON event_streams (ems_id, timestamp);
CREATE INDEX index_event_streams_on_dest_vm_or_template_id ON event_streams (dest_vm_or_template_id) WHERE dest_vm_or_template_id IS NOT NULL;
CREATE INDEX index_event_streams_on_dest_host_id ON event_streams (dest_host_id) WHERE dest_host_id IS NOT NULL;

CREATE TABLE miq_queue (
  id bigserial PRIMARY KEY,
  target_id bigint,
  priority integer,
  method_name varchar,
  state varchar,
  created_on timestamp,
  updated_on timestamp,
  lock_version integer DEFAULT 0,
  task_id varchar,
  deliver_on timestamp,
  queue_name varchar,
  class_name varchar,
  instance_id bigint,
  args text,
  miq_callback text,
  msg_data bytea,
  zone varchar,
  role varchar,
  server_guid varchar,
  msg_timeout integer,
  handler_id bigint,
  handler_type varchar,
  expires_on timestamp,
  tracking_label varchar,
  user_id bigint,
  group_id bigint,
  tenant_id bigint,
  miq_task_id bigint,
  -- own: ManageIQ does not have these columns
  work_id bigint,
  event_uid varchar
);
CREATE INDEX index_miq_queue_on_queue_name_and_state_and_id ON miq_queue (queue_name, state, id);
CREATE UNIQUE INDEX index_miq_queue_on_target_id_and_event_uid ON miq_queue (target_id, event_uid);

CREATE TABLE vms (
  id bigserial PRIMARY KEY,
  vendor varchar,
  format varchar,
  version varchar,
  name varchar,
  description text,
  location varchar,
  config_xml varchar,
  autostart varchar,
  host_id bigint,
  last_sync_on timestamp,
  created_on timestamp,
  updated_on timestamp,
  storage_id bigint,
  guid varchar UNIQUE,
  ems_id bigint,
  last_scan_on timestamp,
  last_scan_attempt_on timestamp,
  uid_ems varchar,
  retires_on timestamp,
  retired boolean,
  boot_time timestamp,
  tools_status varchar,
  standby_action varchar,
  power_state varchar,
  state_changed_on timestamp,
  previous_state varchar,
  connection_state varchar,
  last_perf_capture_on timestamp,
  registered boolean,
  busy boolean,
  smart boolean,
  memory_reserve integer,
  memory_reserve_expand boolean,
  memory_limit integer,
  memory_shares integer,
  memory_shares_level varchar,
  cpu_reserve integer,
  cpu_reserve_expand boolean,
  cpu_limit integer,
  cpu_shares integer,
  cpu_shares_level varchar,
  cpu_affinity varchar,
  ems_created_on timestamp,
  template boolean DEFAULT false,
  evm_owner_id bigint,
  miq_group_id bigint,
  linked_clone boolean,
  fault_tolerance boolean,
  type varchar,
  ems_ref varchar,
  ems_cluster_id bigint,
  retirement_warn bigint,
  retirement_last_warn timestamp,
  vnc_port integer,
  flavor_id bigint,
  availability_zone_id bigint,
  cloud boolean,
  retirement_state varchar,
  cloud_network_id bigint,
  cloud_subnet_id bigint,
  cloud_tenant_id bigint,
  raw_power_state varchar,
  publicly_available boolean,
  orchestration_stack_id bigint,
  retirement_requester varchar,
  tenant_id bigint,
  resource_group_id bigint,
  deprecated boolean,
  storage_profile_id bigint,
  cpu_hot_add_enabled boolean,
  cpu_hot_remove_enabled boolean,
  memory_hot_add_enabled boolean,
  memory_hot_add_limit integer,
  memory_hot_add_increment integer,
  hostname varchar,
  ems_ref_type varchar,
  restart_needed boolean,
  ancestry varchar,
  placement_group_id bigint,
  -- own: ManageIQ does not have these columns
  archived_ems_id bigint
);
CREATE UNIQUE INDEX index_vms_on_ems_id_and_ems_ref ON vms (ems_id, ems_ref);
CREATE INDEX index_vms_on_ems_id_and_uid_ems ON vms (ems_id, uid_ems);
CREATE INDEX index_vms_on_archived_ems_id_and_ems_ref ON vms (archived_ems_id, ems_ref);
CREATE INDEX index_vms_on_archived_ems_id_and_uid_ems ON vms (archived_ems_id, uid_ems);
CREATE INDEX index_vms_on_host_id ON vms (host_id);
CREATE INDEX index_vms_on_name ON vms (name);

CREATE TABLE hosts (
  id bigserial PRIMARY KEY,
  name varchar,
  hostname varchar,
  ipaddress varchar,
  vmm_vendor varchar,
  vmm_version varchar,
  vmm_product varchar,
  vmm_buildnumber varchar,
  created_on timestamp,
  updated_on timestamp,
  guid varchar UNIQUE,
  ems_id bigint,
  user_assigned_os varchar,
  power_state varchar DEFAULT '',
  smart integer,
  settings varchar,
  last_perf_capture_on timestamp,
  uid_ems varchar,
  connection_state varchar,
  ssh_permit_root_login varchar,
  admin_disabled boolean,
  service_tag varchar,
  asset_tag varchar,
  ipmi_address varchar,
  mac_address varchar,
  type varchar,
  failover boolean,
  ems_ref varchar,
  hyperthreading boolean,
  ems_cluster_id bigint,
  next_available_vnc_port integer,
  hypervisor_hostname varchar,
  availability_zone_id bigint,
  maintenance boolean,
  maintenance_reason varchar,
  physical_server_id bigint,
  ems_ref_type varchar,
  raw_power_state varchar,
  -- own: ManageIQ does not have these columns
  archived_ems_id bigint
);
CREATE UNIQUE INDEX index_hosts_on_ems_id_and_ems_ref ON hosts (ems_id, ems_ref);
CREATE INDEX index_hosts_on_ems_id_and_uid_ems ON hosts (ems_id, uid_ems);
CREATE INDEX index_hosts_on_archived_ems_id_and_ems_ref ON hosts (archived_ems_id, ems_ref);
CREATE INDEX index_hosts_on_archived_ems_id_and_uid_ems ON hosts (archived_ems_id, uid_ems);
CREATE INDEX index_hosts_on_hostname ON hosts (hostname);

CREATE TABLE ems_clusters (
  id bigserial PRIMARY KEY,
  name varchar,
  ems_id bigint,
  created_on timestamp,
  updated_on timestamp,
  uid_ems varchar,
  ha_enabled boolean,
  ha_admit_control boolean,
  ha_max_failures integer,
  drs_enabled boolean,
  drs_automation_level varchar,
  drs_migration_threshold integer,
  last_perf_capture_on timestamp,
  effective_cpu bigint,
  effective_memory bigint,
  ems_ref varchar,
  type varchar,
  ems_ref_type varchar,
  hidden boolean
);
CREATE UNIQUE INDEX index_ems_clusters_on_ems_id_and_ems_ref ON ems_clusters (ems_id, ems_ref);
CREATE INDEX index_ems_clusters_on_uid_ems ON ems_clusters (uid_ems);

CREATE TABLE availability_zones (
  id bigserial PRIMARY KEY,
  ems_id bigint,
  name varchar,
  ems_ref varchar,
  type varchar,
  provider_services_supported varchar[] DEFAULT '{}'
);
CREATE UNIQUE INDEX index_availability_zones_on_ems_id_and_ems_ref ON availability_zones (ems_id, ems_ref);

CREATE TABLE flavors (
  id bigserial PRIMARY KEY,
  ems_id bigint,
  name varchar,
  description varchar,
  memory bigint,
  ems_ref varchar,
  type varchar,
  supports_32_bit boolean,
  supports_64_bit boolean,
  enabled boolean,
  supports_hvm boolean,
  supports_paravirtual boolean,
  block_storage_based_only boolean,
  cloud_subnet_required boolean,
  ephemeral_disk_size bigint,
  ephemeral_disk_count integer,
  root_disk_size bigint,
  swap_disk_size bigint,
  publicly_available boolean,
  cpu_total_cores integer,
  cpu_cores_per_socket integer,
  cpu_sockets integer DEFAULT 1
);
CREATE UNIQUE INDEX index_flavors_on_ems_id_and_ems_ref ON flavors (ems_id, ems_ref);

-- own: ManageIQ does not have these tables

-- Where each event stream goes on; JSON.
CREATE TABLE ems_cursors (
  ems_id bigint PRIMARY KEY NOT NULL,
  cursor text NOT NULL,
  updated_on timestamp NOT NULL
);

-- Stretches of events that a provider no longer had.
CREATE TABLE event_gaps (
  id bigserial PRIMARY KEY,
  ems_id bigint NOT NULL,
  started_on timestamp,
  ended_on timestamp,
  reason varchar NOT NULL,
  created_on timestamp NOT NULL
);
CREATE INDEX index_event_gaps_on_ems_id_and_created_on ON event_gaps (ems_id, created_on);

-- Native events that could not become rows of event_streams.
CREATE TABLE dead_letters (
  id bigserial PRIMARY KEY,
  ems_id bigint NOT NULL,
  event_uid varchar NOT NULL,
  native text NOT NULL,
  reason text NOT NULL,
  created_on timestamp NOT NULL,
  attempts integer DEFAULT 0
);
CREATE UNIQUE INDEX index_dead_letters_on_ems_id_and_event_uid ON dead_letters (ems_id, event_uid);

-- Which process catches for an EMS, by the clock of the database.
CREATE TABLE ems_leases (
  ems_id bigint PRIMARY KEY NOT NULL,
  holder varchar NOT NULL,
  epoch bigint NOT NULL,
  expires_on timestamp NOT NULL,
  updated_on timestamp NOT NULL
);

-- Finished refreshes, one row for each row of miq_queue that was answered.
CREATE TABLE ems_refreshes (
  id bigserial PRIMARY KEY,
  work_id bigint,
  ems_id bigint NOT NULL,
  kind varchar NOT NULL,
  targets integer DEFAULT 0,
  requested_on timestamp,
  started_on timestamp,
  finished_on timestamp,
  error text
);
CREATE INDEX index_ems_refreshes_on_work_id ON ems_refreshes (work_id);
CREATE INDEX index_ems_refreshes_on_ems_id_and_finished_on ON ems_refreshes (ems_id, finished_on);
