-- Weights that were calibrated for a team, by its labels: versions, of which at most one is in force, and one in shadow.
create table weights (
  id bigint generated always as identity primary key,
  team_id bigint not null references teams (id),
  -- 0 proposed, 1 in shadow, 2 in force, 3 retired
  state bigint not null,
  -- of the analyzers that weigh otherwise than they ship, as a setting has them
  weights text not null,
  -- what was measured: JSON
  report text not null,
  created_at bigint not null,
  created_by text not null,
  changed_at bigint,
  changed_by text,
  -- the version that was in force before it; null where none was
  replaced_id bigint
);
create index weights_team on weights (team_id, id);

-- They are counted with the rules, beside which they are kept in memory.
create trigger weights_version after insert or update or delete or truncate on weights
  for each statement execute function grow_version('rules');
