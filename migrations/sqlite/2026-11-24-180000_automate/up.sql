-- What automate needs: the records that its handlers write, and the story of what was done for each event.

CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uid TEXT,
  parent_uid TEXT,
  parent_id BIGINT,
  name TEXT,
  description TEXT,
  current INTEGER,
  total_size BIGINT,
  filename TEXT,
  create_time TIMESTAMP,
  disks TEXT,
  created_on TIMESTAMP,
  updated_on TIMESTAMP,
  vm_or_template_id BIGINT,
  uid_ems TEXT,
  ems_ref TEXT,
  ems_ref_type TEXT,
  type TEXT,
  ems_id BIGINT
);
CREATE INDEX index_snapshots_on_vm_or_template_id ON snapshots (vm_or_template_id);
CREATE UNIQUE INDEX index_snapshots_on_ems_id_and_ems_ref ON snapshots (ems_id, ems_ref);

CREATE TABLE custom_attributes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  section TEXT,
  name TEXT,
  value TEXT,
  resource_type TEXT,
  resource_id BIGINT,
  source TEXT,
  description TEXT,
  value_interpolated TEXT,
  unique_name TEXT,
  serialized_value TEXT
);
CREATE INDEX index_custom_attributes_on_resource_id_and_resource_type ON custom_attributes (resource_id, resource_type);

CREATE TABLE miq_tasks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT,
  state TEXT,
  status TEXT,
  message TEXT,
  userid TEXT,
  created_on TIMESTAMP,
  updated_on TIMESTAMP,
  pct_complete INTEGER,
  context_data TEXT,
  results TEXT,
  miq_server_id BIGINT,
  identifier TEXT,
  started_on TIMESTAMP,
  zone TEXT
);

-- own: ManageIQ does not have this table

-- What was done for an event besides refreshing: a handler, a rule that fired or was held back, a webhook.
CREATE TABLE event_actions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT,
  event_id BIGINT,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  rule TEXT,
  params TEXT,
  state TEXT NOT NULL,
  reason TEXT,
  limit_key TEXT,
  queue_id BIGINT,
  work_id BIGINT,
  attempts INTEGER DEFAULT 0,
  requested_on TIMESTAMP NOT NULL,
  started_on TIMESTAMP,
  finished_on TIMESTAMP
);
CREATE INDEX index_event_actions_on_event_id ON event_actions (event_id);
CREATE INDEX index_event_actions_on_queue_id ON event_actions (queue_id) WHERE queue_id IS NOT NULL;
CREATE INDEX index_event_actions_on_rule_and_requested_on ON event_actions (rule, requested_on) WHERE rule IS NOT NULL;

-- own: of each webhook, what is due first
CREATE INDEX index_miq_queue_on_tracking_label_and_due ON miq_queue
  (queue_name, state, tracking_label, COALESCE(deliver_on, created_on), id) WHERE tracking_label IS NOT NULL;
