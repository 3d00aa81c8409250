-- What people have decided of identities. Nothing is changed here but that a label is withdrawn.
create table labels (
  id bigint not null,
  shard bigint not null,
  team_id bigint not null,
  identity_id bigint not null,
  -- as its verdict is stored with the identity
  verdict bigint not null,
  source bigint not null,
  reason text,
  note text,
  -- people or keys, as the audit log calls them
  author text not null,
  -- the cycle that was looked at, and what it had found: JSON, compressed
  cycle bigint,
  found bytea not null,
  -- the sender's own id of it, by which one that comes again is known
  key text,
  -- when it was decided
  decided_at bigint not null,
  created_at bigint not null,
  withdrawn_at bigint,
  withdrawn_by text,
  primary key (id, shard)
);
create sequence labels_number;
create index labels_identity on labels (identity_id, id);
create index labels_team on labels (team_id, id);
create unique index labels_keys on labels (identity_id, key, shard) where key is not null;

-- The verdict that counts: 0 good, 1 bad, 2 to 6 bad of a kind; null where there is none.
alter table identities add column verdict bigint;
