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
