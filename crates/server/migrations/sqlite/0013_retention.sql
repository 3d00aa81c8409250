-- How long rows of a kind are kept, where a team has said so.
create table retention (
  team_id integer not null references teams (id),
  kind integer not null,
  -- null keeps them for ever
  days integer,
  primary key (team_id, kind)
) without rowid;

-- Up to when rows of a kind are gone, because they had been kept that long.
create table forgotten (
  team_id integer not null references teams (id),
  kind integer not null,
  until integer not null,
  primary key (team_id, kind)
) without rowid;

-- What the events of an identity told that are gone.
create table folded_events (
  identity_id integer primary key,
  -- the last of them
  event_id integer not null,
  state blob not null
);
