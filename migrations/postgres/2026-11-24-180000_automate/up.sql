-- What automate needs: the records that its handlers write, and the story of what was done for each event.

CREATE TABLE snapshots (
  id bigserial PRIMARY KEY,
  uid varchar,
  parent_uid varchar,
  parent_id bigint,
  name varchar,
  description varchar,
  current integer,
  total_size bigint,
  filename varchar,
  create_time timestamp,
  disks varchar,
  created_on timestamp,
  updated_on timestamp,
  vm_or_template_id bigint,
  uid_ems varchar,
  ems_ref varchar,
  ems_ref_type varchar,
  type varchar,
  ems_id bigint
);
CREATE INDEX index_snapshots_on_vm_or_template_id ON snapshots (vm_or_template_id);
CREATE UNIQUE INDEX index_snapshots_on_ems_id_and_ems_ref ON snapshots (ems_id, ems_ref);

CREATE TABLE custom_attributes (
  id bigserial PRIMARY KEY,
  section varchar,
  name varchar,
  value varchar,
  resource_type varchar,
  resource_id bigint,
  source varchar,
  description varchar,
  value_interpolated varchar,
  unique_name varchar,
  serialized_value varchar
);
CREATE INDEX index_custom_attributes_on_resource_id_and_resource_type ON custom_attributes (resource_id, resource_type);

CREATE TABLE miq_tasks (
  id bigserial PRIMARY KEY,
  name varchar,
  state varchar,
  status varchar,
  message varchar,
  userid varchar,
  created_on timestamp,
  updated_on timestamp,
  pct_complete integer,
  context_data varchar,
  results varchar,
  miq_server_id bigint,
  identifier varchar,
  started_on timestamp,
  zone varchar
);

-- own: ManageIQ does not have this table

-- What was done for an event besides refreshing: a handler, a rule that fired or was held back, a webhook.
CREATE TABLE event_actions (
  id bigserial PRIMARY KEY,
  ems_id bigint,
  event_id bigint,
  kind varchar NOT NULL,
  name varchar NOT NULL,
  rule varchar,
  params varchar,
  state varchar NOT NULL,
  reason varchar,
  limit_key varchar,
  queue_id bigint,
  work_id bigint,
  attempts integer DEFAULT 0,
  requested_on timestamp NOT NULL,
  started_on timestamp,
  finished_on timestamp
);
CREATE INDEX index_event_actions_on_event_id ON event_actions (event_id);
CREATE INDEX index_event_actions_on_queue_id ON event_actions (queue_id) WHERE queue_id IS NOT NULL;
CREATE INDEX index_event_actions_on_rule_and_requested_on ON event_actions (rule, requested_on) WHERE rule IS NOT NULL;

-- own: of each webhook, what is due first
CREATE INDEX index_miq_queue_on_tracking_label_and_due ON miq_queue
  (queue_name, state, tracking_label, COALESCE(deliver_on, created_on), id) WHERE tracking_label IS NOT NULL;
