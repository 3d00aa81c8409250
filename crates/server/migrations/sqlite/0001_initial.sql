-- Times are milliseconds since the Unix epoch, flags are 0 or 1, and every number the code gives a
-- meaning (status, event_type, kind …) is listed in the type of the same name in Rust.

create table settings (
  name text primary key,
  value blob not null
) without rowid;

create table teams (
  id integer primary key autoincrement,
  name text not null,
  created_at integer not null
);

create table users (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  email text not null unique,
  password_hash text not null,
  role text not null,
  created_at integer not null
);

create table sessions (
  token_hash blob primary key,
  user_id integer not null references users (id),
  created_at integer not null,
  expires_at integer not null
) without rowid;

create table credentials (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  name text not null,
  public_key text not null unique,
  secret_hash blob not null unique,
  allowed_origins text not null,
  enabled integer not null,
  created_at integer not null,
  updated_at integer not null
);

create table identities (
  id integer primary key autoincrement,
  team_id integer not null,
  external_id text not null,
  created_at integer not null,
  updated_at integer not null,
  last_tracked_at integer not null,
  last_scored_at integer,
  display_name text,
  display_email text,
  display_username text,
  humanity integer,
  authenticity integer,
  uniqueness integer,
  behavior integer,
  disregarded integer not null default 0,
  -- grows with every change that may alter the scores
  version integer not null,
  -- the last number given to a cycle or another event of this identity
  sequence integer not null default 0,
  -- the sequence of the newest analysis
  cycle integer,
  -- when the next cycle is due; null when nothing has changed since the last one
  evaluate_at integer,
  state blob not null,
  data text not null
);
create unique index identities_external_id on identities (team_id, external_id);
create index identities_evaluate_at on identities (evaluate_at) where evaluate_at is not null;

create table identity_keys (
  team_id integer not null,
  kind integer not null,
  hash integer not null,
  identity_id integer not null,
  first_seen_at integer not null,
  primary key (team_id, kind, hash, identity_id)
) without rowid;

create table groups (
  id integer primary key autoincrement,
  team_id integer not null,
  type text not null,
  external_id text not null,
  created_at integer not null,
  updated_at integer not null,
  last_tracked_at integer not null,
  data text not null
);
create unique index groups_external_id on groups (team_id, type, external_id);

create table group_members (
  group_id integer not null,
  identity_id integer not null,
  created_at integer not null,
  primary key (group_id, identity_id)
) without rowid;

create table devices (
  id integer primary key autoincrement,
  team_id integer not null,
  fingerprint text not null,
  first_seen_at integer not null,
  last_seen_at integer not null,
  ip text,
  user_agent text,
  disregarded integer not null default 0
);
create unique index devices_fingerprint on devices (team_id, fingerprint);

create table events (
  id integer primary key autoincrement,
  team_id integer not null,
  -- the sender's id, packed
  external_id blob not null,
  identity_id integer,
  timestamp integer not null,
  received_at integer not null,
  -- everything else, compressed
  detail blob not null
);
create unique index events_external_id on events (team_id, external_id);
create index events_identity on events (identity_id, id) where identity_id is not null;

create table analyses (
  id integer primary key autoincrement,
  identity_id integer not null,
  -- the cycle: its place among the events of the identity
  sequence integer not null,
  started_at integer not null,
  finished_at integer not null,
  humanity integer,
  authenticity integer,
  uniqueness integer,
  behavior integer,
  event_count integer not null,
  device_count integer not null,
  -- what the message about this cycle says beyond the columns, and the observations, compressed
  detail blob not null
);
create unique index analyses_identity on analyses (identity_id, sequence);

-- What happened other than a cycle: badge changes, escalations, tests.
create table notifications (
  id integer primary key autoincrement,
  team_id integer not null,
  event_type integer not null,
  identity_id integer,
  sequence integer,
  occurred_at integer not null,
  data text not null
);

create table channels (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  type text not null,
  name text not null,
  slug text not null,
  enabled integer not null,
  -- the subscribed event types, one bit each
  events integer not null,
  config text not null,
  created_at integer not null,
  updated_at integer not null
);
create unique index channels_slug on channels (team_id, slug);

create table channel_secrets (
  id integer primary key autoincrement,
  channel_id integer not null references channels (id),
  -- encrypted with the master key
  secret blob not null,
  created_at integer not null,
  expires_at integer
);
create index channel_secrets_channel on channel_secrets (channel_id);

create table deliveries (
  id integer primary key autoincrement,
  channel_id integer not null,
  event_type integer not null,
  -- the cycle told about, or
  identity_id integer,
  sequence integer,
  -- the notification
  notification_id integer,
  status integer not null,
  trigger integer not null,
  -- failures since the first attempt or the last resend or replay
  failures integer not null default 0,
  attempt_count integer not null default 0,
  created_at integer not null,
  -- when the next attempt is due; while leased, when the lease ends
  next_attempt_at integer,
  leased integer not null,
  completed_at integer,
  -- of the last attempt
  http_status integer,
  error_class text,
  error_message text,
  payload_size integer,
  -- of a first attempt that succeeded, which has no row of its own
  started_at integer,
  duration integer,
  remote_address text,
  detail blob
);
create index deliveries_channel on deliveries (channel_id, id);
create index deliveries_due on deliveries (channel_id, next_attempt_at) where next_attempt_at is not null;

create table attempts (
  delivery_id integer not null,
  attempt integer not null,
  trigger integer not null,
  status integer not null,
  started_at integer not null,
  duration integer not null,
  http_status integer,
  payload_size integer not null,
  error_class text,
  error_message text,
  remote_address text,
  detail blob,
  primary key (delivery_id, attempt)
) without rowid;
