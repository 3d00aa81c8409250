-- The servers that run on this database. One that is not heard of any more is taken for dead, and another takes over what it
-- had taken: while a delivery is leased, `deliveries.leased` has the id of its node. 1 is nobody's: versions without this
-- table write it.
create table nodes (
  id integer primary key autoincrement,
  name text not null,
  -- what it does, separated by commas
  roles text not null,
  version text not null,
  started_at integer not null,
  -- grows while it lives, and when that was last
  beat integer not null default 0,
  seen_at integer not null
);
insert into sqlite_sequence (name, seq) values ('nodes', 1);

-- Identities to be marked as changed, since somebody who shares something with them has come, whose rows another transaction
-- held at that time: to wait for it would have the two wait for each other.
create table due_marks (
  id integer primary key autoincrement,
  identity_id integer not null
);

-- The oldest version of the tables whose code can work beside this one; null where only newer code can.
alter table schema_migrations add column works_with integer;
