DROP INDEX index_miq_queue_on_tracking_label_and_due;
DROP TABLE event_actions;
DROP TABLE miq_tasks;
DROP TABLE custom_attributes;
DROP TABLE snapshots;
