-- The id that the transport gave to the message (SQS MessageId): it may be all that identifies the event in it.
ALTER TABLE dead_letters ADD COLUMN transport_id TEXT;
