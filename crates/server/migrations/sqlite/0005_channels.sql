-- An identity's badges are found by its standing.
drop index badges_identity;

-- Why the server itself has disabled a channel.
alter table channels add column disabled_reason text;
-- Whether it sends an identity's events in order, or leaves out scores that newer ones replace.
alter table channels add column by_identity integer not null default 0;

-- Channels that fail; one that works has no row.
create table channel_health (
  channel_id integer primary key,
  -- in a row
  failures integer not null,
  failing_since integer,
  -- nothing is sent before
  open_until integer,
  -- since the last success
  pauses integer not null,
  -- of the way to being disabled, the last that was told
  warned_percent integer not null,
  last_error text not null
);

-- As its channel was.
alter table deliveries add column by_identity integer not null default 0;
create index deliveries_by_identity on deliveries (channel_id, identity_id, sequence) where by_identity = 1 and next_attempt_at is not null;
