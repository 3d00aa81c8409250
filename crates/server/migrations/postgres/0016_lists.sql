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

insert into versions (name, version) values ('lists', 0);
