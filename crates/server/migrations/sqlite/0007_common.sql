-- What most of a team's identities have in common, and which says nothing of any of them.
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
