-- How long rows of a kind are kept, where a team has said so.
create table retention (
  team_id bigint not null references teams (id),
  kind bigint not null,
  -- null keeps them for ever
  days bigint,
  primary key (team_id, kind)
);

-- Up to when rows of a kind are gone, because they had been kept that long.
create table forgotten (
  team_id bigint not null references teams (id),
  kind bigint not null,
  until bigint not null,
  primary key (team_id, kind)
);

-- What the events of an identity told that are gone.
create table folded_events (
  identity_id bigint primary key,
  -- the last of them
  event_id bigint not null,
  state bytea not null
);
