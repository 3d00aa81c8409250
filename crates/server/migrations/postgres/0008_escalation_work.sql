-- Who works on an escalation: a member's e-mail address; null for nobody.
alter table escalations add column assignee text;
-- Of those that somebody has: an escalation that opens is not in it.
create index escalations_assignee on escalations (team_id, assignee, id) where assignee is not null;

-- Until when escalations are to be closed, in minutes by severity: JSON; null where nothing is due.
alter table teams add column due_minutes text;

-- What has become of an escalation, but for what its own row and the labels of its identity say. Notes are among it.
create table escalation_history (
  id bigint not null,
  shard bigint not null,
  team_id bigint not null,
  identity_id bigint not null,
  escalation_id bigint not null,
  kind bigint not null,
  -- people or keys, as the audit log calls them; null for a rule
  actor text,
  -- to whom it was assigned, why it was closed, or a note
  text text,
  at bigint not null,
  primary key (id, shard)
);
create sequence escalation_history_number;
create index escalation_history_escalation on escalation_history (escalation_id, id);
create index escalation_history_identity on escalation_history (identity_id, id);

-- Whom a note mentions, as long as the note is there.
create table escalation_mentions (
  note_id bigint not null,
  shard bigint not null,
  team_id bigint not null,
  identity_id bigint not null,
  escalation_id bigint not null,
  -- a member's e-mail address
  member text not null,
  primary key (note_id, member, shard)
);
create index escalation_mentions_member on escalation_mentions (team_id, member, escalation_id);
create index escalation_mentions_identity on escalation_mentions (identity_id, note_id);
