-- Times are milliseconds since the Unix epoch, flags are 0 or 1, and every number the code gives a
-- meaning (status, event_type, kind …) is listed in the type of the same name in Rust.
--
-- `shard` is where a row is once the tables are spread over machines (`core/src/shard.rs`). It stands in each unique
-- key: last, so that rows still come at the end of the key's tree.

create table settings (
  name text primary key,
  value blob not null
) without rowid;

-- A team, and what it sets up.

create table teams (
  id integer primary key autoincrement,
  name text not null,
  created_at integer not null
);

create table users (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  email text not null unique,
  name text,
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

-- Failed sign-ins, counted for every node: of an account, of an address, of a place or a browser of somebody. The
-- subject is a hash.
create table sign_in_failures (
  subject blob primary key,
  failures integer not null,
  -- when the first of them was
  since integer not null
) without rowid;
create index sign_in_failures_since on sign_in_failures (since);

-- Where a person has signed in before: hashes of addresses and of what a browser keeps.
create table sign_in_marks (
  user_id integer not null references users (id),
  mark blob not null,
  seen_at integer not null,
  primary key (user_id, mark)
) without rowid;

create table invitations (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  email text not null,
  role text not null,
  token_hash blob not null unique,
  invited_by text not null,
  created_at integer not null,
  expires_at integer not null
);
create unique index invitations_email on invitations (team_id, email);

create table credentials (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  name text not null,
  public_key text not null unique,
  secret_hash blob not null unique,
  allowed_origins text not null,
  rate_per_second integer,
  enabled integer not null,
  created_at integer not null,
  updated_at integer not null
);

create table mcp_tokens (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  user_id integer not null references users (id),
  name text not null,
  token_hash blob not null unique,
  created_at integer not null,
  last_used_at integer
);

create table channels (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  type text not null,
  name text not null,
  slug text not null,
  enabled integer not null,
  -- why the server itself has disabled it
  disabled_reason text,
  -- the subscribed event types, one bit each
  events integer not null,
  -- whether it sends an identity's events in order, or leaves out scores that newer ones replace
  by_identity integer not null default 0,
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

-- What gives badges and opens escalations. Conditions, and slugs of channels, are JSON.
create table badge_rules (
  id integer primary key autoincrement,
  team_id integer not null,
  -- another number after each change of what it asks for
  revision integer not null,
  enabled integer not null,
  name text not null,
  slug text not null,
  type text not null,
  priority integer not null,
  conditions text not null,
  apply_delay_seconds integer not null,
  remove_delay_seconds integer not null,
  created_at integer not null,
  updated_at integer not null
);
create unique index badge_rules_slug on badge_rules (team_id, slug);

create table escalation_rules (
  id integer primary key autoincrement,
  team_id integer not null,
  revision integer not null,
  enabled integer not null,
  name text not null,
  severity integer not null,
  channels text not null,
  conditions text not null,
  open_after_seconds integer not null,
  close_after_seconds integer not null,
  effective_at integer,
  created_at integer not null,
  updated_at integer not null
);
create unique index escalation_rules_name on escalation_rules (team_id, name);

-- What a team's own names mean; the shipped table is in the code.
create table mappings (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  kind text not null,
  -- in lower_snake_case
  source text not null,
  -- null takes a shipped meaning away
  target text,
  created_at integer not null,
  updated_at integer not null
);
create unique index mappings_source on mappings (team_id, kind, source);

create table dataset_entries (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  dataset text not null,
  value text not null,
  -- 1 adds the value to the dataset, 0 takes a shipped one away
  included integer not null,
  note text,
  created_at integer not null
);
create unique index dataset_entries_value on dataset_entries (team_id, dataset, value);

-- Lists as people like to see them, under a name.
create table views (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  -- the list
  page text not null,
  name text not null,
  -- its filters and order, as in the address of its page
  query text not null,
  created_by text not null,
  created_at integer not null,
  unique (team_id, page, name)
);

-- How long rows of a kind are kept, where a team has said so.
create table retention (
  team_id integer not null references teams (id),
  kind integer not null,
  -- null keeps them for ever
  days integer,
  primary key (team_id, kind)
) without rowid;

-- Who did what, when, from where; before and after are JSON without secrets.
create table audit_log (
  id integer primary key autoincrement,
  team_id integer not null,
  at integer not null,
  actor_type text not null,
  actor_id integer,
  actor text not null,
  -- The name of the MCP token through which it was done.
  mcp_token text,
  address text,
  action text not null,
  target_type text not null,
  target_id text not null,
  before text,
  after text
);
create index audit_log_team on audit_log (team_id, id);
create index audit_log_target on audit_log (target_type, target_id);

-- What is learned and counted for a team.

-- Words that lists look for: names of events, types of groups.
create table names (
  id integer primary key autoincrement,
  team_id integer not null,
  kind integer not null,
  name text not null
);
create unique index names_name on names (team_id, kind, name);

-- What most of its identities have in common, and which says nothing of any of them.
create table common_values (
  team_id integer not null references teams (id),
  kind integer not null,
  value text not null,
  -- of so many identities that were active last, so many had it when that was learned
  identities integer not null,
  holders integer not null,
  learned_at integer not null,
  primary key (team_id, kind, value)
) without rowid;

-- Events stored in each hour: the monthly quota, and figures.
create table usage (
  team_id integer not null,
  -- hours since the Unix epoch, by the time of arrival
  hour integer not null,
  events integer not null,
  primary key (team_id, hour)
) without rowid;
-- What was sent this month is asked for by the hour.
create index usage_hour on usage (hour);

-- Up to when rows of a kind are gone, because they had been kept that long.
create table forgotten (
  team_id integer not null references teams (id),
  kind integer not null,
  until integer not null,
  primary key (team_id, kind)
) without rowid;

-- What commits have touched, newest last, for lists kept in memory; old rows are removed.
create table changes (
  id integer primary key autoincrement,
  at integer not null,
  touched blob not null
);

-- A number for each kind of rows that servers keep in memory. It grows with each change of them, so that one small read
-- says what has to be read again. That of devices grows with those that are disregarded.
create table versions (
  name text primary key not null,
  version integer not null
) without rowid;
insert into versions (name, version) values
  ('channels', 0),
  ('common', 0),
  ('credentials', 0),
  ('datasets', 0),
  ('devices', 0),
  ('mappings', 0),
  ('names', 0),
  ('rules', 0);

create trigger channels_insert_version after insert on channels begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channels_update_version after update on channels begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channels_delete_version after delete on channels begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channel_secrets_insert_version after insert on channel_secrets begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channel_secrets_update_version after update on channel_secrets begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channel_secrets_delete_version after delete on channel_secrets begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger credentials_insert_version after insert on credentials begin
  update versions set version = version + 1 where name = 'credentials';
end;
create trigger credentials_update_version after update on credentials begin
  update versions set version = version + 1 where name = 'credentials';
end;
create trigger credentials_delete_version after delete on credentials begin
  update versions set version = version + 1 where name = 'credentials';
end;
create trigger names_insert_version after insert on names begin
  update versions set version = version + 1 where name = 'names';
end;
create trigger names_update_version after update on names begin
  update versions set version = version + 1 where name = 'names';
end;
create trigger names_delete_version after delete on names begin
  update versions set version = version + 1 where name = 'names';
end;
create trigger mappings_insert_version after insert on mappings begin
  update versions set version = version + 1 where name = 'mappings';
end;
create trigger mappings_update_version after update on mappings begin
  update versions set version = version + 1 where name = 'mappings';
end;
create trigger mappings_delete_version after delete on mappings begin
  update versions set version = version + 1 where name = 'mappings';
end;
create trigger badge_rules_insert_version after insert on badge_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger badge_rules_update_version after update on badge_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger badge_rules_delete_version after delete on badge_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger escalation_rules_insert_version after insert on escalation_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger escalation_rules_update_version after update on escalation_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger escalation_rules_delete_version after delete on escalation_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger dataset_entries_insert_version after insert on dataset_entries begin
  update versions set version = version + 1 where name = 'datasets';
end;
create trigger dataset_entries_update_version after update on dataset_entries begin
  update versions set version = version + 1 where name = 'datasets';
end;
create trigger dataset_entries_delete_version after delete on dataset_entries begin
  update versions set version = version + 1 where name = 'datasets';
end;
create trigger common_values_insert_version after insert on common_values begin
  update versions set version = version + 1 where name = 'common';
end;
create trigger common_values_update_version after update on common_values begin
  update versions set version = version + 1 where name = 'common';
end;
create trigger common_values_delete_version after delete on common_values begin
  update versions set version = version + 1 where name = 'common';
end;

-- Identities, and what is on the way from an event to a message about them.

create table identities (
  id integer primary key autoincrement,
  shard integer not null,
  team_id integer not null,
  external_id text not null,
  created_at integer not null,
  -- the earlier of when it was made and of its first event
  first_seen_at integer not null,
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
  -- when rules are to be asked again, because something changes by time alone
  decide_at integer,
  -- the badges it carries, and what its rules wait for: JSON, null for nothing
  standing text,
  state blob not null,
  data text not null
);
create unique index identities_external_id on identities (team_id, external_id, shard);
create index identities_evaluate_at on identities (evaluate_at) where evaluate_at is not null;
create index identities_decide on identities (decide_at) where decide_at is not null;

create table identity_keys (
  shard integer not null,
  team_id integer not null,
  kind integer not null,
  hash integer not null,
  identity_id integer not null,
  first_seen_at integer not null,
  primary key (team_id, kind, hash, identity_id, shard)
) without rowid;

create table groups (
  id integer primary key autoincrement,
  shard integer not null,
  team_id integer not null,
  type text not null,
  external_id text not null,
  display_name text,
  created_at integer not null,
  updated_at integer not null,
  last_tracked_at integer not null,
  data text not null
);
create unique index groups_external_id on groups (team_id, type, external_id, shard);

-- Of the shard of the group.
create table group_members (
  shard integer not null,
  group_id integer not null,
  identity_id integer not null,
  created_at integer not null,
  primary key (group_id, identity_id, shard)
) without rowid;
create index group_members_identity on group_members (identity_id, group_id);

create table devices (
  id integer primary key autoincrement,
  shard integer not null,
  team_id integer not null,
  fingerprint text not null,
  first_seen_at integer not null,
  last_seen_at integer not null,
  ip text,
  user_agent text,
  disregarded integer not null default 0
);
create unique index devices_fingerprint on devices (team_id, fingerprint, shard);
-- The devices that nobody's analysis looks at.
create index devices_disregarded on devices (team_id) where disregarded = 1;

create table events (
  id integer primary key autoincrement,
  -- that of its identity, or of its device
  shard integer not null,
  team_id integer not null,
  -- the sender's id, packed
  external_id blob not null,
  identity_id integer,
  timestamp integer not null,
  received_at integer not null,
  -- by which lists find it; the session is a keyed hash
  name_id integer,
  device_id integer,
  session integer,
  -- everything else, compressed
  detail blob not null
);
-- Without the shard: nobody else's event has the same id. Where tables are spread, with it.
create unique index events_external_id on events (team_id, external_id);
create index events_identity on events (identity_id, id) where identity_id is not null;
create index events_time on events (team_id, timestamp, id);
create index events_name on events (name_id, timestamp, id);
create index events_device on events (device_id, timestamp, id) where device_id is not null;
-- An event without identity is found by its session; one with, through its identity.
create index events_anonymous_session on events (session, timestamp, id) where identity_id is null;

-- Of the shard of the event.
create table event_groups (
  shard integer not null,
  -- or, negative, the name of a type: the events of all its groups
  group_id integer not null,
  timestamp integer not null,
  event_id integer not null,
  -- that of the event, so that a name is looked for without a look at events
  name_id integer,
  primary key (group_id, timestamp, event_id, shard)
) without rowid;

-- What the events of an identity told that are gone.
create table folded_events (
  identity_id integer not null,
  shard integer not null,
  -- the last of them
  event_id integer not null,
  state blob not null,
  primary key (identity_id, shard)
) without rowid;

create table analyses (
  id integer primary key autoincrement,
  shard integer not null,
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
create unique index analyses_identity on analyses (identity_id, sequence, shard);

-- The badges that identities carry, for lists.
create table badges (
  shard integer not null,
  team_id integer not null,
  slug text not null,
  identity_id integer not null,
  primary key (team_id, slug, identity_id, shard)
) without rowid;

create table escalations (
  id integer primary key autoincrement,
  shard integer not null,
  team_id integer not null,
  identity_id integer not null,
  rule_id integer not null,
  rule_name text not null,
  severity integer not null,
  status integer not null,
  -- the scores when it opened
  humanity integer,
  authenticity integer,
  uniqueness integer,
  behavior integer,
  -- why it opened, and who was told, who is told when it closes as well: JSON
  conditions text,
  channels text,
  created_at integer not null,
  opened_at integer not null,
  -- null for what its rule did
  acknowledged_at integer,
  acknowledged_by text,
  closed_at integer,
  closed_by text,
  close_reason text
);
create index escalations_opened on escalations (team_id, opened_at);
create index escalations_status on escalations (team_id, status, id);
create index escalations_severity on escalations (team_id, severity, id);
create index escalations_identity on escalations (identity_id, id);
create index escalations_rule on escalations (rule_id, id);
-- Whoever opens a second one of a rule for an identity finds the first.
create unique index escalations_open on escalations (identity_id, rule_id, shard) where status <> 2;
-- Which were closed when, for figures over time.
create index escalations_closed on escalations (team_id, closed_at) where closed_at is not null;

create table reviews (
  id integer primary key autoincrement,
  shard integer not null,
  team_id integer not null,
  identity_id integer not null,
  status integer not null,
  feedback text,
  -- who wrote it
  reviewer text,
  summary text,
  error_message text,
  created_at integer not null,
  completed_at integer,
  -- when it is due; while leased, when the lease ends
  due_at integer
);
create index reviews_identity on reviews (identity_id, id);
create index reviews_due on reviews (due_at) where due_at is not null;

-- What happened other than a cycle: badge changes, escalations, tests. Of the shard of the identity, or of the team.
create table notifications (
  id integer primary key autoincrement,
  shard integer not null,
  team_id integer not null,
  event_type integer not null,
  identity_id integer,
  sequence integer,
  occurred_at integer not null,
  data text not null
);
create index notifications_identity on notifications (identity_id) where identity_id is not null;

-- Of the shard of what it tells of.
create table deliveries (
  id integer primary key autoincrement,
  shard integer not null,
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
  -- when somebody asked for it again: its age counts from then
  requeued_at integer,
  -- when the next attempt is due; while leased, when the lease ends
  next_attempt_at integer,
  leased integer not null,
  -- as its channel was
  by_identity integer not null default 0,
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
create index deliveries_due on deliveries (channel_id, next_attempt_at) where next_attempt_at is not null;
create index deliveries_by_identity on deliveries (channel_id, identity_id, sequence) where by_identity = 1 and next_attempt_at is not null;
-- They are listed by time; of one identity, or of one status.
create index deliveries_channel on deliveries (channel_id, created_at, id, event_type);
create index deliveries_status on deliveries (channel_id, status, created_at, id, event_type);
create index deliveries_identity on deliveries (identity_id, id) where identity_id is not null;
-- Nearly all tell of a score; what else there is, is found without passing by those.
create index deliveries_event on deliveries (channel_id, event_type, created_at, id) where event_type <> 1;
-- Those that failed are found by how, without passing by those that arrived. Each index holds those alone.
create index deliveries_retrying on deliveries (channel_id, status, created_at, id) where status = 0 and trigger = 1;
create index deliveries_errors on deliveries (channel_id, created_at, id) where error_class is not null and error_class <> 'superseded';
create index deliveries_error_class on deliveries (channel_id, error_class, created_at, id) where error_class is not null;
create index deliveries_http_status on deliveries (channel_id, http_status, created_at, id) where http_status <> 200;

create table attempts (
  delivery_id integer not null,
  shard integer not null,
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
  primary key (delivery_id, attempt, shard)
) without rowid;

-- People who were erased: their number stays, so that the keyed hashes of their devices still
-- say that somebody had them.
create table deleted_identities (
  id integer not null,
  shard integer not null,
  team_id integer not null,
  deleted_at integer not null,
  -- whether every row of theirs is gone
  finished integer not null,
  primary key (id, shard)
) without rowid;
create index deleted_identities_unfinished on deleted_identities (id) where finished = 0;
