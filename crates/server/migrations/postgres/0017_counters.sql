-- What teams count of their events: see the folder counter of the core.
create table counters (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  -- another number after each change of what it counts
  revision bigint not null,
  slug text not null,
  name text not null,
  function text not null,
  -- what it is of; null where it counts events
  fact text,
  per text not null,
  conditions text not null,
  window_seconds bigint not null,
  -- events received before this are counted by whoever builds its past, those from then on as they are stored
  counts_from bigint not null,
  -- whether its past has been built
  ready bigint not null,
  created_at bigint not null,
  updated_at bigint not null
);
create unique index counters_slug on counters (team_id, slug);

-- What all counters of a team say of one value of what they count by, by its keyed hash.
create table counter_states (
  shard bigint not null,
  team_id bigint not null,
  hash bigint not null,
  -- grows with every write
  version bigint not null,
  -- when nothing of it is in a window any more
  expires_at bigint not null,
  state bytea not null,
  primary key (team_id, hash, shard)
);

insert into versions (name, version) values ('counters', 0);

create trigger counters_version after insert or update or delete or truncate on counters
  for each statement execute function grow_version('counters');
