-- What a cloud with projects, networks and volumes has (OpenStack). ManageIQ's tables with the columns that are filled; its
-- join tables are left out. The other database's file makes the same tables and columns.

CREATE TABLE cloud_tenants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  description TEXT,
  enabled BOOLEAN,
  ems_ref TEXT,
  ems_id BIGINT,
  created_at TIMESTAMP,
  updated_at TIMESTAMP,
  type TEXT,
  parent_id BIGINT
);
CREATE UNIQUE INDEX index_cloud_tenants_on_ems_id_and_ems_ref ON cloud_tenants (ems_id, ems_ref);

CREATE TABLE cloud_networks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  ems_ref TEXT,
  ems_id BIGINT,
  status TEXT,
  enabled BOOLEAN,
  external_facing BOOLEAN,
  cloud_tenant_id BIGINT,
  shared BOOLEAN,
  provider_physical_network TEXT,
  provider_network_type TEXT,
  provider_segmentation_id TEXT,
  type TEXT
);
CREATE UNIQUE INDEX index_cloud_networks_on_ems_id_and_ems_ref ON cloud_networks (ems_id, ems_ref);

CREATE TABLE cloud_subnets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  ems_ref TEXT,
  ems_id BIGINT,
  cloud_network_id BIGINT,
  cidr TEXT,
  dhcp_enabled BOOLEAN,
  gateway TEXT,
  network_protocol TEXT,
  cloud_tenant_id BIGINT,
  type TEXT
);
CREATE UNIQUE INDEX index_cloud_subnets_on_ems_id_and_ems_ref ON cloud_subnets (ems_id, ems_ref);

CREATE TABLE network_routers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT,
  name TEXT,
  ems_ref TEXT,
  ems_id BIGINT,
  cloud_network_id BIGINT,
  admin_state_up BOOLEAN,
  cloud_tenant_id BIGINT,
  status TEXT
);
CREATE UNIQUE INDEX index_network_routers_on_ems_id_and_ems_ref ON network_routers (ems_id, ems_ref);

CREATE TABLE network_ports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT,
  name TEXT,
  ems_ref TEXT,
  ems_id BIGINT,
  mac_address TEXT,
  status TEXT,
  admin_state_up BOOLEAN,
  device_owner TEXT,
  device_ref TEXT,
  device_id BIGINT,
  device_type TEXT,
  cloud_tenant_id BIGINT,
  binding_host_id TEXT,
  -- own: ManageIQ keeps each address of a port in cloud_subnets_network_ports; here is the first one, with its network
  cloud_network_id BIGINT,
  cloud_subnet_id BIGINT,
  fixed_ip_address TEXT
);
CREATE UNIQUE INDEX index_network_ports_on_ems_id_and_ems_ref ON network_ports (ems_id, ems_ref);
CREATE INDEX index_network_ports_on_device_id ON network_ports (device_id);
CREATE INDEX index_network_ports_on_cloud_network_id ON network_ports (cloud_network_id);

CREATE TABLE floating_ips (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT,
  ems_ref TEXT,
  address TEXT,
  ems_id BIGINT,
  vm_id BIGINT,
  cloud_tenant_id BIGINT,
  network_port_id BIGINT,
  cloud_network_id BIGINT,
  fixed_ip_address TEXT,
  status TEXT
);
CREATE UNIQUE INDEX index_floating_ips_on_ems_id_and_ems_ref ON floating_ips (ems_id, ems_ref);
CREATE INDEX index_floating_ips_on_vm_id ON floating_ips (vm_id);
CREATE INDEX index_floating_ips_on_network_port_id ON floating_ips (network_port_id);

CREATE TABLE security_groups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  description TEXT,
  type TEXT,
  ems_id BIGINT,
  ems_ref TEXT,
  cloud_tenant_id BIGINT
);
CREATE UNIQUE INDEX index_security_groups_on_ems_id_and_ems_ref ON security_groups (ems_id, ems_ref);

CREATE TABLE cloud_volumes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT,
  ems_ref TEXT,
  size BIGINT,
  ems_id BIGINT,
  availability_zone_id BIGINT,
  cloud_volume_snapshot_id BIGINT,
  name TEXT,
  status TEXT,
  description TEXT,
  volume_type TEXT,
  bootable BOOLEAN,
  creation_time TIMESTAMP,
  cloud_tenant_id BIGINT,
  encrypted BOOLEAN
);
CREATE UNIQUE INDEX index_cloud_volumes_on_ems_id_and_ems_ref ON cloud_volumes (ems_id, ems_ref);

CREATE TABLE cloud_volume_snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  type TEXT,
  ems_ref TEXT,
  ems_id BIGINT,
  cloud_volume_id BIGINT,
  name TEXT,
  description TEXT,
  status TEXT,
  creation_time TIMESTAMP,
  size BIGINT,
  cloud_tenant_id BIGINT,
  encrypted BOOLEAN
);
CREATE UNIQUE INDEX index_cloud_volume_snapshots_on_ems_id_and_ems_ref ON cloud_volume_snapshots (ems_id, ems_ref);

CREATE TABLE orchestration_stacks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  type TEXT,
  description TEXT,
  status TEXT,
  ems_ref TEXT,
  ems_id BIGINT,
  created_at TIMESTAMP,
  updated_at TIMESTAMP,
  cloud_tenant_id BIGINT,
  status_reason TEXT,
  -- own: ManageIQ keeps it in ancestry
  parent_id BIGINT
);
CREATE UNIQUE INDEX index_orchestration_stacks_on_ems_id_and_ems_ref ON orchestration_stacks (ems_id, ems_ref);

CREATE TABLE host_aggregates (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT,
  name TEXT,
  ems_ref TEXT,
  type TEXT,
  metadata TEXT
);
CREATE UNIQUE INDEX index_host_aggregates_on_ems_id_and_ems_ref ON host_aggregates (ems_id, ems_ref);

-- own: ManageIQ keeps key pairs in authentications, beside passwords and private keys. No credential enters this database:
-- of a key pair its name and its fingerprint are kept, and there is no column for more.
CREATE TABLE key_pairs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT,
  ems_ref TEXT,
  name TEXT,
  type TEXT,
  fingerprint TEXT
);
CREATE UNIQUE INDEX index_key_pairs_on_ems_id_and_ems_ref ON key_pairs (ems_id, ems_ref);
