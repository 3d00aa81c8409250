-- What gives badges and opens escalations. Conditions, and slugs of channels, are JSON.
create table badge_rules (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  -- another number after each change of what it asks for
  revision bigint not null,
  enabled bigint not null,
  name text not null,
  slug text not null,
  type text not null,
  priority bigint not null,
  conditions text not null,
  apply_delay_seconds bigint not null,
  remove_delay_seconds bigint not null,
  created_at bigint not null,
  updated_at bigint not null
);
create unique index badge_rules_slug on badge_rules (team_id, slug);

create table escalation_rules (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  revision bigint not null,
  enabled bigint not null,
  name text not null,
  severity bigint not null,
  channels text not null,
  conditions text not null,
  open_after_seconds bigint not null,
  close_after_seconds bigint not null,
  effective_at bigint,
  created_at bigint not null,
  updated_at bigint not null
);
create unique index escalation_rules_name on escalation_rules (team_id, name);

-- When rules are to be asked again, because something changes by time alone.
alter table identities add column decide_at bigint;
create index identities_decide on identities (decide_at) where decide_at is not null;

-- Why it opened, and who was told, who is told when it closes as well. JSON.
alter table escalations add column conditions text;
alter table escalations add column channels text;

-- Whoever opens a second one of a rule for an identity finds the first.
create unique index escalations_open on escalations (identity_id, rule_id) where status <> 2;
