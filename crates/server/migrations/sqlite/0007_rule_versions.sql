-- What rules were, revision by revision, and what somebody has drafted beside them.
create table rule_versions (
  id integer primary key autoincrement,
  team_id integer not null,
  -- 0 of a badge rule, 1 of an escalation rule
  kind integer not null,
  rule_id integer not null,
  -- null for the draft
  revision integer,
  -- as the API takes it: JSON
  definition text not null,
  created_at integer not null,
  -- null for what was made before versions were kept
  created_by text
);
create unique index rule_versions_rule on rule_versions (kind, rule_id, revision);
create unique index rule_versions_draft on rule_versions (kind, rule_id) where revision is null;

-- How many identities had the badge of a rule, once a day: by how many there are more, it is known how often the rule
-- takes hold.
create table badge_counts (
  team_id integer not null,
  rule_id integer not null,
  -- since 1970
  hour integer not null,
  carriers integer not null,
  primary key (team_id, rule_id, hour)
) without rowid;

-- When a rule was last told of that takes hold far more often than it did.
create table rule_jumps (
  team_id integer not null,
  -- as above
  kind integer not null,
  rule_id integer not null,
  told_at integer not null,
  count integer not null,
  -- in tenths
  expected integer not null,
  primary key (team_id, kind, rule_id)
) without rowid;

-- Who was drawn at random for somebody to look at, so that it is known what rules miss.
create table draws (
  team_id integer not null,
  -- since 1970-01-05, a Monday
  week integer not null,
  identity_id integer not null,
  -- for how many identities it stands, in thousandths: the inverse of its chance
  weight integer not null,
  primary key (team_id, week, identity_id)
) without rowid;
create index draws_identity on draws (identity_id);
