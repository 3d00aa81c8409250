-- What teams count of their events: see the folder counter of the core.
create table counters (
  id integer primary key autoincrement,
  team_id integer not null,
  -- another number after each change of what it counts
  revision integer not null,
  slug text not null,
  name text not null,
  function text not null,
  -- what it is of; null where it counts events
  fact text,
  per text not null,
  conditions text not null,
  window_seconds integer not null,
  -- events received before this are counted by whoever builds its past, those from then on as they are stored
  counts_from integer not null,
  -- whether its past has been built
  ready integer not null,
  created_at integer not null,
  updated_at integer not null
);
create unique index counters_slug on counters (team_id, slug);

-- What all counters of a team say of one value of what they count by, by its keyed hash.
create table counter_states (
  shard integer not null,
  team_id integer not null,
  hash integer not null,
  -- grows with every write
  version integer not null,
  -- when nothing of it is in a window any more
  expires_at integer not null,
  state blob not null,
  primary key (team_id, hash, shard)
) without rowid;

insert into versions (name, version) values ('counters', 0);

create trigger counters_insert_version after insert on counters begin
  update versions set version = version + 1 where name = 'counters';
end;
create trigger counters_update_version after update on counters begin
  update versions set version = version + 1 where name = 'counters';
end;
create trigger counters_delete_version after delete on counters begin
  update versions set version = version + 1 where name = 'counters';
end;
