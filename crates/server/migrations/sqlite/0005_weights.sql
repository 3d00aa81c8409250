-- Weights that were calibrated for a team, by its labels: versions, of which at most one is in force, and one in shadow.
create table weights (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  -- 0 proposed, 1 in shadow, 2 in force, 3 retired
  state integer not null,
  -- of the analyzers that weigh otherwise than they ship, as a setting has them
  weights text not null,
  -- what was measured: JSON
  report text not null,
  created_at integer not null,
  created_by text not null,
  changed_at integer,
  changed_by text,
  -- the version that was in force before it; null where none was
  replaced_id integer
);
create index weights_team on weights (team_id, id);

-- They are counted with the rules, beside which they are kept in memory.
create trigger weights_insert_version after insert on weights begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger weights_update_version after update on weights begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger weights_delete_version after delete on weights begin
  update versions set version = version + 1 where name = 'rules';
end;
