-- What people have decided of identities. Nothing is changed here but that a label is withdrawn.
create table labels (
  id integer primary key autoincrement,
  shard integer not null,
  team_id integer not null,
  identity_id integer not null,
  -- as its verdict is stored with the identity
  verdict integer not null,
  source integer not null,
  reason text,
  note text,
  -- people or keys, as the audit log calls them
  author text not null,
  -- the cycle that was looked at, and what it had found: JSON, compressed
  cycle integer,
  found blob not null,
  -- the sender's own id of it, by which one that comes again is known
  key text,
  -- when it was decided
  decided_at integer not null,
  created_at integer not null,
  withdrawn_at integer,
  withdrawn_by text
);
create index labels_identity on labels (identity_id, id);
create index labels_team on labels (team_id, id);
create unique index labels_keys on labels (identity_id, key, shard) where key is not null;

-- The verdict that counts: 0 good, 1 bad, 2 to 6 bad of a kind; null where there is none.
alter table identities add column verdict integer;
