-- What events are related to besides VMs, hosts, clusters and zones, and what makes late linking and chains quick.

CREATE TABLE container_projects (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_ref TEXT,
  name TEXT,
  ems_created_on TIMESTAMP,
  resource_version TEXT,
  display_name TEXT,
  ems_id BIGINT,
  created_on TIMESTAMP,
  deleted_on TIMESTAMP,
  type TEXT
);
CREATE UNIQUE INDEX index_container_projects_on_ems_id_and_ems_ref ON container_projects (ems_id, ems_ref);

CREATE TABLE container_nodes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_ref TEXT,
  name TEXT,
  ems_created_on TIMESTAMP,
  resource_version TEXT,
  ems_id BIGINT,
  lives_on_type TEXT,
  lives_on_id BIGINT,
  last_perf_capture_on TIMESTAMP,
  identity_infra TEXT,
  identity_machine TEXT,
  identity_system TEXT,
  type TEXT,
  kubernetes_kubelet_version TEXT,
  kubernetes_proxy_version TEXT,
  container_runtime_version TEXT,
  max_container_groups INTEGER,
  created_on TIMESTAMP,
  deleted_on TIMESTAMP
);
CREATE UNIQUE INDEX index_container_nodes_on_ems_id_and_ems_ref ON container_nodes (ems_id, ems_ref);

CREATE TABLE container_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_ref TEXT,
  name TEXT,
  ems_created_on TIMESTAMP,
  resource_version TEXT,
  restart_policy TEXT,
  dns_policy TEXT,
  ems_id BIGINT,
  container_node_id BIGINT,
  last_perf_capture_on TIMESTAMP,
  container_replicator_id BIGINT,
  ipaddress TEXT,
  type TEXT,
  container_project_id BIGINT,
  phase TEXT,
  message TEXT,
  reason TEXT,
  container_build_pod_id BIGINT,
  created_on TIMESTAMP,
  deleted_on TIMESTAMP
);
CREATE UNIQUE INDEX index_container_groups_on_ems_id_and_ems_ref ON container_groups (ems_id, ems_ref);

CREATE TABLE container_replicators (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_ref TEXT,
  name TEXT,
  ems_created_on TIMESTAMP,
  ems_id BIGINT,
  resource_version TEXT,
  replicas INTEGER,
  current_replicas INTEGER,
  container_project_id BIGINT,
  created_on TIMESTAMP
);
CREATE UNIQUE INDEX index_container_replicators_on_ems_id_and_ems_ref ON container_replicators (ems_id, ems_ref);

CREATE TABLE physical_storages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_ref TEXT,
  uid_ems TEXT,
  name TEXT,
  type TEXT,
  access_state TEXT,
  health_state TEXT,
  overall_health_state TEXT,
  ems_id BIGINT,
  physical_rack_id BIGINT,
  drive_bays INTEGER,
  enclosures INTEGER,
  canister_slots INTEGER,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  physical_chassis_id BIGINT,
  total_space BIGINT,
  physical_storage_family_id BIGINT,
  capabilities TEXT DEFAULT '{}'
);
CREATE UNIQUE INDEX index_physical_storages_on_ems_id_and_ems_ref ON physical_storages (ems_id, ems_ref);

-- Chains of tasks, of which few providers speak.
CREATE INDEX index_event_streams_on_ems_id_and_chain_id ON event_streams (ems_id, chain_id) WHERE chain_id IS NOT NULL;
CREATE INDEX index_event_streams_on_container_node_id ON event_streams (container_node_id) WHERE container_node_id IS NOT NULL;
CREATE INDEX index_event_streams_on_container_group_id ON event_streams (container_group_id) WHERE container_group_id IS NOT NULL;

-- Events that wait for their VM.
CREATE INDEX index_event_streams_on_waiting_vm ON event_streams (ems_id, vm_ems_ref)
  WHERE vm_or_template_id IS NULL AND vm_ems_ref IS NOT NULL;
CREATE INDEX index_event_streams_on_waiting_dest_vm ON event_streams (ems_id, dest_vm_ems_ref)
  WHERE dest_vm_or_template_id IS NULL AND dest_vm_ems_ref IS NOT NULL;

-- own: ManageIQ does not have these tables

-- References of events to what is not in inventory yet; the refresh that brings it links them.
CREATE TABLE event_links (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id BIGINT NOT NULL,
  ems_id BIGINT NOT NULL,
  relation TEXT NOT NULL,
  manager_key TEXT NOT NULL,
  manager_ref TEXT NOT NULL
);
CREATE INDEX index_event_links_on_ems_id_and_manager_ref ON event_links (ems_id, manager_ref);
CREATE INDEX index_event_links_on_event_id ON event_links (event_id);

-- Objects that came while more events waited for them than one transaction links.
CREATE TABLE late_links (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT NOT NULL,
  inventory_table TEXT NOT NULL,
  ems_ref TEXT NOT NULL
);
CREATE INDEX index_late_links_on_ems_id_and_id ON late_links (ems_id, id);
-- A refresh asks for the last full one; there may be a day of targeted ones since.
CREATE INDEX index_ems_refreshes_on_full ON ems_refreshes (ems_id, finished_on) WHERE kind = 'full' AND error IS NULL;

-- How often this work failed with an error like this one before it succeeded or was given up.
ALTER TABLE ems_refreshes ADD COLUMN attempts INTEGER DEFAULT 1;
