DROP TABLE event_actions;
DROP TABLE miq_tasks;
DROP TABLE custom_attributes;
DROP TABLE snapshots;
