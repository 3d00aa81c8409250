-- Everything beyond the path of an event: lists, people, limits, mappings, reviews, erasure.

-- Words of a team that lists look for: names of events, types of groups.
create table names (
  id integer primary key autoincrement,
  team_id integer not null,
  kind integer not null,
  name text not null
);
create unique index names_name on names (team_id, kind, name);

-- By which lists find events. The session is a keyed hash.
alter table events add column name_id integer;
alter table events add column device_id integer;
alter table events add column session integer;
create index events_time on events (team_id, timestamp, id);
create index events_name on events (name_id, timestamp, id);
create index events_device on events (device_id, timestamp, id) where device_id is not null;
-- An event without identity is found by its session; one with, through its identity.
create index events_anonymous_session on events (session, timestamp, id) where identity_id is null;

create table event_groups (
  -- or, negative, the name of a type: the events of all its groups
  group_id integer not null,
  timestamp integer not null,
  event_id integer not null,
  -- that of the event, so that a name is looked for without a look at events
  name_id integer,
  primary key (group_id, timestamp, event_id)
) without rowid;

alter table groups add column display_name text;
create index group_members_identity on group_members (identity_id, group_id);

-- The devices that nobody's analysis looks at.
create index devices_disregarded on devices (team_id) where disregarded = 1;

-- Deliveries are listed by time; of one identity, or of one status.
drop index deliveries_channel;
create index deliveries_channel on deliveries (channel_id, created_at, id, event_type);
create index deliveries_status on deliveries (channel_id, status, created_at, id, event_type);
-- Nearly all tell of a score; what else there is, is found without passing by those.
create index deliveries_event on deliveries (channel_id, event_type, created_at, id) where event_type <> 1;
create index deliveries_identity on deliveries (identity_id, id) where identity_id is not null;
create index notifications_identity on notifications (identity_id) where identity_id is not null;

-- What commits have touched, newest last, for lists kept in memory; old rows are removed.
create table changes (
  id integer primary key autoincrement,
  at integer not null,
  touched blob not null
);

-- Events stored in each hour: the monthly quota, and figures.
create table usage (
  team_id integer not null,
  -- hours since the Unix epoch, by the time of arrival
  hour integer not null,
  events integer not null,
  primary key (team_id, hour)
) without rowid;

alter table credentials add column rate_per_second integer;
alter table users add column name text;

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

create table mcp_tokens (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  user_id integer not null references users (id),
  name text not null,
  token_hash blob not null unique,
  created_at integer not null,
  last_used_at integer
);

-- Who did what, when, from where; before and after are JSON without secrets.
create table audit_log (
  id integer primary key autoincrement,
  team_id integer not null,
  at integer not null,
  actor_type text not null,
  actor_id integer,
  actor text not null,
  address text,
  action text not null,
  target_type text not null,
  target_id text not null,
  before text,
  after text
);
create index audit_log_team on audit_log (team_id, id);
create index audit_log_target on audit_log (target_type, target_id);

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

create table reviews (
  id integer primary key autoincrement,
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

create table escalations (
  id integer primary key autoincrement,
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
  created_at integer not null,
  opened_at integer not null,
  acknowledged_at integer,
  closed_at integer
);
create index escalations_opened on escalations (team_id, opened_at);
create index escalations_status on escalations (team_id, status, id);
create index escalations_severity on escalations (team_id, severity, id);
create index escalations_identity on escalations (identity_id, id);
create index escalations_rule on escalations (rule_id, id);

-- People who were erased: their number stays, so that the keyed hashes of their devices still
-- say that somebody had them.
create table deleted_identities (
  id integer primary key,
  team_id integer not null,
  deleted_at integer not null,
  -- whether every row of theirs is gone
  finished integer not null
);
create index deleted_identities_unfinished on deleted_identities (id) where finished = 0;
