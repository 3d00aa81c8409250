-- Lists of a team's own. Each change takes the next revision of its list, so that a server that keeps the list in memory
-- reads what has changed since, and not all of it.
create table lists (
  id bigint generated always as identity primary key,
  team_id bigint not null references teams (id),
  -- what rules call it
  slug text not null,
  name text not null,
  description text,
  -- EMAIL, EMAIL_DOMAIN, IP, NETWORK, ASN, COUNTRY, DEVICE, IDENTITY, PHONE or TEXT
  type text not null,
  -- 1 where who shares what is on it says nothing of anybody
  trusted bigint not null,
  revision bigint not null,
  -- of removals after this revision none is missing in list_removals
  removals_since bigint not null,
  entry_count bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  -- its entries go little by little
  deleted_at bigint
);
create unique index lists_slug on lists (team_id, slug) where deleted_at is null;

create table list_entries (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  list_id bigint not null,
  value text not null,
  comment text,
  -- who put it in, or changed it last
  author text not null,
  created_at bigint not null,
  -- from then on it counts no more; null where it has no end
  ends_at bigint,
  -- 1 once those whom its end concerns are scored again
  ended bigint not null,
  revision bigint not null
);
create unique index list_entries_value on list_entries (team_id, list_id, value);
create index list_entries_revision on list_entries (team_id, list_id, revision);
create index list_entries_end on list_entries (ends_at) where ended = 0 and ends_at is not null;

-- What was taken out of lists, for those who keep them in memory.
create table list_removals (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  list_id bigint not null,
  value text not null,
  revision bigint not null
);
create index list_removals_revision on list_removals (team_id, list_id, revision);

-- For whom rules have put entries on lists: an entry goes with the last of them, if nobody has changed it since.
create table list_entry_sources (
  id bigint generated always as identity primary key,
  team_id bigint not null,
  list_id bigint not null,
  entry_id bigint not null,
  -- the entry's, when it was put in for this; another one says that somebody has changed it since
  revision bigint not null,
  identity_id bigint not null,
  -- of a badge rule, the slug of its badge
  badge text,
  -- of an escalation rule, what it opened
  escalation_id bigint
);
create index list_entry_sources_entry on list_entry_sources (team_id, list_id, entry_id);
create index list_entry_sources_identity on list_entry_sources (identity_id);

-- What rules put on lists: list, what and for how long, as JSON.
alter table badge_rules add column adds_to_lists text not null default '[]';
alter table escalation_rules add column adds_to_lists text not null default '[]';

insert into versions (name, version) values ('lists', 0);

-- What put an entry on a list, where that was a ban.
create index audit_log_bans on audit_log (team_id, at) where action = 'ring.ban';
