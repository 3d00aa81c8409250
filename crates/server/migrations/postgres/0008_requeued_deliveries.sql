-- When somebody asked for a delivery again: its age counts from then.
alter table deliveries add column requeued_at bigint;
