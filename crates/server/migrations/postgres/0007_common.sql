-- What most of a team's identities have in common, and which says nothing of any of them.
create table common_values (
  team_id bigint not null references teams (id),
  kind bigint not null,
  value text not null,
  -- of so many identities that were active last, so many had it when that was learned
  identities bigint not null,
  holders bigint not null,
  learned_at bigint not null,
  primary key (team_id, kind, value)
);
