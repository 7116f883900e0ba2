-- The tables of ManageIQ that Catchall keeps, with all of their columns, and Catchall's own. Names, types and meanings are
-- ManageIQ's (see migrations/README.md). The other database's file makes the same tables and columns.

CREATE TABLE zones (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  description TEXT,
  created_on TIMESTAMP,
  updated_on TIMESTAMP,
  settings TEXT,
  visible BOOLEAN DEFAULT true
);
CREATE UNIQUE INDEX index_zones_on_name ON zones (name);

CREATE TABLE ext_management_systems (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  created_on TIMESTAMP,
  updated_on TIMESTAMP,
  guid TEXT UNIQUE,
  zone_id BIGINT,
  type TEXT,
  api_version TEXT,
  uid_ems TEXT,
  host_default_vnc_port_start INTEGER,
  host_default_vnc_port_end INTEGER,
  provider_region TEXT,
  last_refresh_error TEXT,
  last_refresh_date TIMESTAMP,
  provider_id BIGINT,
  realm TEXT,
  tenant_id BIGINT,
  project TEXT,
  parent_ems_id BIGINT,
  subscription TEXT,
  last_metrics_error TEXT,
  last_metrics_update_date TIMESTAMP,
  last_metrics_success_date TIMESTAMP,
  tenant_mapping_enabled BOOLEAN,
  enabled BOOLEAN,
  options TEXT,
  zone_before_pause_id BIGINT,
  last_inventory_date TIMESTAMP,
  capabilities TEXT DEFAULT '{}',
  last_refresh_success_date TIMESTAMP
);
CREATE UNIQUE INDEX index_ext_management_systems_on_name ON ext_management_systems (name);
CREATE INDEX index_ext_management_systems_on_type ON ext_management_systems (type);
CREATE INDEX index_ext_management_systems_on_parent_ems_id ON ext_management_systems (parent_ems_id);
CREATE INDEX index_ext_management_systems_on_zone_before_pause_id ON ext_management_systems (zone_before_pause_id);

CREATE TABLE endpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  role TEXT,
  ipaddress TEXT,
  hostname TEXT,
  port INTEGER,
  resource_type TEXT,
  resource_id BIGINT,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  verify_ssl INTEGER,
  url TEXT,
  security_protocol TEXT,
  api_version TEXT,
  path TEXT,
  certificate_authority TEXT,
  options TEXT DEFAULT '{}'
);
CREATE INDEX index_endpoints_on_resource_id_and_resource_type ON endpoints (resource_id, resource_type);

CREATE TABLE event_streams (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_type TEXT,
  message TEXT,
  timestamp TIMESTAMP,
  host_name TEXT,
  host_id BIGINT,
  vm_name TEXT,
  vm_location TEXT,
  vm_or_template_id BIGINT,
  dest_host_name TEXT,
  dest_host_id BIGINT,
  dest_vm_name TEXT,
  dest_vm_location TEXT,
  dest_vm_or_template_id BIGINT,
  source TEXT,
  chain_id BIGINT,
  ems_id BIGINT,
  is_task BOOLEAN,
  full_data TEXT,
  created_on TIMESTAMP,
  username TEXT,
  ems_cluster_id BIGINT,
  ems_cluster_name TEXT,
  ems_cluster_uid TEXT,
  dest_ems_cluster_id BIGINT,
  dest_ems_cluster_name TEXT,
  dest_ems_cluster_uid TEXT,
  availability_zone_id BIGINT,
  container_node_id BIGINT,
  container_node_name TEXT,
  container_group_id BIGINT,
  container_group_name TEXT,
  container_replicator_id BIGINT,
  container_replicator_name TEXT,
  container_id BIGINT,
  container_name TEXT,
  container_namespace TEXT,
  type TEXT,
  target_type TEXT,
  target_id BIGINT,
  generating_ems_id BIGINT,
  physical_server_id BIGINT,
  physical_chassis_id BIGINT,
  physical_switch_id BIGINT,
  physical_storage_id BIGINT,
  physical_storage_name TEXT,
  ems_ref TEXT,
  user_id BIGINT,
  group_id BIGINT,
  tenant_id BIGINT,
  vm_ems_ref TEXT,
  dest_vm_ems_ref TEXT,
  -- own: ManageIQ does not have these columns
  event_uid TEXT NOT NULL,
  work_id BIGINT
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
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  target_id BIGINT,
  priority INTEGER,
  method_name TEXT,
  state TEXT,
  created_on TIMESTAMP,
  updated_on TIMESTAMP,
  lock_version INTEGER DEFAULT 0,
  task_id TEXT,
  deliver_on TIMESTAMP,
  queue_name TEXT,
  class_name TEXT,
  instance_id BIGINT,
  args TEXT,
  miq_callback TEXT,
  msg_data BLOB,
  zone TEXT,
  role TEXT,
  server_guid TEXT,
  msg_timeout INTEGER,
  handler_id BIGINT,
  handler_type TEXT,
  expires_on TIMESTAMP,
  tracking_label TEXT,
  user_id BIGINT,
  group_id BIGINT,
  tenant_id BIGINT,
  miq_task_id BIGINT,
  -- own: ManageIQ does not have these columns
  work_id BIGINT,
  event_uid TEXT
);
CREATE INDEX index_miq_queue_on_queue_name_and_state_and_id ON miq_queue (queue_name, state, id);
CREATE UNIQUE INDEX index_miq_queue_on_target_id_and_event_uid ON miq_queue (target_id, event_uid);

CREATE TABLE vms (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  vendor TEXT,
  format TEXT,
  version TEXT,
  name TEXT,
  description TEXT,
  location TEXT,
  config_xml TEXT,
  autostart TEXT,
  host_id BIGINT,
  last_sync_on TIMESTAMP,
  created_on TIMESTAMP,
  updated_on TIMESTAMP,
  storage_id BIGINT,
  guid TEXT UNIQUE,
  ems_id BIGINT,
  last_scan_on TIMESTAMP,
  last_scan_attempt_on TIMESTAMP,
  uid_ems TEXT,
  retires_on TIMESTAMP,
  retired BOOLEAN,
  boot_time TIMESTAMP,
  tools_status TEXT,
  standby_action TEXT,
  power_state TEXT,
  state_changed_on TIMESTAMP,
  previous_state TEXT,
  connection_state TEXT,
  last_perf_capture_on TIMESTAMP,
  registered BOOLEAN,
  busy BOOLEAN,
  smart BOOLEAN,
  memory_reserve INTEGER,
  memory_reserve_expand BOOLEAN,
  memory_limit INTEGER,
  memory_shares INTEGER,
  memory_shares_level TEXT,
  cpu_reserve INTEGER,
  cpu_reserve_expand BOOLEAN,
  cpu_limit INTEGER,
  cpu_shares INTEGER,
  cpu_shares_level TEXT,
  cpu_affinity TEXT,
  ems_created_on TIMESTAMP,
  template BOOLEAN DEFAULT false,
  evm_owner_id BIGINT,
  miq_group_id BIGINT,
  linked_clone BOOLEAN,
  fault_tolerance BOOLEAN,
  type TEXT,
  ems_ref TEXT,
  ems_cluster_id BIGINT,
  retirement_warn BIGINT,
  retirement_last_warn TIMESTAMP,
  vnc_port INTEGER,
  flavor_id BIGINT,
  availability_zone_id BIGINT,
  cloud BOOLEAN,
  retirement_state TEXT,
  cloud_network_id BIGINT,
  cloud_subnet_id BIGINT,
  cloud_tenant_id BIGINT,
  raw_power_state TEXT,
  publicly_available BOOLEAN,
  orchestration_stack_id BIGINT,
  retirement_requester TEXT,
  tenant_id BIGINT,
  resource_group_id BIGINT,
  deprecated BOOLEAN,
  storage_profile_id BIGINT,
  cpu_hot_add_enabled BOOLEAN,
  cpu_hot_remove_enabled BOOLEAN,
  memory_hot_add_enabled BOOLEAN,
  memory_hot_add_limit INTEGER,
  memory_hot_add_increment INTEGER,
  hostname TEXT,
  ems_ref_type TEXT,
  restart_needed BOOLEAN,
  ancestry TEXT,
  placement_group_id BIGINT,
  -- own: ManageIQ does not have these columns
  archived_ems_id BIGINT
);
CREATE UNIQUE INDEX index_vms_on_ems_id_and_ems_ref ON vms (ems_id, ems_ref);
CREATE INDEX index_vms_on_ems_id_and_uid_ems ON vms (ems_id, uid_ems);
CREATE INDEX index_vms_on_archived_ems_id_and_ems_ref ON vms (archived_ems_id, ems_ref);
CREATE INDEX index_vms_on_archived_ems_id_and_uid_ems ON vms (archived_ems_id, uid_ems);
CREATE INDEX index_vms_on_host_id ON vms (host_id);
CREATE INDEX index_vms_on_name ON vms (name);

CREATE TABLE hosts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  hostname TEXT,
  ipaddress TEXT,
  vmm_vendor TEXT,
  vmm_version TEXT,
  vmm_product TEXT,
  vmm_buildnumber TEXT,
  created_on TIMESTAMP,
  updated_on TIMESTAMP,
  guid TEXT UNIQUE,
  ems_id BIGINT,
  user_assigned_os TEXT,
  power_state TEXT DEFAULT '',
  smart INTEGER,
  settings TEXT,
  last_perf_capture_on TIMESTAMP,
  uid_ems TEXT,
  connection_state TEXT,
  ssh_permit_root_login TEXT,
  admin_disabled BOOLEAN,
  service_tag TEXT,
  asset_tag TEXT,
  ipmi_address TEXT,
  mac_address TEXT,
  type TEXT,
  failover BOOLEAN,
  ems_ref TEXT,
  hyperthreading BOOLEAN,
  ems_cluster_id BIGINT,
  next_available_vnc_port INTEGER,
  hypervisor_hostname TEXT,
  availability_zone_id BIGINT,
  maintenance BOOLEAN,
  maintenance_reason TEXT,
  physical_server_id BIGINT,
  ems_ref_type TEXT,
  raw_power_state TEXT,
  -- own: ManageIQ does not have these columns
  archived_ems_id BIGINT
);
CREATE UNIQUE INDEX index_hosts_on_ems_id_and_ems_ref ON hosts (ems_id, ems_ref);
CREATE INDEX index_hosts_on_ems_id_and_uid_ems ON hosts (ems_id, uid_ems);
CREATE INDEX index_hosts_on_archived_ems_id_and_ems_ref ON hosts (archived_ems_id, ems_ref);
CREATE INDEX index_hosts_on_archived_ems_id_and_uid_ems ON hosts (archived_ems_id, uid_ems);
CREATE INDEX index_hosts_on_hostname ON hosts (hostname);

CREATE TABLE ems_clusters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  ems_id BIGINT,
  created_on TIMESTAMP,
  updated_on TIMESTAMP,
  uid_ems TEXT,
  ha_enabled BOOLEAN,
  ha_admit_control BOOLEAN,
  ha_max_failures INTEGER,
  drs_enabled BOOLEAN,
  drs_automation_level TEXT,
  drs_migration_threshold INTEGER,
  last_perf_capture_on TIMESTAMP,
  effective_cpu BIGINT,
  effective_memory BIGINT,
  ems_ref TEXT,
  type TEXT,
  ems_ref_type TEXT,
  hidden BOOLEAN
);
CREATE UNIQUE INDEX index_ems_clusters_on_ems_id_and_ems_ref ON ems_clusters (ems_id, ems_ref);
CREATE INDEX index_ems_clusters_on_uid_ems ON ems_clusters (uid_ems);

CREATE TABLE availability_zones (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT,
  name TEXT,
  ems_ref TEXT,
  type TEXT,
  provider_services_supported TEXT DEFAULT '[]'
);
CREATE UNIQUE INDEX index_availability_zones_on_ems_id_and_ems_ref ON availability_zones (ems_id, ems_ref);

CREATE TABLE flavors (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT,
  name TEXT,
  description TEXT,
  memory BIGINT,
  ems_ref TEXT,
  type TEXT,
  supports_32_bit BOOLEAN,
  supports_64_bit BOOLEAN,
  enabled BOOLEAN,
  supports_hvm BOOLEAN,
  supports_paravirtual BOOLEAN,
  block_storage_based_only BOOLEAN,
  cloud_subnet_required BOOLEAN,
  ephemeral_disk_size BIGINT,
  ephemeral_disk_count INTEGER,
  root_disk_size BIGINT,
  swap_disk_size BIGINT,
  publicly_available BOOLEAN,
  cpu_total_cores INTEGER,
  cpu_cores_per_socket INTEGER,
  cpu_sockets INTEGER DEFAULT 1
);
CREATE UNIQUE INDEX index_flavors_on_ems_id_and_ems_ref ON flavors (ems_id, ems_ref);

-- own: ManageIQ does not have these tables

-- Where each event stream goes on; JSON.
CREATE TABLE ems_cursors (
  ems_id BIGINT PRIMARY KEY NOT NULL,
  cursor TEXT NOT NULL,
  updated_on TIMESTAMP NOT NULL
);

-- Stretches of events that a provider no longer had.
CREATE TABLE event_gaps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT NOT NULL,
  started_on TIMESTAMP,
  ended_on TIMESTAMP,
  reason TEXT NOT NULL,
  created_on TIMESTAMP NOT NULL
);
CREATE INDEX index_event_gaps_on_ems_id_and_created_on ON event_gaps (ems_id, created_on);

-- Native events that could not become rows of event_streams.
CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT NOT NULL,
  event_uid TEXT NOT NULL,
  native TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_on TIMESTAMP NOT NULL,
  attempts INTEGER DEFAULT 0
);
CREATE UNIQUE INDEX index_dead_letters_on_ems_id_and_event_uid ON dead_letters (ems_id, event_uid);

-- Which process catches for an EMS, by the clock of the database.
CREATE TABLE ems_leases (
  ems_id BIGINT PRIMARY KEY NOT NULL,
  holder TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  expires_on TIMESTAMP NOT NULL,
  updated_on TIMESTAMP NOT NULL
);

-- Finished refreshes, one row for each row of miq_queue that was answered.
CREATE TABLE ems_refreshes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  work_id BIGINT,
  ems_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  targets INTEGER DEFAULT 0,
  requested_on TIMESTAMP,
  started_on TIMESTAMP,
  finished_on TIMESTAMP,
  error TEXT
);
CREATE INDEX index_ems_refreshes_on_work_id ON ems_refreshes (work_id);
CREATE INDEX index_ems_refreshes_on_ems_id_and_finished_on ON ems_refreshes (ems_id, finished_on);
