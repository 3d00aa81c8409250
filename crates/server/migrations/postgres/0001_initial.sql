-- Times are milliseconds since the Unix epoch, flags are 0 or 1, and every number the code gives a
-- meaning (status, event_type, kind …) is listed in the type of the same name in Rust.

create table settings (
  name text primary key,
  value bytea not null
);

create table teams (
  id bigint generated always as identity primary key,
  name text not null,
  created_at bigint not null
);

create table users (
  id bigint generated always as identity primary key,
  team_id bigint not null references teams (id),
  email text not null unique,
  password_hash text not null,
  role text not null,
  created_at bigint not null
);

create table sessions (
  token_hash bytea primary key,
  user_id bigint not null references users (id),
  created_at bigint not null,
  expires_at bigint not null
);

create table credentials (
  id bigint generated always as identity primary key,
  team_id bigint not null references teams (id),
  name text not null,
  public_key text not null unique,
  secret_hash bytea not null unique,
  allowed_origins text not null,
  enabled bigint not null,
  created_at bigint not null,
  updated_at bigint not null
);

create table identities (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  external_id text not null,
  created_at bigint not null,
  updated_at bigint not null,
  last_tracked_at bigint not null,
  last_scored_at bigint,
  display_name text,
  display_email text,
  display_username text,
  humanity bigint,
  authenticity bigint,
  uniqueness bigint,
  behavior bigint,
  disregarded bigint not null default 0,
  -- grows with every change that may alter the scores
  version bigint not null,
  -- the last number given to a cycle or another event of this identity
  sequence bigint not null default 0,
  -- the sequence of the newest analysis
  cycle bigint,
  -- when the next cycle is due; null when nothing has changed since the last one
  evaluate_at bigint,
  state bytea not null,
  data text not null
);
create unique index identities_external_id on identities (team_id, external_id);
create index identities_evaluate_at on identities (evaluate_at) where evaluate_at is not null;

create table identity_keys (
  team_id bigint not null,
  kind bigint not null,
  hash bigint not null,
  identity_id bigint not null,
  first_seen_at bigint not null,
  primary key (team_id, kind, hash, identity_id)
);

create table groups (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  type text not null,
  external_id text not null,
  created_at bigint not null,
  updated_at bigint not null,
  last_tracked_at bigint not null,
  data text not null
);
create unique index groups_external_id on groups (team_id, type, external_id);

create table group_members (
  group_id bigint not null,
  identity_id bigint not null,
  created_at bigint not null,
  primary key (group_id, identity_id)
);

create table devices (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  fingerprint text not null,
  first_seen_at bigint not null,
  last_seen_at bigint not null,
  ip text,
  user_agent text,
  disregarded bigint not null default 0
);
create unique index devices_fingerprint on devices (team_id, fingerprint);

create table events (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  -- the sender's id, packed
  external_id bytea not null,
  identity_id bigint,
  timestamp bigint not null,
  received_at bigint not null,
  -- everything else, compressed
  detail bytea not null
);
create unique index events_external_id on events (team_id, external_id);
create index events_identity on events (identity_id, id) where identity_id is not null;

create table analyses (
  id bigint generated always as identity primary key,
  identity_id bigint not null,
  -- the cycle: its place among the events of the identity
  sequence bigint not null,
  started_at bigint not null,
  finished_at bigint not null,
  humanity bigint,
  authenticity bigint,
  uniqueness bigint,
  behavior bigint,
  event_count bigint not null,
  device_count bigint not null,
  -- what the message about this cycle says beyond the columns, and the observations, compressed
  detail bytea not null
);
create unique index analyses_identity on analyses (identity_id, sequence);

-- What happened other than a cycle: badge changes, escalations, tests.
create table notifications (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  event_type bigint not null,
  identity_id bigint,
  sequence bigint,
  occurred_at bigint not null,
  data text not null
);

create table channels (
  id bigint generated always as identity primary key,
  team_id bigint not null references teams (id),
  type text not null,
  name text not null,
  slug text not null,
  enabled bigint not null,
  -- the subscribed event types, one bit each
  events bigint not null,
  config text not null,
  created_at bigint not null,
  updated_at bigint not null
);
create unique index channels_slug on channels (team_id, slug);

create table channel_secrets (
  id bigint generated always as identity primary key,
  channel_id bigint not null references channels (id),
  -- encrypted with the master key
  secret bytea not null,
  created_at bigint not null,
  expires_at bigint
);
create index channel_secrets_channel on channel_secrets (channel_id);

create table deliveries (
  id bigint generated always as identity primary key,
  channel_id bigint not null,
  event_type bigint not null,
  -- the cycle told about, or
  identity_id bigint,
  sequence bigint,
  -- the notification
  notification_id bigint,
  status bigint not null,
  trigger bigint not null,
  -- failures since the first attempt or the last resend or replay
  failures bigint not null default 0,
  attempt_count bigint not null default 0,
  created_at bigint not null,
  -- when the next attempt is due; while leased, when the lease ends
  next_attempt_at bigint,
  leased bigint not null,
  completed_at bigint,
  -- of the last attempt
  http_status bigint,
  error_class text,
  error_message text,
  payload_size bigint,
  -- of a first attempt that succeeded, which has no row of its own
  started_at bigint,
  duration bigint,
  remote_address text,
  detail bytea
);
create index deliveries_channel on deliveries (channel_id, id);
create index deliveries_due on deliveries (channel_id, next_attempt_at) where next_attempt_at is not null;

create table attempts (
  delivery_id bigint not null,
  attempt bigint not null,
  trigger bigint not null,
  status bigint not null,
  started_at bigint not null,
  duration bigint not null,
  http_status bigint,
  payload_size bigint not null,
  error_class text,
  error_message text,
  remote_address text,
  detail bytea,
  primary key (delivery_id, attempt)
);
