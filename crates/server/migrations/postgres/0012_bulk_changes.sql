-- Changes of many escalations at once, which are carried out in the background and can be undone.
create table bulk_changes (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  -- who asked for it: JSON
  actor text not null,
  -- what is done to each: JSON
  change text not null,
  total bigint not null,
  created_at bigint not null,
  -- when all were gone through; null before
  finished_at bigint,
  -- the same of its being undone, and when and by whom that was asked for
  undo_asked_at bigint,
  undone_by text,
  undone_at bigint
);
create index bulk_changes_team on bulk_changes (team_id, id);
create index bulk_changes_unfinished on bulk_changes (id) where finished_at is null or (undo_asked_at is not null and undone_at is null);

create table bulk_change_items (
  bulk_change_id bigint not null,
  shard bigint not null,
  escalation_id bigint not null,
  identity_id bigint not null,
  -- 0 waits, 1 changed, 2 was as it should be or is gone, 3 undone, 4 was changed since and is left as it is
  state bigint not null,
  -- what it was before
  status bigint,
  assignee text,
  -- the label that was given with it
  label_id bigint,
  primary key (bulk_change_id, escalation_id, shard)
);
create index bulk_change_items_state on bulk_change_items (bulk_change_id, state, escalation_id);
create index bulk_change_items_identity on bulk_change_items (identity_id);
