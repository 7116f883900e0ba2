-- What events are related to besides VMs, hosts, clusters and zones, and what makes late linking and chains quick.

CREATE TABLE container_projects (
  id bigserial PRIMARY KEY,
  ems_ref varchar,
  name varchar,
  ems_created_on timestamp,
  resource_version varchar,
  display_name varchar,
  ems_id bigint,
  created_on timestamp,
  deleted_on timestamp,
  type varchar
);
CREATE UNIQUE INDEX index_container_projects_on_ems_id_and_ems_ref ON container_projects (ems_id, ems_ref);

CREATE TABLE container_nodes (
  id bigserial PRIMARY KEY,
  ems_ref varchar,
  name varchar,
  ems_created_on timestamp,
  resource_version varchar,
  ems_id bigint,
  lives_on_type varchar,
  lives_on_id bigint,
  last_perf_capture_on timestamp,
  identity_infra varchar,
  identity_machine varchar,
  identity_system varchar,
  type varchar,
  kubernetes_kubelet_version varchar,
  kubernetes_proxy_version varchar,
  container_runtime_version varchar,
  max_container_groups integer,
  created_on timestamp,
  deleted_on timestamp
);
CREATE UNIQUE INDEX index_container_nodes_on_ems_id_and_ems_ref ON container_nodes (ems_id, ems_ref);

CREATE TABLE container_groups (
  id bigserial PRIMARY KEY,
  ems_ref varchar,
  name varchar,
  ems_created_on timestamp,
  resource_version varchar,
  restart_policy varchar,
  dns_policy varchar,
  ems_id bigint,
  container_node_id bigint,
  last_perf_capture_on timestamp,
  container_replicator_id bigint,
  ipaddress varchar,
  type varchar,
  container_project_id bigint,
  phase varchar,
  message varchar,
  reason varchar,
  container_build_pod_id bigint,
  created_on timestamp,
  deleted_on timestamp
);
CREATE UNIQUE INDEX index_container_groups_on_ems_id_and_ems_ref ON container_groups (ems_id, ems_ref);

CREATE TABLE container_replicators (
  id bigserial PRIMARY KEY,
  ems_ref varchar,
  name varchar,
  ems_created_on timestamp,
  ems_id bigint,
  resource_version varchar,
  replicas integer,
  current_replicas integer,
  container_project_id bigint,
  created_on timestamp
);
CREATE UNIQUE INDEX index_container_replicators_on_ems_id_and_ems_ref ON container_replicators (ems_id, ems_ref);

CREATE TABLE physical_storages (
  id bigserial PRIMARY KEY,
  ems_ref varchar,
  uid_ems varchar,
  name varchar,
  type varchar,
  access_state varchar,
  health_state varchar,
  overall_health_state varchar,
  ems_id bigint,
  physical_rack_id bigint,
  drive_bays integer,
  enclosures integer,
  canister_slots integer,
  created_at timestamp NOT NULL,
  updated_at timestamp NOT NULL,
  physical_chassis_id bigint,
  total_space bigint,
  physical_storage_family_id bigint,
  capabilities jsonb DEFAULT '{}'
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
  id bigserial PRIMARY KEY,
  event_id bigint NOT NULL,
  ems_id bigint NOT NULL,
  relation varchar NOT NULL,
  manager_key varchar NOT NULL,
  manager_ref varchar NOT NULL
);
CREATE INDEX index_event_links_on_ems_id_and_manager_ref ON event_links (ems_id, manager_ref);
CREATE INDEX index_event_links_on_event_id ON event_links (event_id);

-- Objects that came while more events waited for them than one transaction links.
CREATE TABLE late_links (
  id bigserial PRIMARY KEY,
  ems_id bigint NOT NULL,
  inventory_table varchar NOT NULL,
  ems_ref varchar NOT NULL
);
CREATE INDEX index_late_links_on_ems_id_and_id ON late_links (ems_id, id);
-- A refresh asks for the last full one; there may be a day of targeted ones since.
CREATE INDEX index_ems_refreshes_on_full ON ems_refreshes (ems_id, finished_on) WHERE kind = 'full' AND error IS NULL;

-- How often this work failed with an error like this one before it succeeded or was given up.
ALTER TABLE ems_refreshes ADD COLUMN attempts INTEGER DEFAULT 1;
