-- What a cloud with projects, networks and volumes has (OpenStack). ManageIQ's tables with the columns that are filled; its
-- join tables are left out. The other database's file makes the same tables and columns.

CREATE TABLE cloud_tenants (
  id bigserial PRIMARY KEY,
  name varchar,
  description varchar,
  enabled boolean,
  ems_ref varchar,
  ems_id bigint,
  created_at timestamp,
  updated_at timestamp,
  type varchar,
  parent_id bigint
);
CREATE UNIQUE INDEX index_cloud_tenants_on_ems_id_and_ems_ref ON cloud_tenants (ems_id, ems_ref);

CREATE TABLE cloud_networks (
  id bigserial PRIMARY KEY,
  name varchar,
  ems_ref varchar,
  ems_id bigint,
  status varchar,
  enabled boolean,
  external_facing boolean,
  cloud_tenant_id bigint,
  shared boolean,
  provider_physical_network varchar,
  provider_network_type varchar,
  provider_segmentation_id varchar,
  type varchar
);
CREATE UNIQUE INDEX index_cloud_networks_on_ems_id_and_ems_ref ON cloud_networks (ems_id, ems_ref);

CREATE TABLE cloud_subnets (
  id bigserial PRIMARY KEY,
  name varchar,
  ems_ref varchar,
  ems_id bigint,
  cloud_network_id bigint,
  cidr varchar,
  dhcp_enabled boolean,
  gateway varchar,
  network_protocol varchar,
  cloud_tenant_id bigint,
  type varchar
);
CREATE UNIQUE INDEX index_cloud_subnets_on_ems_id_and_ems_ref ON cloud_subnets (ems_id, ems_ref);

CREATE TABLE network_routers (
  id bigserial PRIMARY KEY,
  type varchar,
  name varchar,
  ems_ref varchar,
  ems_id bigint,
  cloud_network_id bigint,
  admin_state_up boolean,
  cloud_tenant_id bigint,
  status varchar
);
CREATE UNIQUE INDEX index_network_routers_on_ems_id_and_ems_ref ON network_routers (ems_id, ems_ref);

CREATE TABLE network_ports (
  id bigserial PRIMARY KEY,
  type varchar,
  name varchar,
  ems_ref varchar,
  ems_id bigint,
  mac_address varchar,
  status varchar,
  admin_state_up boolean,
  device_owner varchar,
  device_ref varchar,
  device_id bigint,
  device_type varchar,
  cloud_tenant_id bigint,
  binding_host_id varchar,
  -- own: ManageIQ keeps each address of a port in cloud_subnets_network_ports; here is the first one, with its network
  cloud_network_id bigint,
  cloud_subnet_id bigint,
  fixed_ip_address varchar
);
CREATE UNIQUE INDEX index_network_ports_on_ems_id_and_ems_ref ON network_ports (ems_id, ems_ref);
CREATE INDEX index_network_ports_on_device_id ON network_ports (device_id);
CREATE INDEX index_network_ports_on_cloud_network_id ON network_ports (cloud_network_id);

CREATE TABLE floating_ips (
  id bigserial PRIMARY KEY,
  type varchar,
  ems_ref varchar,
  address varchar,
  ems_id bigint,
  vm_id bigint,
  cloud_tenant_id bigint,
  network_port_id bigint,
  cloud_network_id bigint,
  fixed_ip_address varchar,
  status varchar
);
CREATE UNIQUE INDEX index_floating_ips_on_ems_id_and_ems_ref ON floating_ips (ems_id, ems_ref);
CREATE INDEX index_floating_ips_on_vm_id ON floating_ips (vm_id);
CREATE INDEX index_floating_ips_on_network_port_id ON floating_ips (network_port_id);

CREATE TABLE security_groups (
  id bigserial PRIMARY KEY,
  name varchar,
  description text,
  type varchar,
  ems_id bigint,
  ems_ref varchar,
  cloud_tenant_id bigint
);
CREATE UNIQUE INDEX index_security_groups_on_ems_id_and_ems_ref ON security_groups (ems_id, ems_ref);

CREATE TABLE cloud_volumes (
  id bigserial PRIMARY KEY,
  type varchar,
  ems_ref varchar,
  size bigint,
  ems_id bigint,
  availability_zone_id bigint,
  cloud_volume_snapshot_id bigint,
  name varchar,
  status varchar,
  description text,
  volume_type varchar,
  bootable boolean,
  creation_time timestamp,
  cloud_tenant_id bigint,
  encrypted boolean
);
CREATE UNIQUE INDEX index_cloud_volumes_on_ems_id_and_ems_ref ON cloud_volumes (ems_id, ems_ref);

CREATE TABLE cloud_volume_snapshots (
  id bigserial PRIMARY KEY,
  type varchar,
  ems_ref varchar,
  ems_id bigint,
  cloud_volume_id bigint,
  name varchar,
  description text,
  status varchar,
  creation_time timestamp,
  size bigint,
  cloud_tenant_id bigint,
  encrypted boolean
);
CREATE UNIQUE INDEX index_cloud_volume_snapshots_on_ems_id_and_ems_ref ON cloud_volume_snapshots (ems_id, ems_ref);

CREATE TABLE orchestration_stacks (
  id bigserial PRIMARY KEY,
  name varchar,
  type varchar,
  description text,
  status varchar,
  ems_ref varchar,
  ems_id bigint,
  created_at timestamp,
  updated_at timestamp,
  cloud_tenant_id bigint,
  status_reason text,
  -- own: ManageIQ keeps it in ancestry
  parent_id bigint
);
CREATE UNIQUE INDEX index_orchestration_stacks_on_ems_id_and_ems_ref ON orchestration_stacks (ems_id, ems_ref);

CREATE TABLE host_aggregates (
  id bigserial PRIMARY KEY,
  ems_id bigint,
  name varchar,
  ems_ref varchar,
  type varchar,
  metadata text
);
CREATE UNIQUE INDEX index_host_aggregates_on_ems_id_and_ems_ref ON host_aggregates (ems_id, ems_ref);

-- own: ManageIQ keeps key pairs in authentications, beside passwords and private keys. No credential enters this database:
-- of a key pair its name and its fingerprint are kept, and there is no column for more.
CREATE TABLE key_pairs (
  id bigserial PRIMARY KEY,
  ems_id bigint,
  ems_ref varchar,
  name varchar,
  type varchar,
  fingerprint varchar
);
CREATE UNIQUE INDEX index_key_pairs_on_ems_id_and_ems_ref ON key_pairs (ems_id, ems_ref);
