-- The badges an identity carries, and what its rules wait for: JSON, null for nothing.
alter table identities add column standing text;

-- The same badges, for lists.
create table badges (
  team_id integer not null,
  slug text not null,
  identity_id integer not null,
  primary key (team_id, slug, identity_id)
) without rowid;
create index badges_identity on badges (identity_id);
